"""Functions of the variance ratio known at Chebyshev points, for thousands of replicates at once.

Let h be the largest Z'WZ of a group. What a model with one random effect has at a ratio d - cross-products, what their
elimination leaves, log|V| - is analytic in d outside the real d <= -1/h, and so in u = log(1 + h d) in the strip
|Im u| < pi. Its interpolant in K Chebyshev points of 0 <= u <= 2 w is therefore off by about rho^-K with
rho = pi / w + sqrt(1 + (pi / w)^2) (Trefethen 2013, Approximation Theory and Approximation Practice, ch. 8): two dozen
points reach the rounding of numbers wherever the ratios of a trial lie, zero included.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial import chebyshev

from asp_eval.stats.estimate import Array

Mask = npt.NDArray[np.bool_]

ROUNDING = 1e-15
"""What the error of an interpolant is to be, by its theory."""
LEVEL = 1e-9
"""Values this close are equal, and a derivative at zero this near zero, of each degree of freedom, is none."""
SETTLED = 1e-9
"""A Newton step below this is the last: its error is the square."""
STEPS = 60


@dataclass(frozen=True, slots=True, eq=False)
class ChebyshevPoints:
    """Chebyshev points of the ratios from zero to one that is given; replicates lie last.

    Attributes
    ----------
    h, end : float
        u = log(1 + h d) of the largest ratio.
    x : ndarray, shape (K,)
        The points in ascending order, on [-1, 1].
    coefficients, first, second : ndarray, shape (K, K)
        From values to the coefficients of the interpolant's series, and to those of its derivatives in x.
    """

    h: float
    end: float
    x: Array
    coefficients: Array
    first: Array
    second: Array

    @classmethod
    def up_to(cls, ratio: float, h: float) -> ChebyshevPoints:
        """Return as many points as the ratios up to this one need."""
        end = float(np.log1p(h * ratio))
        over = 2.0 * np.pi / end
        K = 1 + int(np.ceil(-np.log(ROUNDING) / np.arcsinh(over)))
        x = -np.cos(np.pi * np.arange(K) / (K - 1))
        values = np.asarray(np.linalg.inv(chebyshev.chebvander(x, K - 1)), float)
        slopes = np.vstack([chebyshev.chebder(np.eye(K)), np.zeros(K)])
        return cls(h, end, x, values, slopes @ values, slopes @ slopes @ values)

    @property
    def ratios(self) -> Array:
        """The ratios at the points (K,)."""
        return self.ratio(self.x)

    def ratio(self, x: Array) -> Array:
        """Return d at x."""
        return np.expm1(0.5 * self.end * (x + 1.0)) / self.h

    def weights(self, x: Array) -> Array:
        """Return what values at the points are multiplied by to give the value at x (K, R)."""
        return self.coefficients.T @ _polynomials(x, len(self.x))

    def lowest(self, values: Array, N: int) -> tuple[Array, Mask]:
        """Return where each replicate's criterion is lowest (R,), and whether that is known and before the end.

        One that rises at zero and is lowest there has its minimum there.

        Parameters
        ----------
        values : ndarray, shape (K + more, R)
            At the points, and then at larger ratios.
        N : int
            Degrees of freedom.
        """
        best, last = np.argmin(values, axis=0), len(self.x) - 1
        inside, values = (best < last) & ~np.isnan(values[0]), values[: last + 1]
        best = np.minimum(best, last)
        low, high = self.x[np.maximum(best - 1, 0)], self.x[np.minimum(best + 1, last)]
        x = np.where(best > 0, self.x[best], 0.5 * (low + high))
        first, second = self.first @ values, self.second @ values
        for _ in range(STEPS):
            T = _polynomials(x, len(self.x))
            slope, bend = np.einsum("kr,kr->r", first, T), np.einsum("kr,kr->r", second, T)
            low, high = np.where(slope > 0, low, x), np.where(slope > 0, x, high)
            moved = x - np.divide(slope, bend, out=np.full_like(x, np.inf), where=bend > 0)
            moved = np.where((moved >= low) & (moved <= high), moved, 0.5 * (low + high))
            step, x = np.abs(moved - x), moved
            if (step[inside] < SETTLED).all():
                break
        slope_at_zero = _polynomials(self.x[:1], len(self.x))[:, 0] @ first * (2.0 * self.h / self.end)
        there = np.einsum("kr,kr->r", self.coefficients @ values, T)
        at_zero = (slope_at_zero >= -LEVEL * N) & (values[0] <= there + LEVEL)
        return np.where(at_zero, -1.0, x), inside


def _polynomials(x: Array, K: int) -> Array:
    """Return the first K Chebyshev polynomials at x (K, R)."""
    out = np.empty((K, len(x)))
    out[0], out[1] = 1.0, x
    twice = 2.0 * x
    for k in range(2, K):
        np.multiply(twice, out[k - 1], out=out[k])
        out[k] -= out[k - 2]
    return out
