"""Responses as they come are checked against the codes an instrument allows, every fault with its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.core.spelling import numeral
from asp_eval.trial.instruments.ages_and_sexes import FIRST_ROW, checked_ages
from asp_eval.trial.instruments.definition import Instrument

Floats = NDArray[np.float64]

MOST_LISTED = 200  # cells; a reader who meets more has one cause to cure, not two hundred

NO_COLUMN = Fault("SCO-001", "the column of item {number} is missing", "Add it, empty where unanswered, or map it by its name.")
NOT_NUMBER = Fault("SCO-002", "the answer is not a number{label}", "Recode it to its code, or leave it empty if unanswered.")
NOT_CODE = Fault("SCO-003", "the answer is not an allowed code{label}", "Correct the cell, or leave it empty if unanswered.")
TWO_COLUMNS = Fault("SCO-004", "the column stands twice", "Keep one of the two.")
WRONG_AGE = Fault(
    "SCO-007",
    "the child's age is not one the form {form} is for",
    "Correct the age, or score the row on the form that was used: 'score_family' picks it and says so.",
)
MORE_CELLS = Fault("SCO-005", "more cells at fault in the same way: {count}", "Correct the listed ones first, then try again.")


def checked_codes(instrument: Instrument, responses: pd.DataFrame, rows: NDArray[np.int64] | None = None) -> dict[str, Floats]:
    """Return the codes of every item, or raise everything that is wrong with them.

    Parameters
    ----------
    instrument : Instrument
    responses : DataFrame
        Items under their stored names, or under bare keys if no stored name is there.
    rows : ndarray of int, shape (n,), optional
        Where `responses` is a part of a table: the position of each of its rows in the whole, for the messages.

    Returns
    -------
    dict of str to ndarray of float, shape (n,)
        By item key; NaN where unanswered.

    Raises
    ------
    DataProblems
        SCO-001 to SCO-004 with row and column (row 2 is the first, as in a spreadsheet); SCO-005 counts the cells beyond
        the first two hundred.
    """
    names = column_names(instrument, responses)
    problems: list[Problem] = []
    codes: dict[str, Floats] = {}
    beyond = 0
    for item in instrument.items:
        place = Place(f"responses to {instrument.id}", column=names[item.key])
        occurrences = int((responses.columns == names[item.key]).sum())
        if occurrences != 1:
            problems.append((TWO_COLUMNS if occurrences else NO_COLUMN).at(place, number=item.number))
            continue
        cells = responses[names[item.key]]
        codes[item.key], wrong, no_number = _codes(cells, instrument.codes(item))
        room = max(0, MOST_LISTED - len(problems))
        beyond += len(wrong) - min(room, len(wrong))
        allowed = ", ".join(map(str, instrument.codes(item)))
        for position in wrong[:room]:
            row = int(position if rows is None else rows[position]) + FIRST_ROW
            fault = NOT_NUMBER if no_number[position] else NOT_CODE
            found, label = cells.iloc[position], _label(cells, position)
            problems.append(fault.at(replace(place, row=row), found=found, expected=allowed, label=label))
    if beyond:
        problems.append(MORE_CELLS.at(f"responses to {instrument.id}", count=beyond))
    if problems:
        raise DataProblems(problems)
    return codes


def check_ages(instrument: Instrument, responses: pd.DataFrame, age_years: pd.Series[float] | None) -> None:
    """Raise every answered row whose child is not of the form's ages (SCO-007); an unknown age is let pass."""
    if age_years is None:
        return
    place = Place(f"responses to {instrument.id}")
    age = checked_ages(age_years, len(responses), place.source)
    if instrument.ages is None:
        return
    served = np.isnan(age) | ((age >= instrument.ages.from_) & (age < instrument.ages.below))
    rated = answered(responses, list(column_names(instrument, responses).values()))
    expected = f"from {instrument.ages.from_:g} to below {instrument.ages.below:g} years"
    wrong = np.flatnonzero(rated & ~served)
    problems = [
        WRONG_AGE.at(replace(place, row=int(i) + FIRST_ROW), found=years(age[i]), expected=expected, form=instrument.id)
        for i in wrong[:MOST_LISTED]
    ]
    if len(wrong) > MOST_LISTED:
        problems.append(MORE_CELLS.at(place, count=len(wrong) - MOST_LISTED))
    if problems:
        raise DataProblems(problems)


def years(age: float) -> Phrase:
    """Write an age so that one just below a limit does not read as the limit: cut, not rounded."""
    return Phrase("{age:.2f} years", age=float(np.floor(age * 100 + 1e-6) / 100))


def column_names(instrument: Instrument, responses: pd.DataFrame) -> dict[str, str]:
    """Return the column under which each item stands: stored names if any is there, bare keys otherwise."""
    stored = dict(zip(instrument.item_keys, instrument.columns, strict=True))
    return stored if set(stored.values()) & set(responses.columns) else {key: key for key in stored}


def answered(responses: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.bool_]:
    """Tell for each row whether any of `columns` that are there holds an answer, right or wrong."""
    there = [~_empty(responses[name]) for name in columns if name in responses.columns]
    return np.any(there, axis=0) if there else np.zeros(len(responses), dtype=bool)


def _codes(cells: pd.Series[float], allowed: tuple[int, ...]) -> tuple[Floats, NDArray[np.int64], NDArray[np.bool_]]:
    """Return codes, the positions of wrong cells, and for every cell whether it is filled with something that is no number."""
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
        values = np.array(cells.to_numpy(dtype=float, na_value=np.nan), dtype=np.float64)
    else:  # each distinct cell is read once; position -1, a missing cell, takes the NaN at the end
        position, distinct = pd.factorize(cells)
        values = np.array([*map(_number, distinct), np.nan])[position]
        values[_truth_values(cells)] = np.nan
    no_number: NDArray[np.bool_] = np.isnan(values)
    no_number[no_number] = ~_empty(cells[no_number])
    wrong: NDArray[np.bool_] = no_number | ~(np.isnan(values) | np.isin(values, allowed))
    return values, np.flatnonzero(wrong).astype(np.int64), no_number


def _number(cell: object) -> float:
    if isinstance(cell, Real) and not isinstance(cell, bool):
        return float(cell)
    number = numeral(str(cell).strip())
    return np.nan if number is None else float(number)


def _truth_values(cells: pd.Series[float]) -> NDArray[np.bool_]:
    """Tell which cells hold true or false: no answer on a rating scale, though Python counts true as 1."""
    if cells.dtype != object:
        return np.zeros(len(cells), dtype=bool)
    return np.fromiter((isinstance(cell, (bool, np.bool_)) for cell in cells), dtype=bool, count=len(cells))


def _empty(cells: pd.Series[float]) -> NDArray[np.bool_]:
    """Tell which cells are missing, or hold nothing but blanks."""
    missing = np.array(cells.isna(), dtype=np.bool_)
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return missing
    position, distinct = pd.factorize(cells)
    blank = np.array([*(str(cell).strip() == "" for cell in distinct), True])
    missing |= blank[position]
    return missing


def _label(cells: pd.Series[float], position: int) -> str:
    """Name a row as the caller does, where it has a name."""
    if isinstance(cells.index, pd.RangeIndex):
        return ""
    return f" ({cells.index.name or 'row'} {cells.index[position]})"
