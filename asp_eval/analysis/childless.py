"""Outcomes that no child is left for: there is nothing to estimate, and what is written of them would be of nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asp_eval.core.errors import Fault, Place, Problem, Refusal
from asp_eval.core.phrases import Phrase
from asp_eval.trial.flow.counts import AnalysedFlow

CHILDLESS = Fault(
    "ANA-017",
    "no child is left to analyse: of {cohort} in the cohort the analysis set leaves out {filtered}, {outcome} have no value at "
    "the wave {wave}, {baseline} no baseline value and {covariate} no value of a covariate",
    "Import and score what is missing, or correct 'sets', 'covariates' or the outcome's waves in study.yaml.",
)

Flows = Iterable[Sequence[AnalysedFlow]]


def childless(flows: Flows) -> tuple[Problem, ...]:
    """Return the outcomes that no child is left for: ANA-017 for each, with where the children of the cohort went.

    Parameters
    ----------
    flows : iterable of sequence of AnalysedFlow
        For each outcome, its arms.
    """
    return tuple(_problem(arms) for arms in flows if not sum(arm.analysed for arm in arms))


def refuse_childless(flows: Flows) -> tuple[Problem, ...]:
    """Refuse what would be of no child at all; return the outcomes without children where others have some.

    Raises
    ------
    Refusal
        ANA-017 for every outcome, if no child is left for any.
    """
    every = tuple(flows)
    problems = childless(every)
    if problems and len(problems) == len(every):
        raise Refusal(problems)
    return problems


def _problem(arms: Sequence[AnalysedFlow]) -> Problem:
    return CHILDLESS.at(
        Place(Phrase("outcome {name}", name=arms[0].outcome)),
        cohort=sum(arm.cohort for arm in arms),
        filtered=sum(arm.filtered_out for arm in arms),
        outcome=sum(arm.missing_outcome for arm in arms),
        wave=arms[0].wave,
        baseline=sum(arm.missing_baseline for arm in arms),
        covariate=sum(arm.missing_covariate for arm in arms),
    )
