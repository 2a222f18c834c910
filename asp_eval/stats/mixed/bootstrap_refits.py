"""Refits to thousands of drawn outcomes: together where there is one variance ratio, one by one elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import Refusal
from asp_eval.stats.engine.estimation import EstimationProblem
from asp_eval.stats.engine.many_ratios import criteria, minimise_ratios
from asp_eval.stats.engine.one_ratio import GRID
from asp_eval.stats.engine.packed import eliminate, triangle
from asp_eval.stats.estimate import Array
from asp_eval.stats.mixed.simulate import Outcomes

Index = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Redrawn:
    """Estimates of R outcomes, in standard units; NaN where an outcome could not be fitted.

    Attributes
    ----------
    beta : ndarray, shape (R, p)
    d : ndarray, shape (R, s)
        Elements of D.
    sigma2 : ndarray, shape (R,)
    """

    beta: Array
    d: Array
    sigma2: Array


@dataclass(frozen=True, slots=True, eq=False)
class RedrawnOutcomes:
    """A model with one random effect under R outcomes, as `minimise_ratios` sees it.

    Attributes
    ----------
    h : ndarray, shape (J,)
    sums : ndarray, shape (J, p)
        Z'WX of the groups.
    outcome : ndarray, shape (J, R)
        Z'Wy of the groups.
    root : ndarray, shape (p, p)
        X'WX.
    right : ndarray, shape (p, R)
        X'Wy.
    square : ndarray, shape (R,)
    n : int
    reml : bool
    """

    h: Array
    sums: Array
    outcome: Array
    root: Array
    right: Array
    square: Array
    n: int
    reml: bool

    @property
    def size(self) -> int:
        """Columns of u = [X, y]."""
        return len(self.root) + 1

    @property
    def N(self) -> int:
        """Divisor of the residual sum of squares."""
        return self.n - len(self.root) if self.reml else self.n

    def profile(self, which: Index, d: Array, orders: int) -> Array:
        """Return S(d) of some replicates with derivatives."""
        h, y = self.h[:, None], self.outcome[:, which]
        v = 1.0 / (1.0 + d * h)
        weights = np.stack([d * v, v * v, -2.0 * h * v**3][:orders], axis=1)
        flat = weights.reshape(len(h), orders * len(d))
        i, j = triangle(self.size)
        p = len(self.root)
        out = np.empty((len(i), orders, len(d)))
        inner = (i < p) & (j < p)
        outer = self.sums[:, i[inner]] * self.sums[:, j[inner]]
        out[inner] = -(outer.T @ flat).reshape(outer.shape[1], orders, len(d))
        weighted = weights * y[:, None]
        out[(j == p) & (i < p)] = -(self.sums.T @ weighted.reshape(len(h), orders * len(d))).reshape(p, orders, len(d))
        out[-1] = -(weighted * y[:, None]).sum(axis=0)
        out[inner, 0] += self.root[i[inner], j[inner]][:, None]
        out[(j == p) & (i < p), 0] += self.right[:, which]
        out[-1, 0] += self.square[which]
        return out

    def grid_values(self) -> Array:
        """Return every replicate's criterion on the grid."""
        return np.array([self._at(float(d)) for d in GRID])

    def _at(self, d: float) -> Array:
        """Return every replicate's criterion at one d (R,)."""
        w = d / (1.0 + d * self.h)
        L = np.linalg.cholesky(self.root - (self.sums.T * w) @ self.sums)
        z = np.linalg.solve(L, self.right - (self.sums.T * w) @ self.outcome)
        left = self.square - w @ self.outcome**2 - (z * z).sum(axis=0)
        constant = float(np.log1p(d * self.h).sum()) + (2.0 * float(np.log(L.diagonal()).sum()) if self.reml else 0.0)
        return np.asarray(constant + self.N * np.log(np.maximum(left, 1e-300)))


def redrawn_family(problem: EstimationProblem, outcomes: Outcomes, *, reml: bool) -> RedrawnOutcomes:
    """Return the model with one random effect under drawn outcomes."""
    stage, root = problem.elimination.stages[0], problem.elimination.root
    products = stage.products[:, 0]
    return RedrawnOutcomes(
        products[:, 0],
        products[:, 1:-1],
        outcomes.groups[0][:, :, 0].T,
        root[:-1, :-1],
        outcomes.fixed.T,
        outcomes.square,
        problem.n,
        reml,
    )


def refit_all(problem: EstimationProblem, outcomes: Outcomes, *, reml: bool, start: Array) -> Redrawn:
    """Refit a model to drawn outcomes.

    Parameters
    ----------
    problem : EstimationProblem
    outcomes : Outcomes
    reml : bool
    start : ndarray, shape (s,)
        theta to start from where there are several.
    """
    if problem.one is None:
        return _one_by_one(problem, outcomes, reml=reml, start=start)
    family = redrawn_family(problem, outcomes, reml=reml)
    d = minimise_ratios(family)
    everyone = np.arange(len(d))
    S = family.profile(everyone, d, 1)[:, 0]
    left = eliminate(S[:, None].copy(), family.size).pivots[-1, 0]
    i, j = triangle(family.size)
    full = np.empty((len(d), family.size, family.size))
    full[:, i, j] = full[:, j, i] = S.T
    beta = np.linalg.solve(full[:, :-1, :-1], full[:, :-1, -1:])[..., 0]
    return Redrawn(np.asarray(beta, float), d[:, None], left / family.N)


def _one_by_one(problem: EstimationProblem, outcomes: Outcomes, *, reml: bool, start: Array) -> Redrawn:
    """Refit each outcome by itself."""
    R, p, s = len(outcomes.square), outcomes.fixed.shape[1], len(start)
    beta, d, sigma2 = np.full((R, p), np.nan), np.full((R, s), np.nan), np.full(R, np.nan)
    for r in range(R):
        again = replace(problem, elimination=outcomes.elimination(problem.elimination, r))
        try:
            found = again.optimum(reml=reml, start=start)
        except Refusal:
            continue
        beta[r], d[r], sigma2[r] = found.criterion.beta, problem.elimination.shape.d(found.theta), found.criterion.sigma2
    return Redrawn(beta, d, sigma2)


def ratio_statistics(problem: EstimationProblem, outcomes: Outcomes, *, reml: bool) -> Array:
    """Return how far each outcome's criterion at d = 0 lies above its minimum (R,): models with one random effect."""
    family = redrawn_family(problem, outcomes, reml=reml)
    everyone, d = np.arange(len(outcomes.square)), minimise_ratios(family)
    at_zero, _, _ = criteria(family, everyone, np.zeros(len(d)))
    at_best, _, _ = criteria(family, everyone, d)
    return np.maximum(at_zero - at_best, 0.0)
