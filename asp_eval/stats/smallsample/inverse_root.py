"""The inverse square root as a sum of resolvents: x^-1/2 = sum_i w_i / (x + t_i^2) for x in [m, M].

The nodes and weights are those of Hale, Higham & Trefethen (2008), SIAM J Numer Anal 46:2505, method 3: the trapezoidal rule
after a map by Jacobi's elliptic functions. The error falls as exp(-2 pi^2 N / (log(M/m) + 6)) or faster, so that one digit
costs little more than one node; how many are needed is found by looking at the error itself.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import ellipj, ellipkm1

from asp_eval.stats.estimate import Array

DIGITS = 1e-14
"""Largest relative error of the rule, a little above rounding."""
LOOKED_AT = 400
"""Points of [m, M] at which the error is looked at."""


@lru_cache(maxsize=64)
def inverse_root_rule(spread: float) -> tuple[Array, Array]:
    """Return the nodes t (N,) and weights w (N,) on [1, `spread`].

    Parameters
    ----------
    spread : float
        M / m, at least 1. On [m, M] the nodes and the weights are sqrt(m) times these.

    Examples
    --------
    >>> t, w = inverse_root_rule(1e4)
    >>> float(abs(np.sum(w / (25.0 + t**2)) - 0.2)) < 1e-15
    True
    """
    x = np.geomspace(1.0, spread, LOOKED_AT)
    most = int(np.ceil(np.log(1 / DIGITS) * (np.log(spread) + 6) / (2 * np.pi**2))) + 8
    for count in range(most // 3, most):
        t, w = _rule(spread, count)
        if np.abs(np.sqrt(x) * np.sum(w / (x[:, None] + t**2), axis=1) - 1).max() <= DIGITS:
            break
    return t, w


def _rule(spread: float, count: int) -> tuple[Array, Array]:
    """Return the rule with so many nodes; those beyond half the period from those before it, where the functions keep digits."""
    period = ellipkm1(1 / spread)  # K' of the modulus with k^2 = m / M
    at = (np.arange(count) + 0.5) / count
    sn, cn, dn, _ = ellipj(np.minimum(at, 1 - at) * period, 1 - 1 / spread)
    first, k = at <= 0.5, 1 / np.sqrt(spread)
    t = np.where(first, sn / cn, cn / (k * sn))
    w = np.where(first, dn / cn**2, dn / (k * sn**2))
    return np.asarray(t, float), np.asarray(2 * period / (np.pi * count) * w, float)
