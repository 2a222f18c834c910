"""The minimum of the criterion in one variance ratio d = tau^2 / sigma^2 >= 0: a grid, then safeguarded Newton.

The grid finds the valley of the lowest minimum (there can be two); Newton's steps in log(d) stay inside its bracket and
fall back on bisection. If the criterion rises at d = 0 and is lowest there, the estimate is zero.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from asp_eval.stats.engine.likelihood import RatioCriterion, ratio_criterion
from asp_eval.stats.engine.one_effect import OneEffect
from asp_eval.stats.engine.optimisation import SINGULAR, Optimum, is_minimum_ratio
from asp_eval.stats.estimate import Array

GRID = np.concatenate([[0.0], np.exp(np.arange(-9.0, 12.1, 1.5))])
"""Ratios from an intraclass correlation of 0.0001 to one of 0.99999, and zero."""
ROUNDING = 1e-15
"""Share of the outcome's sum of squares below which what is left of it is rounding."""


def ratio_at(one: OneEffect, d: float, n: int, *, reml: bool) -> RatioCriterion:
    """Return the criterion of a model with one random effect and n rows at one variance ratio."""
    S, log_dets = one.derivatives(d)
    return ratio_criterion(S, log_dets, n, reml=reml)


def minimise_ratio(one: OneEffect, n: int, *, reml: bool) -> Optimum:
    """Return the minimum of the criterion of a model with one random effect and n rows."""

    def evaluate(d: float) -> RatioCriterion:
        return ratio_at(one, d, n, reml=reml)

    values = _grid_values(one, n, reml=reml)
    best = int(np.argmin(values))
    low = float(GRID[max(best - 1, 0)])
    high = float(GRID[best + 1]) if best + 1 < len(GRID) else float(GRID[-1]) * 1e8
    found, d, spent = _search(evaluate, low, high, float(GRID[best]))
    zero = evaluate(0.0) if low == 0.0 and d < GRID[1] else None
    if zero is not None and zero.value <= found.value + 1e-9 and zero.gradient >= -1e-9 * zero.N:
        found, d = zero, 0.0
    theta = np.array([np.sqrt(d)])
    return Optimum(theta, found.whole(), is_minimum_ratio(d, found), bool(theta[0] < SINGULAR), spent)


def _grid_values(one: OneEffect, n: int, *, reml: bool) -> Array:
    """Return the criterion on the grid, up to a constant."""
    log_det, S = one.values(GRID)
    p = S.shape[1] - 1
    logs = 2.0 * np.log(_pivots(S))
    N = n - p if reml else n
    return np.asarray(log_det + N * logs[:, p] + (logs[:, :p].sum(axis=1) if reml else 0.0), float)


def _pivots(S: Array) -> Array:
    """Return the diagonals of the Cholesky factors (g, p + 1), of an outcome kept above rounding."""
    try:
        pivots = np.linalg.cholesky(S).diagonal(axis1=1, axis2=2)
        if (pivots[:, -1] ** 2 > 2.0 * ROUNDING * S[0, -1, -1]).all():  # as is usual: then `_safe` adds nothing
            return np.asarray(pivots, float)
    except np.linalg.LinAlgError:
        pass
    return np.asarray(np.linalg.cholesky(_safe(S)).diagonal(axis1=1, axis2=2), float)


def _safe(S: Array) -> Array:
    """Return S with an outcome that the random effects all but predict kept above rounding."""
    p = S.shape[1] - 1
    rest = S[:, p, p] - np.einsum("gi,gi->g", S[:, :p, p], np.linalg.solve(S[:, :p, :p], S[:, :p, p, None])[..., 0])
    out = S.copy()
    out[:, p, p] += np.maximum(ROUNDING * S[0, p, p] - rest, 0.0)
    return out


def _search(
    evaluate: Callable[[float], RatioCriterion], low: float, high: float, start: float
) -> tuple[RatioCriterion, float, int]:
    """Return the point between `low` and `high` where the criterion's derivative is zero, or as low as 1e-12."""
    d = start if start > 0 else min(high, float(GRID[1])) / 2.0
    low = max(low, 1e-12)
    found = evaluate(d)
    for step_number in range(1, 100):
        slope = found.gradient * d  # in log d
        bend = found.hessian * d * d + slope
        if slope > 0:
            high = d
        else:
            low = d
        step = -slope / bend if bend > 0 else -np.sign(slope) * 2.0
        proposal = d * float(np.exp(max(-3.0, min(step, 3.0))))
        if not low < proposal < high:
            proposal = float(np.sqrt(low * high))
        if abs(np.log(proposal / d)) < 1e-11 or high < 1e-10 or slope * slope < 1e-22 * found.N * max(bend, 1e-300):
            return found, d, step_number
        small = abs(step) < 1e-5 and bend > 0  # Newton squares the error: the next point is the last
        d, found = proposal, evaluate(proposal)
        if small:
            return found, d, step_number + 1
    return found, d, 100
