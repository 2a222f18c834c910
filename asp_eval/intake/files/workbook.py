"""Workbooks (XLSX, XLS, ODS): looked through before they are opened, typed cells turned into text without loss."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from itertools import islice

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.guards.archive import DAMAGED, check_archive
from asp_eval.intake.files.guards.legacy_workbook import check_old_book
from asp_eval.intake.files.guards.workbook_xml import TOO_MANY

OLE_START = bytes.fromhex("d0cf11e0a1b11ae1")
ZIP_START = b"PK\x03\x04"
SUFFIXES = (".xlsx", ".xlsm", ".ods")
MOST_SHEETS = 100
LOOKED_AT = 5  # records of a sheet, to recognise it by
Cell = str | float | bool | dt.date | dt.time | dt.timedelta
Sheet = list[list[str]]


def is_workbook(export: Export) -> bool:
    """Return whether a file begins as a workbook does, or calls itself one."""
    return export.start.startswith((ZIP_START, OLE_START)) or export.path.suffix.lower() in SUFFIXES


def read_sheets(export: Export) -> tuple[str, dict[str, CalamineSheet]]:
    """Return the kind of a workbook, and its sheets by name; they are opened once, however many readers ask.

    Raises
    ------
    DataProblems
        If the file is damaged, protected by a password, too large, or has cells with errors.
    """
    if "workbook" not in export.memo:
        export.memo["workbook"] = _opened(export)
    found: tuple[str, dict[str, CalamineSheet]] | DataProblems = export.memo["workbook"]
    if isinstance(found, DataProblems):
        raise found
    return found


def first_sheets(export: Export) -> dict[str, Sheet]:
    """Return the first records of each sheet, by its name; nothing if the file cannot be opened. Never raises."""
    try:
        sheets = read_sheets(export)[1]
    except DataProblems:
        return {}
    return {name: list(islice(sheet_records(sheet), LOOKED_AT)) for name, sheet in sheets.items()}


def sheet_records(sheet: CalamineSheet) -> Iterator[list[str]]:
    """Yield the rows of a sheet as text, from row 1 and column A on."""
    before = [""] * (sheet.start[1] if sheet.start else 0)
    for row in sheet.iter_rows():
        yield [*before, *map(cell_text, row)]


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


def _opened(export: Export) -> tuple[str, dict[str, CalamineSheet]] | DataProblems:
    """Return the sheets that have cells, or why there are none; the library answers some damage by a panic, no `Exception`."""
    try:
        if export.start.startswith(OLE_START):
            check_old_book(export.content, export.source)
            kind = "xls"
        else:
            kind = check_archive(export.content, export.source)
        book = CalamineWorkbook.from_filelike(io.BytesIO(export.content))
        names = [sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
        if len(names) > MOST_SHEETS:
            return DataProblems([TOO_MANY.at(export.source)])
        return kind, {name: book.get_sheet_by_name(name) for name in names}
    except DataProblems as problems:
        return problems
    except BaseException as error:
        if isinstance(error, (CalamineError, OSError, ValueError)) or type(error).__name__ == "PanicException":
            return DataProblems([DAMAGED.at(export.source)])
        raise
