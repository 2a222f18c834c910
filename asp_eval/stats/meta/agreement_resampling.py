"""Intervals of coefficients of agreement over institutions drawn anew: two interviews of one institution are not independent."""

from __future__ import annotations

import numpy as np

from asp_eval.core.phrases import Phrase
from asp_eval.core.randomness import stream
from asp_eval.stats.meta.agreement_coefficients import Array, Codes, Interval

ONE_VALUE = Phrase("not defined: every code is the same category, so that chance alone would agree too")
NO_INTERVAL = Phrase("no interval: fewer than five institutions were coded by two coders")
FEWEST_CLUSTERS = 5


def resampled_weights(clusters: Codes, draws: int, seed: int) -> Array | None:
    """Return how often each institution is drawn, shape (draws, institutions); None with too few to resample.

    Parameters
    ----------
    clusters : array of int
        The institution of every unit that two coders coded.
    draws, seed : int
    """
    eligible = np.unique(clusters)
    if len(eligible) < FEWEST_CLUSTERS:
        return None
    weight = np.zeros((draws, int(eligible.max()) + 1))
    equal = np.full(len(eligible), 1 / len(eligible))
    weight[:, eligible] = stream(seed, "agreement").multinomial(len(eligible), equal, size=draws)
    return weight


def resampled_sums(terms: Array, clusters: Codes, weight: Array) -> Array:
    """Return the sums of terms over the units of the institutions drawn, shape (draws, m)."""
    sums = np.zeros((weight.shape[1], terms.shape[1]))
    within = (clusters >= 0) & (clusters < len(sums))
    np.add.at(sums, clusters[within], terms[within])
    return np.asarray(weight @ sums, float)


def percentile_interval(estimates: Array, level: float) -> Interval:
    """Return the interval between percentiles of the draws; draws where the coefficient is not defined are left out."""
    known = estimates[np.isfinite(estimates)]
    if len(known) < len(estimates) / 2:
        return Interval(note=ONE_VALUE)
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(known.std(ddof=1)), None, None, float(low), float(high), "institutions resampled")
