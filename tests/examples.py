"""How many examples a property is tried on: those of the profile, or a part of them where one example takes long."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def part_of_examples(part: float) -> settings:
    """Return the profile with a part of its examples, 0 to 1; at least 1."""
    return settings(max_examples=max(1, round(part * settings.default.max_examples)))


# A folder that all examples of a test share; each of them writes its files anew
ONE_FOLDER = [HealthCheck.function_scoped_fixture]
