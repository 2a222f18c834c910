"""Working models of model-robust standardisation: what they predict of every row under every arm.

A working model need not be right: what it misses is put back from each cluster's own residuals
(`asp_eval.stats.estimands.marginal_means`). It decides precision alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from asp_eval.core.errors import Fault
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.engine.least_squares import independent_columns, triangular_factor
from asp_eval.stats.estimate import Array
from asp_eval.stats.marginal.equations import Moments, solve

NOT_REACHED = Fault(
    "FIT-160",
    "the working model of the standardised effects has no solution without one of the clusters",
    "Take fewer covariates, or the working model 'lm' of cluster means.",
)

Working = Literal["lm", "lmm", "gee_ind", "gee_exch"]
Family = Literal["gaussian", "binomial", "poisson"]


@dataclass(frozen=True, slots=True)
class Link:
    """How a mean follows from a linear predictor, and the other way."""

    moments: Moments
    forward: Callable[[float], float]


LINKS: Mapping[str, Link] = {
    "gaussian": Link(Moments(lambda eta: eta, np.ones_like, np.ones_like), lambda mean: mean),
    "binomial": Link(
        Moments(
            special.expit,
            lambda eta: special.expit(eta) * special.expit(-eta),
            lambda mean: np.maximum(mean * (1.0 - mean), np.finfo(float).tiny),
        ),
        lambda mean: float(special.logit(mean)),
    ),
    "poisson": Link(
        Moments(np.exp, np.exp, lambda mean: np.maximum(mean, np.finfo(float).tiny)),
        lambda mean: float(np.log(mean)),
    ),
}


def coefficients(X: Array, y: Array, clusters: Codes, working: Working, family: Family) -> Array:
    """Return the coefficients of a working model, (p,); those of columns that others make up are zero.

    Parameters
    ----------
    X : ndarray (n, p)
        The first column is constant.
    y : ndarray (n,)
    clusters : ndarray of int (n,)
        0, ..., J - 1.
    working : {"lm", "lmm", "gee_ind", "gee_exch"}
        Least squares; a random intercept of the cluster; estimating equations. The rows of ``lm`` are cluster means.
    family : {"gaussian", "binomial", "poisson"}

    Raises
    ------
    Refusal
        FIT-160 if it has no solution.
    """
    kept = independent_columns(triangular_factor(X), constant_first=True)
    beta = np.zeros(X.shape[1])
    if working == "lmm":
        beta[kept] = _mixed(X[:, kept], y, clusters)
    elif family == "gaussian" and working in ("lm", "gee_ind"):
        beta[kept] = np.linalg.lstsq(X[:, kept], y, rcond=None)[0]
    else:
        beta[kept] = _equations(X[:, kept], y, clusters, LINKS[family], exchangeable=working == "gee_exch")
    return beta


def _mixed(X: Array, y: Array, clusters: Codes) -> Array:
    """Return the fixed effects of a random-intercept model."""
    from asp_eval.stats.mixed.fit import lmm

    names = [f"c{k}" for k in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=names).assign(y=y, cluster=clusters)
    return np.asarray(lmm(f"y ~ 0 + {' + '.join(names)} + (1 | cluster)", frame).estimate, float)


def _equations(X: Array, y: Array, clusters: Codes, link: Link, *, exchangeable: bool) -> Array:
    """Return the solution of the estimating equations."""
    start = np.zeros(X.shape[1])
    start[0] = link.forward(float(y.mean()))
    with np.errstate(all="ignore"):
        found = solve(X, y, np.zeros(len(y)), clusters, link.moments, start, exchangeable=exchangeable, counted_off=0)
    if not found.converged or not np.isfinite(found.beta).all():
        NOT_REACHED.refuse()
    return found.beta
