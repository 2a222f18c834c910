"""Workbooks (XLSX, XLS, ODS): looked through before they are opened, typed cells turned into text without loss."""

from __future__ import annotations

import datetime as dt
import io

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from asp_eval.core.errors import DataProblems
from asp_eval.trial.screening.archive import DAMAGED, check_archive
from asp_eval.trial.screening.export import Export
from asp_eval.trial.screening.oldbook import check_old_book

OLE_START = bytes.fromhex("d0cf11e0a1b11ae1")
ZIP_START = b"PK\x03\x04"
SUFFIXES = (".xlsx", ".xlsm", ".ods")
LOOKED_AT = 5  # records of a sheet, to recognise it by
Cell = str | float | bool | dt.date | dt.time | dt.timedelta
Sheet = list[list[str]]


def is_workbook(export: Export) -> bool:
    """Return whether a file begins as a workbook does, or calls itself one."""
    return export.start.startswith((ZIP_START, OLE_START)) or export.path.suffix.lower() in SUFFIXES


def read_sheets(export: Export, only: str | None = None) -> tuple[str, dict[str, Sheet]]:
    """Return the kind of a workbook, and its sheets that hold data: cells as text, the first list is row 1.

    Parameters
    ----------
    export : Export
    only : str, optional
        The one sheet that is wanted; of the others the names are returned, without cells.

    Raises
    ------
    DataProblems
        If the file is damaged, protected by a password, too large, or has cells with errors.
    """
    kind = _checked(export)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(export.content))
        sheets = {name: _rows(book, name) if only in {None, name} else [] for name in _names(book)}
    except BaseException as error:
        raise _answer(error, export) from None
    return kind, {name: rows for name, rows in sheets.items() if rows or only is not None}


def first_sheets(export: Export) -> dict[str, Sheet]:
    """Return the first records of each sheet, by its name; nothing if the file cannot be opened. Never raises."""
    if "sheets" not in export.memo:
        try:
            _checked(export)
            book = CalamineWorkbook.from_filelike(io.BytesIO(export.content))
            export.memo["sheets"] = {name: _rows(book, name, LOOKED_AT) for name in _names(book)}
        except BaseException as error:
            _answer(error, export)
            export.memo["sheets"] = {}
    found = export.memo["sheets"]
    return found if isinstance(found, dict) else {}


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


def _checked(export: Export) -> str:
    """Return the kind of workbook; a file is looked through once, however many readers ask."""
    if "workbook" not in export.memo:
        if export.start.startswith(OLE_START):
            check_old_book(export.content, export.source)
            export.memo["workbook"] = "xls"
        else:
            export.memo["workbook"] = check_archive(export.content, export.source)
    return str(export.memo["workbook"])


def _names(book: CalamineWorkbook) -> list[str]:
    """Names of the sheets that have cells: no charts, no macros."""
    return [sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]


def _rows(book: CalamineWorkbook, name: str, most: int | None = None) -> Sheet:
    """Return a sheet as text, without blank rows at its end."""
    rows = [[cell_text(cell) for cell in row] for row in book.get_sheet_by_name(name).to_python(False, most)]
    while rows and not any(rows[-1]):
        rows.pop()
    return rows


def _answer(error: BaseException, export: Export) -> DataProblems:
    """Turn what the library raises into our words; it answers some damage by a panic, which is no `Exception`."""
    if isinstance(error, DataProblems):
        return error
    if isinstance(error, (CalamineError, OSError, ValueError)) or type(error).__name__ == "PanicException":
        return DataProblems([DAMAGED.at(export.source)])
    raise error
