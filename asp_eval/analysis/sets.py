"""The rows an outcome is analysed on: the cohort as drawn, less declared exclusions, each one counted.

The exclusions are applied in one order (filter, outcome, baseline, covariates), and a child is counted at the first
that removes it, so that the counts of every arm add up to its cohort (`AnalysedFlow` refuses otherwise).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.analysis.data import StudyData, load_data
from asp_eval.core.errors import Fault
from asp_eval.core.filters import parse_filter
from asp_eval.trial.flow.consort import why_not_screened
from asp_eval.trial.flow.counts import AnalysedFlow
from asp_eval.trial.flow.presence import SCREENED
from asp_eval.trial.outcomes import band_order, categories_of
from asp_eval.trial.study.design import Outcome, Study

UNKNOWN_OUTCOME = Fault("ANA-005", "the study declares no outcome {outcome!r}", "Use one of: {known}.")
EXCLUSIONS = ("filtered_out", "missing_outcome", "missing_baseline", "missing_covariate")


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisSet:
    """The children of one analysis.

    Attributes
    ----------
    outcome : Outcome
    wave : str
    frame : DataFrame
        One row per child analysed: child_id, institution (as drawn), arm and strata and text covariates as
        categories (first level = reference), the outcome under its own id, `baseline` where the outcome has one.
    covariates : tuple of str
        Columns of `frame` that enter the model besides the arm: baseline, covariates, strata.
    flow : tuple of AnalysedFlow
        One per arm.
    categories : tuple of str
        Of an ordinal outcome, whose column holds their positions; of a column of whole numbers, those numbers.
    """

    outcome: Outcome
    wave: str
    frame: pd.DataFrame
    covariates: tuple[str, ...]
    flow: tuple[AnalysedFlow, ...]
    categories: tuple[str, ...] = ()


def analysis_set(study: Study, outcome: str, wave: str | None = None) -> pd.DataFrame:
    """Return the rows on which an outcome is analysed, for one's own work.

    Parameters
    ----------
    study : Study
    outcome : str
        Identifier in study.yaml.
    wave : str, optional
        Default: the wave the outcome declares.

    Returns
    -------
    DataFrame
        One row per child: child_id, institution, arm, strata, the outcome, its baseline, the covariates.
    """
    return assemble(load_data(study), outcome, wave).frame


def assemble(data: StudyData, outcome_id: str, wave: str | None = None) -> AnalysisSet:
    """Join baseline and outcome to the cohort; drop by rule and count.

    Raises
    ------
    Refusal
        If the outcome or its source does not exist.
    """
    study = data.study
    known = [o.id for o in study.outcomes]
    if outcome_id not in known:
        UNKNOWN_OUTCOME.refuse("study.yaml", outcome=outcome_id, known=", ".join(known))
    outcome = study.outcome(outcome_id)
    at = wave or outcome.at
    frame = data.cohort
    frame[outcome.id] = frame["child_id"].map(data.coded_values(outcome, at))
    covariates = [*study.analysis.covariates, *study.strata]
    if outcome.baseline and outcome.baseline != at:
        frame["baseline"] = frame["child_id"].map(data.values(outcome, outcome.baseline))
        covariates.insert(0, "baseline")
    excluded = _first_exclusion(study, frame, outcome.id, covariates)
    flow = tuple(_arm_flow(data, frame, excluded, outcome.id, at, arm) for arm in study.arms)
    columns = list(dict.fromkeys(["child_id", "institution", "arm", outcome.id, *covariates]))
    kept = frame.loc[excluded == "", columns].reset_index(drop=True)
    categories = categories_of(outcome, band_order(outcome, study.library), kept[outcome.id]) if outcome.is_ordinal else ()
    return AnalysisSet(outcome, at, _without_empty_levels(kept), tuple(dict.fromkeys(covariates)), flow, categories)


def _first_exclusion(study: Study, frame: pd.DataFrame, outcome: str, covariates: list[str]) -> pd.Series:
    """Return, for each child, the first reason to leave it out; empty where it stays."""
    rule = study.sets[study.analysis.set].filter
    baseline = [name for name in covariates if name == "baseline"]
    tests = [
        ~parse_filter(rule).mask(frame),
        frame[outcome].isna().to_numpy(),
        frame[baseline].isna().any(axis=1).to_numpy(),
        frame[covariates].isna().any(axis=1).to_numpy(),
    ]
    return pd.Series(np.select(tests, EXCLUSIONS, default=""), index=frame.index)


def _arm_flow(data: StudyData, frame: pd.DataFrame, excluded: pd.Series, outcome: str, wave: str, arm: str) -> AnalysedFlow:
    mine = frame["arm"] == arm
    counts = {name: int((mine & (excluded == name)).sum()) for name in EXCLUSIONS if name != "missing_outcome"}
    kept = mine & (excluded == "")
    states = data.presence.loc[data.presence["wave"] == wave].set_index("child_id")["state"]
    without = frame.loc[mine & (excluded == "missing_outcome"), "child_id"].map(states).fillna(SCREENED)
    return AnalysedFlow(
        outcome=outcome,
        wave=wave,
        arm=arm,
        institutions=int((data.allocation["arm"].astype("str") == arm).sum()),
        cohort=int(mine.sum()),
        **counts,
        not_screened=why_not_screened(without),
        unscored=int((without == SCREENED).sum()),
        analysed=int(kept.sum()),
        institutions_analysed=int(frame.loc[kept, "institution"].nunique()),
    )


def _without_empty_levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop covariate categories that no analysed child has; the arms keep all of theirs."""
    for name in frame.columns.drop("arm"):
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].cat.remove_unused_categories()
    return frame
