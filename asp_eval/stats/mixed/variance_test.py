"""Is a variance zero? The likelihood ratio, its distribution by parametric bootstrap.

A variance of zero lies on the edge of its range, where the likelihood ratio is not chi-square: it is zero in half of the
samples or more. So outcomes are drawn from the model without the effect, and both models are fitted to each:

    p = (1 + #{ratio_r >= ratio}) / (1 + draws).

With one random effect the ratio under the hypothesis depends on nothing unknown, and the test is exact
(Crainiceanu & Ruppert 2004, J R Stat Soc B 66:165).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import Fault, Refusal
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.comparison import LikelihoodRatio
from asp_eval.stats.engine.covariance import CovarianceShape
from asp_eval.stats.engine.estimation import EstimationProblem
from asp_eval.stats.engine.likelihood import Criterion
from asp_eval.stats.engine.optimisation import Optimum, minimise
from asp_eval.stats.estimate import Array
from asp_eval.stats.mixed.bootstrap import drawn
from asp_eval.stats.mixed.bootstrap_refits import ratio_statistics
from asp_eval.stats.replicates import DRAWS

NO_EFFECT = Fault("INF-072", "the model has no random effect {term!r} of {group!r}", "Use one of: {known}.")
INTERCEPT_BELOW_SLOPES = Fault(
    "INF-073",
    "an intercept whose slopes still vary is zero only at one value of the covariate",
    "Test the slopes first, or test the whole grouping factor by naming no term.",
)

TIE = 1e-7
"""Ratios this close are equal; an optimiser finds a minimum to about 1e-9."""


@dataclass(frozen=True, slots=True, eq=False)
class _Smaller:
    """A model in which some effects do not vary.

    Attributes
    ----------
    shape : CovarianceShape
        Of what varies still.
    keep : ndarray of int
        Its elements among those of the larger model.
    """

    shape: CovarianceShape
    keep: npt.NDArray[np.intp]

    def optimum(self, problem: EstimationProblem, *, reml: bool) -> Optimum:
        """Return the minimum over what varies still, with theta of the larger model."""
        larger = problem.elimination.shape

        def whole(d: Array) -> Array:
            out = np.zeros(len(larger.elements))
            out[self.keep] = d
            return out

        def evaluate(d: Array, order: int) -> Criterion:
            c = problem.evaluate(whole(d), reml=reml, order=order)
            k, kk = self.keep, np.ix_(self.keep, self.keep)
            first = {name: getattr(c, name)[k] for name in ("gradient", "log_det_1", "r2_1")}
            second = {name: getattr(c, name)[kk] for name in ("hessian", "log_det_2", "r2_2")}
            return c._replace(**first, **second)

        if not len(self.keep):
            found = problem.evaluate(whole(np.zeros(0)), reml=reml)
            return Optimum(np.zeros(len(larger.elements)), found, True, True, 1)
        best = minimise(self.shape, evaluate)
        return replace(best, theta=larger.theta(whole(self.shape.d(best.theta))))


def variance_test(
    problem: EstimationProblem, found: Optimum, group: str, term: str | None, draws: int, seed: int, *, reml: bool
) -> LikelihoodRatio:
    """Test that an effect of a group (or all of them) does not vary; see `MixedFit.variance_test`."""
    if isinstance(draws, bool) or draws < 1:
        DRAWS.refuse(found=draws)
    smaller = _without(problem, group, term)
    null = smaller.optimum(problem, reml=reml)
    observed = max(null.criterion.value - found.criterion.value, 0.0)
    count, failed = 0, 0
    for outcomes in drawn(problem, null, draws, seed, "variance-test"):
        if problem.one is not None:
            ratios = ratio_statistics(problem, outcomes, reml=reml)
        else:
            models = (outcomes.elimination(problem.elimination, r) for r in range(len(outcomes.square)))
            ratios = np.array([_ratio(smaller, replace(problem, elimination=m), reml=reml) for m in models])
        failed += int(np.isnan(ratios).sum())
        count += int((ratios >= observed - TIE).sum())
    df = len(problem.elimination.shape.elements) - len(smaller.keep)
    likelihood = "restricted likelihood" if reml else "likelihood"
    note = NO_NOTE
    if failed:
        note = Phrase("{n} replicates could not be fitted and count against the effect", n=failed)
    p = (1 + count + failed) / (1 + draws)
    return LikelihoodRatio(observed, df, p, f"{likelihood}, parametric bootstrap with {draws:,} draws", note)


def _ratio(smaller: _Smaller, problem: EstimationProblem, *, reml: bool) -> float:
    """Return the ratio of one outcome, NaN where it cannot be fitted."""
    try:
        ratio = smaller.optimum(problem, reml=reml).criterion.value - problem.optimum(reml=reml).criterion.value
    except Refusal:
        return float("nan")
    return max(ratio, 0.0)


def _without(problem: EstimationProblem, group: str, term: str | None) -> _Smaller:
    """Return the model without an effect of a group, or without all of them."""
    layout, ordering = problem.standard.moments.layout, problem.elimination.ordering
    factors = [layout.factors[i] for i in ordering]
    blocks: list[tuple[int, ...]] = []
    gone: set[tuple[int, int]] = set()
    for f, factor in enumerate(factors):
        sizes, at = [], 0
        for block in factor.blocks:
            dropped = [k for k, e in enumerate(block) if factor.name == group and term in (None, layout.columns[e])]
            if dropped and term is not None and block[dropped[0]] == 0 and len(block) > 1:
                INTERCEPT_BELOW_SLOPES.refuse(layout.text)
            gone |= {(f, at + k) for k in dropped}
            at += len(block)
            sizes.append(len(block) - len(dropped))
        blocks.append(tuple(s for s in sizes if s))
    if not gone:
        known = "; ".join(f"{x.name}: {', '.join(layout.columns[e] for e in x.effects)}" for x in factors)
        NO_EFFECT.refuse(layout.text, group=group, term=term or "any", known=known)
    elements = problem.elimination.shape.elements
    keep = [r for r, e in enumerate(elements) if (e.factor, e.row) not in gone and (e.factor, e.column) not in gone]
    return _Smaller(CovarianceShape.of(tuple(blocks)), np.array(keep, dtype=np.intp))
