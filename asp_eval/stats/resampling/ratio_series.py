"""The minimum of each draw's criterion from what is known at Chebyshev points of the variance ratio.

What the elimination of all other columns leaves of the contrast's column, of the outcome and of the observed arm is computed
once for every draw and point. Then the outcome less any effect costs a logarithm at each point: the criterion's series has
its minimum by Newton's method, and b = S_ay / S_aa and se^2 = r^2 / (N S_aa) are read there from the series of their parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from asp_eval.stats.engine.one_ratio import GRID
from asp_eval.stats.estimate import Array
from asp_eval.stats.resampling.allocations import Draws
from asp_eval.stats.resampling.arm_grams import ArmGrams
from asp_eval.stats.resampling.chebyshev import ChebyshevPoints
from asp_eval.stats.resampling.fixed_ratios import FixedRatios, Remainders, estimable, indicators

Index = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

AT_A_TIME = 512
"""Draws whose values at the points stay in the cache together."""


@dataclass(frozen=True, slots=True, eq=False)
class RatioSeries:
    """Refits under R draws from series in the variance ratio.

    Attributes
    ----------
    points : ChebyshevPoints
    known : Remainders
        At the K points, and then at those of the grid that lie beyond them; NaN under draws that leave the effect
        inestimable.
    N : int
        n - p.
    """

    points: ChebyshevPoints
    known: Remainders
    N: int

    @classmethod
    def of(cls, grams: ArmGrams, draws: Draws, largest: float) -> RatioSeries:
        """Eliminate under every draw (R, J), at points up to the largest ratio that is looked for."""
        points = ChebyshevPoints.up_to(largest, float(grams.size.max()))
        fixed = FixedRatios.at(grams, np.append(points.ratios, GRID[largest < GRID]))
        lots = (fixed.remainders(indicators(grams, draws[at : at + AT_A_TIME])) for at in range(0, len(draws), AT_A_TIME))
        with np.errstate(divide="ignore", invalid="ignore"):  # by a pivot of zero, where the effect is inestimable
            known = Remainders.joined(lots, len(fixed.log_det), len(draws))
        known.forget(~estimable(grams, draws))
        return cls(points, known, grams.n - grams.p)

    def taken(self, which: Index) -> RatioSeries:
        """Return the series of some draws."""
        return replace(self, known=self.known.taken(which))

    @property
    def estimable(self) -> Mask:
        """Under which draws the effect is estimable (R,)."""
        return np.asarray(~np.isnan(self.known.aa[0]))

    def less(self, m: float) -> tuple[Array, Array, Array]:
        """Return b, its standard error and d (R,) of the outcome less m times the observed arm.

        NaN where the criterion is lowest beyond the points, and where the draw leaves the effect inestimable.
        """
        R = self.known.aa.shape[1]
        lots = [self._lot(self.known.taken(slice(at, at + AT_A_TIME)), m) for at in range(0, R, AT_A_TIME)]
        b, se, d = np.concatenate(lots, axis=1)
        return b, se, d

    def _lot(self, known: Remainders, m: float) -> Array:
        """Return the same of draws that stay in the cache (3, R)."""
        K = len(self.points.x)
        values, ay, left = known.criterion(m, self.N)
        x, inside = self.points.lowest(values, self.N)
        weights = self.points.weights(x)
        aa, ay, left = (np.einsum("kr,kr->r", weights, at_points[:K]) for at_points in (known.aa, ay, left))
        out = np.stack([ay / aa, np.sqrt(np.maximum(left, 0.0) / self.N / aa), self.points.ratio(x)])
        return np.where(inside, out, np.nan)
