"""Values that lie far outside the others of their wave: codes for missing that nobody declared, slips of the pen, other units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Fault, Place, Problem
from asp_eval.core.phrases import some_of
from asp_eval.trial.tables.schema import TableSchema

FAR = Fault(
    "SCR-213",
    "{n} of {total} values lie far outside the others: {values} (half of the others lie from {low:g} to {high:g})",
    "If they mean missing, declare them in study.yaml: '{column}: {{type: number, missing: [{code}]}}'. If they are right, "
    "declare limits that they lie in: '{column}: {{type: number, min: LOW, max: HIGH}}'. Else correct them.",
    "warning",
)

FEWEST = 10  # values; fewer do not show what is usual
SPREADS = 8.0  # standard deviations from the median
MAD_OF_NORMAL = 1.4826  # standard deviation over the median absolute deviation of a normal distribution
IQR_OF_NORMAL = 1.349  # interquartile range over the standard deviation
MOST_NAMED = 6
_AMOUNTS = frozenset({"hours", "hour", "timer", "count", "counts", "antal"})  # words of names: skewed, and never below zero


def far_values(values: npt.ArrayLike, *, skewed: bool = False) -> npt.NDArray[np.bool_]:
    """Return which values lie more than `SPREADS` standard deviations from the median.

    The standard deviation is estimated as 1.4826 times the median absolute deviation, or, where that is zero, as the
    interquartile range over 1.349, so that the far values themselves hardly count. Where both are zero, or fewer than
    `FEWEST` values are there, none is far.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        Missing values are NaN, and are not far.
    skewed : bool
        Whether they are counts or hours, which are judged on log(1 + x).

    Returns
    -------
    ndarray of bool, shape (n,)

    Examples
    --------
    >>> far_values([1, 2, 3, 4, 5, 6, 7, 8, 9, -99]).tolist()[-2:]
    [False, True]
    """
    plain = np.asarray(values, dtype=np.float64)
    scaled = np.sign(plain) * np.log1p(np.abs(plain)) if skewed else plain
    known = scaled[~np.isnan(scaled)]
    if known.size < FEWEST:
        return np.zeros(plain.shape, dtype=np.bool_)
    middle = np.median(known)
    spread = MAD_OF_NORMAL * np.median(np.abs(known - middle))
    if spread == 0:
        spread = np.subtract(*np.percentile(known, [75, 25])) / IQR_OF_NORMAL
    if spread == 0:
        return np.zeros(plain.shape, dtype=np.bool_)
    return np.asarray(np.abs(scaled - middle) > SPREADS * spread)  # NaN is not


def is_amount(name: str) -> bool:
    """Whether a column's name says that it holds counts or hours.

    Examples
    --------
    >>> is_amount("hours_per_week"), is_amount("our_score")
    (True, False)
    """
    return not _AMOUNTS.isdisjoint(name.casefold().split("_"))


def far_in_table(place: str, frame: pd.DataFrame, schema: TableSchema) -> Iterator[Problem]:
    """Yield a warning for each column of numbers with values far outside the others.

    Items are left out, for their codes are checked, and columns of which both limits are declared.

    Parameters
    ----------
    place : str
        The file or table, for the warning.
    frame : DataFrame
        The rows of one wave.
    schema : TableSchema
    """
    for field in schema.base:
        if not field.numeric or field.allowed or None not in (field.minimum, field.maximum) or field.name not in frame:
            continue
        values = frame[field.name].to_numpy(dtype=np.float64, na_value=np.nan)
        far = far_values(values, skewed=is_amount(field.name) or field.name in schema.counts)
        if far.any():
            low, high = np.nanpercentile(values[~far], [25, 75])
            yield FAR.at(
                Place(place, column=field.name),
                n=int(far.sum()),
                total=int((~np.isnan(values)).sum()),
                values=named_values(values[far]),
                low=float(low),
                high=float(high),
                column=field.name,
                code=f"{values[far][0]:g}",
            )


def named_values(values: npt.NDArray[np.float64]) -> str:
    """Return the different values in words, the smallest first, and how many more there are."""
    return some_of([f"{value:g}" for value in np.unique(values)], MOST_NAMED)
