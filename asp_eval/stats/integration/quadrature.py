"""Adaptive Gauss-Hermite quadrature for one grouping factor with one random effect, all groups at once.

With Q nodes z and weights w for the normal density, each group's integral is taken at u_q = u^ + s z_q:

    log likelihood = sum over groups  log s + log sum_q w_q exp( sum_i l_i(u_q) - u_q^2/2 + z_q^2/2 )

(Pinheiro & Bates 1995, J Comput Graph Stat 4:12). s = D^-1/2 with D = 1 + lambda^2 z'Wz; W is the expected information
where the rows offer it, as in lme4, whose numbers these then are at any number of nodes; else the observed one. The
gradient counts how the nodes move.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.laplace import Evaluation
from asp_eval.stats.integration.model import LatentModel, Modes, find_modes
from asp_eval.stats.integration.solvers import Effects

HELD = 30_000
"""Numbers of a node-by-row table worked on at a time."""


def quadrature(model: LatentModel, x: Array, nodes: int, start: Effects | None = None) -> Evaluation:
    """Return -log likelihood by quadrature at all parameters x, and its gradient."""
    beta, theta, psi = model.split(x)
    L = model.triangle(theta)
    with np.errstate(all="ignore"):
        fixed = model.fixed_part(beta)
        modes = find_modes(model, fixed, L, psi, start)
        if modes is None:
            return Evaluation(np.inf, np.full(len(x), np.nan), None)
        value, gradient, row_slope = _integrate(model, modes, fixed, float(theta[0]), psi, nodes)
        if not np.isfinite(value):
            return Evaluation(np.inf, np.full(len(x), np.nan), None)
        return Evaluation(value, gradient, modes, row_slope)


def _integrate(model: LatentModel, modes: Modes, fixed: Array, lam: float, psi: Array, nodes: int) -> tuple[float, Array, Array]:
    """Return the value, the gradient and the slope of each row at the modes."""
    cells, rows, terms = model.cells, model.rows, modes.terms
    z = cells.columns[0] if cells.columns else 1.0
    own = cells.own
    u, second = modes.cells[:, 0], terms.second
    w, w1 = modes.information, modes.information_slope
    ww, ww1 = cells.sums(w * z**2), cells.sums(w1 * z**3)
    D = 1.0 + lam**2 * ww
    s = D**-0.5
    A = 1.0 + lam**2 * cells.sums(-second * z**2)
    point, log_weight = _rule(nodes)
    U = u + s * point[:, None]  # (Q, m)
    height = -0.5 * U**2 + (0.5 * point**2 + log_weight)[:, None]
    slope = np.empty((nodes, len(own)))
    step = max(1, HELD // len(own))
    for at in range(0, nodes, step):
        part = slice(at, at + step)
        value_of_rows, slope[part] = rows.value_and_slope(fixed + z * (lam * U[part])[:, own], psi)
        height[part] += cells.sums(value_of_rows)
    top = height.max(axis=0)
    P = np.exp(height - top)
    total = P.sum(axis=0)
    P /= total
    value = -float((top + np.log(total) + np.log(s)).sum())
    R = cells.sums(slope * z) if cells.columns else cells.sums(slope)  # (Q, m)
    h1 = lam * R - U
    q1, q2 = (P * h1).sum(axis=0), (P * h1 * point[:, None]).sum(axis=0)
    kappa = -0.5 * (q2 + 1.0 / s) * s**3  # of D
    a = (q1 + kappa * lam**3 * ww1) / A  # of the equation that the mode solves
    g = (P[:, own] * slope).sum(axis=0) + kappa[own] * lam**2 * w1 * z**2 + (a * lam)[own] * z * second
    by_group = (P * U * R).sum(axis=0) + kappa * (2.0 * lam * ww + lam**2 * u * ww1)
    by_group += a * (lam * u * (1.0 - A) / lam**2 if lam else 0.0) + a * cells.sums(terms.first * z)
    shared = np.zeros(rows.n_shared)
    if rows.n_shared:
        zero = np.zeros_like(second)
        for q in range(nodes):
            shared += rows.shared_gradient(fixed + z * (lam * U[q])[own], psi, P[q][own], zero, zero)
        shared += rows.shared_gradient(modes.eta, psi, zero, (a * lam)[own] * z, -(kappa * lam**2)[own] * z**2)
    return value, -np.concatenate([model.X @ g, [by_group.sum()], shared]), -g


@lru_cache
def _rule(nodes: int) -> tuple[Array, Array]:
    """Return nodes and log weights for the standard normal density."""
    point, weight = np.polynomial.hermite_e.hermegauss(nodes)
    return point, np.log(weight) - 0.5 * np.log(2 * np.pi)
