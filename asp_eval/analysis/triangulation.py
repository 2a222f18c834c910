"""One effect seen by several estimators: the planned model's, and others that assume other things.

Each row names the effect that its estimator is about. The mixed model and estimating equations with exchangeable correlation
weigh institutions by precision, between children counting equally (least squares) and institutions counting equally (their
means). The permutation test is exact for no effect at all, and its interval holds for one effect that is the same for everyone.
Where effects go with the size of an institution, these are different numbers (Kahan et al. 2023, Int J Epidemiol 52:107).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pandas as pd

from asp_eval.analysis.allocations import allocations
from asp_eval.analysis.category_models import as_numbers, averaged_difference
from asp_eval.analysis.data import PAIR
from asp_eval.analysis.declared_results import Average, Estimated, Estimator, EstimatorRow
from asp_eval.analysis.formulas import INSTITUTION, arm_term, equations_formula, marginal_formula, model_formula
from asp_eval.analysis.plan import SEED
from asp_eval.analysis.results import ArmEffect
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one
from asp_eval.stats.estimate import Estimate, available
from asp_eval.stats.fitted import Fitted
from asp_eval.stats.linear.cluster_means import cluster_means
from asp_eval.stats.linear.ols import OlsFit, ols
from asp_eval.stats.marginal.gee import gee
from asp_eval.stats.mixed.fit import MixedFit
from asp_eval.stats.resampling.allocations import Allocations
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.stats.resampling.wild import WildBootstrap
from asp_eval.stats.smallsample.cluster_robust import CR2
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.stats.smallsample.method import Method
from asp_eval.trial.study.design import Study

WILD_DRAWS = 9_999
P_ONLY = Phrase("p-value only: the interval would need the effect to be a constant shift, which that of a share or count is not")
BY_PAIRS = Phrase("clustered by matched pair, as the lot was drawn")
OF_THE_MODEL = Phrase(
    "the lot is gone through with the planned model's statistic, whose effect weighs institutions by precision, "
    "and not with that of the headline's average"
)

Lot = Allocations | Unavailable


def lot_of(study: Study, method: Method) -> Lot:
    """Return the allocations that the study's own lot could have given, or why they are not known.

    Parameters
    ----------
    study : Study
    method : Method
        The planned one, which holds them where it permutes the lot.
    """
    if isinstance(method, Permutation) and method.allocations is not None:
        return method.allocations
    try:
        return allocations(study, study.analysis.draws, SEED)
    except AspError as refused:
        return Unavailable(refused.reason)


def triangulate(
    study: Study, data: AnalysisSet, planned: Fitted, effects: tuple[ArmEffect, ...], lot: Lot
) -> tuple[EstimatorRow, ...]:
    """Return the effect of every later arm by several estimators.

    Parameters
    ----------
    study : Study
    data : AnalysisSet
    planned : Fitted
        The planned model.
    effects : tuple of ArmEffect
        What it says of the arms.
    lot : Allocations or Unavailable

    Returns
    -------
    tuple of EstimatorRow
        Arm by arm. A number that an estimator cannot give stands as `Unavailable` with the reason.
    """
    return tuple(row for effect in effects for row in _of_one_arm(study, data, planned, effect, lot))


def _of_one_arm(study: Study, data: AnalysisSet, planned: Fitted, effect: ArmEffect, lot: Lot) -> Iterator[EstimatorRow]:
    """Yield the rows of one arm."""
    arm, level, weights = effect.arm, study.analysis.level, {arm_term(effect.arm): 1.0}
    mixed, marginal = model_formula(data), marginal_formula(data)
    frame = as_numbers(data)

    def row(estimator: Estimator, average: Average, model: str, answer: Callable[[], Estimated]) -> EstimatorRow:
        return EstimatorRow(estimator, arm, average, model, _or_reason(answer))

    def by(fit: Callable[[], Fitted | Unavailable], method: Method) -> Callable[[], Estimated]:
        def answer() -> Estimated:
            found = fit()
            return found if isinstance(found, Unavailable) else available(found.contrast(weights, method=method, level=level))

        return answer

    def least_squares(cluster: str = INSTITUTION) -> OlsFit:
        return ols(marginal, frame, cluster=cluster)

    def by_drawn(method: Method) -> Callable[[], Estimated]:
        answer = by(lambda: least_squares(PAIR if data.pairs else INSTITUTION), method)
        return (lambda: _noted(answer(), BY_PAIRS)) if data.pairs else answer

    if isinstance(planned, MixedFit):
        yield row("mixed-kr", "precision", mixed, by(lambda: planned, KenwardRoger()))
        yield row("mixed-cr2", "precision", mixed, by(lambda: planned, CR2()))
    else:
        yield row("planned", "precision", mixed, lambda: effect.difference)
    equations = equations_formula(data)
    yield row("gee", "precision", equations, lambda: _estimating_equations(data, equations, frame, (study.arms[0], arm), level))
    yield row("least-squares", "participant", marginal, by_drawn(CR2()))
    yield row("wild-bootstrap", "participant", marginal, by_drawn(WildBootstrap(WILD_DRAWS, SEED)))
    yield row("cluster-means", "institution", marginal, by(lambda: cluster_means(least_squares()), CR2()))
    yield row("permutation", "constant", mixed, lambda: _noted(_permuted(planned, effect, lot, level), statistic_note(study)))


def _estimating_equations(data: AnalysisSet, formula: str, frame: pd.DataFrame, arms: tuple[str, str], level: float) -> Estimated:
    """Return the difference by estimating equations with exchangeable correlation, corrected by Mancl and DeRouen.

    Where the lot was drawn in pairs, the pair is the cluster, whose correlation stands in place of its indicator.
    """
    family = "gaussian" if data.outcome.is_continuous else "poisson" if data.outcome.is_count else "binomial"
    fit = gee(formula, frame, cluster=PAIR if data.pairs else INSTITUTION, family=family, correlation="exchangeable")
    if data.outcome.is_continuous:
        found = available(fit.contrast({arm_term(arms[1]): 1.0}, level=level))
    else:
        found = averaged_difference(fit.average_effects("arm", level=level), arms)
    return _noted(found, BY_PAIRS) if data.pairs else found


def statistic_note(study: Study) -> Phrase:
    """Return what is said where the lot is gone through with another statistic than the headline's; empty where it is not."""
    return NO_NOTE if study.estimand.average == "precision" else OF_THE_MODEL


def permutation_of(planned: Fitted, lot: Allocations) -> Permutation:
    """Return the permutation test of a planned model: of its own statistic, or of institutions' means where it has more levels.

    A model with more than a random intercept would be refitted lot by lot, which takes minutes.
    """
    several = isinstance(planned, MixedFit) and len(planned.n_groups) > 1
    return Permutation("arm", lot, "cluster-means" if several else "model")


def _permuted(planned: Fitted, effect: ArmEffect, lot: Lot, level: float) -> Estimated:
    """Return the effect tested by the study's own lot; of what is no measure, the p-value alone."""
    if isinstance(lot, Unavailable):
        return lot
    measure, difference = isinstance(planned, MixedFit), effect.difference
    method = replace(permutation_of(planned, lot), interval=measure)
    if measure and method.statistic == "model" and isinstance(difference, Estimate) and difference.method == method.name:
        return difference  # the plan's own method: the same draws
    found = planned.contrast({arm_term(effect.arm): 1.0}, method, level)
    if measure or found.p_value is None:
        return available(found) if measure else Unavailable(found.note)
    if isinstance(difference, Unavailable):
        return difference
    return replace(
        difference,
        std_error=None,
        df=None,
        statistic=found.statistic,
        p_value=found.p_value,
        conf_low=None,
        conf_high=None,
        method=found.method,
        note=notes_in_one([found.note, P_ONLY]),
    )


def _noted(found: Estimated, said: Phrase) -> Estimated:
    """Return an estimate with one more note."""
    return found if isinstance(found, Unavailable) else replace(found, note=notes_in_one([found.note, said]))


def _or_reason(answer: Callable[[], Estimated]) -> Estimated:
    """Return an estimator's answer, or why it has none."""
    try:
        return answer()
    except AspError as refused:
        return Unavailable(refused.reason)
