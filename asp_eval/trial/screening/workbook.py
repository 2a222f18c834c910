"""Reading XLSX: sizes checked before anything is opened, typed cells turned into text without loss."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from python_calamine import CalamineError, CalamineWorkbook

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.trial.screening.export import Export

DAMAGED = Fault("SCR-012", "the workbook is damaged or was cut short", "Fetch or export the file again.")
ENCRYPTED = Fault(
    "SCR-013", "the file is a workbook in the old format, or protected by a password",
    "Open it in a spreadsheet and save it as XLSX without a password, or as CSV.",
)  # fmt: skip
EXPANDS = Fault("SCR-015", "the workbook unpacks to {size} MB, which is more than is read from XLSX", "Export the data as CSV.")
WHICH_SHEET = Fault(
    "SCR-016", "more than one sheet holds data, or none has the name told",
    "Keep the data in one sheet, or name it in the mapping: 'format: {{sheet: NAME}}'.",
)  # fmt: skip
ERROR_CELL = Fault("SCR-017", "the cell holds a spreadsheet error", "Correct the formula, or empty the cell.")

OLE_START = bytes.fromhex("d0cf11e0a1b11ae1")
ZIP_START = b"PK\x03\x04"
LARGEST_UNPACKED = 80_000_000  # bytes: about 40,000 rows of 62 items; a small archive can hold gigabytes
LOOKED_AT = 5  # records of a sheet, to recognise it by
Cell = str | float | bool | dt.date | dt.time | dt.timedelta
_ERROR_CELL = re.compile(rb'<c r="([A-Z]+)(\d+)"[^>]*\st="e"')


def read_workbook(content: bytes, source: str, sheet: str | None = None) -> tuple[str, list[list[str]]]:
    """Return the sheet that holds data, and its cells as text; the first list is row 1.

    Raises
    ------
    DataProblems
        If the file is damaged, encrypted, too large unpacked, or leaves open which sheet is meant.
    """
    if content.startswith(OLE_START):
        raise DataProblems([ENCRYPTED.at(source)])
    _check_archive(content, source)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheets = {name: workbook.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in workbook.sheet_names}
    except (CalamineError, OSError, ValueError):
        raise DataProblems([DAMAGED.at(source)]) from None
    filled = [name for name, rows in sheets.items() if rows]
    chosen = [sheet] if sheet else filled
    if len(chosen) > 1 or (sheet and sheet not in sheets):
        raise DataProblems([WHICH_SHEET.at(source, found=sheet, expected=", ".join(filled or sheets))])
    if not chosen:
        return "", []
    return chosen[0], [[cell_text(cell) for cell in row] for row in sheets[chosen[0]]]


def is_workbook(export: Export) -> bool:
    """Return whether a file begins as a workbook does, or calls itself one."""
    return export.start.startswith((ZIP_START, OLE_START)) or export.path.suffix.lower() in {".xlsx", ".ods"}


def first_sheets(export: Export) -> dict[str, list[list[str]]]:
    """Return the first records of each sheet, by its name; nothing if the file cannot be opened. Never raises."""
    if "sheets" not in export.memo:
        export.memo["sheets"] = _first_sheets(export)
    found = export.memo["sheets"]
    return found if isinstance(found, dict) else {}


def _first_sheets(export: Export) -> dict[str, list[list[str]]]:
    try:
        _check_archive(export.content, export.source)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(export.content))
        return {
            name: [[cell_text(cell) for cell in row] for row in workbook.get_sheet_by_name(name).to_python(False, LOOKED_AT)]
            for name in workbook.sheet_names
        }
    except (DataProblems, CalamineError, OSError, ValueError):
        return {}


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


def _check_archive(content: bytes, source: str) -> None:
    """Refuse an archive by its table of contents, before anything is unpacked; then look for error cells."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        declared = sum(entry.file_size for entry in archive.infolist())
        if any(entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for entry in archive.infolist()):
            raise ValueError("a way of packing that workbooks do not use")
    except (zipfile.BadZipFile, OSError, ValueError):
        raise DataProblems([DAMAGED.at(source)]) from None
    if declared > LARGEST_UNPACKED:
        limit = f"at most {LARGEST_UNPACKED // 1_000_000} MB"
        raise DataProblems([EXPANDS.at(source, expected=limit, size=declared // 1_000_000)])
    try:
        problems = [ERROR_CELL.at(Place(source, row=row, column=column)) for row, column in _error_cells(archive)]
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, zlib.error):
        raise DataProblems([DAMAGED.at(source)]) from None
    if problems:
        raise DataProblems(problems)


def _error_cells(archive: zipfile.ZipFile) -> Iterator[tuple[int, str]]:
    """Cells such as #N/A: a reader of values would take them for empty ones."""
    for entry in archive.infolist():
        if entry.filename.startswith("xl/worksheets/") and entry.filename.endswith(".xml"):
            for found in _ERROR_CELL.finditer(archive.read(entry)):
                yield int(found[2]), found[1].decode()
