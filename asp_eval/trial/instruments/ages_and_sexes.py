"""Ages and sexes of children as scoring asks for them: one value for each row, and every one that cannot be is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.core.spelling import numeral

FIRST_ROW = 2  # as a spreadsheet numbers rows: the header is row 1
SEXES = ("boy", "girl")

WRONG_LENGTH = Fault("SCO-008", "the {what} do not match the responses row for row", "Give one value for every row.")
NOT_AN_AGE = Fault(
    "SCO-009",
    "the age is not a number of years",
    "Write it in years with a decimal point, such as 3.9; leave it empty if unknown.",
)
NOT_A_SEX = Fault("SCO-011", "the sex is not one that bands are made for", "Recode it to boy or girl; leave it empty if unknown.")


def checked_ages(age_years: pd.Series[float], n: int, source: str = "ages") -> NDArray[np.float64]:
    """Return ages in years, (n,); NaN where unknown.

    Parameters
    ----------
    age_years : Series
        Numbers, or texts that write them with a decimal point.
    n : int
        The number of rows they belong to.
    source : str
        What they stand beside, for the messages.

    Raises
    ------
    Refusal
        SCO-008 if they are not n.
    DataProblems
        SCO-009 for every value that is no age: ``"3,9"``, true, -1.
    """
    _refuse_length("ages", len(age_years), n, source)
    ages = np.array([_age(cell) for cell in age_years], dtype=np.float64)
    problems = [
        NOT_AN_AGE.at(Place(source, row=int(row) + FIRST_ROW, column="age_years"), found=age_years.iloc[row])
        for row in np.flatnonzero(ages < 0)
    ]
    if problems:
        raise DataProblems(problems)
    return ages


def checked_sexes(sex: pd.Series[str], n: int, source: str = "sexes") -> NDArray[np.object_]:
    """Return ``boy``, ``girl`` or, where unknown, an empty text for each row, (n,).

    Raises
    ------
    Refusal
        SCO-008 if they are not n.
    DataProblems
        SCO-011 for every other value: ``"Boy"``, ``"m"``.
    """
    _refuse_length("sexes", len(sex), n, source)
    known = np.array(["" if _is_empty(cell) else str(cell).strip() for cell in sex], dtype=object)
    problems = [
        NOT_A_SEX.at(Place(source, row=row + FIRST_ROW, column="sex"), found=found, expected=", ".join(SEXES))
        for row, found in enumerate(known)
        if found and found not in SEXES
    ]
    if problems:
        raise DataProblems(problems)
    return known


def _refuse_length(what: str, found: int, n: int, source: str) -> None:
    if found != n:
        WRONG_LENGTH.refuse(source, found=found, expected=n, what=what)


def _age(cell: object) -> float:
    """Return an age in years, NaN where unknown, -1 where the cell holds no age."""
    if _is_empty(cell):
        return np.nan
    number = None if isinstance(cell, (bool, np.bool_)) else numeral(str(cell).strip())
    return -1.0 if number is None or number < 0 else float(number)


def _is_empty(cell: object) -> bool:
    return bool(pd.isna(cell)) or str(cell).strip() == ""  # type: ignore[call-overload]
