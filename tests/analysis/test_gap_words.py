"""The words of a GAP-profile: their limits, and the departure that is named."""

from __future__ import annotations

import pytest

from asp_eval.analysis.gap_words import Departure, leading_departure, verdict


@pytest.mark.parametrize(
    ("below", "above", "cautious", "word"),
    [
        (0.0, 0.9, 0.1, "clearly-staff-higher"),
        (0.0, 0.899, 0.1, "perhaps-staff-higher"),
        (0.7, 0.0, 0.3, "perhaps-child-higher"),
        (0.95, 0.0, 0.3, "clearly-child-higher"),
        (0.15, 0.15, 0.7, "as-most"),
        (0.15, 0.15, 0.69, "not-distinguishable"),
        (0.16, 0.15, 0.9, "not-distinguishable"),
        (0.0, 0.699, 0.301, "not-distinguishable"),
    ],
)
def test_the_limits_of_the_words(below: float, above: float, cautious: float, word: str) -> None:
    assert verdict(below, 1 - below - above, above, cautious) == word


def test_a_departure_is_named_only_if_it_leads_by_its_own_uncertainty() -> None:
    assert leading_departure([Departure("a", 2.0, 1.0), Departure("b", -8.0, 3.0), Departure("c", 5.0, 3.0)]) == "b"
    assert leading_departure([Departure("b", -8.0, 3.1), Departure("c", 5.0, 1.0)]) == ""
    assert leading_departure([Departure("b", -8.0, 3.0)]) == ""
    assert leading_departure([]) == ""
