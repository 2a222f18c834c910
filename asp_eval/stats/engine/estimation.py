"""From moments to the optimum: what can be estimated, and the estimate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from asp_eval.core.errors import Fault
from asp_eval.stats.engine.crossed_factors import CrossedFactors
from asp_eval.stats.engine.elimination import eliminate, profile_of_crossed
from asp_eval.stats.engine.elimination_order import Elimination, plan_stages
from asp_eval.stats.engine.likelihood import LEFT, UNBOUNDED, Criterion, criterion, determined
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.engine.one_effect import OneEffect
from asp_eval.stats.engine.one_ratio import minimise_ratio, ratio_at
from asp_eval.stats.engine.optimisation import Optimum, minimise
from asp_eval.stats.engine.standardisation import GroupSums, Standard, standardise
from asp_eval.stats.estimate import Array

ONE_GROUP = Fault(
    "FIT-044",
    "the grouping factor {group} has one group only, so the variance between groups cannot be estimated",
    "Leave its random term out, or use data with more groups.",
)
ONE_ROW_PER_GROUP = Fault(
    "FIT-045",
    "the likelihood is flat: {group} has {groups} groups with {effects} varying effect(s) each for {n} rows, "
    "so the random effects cannot be told from the residual",
    "Use a random term with fewer effects, or more rows per group.",
)


STARTS = (0.05, 5.0)
"""Range of Lambda's elements to start from."""
LEAST_RESIDUAL = 0.1
"""Share of the least residual variance of a factor alone, to which those of the others may bring it down."""
CONSTANT_AT = 0
"""Position in u of the constant, which is also the first of what is summed within groups."""
FEW_GROUPS = 10
"""With so few groups of a factor the criterion often has a second minimum."""
CONFOUNDED = Fault(
    "FIT-071",
    "the fixed part already has an effect for every group of {group}, so nothing is left to vary at random",
    "Leave out the random term, or the fixed effects of the groups.",
)


@dataclass(frozen=True, slots=True, eq=False)
class EstimationProblem:
    """A model ready to be fitted.

    Attributes
    ----------
    standard : Standard
    elimination : Elimination
    one : OneEffect or None
        The fast form of a model with a single random effect.
    """

    standard: Standard
    elimination: Elimination
    one: OneEffect | None

    @property
    def n(self) -> int:
        """Rows."""
        return self.standard.moments.n_obs

    def evaluate(self, d: Array, *, reml: bool, order: int = 2) -> Criterion:
        """Return the criterion at the elements of D (s,), with derivatives up to `order`; higher ones are zero."""
        if self.one is not None:
            return ratio_at(self.one, float(d[0]), self.n, reml=reml).whole()
        return criterion(eliminate(self.elimination, d, order), self.n, reml=reml)

    def deviance(self, value: float, *, reml: bool) -> float:
        """Return a criterion of standard units in the data's units, as lme4 prints it."""
        s = self.standard
        N = self.n - s.p if reml else self.n
        scaled = value + 2.0 * N * float(np.log(s.y_scale)) - s.moments.log_weights
        return scaled + (2.0 * s.log_scale if reml else 0.0)

    def optimum(self, *, reml: bool, start: Array | None = None) -> Optimum:
        """Return the minimum of the criterion."""
        if self.one is not None:
            found = minimise_ratio(self.one, self.n, reml=reml)
        else:
            shape, crossed, begun = self.elimination.shape, self.elimination.crossed, None
            few = min(len(levels) for levels in self.standard.moments.levels) <= FEW_GROUPS
            if start is None and crossed is not None:
                start = self._guess(crossed, reml=reml)
                begun = None if few else self._begun(crossed, shape.d(start), reml=reml)
            evaluate = lambda d, order: self.evaluate(d, reml=reml, order=order)  # noqa: E731
            found = minimise(shape, evaluate, start, begun=begun, few_groups=few)
        determined(found.criterion, float(self.elimination.root[-1, -1]))
        return found

    def _guess(self, crossed: CrossedFactors, *, reml: bool) -> Array:
        """Return theta from where each crossed factor is the only one: evaluations of all together are dear.

        What the others add to the outcome's variance is then part of the residual variance.
        """
        alone = [
            minimise_ratio(OneEffect.of(np.column_stack([h, c])[:, None], crossed.root), self.n, reml=reml)
            for h, c in crossed.each_alone()
        ]
        left = np.array([a.criterion.sigma2 for a in alone])
        own = left * np.array([a.theta[0] ** 2 for a in alone])
        residual = max(float((left + own).mean() - own.sum()), LEAST_RESIDUAL * float(left.min()))
        return np.asarray(np.clip(np.sqrt(own / residual), *STARTS), float)

    def _begun(self, crossed: CrossedFactors, d: Array, *, reml: bool) -> Criterion:
        """Return the criterion at D with what the average information needs."""
        return criterion(profile_of_crossed(crossed, d, 1, average=True), self.n, reml=reml)


def pose(moments: Moments) -> EstimationProblem:
    """Return the model that moments describe, in standard units.

    Raises
    ------
    Refusal
        If a factor has one group, or as many effects as rows; if the outcome does not vary within groups; or as `standardise`.
    """
    for factor, levels in zip(moments.layout.factors, moments.levels, strict=True):
        m = len(levels)
        if m < 2:
            ONE_GROUP.refuse(moments.layout.text, group=factor.name)
        k = max(len(b) for b in factor.blocks)
        if m * k >= moments.n_obs:
            ONE_ROW_PER_GROUP.refuse(moments.layout.text, group=factor.name, groups=m, effects=k, n=moments.n_obs)
    standard = standardise(moments)
    _check_variation_within(standard.moments)
    sums = [standard.group_sums(i) for i in range(len(moments.levels))]
    _check_confounding(standard, sums)
    elimination = plan_stages(standard, sums)
    one = OneEffect.of(elimination.stages[0].products, elimination.root) if elimination.shape.sizes == (1,) else None
    return EstimationProblem(standard, elimination, one)


def _check_variation_within(moments: Moments) -> None:
    """Refuse an outcome that is one value in each group with an intercept of its own: a search for its variances has no end."""
    total = moments.total[-1, -1]
    for factor, sums in zip(moments.layout.factors, moments.sums, strict=True):
        if CONSTANT_AT in factor.effects and total - (sums[:, 0, -1] ** 2 / sums[:, 0, 0]).sum() < LEFT * total:
            UNBOUNDED.refuse(moments.layout.text)


def _check_confounding(standard: Standard, sums: Sequence[GroupSums]) -> None:
    """Refuse random effects whose columns all lie in the span of X: the restricted likelihood does not know them."""
    p = standard.p
    half, _ = lapack.dtrtri(lapack.dpotrf(standard.root[:p, :p], lower=1)[0], lower=1)
    for factor, (within, root) in zip(standard.factors, sums, strict=True):
        own, along = within.diagonal(axis1=1, axis2=2), root[:, :, :p].reshape(-1, p)
        explained = np.square(along @ half.T).sum(axis=1).reshape(own.shape)
        if ((own - explained).max(axis=0) <= 1e-9 * own.max(axis=0)).any():
            CONFOUNDED.refuse(standard.moments.layout.text, group=factor.layout.name)
