"""The minimum of the criterion in one variance ratio for thousands of replicates at once.

Replicates differ in their outcome (parametric bootstrap) or in some columns (permutation); either way `Replicates` know
the cross-products  S(d) = u'Wu - sum_g d / (1 + d h_g) s_g s_g'  of each, u = [X, y], with derivatives in d, and

    criterion(d) = sum_g log(1 + d h_g) [+ log|S_xx|] + N log r^2(d),          N = n - p (REML) or n (ML).

The search is that of a single fit (`asp_eval.stats.engine.one_ratio`): the valley on the same grid of d, then safeguarded
Newton steps in log d; a criterion that rises at zero and is lowest there gives zero.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from asp_eval.stats.engine.one_ratio import GRID
from asp_eval.stats.engine.packed import eliminate
from asp_eval.stats.estimate import Array

Index = npt.NDArray[np.intp]

CLOSE = 1e-6
"""A Newton step in log d below this is the last: its error is the square."""
STEPS = 60


class Replicates(Protocol):
    """Replicates of a model with one random effect.

    Attributes
    ----------
    h : ndarray, shape (J,) or (J, R)
        Z'WZ of the groups; of each replicate, where groups differ between them (0 stands for no group).
    size : int
        Columns of u = [X, y].
    N : int or ndarray, shape (R,)
    reml : bool
    """

    @property
    def h(self) -> Array: ...  # noqa: D102

    @property
    def size(self) -> int: ...  # noqa: D102

    @property
    def N(self) -> int | Array: ...  # noqa: D102

    @property
    def reml(self) -> bool: ...  # noqa: D102

    def profile(self, which: Index, d: Array, orders: int) -> Array:
        """Return S(d) of some replicates with derivatives, packed (E, orders, len(which))."""

    def grid_values(self) -> Array:
        """Return every replicate's criterion at the points of the grid (points, R), up to a constant."""


def minimise_ratios(replicates: Replicates, close: float = CLOSE) -> Array:
    """Return the d that minimises each replicate's criterion (R,); where it is zero does not depend on `close`."""
    values = replicates.grid_values()
    best = np.argmin(values, axis=0)
    upper = np.append(GRID, GRID[-1] * 1e8)
    low, high = upper[np.maximum(best - 1, 0)], upper[best + 1]
    near_zero = np.flatnonzero(low == 0.0)
    at_zero = np.zeros(len(best), dtype=bool)
    value, slope, _ = criteria(replicates, near_zero, np.zeros(len(near_zero)), 2)
    rises = slope >= -1e-9 * _of(replicates.N, near_zero)
    at_zero[near_zero[rises & (best[near_zero] == 0)]] = True
    d = _search(replicates, _vertex(values, best), low, high, np.flatnonzero(~at_zero), close)
    inner = rises & (best[near_zero] > 0) & (d[near_zero] < GRID[1])
    if inner.any():
        doubtful = near_zero[inner]
        d = _search(replicates, d, low, high, doubtful, CLOSE)
        there, _, _ = criteria(replicates, doubtful, d[doubtful], 2)
        at_zero[doubtful[value[inner] <= there + 1e-9]] = True
    return np.where(at_zero, 0.0, d)


def criteria(replicates: Replicates, which: Index, d: Array, orders: int = 3) -> tuple[Array, Array, Array | float]:
    """Return the criterion of some replicates and its first two derivatives in d, up to a constant; without the second, 0."""
    h = replicates.h[:, None] if replicates.h.ndim == 1 else replicates.h[:, which]
    found = eliminate(replicates.profile(which, d, orders), replicates.size).pivots
    value, first = found[:, 0], found[:, 1]
    N = _of(replicates.N, which)
    many = np.full((replicates.size, np.size(N)), 1.0 if replicates.reml else 0.0)
    many[-1] = N
    hv = h / (1.0 + d * h)
    share = first / value
    logs = np.log1p(d * h).sum(axis=0) + (many * np.log(value)).sum(axis=0)
    slope = hv.sum(axis=0) + (many * share).sum(axis=0)
    if orders < 3:
        return logs, slope, 0.0
    return logs, slope, (many * (found[:, 2] / value - share**2)).sum(axis=0) - (hv * hv).sum(axis=0)


def _of(N: int | Array, which: Index) -> int | Array:
    """Return N of some replicates."""
    return N[which] if isinstance(N, np.ndarray) else N


def _vertex(values: Array, best: Index) -> Array:
    """Return where a parabola through the three lowest points of the grid, in log d, has its minimum (R,)."""
    middle = np.clip(best, 2, len(GRID) - 2)
    below, at, above = (values[middle + k, np.arange(len(best))] for k in (-1, 0, 1))
    bend = below - 2.0 * at + above
    move = np.where(bend > 0, 0.5 * (below - above) / np.where(bend > 0, bend, 1.0), 0.0)
    moved = GRID[middle] * np.exp(np.clip(move, -0.5, 0.5) * np.log(GRID[2] / GRID[1]))
    return np.where(best == middle, moved, np.where(best > 0, GRID[best], GRID[1] / 2.0))


def _search(replicates: Replicates, start: Array, low: Array, high: Array, active: Index, close: float) -> Array:
    """Return where the derivative vanishes, by Newton's method in log d inside brackets; only `active` replicates move."""
    d, low, high = start.copy(), np.maximum(low, 1e-12), high.copy()
    for _ in range(STEPS):
        if not len(active):
            break
        x = d[active]
        _, first, second = criteria(replicates, active, x)
        slope, bend = first * x, second * x * x + first * x
        rising = slope > 0
        high[active] = np.where(rising, x, high[active])
        low[active] = np.where(rising, low[active], x)
        step = np.where(bend > 0, -slope / np.where(bend > 0, bend, 1.0), -2.0 * np.sign(slope))
        proposal = x * np.exp(np.clip(step, -3.0, 3.0))
        inside = (proposal >= low[active]) & (proposal <= high[active])
        proposal = np.where(inside, proposal, np.sqrt(low[active] * high[active]))
        d[active] = proposal
        done = ((np.abs(step) < close) & (bend > 0)) | (high[active] < 1e-10) | (high[active] - low[active] < 1e-14 * x)
        active = active[~done]
    return d
