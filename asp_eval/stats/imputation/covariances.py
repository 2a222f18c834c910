"""Draws of covariance matrices: inverse Wishart, the prior of Huang & Wand, and variances of 1 for categories.

The prior of the institutions' covariance is that of Huang & Wand (2013): standard deviations half-t with 2 degrees of freedom and
scale 1 (the data are standardised), correlations uniform::

    Psi | a ~ IW(nu + Q - 1, 2 nu diag(1/a)),   a_k ~ IG(1/2, 1),   nu = 2

It was chosen by simulation over inverse Wishart priors of 0.1 I and I: see ``docs/imputation.md``.

References
----------
Huang & Wand (2013), Bayesian Anal 8:439. Smith & Hocking (1972), J R Stat Soc C 21:341 (Bartlett's decomposition).
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from asp_eval.stats.estimate import Array

NU = 2.0
SLOPE_PRECISION = 1.0
"""Prior precision of the regression of a category's latent variable on the variables before it."""


def inverse_wishart(df: float, scale: Array, rng: np.random.Generator) -> Array:
    """Return a draw (q, q) of the inverse Wishart distribution, by Bartlett's decomposition.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> draws = np.array([inverse_wishart(12.0, 9.0 * np.eye(2), rng) for _ in range(4_000)])
    >>> draws.mean(0).round(1).tolist()
    [[1.0, -0.0], [-0.0, 1.0]]
    """
    q = len(scale)
    A = np.tril(rng.standard_normal((q, q)), -1)
    A.flat[:: q + 1] = np.sqrt(rng.chisquare(df - np.arange(q)))
    T = lapack.dtrtri(A, lower=1)[0] @ np.linalg.cholesky(scale).T
    return np.asarray(T.T @ T, float)


def with_categories(free: Array, products: Array, rng: np.random.Generator) -> Array:
    """Return a covariance matrix whose last variables have variance 1, given the variables before them.

    Parameters
    ----------
    free : ndarray (f, f)
        Covariance of the first variables.
    products : ndarray (q, q)
        Cross-products of the residuals of all of them.
    rng : Generator
    """
    f, q = len(free), len(products)
    if f == q:
        return free
    out = np.zeros((q, q))
    out[:f, :f] = free
    for k in range(f, q):
        factor = np.linalg.cholesky(products[:k, :k] + SLOPE_PRECISION * np.eye(k))
        half = np.linalg.solve(factor, products[:k, k]) + rng.standard_normal(k)
        slope = np.linalg.solve(factor.T, half)
        out[k, :k] = out[:k, k] = out[:k, :k] @ slope
        out[k, k] = 1.0 + slope @ out[:k, k]
    return out


def draw_child_covariance(products: Array, n: int, n_free: int, rng: np.random.Generator) -> Array:
    """Return a draw of Sigma (q, q), with the prior IW(f + 1, I) of its free part.

    Parameters
    ----------
    products : ndarray (q, q)
        Cross-products of the residuals.
    n : int
        Number of rows.
    n_free : int
        f.
    rng : Generator
    """
    f = n_free
    free = inverse_wishart(f + 1.0 + n, products[:f, :f] + np.eye(f), rng) if f else np.zeros((0, 0))
    return with_categories(free, products, rng)


def draw_institution_covariance(
    products: Array, n: int, n_free: int, scales: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return a draw of Psi (Q, Q), and of the scales a (f,) of its prior.

    Parameters
    ----------
    products : ndarray (Q, Q)
    n : int
        Number of institutions.
    n_free : int
        f.
    scales : ndarray (f,)
        The last draw of a.
    rng : Generator
    """
    f = n_free
    free = inverse_wishart(NU + f - 1.0 + n, products[:f, :f] + np.diag(2 * NU / scales), rng)
    rate = NU * np.diag(np.linalg.inv(free)) + 1.0
    return with_categories(free, products, rng), np.asarray(rate / rng.gamma((NU + f) / 2, size=f), float)
