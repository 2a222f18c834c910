"""REML refits of a model with one random intercept under thousands of allocations at once.

With d = tau^2 / sigma^2, h_g = 1'W_g 1 and the cross-products of `arm_grams`,

    S(d) = u'Wu - sum_g d / (1 + d h_g) s_g(T_g) s_g(T_g)',        criterion(d) = log|V| + log|S_xx| + (n - p) log r^2,

and S is linear in the indicators of T, so S and its derivatives are matrix products over replicates. All are minimised
together (`asp_eval.stats.engine.many_ratios`). With the contrast's column last of X, the elimination of S hands out its
estimate and standard error directly:  b = S_ay / S_aa,  se^2 = sigma^2 / S_aa  at their turn.

Of many draws only the first are solved so. Their ratios say how far Chebyshev points have to reach, and the others, under
every hypothesis, are read from the series through what is known at the points (`asp_eval.stats.resampling.ratio_series`);
should a series not give back what was solved, or a ratio lie beyond the points, a draw is solved as the first are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from asp_eval.stats.engine.many_ratios import minimise_ratios
from asp_eval.stats.engine.one_ratio import GRID
from asp_eval.stats.engine.packed import eliminate, triangle
from asp_eval.stats.estimate import Array
from asp_eval.stats.resampling.allocations import Draws
from asp_eval.stats.resampling.arm_grams import ArmGrams
from asp_eval.stats.resampling.fixed_ratios import CHUNK, FixedRatios, estimable, indicators
from asp_eval.stats.resampling.ratio_series import RatioSeries
from asp_eval.stats.resampling.refits import Refits

Index = npt.NDArray[np.intp]

PILOT, BEYOND, APART = 256, 4.0, 1e-10
"""Draws that are solved before a series is made of four times as many or more; how far beyond their ratios it reaches; how
near, relatively and absolutely, its statistics have to be to theirs."""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Packed cross-products of the columns and the outcome, split into what every draw shares and what indicators add.

    Attributes
    ----------
    size : int
        P = p + 1.
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
        return cls(size, gram[0].sum(axis=0), outer[0], moving, gain, outer_gain, grams.size, grams.n - grams.p)

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


@dataclass(frozen=True, slots=True, eq=False)
class RemlRefits:
    """Refits by REML under R allocations, whatever constant effect is taken from the outcome.

    Attributes
    ----------
    grams : ArmGrams
    draws : ndarray of int8, shape (R, J)
    series : RatioSeries or None
        None where every draw is solved by itself.
    """

    grams: ArmGrams
    draws: Draws
    series: RatioSeries | None = None

    def taken(self, which: Index) -> RemlRefits:
        """Return the refits of some draws."""
        return RemlRefits(self.grams, self.draws[which], None if self.series is None else self.series.taken(which))

    def less(self, effect: float) -> Refits:
        """Return the refits of the outcome less a constant effect (in the contrast's units) on the observed arm."""
        if self.series is None:
            return solved(self.grams.less(effect), self.draws)
        b, se, d = self.series.less(effect / self.grams.shift if effect else 0.0)
        found = Refits(self.grams.scale * b, abs(self.grams.scale) * se, d)
        rest = np.flatnonzero(np.isnan(d) & self.series.estimable)
        if len(rest):
            own = solved(self.grams.less(effect), self.draws[rest])
            found.estimate[rest], found.std_error[rest], found.ratio[rest] = own.estimate, own.std_error, own.ratio
        return found


def reml_refits(grams: ArmGrams, draws: Draws) -> RemlRefits:
    """Prepare the refits by REML under every draw (R, J)."""
    every_one = RemlRefits(grams, draws)
    if len(draws) < 4 * PILOT:
        return every_one
    pilot = every_one.taken(np.arange(PILOT))
    own = pilot.less(0.0)
    largest = float(np.nanmax(own.ratio, initial=1.0 / grams.size.max()))
    made = replace(every_one, series=RatioSeries.of(grams, draws, BEYOND * largest))
    read = made.taken(np.arange(PILOT)).less(0.0)
    return made if np.allclose(read.statistic, own.statistic, rtol=APART, atol=APART) else every_one


def solved(grams: ArmGrams, draws: Draws) -> Refits:
    """Refit by REML under every draw (R, J), each minimum by Newton's steps."""
    stack, grid, fine = Stack.of(grams), FixedRatios.at(grams, GRID), np.flatnonzero(estimable(grams, draws))
    b, se, d = (np.full(len(draws), np.nan) for _ in range(3))
    for at in range(0, len(fine), CHUNK):
        rows = fine[at : at + CHUNK]
        arms = indicators(grams, draws[rows])
        products = stack.products(arms)
        d[rows] = minimise_ratios(Reallocated(stack, grid, products, arms))
        found = eliminate(stack.profile(products, arms, d[rows], 1), stack.size)
        b[rows] = found.slope
        se[rows] = np.sqrt(np.maximum(found.pivots[-1, 0], 0.0) / stack.N / found.pivots[-2, 0])
    return Refits(grams.scale * b, abs(grams.scale) * se, d)


@dataclass(frozen=True, slots=True, eq=False)
class Reallocated:
    """The model under some draws, as `minimise_ratios` sees it.

    Attributes
    ----------
    stack : Stack
    grid : FixedRatios
    products : ndarray, shape (E, R)
    indicators : ndarray, shape ((K-1) J, R)
    """

    stack: Stack
    grid: FixedRatios
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
        values, _, _ = self.grid.remainders(self.indicators).criterion(0.0, self.N)
        return values
