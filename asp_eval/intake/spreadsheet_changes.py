"""What a spreadsheet makes of texts that it takes for numbers or dates, unasked, while a file is corrected in it."""

from __future__ import annotations

import math
import re

from asp_eval.intake.files.raw import SPACES, TextColumn
from asp_eval.intake.values import Marks, convert
from asp_eval.trial.tables.fields import Field

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d*)?(?:[eE][+-]?\d+)?", re.ASCII)
_PARTED = re.compile(r"\d{1,4}[-/.]\d{1,4}(?:[-/.]\d{1,4})?", re.ASCII)
_DATED = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}|\d{1,2}[-. ]*[^\W\d_]{3,9}\.?[-. ]*\d{0,4}|[^\W\d_]{3,9}\.?[- ]\d{2,4}")
DIGITS = 15  # that spreadsheets keep of a number


def is_spreadsheet_change(before: str, after: str, field: Field, marks: Marks) -> bool:
    """Return whether a cell was changed as spreadsheets change cells, so that it now means something else.

    Parameters
    ----------
    before, after : str
        The cell as it was written out, and as it came back.
    field : Field
        What the column holds. Of numbers nothing is said: a change of theirs can be read, or is a fault.
    marks : Marks
        How the file writes dates.

    Examples
    --------
    >>> text, date, marks = Field("child_id", "string"), Field("date", "date"), Marks(dates="day-first")
    >>> changed = is_spreadsheet_change
    >>> changed("007", "7", text, marks), changed("7", "007", text, marks), changed("1-2", "01-feb", text, marks)
    (True, False, True)
    >>> changed("07-09-2006", "09/07/2006", date, marks), changed("07-09-2006", "2006-09-07", date, marks)
    (True, False)
    """
    before, after = before.strip(SPACES), after.strip(SPACES)
    if before == after or not before or not after:
        return False
    if field.kind == "date":
        return _read(before, field, marks) != _read(after, field, marks) and bool(_days(before) & _days(after))
    return field.kind == "string" and (_as_number(before, after) or bool(_PARTED.fullmatch(before) and _DATED.fullmatch(after)))


def _as_number(before: str, after: str) -> bool:
    """Whether a text was taken for a number: zeros lost, an exponent, all but the first digits rounded off."""
    if not _NUMBER.fullmatch(before) or not _NUMBER.fullmatch(after):
        return False
    if after.isdigit() and after.lstrip("0") == before:  # zeros are added by people alone
        return False
    one, other = (float(text.replace(",", ".")) for text in (before, after))
    rough = 1e-3 if "e" in after.casefold() else 10.0 ** (1 - DIGITS) if len(before) > DIGITS else 0.0
    return one == other or math.isclose(one, other, rel_tol=rough)


def _days(text: str) -> set[object]:
    """Return the days that a text can be read as."""
    read = (_read(text, Field("", "date"), Marks(dates=order)) for order in ("day-first", "month-first"))
    return {day for day in read if day is not None}


def _read(text: str, field: Field, marks: Marks) -> object:
    found = convert(TextColumn.of([text]), field, marks)
    return None if found.faulty[0] else found.series.iloc[0]
