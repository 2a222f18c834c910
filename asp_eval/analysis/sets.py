"""The rows an outcome is analysed on: the cohort as drawn, less declared exclusions, each one counted.

The exclusions are applied in one order (filter, outcome, baseline, covariates), and a child is counted at the first
that removes it, so that the counts of every arm add up to its cohort (`AnalysedFlow` refuses otherwise).
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.filters import parse_filter
from asp_eval.trial.flow.cohort import with_cohort
from asp_eval.trial.flow.counts import AnalysedFlow
from asp_eval.trial.instruments.library import instruments
from asp_eval.trial.store import table
from asp_eval.trial.study.design import Outcome, Study

UNKNOWN_COVARIATE = Fault(
    "ANA-003",
    "the covariate {name!r} is in none of the tables",
    "Import it with children or institutions, or correct study.yaml.",
)
UNKNOWN_SOURCE = Fault(
    "ANA-004",
    "the outcome {outcome!r} comes from {source!r}, which has no values",
    "Run 'asp-eval score', or correct study.yaml.",
)
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
    """

    outcome: Outcome
    wave: str
    frame: pd.DataFrame
    covariates: tuple[str, ...]
    flow: tuple[AnalysedFlow, ...]


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
    return assemble(study, outcome, wave).frame.copy()


def assemble(study: Study, outcome_id: str, wave: str | None = None) -> AnalysisSet:
    """Join allocation, children, covariates, baseline and outcome; drop by rule and count.

    Raises
    ------
    Refusal
        If the outcome, its source or a covariate does not exist.
    """
    known = [o.id for o in study.outcomes]
    if outcome_id not in known:
        UNKNOWN_OUTCOME.refuse("study.yaml", outcome=outcome_id, known=", ".join(known))
    outcome = study.outcome(outcome_id)
    at = wave or outcome.at
    frame = cohort_frame(study)
    frame[outcome.id] = frame["child_id"].map(outcome_values(study, outcome, at))
    covariates = [*study.analysis.covariates, *study.strata]
    if outcome.baseline and outcome.baseline != at:
        frame["baseline"] = frame["child_id"].map(outcome_values(study, outcome, outcome.baseline))
        covariates.insert(0, "baseline")
    excluded = _first_exclusion(study, frame, outcome.id, covariates)
    flow = tuple(_arm_flow(frame, excluded, outcome.id, at, arm) for arm in study.arms)
    columns = list(dict.fromkeys(["child_id", "institution", "arm", outcome.id, *covariates]))
    kept = frame.loc[excluded == "", columns].reset_index(drop=True)
    return AnalysisSet(outcome, at, _without_empty_levels(kept), tuple(dict.fromkeys(covariates)), flow)


def cohort_frame(study: Study) -> pd.DataFrame:
    """Return one row per child of the cohort, with institution and arm as drawn, strata and covariates."""
    return child_frame(study).query("standing == 'cohort'").reset_index(drop=True)


def child_frame(study: Study) -> pd.DataFrame:
    """Return one row per child ever seen in a drawn institution, with everything known of child and institution.

    `standing` says whether the child is in the cohort. Columns of the screening visits at the baseline wave join as
    covariates where children and institutions lack them.
    """
    visits = table(study, "screening")
    children = with_cohort(study, table(study, "children"), visits)
    allocation = table(study, "allocation")[["institution_id", "arm"]]
    institutions = table(study, "institutions")
    frame = children.merge(allocation, on="institution_id", how="inner", validate="many_to_one")
    frame = frame.merge(_new(institutions, frame, "institution_id"), on="institution_id", how="left", validate="many_to_one")
    at_first = visits.loc[visits["wave"].astype(str) == frame["first_wave"].astype(str).min()] if len(frame) else visits
    frame = frame.merge(_new(at_first, frame, "child_id"), on="child_id", how="left", validate="one_to_one")
    frame = frame.rename(columns={"institution_id": "institution"})
    frame["arm"] = pd.Categorical(frame["arm"].astype(str), categories=list(study.arms))
    for name in [*study.strata, *study.analysis.covariates]:
        if name not in frame.columns:
            UNKNOWN_COVARIATE.refuse("study.yaml", name=name)
        if not pd.api.types.is_numeric_dtype(frame[name].dtype):
            frame[name] = pd.Categorical(frame[name])
        else:
            frame[name] = frame[name].astype("float64")
    return frame


def outcome_values(study: Study, outcome: Outcome, wave: str) -> pd.Series:
    """Return an outcome's values at a wave, indexed by child.

    A score of an instrument family takes each child's score from the form the child was rated on.
    """
    if outcome.column is not None:
        name = outcome.column.split(".", 1)[1]
        visits = table(study, "screening")
        if name not in visits.columns:
            UNKNOWN_SOURCE.refuse("study.yaml", outcome=outcome.id, source=outcome.column)
        return visits.loc[visits["wave"].astype(str) == wave].set_index("child_id")[name].astype("float64")
    source, scale = str(outcome.score).rsplit(".", 1)
    scores = table(study, "scores")
    forms = [i.id for i in instruments() if source in (i.id, i.family)]
    mine = scores.loc[scores["instrument"].isin(forms) & (scores["scale"] == scale)]
    if mine.empty:
        UNKNOWN_SOURCE.refuse("study.yaml", outcome=outcome.id, source=outcome.score)
    at_wave = mine.loc[(mine["wave"].astype(str) == wave) & mine["score"].notna()]
    return at_wave.set_index("unit_id")["score"].astype("float64")


def outcome_label(outcome: Outcome) -> dict[str, str]:
    """Return the outcome's declared label, else its scale's title, else its identifier."""
    if outcome.label:
        return dict(outcome.label)
    source, scale = (outcome.score or "").rpartition(".")[::2]
    for candidate in instruments():
        if source in (candidate.id, candidate.family):
            return dict(candidate.scale(scale).title)
    return {"da": outcome.id, "en": outcome.id}


def _new(right: pd.DataFrame, left: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return `right` with its key and only the columns `left` lacks."""
    return right[[key, *(c for c in right.columns if c not in left.columns)]]


def _first_exclusion(study: Study, frame: pd.DataFrame, outcome: str, covariates: list[str]) -> pd.Series:
    """Return, for each child, the first reason to leave it out; empty where it stays."""
    rule = study.sets[study.analysis.set].filter
    tests = {
        "filtered_out": ~parse_filter(rule).mask(frame),
        "missing_outcome": frame[outcome].isna(),
        "missing_baseline": frame["baseline"].isna() if "baseline" in covariates else pd.Series(False, index=frame.index),
        "missing_covariate": frame[covariates].isna().any(axis=1),
    }
    reason = pd.Series("", index=frame.index)
    for name in reversed(EXCLUSIONS):
        reason = reason.mask(tests[name], name)
    return reason


def _arm_flow(frame: pd.DataFrame, excluded: pd.Series, outcome: str, wave: str, arm: str) -> AnalysedFlow:
    mine = frame["arm"] == arm
    counts = {name: int((mine & (excluded == name)).sum()) for name in EXCLUSIONS}
    kept = mine & (excluded == "")
    return AnalysedFlow(
        outcome=outcome, wave=wave, arm=arm, cohort=int(mine.sum()), **counts,
        analysed=int(kept.sum()), institutions_analysed=int(frame.loc[kept, "institution"].nunique()),
    )  # fmt: skip


def _without_empty_levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop covariate categories that no analysed child has; the arms keep all of theirs."""
    for name in frame.columns.drop("arm"):
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].cat.remove_unused_categories()
    return frame
