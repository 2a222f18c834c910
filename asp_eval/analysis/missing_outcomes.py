"""Missing outcomes: imputed, analysed as planned, and moved until the conclusion tips.

One joint model per outcome holds the score at every wave, incomplete covariates, and as predictors the arm, complete covariates
and strata, and what the plan names (`missing_outcome: predictors`). The planned model is then fitted to every completed data set,
of the whole cohort, and pooled by Rubin's rules with the mean of the fits' own degrees of freedom.

The tipping point is the shift of the values imputed in one arm at which its pooled interval begins to include zero; where it
includes zero from the start, the shift at which it no longer does (Cro, Morris, Kenward & Carpenter 2020, Stat Med 39:2815).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.analysis.declared_results import ImputedArm, ImputedEffect, MissingOutcomeResult, ShiftedEffect, TippingPoint
from asp_eval.analysis.formulas import ARM, INSTITUTION, arm_term, model_formula, varying
from asp_eval.analysis.models import planned_model
from asp_eval.analysis.plan import SEED, covariate_method
from asp_eval.analysis.sets import MISSING, AnalysisSet
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.filters import parse_filter
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.imputation.analyses import NO_POOLED_PERMUTATION
from asp_eval.stats.imputation.imputations import Imputations
from asp_eval.stats.imputation.impute import impute
from asp_eval.stats.imputation.pooling import pooled_table
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.stats.smallsample.method import Method
from asp_eval.trial.study.design import MissingOutcome, Outcome, Study

NOT_A_MEASURE = Phrase("imputation is of measures here; of answers, bands and counts see asp_eval.impute")
NOTHING_MISSING = Phrase("no child of the cohort is without the outcome or a covariate")
NO_SHIFT = Phrase("no shift within the range of the scores does it")
BASELINE = "baseline"
STEPS = 4  # of the search for the tipping point, each a fit of every data set
BEYOND = 1.5  # the curve goes on to this many times the tipping point
POINTS = 5


@dataclass(frozen=True, slots=True, eq=False)
class ImputationRows:
    """The cohort with the score at every wave.

    Attributes
    ----------
    frame : DataFrame
        child_id, institution, arm, the outcome under its own id, `baseline`, the score at other waves, covariates, predictors.
    variables : dict of str to str
        What is imputed, and its scale.
    visits : tuple of str
        The score's columns, wave by wave.
    predictors : tuple of str
    """

    frame: pd.DataFrame
    variables: dict[str, str]
    visits: tuple[str, ...]
    predictors: tuple[str, ...]


def missing_outcomes(data: StudyData, rows: AnalysisSet, method: Method) -> MissingOutcomeResult | None:
    """Return what imputation says of one outcome; None where the plan does not ask.

    Parameters
    ----------
    data : StudyData
    rows : AnalysisSet
        The planned analysis.
    method : Method
        Of inference, as planned.
    """
    asked = data.study.analysis.missing_outcome
    if asked is None:
        return None
    if not rows.outcome.is_continuous:
        return _nothing(NOT_A_MEASURE)
    own = imputation_rows(data, rows)
    if not own.frame[list(own.variables)].isna().any(axis=None):
        return _nothing(NOTHING_MISSING)
    try:
        imputed = _impute(own, asked, "arm")
        common = _impute(own, asked, "common") if asked.reference else None
        return _analysed(data.study, rows, own, asked, method, imputed, common)
    except AspError as refused:
        return _nothing(refused.reason)


def imputation_rows(data: StudyData, rows: AnalysisSet) -> ImputationRows:
    """Return the cohort, with the outcome's score at every wave and what else is known of the children."""
    study, outcome = data.study, rows.outcome
    cohort = data.cohort
    cohort = cohort.loc[parse_filter(study.sets[study.analysis.set].filter).mask(cohort)].reset_index(drop=True)
    beside = [*study.analysis.covariates, *study.strata]
    asked = study.analysis.missing_outcome
    extra = [name for name in (asked.predictors if asked else ()) if name not in beside]
    frame = cohort[list(dict.fromkeys(["child_id", INSTITUTION, ARM, *beside, *extra]))].copy()
    visits = []
    for number, wave in enumerate(study.wave_ids, 1):
        name = _column(outcome, wave, rows.wave, number)
        values = frame["child_id"].map(data.values(outcome, wave)).astype("float64")
        if values.min() < values.max():
            frame[name] = values
            visits.append(name)
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].cat.remove_unused_categories()
    others = varying(frame, dict.fromkeys([*beside, *extra]))
    incomplete = {name: _scale(frame[name]) for name in others if frame[name].isna().any()}
    variables = dict.fromkeys(visits, "continuous") | incomplete
    return ImputationRows(frame, variables, tuple(visits), tuple(name for name in others if name not in incomplete))


def _column(outcome: Outcome, wave: str, at: str, number: int) -> str:
    """Return the name of the score's column at a wave."""
    return outcome.id if wave == at else BASELINE if wave == outcome.baseline else f"score__{number}"


def _scale(column: pd.Series) -> str:
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return "continuous"
    return "binary" if len(column.cat.categories) == 2 else "categorical"


def _impute(own: ImputationRows, asked: MissingOutcome, covariance: Literal["arm", "common"]) -> Imputations:
    return impute(
        own.frame,
        own.variables,
        group=INSTITUTION,
        arm=ARM,
        predictors=own.predictors,
        n=asked.imputations,
        seed=SEED,
        covariance=covariance,
    )


def _analysed(
    study: Study,
    rows: AnalysisSet,
    own: ImputationRows,
    asked: MissingOutcome,
    method: Method,
    imputed: Imputations,
    common: Imputations | None,
) -> MissingOutcomeResult:
    """Return the pooled effects, and the tipping points."""
    pooled = Pooling(study, _completed(rows, own), method)
    effects = list(pooled.effects("imputation", imputed))
    for kind in asked.reference:
        assert common is not None
        effects += pooled.effects(kind, common.reference_based(own.visits, kind, study.arms[0]))
    tipping = []
    if "tipping-point" in asked.sensitivity:
        for arm, effect in zip(study.arms[1:], effects, strict=False):
            if isinstance(effect.result, Estimate):
                tipping.append(_tipping(pooled, imputed, own, rows.outcome.id, arm, effect.result, asked.delta))
    gone = own.frame[rows.outcome.id].isna()
    draws = imputed.draws
    assert draws is not None
    table = draws.convergence
    notes = [*imputed.notes, *([NO_POOLED_PERMUTATION] if isinstance(method, Permutation) else [])]
    return MissingOutcomeResult(
        imputations=len(imputed),
        variables=tuple(own.variables),
        predictors=own.predictors,
        arms=tuple(
            ImputedArm(arm, int((own.frame[ARM] == arm).sum()), int((gone & (own.frame[ARM] == arm)).sum())) for arm in study.arms
        ),
        chains=draws.chains,
        sweeps=draws.first_sweeps,
        between=draws.between,
        rhat=float(table["rhat"].max()),
        effective_draws=float(table["effective_draws"].min()),
        effects=tuple(effects),
        tipping=tuple(tipping),
        notes=tuple(dict.fromkeys(notes)),
    )


def _completed(rows: AnalysisSet, own: ImputationRows) -> AnalysisSet:
    """Return the planned analysis of the whole cohort: imputation fills what an indicator stood for."""
    covariates = tuple(name for name in rows.covariates if not name.endswith(MISSING))
    return replace(rows, frame=own.frame, covariates=covariates)


@dataclass(frozen=True, slots=True, eq=False)
class Pooling:
    """The planned model, to be fitted to completed data sets and pooled.

    Attributes
    ----------
    study : Study
    data : AnalysisSet
        Of the whole cohort, incomplete.
    method : Method
    """

    study: Study
    data: AnalysisSet
    method: Method

    def effects(self, analysis: Literal["imputation", "jump", "copy"], imputed: Imputations) -> Iterator[ImputedEffect]:
        """Yield the pooled effect of every arm after the first."""
        table = self.table(imputed)
        for arm, row in zip(self.study.arms[1:], table.to_dict("records"), strict=True):
            names = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")
            method = f"{covariate_method(self.method).name}, {row['method']}"
            estimate, error, df, statistic, p, low, high = (float(row[name]) for name in names)
            result = Estimate(arm_term(arm), estimate, error, df, statistic, p, low, high, method)
            yield ImputedEffect(
                analysis,
                arm,
                result,
                float(row["fmi"]),
                float(row["mc_error"]),
                float(row["df_low"]),
                float(row["df_high"]),
            )

    def table(self, imputed: Imputations) -> pd.DataFrame:
        """Return one pooled row for every arm after the first."""
        model, method = planned_model(self.data.outcome), covariate_method(self.method)
        terms = [arm_term(arm) for arm in self.study.arms[1:]]
        numbers = []
        for frame in imputed:
            completed = replace(self.data, frame=frame)
            fit = model.fit(model_formula(completed), frame)
            found = [fit.contrast({term: 1.0}, method=method, level=self.study.analysis.level) for term in terms]
            numbers.append([(one.estimate, one.std_error, one.df) for one in found])
        Q, S, D = np.moveaxis(np.array(numbers, dtype=np.float64), 2, 0)
        table = pooled_table(terms, Q, S, D.mean(0), self.study.analysis.level)
        return table.assign(df_low=D.min(0), df_high=D.max(0))


def _tipping(
    pooled: Pooling,
    imputed: Imputations,
    own: ImputationRows,
    outcome: str,
    arm: str,
    effect: Estimate,
    asked: Sequence[float],
) -> TippingPoint:
    """Return the shift of an arm's imputed values at which its interval begins, or ceases, to include zero."""
    scores = own.frame[list(own.visits)].to_numpy(float)
    low, high = float(np.nanmin(scores)), float(np.nanmax(scores))
    gone = own.frame[outcome].isna() & (own.frame[ARM] == arm)
    mean = float(np.mean([frame.loc[gone, outcome].mean() for frame in imputed])) if gone.any() else float("nan")
    position = pooled.study.arms.index(arm) - 1
    known: dict[float, ShiftedEffect] = {}

    def at(delta: float) -> ShiftedEffect:
        if delta not in known:
            row = pooled.table(imputed.shift(outcome, {arm: delta})).iloc[position]
            outside = not low <= mean + delta <= high
            known[delta] = ShiftedEffect(delta, float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]), outside)
        return known[delta]

    sign = float(np.sign(effect.estimate or 1.0))
    excludes = bool((effect.conf_low or 0.0) * (effect.conf_high or 0.0) > 0)
    direction = -sign if excludes else sign
    found = _root(lambda d: _excess(at(d), sign), direction, high - low) if gone.any() else None
    end = direction * (high - low) / 4 if found is None else BEYOND * found
    shifts = sorted({0.0, *asked}) if asked else np.linspace(0.0, end, POINTS).tolist()
    curve = tuple(sorted((at(float(d)) for d in shifts), key=lambda one: one.delta))
    outside = found is not None and not low <= mean + found <= high
    return TippingPoint(arm, excludes, Unavailable(NO_SHIFT) if found is None else found, outside, curve)


def _excess(shifted: ShiftedEffect, sign: float) -> float:
    """Return how far zero lies outside the interval, on the side of the effect; negative where it is inside."""
    return shifted.conf_low if sign > 0 else -shifted.conf_high


def _root(excess: Callable[[float], float], direction: float, widest: float) -> float | None:
    """Return the shift at which the excess is zero, by secants: it is almost a straight line. None beyond `widest`.

    Examples
    --------
    >>> round(_root(lambda d: 0.6 - 0.2 * d, 1.0, 10.0) or 0.0, 6)
    3.0
    """
    a, b = 0.0, direction * widest / 8
    fa, fb = excess(a), excess(b)
    for _ in range(STEPS):
        if fb == fa:
            return None
        a, b, fa = b, b - fb * (b - a) / (fb - fa), fb
        if b * direction < 0 or abs(b) > widest:
            return None
        if abs(b - a) < 1e-4 * widest:
            return float(b)
        fb = excess(b)
    return float(b)


def _nothing(reason: Phrase) -> MissingOutcomeResult:
    """Return a result without imputations, and why."""
    return MissingOutcomeResult(0, (), (), (), 0, 0, 0, None, None, (), (), (reason,))
