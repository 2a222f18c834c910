"""Models of shares, counts and bands a second time: the likelihood written down plainly and maximised by SciPy.

    L = prod_j integral prod_{i in j} f(y_i | x_i'beta + sigma u) phi(u) du

The integral is a sum over evenly spaced points (the trapezoid rule, whose error for such integrands falls faster than any
power of the spacing); f is Bernoulli with a logit, Poisson with a log, or a cumulative logit whose thresholds are
parameters too. It shares no code with the engine: neither its approximation, nor its search, nor its derivatives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from asp_eval.stats.design.variables import Codes
from asp_eval.stats.estimate import Array

POINTS = np.linspace(-7.0, 7.0, 141)
WEIGHTS = np.log(POINTS[1] - POINTS[0]) - 0.5 * POINTS**2 - 0.5 * np.log(2.0 * np.pi)
STEP = 1e-4
"""Of the numerical second derivatives, in units in which columns have mean square one."""
FLAT = 1e-3
"""Largest slope of a standard parameter at which the search counts as ended."""

LogDensity = Callable[[Array, Array, Array], tuple[Array, Array, Array]]
"""From outcomes (n,), predictors (points, n) and thresholds (t,): log f, its slope in predictors, and in thresholds."""


@dataclass(frozen=True, slots=True, eq=False)
class PlainFit:
    """Coefficients and standard errors (p,), thresholds left out."""

    estimate: Array
    std_error: Array


def bernoulli(y: Array, eta: Array, _: Array) -> tuple[Array, Array, Array]:
    """Return log f and its slopes, of zeros and ones with a logit."""
    return y * eta - np.logaddexp(0.0, eta), y - special.expit(eta), np.zeros((0, *eta.shape))


def poisson(y: Array, eta: Array, _: Array) -> tuple[Array, Array, Array]:
    """Return log f and its slopes, of counts with a log."""
    mean = np.exp(eta)
    return y * eta - mean - special.gammaln(y + 1.0), y - mean, np.zeros((0, *eta.shape))


def cumulative_logit(y: Array, eta: Array, thresholds: Array) -> tuple[Array, Array, Array]:
    """Return log f and its slopes, of categories 0, ..., K - 1 cut from a logistic variable."""
    category, cuts = y.astype(int), np.concatenate([[-np.inf], thresholds, [np.inf]])
    high, low = special.expit(cuts[category + 1] - eta), special.expit(cuts[category] - eta)
    p = np.maximum(high - low, 1e-300)
    above, below = high * (1.0 - high) / p, low * (1.0 - low) / p
    by_cut = np.array([above * (category == k) - below * (category == k + 1) for k in range(len(thresholds))])
    return np.log(p), below - above, by_cut


def plain_fit(
    log_density: LogDensity, y: Array, X: Array, groups: Codes, start: Array, thresholds: Array | None = None
) -> PlainFit | None:
    """Return the maximum, or None if it was not reached.

    Parameters
    ----------
    log_density : callable
    y : ndarray (n,)
    X : ndarray (n, p)
        Without a constant where there are thresholds.
    groups : ndarray of int (n,)
    start : ndarray (p,)
    thresholds : ndarray (t,), optional
        Where the search for thresholds begins.
    """
    order = np.argsort(groups, kind="stable")
    y, X, groups = y[order], X[order], groups[order]
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    rows_of_group = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(y))))
    Q, R = np.linalg.qr(X)
    Q, R, p = Q * np.sqrt(len(y)), R / np.sqrt(len(y)), X.shape[1]
    cuts = np.zeros(0) if thresholds is None else thresholds

    def criterion(x: Array) -> tuple[float, Array]:
        sigma = np.exp(x[p])
        value, slope, by_cut = log_density(y, (Q @ x[:p])[None, :] + sigma * POINTS[:, None], x[p + 1 :])
        inside = np.add.reduceat(value, first, axis=1) + WEIGHTS[:, None]
        total = special.logsumexp(inside, axis=0)
        share = np.exp(inside - total)[:, rows_of_group]
        by_sigma = sigma * float((share * slope * POINTS[:, None]).sum())
        gradient = np.concatenate([(share * slope).sum(axis=0) @ Q, [by_sigma], (share * by_cut).sum(axis=(1, 2))])
        return -float(total.sum()), -gradient

    with np.errstate(all="ignore"):
        found = optimize.minimize(criterion, np.concatenate([R @ start, [np.log(0.3)], cuts]), jac=True, method="BFGS")
        if not np.isfinite(found.fun) or float(np.abs(criterion(found.x)[1]).max()) > FLAT * np.sqrt(len(y)):
            return None
        H = np.array([(criterion(found.x + s)[1] - criterion(found.x - s)[1]) / (2 * STEP) for s in STEP * np.eye(len(found.x))])
    back = np.linalg.inv(R)
    covariance = np.linalg.inv((H + H.T) / 2)[:p, :p]
    return PlainFit(back @ found.x[:p], np.sqrt(np.diag(back @ covariance @ back.T)))
