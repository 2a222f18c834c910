"""Whose effect an outcome's effect is: every child's alike, every institution's alike, or as the mixed model weights them.

Where the effect goes with the size of an institution the three differ, and a mixed model is about none that can be named
beforehand. The averages over children and over institutions are therefore had by model-robust standardisation, whatever the
model (`asp_eval.stats.estimands`); beside them stands the same by independence weights with CR2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from asp_eval.analysis.category_models import position_of
from asp_eval.analysis.data import PAIR
from asp_eval.analysis.formulas import ARM, INSTITUTION, arm_term, fixed_effects, marginal_formula, varying
from asp_eval.analysis.results import ArmEffect, AverageEffects, Estimated
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimands.marginal_means import CLUSTER, PARTICIPANT, MarginalMeans
from asp_eval.stats.estimands.standardised_effects import compared, standardised_means
from asp_eval.stats.estimands.working_models import Family
from asp_eval.stats.estimate import Array, Estimate, available
from asp_eval.stats.linear.ols import ols
from asp_eval.stats.smallsample.cluster_robust import CR2
from asp_eval.trial.study.design import Study

AVERAGED = {"participant": PARTICIPANT, "institution": CLUSTER}
FAMILIES: dict[str, Family] = {"continuous": "gaussian", "binary": "binomial", "ordinal": "binomial", "count": "poisson"}
RESPONSE = "outcome_averaged"  # not a name that study.yaml can give: two words of this kind are no column of a trial's
NOT_KNOWN = Unavailable(Phrase("the probabilities of the arms by the lot are not known"))
ARM_OF_ONE = Unavailable(
    Phrase("an arm has one institution only: what institutions differ by cannot be told from what the arms differ by")
)


def average_effects(
    study: Study, data: AnalysisSet, effects: Sequence[ArmEffect], probabilities: pd.DataFrame | Unavailable
) -> tuple[AverageEffects, ...]:
    """Return the effect of every arm after the first by whom it averages over.

    Parameters
    ----------
    study : Study
    data : AnalysisSet
    effects : sequence of ArmEffect
        By the mixed model, one for every arm after the first.
    probabilities : DataFrame or Unavailable
        Of each arm (columns) for each institution (rows), by the lot.
    """
    level, frame = study.analysis.level, data.frame.assign(**{RESPONSE: _response(data, None)})
    means = _means(study, data, frame, probabilities)
    out = []
    for effect in effects:
        found = {name: _difference(means, effect.arm, at, level) for name, at in AVERAGED.items()}
        out.append(
            AverageEffects(
                arm=effect.arm,
                precision=effect.difference,
                participant=found["participant"],
                institution=found["institution"],
                participant_cr2=_independence(data, frame, effect.arm, level, by_institution=False),
                institution_cr2=_independence(data, frame, effect.arm, level, by_institution=True),
                apart=_apart(means, effect.arm, level),
            )
        )
    return tuple(out)


def size_notes(study: Study, averages: Sequence[AverageEffects]) -> Iterator[Phrase]:
    """Yield a note where the headline is the mixed model's and the averages over children and institutions differ."""
    if study.estimand.average != "precision":
        return
    for by in averages:
        p = None if isinstance(by.apart, Unavailable) else by.apart.p_value
        if p is not None and p < round(1 - study.analysis.level, 12):  # 1 - 0.95 is a little above 0.05
            yield Phrase(
                "The effect goes with the size of the institutions (p = {p:.3f}): averages over children and over institutions "
                "differ, and the mixed model is about neither.",
                p=p,
            )


def headline(
    study: Study,
    data: AnalysisSet,
    effects: Sequence[ArmEffect],
    averages: Sequence[AverageEffects],
    probabilities: pd.DataFrame | Unavailable,
    effect_size: Callable[[Estimate, str], Estimated],
) -> tuple[ArmEffect, ...]:
    """Return the effects of the average that the study declares.

    Parameters
    ----------
    study, data, effects, averages, probabilities
        See `average_effects`.
    effect_size : callable
        From a difference and its arm to the difference in standard deviations.
    """
    average = study.estimand.average
    if average == "precision":
        return tuple(effects)
    ratios = _ratios(study, data, effects, probabilities)
    out = []
    for effect, by, more in zip(effects, averages, ratios, strict=True):
        difference: Estimated = getattr(by, average)
        size = difference if isinstance(difference, Unavailable) else effect_size(difference, effect.arm)
        out.append(replace(more, difference=difference, effect_size=size))
    return tuple(out)


def _ratios(
    study: Study, data: AnalysisSet, effects: Sequence[ArmEffect], probabilities: pd.DataFrame | Unavailable
) -> list[ArmEffect]:
    """Return the effects with the ratios, or the changes of every category, of the declared average."""
    at, level = AVERAGED[study.estimand.average], study.analysis.level

    def means_of(category: int | None) -> Means | Unavailable:
        return _means(study, data, data.frame.assign(**{RESPONSE: _response(data, category)}), probabilities)

    if data.outcome.is_continuous:
        return list(effects)
    if data.outcome.is_ordinal:
        bands = [means_of(k) for k in range(len(data.categories))] if any(effect.changes for effect in effects) else []
        return [
            replace(e, changes=tuple(_difference(band, e.arm, at, level) for band in bands) if e.changes else ()) for e in effects
        ]
    means = means_of(None)
    return [
        replace(
            e,
            ratio=_ratio(means, e.arm, at, "RR", level),
            odds_ratio=None if e.odds_ratio is None else _ratio(means, e.arm, at, "OR", level),
        )
        for e in effects
    ]


Means = tuple[MarginalMeans, tuple[str, ...]]


def _means(
    study: Study, data: AnalysisSet, frame: pd.DataFrame, probabilities: pd.DataFrame | Unavailable
) -> Means | Unavailable:
    """Return the means under every arm that has two institutions or more."""
    if isinstance(probabilities, Unavailable):
        return probabilities
    per_arm = frame.groupby(ARM, observed=True)[INSTITUTION].nunique()
    arms = [arm for arm in study.arms if per_arm.get(arm, 0) > 1]
    if study.arms[0] not in arms or len(arms) < 2:
        return ARM_OF_ONE
    kept = frame[frame[ARM].isin(arms)]
    if data.pairs:
        kept = kept[kept.groupby(PAIR, observed=True)[ARM].transform("nunique") > 1]
    kept = kept.assign(**{ARM: kept[ARM].cat.set_categories(arms)})
    chances = probabilities[arms].div(probabilities[arms].sum(axis=1), axis=0)
    formula = fixed_effects(RESPONSE, varying(kept, data.covariates))
    try:
        means, names = standardised_means(
            formula,
            kept,
            cluster=INSTITUTION,
            arm=ARM,
            probability=chances,
            working="gee_ind",
            family=FAMILIES[data.outcome.scale],
            decomposed=False,
            pair=PAIR if data.pairs else None,
        )
    except AspError as refused:
        return Unavailable(refused.reason)
    return means if isinstance(means, Unavailable) else (means, names)


def _difference(means: Means | Unavailable, arm: str, at: int, level: float) -> Estimated:
    return _contrast(means, arm, lambda mu, k: compared(mu, k, "RD")[..., at], level)


def _apart(means: Means | Unavailable, arm: str, level: float) -> Estimated:
    """Return the participants' average effect less the institutions'."""

    def apart(mu: Array, k: int) -> Array:
        effects = compared(mu, k, "RD")
        return np.asarray(effects[..., PARTICIPANT] - effects[..., CLUSTER], float)

    return _contrast(means, arm, apart, level)


def _ratio(means: Means | Unavailable, arm: str, at: int, scale: str, level: float) -> Estimated:
    """Return a ratio, its interval that of its logarithm."""
    log = _contrast(means, arm, lambda mu, k: np.log(compared(mu, k, scale)[..., at]), level)
    if isinstance(log, Unavailable) or log.estimate is None or log.std_error is None:
        return log
    value, low, high = (float(np.exp(v)) for v in (log.estimate, log.conf_low or 0.0, log.conf_high or 0.0))
    return replace(log, estimate=value, std_error=value * log.std_error, conf_low=low, conf_high=high)


def _contrast(means: Means | Unavailable, arm: str, of: Callable[[Array, int], Array], level: float) -> Estimated:
    if isinstance(means, Unavailable):
        return means
    numbers, names = means
    if arm not in names:
        return ARM_OF_ONE
    return available(numbers.estimate(arm_term(arm), lambda mu: of(mu, names.index(arm)), level))


def _independence(data: AnalysisSet, frame: pd.DataFrame, arm: str, level: float, *, by_institution: bool) -> Estimated:
    """Return an arm's difference by least squares with CR2, children or institutions counting alike."""
    sizes = frame.groupby(INSTITUTION, observed=True)[INSTITUTION].transform("size")
    weights = (1.0 / sizes.to_numpy(dtype=float)) if by_institution else None
    formula = marginal_formula(data).replace(f"{data.outcome.id} ~", f"{RESPONSE} ~", 1)
    try:
        fit = ols(formula, frame, cluster=PAIR if data.pairs else INSTITUTION, weights=weights)
        return available(fit.contrast({arm_term(arm): 1.0}, method=CR2(), level=level))
    except AspError as refused:
        return Unavailable(refused.reason)


def _response(data: AnalysisSet, category: int | None) -> Array:
    """Return the outcome; of an ordinal one, whether a child is beyond its first category, or in the one named."""
    values = data.frame[data.outcome.id].to_numpy(dtype=float)
    if not data.outcome.is_ordinal:
        return values
    if category is None:
        return (values > position_of(data, 0)).astype(float)
    return np.asarray((values == position_of(data, category)).astype(float), float)
