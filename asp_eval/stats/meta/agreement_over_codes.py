r"""Agreement over many codes at once, as a coding frame has them.

Two summaries are in use, and both hide what they average, so the lowest and the highest code stand beside each:

- the mean over the codes, :math:`\bar\kappa = \frac1K \sum_k \kappa_k`, of the codes for which the coefficient is defined;
- Cohen's kappa pooled over the codes (De Vries, Elliott, Kanouse & Teleki 2008, Field Methods 20:272-282),
  :math:`(\bar p_o - \bar p_e) / (1 - \bar p_e)` with observed and expected agreement averaged over the codes. A code on which all
  say the same counts in it, where it has no kappa of its own.

Intervals are percentiles over institutions drawn anew, the same institutions for every code: codes of one interview go together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.meta.agreement_coefficients import (
    ALL,
    Array,
    Codes,
    Coefficient,
    Interval,
    Weights,
    cohen,
    credit_of,
    gwet,
    krippendorff,
    percent,
)
from asp_eval.stats.meta.agreement_resampling import (
    NO_INTERVAL,
    ONE_VALUE,
    percentile_interval,
    resampled_sums,
    resampled_weights,
)

Statistic = Literal["percent_mean", "krippendorff_mean", "gwet_mean", "cohen_pooled"]


@dataclass(frozen=True, slots=True, eq=False)
class CodedSheet:
    """What coders wrote down for one code.

    Attributes
    ----------
    code : str
    codes : array of int, shape (units, coders)
        The rank of each level, -1 where there is none.
    coders : tuple of str
    categories : int
    weights : {"linear", "quadratic"} or None
        None of levels without an order. Else Krippendorff's alpha is the ordinal one, and kappa and Gwet's coefficient are
        weighted.
    clusters : array of int, shape (units,)
        The institution of each unit, by a number that is the same in every sheet.
    """

    code: str
    codes: Codes
    coders: tuple[str, ...]
    categories: int
    weights: Weights | None
    clusters: Codes

    @property
    def compared(self) -> NDArray[np.bool_]:
        """Which units two coders coded, shape (units,)."""
        return np.asarray((self.codes >= 0).sum(axis=1) > 1, dtype=bool)


@dataclass(frozen=True, slots=True)
class AgreementOverCodes:
    """One coefficient of agreement over the codes of a frame.

    Attributes
    ----------
    statistic : str
        ``percent_mean``, ``krippendorff_mean``, ``gwet_mean``: the mean over the codes. ``cohen_pooled``: see the module.
    coders : str
        ``all``, or the two coders of the pooled kappa.
    codes, undefined : int
        Codes with the coefficient, and codes that coders compared without its being defined.
    estimate, conf_low, conf_high : float or None
    lowest, highest : float or None
        Of the codes' own coefficients.
    lowest_code, highest_code : str
        Empty where none is defined.
    method : str
        What produced the interval.
    note : Phrase
        Why a number is None.
    """

    statistic: Statistic
    coders: str
    codes: int
    undefined: int
    estimate: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    lowest: float | None = None
    lowest_code: str = ""
    highest: float | None = None
    highest_code: str = ""
    method: str = ""
    note: Phrase = NO_NOTE


@dataclass(frozen=True, slots=True, eq=False)
class _One:
    """A coefficient of one code, with the institutions of its units."""

    code: str
    coefficient: Coefficient
    clusters: Codes


def agreement_over_codes(
    sheets: Sequence[CodedSheet], *, level: float = 0.95, draws: int = 2000, seed: int = 1
) -> tuple[AgreementOverCodes, ...]:
    """Return the agreement over the codes that two coders compared in two units or more.

    Parameters
    ----------
    sheets : sequence of CodedSheet
    level, draws, seed
        Of the intervals, and of the resampling of institutions.

    Returns
    -------
    tuple of AgreementOverCodes
        Percent, Krippendorff's alpha and Gwet's coefficient as means, then the pooled kappa of each pair of coders; none where
        nothing was compared.

    Examples
    --------
    Two codes, ten interviews: coders differ once in the first, and say "absent" throughout in the second.

    >>> first = np.array([[0, 0]] * 5 + [[1, 1]] * 4 + [[0, 1]])
    >>> second = np.zeros((10, 2), dtype=int)
    >>> sheets = [CodedSheet(name, codes, ("a", "b"), 2, None, np.arange(10)) for name, codes in (("x", first), ("y", second))]
    >>> found = {each.statistic: each for each in agreement_over_codes(sheets, draws=100)}
    >>> found["percent_mean"].estimate, found["cohen_pooled"].undefined
    (0.95, 1)
    >>> round(found["cohen_pooled"].estimate, 3)  # (0.95 - 0.75) / (1 - 0.75), where the first code alone has 0.8
    0.8
    """
    compared = [each for each in sheets if each.compared.sum() > 1]
    if not compared:
        return ()
    weight = resampled_weights(np.concatenate([each.clusters[each.compared] for each in compared]), draws, seed)
    means: dict[Statistic, list[_One]] = {"percent_mean": [], "krippendorff_mean": [], "gwet_mean": []}
    pairs: dict[str, list[_One]] = {}
    for each in compared:
        credit = credit_of(each.categories, each.weights)
        metric: Literal["nominal", "ordinal"] = "nominal" if each.weights is None else "ordinal"
        found = (
            percent(each.codes, each.categories, ALL, level),
            krippendorff(each.codes, each.categories, metric),
            gwet(each.codes, credit, level),
        )
        for of, coefficient in zip(means.values(), found, strict=True):
            of.append(_One(each.code, coefficient, each.clusters))
        for first, second in combinations(range(each.codes.shape[1]), 2):
            name = f"{each.coders[first]}, {each.coders[second]}"
            of_pair = cohen(each.codes[:, [first, second]], credit, name, level)
            if of_pair.used.any():
                pairs.setdefault(name, []).append(_One(each.code, of_pair, each.clusters))
    return (
        *(_summary(statistic, ALL, of, weight, level) for statistic, of in means.items()),
        *(_summary("cohen_pooled", name, of, weight, level) for name, of in sorted(pairs.items())),
    )


def _summary(statistic: Statistic, coders: str, of: Sequence[_One], weight: Array | None, level: float) -> AgreementOverCodes:
    together = _pooled if statistic == "cohen_pooled" else _mean
    whole = [each.coefficient.terms.sum(axis=0)[None, :] for each in of]
    own = np.array([float(each.coefficient.estimates(sums)[0]) for each, sums in zip(of, whole, strict=True)])
    known, estimate = np.isfinite(own), float(together(of, whole)[0])
    if not np.isfinite(estimate):
        return AgreementOverCodes(statistic, coders, int(known.sum()), int((~known).sum()), note=ONE_VALUE)
    interval = Interval(note=NO_INTERVAL)
    if weight is not None:
        drawn = [resampled_sums(each.coefficient.terms, each.clusters, weight) for each in of]
        interval = percentile_interval(together(of, drawn), level)
    lowest, highest = (int(place(own)) for place in (np.nanargmin, np.nanargmax)) if known.any() else (None, None)
    return AgreementOverCodes(
        statistic=statistic,
        coders=coders,
        codes=int(known.sum()),
        undefined=int((~known).sum()),
        estimate=estimate,
        conf_low=interval.low,
        conf_high=interval.high,
        lowest=None if lowest is None else float(own[lowest]),
        lowest_code="" if lowest is None else of[lowest].code,
        highest=None if highest is None else float(own[highest]),
        highest_code="" if highest is None else of[highest].code,
        method=interval.method,
        note=interval.note,
    )


def _mean(of: Sequence[_One], sums: Sequence[Array]) -> Array:
    """Return the mean over the codes for each row of sums, over those that are defined in it."""
    return _mean_of_known(np.stack([each.coefficient.estimates(each_sums) for each, each_sums in zip(of, sums, strict=True)]))


def _pooled(of: Sequence[_One], sums: Sequence[Array]) -> Array:
    """Return the kappa of the mean observed and the mean expected agreement, for each row of sums."""
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [each.coefficient.parts(each_sums) for each, each_sums in zip(of, sums, strict=True)]
        observed, expected = (_mean_of_known(np.stack([pair[k] for pair in parts])) for k in (0, 1))
        return np.where(1 - expected > 1e-12, (observed - expected) / (1 - expected), np.nan)


def _mean_of_known(values: Array) -> Array:
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0.0).sum(axis=0) / known.sum(axis=0), float)
