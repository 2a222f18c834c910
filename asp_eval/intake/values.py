"""From the texts of a column to values of its type; whatever does not fit is a fault, nothing is coerced."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.raw import SPACES, TextColumn
from asp_eval.trial.tables.fields import Field

NOT_A_CODE = Fault(
    "SCR-014",
    "the value is not an allowed code",
    "Correct the cell{called}, or leave it empty if unanswered. If it is a label, give its code in the mapping: "
    "'recode: {{{column}: {{{label}: CODE}}}}'.",
)
WRONG_TYPE = Fault(
    "SCR-042",
    "the value is not {kind}",
    "Correct the cell{called}; a word that means missing is declared in the mapping: 'missing: [{label}]'.",
)
NOT_ALLOWED = Fault(
    "SCR-043",
    "the value is not one of those allowed",
    "Correct the cell{called}, or recode the label in the mapping: 'recode: {{{column}: {{{label}: OURS}}}}'; "
    'OURS "" empties it.',
)
OUT_OF_RANGE = Fault("SCR-044", "the value is out of range", "Correct the cell{called}.")
FULL_DATE = Fault(
    "SCR-184",
    "the value is a whole date, and no more than the month is to be kept",
    "Say in the mapping that the day is to be dropped: 'truncate: {{{column}: month}}'.",
)
IMPOSSIBLE_DATE = Fault("SCR-047", "there is no such date", "Correct the cell{called}.")

KINDS = {
    "string": Phrase("a text"),
    "integer": Phrase("a whole number"),
    "number": Phrase("a number"),
    "date": Phrase("a date"),
    "yearmonth": Phrase("a year and month (YYYY-MM)"),
}
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(
    r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?:[T ]\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\.\d+)?"
    r" ?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?",  # a moment is of the day that it was where it was written
    re.ASCII,
)
_MOMENT = re.compile(
    r"(?P<day>\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})(?:[T ](?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}(?:\.\d+)?))?"
    r" ?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)
_MONTH = re.compile(r"(?P<year>\d{4})[-/.](?P<month>0?[1-9]|1[0-2])|(?P<first>0?[1-9]|1[0-2])[-/.](?P<last>\d{4})", re.ASCII)
_FIRST_OF_MONTH = re.compile(r"(\d{4}-\d{2})-01", re.ASCII)  # what a workbook makes of a month
_THOUSANDS = {".": "[.]", ",": ",", " ": "[ \u00a0\u2009\u202f]", "'": "['\u2019]"}  # as they are typed and printed
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Marks:
    """How numbers and dates are written in a file; `thousands` is the mark between thousands, where numbers have one."""

    decimal: str = "."
    dates: str = "iso"
    thousands: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Converted:
    """The values of a column.

    Attributes
    ----------
    series : Series, length n
        ``string``, ``float64`` or ``datetime64[s]``; missing where the cell is empty or at fault.
    faulty : ndarray of bool, shape (n,)
        Which cells are at fault.
    faults : ndarray of object, shape (u,)
        The fault of each text of the column, None where there is none.
    """

    series: pd.Series
    faulty: npt.NDArray[np.bool_]
    faults: npt.NDArray[np.object_]


def convert(column: TextColumn, field: Field, marks: Marks) -> Converted:
    """Return the values of a column, and the faults of its texts."""
    parsed = [_parse(text.strip(SPACES), field, marks) for text in column.texts]
    series = typed([value for value, _ in parsed], field).take(column.codes)
    faults = np.empty(len(parsed), dtype=object)
    faults[:] = [fault for _, fault in parsed]
    faulty = np.array([fault is not None for _, fault in parsed], dtype=np.bool_)
    return Converted(series.reset_index(drop=True), column.where(faulty), faults)


def typed(values: Sequence[Any], field: Field) -> pd.Series:
    """Return values as a column of the field's type; None is missing."""
    if field.numeric:
        return pd.Series(np.array([np.nan if value is None else value for value in values], dtype=np.float64), name=field.name)
    if field.kind == "date":
        return pd.Series(np.array(values, dtype="datetime64[s]"), name=field.name)
    return pd.Series(values, dtype="string", name=field.name)


def expected(field: Field) -> str:
    """Say what a field allows."""
    if field.allowed:
        return ", ".join(field.allowed)
    kind = KINDS[field.kind]
    if field.minimum is not None and field.maximum is not None:
        return Phrase("{kind} from {low} to {high}", kind=kind, low=field.minimum, high=field.maximum)
    if field.minimum is not None:
        return Phrase("{kind}, {low} or more", kind=kind, low=field.minimum)
    if field.maximum is not None:
        return Phrase("{kind}, at most {high}", kind=kind, high=field.maximum)
    return Phrase("a text like {pattern}", pattern=field.pattern) if field.pattern else kind


def decimal_mark(texts: Iterable[str], delimiter: str | None) -> str | None:
    """Return the decimal mark of a file's numbers, or None where they can be read in two ways.

    Two ways there are if both marks are met, or if every number with a mark could be in thousands (1.234).

    Examples
    --------
    >>> decimal_mark(["1,5", "2"], ";"), decimal_mark(["1.234"], ";"), decimal_mark(["1.234", "0.5"], ";")
    (',', None, '.')
    """
    plain = [text.strip(SPACES) for text in texts]
    marked = [text for text in plain if _NUMBER.fullmatch(text.replace(",", ".")) and ("." in text or "," in text)]
    grouped = [text for text in plain if _GROUPED.fullmatch(text)]
    found = {"," if "," in text else "." for text in (*marked, *grouped)}
    if not found:
        return "."
    if len(found) > 1 or any(text.count(".") + text.count(",") > 1 for text in grouped):
        return None
    mark = found.pop()
    in_doubt = len(grouped) == len(marked) and (mark == "," or delimiter != ",")
    return None if in_doubt else mark


def ungrouped(text: str, marks: Marks) -> str:
    """Return a number without the marks between its thousands; a text that is not grouped by threes stays as it is.

    Examples
    --------
    >>> danish = Marks(",", thousands=".")
    >>> ungrouped("1.234,5", danish), ungrouped("-1.234.567", danish), ungrouped("12.34", danish)
    ('1234,5', '-1234567', '12.34')
    """
    if marks.thousands is None:
        return text
    mark = _THOUSANDS[marks.thousands]
    fraction = "(?:[.,][0-9]*)?" if marks.thousands not in ".," else f"(?:{re.escape(marks.decimal)}[0-9]*)?"
    grouped = re.fullmatch(f"([+-]?[0-9]{{1,3}}(?:({mark})[0-9]{{3}})(?:\\2[0-9]{{3}})*){fraction}", text)
    return re.sub(mark, "", grouped[1]) + text[grouped.end(1) :] if grouped else text


def date_order(texts: Iterable[str]) -> str | None:
    """Return how a file writes dates, or None where day and month could be either.

    Examples
    --------
    >>> date_order(["2006-09-01"]), date_order(["01-09-2006", "24-09-2006"]), date_order(["01-09-2006"])
    ('iso', 'day-first', None)
    """
    parts = [found for text in texts if (found := _DATE.fullmatch(text.strip(SPACES))) and len(found[1]) < 3]
    if not parts:
        return "iso"
    first, second = max(int(found[1]) for found in parts), max(int(found[3]) for found in parts)
    if (first > 12) == (second > 12):
        return None
    return "day-first" if first > 12 else "month-first"


def moments_in_order(texts: Sequence[str], dates: str | None) -> list[float] | None:
    """Return the place of each text in the order of all, as a number: of numbers, or of days and moments; None if it has none.

    Examples
    --------
    >>> moments_in_order(["2", "10"], None), moments_in_order(["2027-01-02 10:00", "2027-01-02T09:00:00Z"], None)
    ([2.0, 10.0], [1798884000.0, 1798880400.0])
    """
    plain = [text.strip(SPACES) for text in texts]
    if all(_NUMBER.fullmatch(text) for text in plain if text):
        return [float(text) if text else -np.inf for text in plain]
    order = dates or date_order(text for text in plain if text)
    found = [_MOMENT.fullmatch(text) if text else None for text in plain]
    if order is None or any(text and match is None for text, match in zip(plain, found, strict=True)):
        return None
    moments = []
    for match in found:
        day = _parse_date(match["day"], Field("", "date"), order)[0] if match else None
        if match and not isinstance(day, dt.date):
            return None
        clock = [float(part or 0) for part in (match["hour"], match["minute"], match["second"])] if match else [0.0, 0.0, 0.0]
        days = (day - dt.date(1970, 1, 1)).days if isinstance(day, dt.date) else -np.inf
        moments.append(86400.0 * days + 3600 * clock[0] + 60 * clock[1] + clock[2])
    return moments


def _parse(text: str, field: Field, marks: Marks) -> tuple[object, Fault | None]:
    """Return the value of one text, or the fault it has."""
    if text == "" or (field.missing and means_missing(text, field, marks)):
        return None, None
    if field.numeric:
        return _parse_number(ungrouped(text, marks), field, marks.decimal)
    if field.kind == "date":
        return _parse_date(text, field, marks.dates)
    if field.kind == "yearmonth":
        return _parse_month(text, field)
    if field.allowed and text not in field.allowed:
        return None, NOT_ALLOWED
    if field.pattern and not re.fullmatch(field.pattern, text):
        return None, NOT_ALLOWED
    return text, None


def means_missing(text: str, field: Field, marks: Marks) -> bool:
    """Whether a text is one of those that a column is declared to have in place of a value.

    Examples
    --------
    >>> hours = Field("hours", "number", missing=("-99", "NA"))
    >>> [means_missing(text, hours, Marks(",")) for text in ("-99,0", "NA", "99", "")]
    [True, True, False, False]
    """
    if text in field.missing:
        return True
    if not field.numeric:
        return False
    number = _number(ungrouped(text, marks), marks.decimal)
    return number is not None and number in {float(code) for code in field.missing if _NUMBER.fullmatch(code)}


def _parse_month(text: str, field: Field) -> tuple[object, Fault | None]:
    """Return ``2023-12`` for a month and a year of four digits, written in any order: it can be read in one way only."""
    found = _MONTH.fullmatch(_FIRST_OF_MONTH.sub(r"\1", text))
    if found is None:
        return None, FULL_DATE if _DATE.fullmatch(text) else WRONG_TYPE
    value = f"{found['year'] or found['last']}-{int(found['month'] or found['first']):02}"
    return (value, None) if _within(value, field) else (None, OUT_OF_RANGE)


def month_of(text: str, order: str) -> str | None:
    """Return the year and month of a date, None if it is none.

    Parameters
    ----------
    text : str
    order : {"iso", "day-first", "month-first"}
        How dates are written that do not begin with the year.

    Examples
    --------
    >>> month_of("2023-09-14", "iso"), month_of("14/9/2023", "day-first"), month_of("14-09-23", "day-first")
    ('2023-09', '2023-09', None)
    """
    value = _parse_date(text, Field("", "date"), order)[0]
    return value.isoformat()[:7] if isinstance(value, dt.date) else None


def _parse_number(text: str, field: Field, decimal: str) -> tuple[object, Fault | None]:
    value = _number(text, decimal)
    if value is None:
        return None, NOT_A_CODE if field.form else WRONG_TYPE
    if not np.isfinite(value):
        return None, OUT_OF_RANGE
    if field.allowed and value not in {float(code) for code in field.allowed}:
        return None, NOT_A_CODE if field.form else NOT_ALLOWED
    if field.kind == "integer" and not value.is_integer():
        return None, WRONG_TYPE
    low, high = float(field.minimum or "-inf"), float(field.maximum or "inf")
    return (value, None) if low <= value <= high else (None, OUT_OF_RANGE)


def _number(text: str, decimal: str) -> float | None:
    plain = text.replace(",", ".") if decimal == "," else text
    return None if ("." in text and decimal == ",") or not _NUMBER.fullmatch(plain) else float(plain)


def _parse_date(text: str, field: Field, order: str) -> tuple[object, Fault | None]:
    found = _DATE.fullmatch(text)
    if found is None or (len(found[1]) < 3 and order == "iso") or {len(found[1]), len(found[4])} & {3}:
        return None, WRONG_TYPE
    a, b, c = int(found[1]), int(found[3]), int(found[4])
    iso = len(found[1]) == 4
    if len(found[4] if iso else found[1]) > 2 or len(found[1] if iso else found[4]) != 4:
        return None, WRONG_TYPE
    year, month, day = (a, b, c) if iso else (c, b, a) if order == "day-first" else (c, a, b)
    try:
        value = dt.date(year, month, day)
    except ValueError:
        return None, IMPOSSIBLE_DATE
    return (value, None) if _within(value.isoformat(), field) else (None, OUT_OF_RANGE)


def _within(text: str, field: Field) -> bool:
    """Compare ISO dates and months, which sort as text."""
    return (field.minimum is None or field.minimum <= text) and (field.maximum is None or text <= field.maximum)
