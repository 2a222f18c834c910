"""Which institutions are given their GAP-profile, and which are not, or not yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from asp_eval.core.errors import Fault
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.report_plan import GapPlan

NOT_DRAWN = Fault(
    "GAP-012",
    "study.yaml gives GAP-profiles to some arms, and no institution has an arm yet",
    "Draw the arms with 'asp-eval randomise', or import the allocation, first.",
)


@dataclass(frozen=True, slots=True)
class Withheld:
    """An institution whose profile is not made.

    Attributes
    ----------
    institution_id : str
    arm : str
        Empty if it has none.
    until : str
        The wave after which it is given; empty if the plan gives it none.
    arm_label, until_label : dict of str to str
        What the study calls them, by language.
    """

    institution_id: str
    arm: str
    until: str
    arm_label: dict[str, str] = field(default_factory=dict, compare=False)
    until_label: dict[str, str] = field(default_factory=dict, compare=False)


def withheld(
    study: Study, plan: GapPlan, institutions: Iterable[str], arms: Mapping[str, str], today: date
) -> tuple[Withheld, ...]:
    """Return the institutions whose profile is not made.

    Parameters
    ----------
    study : Study
    plan : GapPlan
        Its `arms` and `release`.
    institutions : iterable of str
        Those with answers.
    arms : mapping of str to str
        Arm of every institution that is drawn.
    today : date
        An arm of `release` is given its profiles once this is later than the last day of its wave.

    Raises
    ------
    Refusal
        GAP-012 if the plan names arms and nothing is drawn.
    """
    if plan.arms is None and not plan.release:
        return ()
    if not arms:
        NOT_DRAWN.refuse("study.yaml, gap")
    given = set(study.arms if plan.arms is None else plan.arms) - set(plan.release)
    given |= {arm for arm, wave in plan.release.items() if _has_ended(study, wave, today)}
    out = [(institution, arms.get(institution, "")) for institution in institutions]
    return tuple(_withheld(study, institution, arm, plan.release.get(arm, "")) for institution, arm in out if arm not in given)


def given_early(study: Study) -> str:
    """Return the wave after which the reference arm is given its profiles, where that is before the last; empty where it is not.

    A profile is a tool of the intervention: one that is given within the trial is a contact between the arms.
    """
    plan, reference = study.gap, study.arms[0]
    if plan is None or (plan.arms is not None and reference not in plan.arms and reference not in plan.release):
        return ""
    wave = plan.release.get(reference, plan.wave)
    return wave if wave != study.wave_ids[-1] else ""


def _withheld(study: Study, institution: str, arm: str, until: str) -> Withheld:
    called = study.wave(until).label if until else {}
    return Withheld(institution, arm, until, _by_language(study.arm_labels.get(arm, {})), _by_language(called))


def _by_language(texts: Mapping[Any, str]) -> dict[str, str]:
    return {str(language): text for language, text in texts.items()}


def _has_ended(study: Study, wave: str, today: date) -> bool:
    """Return whether the last day of a wave is past; one without a last day has not ended."""
    last = study.wave(wave).end
    return last is not None and last < today
