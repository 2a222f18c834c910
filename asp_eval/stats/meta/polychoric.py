r"""Polychoric correlations: of the normal variables that answers in ordered categories are cut from.

Two steps (Olsson 1979, Psychometrika 44:443-460): the cuts are normal quantiles of the margins; then :math:`\rho` maximises

.. math:: \sum_{ab} n_{ab} \log \{F(c_a, d_b) - F(c_{a-1}, d_b) - F(c_a, d_{b-1}) + F(c_{a-1}, d_{b-1})\}

with F the bivariate normal distribution, which is its value without correlation and an integral of the density over
the correlation,

.. math:: F(h, k; \rho) = \Phi(h) \Phi(k) + \int_0^\rho \phi_2(h, k; r)\, dr.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize, special

from asp_eval.stats.estimate import Array

NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)
MOST = 0.999
FAR = 12.0
"""Stands for an infinite cut: the normal distribution has nothing beyond it."""


def polychoric(items: Array) -> Array:
    """Return the correlation matrix (k, k) of answers (n, k), complete and each of two categories or more.

    Examples
    --------
    >>> both = np.repeat([[0, 0], [1, 1], [0, 1], [1, 0]], [40, 40, 10, 10], axis=0)
    >>> round(float(polychoric(both)[0, 1]), 4)  # tetrachoric at the median: sin(pi/2 (1 - 4 * 0.1))
    0.809
    """
    k = items.shape[1]
    codes = [pd.factorize(column, sort=True)[0] for column in items.T]
    cuts = [_cuts(one) for one in codes]
    R = np.eye(k)
    for a in range(k):
        for b in range(a):
            R[a, b] = R[b, a] = _correlation(codes[a], codes[b], cuts[a], cuts[b])
    return R


def _cuts(codes: np.ndarray) -> Array:
    below = np.cumsum(np.bincount(codes))[:-1] / len(codes)
    return np.concatenate([[-FAR], special.ndtri(below), [FAR]])


def _correlation(a: np.ndarray, b: np.ndarray, cuts_a: Array, cuts_b: Array) -> float:
    shape = (len(cuts_a) - 1, len(cuts_b) - 1)
    counts = np.bincount(a * shape[1] + b, minlength=shape[0] * shape[1]).reshape(shape)

    h, k = cuts_a[:, None, None], cuts_b[None, :, None]
    independent = (special.ndtr(h) * special.ndtr(k))[..., 0]

    def minus_log_likelihood(rho: float) -> float:
        F = independent + _covered(h, k, rho)
        cells = F[1:, 1:] - F[:-1, 1:] - F[1:, :-1] + F[:-1, :-1]
        return -float((counts * np.log(np.maximum(cells, 1e-300))).sum())

    found = optimize.minimize_scalar(minus_log_likelihood, bounds=(-MOST, MOST), method="bounded", options={"xatol": 1e-8})
    return float(found.x)


def _covered(h: Array, k: Array, rho: float) -> Array:
    """Return what the correlation adds to the bivariate normal distribution function of h and k, (..., 1)."""
    r = 0.5 * rho * (NODES + 1.0)
    spread = 1.0 - r**2
    exponent = (h**2 + k**2 - 2.0 * r * h * k) / (2.0 * spread)
    density = np.exp(-exponent) / (2.0 * np.pi * np.sqrt(spread))
    return np.asarray(0.5 * rho * (density @ WEIGHTS))
