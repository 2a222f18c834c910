r"""Whether staff answers may stand for their institution: ICC(1), ICC(2), F, and within-group agreement r_wg(j).

One-way analysis of variance of answers in J groups of sizes :math:`n_j`, N answers in all:

.. math::

    n_0 = \frac{N - \sum n_j^2 / N}{J - 1}, \quad
    ICC(1) = \frac{MS_B - MS_W}{MS_B + (n_0 - 1) MS_W}, \quad
    ICC(2) = \frac{MS_B - MS_W}{MS_B}

ICC(1) is the share of variance between institutions, ICC(2) the reliability of their means (Bliese 2000, in Klein & Kozlowski,
Multilevel Theory). Within-group agreement of k items compares the mean item variance :math:`\bar s^2` of a group with the
variance :math:`\sigma^2` that answers at random would have (James, Demaree & Wolf 1984, Journal of Applied Psychology 69:85-98):

.. math:: r_{wg(k)} = \frac{k (1 - \bar s^2 / \sigma^2)}{k (1 - \bar s^2 / \sigma^2) + \bar s^2 / \sigma^2}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from asp_eval.core.errors import Fault

ONE_GROUP = Fault("AGR-010", "answers cannot be aggregated: fewer than two groups", "Give the answers of at least two groups.")
ONE_EACH = Fault("AGR-011", "answers cannot be aggregated: no group has two answers", "Give every answer, not the groups' means.")
NO_SPREAD = Fault(
    "AGR-012", "answers cannot be aggregated: nobody's answer differs from anybody's in their group", "Check the column."
)
BAD_NULL = Fault(
    "AGR-013", "the shares of answers at random do not fit the categories", "Give one share a category; they add up to one."
)


@dataclass(frozen=True, slots=True, eq=False)
class Aggregation:
    """How far answers of people stand for their groups.

    Attributes
    ----------
    groups, answers : int
    ms_between, ms_within : float
        Mean squares.
    f, df_between, df_within, p_value : float
        The test that the groups' means differ no more than chance makes them.
    n0, mean_size : float
        The size of an equal-sized design with the same expectation, and the mean of the sizes.
    icc1, icc1_low, icc1_high : float
        Share of variance between groups, its interval Searle's with `n0` (exact only for equal sizes).
    icc2, icc2_low, icc2_high : float
        Reliability of the groups' means, its interval from F.
    reliability : DataFrame
        By group: ``n``, ``mean`` and ``reliability``, the latter ICC(1) stepped up to its own n.
    """

    groups: int
    answers: int
    ms_between: float
    ms_within: float
    f: float
    df_between: int
    df_within: int
    p_value: float
    n0: float
    mean_size: float
    icc1: float
    icc1_low: float
    icc1_high: float
    icc2: float
    icc2_low: float
    icc2_high: float
    reliability: pd.DataFrame


def aggregation(frame: pd.DataFrame, value: str, group: str, *, level: float = 0.95) -> Aggregation:
    """Return ICC(1), ICC(2), F and the reliability of each group's mean.

    Parameters
    ----------
    frame : DataFrame
        One row per respondent; rows without `value` or `group` are left out.
    value, group : str
        Columns: the answer (or the person's scale score), and the institution.
    level : float
        Of the intervals.

    Raises
    ------
    Refusal
        AGR-010 to AGR-012: one group, one answer a group, no spread within groups.

    Examples
    --------
    >>> rows = pd.DataFrame({"house": list("aabbcc"), "score": [1.0, 2.0, 4.0, 5.0, 8.0, 9.0]})
    >>> found = aggregation(rows, "score", "house")
    >>> round(found.f, 1), round(found.icc1, 3), round(found.icc2, 3)  # MSB 24.667, MSW .5
    (49.3, 0.96, 0.98)
    """
    rows = frame[[group, value]].dropna()
    answers = rows[value].to_numpy(dtype=float)
    index, names = pd.factorize(rows[group], sort=True)
    sizes = np.bincount(index, minlength=len(names)).astype(float)
    total, count = len(answers), len(names)
    if count < 2:
        ONE_GROUP.refuse(place=group, found=count)
    if total == count:
        ONE_EACH.refuse(place=group)
    means = np.bincount(index, answers, minlength=count) / sizes
    within = float(((answers - means[index]) ** 2).sum()) / (total - count)
    between = float((sizes * (means - answers.mean()) ** 2).sum()) / (count - 1)
    if not within > 0:
        NO_SPREAD.refuse(place=value)
    f, df = between / within, (count - 1, total - count)
    n0 = float((total - (sizes**2).sum() / total) / (count - 1))
    low, high = (f / float(special.fdtri(*df, tail)) for tail in ((1 + level) / 2, (1 - level) / 2))
    icc1 = (f - 1) / (f + n0 - 1)
    by_group = pd.DataFrame({group: names, "n": sizes.astype(int), "mean": means})
    by_group["reliability"] = sizes * icc1 / (1 + (sizes - 1) * icc1)
    return Aggregation(
        groups=count,
        answers=total,
        ms_between=between,
        ms_within=within,
        f=f,
        df_between=df[0],
        df_within=df[1],
        p_value=float(special.fdtrc(*df, f)),
        n0=n0,
        mean_size=total / count,
        icc1=icc1,
        icc1_low=(low - 1) / (low + n0 - 1),
        icc1_high=(high - 1) / (high + n0 - 1),
        icc2=1 - 1 / f,
        icc2_low=1 - 1 / low,
        icc2_high=1 - 1 / high,
        reliability=by_group,
    )


def shrunken_means(found: Aggregation) -> pd.Series:
    r"""Return each group's mean drawn towards the mean of the groups, the more the less reliable it is.

    .. math:: \bar{y} + \lambda_j (\bar{y}_j - \bar{y}), \quad \lambda_j = \frac{n_j \rho}{1 + (n_j - 1) \rho}

    with :math:`\rho` ICC(1), taken as zero where it is negative, and :math:`\bar{y}` the mean of the group means.

    Examples
    --------
    >>> rows = pd.DataFrame({"house": list("aabbcc"), "score": [1.0, 2.0, 4.0, 5.0, 8.0, 9.0]})
    >>> found = aggregation(rows, "score", "house")
    >>> shrunken_means(found).round(3).tolist()  # reliability .98, from 1.5, 4.5 and 8.5 towards 4.833
    [1.568, 4.507, 8.426]
    """
    each = found.reliability
    means, weight = each["mean"].to_numpy(dtype=float), each["reliability"].clip(lower=0).to_numpy(dtype=float)
    return pd.Series(means.mean() + weight * (means - means.mean()), index=each.iloc[:, 0].astype("str"))


def within_group_agreement(
    frame: pd.DataFrame, items: Sequence[str], group: str, categories: int, *, null_shares: Sequence[float] | None = None
) -> pd.DataFrame:
    """Return r_wg of one item, or r_wg(j) of several, of each group.

    Parameters
    ----------
    frame : DataFrame
        One row per respondent; only rows that answered every item count.
    items : sequence of str
        The items' columns, answered from 1 to `categories`.
    group : str
        Column of the institution.
    categories : int
        Answers to choose from.
    null_shares : sequence of float, optional
        How often each answer would be given at random; equally often unless given.

    Returns
    -------
    DataFrame
        By group: ``n``, ``variance`` (the mean of the items' variances) and ``agreement``, zero where answers vary more than at
        random, empty for a group with one respondent.

    Examples
    --------
    >>> rows = pd.DataFrame({"house": list("aab"), "q1": [2, 3, 4], "q2": [4, 4, 1]})
    >>> within_group_agreement(rows, ["q1", "q2"], "house", 5)["agreement"].round(3).tolist()  # 2 (7/8) / (2 (7/8) + 1/8)
    [0.933, nan]
    """
    null = _null_variance(categories, null_shares)
    rows = frame[[group, *items]].dropna()
    grouped = rows.groupby(group, sort=True)[list(items)]
    table = pd.DataFrame({"n": grouped.size(), "variance": grouped.var(ddof=1).mean(axis=1)})
    ratio = table["variance"] / null
    agreed = len(items) * (1 - ratio)
    table["agreement"] = (agreed / (agreed + ratio)).where(ratio <= 1, 0.0).where(table["n"] > 1)
    return table.reset_index()


def _null_variance(categories: int, shares: Sequence[float] | None) -> float:
    """Return the variance of answers given at random."""
    if shares is None:
        return (categories**2 - 1) / 12
    given = np.asarray(shares, dtype=float)
    if len(given) != categories or (given < 0).any() or abs(float(given.sum()) - 1) > 1e-9:
        BAD_NULL.refuse(found=", ".join(map(str, shares)), expected=categories)
    answers = np.arange(1, categories + 1)
    return float(given @ answers**2 - (given @ answers) ** 2)
