"""p-values and intervals of contrasts that are looked at together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.estimate import Array, t_quantile, t_tail

ADJUST = Fault("FIT-126", "there is no adjustment named {name!r}", "Use one of: {known}.")
ONLY_PAIRS = Fault(
    "FIT-127", "Tukey's adjustment is for all pairs of means", "Use adjust='holm' or adjust='bonferroni' for other contrasts."
)
ADJUSTMENTS = ("none", "holm", "tukey", "bonferroni")
HOLM_INTERVAL = Phrase("The interval is Bonferroni's: Holm's p-value has none of its own.")
LARGE_DF = 1e5
"""Degrees of freedom above which the studentised range is that of normal variables."""


def check_adjustment(name: str, kind: str) -> None:
    """Refuse an adjustment that is unknown or not meant for this kind of contrast."""
    if name not in ADJUSTMENTS:
        ADJUST.refuse(name=name, known=", ".join(ADJUSTMENTS))
    if name == "tukey" and kind != "pairwise":
        ONLY_PAIRS.refuse(found=kind)


def adjusted(
    name: str, t: Array, df: Array, families: Sequence[Codes], means: Sequence[int], level: float
) -> tuple[Array, Array]:
    """Return adjusted p-values, and how many standard errors an interval reaches, of contrasts (k,).

    Parameters
    ----------
    name : {"none", "holm", "tukey", "bonferroni"}
    t, df : ndarray (k,)
        NaN where a contrast has no number; it then counts for no family.
    families : sequence of ndarray of int
        Positions of the contrasts that are judged together.
    means : sequence of int
        Of how many means each family holds the pairs.
    level : float
    """
    p = 2.0 * t_tail(np.abs(t), df)
    reach = t_quantile((1.0 + level) / 2.0, df)
    for family, k in zip(families, means, strict=True):
        own = family[np.isfinite(t[family])]
        n = len(own)
        if name == "none" or n < 2:
            continue
        if name == "tukey":
            p[own], reach[own] = _tukey(np.abs(t[own]), df[own], k, level)
            continue
        p[own] = _holm(p[own]) if name == "holm" else np.minimum(n * p[own], 1.0)
        reach[own] = [float(t_quantile(1.0 - (1.0 - level) / (2.0 * n), np.array(d))) for d in df[own]]
    return p, reach


def adjustment_note(name: str, contrasts: int) -> Phrase:
    """Return what a reader must know of an adjusted interval."""
    return HOLM_INTERVAL if name == "holm" and contrasts > 1 else NO_NOTE


def _holm(p: Array) -> Array:
    """Return Holm's step-down p-values."""
    from asp_eval.stats.meta.multiplicity import holm

    return np.array([v for v in holm(p.tolist()) if v is not None])


def _tukey(t: Array, df: Array, means: int, level: float) -> tuple[Array, Array]:
    """Return p-values by the studentised range of so many means, and its quantiles over the root of two."""
    from scipy.stats import studentized_range

    d = np.where(df > LARGE_DF, np.inf, df)
    p = np.array([float(studentized_range.sf(a * np.sqrt(2.0), means, b)) for a, b in zip(t, d, strict=True)])
    found = {b: float(studentized_range.ppf(level, means, b)) / np.sqrt(2.0) for b in dict.fromkeys(np.round(d, 6).tolist())}
    return np.clip(p, 0.0, 1.0), np.array([found[b] for b in np.round(d, 6).tolist()])
