"""The outcomes of a trial in the order in which a report shows them."""

from __future__ import annotations

from asp_eval.analysis.results import OutcomeResult
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.setting import Setting

ROLES = ("primary", "secondary", "exploratory")


def role_name(role: str, setting: Setting) -> str:
    """Return the heading of a group of outcomes."""
    say = setting.say
    names = {"primary": say("Primary outcomes"), "secondary": say("Secondary outcomes")}
    return names.get(role, say("Exploratory outcomes"))


def methods_used(outcomes: tuple[OutcomeResult, ...]) -> set[str]:
    """Return the methods by which some difference was really estimated."""
    found = (effect.difference for result in outcomes for effect in result.effects)
    return {one.method for one in found if not isinstance(one, Unavailable)}


def any_adjusted(outcomes: tuple[OutcomeResult, ...]) -> bool:
    """Whether any p-value is adjusted for several outcomes."""
    return any(result.adjustment is not None for result in outcomes)


def by_role(outcomes: tuple[OutcomeResult, ...]) -> tuple[OutcomeResult, ...]:
    """Return outcomes with the primary first, otherwise in the order of the plan."""
    return tuple(sorted(outcomes, key=lambda result: ROLES.index(result.role)))


def primary_outcomes(outcomes: tuple[OutcomeResult, ...]) -> tuple[OutcomeResult, ...]:
    """Return the primary outcomes, or the first outcome if none is primary."""
    return tuple(result for result in outcomes if result.role == "primary") or outcomes[:1]


def marked_label(result: OutcomeResult, position: int, setting: Setting) -> str:
    """Return the name of one effect in a forest plot, where primary outcomes are marked."""
    name = setting.effect_label(result, position, with_wave=True)
    return setting.say("{outcome} (primary)", outcome=name) if result.role == "primary" else name
