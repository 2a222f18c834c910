r"""Agreement of coders: percent, Cohen's kappa, Fleiss' kappa, Krippendorff's alpha, Gwet's AC1 and AC2.

Every coefficient is :math:`(p_o - p_e) / (1 - p_e)`, agreement beyond what chance would give, over units (interviews) that two or
more coders placed in the same categories. They differ in what they call chance and in how they treat a missing code:

========================  ======================================================================  ==========================
coefficient               expected agreement                                                      units
========================  ======================================================================  ==========================
Cohen (1960, 1968)        the two coders' own shares                                              both coded
Fleiss (1971)             the shares of all coders together                                       everybody coded
Krippendorff (2004)       pairs drawn from all pairable codes without replacement                 two codes or more
Gwet (2008)               :math:`\sum_k \pi_k (1 - \pi_k) \cdot \sum w / (q (q - 1))`             two codes; shares from one
========================  ======================================================================  ==========================

Each is a function of sums over units, so units can be weighted: an interval over institutions resampled is one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.meta.agreement_coefficients import (
    ALL,
    Codes,
    Coefficient,
    Interval,
    Metric,
    Weights,
    cohen,
    credit_of,
    fleiss,
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

UNKNOWN_CODE = Fault("AGR-001", "a code is none of the declared categories", "Declare the category, or correct the code.")
TOO_FEW_CODERS = Fault("AGR-002", "agreement needs two coders", "Name the columns of at least two coders.")
NOTHING_IN_COMMON = Fault(
    "AGR-003", "fewer than two units were coded by two coders", "Let a second coder code at least two of them."
)
ONE_CATEGORY = Fault("AGR-004", "agreement needs at least two categories", "Declare every category a coder could choose.")

GAPS = Phrase("not defined: no unit was coded by everybody")


@dataclass(frozen=True, slots=True)
class Agreement:
    """One coefficient of agreement.

    Attributes
    ----------
    statistic : str
        ``percent``, ``cohen``, ``fleiss``, ``krippendorff_nominal|ordinal|interval`` or ``gwet``.
    coders : str
        The two coders, or ``all``.
    units : int
        Units the coefficient rests on.
    estimate, observed, expected : float or None
        The coefficient, and the agreement observed and expected by chance. None: see `note`.
    std_error, std_error_null, df : float or None
        The standard error, the one under no agreement beyond chance (Cohen, Fleiss), and the degrees of freedom (Gwet).
    conf_low, conf_high : float or None
    method : str
        What produced the interval.
    note : Phrase
        Why a number is None.
    """

    statistic: str
    coders: str
    units: int
    estimate: float | None = None
    observed: float | None = None
    expected: float | None = None
    std_error: float | None = None
    std_error_null: float | None = None
    df: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    method: str = ""
    note: Phrase = NO_NOTE


def agreement(
    frame: pd.DataFrame,
    coders: Sequence[str],
    categories: Sequence[Any],
    *,
    weights: Weights | None = None,
    cluster: str | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 1,
) -> pd.DataFrame:
    """Return every coefficient of agreement of the coders, one row each.

    Parameters
    ----------
    frame : DataFrame
        One row per unit, one column per coder; an empty cell is a unit that the coder did not code.
    coders : sequence of str
        The coders' columns, two or more.
    categories : sequence
        All categories a coder could choose, in their order, used or not.
    weights : {"linear", "quadratic"}, optional
        Part credit for near misses, by the distance of the categories' ranks. Cohen's kappa and Gwet's coefficient (AC2) use
        them, and Krippendorff's ordinal and interval alpha are given beside the nominal one.
    cluster : str, optional
        Column of the institutions. The intervals are then the percentiles of the coefficients over institutions resampled:
        two interviews of one institution are not independent. Without it they are those of independent units.
    level, draws, seed
        Of the intervals, and of the resampling.

    Returns
    -------
    DataFrame
        The fields of `Agreement`.

    Raises
    ------
    Refusal
        AGR-001 to AGR-004: a code outside the categories, one coder, nothing coded twice, one category.

    Examples
    --------
    >>> codes = pd.DataFrame({"a": ["I", "I", "II", "III"], "b": ["I", "II", "II", "III"]})
    >>> table = agreement(codes, ["a", "b"], ["I", "II", "III"]).set_index("statistic")
    >>> table["estimate"].round(3).to_dict()  # cohen: (3/4 - 5/16) / (11/16)
    {'percent': 0.75, 'cohen': 0.636, 'fleiss': 0.619, 'krippendorff_nominal': 0.667, 'gwet': 0.628}
    """
    codes = ranks_of(frame, coders, categories)
    if ((codes >= 0).sum(axis=1) > 1).sum() < 2:
        NOTHING_IN_COMMON.refuse(found=int(((codes >= 0).sum(axis=1) > 1).sum()))
    clusters = None if cluster is None else np.asarray(pd.factorize(frame[cluster])[0], dtype=np.int64)
    names = [str(c) for c in coders]
    found = agreement_of(codes, names, len(categories), weights=weights, clusters=clusters, level=level, draws=draws, seed=seed)
    return pd.DataFrame([{name: getattr(row, name) for name in Agreement.__slots__} for row in found])


def agreement_of(
    codes: Codes,
    coders: Sequence[str],
    categories: int,
    *,
    weights: Weights | None = None,
    clusters: Codes | None = None,
    level: float = 0.95,
    draws: int = 2000,
    seed: int = 1,
) -> tuple[Agreement, ...]:
    """Return the coefficients for codes by number.

    Parameters
    ----------
    codes : array of int, shape (units, coders)
        The rank of each code among the categories, -1 where there is none.
    coders : sequence of str
        Their names.
    categories : int
        How many there are.
    weights, level, draws, seed
        As of `agreement`.
    clusters : array of int, shape (units,), optional
        The institution of each unit.
    """
    credit = credit_of(categories, weights)
    metrics: tuple[Metric, ...] = ("nominal",) if weights is None else ("nominal", "ordinal", "interval")
    found: list[Coefficient] = []
    for first, second in combinations(range(codes.shape[1]), 2):
        pair, name = codes[:, [first, second]], f"{coders[first]}, {coders[second]}"
        found += [percent(pair, categories, name, level), cohen(pair, credit, name, level)]
    if codes.shape[1] > 2:
        found.append(percent(codes, categories, ALL, level))
    found.append(fleiss(codes, categories))
    found += [krippendorff(codes, categories, metric) for metric in metrics]
    found.append(gwet(codes, credit, level))
    if clusters is None:
        return tuple(_row(one, one.interval) for one in found)
    weight = resampled_weights(clusters[(codes >= 0).sum(axis=1) > 1], draws, seed)
    if weight is None:
        return tuple(_row(one, Interval(note=NO_INTERVAL)) for one in found)
    drawn = (one.estimates(resampled_sums(one.terms, clusters, weight)) for one in found)
    return tuple(_row(one, percentile_interval(estimates, level)) for one, estimates in zip(found, drawn, strict=True))


def ranks_of(frame: pd.DataFrame, coders: Sequence[str], categories: Sequence[Any]) -> Codes:
    """Return the coders' codes by rank among the categories, -1 where there is none, shape (units, coders).

    Raises
    ------
    Refusal
        AGR-001, AGR-002, AGR-004: a code outside the categories, one coder, one category.
    """
    if len(coders) < 2:
        TOO_FEW_CODERS.refuse(found=", ".join(coders))
    if len(categories) < 2:
        ONE_CATEGORY.refuse(found=len(categories))
    rank = {str(category): i for i, category in enumerate(categories)}
    columns = []
    for coder in coders:
        given = frame[coder].map(lambda code: None if pd.isna(code) else rank.get(str(code), str(code)))
        unknown = sorted({code for code in given.dropna() if isinstance(code, str)})
        if unknown:
            UNKNOWN_CODE.refuse(place=coder, found=unknown[0], expected=", ".join(rank))
        columns.append(given.fillna(-1).astype("int64").to_numpy())
    return np.column_stack(columns).astype(np.int64)


def _row(one: Coefficient, interval: Interval) -> Agreement:
    """Return a coefficient with an interval, or the words why it is not defined."""
    units = int(one.used.sum())
    if not units:
        return Agreement(one.statistic, one.coders, 0, note=GAPS)
    observed, expected = (float(part) for part in one.parts(one.terms.sum(axis=0)))
    chance = None if one.statistic == "percent" else expected
    if not 1 - expected > 1e-12:
        return Agreement(one.statistic, one.coders, units, observed=observed, expected=chance, note=ONE_VALUE)
    estimate = (observed - expected) / (1 - expected)
    numbers = (interval.std_error, interval.std_error_null, interval.df, interval.low, interval.high)
    return Agreement(one.statistic, one.coders, units, estimate, observed, chance, *numbers, interval.method, interval.note)
