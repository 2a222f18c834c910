"""How a text file was written: encoding and delimiter, found in the file or refused with the candidates."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from itertools import islice
from typing import Literal, Self

from pydantic import Field, model_validator

from asp_eval.core.documents import Document
from asp_eval.core.errors import DataProblems, Fault
from asp_eval.core.phrases import Phrase, any_of

UNSURE_DELIMITER = Fault(
    "SCR-010",
    "the columns could be separated in more than one way",
    "Say which in the mapping: 'format: {{delimiter: \";\"}}'.",
)

CANDIDATES = (";", ",", "\t", "|")
SAMPLE_ROWS = 100
SAMPLE_LENGTH = 1_000_000  # characters; the sample's rows lie within them
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class FileFormat(Document):
    """What a mapping says about how the file was written; what it leaves out is detected.

    Attributes
    ----------
    encoding, delimiter, decimal, dates : str, optional
        Of text files.
    thousands : str, optional
        The mark between thousands, where numbers have one; the decimal mark is then another.
    header_row : int, optional
        The row, as a spreadsheet numbers it, that names the columns; by default the first that is not blank.
    skip_after_header : int
        Rows right below it that are no data, such as the questions.
    sheet : str, optional
        The sheet of a workbook that holds the data.
    sheets : "by-columns", optional
        The columns are spread over all sheets, row by row in the same order.
    dialect : str, optional
        Name of a reader, where several know the file.
    companions : dict
        Files of the same export, by what they are: ``{labels: labels-2006.csv}``. They lie beside it.
    """

    encoding: Literal["utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"] | None = None
    delimiter: Literal[";", ",", "\t", "|"] | None = None
    decimal: Literal[".", ","] | None = None
    dates: Literal["iso", "day-first", "month-first"] | None = None
    thousands: Literal[".", ",", " ", "'"] | None = None
    header_row: int | None = Field(default=None, ge=1)
    skip_after_header: int = Field(default=0, ge=0)
    sheet: str | None = None
    sheets: Literal["by-columns"] | None = None
    dialect: str | None = None
    companions: dict[Literal["structure", "labels", "dictionary", "form"], str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _two_marks(self) -> Self:
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError(Phrase("one mark for decimals and another between thousands"))
        return self


def encodings(start: bytes, declared: str | None) -> tuple[str, ...]:
    """Return the encodings to try in turn: the declared one, else that of the byte order mark, else UTF-8 and then cp1252."""
    marked = next((name for mark, name in _BOMS if start.startswith(mark)), None)
    return (declared,) if declared else (marked,) if marked else ("utf-8", "cp1252")


def find_delimiter(text: str, source: str) -> str:
    """Return the one delimiter that splits the header, and the first rows as it splits the header.

    Raises
    ------
    DataProblems
        If more than one does.
    """
    widths = {candidate: _widths(text, candidate) for candidate in CANDIDATES}
    splitting = [candidate for candidate, found in widths.items() if found and found[0] > 1]
    even = [candidate for candidate in splitting if len(set(widths[candidate])) == 1]
    fitting = even or splitting or _splitting_most_rows(widths)
    if len(fitting) > 1:
        shown = any_of(Phrase("{mark!r} ({n} columns)", mark=candidate, n=widths[candidate][0]) for candidate in fitting)
        raise DataProblems([UNSURE_DELIMITER.at(source, expected=shown, candidates=fitting)])
    return fitting[0] if fitting else ","


def _splitting_most_rows(widths: dict[str, list[int]]) -> list[str]:
    """Return the delimiters that split most rows into as many columns, though not the first: a title may stand above."""
    usual = {candidate: Counter(found).most_common(1)[0] for candidate, found in widths.items() if found}
    return [candidate for candidate, (width, rows) in usual.items() if width > 1 and 2 * rows > len(widths[candidate])]


def _widths(text: str, delimiter: str) -> list[int]:
    """Widths of the header and the first rows that are not blank."""
    rows = csv.reader(io.StringIO(text[:SAMPLE_LENGTH], newline=""), delimiter=delimiter)
    try:
        return [len(row) for row in islice(rows, SAMPLE_ROWS) if row]
    except csv.Error:
        return []


_MOJIBAKE = re.compile(
    "[\u00c2\u00c3][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]|\ufffd"
)


def misread(text: str) -> bool:
    """Whether a text shows UTF-8 read as cp1252, or letters lost in a conversion.

    Examples
    --------
    >>> misread("S\u00c3\u00b8borg"), misread("S\u00f8borg"), misread("S\u00c3O")
    (True, False, False)
    """
    return not text.isascii() and _MOJIBAKE.search(text) is not None
