"""Draws of covariance matrices: inverse Wishart, the prior of Huang & Wand, and variances of 1 for categories.

The prior of the institutions' covariance is that of Huang & Wand (2013): standard deviations half-t with 2 degrees of freedom and
scale 1 (the data are standardised), correlations uniform::

    Psi | a ~ IW(nu + Q - 1, 2 nu diag(1/a)),   a_k ~ IG(1/2, 1),   nu = 2

It was chosen by simulation over inverse Wishart priors of 0.1 I and I: see ``docs/imputation.md``.

Every function takes and returns stacks of matrices, and the random numbers that it uses.

References
----------
Huang & Wand (2013), Bayesian Anal 8:439. Smith & Hocking (1972), J R Stat Soc C 21:341 (Bartlett's decomposition).
"""

from __future__ import annotations

import numpy as np

from asp_eval.stats.estimate import Array

NU = 2.0
SLOPE_PRECISION = 1.0
"""Prior precision of the regression of a category's latent variable on the variables before it."""


def bartlett_shapes(df: float, q: int) -> Array:
    """Return the shapes (q,) of the gamma numbers of an inverse Wishart draw with `df` degrees of freedom."""
    return (df - np.arange(q)) / 2


def inverse_wishart(scale: Array, gammas: Array, normals: Array) -> Array:
    """Return draws (..., q, q) of the inverse Wishart distribution, by Bartlett's decomposition.

    Parameters
    ----------
    scale : ndarray (..., q, q)
    gammas : ndarray (..., q)
        With the shapes that `bartlett_shapes` returns.
    normals : ndarray (..., q, q)

    Examples
    --------
    >>> rng, n = np.random.default_rng(1), 4_000
    >>> gammas = rng.standard_gamma(bartlett_shapes(12.0, 2), (n, 2))
    >>> draws = inverse_wishart(9.0 * np.eye(2), gammas, rng.standard_normal((n, 2, 2)))
    >>> draws.mean(0).round(1).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    q = scale.shape[-1]
    A = np.tril(normals, -1)
    A[..., range(q), range(q)] = np.sqrt(2.0 * gammas)
    T = np.linalg.inv(A) @ np.linalg.cholesky(scale).swapaxes(-1, -2)
    return np.asarray(T.swapaxes(-1, -2) @ T, float)


def category_normals(f: int, q: int) -> int:
    """Return how many normal numbers `with_categories` uses for each matrix."""
    return sum(range(f, q))


def with_categories(free: Array, products: Array, normals: Array) -> Array:
    """Return covariance matrices (..., q, q) whose last variables have variance 1, given the variables before them.

    Parameters
    ----------
    free : ndarray (..., f, f)
        Covariance of the first variables.
    products : ndarray (..., q, q)
        Cross-products of the residuals of all of them.
    normals : ndarray (..., category_normals(f, q))
    """
    f, q = free.shape[-1], products.shape[-1]
    if f == q:
        return free
    out = np.zeros(products.shape)
    out[..., :f, :f] = free
    at = 0
    for k in range(f, q):
        precision = products[..., :k, :k] + SLOPE_PRECISION * np.eye(k)
        noise = np.linalg.cholesky(precision) @ normals[..., at : at + k, None]
        at += k
        slope = np.linalg.solve(precision, products[..., :k, k, None] + noise)
        beside = (out[..., :k, :k] @ slope)[..., 0]
        out[..., k, :k] = out[..., :k, k] = beside
        out[..., k, k] = 1.0 + (slope[..., 0] * beside).sum(-1)
    return out


def child_df(n: float, f: int) -> float:
    """Return the degrees of freedom of the draw of Sigma's free part, from `n` rows: its prior is IW(f + 1, I)."""
    return f + 1.0 + n


def draw_child_covariance(products: Array, gammas: Array, normals: Array, more: Array) -> Array:
    """Return draws of Sigma (..., q, q), with the prior IW(f + 1, I) of its free part.

    Parameters
    ----------
    products : ndarray (..., q, q)
        Cross-products of the residuals.
    gammas, normals : ndarray (..., f), (..., f, f)
        Of Bartlett's decomposition, with `child_df` degrees of freedom.
    more : ndarray (..., category_normals(f, q))
    """
    f = gammas.shape[-1]
    free = inverse_wishart(products[..., :f, :f] + np.eye(f), gammas, normals) if f else np.zeros((*products.shape[:-2], 0, 0))
    return with_categories(free, products, more)


def institution_df(n: float, f: int) -> float:
    """Return the degrees of freedom of the draw of Psi's free part, from `n` institutions."""
    return NU + f - 1.0 + n


def draw_institution_covariance(products: Array, scales: Array, gammas: Array, normals: Array, more: Array) -> Array:
    """Return draws of Psi (..., Q, Q), given the scales a (..., f) of its prior.

    Parameters
    ----------
    products : ndarray (..., Q, Q)
    scales : ndarray (..., f)
    gammas, normals : ndarray (..., f), (..., f, f)
        Of Bartlett's decomposition, with `institution_df` degrees of freedom.
    more : ndarray (..., category_normals(f, Q))
    """
    f = scales.shape[-1]
    free = inverse_wishart(products[..., :f, :f] + 2 * NU / scales[..., None] * np.eye(f), gammas, normals)
    return with_categories(free, products, more)


def draw_scales(precision: Array, gammas: Array) -> Array:
    """Return draws of the scales a (..., f), given the diagonal (..., f) of the inverse of Psi's free part.

    `gammas` (..., f) have the shape (nu + f) / 2.
    """
    return np.asarray((NU * precision + 1.0) / gammas, float)


def draw_stretch(precision: Array, K: Array, b: Array, gammas: Array, normals: Array) -> Array:
    """Return factors d (..., q) by which institution effects and their standard deviations are stretched together.

    Where u becomes u diag(d) and Psi becomes diag(d) Psi diag(d), the likelihood of what children score is that of a normal
    variable d with precision K and K times its mean b, and the prior of Psi, with its scales integrated out, becomes
    prod_k (d_k^2 + nu (Psi^-1)_kk)^(-(nu + Q) / 2). That power is a mixture over gamma variables w_k of exp(-w_k (...)): given w,
    d is normal. A draw leaves the joint distribution as it is (Liu & Sabatti 2000), and moves variances that a draw of Psi
    given u moves little.

    Parameters
    ----------
    precision : ndarray (..., q)
        Diagonal of the inverse of Psi.
    K, b : ndarray (..., q, q), (..., q)
    gammas : ndarray (..., q)
        With the shape (nu + Q) / 2.
    normals : ndarray (..., q)

    References
    ----------
    Liu & Sabatti (2000), Biometrika 87:353. Yu & Meng (2011), J Comput Graph Stat 20:531.
    """
    w = gammas / (1.0 + NU * precision)
    M = K + 2.0 * w[..., None] * np.eye(K.shape[-1])
    noise = np.linalg.cholesky(M) @ normals[..., None]
    return np.asarray(np.linalg.solve(M, b[..., None] + noise)[..., 0], float)
