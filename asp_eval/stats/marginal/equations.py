"""Generalised estimating equations with an independent or exchangeable working correlation (Liang & Zeger 1986).

    sum_i D_i' V_i^-1 (y_i - mu_i) = 0,   V_i = phi A_i^1/2 R_i A_i^1/2,   D_i = d mu_i / d beta'

R_i has ones on its diagonal and alpha elsewhere, so that R_i^-1 = (I - c_i 11') / (1 - alpha) with
c_i = alpha / (1 + (n_i - 1) alpha), and every cluster enters by its sums alone. phi and alpha are moments of the Pearson
residuals r:

    phi = sum r^2 / (N - p),     alpha = sum_i sum_{j<k} r_ij r_ik / ((sum_i n_i (n_i - 1) / 2 - p) phi)

which are the divisors of the gee package and of statsmodels; geepack divides otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from asp_eval.stats.design.variables import Codes
from asp_eval.stats.estimate import Array

TOLERANCE = 1e-12
"""Largest step, in standard errors, after which the equations count as solved."""
MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class Moments:
    """How the mean and the variance of an outcome follow from the linear predictor.

    Attributes
    ----------
    inverse, slope : callable
        mu(eta) and d mu / d eta.
    variance : callable
        Of a row, up to phi, from its mean.
    """

    inverse: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    variance: Callable[[Array], Array]


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The solution of the equations, and what robust standard errors need of each of J clusters.

    Attributes
    ----------
    beta : ndarray (p,)
    alpha, phi : float
        Working correlation, and dispersion.
    information : ndarray (J, p, p)
        D_i' V_i^-1 D_i; B is their sum.
    scores : ndarray (J, p)
        D_i' V_i^-1 (y_i - mu_i).
    mean : ndarray (n,)
    converged : bool
    """

    beta: Array
    alpha: float
    phi: float
    information: Array
    scores: Array
    mean: Array
    converged: bool


def solve(
    X: Array,
    y: Array,
    offset: Array,
    clusters: Codes,
    moments: Moments,
    start: Array,
    *,
    exchangeable: bool,
    counted_off: int | None = None,
) -> Solution:
    """Return the solution by Fisher scoring, correlation and dispersion updated at every step.

    Parameters
    ----------
    X : ndarray (n, p)
        Of full column rank.
    y, offset : ndarray (n,)
    clusters : ndarray of int (n,)
    moments : Moments
    start : ndarray (p,)
    exchangeable : bool
    counted_off : int, optional
        What the divisors of phi and alpha lack; by default p, and 0 gives geepack's.
    """
    lost = X.shape[1] if counted_off is None else counted_off
    J = int(clusters.max()) + 1
    sizes = np.bincount(clusters, minlength=J)
    beta, alpha, phi = start, 0.0, 1.0
    step_done = False
    for _ in range(MOST_STEPS):
        eta = X @ beta + offset
        mean = moments.inverse(eta)
        sd = np.sqrt(moments.variance(mean))
        r = (y - mean) / sd
        before = alpha
        phi, alpha = _moments_of(r, clusters, sizes, lost, exchangeable)
        information, scores = _cluster_sums(X * (moments.slope(eta) / sd)[:, None], r, clusters, sizes, alpha, phi)
        if step_done and abs(alpha - before) <= TOLERANCE:
            break
        B = information.sum(axis=0)
        if not np.isfinite(B).all() or np.linalg.matrix_rank(B) < len(beta):
            return Solution(beta, alpha, phi, information, scores, mean, False)
        step = np.linalg.solve(B, scores.sum(axis=0))
        step_done = bool((np.abs(step) <= TOLERANCE * np.sqrt(np.diag(np.linalg.inv(B)))).all())
        beta = beta + step
    return Solution(beta, alpha, phi, information, scores, mean, step_done)


def _moments_of(r: Array, clusters: Codes, sizes: Codes, p: int, exchangeable: bool) -> tuple[float, float]:
    """Return phi and alpha from Pearson residuals."""
    n = len(r)
    phi = float(r @ r) / (n - p)
    if not exchangeable:
        return phi, 0.0
    sums, squares = np.bincount(clusters, r, len(sizes)), np.bincount(clusters, r * r, len(sizes))
    pairs = float((sizes * (sizes - 1) / 2).sum())
    return phi, float(((sums**2 - squares) / 2).sum()) / ((pairs - p) * phi)


def _cluster_sums(D: Array, r: Array, clusters: Codes, sizes: Codes, alpha: float, phi: float) -> tuple[Array, Array]:
    """Return D'V^-1 D and D'V^-1 (y - mu) of every cluster; D and r are divided by the standard deviation."""
    J, p = len(sizes), D.shape[1]
    order = np.argsort(clusters, kind="stable")
    D, r = D[order], r[order]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    total, residual = np.add.reduceat(D, starts, axis=0), np.add.reduceat(r, starts)
    gram = np.empty((J, p, p))
    for a in range(p):
        gram[:, a] = np.add.reduceat(D[:, a, None] * D, starts, axis=0)
    scores = np.add.reduceat(D * r[:, None], starts, axis=0)
    c = alpha / (1.0 + (sizes - 1) * alpha)
    scale = 1.0 / ((1.0 - alpha) * phi)
    information = scale * (gram - c[:, None, None] * total[:, :, None] * total[:, None, :])
    return information, scale * (scores - (c * residual)[:, None] * total)
