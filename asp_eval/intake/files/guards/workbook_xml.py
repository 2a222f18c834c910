"""What is met in the XML of a workbook, element by element: where the last cell of each sheet lies, and which hold errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from asp_eval.core.errors import Fault

TOO_MANY = Fault("SCR-077", "the workbook holds more cells and texts than are read from one", "Export the data as CSV.")

MOST_CELLS = 2_000_000  # of the rectangle from A1 to the last cell: a reader of workbooks sets aside room for all of it
MOST_OTHERS = 5_000_000  # elements that are neither
DIGITS = "0123456789"


class Scan(Protocol):
    """Follows the XML of one part of a workbook.

    Attributes
    ----------
    grids : list of (int, int)
        Last row and last column of each sheet, from 1.
    errors, lost : list of (int, int)
        Row and column of the cells that hold an error, and of those with something that the reader of workbooks leaves out.
    """

    grids: list[tuple[int, int]]
    errors: list[tuple[int, int]]
    lost: list[tuple[int, int]]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Follow the start of an element; a ValueError says that no spreadsheet writes this."""

    def end(self) -> None:
        """Note the sheet that ends with the part."""


@dataclass(slots=True)
class XlsxScan:
    """Follows one part of an XLSX file, which holds one sheet at most."""

    grids: list[tuple[int, int]] = field(default_factory=list)
    errors: list[tuple[int, int]] = field(default_factory=list)
    lost: list[tuple[int, int]] = field(default_factory=list)
    row: int = 0
    cell_row: int = 0
    column: int = 0
    last_row: int = 0
    last_column: int = 0
    counted: int = 0
    columns: dict[str, int] = field(default_factory=dict)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Follow the start of an element."""
        tag = name.rpartition(":")[2] if ":" in name else name
        if tag == "v" or tag == "is":  # a cell without either is empty, whatever its place
            if self.cell_row > self.last_row:
                self.last_row = self.cell_row
            if self.column > self.last_column:
                self.last_column = self.column
        elif tag == "c":
            self._cell(attributes)
        elif tag == "row":
            self.row, self.column = int(attributes.get("r", self.row + 1)), 0
        else:
            self.counted += 1
            if self.counted > (MOST_CELLS if tag == "si" else MOST_OTHERS):
                TOO_MANY.refuse()
            if tag == "Relationship" and attributes.get("Target", "").lower().endswith(PASSED_OVER):
                raise ValueError("a sheet that is no sheet")

    def _cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        if place:
            letters = place.rstrip(DIGITS)
            if letters not in self.columns:
                self.columns[letters] = column_number(letters)
            self.column, self.cell_row = self.columns[letters], max(self.row, int(place[len(letters) :]))
        else:
            self.column, self.cell_row = self.column + 1, self.row
        if attributes.get("t") == "e":
            self.errors.append((self.cell_row, self.column))

    def end(self) -> None:
        """Note the sheet, if it is one."""
        self.grids.append((self.last_row, self.last_column))


@dataclass(slots=True)
class OdsScan:
    """Follows one part of an ODS file, which holds all sheets; rows and cells that are repeated stand once."""

    grids: list[tuple[int, int]] = field(default_factory=list)
    errors: list[tuple[int, int]] = field(default_factory=list)
    lost: list[tuple[int, int]] = field(default_factory=list)
    row: int = 0
    column: int = 0
    rows: int = 1
    columns: int = 1
    last_row: int = 0
    last_column: int = 0
    counted: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Follow the start of an element."""
        if name in {"table:table-cell", "table:covered-table-cell"}:
            self.column += self.columns
            self.columns = _repeated(attributes, "table:number-columns-repeated")
            if "office:value-type" in attributes:
                self._filled()
            if attributes.get("calcext:value-type") == "error":
                self.errors.append((self.row, self.column))
        elif name == "text:p":
            self._filled()
        elif name in {"text:tab", "text:line-break"}:
            self.lost.append((self.row, self.column))
        elif name == "table:table-row":
            self.row += self.rows
            self.rows = _repeated(attributes, "table:number-rows-repeated")
            self.column, self.columns = 0, 1
        elif name == "table:table":
            self.end()
            self.row, self.rows, self.last_row, self.last_column = 0, 1, 0, 0
        else:
            self.counted += 1
            if self.counted > MOST_OTHERS:
                TOO_MANY.refuse()

    def _filled(self) -> None:
        self.last_row = max(self.last_row, self.row + self.rows - 1)
        self.last_column = max(self.last_column, self.column + self.columns - 1)

    def end(self) -> None:
        """Note the sheet that is over."""
        self.grids.append((self.last_row, self.last_column))


PASSED_OVER = (".vml", ".htm", ".html", ".svg")  # parts that need not be well-formed, and are never sheets


def _repeated(attributes: dict[str, str], name: str) -> int:
    times = int(attributes.get(name, 1))
    if times < 1:
        raise ValueError("less than once")
    return times


def column_number(letters: str) -> int:
    """Return the number of a column, from 1.

    Examples
    --------
    >>> column_number("B"), column_number("XFD")
    (2, 16384)
    """
    column = 0
    for letter in letters.upper():
        column = 26 * column + ord(letter) - 64
    return column


def column_letters(column: int) -> str:
    """Return the name of a column, counted from 1.

    Examples
    --------
    >>> column_letters(2), column_letters(27), column_letters(16384)
    ('B', 'AA', 'XFD')
    """
    letters = ""
    while column > 0:
        column, place = divmod(column - 1, 26)
        letters = chr(65 + place) + letters
    return letters
