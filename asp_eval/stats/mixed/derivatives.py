"""From derivatives in D = phi / sigma^2 to derivatives in phi and sigma^2, for the small-sample methods.

With phi_0 = sigma^2 and V_0 = W^-1 + Z D Z', V = phi_0 V_0(phi / phi_0). In units in which phi_0 = 1 the chain rule gives

    log|V|     = n log phi_0 + L(D)      X'V^-1 X = S(D) / phi_0
    deviance   = g(D) + N log phi_0 + rho(D) / phi_0,    g = log|V_0| [+ log|S_xx|],   rho = r^2 / sigma^2

and every derivative in phi_0 follows from those in D; nothing is summed over rows.
"""

from __future__ import annotations

import numpy as np

from asp_eval.stats.engine.likelihood import Criterion
from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.variance import VarianceDerivatives


def variance_derivatives(found: Criterion, d: Array, n: int, T: Array) -> VarianceDerivatives:
    """Return what the small-sample methods need.

    Parameters
    ----------
    found : Criterion
        At the estimate.
    d : ndarray (s,)
        The elements of D.
    n : int
        Rows.
    T : ndarray (p, p)
        Coefficients in the data's units from those in standard units.
    """
    p, s = len(found.beta), len(d)
    profile = found.profile
    S, S_1, S_2 = profile.S[:p, :p], profile.S_1[:, :p, :p], profile.S_2[:, :, :p, :p]
    first = np.empty((s + 1, p, p))
    first[:s] = S_1
    along = np.add.reduce(d[:, None, None] * S_1)
    first[s] = -S - along
    second = np.empty((s + 1, s + 1, p, p))
    second[:s, :s] = S_2
    mixed = np.add.reduce(d[:, None, None] * S_2, axis=1)
    second[:s, s] = second[s, :s] = -2.0 * S_1 - mixed
    second[s, s] = 2.0 * S + 4.0 * along + np.add.reduce(d[:, None, None] * mixed)
    log_det = _bordered(profile.log_det_1, profile.log_det_2, d, (0.0, 0.0, 0.0), -n)
    rho_1, rho_2 = found.r2_1 / found.sigma2, found.r2_2 / found.sigma2
    hessian = _bordered(found.log_det_1, found.log_det_2, d, (0.0, 0.0, 0.0), -found.N)
    hessian += _bordered(rho_1, rho_2, d, (found.N, 1.0, 2.0), 0.0)
    return VarianceDerivatives(found.B, first, 0.5 * second, -log_det, hessian, T * np.sqrt(found.sigma2))


def _bordered(first: Array, second: Array, d: Array, scaled: tuple[float, float, float], corner: float) -> Array:
    """Return the Hessian in (phi, phi_0) at phi_0 = 1 of f(phi / phi_0) phi_0^-k, plus `corner` for a multiple of log phi_0.

    `scaled` is (f, k, k (k + 1)); it is zero where k = 0.
    """
    value, k, kk = scaled
    s = len(d)
    out = np.empty((s + 1, s + 1))
    out[:s, :s] = second
    out[:s, s] = out[s, :s] = -(1.0 + k) * first - second @ d
    out[s, s] = kk * value + 2.0 * (1.0 + k) * float(d @ first) + float(d @ second @ d) + corner
    return out
