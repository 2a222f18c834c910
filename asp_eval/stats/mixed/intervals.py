"""Intervals for standard deviations and correlations: by profile likelihood, or by Wald's approximation.

A profile interval holds the values at which the deviance (or REML criterion), minimised over everything else, exceeds
its minimum by less than the chi-square quantile on one degree of freedom. To hold a standard deviation or correlation
fixed, the effects of its block are put in an order in which it is part of the first rows of Lambda,

    s_1 fixed:  Lambda_11 = s_1            rho fixed:  Lambda_21 = rho s_2,  Lambda_22 = sqrt(1 - rho^2) s_2

and the criterion with sigma^2 as a parameter of its own is minimised over the rest, with its exact gradient:

    deviance(D, sigma^2) = g(D) + N log(2 pi sigma^2) + r^2(D) / sigma^2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize, special

from asp_eval.stats.engine.covariance import CovarianceShape, semidefinite_cholesky
from asp_eval.stats.engine.likelihood import Criterion
from asp_eval.stats.estimate import Array

LARGEST_LOG = 60.0
"""Bound of log sigma^2 in standard units while the line search tries long steps."""
FLAT_ENOUGH = 1e-4
"""Gradient at which the search for the rest ends: its square, over the curvature, is left in the criterion."""
FIRST_STEP = 0.1
"""In log sd, or Fisher's z of a correlation."""
OUT_OF_RANGE = 1e10
"""Stands for an infinite criterion, which the line search could not compare."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """The criterion around its minimum.

    Attributes
    ----------
    shape : CovarianceShape
    evaluate : callable
        The profiled criterion, with derivatives, at the elements of D in standard units.
    transforms : tuple of ndarray (k, k)
        B of each factor, in the order of elimination.
    covariances : tuple of ndarray (k, k)
        Estimates in the data's units, over the squared scale of y.
    sigma2 : float
        Estimate in standard units.
    minimum : float
    """

    shape: CovarianceShape
    evaluate: Callable[[Array], Criterion]
    transforms: tuple[Array, ...]
    covariances: tuple[Array, ...]
    sigma2: float
    minimum: float


@dataclass(frozen=True, slots=True)
class Target:
    """The parameter to hold fixed: sigma (no factor), an effect's standard deviation, or the correlation of two.

    Attributes
    ----------
    factor : int or None
        In the order of elimination.
    first : int
        The effect.
    second : int or None
        The other effect of a correlation.
    """

    factor: int | None = None
    first: int = 0
    second: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Warm:
    """Where a search ended.

    Attributes
    ----------
    x : ndarray (free,)
    inverse : ndarray (free, free) or None
        Of the Hessian there, as the search knows it.
    """

    x: Array
    inverse: Array | None


def profile_interval(surface: Surface, target: Target, estimate: float, level: float) -> tuple[float, float] | None:
    """Return the profile interval of a standard deviation (lower end zero if it reaches it) or of a correlation.

    None if the search given the parameter does not come back to the minimum, as in tiny samples with several valleys.
    """
    limit = float(special.chdtri(1.0, 1.0 - level))
    correlation = target.second is not None
    to, back = (np.arctanh, np.tanh) if correlation else (np.log, np.exp)
    smallest = 1e-7 * float(np.sqrt(surface.sigma2)) if not correlation else 0.0
    centre = float(to(np.clip(estimate, -0.999999, 0.999999) if correlation else max(estimate, smallest)))

    path: dict[float, Warm] = {}
    known: dict[float, float] = {}  # a point met again keeps its value, wherever the search came from

    def excess(z: float) -> float:
        """Return the signed root of the criterion above its minimum, less that of the limit: almost a line in z."""
        if z not in known:
            value, path[z] = minimum_given(surface, target, float(back(z)), _predicted(path, z))
            above = value - surface.minimum
            known[z] = float(np.sign(above) * np.sqrt(abs(above)) - np.sqrt(limit))
        return known[z]

    if excess(centre) >= 0:
        return None
    ends = []
    for direction in (-1.0, 1.0):
        path = {centre: path[centre]}
        outer = _beyond(excess, centre, direction, float(np.sqrt(limit)))
        if outer is None:
            edge = direction if correlation else (0.0 if direction < 0 else np.inf)
            ends.append(float(edge))
        else:
            root = float(optimize.brentq(excess, min(centre, outer), max(centre, outer), xtol=1e-7, rtol=1e-8))
            ends.append(float(back(root)))
    return ends[0], ends[1]


def _predicted(path: dict[float, Warm], z: float) -> Warm | None:
    """Return where the minimum at z should be: on the line through those at the two points nearest to it."""
    near = sorted(path, key=lambda known: abs(known - z))[:2]
    if len(near) < 2:
        return path[near[0]] if near else None
    one, other = path[near[0]], path[near[1]]
    return Warm(one.x + (z - near[0]) / (near[1] - near[0]) * (other.x - one.x), one.inverse)


def _beyond(excess: Callable[[float], float], centre: float, direction: float, limit: float) -> float | None:
    """Return a point on one side at which the root of the criterion has passed its limit, or None within 20 units."""
    step = FIRST_STEP
    while abs(step) < 20.0:
        outer = centre + direction * step
        found = excess(outer)
        if found >= 0:
            return outer
        reached = max(found + limit, 0.02 * limit)
        step *= float(np.clip(1.2 * limit / reached, 1.6, 6.0))
    return None


def minimum_given(surface: Surface, target: Target, value: float, warm: Warm | None = None) -> tuple[float, Warm]:
    """Return the minimum of the criterion with one parameter held at a value (in units of y's scale), and where it is.

    `warm` is where the minimum for a value nearby was.
    """
    template = _template(surface, target, value)
    u = np.log(surface.sigma2)
    fixed_u = 2.0 * np.log(value) if target.factor is None else None
    start = np.append(template.start, u) if fixed_u is None else template.start

    def objective(x: Array) -> tuple[float, Array]:
        log_sigma2 = float(x[-1]) if fixed_u is None else float(fixed_u)
        found, gradient_u, gradient_x = _deviance(surface, template, x[: len(template.start)], log_sigma2)
        return found, np.append(gradient_x, gradient_u) if fixed_u is None else gradient_x

    if not len(start):
        return objective(start)[0], Warm(start, None)
    first, inverse = (start, None) if warm is None else (warm.x, warm.inverse)
    options: Any = {"gtol": FLAT_ENOUGH, "hess_inv0": inverse}
    best = optimize.minimize(objective, first, jac=True, method="BFGS", options=options)
    inverse = np.asarray(best.hess_inv, float)
    inverse = 0.5 * (inverse + inverse.T)
    definite = bool(np.linalg.eigvalsh(inverse)[0] > 0.0)
    return float(best.fun), Warm(np.asarray(best.x, float), inverse if definite else None)


@dataclass(frozen=True, slots=True, eq=False)
class _Template:
    """Lambda in the data's units (one matrix per factor) as a linear function of free numbers.

    Attributes
    ----------
    positions : list of (factor, row, column)
        The elements of Lambda that are not zero, in the permuted order of `orders`.
    A, c : ndarray (elements, free), (elements,)
    start : ndarray (free,)
    orders : tuple of ndarray of int
        For each factor, the effects in the order of Lambda's rows.
    """

    positions: list[tuple[int, int, int]]
    A: Array
    c: Array
    start: Array
    orders: tuple[Array, ...]


def _template(surface: Surface, target: Target, value: float) -> _Template:
    """Return the free form of Lambda that holds the target at a value."""
    orders, positions, values, scales = [], [], [], []
    for f, covariance in enumerate(surface.covariances):
        order = _order(surface.shape, f, target)
        L = semidefinite_cholesky(covariance[np.ix_(order, order)])
        scale = np.sqrt(np.maximum(np.diag(covariance)[order], 1e-12 * float(np.diag(covariance).max()) + 1e-300))
        orders.append(order)
        blocks = _block_of(surface.shape, f)[order]
        for j in range(len(order)):
            for i in range(j, len(order)):
                if blocks[i] == blocks[j]:
                    positions.append((f, i, j))
                    values.append(L[i, j])
                    scales.append(scale[i])
    A, c, start = np.diag(scales), np.zeros(len(values)), np.array(values) / np.array(scales)
    if target.factor is None:
        return _Template(positions, A, c, start, tuple(orders))
    at = positions.index((target.factor, 0, 0))
    if target.second is None:
        c[at] = value
        return _Template(positions, np.delete(A, at, axis=1), c, np.delete(start, at), tuple(orders))
    two_one, two_two = positions.index((target.factor, 1, 0)), positions.index((target.factor, 1, 1))
    A[two_one, two_two] = value * scales[two_two]
    A[two_two, two_two] = np.sqrt(1.0 - value**2) * scales[two_two]
    start[two_two] = np.hypot(values[two_one], values[two_two]) / scales[two_two]
    return _Template(positions, np.delete(A, two_one, axis=1), c, np.delete(start, two_one), tuple(orders))


def _deviance(surface: Surface, template: _Template, x: Array, log_sigma2: float) -> tuple[float, float, Array]:
    """Return the criterion, and its derivatives in log sigma^2 and in the free numbers."""
    lam = template.A @ x + template.c
    sizes = surface.shape.sizes
    Ls = [np.zeros((k, k)) for k in sizes]
    for (f, i, j), v in zip(template.positions, lam, strict=True):
        Ls[f][i, j] = v
    sigma2 = float(np.exp(np.clip(log_sigma2, -LARGEST_LOG, LARGEST_LOG)))
    inverses = [np.linalg.inv(B)[:, order] for B, order in zip(surface.transforms, template.orders, strict=True)]
    d = surface.shape.elements_of([(M @ L) @ (M @ L).T / sigma2 for M, L in zip(inverses, Ls, strict=True)])
    found = surface.evaluate(d)
    N, r2 = found.N, found.r2
    if not np.isfinite(found.value):
        return OUT_OF_RANGE, 0.0, np.zeros(len(x))
    g = found.value - N * (1.0 + float(np.log(2.0 * np.pi * r2 / N)))
    value = g + N * (float(np.log(2.0 * np.pi)) + log_sigma2) + r2 / sigma2
    G = found.log_det_1 + found.r2_1 / sigma2
    halved = np.array([v if e.row == e.column else 0.5 * v for v, e in zip(G, surface.shape.elements, strict=True)])
    gradient = np.empty(len(lam))
    pulled = [2.0 / sigma2 * (M.T @ surface.shape.matrix(f, halved) @ M) @ Ls[f] for f, M in enumerate(inverses)]
    for a, (f, i, j) in enumerate(template.positions):
        gradient[a] = pulled[f][i, j]
    return value, float(N - r2 / sigma2 - G @ d), template.A.T @ gradient


def _order(shape: CovarianceShape, factor: int, target: Target) -> Array:
    """Return a factor's effects with those of the target first, and its block before the others."""
    effects = list(range(shape.sizes[factor]))
    if target.factor != factor:
        return np.array(effects)
    first = [target.first] if target.second is None else [target.first, target.second]
    block = _block_of(shape, factor)
    mine = [e for e in effects if block[e] == block[target.first] and e not in first]
    return np.array([*first, *mine, *(e for e in effects if block[e] != block[target.first])])


def _block_of(shape: CovarianceShape, factor: int) -> Array:
    """Return the block of each effect of a factor."""
    out = np.zeros(shape.sizes[factor], dtype=int)
    for e in shape.elements:
        if e.factor == factor:
            out[e.row] = e.block
    return out


def wald_interval(estimate: float, std_error: float, level: float, *, correlation: bool) -> tuple[float, float]:
    """Return Wald's interval, symmetric in log sd or in Fisher's z of the correlation."""
    z = float(special.ndtri((1.0 + level) / 2.0))
    if correlation:
        half = z * std_error / (1.0 - estimate**2)
        centre = np.arctanh(estimate)
        return float(np.tanh(centre - half)), float(np.tanh(centre + half))
    half = z * std_error / estimate
    return estimate * float(np.exp(-half)), estimate * float(np.exp(half))
