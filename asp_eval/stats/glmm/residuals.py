"""Residuals of a generalised linear mixed model, at the modes of the random effects."""

from __future__ import annotations

import numpy as np
from scipy import special

from asp_eval.core.errors import Fault
from asp_eval.stats.estimate import Array

RESIDUALS = Fault("FIT-153", "there are no residuals of this kind", 'Use "response", "pearson" or "deviance".')


def residuals_of(kind: object, family: str, y: Array, weights: Array | None, mean: Array, size: float | None) -> Array:
    """Return residuals (n,) of one kind, as R's ``residuals(fit, type)``.

    Parameters
    ----------
    kind : {"response", "pearson", "deviance"}
        Outcome less mean; the same over the standard deviation that the family gives it; the root of the row's part of the
        deviance, with the sign of the first.
    family : str
    y : ndarray (n,)
        Successes, or counts.
    weights : ndarray (n,) or None
        Trials, or how often a row counts.
    mean : ndarray (n,)
        A proportion, or a count.
    size : float or None
        The negative binomial's k.

    Examples
    --------
    >>> residuals_of("pearson", "poisson", np.array([3.0]), None, np.array([4.0]), None).tolist()
    [-0.5]
    """
    if not isinstance(kind, str) or kind not in ("response", "pearson", "deviance"):
        RESIDUALS.refuse(found=kind)
    w = np.ones_like(y) if weights is None else weights
    value = y / w if family == "binomial" else y
    if kind == "response":
        return np.asarray(value - mean, float)
    if kind == "pearson":
        return np.asarray((value - mean) * np.sqrt(w / _variance(family, mean, size)), float)
    return np.asarray(np.sign(value - mean) * np.sqrt(w * np.maximum(_deviance(family, value, mean, size), 0.0)), float)


def _variance(family: str, mean: Array, size: float | None) -> Array:
    """Return the variance of one trial, or of a count."""
    if family == "binomial":
        return mean * (1.0 - mean)
    return mean if size is None else mean + mean**2 / size


def _deviance(family: str, value: Array, mean: Array, size: float | None) -> Array:
    """Return twice what a row's log likelihood falls short of that of a mean equal to its outcome; of one trial."""
    if family == "binomial":
        short = special.xlogy(value, value / mean) + special.xlogy(1.0 - value, (1.0 - value) / (1.0 - mean))
    elif size is None or np.isinf(size):
        short = special.xlogy(value, value / mean) - (value - mean)
    else:
        short = special.xlogy(value, value / mean) - (value + size) * np.log((value + size) / (mean + size))
    return np.asarray(2.0 * short, float)
