"""Laplace's approximation of the likelihood, and its exact gradient.

With h(u) = -sum l + u'u/2, the mode u^ of the effects and A = I + L'Z'WZL there,

    -log likelihood ~ h(u^) + log|A| / 2

W is the expected information for a binomial or Poisson outcome, as in lme4, and the observed one, -l'', for the others,
as in glmmTMB and ordinal; with a canonical link they are the same. The gradient counts how the mode moves with the
parameters: with v_i = z_i'L A^-1 L'z_i, r = L'Z'(v W')/2, s = A_o^-1 r (A_o has the observed information W_o) and t = ZLs,

    d/d beta    = X'g,  g = -l' + v W'/2 - W_o t
    d/d L_ab    = sum over groups (Z'g)_a u_b + (Z'l')_a s_b + (A^-1 L'Z'WZ)_ba
    d/d psi     = sum -dl - v dl''/2 + t dl'
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.model import LatentModel, Modes, congruent, find_modes, turned
from asp_eval.stats.integration.solvers import Effects


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The criterion at one point.

    Attributes
    ----------
    value : float
        -log likelihood; infinite where the model is not defined.
    gradient : ndarray (parameters,)
    modes : Modes or None
        None where the model is not defined.
    row_slope : ndarray (n,) or None
        Derivative of the criterion in the linear predictor of each sorted row, so that a column's slope is its sum of products.
    """

    value: float
    gradient: Array
    modes: Modes | None
    row_slope: Array | None = None


def laplace(model: LatentModel, x: Array, start: Effects | None = None) -> Evaluation:
    """Return -log likelihood by Laplace's approximation at all parameters x, and its gradient."""
    beta, theta, psi = model.split(x)
    L = model.triangle(theta)
    with np.errstate(all="ignore"):
        modes = find_modes(model, model.fixed_part(beta), L, psi, start)
        if modes is None:
            return Evaluation(np.inf, np.full(len(x), np.nan), None)
        value = -float(modes.terms.value.sum()) + 0.5 * sum(float((u * u).sum()) for u in modes.u)
        value += 0.5 * modes.curvature.log_determinant
        if not np.isfinite(value):
            return Evaluation(np.inf, np.full(len(x), np.nan), None)
        return Evaluation(value, *_gradient(model, modes, L, psi))


def _gradient(model: LatentModel, modes: Modes, L: Array, psi: Array) -> tuple[Array, Modes, Array]:
    """Return the gradient at the modes, the modes and the slope of each row."""
    cells, solver, terms = model.cells, model.solver, modes.terms
    S = modes.curvature.own_inverse()
    v = cells.quadratic(congruent(S, L.T))
    half = 0.5 * v * modes.information_slope
    s = solver.gather(modes.solved.solve(solver.collect(turned(cells.gradient(half), L))))
    t = cells.spread(turned(s, L.T))
    g = -terms.first + half + terms.second * t
    G = cells.gradient(g).T @ modes.cells + cells.gradient(terms.first).T @ s
    G += (S * modes.C * L[0, 0] if len(L) == 1 else S @ (L.T @ modes.C)).sum(axis=0).T
    theta = np.array([G[e.place] for e in model.elements])
    shared = np.zeros(0)
    if model.rows.n_shared:
        shared = model.rows.shared_gradient(modes.eta, psi, np.full_like(v, -1.0), t, -0.5 * v)
    return np.concatenate([model.X @ g, theta, shared]), modes, g
