"""Workbooks (XLSX, XLS, ODS): looked through before they are opened, typed cells turned into text without loss."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from asp_eval.core.errors import DataProblems, Problem
from asp_eval.intake.files.columns import shorten
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.guards.archive import DAMAGED, check_archive
from asp_eval.intake.files.guards.legacy_workbook import check_old_book
from asp_eval.intake.files.guards.workbook_xml import TOO_MANY, SheetMarks

OLE_START = bytes.fromhex("d0cf11e0a1b11ae1")
ZIP_START = b"PK\x03\x04"
SUFFIXES = (".xlsx", ".xlsm", ".ods")
MOST_SHEETS = 100
LOOKED_AT = 5  # records of a sheet, to recognise it by
Cell = str | float | bool | dt.date | dt.time | dt.timedelta
Sheet = list[list[str]]


@dataclass(frozen=True, slots=True)
class Worksheet:
    """A sheet of a workbook.

    Attributes
    ----------
    cells : CalamineSheet
    marks : SheetMarks
        What it shows that its cells do not hold.
    """

    cells: CalamineSheet
    marks: SheetMarks

    @property
    def merged(self) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
        """First and last cell of each merge, as row and column from 1."""
        found = self.cells.merged_cell_ranges or ()
        return self.marks.merged or tuple(((a + 1, b + 1), (c + 1, d + 1)) for (a, b), (c, d) in found)


def is_workbook(export: Export) -> bool:
    """Return whether a file begins as a workbook does, or calls itself one."""
    return export.start.startswith((ZIP_START, OLE_START)) or export.path.suffix.lower() in SUFFIXES


def read_sheets(export: Export) -> tuple[str, dict[str, Worksheet]]:
    """Return the kind of a workbook, and its sheets by name; they are opened once, however many readers ask.

    Raises
    ------
    DataProblems
        If the file is damaged, protected by a password, too large, or has cells with errors.
    """
    if "workbook" not in export.memo:
        export.memo["workbook"] = _opened(export)
    found: _Opened | DataProblems = export.memo["workbook"]
    if isinstance(found, DataProblems):
        raise found
    if found.faults:
        raise DataProblems(shorten(problem for problems in found.faults.values() for problem in problems))
    return found.kind, found.sheets


def sheets_one_by_one(export: Export) -> dict[str, Worksheet | tuple[Problem, ...]]:
    """Return each sheet of a workbook by its name, or what is wrong with its cells: one at fault keeps no other back.

    Raises
    ------
    DataProblems
        If the file is damaged, protected by a password or too large.
    """
    if "workbook" not in export.memo:
        export.memo["workbook"] = _opened(export)
    found: _Opened | DataProblems = export.memo["workbook"]
    if isinstance(found, DataProblems):
        raise found
    everywhere = found.faults.get("", ())
    return {name: found.faults.get(name, ()) + everywhere or sheet for name, sheet in found.sheets.items()}


def first_sheets(export: Export) -> dict[str, Sheet]:
    """Return the first records of each sheet, by its name; nothing if the file cannot be opened. Never raises."""
    try:
        sheets = read_sheets(export)[1]
    except DataProblems:
        return {}
    return {name: list(islice(sheet_records(sheet), LOOKED_AT)) for name, sheet in sheets.items()}


def sheet_records(sheet: Worksheet) -> Iterator[list[str]]:
    """Yield the rows of a sheet as text, from row 1 and column A on; numbers with the zeros that their format shows."""
    before = [""] * (sheet.cells.start[1] if sheet.cells.start else 0)
    wide: dict[int, list[tuple[int, int]]] = {}
    for (row, column), width in sheet.marks.widths.items():
        wide.setdefault(row, []).append((column, width))
    for number, cells in enumerate(sheet.cells.iter_rows(), start=1):
        record = [*before, *map(cell_text, cells)]
        for column, width in wide.get(number, ()):
            if column <= len(record) and record[column - 1].isdigit():
                record[column - 1] = record[column - 1].zfill(width)
        yield record


def cell_text(cell: Cell) -> str:
    """Return a typed cell as text, without loss.

    Examples
    --------
    >>> cell_text(7.0), cell_text(0.1), cell_text("007"), cell_text(dt.datetime(2006, 9, 1)), cell_text(True)
    ('7', '0.1', '007', '2006-09-01', 'TRUE')
    """
    match cell:
        case str():
            return cell
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() | int():
            return str(int(cell)) if float(cell).is_integer() else repr(cell)
        case dt.datetime():
            return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
        case dt.date() | dt.time():
            return cell.isoformat()
        case _:
            return str(cell)


@dataclass(frozen=True, slots=True)
class _Opened:
    """The kind of a workbook, its sheets by name, and the cells of each that cannot be read."""

    kind: str
    sheets: dict[str, Worksheet]
    faults: Mapping[str, tuple[Problem, ...]]


def _opened(export: Export) -> _Opened | DataProblems:
    """Return the sheets that have cells, or why there are none; the library answers some damage by a panic, no `Exception`."""
    try:
        if export.start.startswith(OLE_START):
            checked = check_old_book(export.content, export.source)
        else:
            checked = check_archive(export.content, export.source)
        book = CalamineWorkbook.from_filelike(io.BytesIO(export.content))
        names = [sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
        if len(names) > MOST_SHEETS:
            return DataProblems([TOO_MANY.at(export.source)])
        marks = checked.marks
        sheets = {name: Worksheet(book.get_sheet_by_name(name), marks.get(name, SheetMarks())) for name in names}
        return _Opened(checked.kind, sheets, checked.faults)
    except DataProblems as problems:
        return problems
    except BaseException as error:
        if isinstance(error, (CalamineError, OSError, ValueError)) or type(error).__name__ == "PanicException":
            return DataProblems([DAMAGED.at(export.source)])
        raise
