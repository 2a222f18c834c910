"""What is met in the XML of a workbook, element by element: where the last cell of each sheet lies, and which hold errors."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from xml.parsers.expat import XMLParserType

from asp_eval.core.errors import Fault

TOO_MANY = Fault("SCR-077", "the workbook holds more cells and texts than are read from one", "Export the data as CSV.")

MOST_CELLS = 2_000_000  # of the rectangle from A1 to the last cell: a reader of workbooks sets aside room for all of it
MOST_OTHERS = 5_000_000  # elements that are neither
DIGITS = "0123456789"
Cell = tuple[int, int]
"""Row and column, from 1."""
_ZEROS = re.compile(r"(0{2,})(?:;.*)?")  # a number format that shows 1 as 00001


@dataclass(frozen=True, slots=True)
class SheetMarks:
    """What a sheet shows that its cells do not hold.

    Attributes
    ----------
    widths : mapping of (int, int) to int
        Number of digits that a cell's format fills up with zeros, by row and column from 1.
    merged : tuple of ((int, int), (int, int))
        First and last cell of each merge.
    """

    widths: Mapping[Cell, int] = field(default_factory=dict)
    merged: tuple[tuple[Cell, Cell], ...] = ()


class Scan(Protocol):
    """Follows the XML of one part of a workbook.

    Attributes
    ----------
    grids : list of (int, int)
        Last row and last column of each sheet, from 1.
    errors, lost, uncomputed, computed : list of (int, int)
        Row and column of the cells that hold an error, of those with something that the reader of workbooks leaves out, and
        of those with a formula: without a value, and with one.
    stale : bool
        Whether the part says that the values of formulas are not those of the last calculation.
    """

    grids: list[Cell]
    errors: list[Cell]
    lost: list[Cell]
    uncomputed: list[Cell]
    computed: list[Cell]
    stale: bool

    def marks(self) -> Mapping[str, SheetMarks]:
        """Return what the sheets show that their cells do not hold: by name, or by part where the part is one sheet."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Follow the start of an element; a ValueError says that no spreadsheet writes this."""

    def end(self) -> None:
        """Note the sheet that ends with the part."""


@dataclass(slots=True)
class XlsxScan:
    """Follows one part of an XLSX file, which holds one sheet at most."""

    part: str = ""
    parser: XMLParserType | None = None
    styles: Mapping[str, int] = field(default_factory=dict)
    grids: list[Cell] = field(default_factory=list)
    errors: list[Cell] = field(default_factory=list)
    lost: list[Cell] = field(default_factory=list)
    uncomputed: list[Cell] = field(default_factory=list)
    computed: list[Cell] = field(default_factory=list)
    stale: bool = False
    row: int = 0
    cell_row: int = 0
    column: int = 0
    last_row: int = 0
    last_column: int = 0
    counted: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    kind: str = ""
    formula: bool = False
    widths: dict[Cell, int] = field(default_factory=dict)
    sheets: dict[str, str] = field(default_factory=dict)  # relation by name of the sheet
    targets: dict[str, str] = field(default_factory=dict)  # part by relation
    formats: dict[str, int] = field(default_factory=dict)  # digits by number format
    cell_styles: dict[str, int] = field(default_factory=dict)  # digits by style of a cell
    in_cell_styles: int | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Follow the start of an element."""
        tag = name.rpartition(":")[2] if ":" in name else name
        if tag == "v" or tag == "is":  # a cell without either is empty, whatever its place
            if self.cell_row > self.last_row:
                self.last_row = self.cell_row
            if self.column > self.last_column:
                self.last_column = self.column
            if self.formula:
                self._value()
        elif tag == "c":
            self._close()
            self._cell(attributes)
        elif tag == "row":
            self._close()
            self.row, self.column = int(attributes.get("r", self.row + 1)), 0
        elif tag == "f":
            self.formula = True
        else:
            self.counted += 1
            if self.counted > (MOST_CELLS if tag == "si" else MOST_OTHERS):
                TOO_MANY.refuse()
            if tag == "Relationship" and attributes.get("Target", "").lower().endswith(PASSED_OVER):
                raise ValueError("a sheet that is no sheet")
            self._declared(tag, attributes)

    def _declared(self, tag: str, attributes: dict[str, str]) -> None:
        """Note what the parts of a workbook that hold no cells say of those that do."""
        if tag == "Relationship":
            self.targets[attributes.get("Id", "")] = attributes.get("Target", "")
        elif tag == "sheet":
            relation = next((value for name, value in attributes.items() if name.endswith(":id")), "")
            self.sheets[attributes.get("name", "")] = relation
        elif tag == "calcPr":
            self.stale = attributes.get("fullCalcOnLoad") in YES or attributes.get("calcCompleted") in NO
        elif tag == "numFmt":
            if width := shown_digits(attributes.get("formatCode", "")):
                self.formats[attributes.get("numFmtId", "")] = width
        elif tag == "cellXfs":
            self.in_cell_styles = 0
        elif tag in {"cellStyles", "dxfs"}:
            self.in_cell_styles = None
        elif tag == "xf" and self.in_cell_styles is not None:
            if width := self.formats.get(attributes.get("numFmtId", ""), 0):
                self.cell_styles[str(self.in_cell_styles)] = width
            self.in_cell_styles += 1

    def _value(self) -> None:
        """Follow the value of a formula until it is seen to hold anything; an empty text is a value too."""
        if self.kind == "str":
            self._computed()
        elif self.parser is not None:
            self.parser.CharacterDataHandler = self._computed

    def _computed(self, _text: str = "") -> None:
        self.computed.append((self.cell_row, self.column))
        self.formula = False
        if self.parser is not None:
            self.parser.CharacterDataHandler = None

    def _close(self) -> None:
        """Note the cell that is over, if it had a formula and no value."""
        if self.formula:
            self.uncomputed.append((self.cell_row, self.column))
            self.formula = False
            if self.parser is not None:
                self.parser.CharacterDataHandler = None

    def _cell(self, attributes: dict[str, str]) -> None:
        place = attributes.get("r")
        if place:
            letters = place.rstrip(DIGITS)
            if letters not in self.columns:
                self.columns[letters] = column_number(letters)
            self.column, self.cell_row = self.columns[letters], max(self.row, int(place[len(letters) :]))
        else:
            self.column, self.cell_row = self.column + 1, self.row
        self.kind = attributes.get("t", "n")
        if self.kind == "e":
            self.errors.append((self.cell_row, self.column))
        elif self.styles and self.kind == "n" and (width := self.styles.get(attributes.get("s", ""))):
            self.widths[self.cell_row, self.column] = width

    def end(self) -> None:
        """Note the sheet, if it is one."""
        self._close()
        self.grids.append((self.last_row, self.last_column))

    def marks(self) -> Mapping[str, SheetMarks]:
        """Return what the sheet shows that its cells do not hold, by the name of the part."""
        return {self.part: SheetMarks(self.widths)} if self.widths else {}

    def related_parts(self) -> dict[str, str]:
        """Return the part that each relation of this part leads to; empty if the part holds no relations."""
        folder = posixpath.dirname(posixpath.dirname(self.part))
        return {
            key: target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            for key, target in self.targets.items()
        }


@dataclass(slots=True)
class OdsScan:
    """Follows one part of an ODS file, which holds all sheets; rows and cells that are repeated stand once."""

    grids: list[Cell] = field(default_factory=list)
    errors: list[Cell] = field(default_factory=list)
    lost: list[Cell] = field(default_factory=list)
    uncomputed: list[Cell] = field(default_factory=list)
    computed: list[Cell] = field(default_factory=list)
    stale: bool = False
    table: str = ""
    found: dict[str, SheetMarks] = field(default_factory=dict)
    widths: dict[Cell, int] = field(default_factory=dict)
    merged: list[tuple[Cell, Cell]] = field(default_factory=list)
    formats: dict[str, int] = field(default_factory=dict)  # digits by number style
    styles: dict[str, int] = field(default_factory=dict)  # digits by style of a cell
    in_style: str = ""
    defaults: list[tuple[int, int]] = field(default_factory=list)  # last column and digits of a run of columns
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
            if "table:formula" in attributes:
                (self.computed if "office:value-type" in attributes else self.uncomputed).append((self.row, self.column))
            self._shown(attributes)
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
            self.table, self.widths, self.merged, self.defaults = attributes.get("table:name", ""), {}, [], []
        elif name == "table:table-column":
            last = self.defaults[-1][0] if self.defaults else 0
            width = self.styles.get(attributes.get("table:default-cell-style-name", ""), 0)
            self.defaults.append((last + _repeated(attributes, "table:number-columns-repeated"), width))
        elif name == "number:number-style":
            self.in_style = attributes.get("style:name", "")
        elif name == "number:number":
            digits = attributes.get("number:min-integer-digits", "1")
            if digits.isdigit() and int(digits) > 1 and attributes.get("number:decimal-places", "0") == "0":
                self.formats[self.in_style] = int(digits)
        elif name == "style:style" and (width := self.formats.get(attributes.get("style:data-style-name", ""), 0)):
            self.styles[attributes.get("style:name", "")] = width
        else:
            self.counted += 1
            if self.counted > MOST_OTHERS:
                TOO_MANY.refuse()

    def _shown(self, attributes: dict[str, str]) -> None:
        """Note the zeros that a cell's format shows, and the cells it is merged with."""
        down, right = (int(attributes.get(f"table:number-{way}-spanned", 1)) for way in ("rows", "columns"))
        if down > 1 or right > 1:
            self.merged.append(((self.row, self.column), (self.row + down - 1, self.column + right - 1)))
        if not self.styles or attributes.get("office:value-type") != "float":
            return
        style = attributes.get("table:style-name")
        usual = next((width for last, width in self.defaults if self.column <= last), 0)
        width = self.styles.get(style, 0) if style is not None else usual
        if width and self.rows * self.columns <= MOST_CELLS:  # a sheet with more is refused for that
            rows, columns = range(self.row, self.row + self.rows), range(self.column, self.column + self.columns)
            self.widths |= {(row, column): width for row in rows for column in columns}

    def _filled(self) -> None:
        self.last_row = max(self.last_row, self.row + self.rows - 1)
        self.last_column = max(self.last_column, self.column + self.columns - 1)

    def end(self) -> None:
        """Note the sheet that is over."""
        self.grids.append((self.last_row, self.last_column))
        self.found[self.table] = SheetMarks(self.widths, tuple(self.merged))

    def marks(self) -> Mapping[str, SheetMarks]:
        """Return what the sheets show that their cells do not hold, by name."""
        return self.found


YES, NO = ("1", "true"), ("0", "false")
PASSED_OVER = (".vml", ".htm", ".html", ".svg")  # parts that need not be well-formed, and are never sheets


def _repeated(attributes: dict[str, str], name: str) -> int:
    times = int(attributes.get(name, 1))
    if times < 1:
        raise ValueError("less than once")
    return times


def shown_digits(number_format: str) -> int:
    """Return the digits that a number format fills up with zeros; 0 if it does not.

    Examples
    --------
    >>> shown_digits("00000"), shown_digits("0"), shown_digits("0.00")
    (5, 0, 0)
    """
    found = _ZEROS.fullmatch(number_format)
    return len(found[1]) if found else 0


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
