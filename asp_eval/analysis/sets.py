"""The rows an outcome is analysed on: the cohort as drawn, less declared exclusions, each one counted.

The exclusions are applied in one order (filter, outcome, baseline, covariates), and a child is counted at the first
that removes it, so that the counts of every arm add up to its cohort (`AnalysedFlow` refuses otherwise).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval.analysis.data import PAIR, StudyData, load_data
from asp_eval.core.errors import Fault
from asp_eval.core.filters import parse_filter
from asp_eval.trial.flow.cohort import baseline_wave
from asp_eval.trial.flow.consort import why_not_screened
from asp_eval.trial.flow.counts import AnalysedFlow
from asp_eval.trial.flow.presence import SCREENED, Places, handed_in
from asp_eval.trial.outcomes import band_order, categories_of
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome

UNKNOWN_OUTCOME = Fault("ANA-005", "the study declares no outcome {outcome!r}", "Use one of: {known}.")
MISSING = "__missing"
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
    pairs : {"", "fixed", "random"}
        How the matched pairs in the column `pair` enter the model; empty where the lot was not drawn within pairs.
    indicated : mapping of str to int
        Children analysed whose baseline or covariate is missing, by covariate: an indicator of it is in the model.
    lost_to : mapping of str to int
        Children with the outcome who are left out because a covariate is missing, by covariate; of two, one child counts in both.
    handed_in : frozenset of str
        Institutions that handed in values of the outcome at the wave (`institutions_with_values`).
    places : ndarray of int (n,)
        Where the children analysed stand among all children of the data.
    """

    outcome: Outcome
    wave: str
    frame: pd.DataFrame
    covariates: tuple[str, ...]
    flow: tuple[AnalysedFlow, ...]
    categories: tuple[str, ...] = ()
    pairs: Literal["", "fixed", "random"] = ""
    lost_to: Mapping[str, int] = field(default_factory=dict)
    indicated: Mapping[str, int] = field(default_factory=dict)
    handed_in: frozenset[str] = frozenset()
    places: Places = field(default_factory=lambda: np.empty(0, dtype=np.intp))


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
    frame[outcome.id] = data.cohort_coded_values(outcome, at)
    covariates = [*study.analysis.covariates, *study.strata]
    if outcome.baseline and outcome.baseline != at:
        frame["baseline"] = data.cohort_values(outcome, outcome.baseline)
        covariates.insert(0, "baseline")
    indicated = indicators(study, outcome, frame, covariates)
    covariates = [name for own in covariates for name in ((own, indicator_of(own)) if own in indicated else (own,))]
    excluded = _first_exclusion(study, frame, outcome.id, covariates)
    own = institutions_with_values(data, outcome, at)
    flow = tuple(_arm_flow(data, frame, excluded, outcome.id, at, arm, own) for arm in study.arms)
    staying = (excluded == "").to_numpy()
    paired = study.randomisation.scheme == "pairs"
    columns = list(dict.fromkeys(["child_id", "institution", "arm", outcome.id, *covariates, *((PAIR,) if paired else ())]))
    kept = frame.loc[staying, columns].reset_index(drop=True)
    categories = categories_of(outcome, band_order(outcome, study.library), kept[outcome.id]) if outcome.is_ordinal else ()
    lacking = frame[excluded.isin(["missing_baseline", "missing_covariate"])]
    return AnalysisSet(
        outcome,
        at,
        _without_empty_levels(kept),
        tuple(dict.fromkeys(covariates)),
        flow,
        categories,
        (study.analysis.pairs or "fixed") if paired else "",
        {name: n for name in dict.fromkeys(covariates) if (n := int(lacking[name].isna().sum()))},
        {name: n for name in indicated if (n := int(kept[indicator_of(name)].sum()))},
        own,
        data.cohort_places[staying],
    )


def indicator_of(name: str) -> str:
    """Return the name of the column that says whether a covariate is missing, which no column of a study can have."""
    return f"{name}{MISSING}"


def indicators(study: Study, outcome: Outcome, frame: pd.DataFrame, covariates: Sequence[str]) -> tuple[str, ...]:
    """Fill in missing baselines and covariates, add the indicators of where they were missing, and return which ones.

    What stands in their place does not matter: beside its indicator, any one value gives the same effect of the arm (White &
    Thompson 2005, Stat Med 24:993). Only what was measured before the lot can be treated so: covariates, and the score at the
    baseline wave. Values that nobody with the outcome lacks stay as they are.

    Parameters
    ----------
    study : Study
    outcome : Outcome
    frame : DataFrame
        Changed in place.
    covariates : sequence of str
    """
    if study.analysis.missing_baseline != "indicator":
        return ()
    before = [name for name in covariates if name not in study.strata]
    if outcome.baseline != baseline_wave(study):
        before = [name for name in before if name != "baseline"]
    found = []
    for name in dict.fromkeys(before):
        gone = frame[name].isna()
        if not bool((gone & frame[outcome.id].notna()).any()) or gone.all():
            continue
        text = isinstance(frame[name].dtype, pd.CategoricalDtype)
        frame[name] = frame[name].fillna(frame[name].cat.categories[0] if text else frame[name].mean())
        frame[indicator_of(name)] = gone.astype("float64")
        found.append(name)
    return tuple(found)


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


def institutions_with_values(data: StudyData, outcome: Outcome, wave: str) -> frozenset[str]:
    """Return the institutions that handed in values of an outcome at a wave, of whichever child they were."""
    now = data.presence_at(wave)
    return frozenset(handed_in(now["where"], data.has_value(outcome, wave)) if len(now) else ())


def _arm_flow(
    data: StudyData, frame: pd.DataFrame, excluded: pd.Series, outcome: str, wave: str, arm: str, own: frozenset[str]
) -> AnalysedFlow:
    mine = frame["arm"] == arm
    counts = {name: int((mine & (excluded == name)).sum()) for name in EXCLUSIONS if name != "missing_outcome"}
    kept = mine & (excluded == "")
    now, lacking = data.presence_at(wave), (mine & (excluded == "missing_outcome")).to_numpy()
    states = now["state"].iloc[data.cohort_places[lacking]] if len(now) else pd.Series(SCREENED, index=range(int(lacking.sum())))
    return AnalysedFlow(
        outcome=outcome,
        wave=wave,
        arm=arm,
        institutions=int((data.allocation["arm"].astype("str") == arm).sum()),
        cohort=int(mine.sum()),
        **counts,
        not_screened=why_not_screened(states),
        unscored=int((states == SCREENED).sum()),
        analysed=int(kept.sum()),
        institutions_analysed=int(frame.loc[kept, "institution"].nunique()),
        only_elsewhere=len(set(frame.loc[kept, "institution"].unique()) - own),
    )


def _without_empty_levels(frame: pd.DataFrame) -> pd.DataFrame:
    """Drop covariate categories that no analysed child has; the arms keep all of theirs."""
    for name in frame.columns.drop("arm"):
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].cat.remove_unused_categories()
    return frame
