r"""Agreement over many codes at once, as a coding frame has them.

Two summaries are in use, and both hide what they average, so the lowest and the highest code stand beside each:

- the mean over the codes, :math:`\bar\kappa = \frac1K \sum_k \kappa_k`, of the codes for which the coefficient is defined;
- Cohen's kappa pooled over the codes (De Vries, Elliott, Kanouse & Teleki 2008, Field Methods 20:272-282),
  :math:`(\bar p_o - \bar p_e) / (1 - \bar p_e)` with observed and expected agreement averaged over the codes. A code on which all
  say the same counts in it, where it has no kappa of its own.

Intervals are percentiles over institutions drawn anew, the same institutions for every code: codes of one interview go together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.meta.agreement import ranks_of
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

CODED_TWICE = Fault("AGR-005", "a coder has two rows of one unit", "Keep one of them, or name the columns that tell units apart.")
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
    frame: pd.DataFrame,
    codes: Mapping[str, Sequence[Any]],
    *,
    unit: str | Sequence[str],
    coder: str,
    ordered: Collection[str] = (),
    cluster: str | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 1,
) -> pd.DataFrame:
    """Return the agreement of coders over all codes of a frame, one row for each summary.

    Parameters
    ----------
    frame : DataFrame
        One row per unit and coder, as coded interviews are; a column for each code. An empty cell is a code that was not given.
    codes : mapping of str to sequence
        The columns, each with all categories a coder could choose, in their order.
    unit : str or sequence of str
        The columns that tell the units apart, such as institution and round.
    coder : str
        The column of who coded.
    ordered : collection of str
        Codes whose categories have an order: near misses count in part, by the square of the distance of their ranks, and
        Krippendorff's alpha is the ordinal one.
    cluster : str, optional
        Column of the institutions: two interviews of one institution are not independent. Without it each unit stands alone.
    level, draws, seed
        Of the intervals, and of the resampling of institutions, which are the same for every code.

    Returns
    -------
    DataFrame
        The fields of `AgreementOverCodes`: the means over the codes of percent, Krippendorff's alpha and Gwet's coefficient
        (``percent_mean``, ``krippendorff_mean``, ``gwet_mean``), with the lowest and the highest code beside each, then the
        pooled kappa of each pair of coders (``cohen_pooled``). No rows where no code was compared in two units.

    Raises
    ------
    Refusal
        AGR-001, AGR-002, AGR-004 as of `agreement`; AGR-005 if a coder has two rows of one unit.

    Examples
    --------
    Coders differ once in the first code and say "no" throughout in the second, of which no kappa is defined.

    >>> sheet = pd.DataFrame({
    ...     "house": [f"h{k}" for k in range(10)] * 2, "who": ["a"] * 10 + ["b"] * 10,
    ...     "aim": ["no"] * 6 + ["yes"] * 4 + ["no"] * 5 + ["yes"] * 5, "plan": ["no"] * 20,
    ... })
    >>> both = {"aim": ["no", "yes"], "plan": ["no", "yes"]}
    >>> table = agreement_over_codes(sheet, both, unit="house", coder="who", draws=100).set_index("statistic")
    >>> float(table.loc["percent_mean", "estimate"]), table.loc["percent_mean", "lowest_code"]
    (0.95, 'aim')
    >>> float(table.loc["cohen_pooled", "estimate"].round(3))  # (0.95 - 0.75) / (1 - 0.75)
    0.8
    """
    units = [unit] if isinstance(unit, str) else list(unit)
    coders = sorted(frame[coder].dropna().astype("str").unique())
    rows = frame[frame[coder].notna()]
    twice = rows[rows.duplicated([*units, coder])]
    if len(twice):
        CODED_TWICE.refuse(found=", ".join(str(value) for value in twice.iloc[0][[*units, coder]]))
    place = rows.groupby(units, sort=True, dropna=False).ngroup()
    clusters = np.asarray(pd.factorize((rows[cluster] if cluster else place).groupby(place).first())[0], dtype=np.int64)
    sheets = []
    for code, categories in codes.items():
        wide = pd.DataFrame({"unit": place, "coder": rows[coder].astype("str"), "code": rows[code]})
        given = wide.pivot_table(index="unit", columns="coder", values="code", aggfunc="first")
        given = given.reindex(index=range(len(clusters)), columns=coders)
        ranks = ranks_of(given, coders, categories)
        weights: Weights | None = "quadratic" if code in ordered else None
        sheets.append(CodedSheet(code, ranks, tuple(coders), len(categories), weights, clusters))
    found = agreement_over_sheets(sheets, level=level, draws=draws, seed=seed)
    names = list(AgreementOverCodes.__slots__)
    return pd.DataFrame([{name: getattr(row, name) for name in names} for row in found], columns=names)


def agreement_over_sheets(
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
    >>> found = {each.statistic: each for each in agreement_over_sheets(sheets, draws=100)}
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
