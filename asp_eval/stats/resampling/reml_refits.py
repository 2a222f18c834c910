"""REML refits of a model with one random intercept under thousands of allocations at once.

With d = tau^2 / sigma^2, h_g = 1'W_g 1 and the cross-products of `arm_grams`,

    S(d) = u'Wu - sum_g d / (1 + d h_g) s_g(T_g) s_g(T_g)',        criterion(d) = log|V| + log|S_xx| + (n - p) log r^2,

and S is linear in the indicators of T, so S and its derivatives are matrix products over replicates. All are minimised
together (`asp_eval.stats.engine.many_ratios`). With the contrast's column last of X, the elimination of S hands out its
estimate and standard error directly:  b = S_ay / S_aa,  se^2 = sigma^2 / S_aa  at their turn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.stats.engine.many_ratios import CLOSE, minimise_ratios
from asp_eval.stats.engine.one_ratio import GRID
from asp_eval.stats.engine.packed import eliminate, triangle
from asp_eval.stats.estimate import Array
from asp_eval.stats.resampling.allocations import Draws
from asp_eval.stats.resampling.arm_grams import ArmGrams
from asp_eval.stats.resampling.refits import Refits

Index = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

CHUNK = 1024
"""Replicates at a time: their matrices stay in the cache."""
COLLINEAR = 1e-10
"""Share of an arm's column that must be left beside the other columns for its effect to be estimable."""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Packed cross-products of the columns and the outcome, split into what every draw shares and what indicators add.

    Attributes
    ----------
    size : int
        P = p + 1.
    p0 : int
    base, outer : ndarray, shape (E,), (J, E)
        u'Wu and s_g s_g' with all clusters in the reference arm.
    moving : ndarray of int, shape (E',)
        Packed elements in which the treatment has a part.
    gain, outer_gain : ndarray, shape ((K-1) J, E')
        What a cluster adds to them by being in another arm.
    h : ndarray, shape (J,)
    N : int
        n - p.
    """

    size: int
    p0: int
    base: Array
    outer: Array
    moving: npt.NDArray[np.intp]
    gain: Array
    outer_gain: Array
    h: Array
    N: int

    @classmethod
    def of(cls, grams: ArmGrams) -> Stack:
        """Pack the cross-products of clusters under arms."""
        size, p0 = grams.p + 1, grams.p0
        i, j = triangle(size)
        gram, outer = grams.gram[:, :, i, j], grams.sums[:, :, i] * grams.sums[:, :, j]
        moving = np.flatnonzero(((i >= p0) & (i < grams.p)) | ((j >= p0) & (j < grams.p)))
        gain, outer_gain = ((x[1:] - x[0])[..., moving].reshape(-1, len(moving)) for x in (gram, outer))
        return cls(size, p0, gram[0].sum(axis=0), outer[0], moving, gain, outer_gain, grams.size, grams.n - grams.p)

    def indicators(self, draws: Draws) -> Array:
        """Return 1(T_g = a) for a >= 1 ((K-1) J, R)."""
        arms = len(self.gain) // len(self.h)
        return np.concatenate([(a == draws.T) * 1.0 for a in range(1, arms + 1)])

    def products(self, indicators: Array) -> Array:
        """Return u'Wu of every draw, packed (E, R)."""
        out = np.repeat(self.base[:, None], indicators.shape[1], axis=1)
        out[self.moving] += self.gain.T @ indicators
        return out

    def profile(self, products: Array, indicators: Array, d: Array, orders: int) -> Array:
        """Return S(d) with derivatives, packed (E, orders, R)."""
        v = 1.0 / (1.0 + d * self.h[:, None])
        weights = np.empty((len(self.h), orders, len(d)))  # d v with derivatives; products, for a power takes ten times as long
        np.multiply(d, v, out=weights[:, 0])
        if orders > 1:
            np.multiply(v, v, out=weights[:, 1])
        if orders > 2:
            np.multiply(-2.0 * self.h[:, None] * v, weights[:, 1], out=weights[:, 2])
        flat = weights.reshape(len(self.h), orders * len(d))
        S = -(self.outer.T @ flat).reshape(len(self.base), orders, len(d))
        arms = len(indicators) // len(self.h)
        moved = (weights * indicators.reshape(arms, len(self.h), 1, len(d))).reshape(len(indicators), orders * len(d))
        S[self.moving] -= (self.outer_gain.T @ moved).reshape(len(self.moving), orders, len(d))
        S[:, 0] += products
        return S


def reml_refits(grams: ArmGrams, draws: Draws, close: float = CLOSE) -> Refits:
    """Refit by REML under every draw (R, J), the variance ratio found up to a last step of `close` in its logarithm."""
    stack = Stack.of(grams)
    grid = [GridPoint.at(stack, float(d)) for d in GRID]
    parts = [_chunk(stack, grid, draws[at : at + CHUNK], close) for at in range(0, len(draws), CHUNK)]
    b, se, d = (np.concatenate(x) for x in zip(*parts, strict=True))
    return Refits(grams.scale * b, abs(grams.scale) * se, d)


def estimable(stack: Stack, products: Array) -> Mask:
    """Return under which draws no column of the treatment is a combination of other columns (R,)."""
    i, j = triangle(stack.size)
    whole = products[i == j]
    with np.errstate(divide="ignore", invalid="ignore"):  # by a pivot of zero, which is what is looked for
        pivots = eliminate(products[:, None].copy(), stack.size).pivots[:, 0]
    arms = slice(stack.p0, stack.size - 1)
    return np.asarray((pivots[arms] > COLLINEAR * np.maximum(whole[arms], 1e-300)).all(axis=0))


def undecided(grams: ArmGrams, draws: Draws) -> Mask:
    """Return which draws no hypothesis of a constant effect can tell from the observed allocation (R,).

    Under them the observed arm is a combination of the model's columns (the same allocation, or its mirror image), so
    the statistic is the observed one whatever the effect.
    """
    stack = Stack.of(grams.of_observed_arm())
    out = []
    for at in range(0, len(draws), CHUNK):
        products = stack.products(stack.indicators(draws[at : at + CHUNK]))
        with np.errstate(divide="ignore", invalid="ignore"):
            left = eliminate(products[:, None].copy(), stack.size).pivots[-1, 0]
        out.append(left <= COLLINEAR * products[-1])
    return np.concatenate(out)


def _chunk(stack: Stack, grid: list[GridPoint], draws: Draws, close: float) -> tuple[Array, Array, Array]:
    """Return the last coefficient, its standard error and d of every draw (R,), in the columns' units."""
    indicators = stack.indicators(draws)
    products = stack.products(indicators)
    b, se, d = (np.full(len(draws), np.nan) for _ in range(3))
    fine = estimable(stack, products)
    if not fine.any():
        return b, se, d
    indicators, products = indicators[:, fine], products[:, fine]
    d[fine] = minimise_ratios(Reallocated(stack, grid, products, indicators), close)
    found = eliminate(stack.profile(products, indicators, d[fine], 1), stack.size)
    b[fine] = found.slope
    se[fine] = np.sqrt(np.maximum(found.pivots[-1, 0], 0.0) / stack.N / found.pivots[-2, 0])
    return b, se, d


@dataclass(frozen=True, slots=True, eq=False)
class Reallocated:
    """The model under some draws, as `minimise_ratios` sees it.

    Attributes
    ----------
    stack : Stack
    grid : list of GridPoint
    products : ndarray, shape (E, R)
    indicators : ndarray, shape ((K-1) J, R)
    """

    stack: Stack
    grid: list[GridPoint]
    products: Array
    indicators: Array
    reml: bool = True

    @property
    def h(self) -> Array:
        """Z'WZ of the groups."""
        return self.stack.h

    @property
    def size(self) -> int:
        """Columns of u."""
        return self.stack.size

    @property
    def N(self) -> int:
        """Degrees of freedom of the residual, n - p."""
        return self.stack.N

    def profile(self, which: Index, d: Array, orders: int) -> Array:
        """Return S(d) of some draws."""
        if len(which) == self.products.shape[1]:
            return self.stack.profile(self.products, self.indicators, d, orders)
        return self.stack.profile(self.products[:, which], self.indicators[:, which], d, orders)

    def grid_values(self) -> Array:
        """Return every draw's criterion on the grid."""
        return np.array([point.values(self.indicators, self.N) for point in self.grid])


@dataclass(frozen=True, slots=True, eq=False)
class GridPoint:
    """The criterion at one d as a function of indicators, the columns without the treatment eliminated beforehand.

    Attributes
    ----------
    constant : float
    columns : int
        q + 1: the treatment's columns and the outcome.
    base, gain : ndarray, shape (r,), (r, (K-1) J)
        Rows for the part of the treatment's columns along the eliminated ones, (p0, q) of them, and for the packed
        cross-products of the treatment's columns and the outcome.
    outcome : ndarray, shape (p0,)
        The part of the outcome along the eliminated columns.
    """

    constant: float
    columns: int
    base: Array
    gain: Array
    outcome: Array

    @classmethod
    def at(cls, stack: Stack, d: float) -> GridPoint:
        """Eliminate the columns without the treatment at d."""
        size, p0, w = stack.size, stack.p0, d / (1.0 + d * stack.h)
        i, j = triangle(size)
        S = np.empty((size, size))
        S[i, j] = S[j, i] = stack.base - w @ stack.outer
        gain = np.zeros((size, size, len(stack.gain)))
        moved = stack.gain - np.tile(w, len(stack.gain) // len(w))[:, None] * stack.outer_gain
        gain[i[stack.moving], j[stack.moving]] = gain[j[stack.moving], i[stack.moving]] = moved.T
        L = np.linalg.cholesky(S[:p0, :p0])
        Z = np.linalg.solve(L, S[:p0, p0:])
        lifted = np.linalg.solve(L, gain[:p0, p0:-1].reshape(p0, -1))
        a, b = triangle(size - p0)
        base = np.concatenate([Z[:, :-1].ravel(), S[p0 + a, p0 + b]])
        rows = np.concatenate([lifted.reshape(-1, len(stack.gain)), gain[p0 + a, p0 + b]])
        constant = float(np.log1p(d * stack.h).sum()) + 2.0 * float(np.log(L.diagonal()).sum())
        return cls(constant, size - p0, base, rows, Z[:, -1])

    def values(self, indicators: Array, N: int) -> Array:
        """Return the criterion of every replicate (R,)."""
        found = self.gain @ indicators + self.base[:, None]
        q, p0 = self.columns - 1, len(self.outcome)
        above = [*found[: p0 * q].reshape(p0, q, found.shape[1]).swapaxes(0, 1), self.outcome[:, None]]
        packed = found[p0 * q :, None]
        for e, (a, b) in enumerate(zip(*triangle(self.columns), strict=True)):
            packed[e, 0] -= (above[a] * above[b]).sum(axis=0)
        logs = np.log(np.maximum(eliminate(packed, self.columns).pivots[:, 0], 1e-300))
        return np.asarray(self.constant + logs[:-1].sum(axis=0) + N * logs[-1], float)
