"""Missing outcomes: imputed, analysed as planned, and moved until the conclusion tips.

One joint model per outcome holds the score at every wave, incomplete covariates, and as predictors the arm, complete covariates
and strata, and what the plan names (`missing_outcome: predictors`). The planned model is then fitted to every completed data set,
of the whole cohort, and pooled by Rubin's rules with the mean of the fits' own degrees of freedom.

Outcomes that are no measures (`imputation_rows`) are pooled on the model's own scale, as logarithms of odds ratios, and told as
odds ratios.

The tipping point is the shift of the values imputed in one arm at which its pooled interval begins to include zero; where it
includes zero from the start, the shift at which it no longer does (Cro, Morris, Kenward & Carpenter 2020, Stat Med 39:2815).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval.analysis.category_models import exponential
from asp_eval.analysis.data import StudyData
from asp_eval.analysis.declared_results import (
    Estimated,
    ImputedArm,
    ImputedEffect,
    MissingOutcomeResult,
    ShiftedEffect,
    TippingPoint,
)
from asp_eval.analysis.formulas import ARM, INSTITUTION, arm_term, model_formula
from asp_eval.analysis.imputation_rows import ImputationRows, completed_set, imputation_rows
from asp_eval.analysis.imputed_items import ITEM, Answers
from asp_eval.analysis.models import planned_model
from asp_eval.analysis.plan import SEED
from asp_eval.analysis.sets import MISSING, AnalysisSet
from asp_eval.core.errors import AspError, Fault, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate, available
from asp_eval.stats.imputation.analyses import NO_POOLED_PERMUTATION
from asp_eval.stats.imputation.imputations import Imputations
from asp_eval.stats.imputation.impute import impute
from asp_eval.stats.imputation.pooling import pooled_table
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.stats.smallsample.method import Method
from asp_eval.trial.study.analysis_plan import MissingOutcome
from asp_eval.trial.study.design import Study

COUNTS = Phrase("counts are not imputed here: a normal model would give counts that cannot be")
NOTHING_MISSING = Phrase("no child of the cohort is without the outcome or a covariate")
NOT_POOLED = Fault(
    "ANA-066",
    "an imputed data set has no effect of the arm that could be pooled: {reason}",
    "Simplify the model: fewer covariates, or fewer categories.",
)
Analysis = Literal["imputation", "jump", "copy", "complete-cases"]
NO_SHIFT = Phrase("no shift within the range of the scores does it")
CASES_APART = Phrase(
    "Complete cases and imputation differ by more than half a standard error. Where children are lost after a score in between, "
    "and by that score otherwise in one arm than in the other, complete cases were wrong in simulated trials, and all waves in "
    "one model less so; imputation was not (docs/imputation-coverage.md)."
)
MUCH = 0.5  # standard errors
STEPS = 4  # of the search for the tipping point, each a fit of every data set
BEYOND = 1.5  # the curve goes on to this many times the tipping point
POINTS = 5


def missing_outcomes(
    data: StudyData, rows: AnalysisSet, method: Method, answers: Answers | None = None
) -> MissingOutcomeResult | None:
    """Return what imputation says of one outcome; None where the plan does not ask.

    Parameters
    ----------
    data : StudyData
    rows : AnalysisSet
        The planned analysis.
    method : Method
        Of inference, as planned.
    answers : mapping of str to DataFrame, optional
        By form: what was answered, of which the items are imputed where the plan asks for it.
    """
    asked = data.study.analysis.missing_outcome
    if asked is None:
        return None
    if rows.outcome.is_count:
        return _nothing(COUNTS)
    own = imputation_rows(data, rows, answers or {})
    if not own.frame[list(own.variables)].isna().any(axis=None):
        return _nothing(NOTHING_MISSING)
    try:
        imputed = _impute(own, asked, "arm")
        common = _impute(own, asked, "common") if asked.reference and own.measure else None
        return _analysed(data.study, rows, own, asked, method, imputed, common)
    except AspError as refused:
        return _nothing(refused.reason)


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
    pooled = Pooling(study, completed_set(rows, own, MISSING), method)
    unshifted = pooled.table(own.completed(imputed))
    cases, at_random = list(pooled.of_complete_cases(rows)), list(pooled.effects("imputation", unshifted))
    effects = [*([] if rows.outcome.is_continuous else cases), *at_random]
    if common is not None:
        for kind in asked.reference:
            shown = own.completed(common.reference_based(own.visits, kind, study.arms[0]))
            effects += pooled.effects(kind, pooled.table(shown))
    tipping = []
    if "tipping-point" in asked.sensitivity and own.measure:
        for arm, effect in zip(study.arms[1:], at_random, strict=True):
            if isinstance(effect.result, Estimate):
                tipping.append(_tipping(pooled, imputed, unshifted, own, arm, asked.delta))
    children = {arm: own.frame[ARM] == arm for arm in study.arms}
    draws = imputed.draws
    assert draws is not None
    table = draws.convergence
    notes = [*own.notes, *imputed.notes, *([NO_POOLED_PERMUTATION] if isinstance(method, Permutation) else [])]
    notes += [CASES_APART for one, other in zip(cases, at_random, strict=True) if _apart(one.result, other.result)]
    return MissingOutcomeResult(
        imputations=len(imputed),
        variables=tuple(own.variables),
        predictors=own.predictors,
        arms=tuple(ImputedArm(arm, int(mine.sum()), int((mine & own.gone).sum())) for arm, mine in children.items()),
        chains=draws.chains,
        sweeps=draws.first_sweeps,
        between=draws.between,
        rhat=float(table["rhat"].max()),
        effective_draws=float(table["effective_draws"].min()),
        effects=tuple(effects),
        tipping=tuple(tipping),
        notes=tuple(dict.fromkeys(notes)),
    )


def _apart(cases: Estimated, imputed: Estimated) -> bool:
    """Whether complete cases and imputation differ by more than half a standard error of the former."""
    if not isinstance(cases, Estimate) or not isinstance(imputed, Estimate):
        return False
    return abs((imputed.estimate or 0.0) - (cases.estimate or 0.0)) > MUCH * (cases.std_error or np.inf)


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

    def effects(self, analysis: Analysis, table: pd.DataFrame) -> Iterator[ImputedEffect]:
        """Yield the pooled effect of every arm after the first: a difference, or an odds ratio of what is no measure."""
        for arm, row in zip(self.study.arms[1:], table.to_dict("records"), strict=True):
            names = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")
            estimate, error, df, statistic, p, low, high = (float(row[name]) for name in names)
            method = f"{self._fits_method.name}, {row['method']}"
            result = Estimate(arm_term(arm), estimate, error, df, statistic, p, low, high, method)
            yield self._as_measured(
                ImputedEffect(
                    analysis,
                    arm,
                    result,
                    float(row["fmi"]),
                    float(row["mc_error"]),
                    float(row["df_low"]),
                    float(row["df_high"]),
                )
            )

    def of_complete_cases(self, rows: AnalysisSet) -> Iterator[ImputedEffect]:
        """Yield the effect of the planned model itself, of the children with the outcome."""
        fit = planned_model(rows.outcome).fit(model_formula(rows), rows.frame)
        for arm in self.study.arms[1:]:
            row = fit.contrast({arm_term(arm): 1.0}, method=self._fits_method, level=self.study.analysis.level)
            yield self._as_measured(ImputedEffect("complete-cases", arm, available(row)))

    @property
    def _fits_method(self) -> Method:
        return planned_model(self.data.outcome).other_terms(self.method)

    def _as_measured(self, effect: ImputedEffect) -> ImputedEffect:
        """Return an effect as a reader takes it: a log odds ratio as an odds ratio."""
        if self.data.outcome.is_continuous or not isinstance(effect.result, Estimate):
            return effect
        error = None if effect.mc_error is None else effect.mc_error * float(np.exp(effect.result.estimate or 0.0))
        return replace(effect, result=exponential(effect.result), mc_error=error, measure="odds-ratio")

    def table(self, imputed: Imputations) -> pd.DataFrame:
        """Return one pooled row for every arm after the first, on the model's own scale."""
        model, method = planned_model(self.data.outcome), self._fits_method
        terms = [arm_term(arm) for arm in self.study.arms[1:]]
        numbers = []
        for frame in imputed:
            completed = replace(self.data, frame=frame)
            fit = model.fit(model_formula(completed), frame)
            found = [fit.contrast({term: 1.0}, method=method, level=self.study.analysis.level) for term in terms]
            lacking = next((one for one in found if one.estimate is None or one.std_error is None), None)
            if lacking is not None:
                NOT_POOLED.refuse(reason=lacking.note)
            numbers.append([(one.estimate, one.std_error, one.df) for one in found])
        Q, S, D = np.moveaxis(np.array(numbers, dtype=np.float64), 2, 0)
        table = pooled_table(terms, Q, S, D.mean(0), self.study.analysis.level)
        return table.assign(df_low=D.min(0), df_high=D.max(0))


def _tipping(
    pooled: Pooling, imputed: Imputations, unshifted: pd.DataFrame, own: ImputationRows, arm: str, asked: Sequence[float]
) -> TippingPoint:
    """Return the shift of an arm's imputed values at which its interval begins, or ceases, to hold no effect.

    `unshifted` is what is pooled where nothing is shifted.
    """
    completed = own.completed(imputed)
    gone = own.gone & (own.frame[ARM] == arm)
    means = [frame.loc[gone, own.measure].mean() for frame in completed]
    mean = float(np.mean(means)) if gone.any() else float("nan")
    others = own.frame[[name for visit in own.visits for name in visit if not name.startswith(ITEM)]].to_numpy(float)
    scores = np.concatenate((others.ravel(), completed[0].loc[~own.gone, own.measure].to_numpy(float)))
    low, high = float(np.nanmin(scores)), float(np.nanmax(scores))
    position = pooled.study.arms.index(arm) - 1
    known: dict[float, ShiftedEffect] = {}

    def at(delta: float) -> ShiftedEffect:
        if delta not in known:
            table = pooled.table(own.completed(imputed, {arm: delta})) if delta else unshifted
            row = table.iloc[position]
            outside = not low <= mean + delta <= high
            known[delta] = ShiftedEffect(delta, float(row["estimate"]), float(row["conf_low"]), float(row["conf_high"]), outside)
        return known[delta]

    effect = at(0.0)
    sign = float(np.sign(effect.estimate or 1.0))
    excludes = effect.conf_low * effect.conf_high > 0
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
