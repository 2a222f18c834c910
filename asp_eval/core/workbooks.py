"""Excel workbooks with numbers that are numbers and texts that stay texts; the same content always gives the same bytes."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

WIDEST = 60  # letters of a column
LINE = 15.0  # points
LONGEST_NAME = 31  # letters of a sheet's name in Excel
LONGEST_TEXT = 32_767  # letters of a cell in Excel
NO_DAY = date(1980, 1, 1)  # when a workbook was made that has no day: the same content is the same file
TEXTS_STAY = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\]")
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is shown.

    Attributes
    ----------
    value : float
    digits : int
        Decimals, of percent where it is one.
    percent : bool
        Whether it is shown in percent; `value` is the share.
    """

    value: float
    digits: int = 2
    percent: bool = False

    @property
    def format(self) -> str:
        """The format as Excel writes it; Excel shows it with the marks of its reader's language."""
        return "#,##0" + ("." + "0" * self.digits if self.digits else "") + ("%" if self.percent else "")


Value = str | Number | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table on a sheet of its own.

    Attributes
    ----------
    name : str
        Is shortened to what Excel allows.
    title : str
        Stands over the table.
    headings : tuple of str
        One for each column.
    rows : tuple of tuple of str, Number or None
    notes : tuple of str
        Stand under the table.
    """

    name: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    notes: tuple[str, ...] = ()


def midnight(day: date) -> datetime:
    """Return when a workbook of a day says that it was made."""
    return datetime.combine(day, time())


def workbook(
    sheets: Sequence[Sheet],
    *,
    title: str,
    subject: str = "",
    comments: str = "",
    banner: str = "",
    running: str = "",
    day: date | None = None,
) -> bytes:
    """Return an Excel workbook.

    Parameters
    ----------
    sheets : sequence of Sheet
        At least one.
    title, subject, comments : str
        Properties of the file. It names no author.
    banner, running : str, optional
        Lines at the top of every sheet.
    day : date, optional
        What the file says it was made on; the first of January 1980 if not given.

    Returns
    -------
    bytes
        A text that begins with ``=`` or looks like a number or an address stays a text.

    Examples
    --------
    >>> made = workbook([Sheet("effects", "Effects", ("Outcome", "g"), (("=1+1", Number(-0.214)),))], title="Results")
    >>> made[:2]
    b'PK'
    """
    from xlsxwriter import Workbook

    file = io.BytesIO()
    book = Workbook(file, TEXTS_STAY)
    book.set_properties(
        {
            "title": title[:255],
            "subject": subject[:255],
            "comments": comments,
            "author": "",
            "created": midnight(day or NO_DAY),
        }
    )
    forms = _Formats(book)
    for sheet, name in zip(sheets, sheet_names(each.name for each in sheets), strict=True):
        _write(book.add_worksheet(name), sheet, (banner, running), forms)
    book.close()
    return file.getvalue()


def sheet_to_fill_in(
    name: str, headings: Sequence[str], rows: Iterable[Sequence[str]], marked: Collection[tuple[int, int]] = ()
) -> bytes:
    """Return a workbook of one sheet that people fill in or correct, and that a program reads again.

    Parameters
    ----------
    name : str
        Of the sheet.
    headings : sequence of str
        In the first row, which stays in sight.
    rows : iterable of sequence of str
        Every cell is a text, an empty one too, so that 007 and 01-02 stay what is typed.
    marked : collection of (int, int)
        Row and column, each counted from 0, of cells with a coloured ground.

    Examples
    --------
    >>> sheet_to_fill_in("rows", ["id", "answer"], [["007", "9"]], {(0, 1)})[:2]
    b'PK'
    """
    from xlsxwriter import Workbook

    file = io.BytesIO()
    book = Workbook(file, TEXTS_STAY)
    book.set_properties({"created": midnight(NO_DAY)})
    plain, mark = book.add_format({"num_format": "@"}), book.add_format({"num_format": "@", "bg_color": "#ffd966"})
    heading = book.add_format({"bold": True, "num_format": "@", "bottom": 1})
    target = book.add_worksheet(sheet_names([name])[0])
    widths = [max(9, len(text) + 2) for text in headings]
    for column, text in enumerate(headings):
        target.write_string(0, column, _text(text), heading)
    for row, cells in enumerate(rows):
        for column, text in enumerate(cells):
            target.write_string(row + 1, column, _text(text), mark if (row, column) in marked else plain)
            widths[column] = max(widths[column], len(text) + 2)
    for column, width in enumerate(widths):
        target.set_column(column, column, min(WIDEST, width), plain)
    target.freeze_panes(1, 0)
    book.close()
    return file.getvalue()


def sheet_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return names that Excel takes: at most 31 letters, no brackets, slashes, colons, stars or question marks, each once.

    Names that differ only in case are the same to Excel.

    Examples
    --------
    >>> sheet_names(["effects", "Effects", "who/what"])
    ('effects', 'Effects 2', 'who what')
    """
    given: list[str] = []
    taken = {"history"}  # Excel keeps this name for itself
    for name in names:
        plain = _NOT_IN_A_NAME.sub(" ", _NOT_IN_XML.sub("", name)).strip(" '")[:LONGEST_NAME].strip(" '") or "sheet"
        found, copy = plain, 2
        while found.lower() in taken:
            ending = f" {copy}"
            found, copy = plain[: LONGEST_NAME - len(ending)] + ending, copy + 1
        taken.add(found.lower())
        given.append(found)
    return tuple(given)


class _Formats:
    """The formats of a workbook, each made once."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._made: dict[str, Any] = {}

    def of(self, number: Number) -> Any:
        """Return the format of a number."""
        return self._form(number.format, num_format=number.format, valign="top")

    @property
    def title(self) -> Any:
        return self._form("title", bold=True, font_size=13)

    @property
    def heading(self) -> Any:
        return self._form("heading", bold=True, text_wrap=True, valign="bottom", bottom=1, top=1, indent=1)

    @property
    def text(self) -> Any:
        return self._form("text", text_wrap=True, valign="top", indent=1)  # else it touches the number in the column before

    @property
    def note(self) -> Any:
        return self._form("note", font_color="#55636f")

    def _form(self, key: str, **properties: object) -> Any:
        if key not in self._made:
            self._made[key] = self._book.add_format(properties)
        return self._made[key]


def _write(target: Any, sheet: Sheet, lines: Sequence[str], forms: _Formats) -> None:
    """Write a table: title, lines under it, headings, rows, notes; the headings stay in sight, and pages have numbers."""
    top = 0
    for line in filter(None, (sheet.title, *lines)):
        target.write_string(top, 0, _text(line), forms.title if top == 0 else forms.note)
        top += 1
    top += 1
    widths = [_width(sheet, column) for column in range(len(sheet.headings))]
    for column, width in enumerate(widths):
        target.set_column(column, column, width)
    target.set_row(top, _height(sheet.headings, widths))
    for column, heading in enumerate(sheet.headings):
        target.write_string(top, column, _text(heading), forms.heading)
    for position, row in enumerate(sheet.rows, start=top + 1):
        target.set_row(position, _height(row, widths))
        for column, value in enumerate(row):
            if isinstance(value, Number):
                target.write_number(position, column, value.value, forms.of(value))
            elif value:
                target.write_string(position, column, _text(value), forms.text)
    for position, note in enumerate(sheet.notes, start=top + len(sheet.rows) + 2):
        target.write_string(position, 0, _text(note), forms.note)
    target.freeze_panes(top + 1, 1)
    target.repeat_rows(top)
    target.set_landscape()
    target.set_paper(9)  # A4
    target.fit_to_pages(1, 0)
    target.set_footer("&R&P / &N")


def _width(sheet: Sheet, column: int) -> float:
    """Return a width, in letters, that holds each line of a column's texts, and each word of its heading, up to `WIDEST`."""
    lines = [line for row in sheet.rows for value in (row[column],) if isinstance(value, str) for line in value.split("\n")]
    words = [*lines, *sheet.headings[column].split()]
    return min(WIDEST, max(9.0, 1.15 * max(map(len, words), default=0) + 1))


def _height(row: Sequence[Value], widths: Sequence[float]) -> float:
    """Return the height, in points, of a row whose texts are broken into lines that fit the columns."""
    texts = [(value, width) for value, width in zip(row, widths, strict=True) if isinstance(value, str)]
    lines = [sum(max(1, math.ceil(1.15 * len(line) / width)) for line in text.split("\n")) for text, width in texts]
    return LINE * max(lines, default=1)


def _text(text: str) -> str:
    """Return a text that a cell can hold."""
    return _NOT_IN_XML.sub("", str(text))[:LONGEST_TEXT]
