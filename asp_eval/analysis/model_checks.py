"""What stands beside a measure's model: adjusted means, forms of g, checks, raters, and the design as it came out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.analysis.declared_results import (
    AdjustedMean,
    Estimated,
    Influence,
    Interval,
    ModelChecks,
    RaterResult,
    RealisedDesign,
    SizeForms,
)
from asp_eval.analysis.formulas import INSTITUTION, arm_term, model_formula, unadjusted_formula
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array, Estimate, available, t_quantile
from asp_eval.stats.meta.aggregation import aggregation
from asp_eval.stats.meta.hedges_g import hedges_forms
from asp_eval.stats.mixed.fit import MixedFit, lmm
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.trial.study.design import Study

FAR = 2.5  # standard deviations
FEWEST_CHILDREN = 5  # of an institution whose residuals' spread is looked at
NO_BASELINE = Unavailable(Phrase("the outcome has no score at the start, so that no rater can have changed"))
NOBODY_CHANGED = Unavailable(Phrase("no child was rated by somebody else than at the start"))
MOST_CHANGED = Unavailable(Phrase("too few children were rated by the same person twice"))


@dataclass(frozen=True, slots=True)
class BesideTheModel:
    """What is known of one outcome beside its effects."""

    means: tuple[AdjustedMean, ...] = ()
    sizes: tuple[SizeForms, ...] = ()
    checks: ModelChecks | None = None
    raters: RaterResult | None = None
    realised: RealisedDesign | None = None


def beside_the_model(data: StudyData, rows: AnalysisSet) -> BesideTheModel:
    """Return what stands beside the model of a measure; nothing of other outcomes, or where the model is refused.

    Parameters
    ----------
    data : StudyData
    rows : AnalysisSet
    """
    study = data.study
    if not rows.outcome.is_continuous or rows.frame.empty:
        return BesideTheModel()
    try:
        fit = lmm(model_formula(rows), rows.frame)
        plain = lmm(unadjusted_formula(study, rows), rows.frame)
        return BesideTheModel(
            means=tuple(adjusted_means(study, fit)),
            sizes=tuple(size_forms(study, rows, fit, plain)),
            checks=checks(study, rows, fit),
            raters=raters(data, rows),
            realised=realised(study, rows, fit, plain),
        )
    except AspError:
        return BesideTheModel()


def adjusted_means(study: Study, fit: MixedFit) -> Iterator[AdjustedMean]:
    """Yield the mean of every arm, the other columns at their average over the children analysed."""
    if fit.design is None:
        return
    columns = dict(zip(fit.design.layout.fixed_names, fit.design.fixed_matrix().mean(axis=0), strict=True))
    arms = {arm_term(arm) for arm in study.arms}
    rest = {name: float(columns[name]) for name in fit.names if name not in arms}
    for arm in study.arms:
        weights = rest if arm == study.arms[0] else {**rest, arm_term(arm): 1.0}
        found = fit.contrast(weights, method=KenwardRoger(), level=study.analysis.level)
        yield AdjustedMean(arm, available(replace(found, term=f"mean of {arm}")))


def size_forms(study: Study, rows: AnalysisSet, fit: MixedFit, plain: MixedFit) -> Iterator[SizeForms]:
    """Yield Hedges' g of every later arm, in its three forms."""
    between, within = _variances(plain)
    name = rows.outcome.id
    for arm in _estimated(study, fit):
        pair = rows.frame[rows.frame["arm"].isin([study.arms[0], arm])]
        groups = [part.to_numpy(float) for _, part in pair.groupby("arm", observed=True)[name]]
        if len(groups) < 2 or min(len(part) for part in groups) < 2:
            continue
        squares = sum(float(part.var(ddof=1)) * (len(part) - 1) for part in groups)
        effect = fit.contrast({arm_term(arm): 1.0}, method=KenwardRoger(), level=study.analysis.level)
        if effect.estimate is None or effect.std_error is None or effect.df is None:
            continue
        found = hedges_forms(
            effect.estimate,
            effect.std_error,
            between_variance=between,
            within_variance=within,
            pooled_sd=float(np.sqrt(squares / (len(pair) - 2))),
            children=len(pair),
            clusters=int(pair[INSTITUTION].nunique()),
        )
        reach = float(t_quantile((1 + study.analysis.level) / 2, np.array(effect.df)))
        forms = ((found.within, found.within_error), (found.total, found.total_error), (found.pooled, found.pooled_error))
        intervals = (Interval(g - reach * error, g + reach * error) for g, error in forms)
        yield SizeForms(arm, found.within, found.total, found.pooled, found.df_within, found.df_total, *intervals)


def checks(study: Study, rows: AnalysisSet, fit: MixedFit) -> ModelChecks:
    """Return what a reviewer looks at."""
    y = rows.frame[rows.outcome.id].to_numpy(float)
    effects = fit.random_effects()
    spread = np.sqrt(_variances(fit)[0])
    levels = np.asarray(effects["estimate"], float)
    far = int((np.abs(levels) > FAR * spread).sum()) if spread > 0 else 0
    sds = _residual_sds(rows, fit)
    return ModelChecks(
        floor=float(np.mean(y == y.min())),
        ceiling=float(np.mean(y == y.max())),
        skewness=_skewness(fit.residuals),
        lowest_sd=float(sds.min()) if len(sds) else 0.0,
        highest_sd=float(sds.max()) if len(sds) else 0.0,
        far_institutions=far,
        influence=tuple(_influence(study, fit)),
    )


def _skewness(values: Array) -> float:
    """Return the third moment over the cube of the standard deviation; zero where nothing varies."""
    off = values - values.mean()
    spread = float(np.mean(off**2))
    return float(np.mean(off**3)) / spread**1.5 if spread > 0 else 0.0


def _residual_sds(rows: AnalysisSet, fit: MixedFit) -> Array:
    """Return the SD of the residuals in every institution with enough children."""
    groups = pd.Series(fit.residuals).groupby(rows.frame[INSTITUTION].astype(str).to_numpy())
    return np.asarray(groups.std()[groups.size() >= FEWEST_CHILDREN], float)


def _influence(study: Study, fit: MixedFit) -> Iterator[Influence]:
    """Yield what leaving out each institution does, in one pass with the variances held."""
    table = fit.influence()
    for arm in _estimated(study, fit):
        without = table[arm_term(arm)].to_numpy(float)
        known = ~np.isnan(without)
        if not known.any():
            continue
        estimate = float(fit.estimate[fit.names.index(arm_term(arm))])
        most = int(np.argmax(np.where(known, np.abs(without - estimate), -1.0)))
        low, high = float(without[known].min()), float(without[known].max())
        yield Influence(arm, estimate, low, high, str(table["cluster"].iloc[most]))


def raters(data: StudyData, rows: AnalysisSet) -> RaterResult | None:
    """Return how much of an outcome lies between raters, and the effect without children whose rater changed.

    None where no rater is recorded at the outcome's wave.
    """
    if "rater_id" not in data.visits.columns:
        return None
    outcome, study = rows.outcome, data.study
    now = _rater_at(data, rows, rows.wave)
    if not now.notna().any():
        return None
    frame = pd.DataFrame({"value": rows.frame[outcome.id].to_numpy(float), "rater": now}).dropna()
    icc1, icc2 = _reliabilities(frame, study.analysis.level)
    children, n = len(frame), int(frame["rater"].nunique())
    if not outcome.baseline or "baseline" not in rows.frame:
        return RaterResult(n, children, icc1, icc2, 0, NO_BASELINE)
    then = _rater_at(data, rows, outcome.baseline)
    changed = (now.notna() & then.notna() & (now != then)).to_numpy(bool)
    return RaterResult(n, children, icc1, icc2, int(changed.sum()), _without(study, rows, changed))


def _rater_at(data: StudyData, rows: AnalysisSet, wave: str) -> pd.Series:
    """Return who rated each child analysed at a wave."""
    return data.raters[wave].take(rows.places).reset_index(drop=True)


def _reliabilities(frame: pd.DataFrame, level: float) -> tuple[Estimated, Estimated]:
    try:
        found = aggregation(frame, "value", "rater", level=level)
    except AspError as refused:
        return Unavailable(refused.reason), Unavailable(refused.reason)
    return _share(found.icc1, found.icc1_low, found.icc1_high), _share(found.icc2, found.icc2_low, found.icc2_high)


def _share(value: float, low: float, high: float) -> Estimated:
    return Estimate("rater", value, None, None, None, None, low, high, "one-way analysis of variance")


def _without(study: Study, rows: AnalysisSet, changed: npt.NDArray[np.bool_]) -> Estimated:
    """Return the planned model's effect of the first arm compared, without the children whose rater changed."""
    if not changed.any():
        return NOBODY_CHANGED
    rest = rows.frame[~changed]
    if rest.groupby("arm", observed=False)[INSTITUTION].nunique().min() < 2:
        return MOST_CHANGED
    try:
        fit = lmm(model_formula(rows), rest.reset_index(drop=True))
        found = fit.contrast({arm_term(study.arms[1]): 1.0}, method=KenwardRoger(), level=study.analysis.level)
    except AspError as refused:
        return Unavailable(refused.reason)
    return available(found)


def realised(study: Study, rows: AnalysisSet, fit: MixedFit, plain: MixedFit) -> RealisedDesign:
    """Return the design as it came out, and what it can detect."""
    sizes = rows.frame[INSTITUTION].value_counts().to_numpy(float)
    sizes = sizes[sizes > 0]
    between, within = _variances(plain)
    total, left = between + within, sum(_variances(fit))
    row = fit.contrast({arm_term(study.arms[1]): 1.0}, method=KenwardRoger(), level=study.analysis.level)
    return RealisedDesign(
        institutions=len(sizes),
        children=float(sizes.mean()),
        cv=float(sizes.std(ddof=1) / sizes.mean()) if len(sizes) > 1 else 0.0,
        icc=between / total if total > 0 else None,
        r_squared=max(0.0, 1.0 - left / total) if total > 0 else 0.0,
        detectable=detectable_effect(study, row, total),
        power=study.power.power,
    )


def detectable_effect(study: Study, found: Estimate, variance: float) -> float | None:
    """Return the effect, in total standard deviations, that a standard error finds with the planned power; None without one.

    It is (t at 1 - alpha/2 + t at the planned power) standard errors.
    """
    if found.std_error is None or found.df is None or variance <= 0:
        return None
    df = np.array(found.df)
    reach = float(t_quantile((1 + study.analysis.level) / 2, df) + t_quantile(study.power.power, df))
    return reach * found.std_error / float(np.sqrt(variance))


def _estimated(study: Study, fit: MixedFit) -> list[str]:
    """Return the later arms that have an effect in a fit."""
    return [arm for arm in study.arms[1:] if arm_term(arm) in fit.names]


def _variances(fit: MixedFit) -> tuple[float, float]:
    """Return the variance between institutions, and the one within."""
    table = fit.variance_components().set_index("group")["variance"]
    return float(table[INSTITUTION]), float(table["residual"])
