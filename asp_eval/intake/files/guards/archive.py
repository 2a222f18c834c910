"""Workbooks that are archives (XLSX, ODS), looked through piece by piece before anything holds them whole.

A small archive can unpack to gigabytes, its table of contents can lie about that, and a single cell far down makes a reader
of workbooks set aside room for all that lie before it. So every part is unpacked in pieces with a running total, and its XML
is followed element by element: where the last cell lies, how many texts there are, which cells hold an error.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal
from xml.parsers import expat

from asp_eval.core.errors import DataProblems, Fault, Place, Refusal
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.columns import shorten
from asp_eval.intake.files.guards.workbook_xml import MOST_CELLS, PASSED_OVER, OdsScan, Scan, XlsxScan, column_letters

DAMAGED = Fault("SCR-012", "the workbook is damaged or was cut short", "Fetch or export the file again.")
ENCRYPTED = Fault(
    "SCR-013", "the workbook is protected by a password", "Open it in a spreadsheet and save it without a password, or as CSV."
)
EXPANDS = Fault("SCR-015", "the workbook unpacks to {size} MB, which is more than is read from one", "Export the data as CSV.")
ERROR_CELL = Fault("SCR-017", "the cell holds a spreadsheet error", "Correct the formula, or empty the cell.")
TOO_WIDE = Fault(
    "SCR-073", "a sheet has its last cell in row {row}, column {column}: that is more than is read from a workbook",
    "If there is nothing that far down or right, delete the rows and columns after the data; else export the data as CSV.",
)  # fmt: skip
LOST_IN_ODS = Fault(
    "SCR-086", "the cell holds a tab or a line break that would be lost", "Save the workbook as XLSX, or replace it by a space."
)
PACKED = Fault("SCR-074", "the file is an archive that holds other files", "Unpack it, and import what is inside.")
BINARY_BOOK = Fault("SCR-075", "the workbook is in the binary format (XLSB)", "Save it as XLSX, or export the data as CSV.")

LARGEST_UNPACKED = 80_000_000  # bytes; about 30,000 rows of 62 items
PIECE = 1_000_000  # bytes


def check_archive(content: bytes, source: str) -> Literal["xlsx", "ods"]:
    """Return which kind of workbook an archive is, if it can be read without filling the memory.

    Raises
    ------
    DataProblems
        SCR-012 to SCR-017, SCR-073 to SCR-075.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        parts = archive.infolist()
        if any(part.flag_bits & 1 for part in parts):
            raise DataProblems([ENCRYPTED.at(source)])
        kind = _kind([part.filename for part in parts], source)
        _within(sum(part.file_size for part in parts), source)
        _check_scans(list(_scanned(content, parts, kind, source)), source)
    except Refusal as error:
        raise DataProblems([replace(problem, place=Place(source)) for problem in error.problems]) from None
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, zlib.error, expat.ExpatError, IndexError):
        raise DataProblems([DAMAGED.at(source)]) from None
    return kind


def _kind(names: list[str], source: str) -> Literal["xlsx", "ods"]:
    known = {name.replace("\\", "/").lower() for name in names}
    if "xl/workbook.bin" in known:
        raise DataProblems([BINARY_BOOK.at(source)])
    if "xl/workbook.xml" in known:
        return "xlsx"
    if "content.xml" in known:
        return "ods"
    if not names:
        raise ValueError("an archive of nothing")
    shown = ", ".join(sorted(names)[:5])
    raise DataProblems([PACKED.at(source, found=shown)])


def _scanned(content: bytes, parts: list[zipfile.ZipInfo], kind: Literal["xlsx", "ods"], source: str) -> Iterator[Scan]:
    """Unpack every part in pieces, counting, and follow those that are XML."""
    total = 0
    for part in parts:
        scan: Scan = XlsxScan() if kind == "xlsx" else OdsScan()
        parser, size, check = None, 0, 0
        for piece in _pieces(content, part):
            if not size and piece.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n").startswith(b"<"):
                parser = _parser(scan) if not part.filename.lower().endswith(PASSED_OVER) else None
            size, total, check = size + len(piece), total + len(piece), zlib.crc32(piece, check)
            _within(total, source)
            if parser:
                parser.Parse(piece, False)
        if parser:
            parser.Parse(b"", True)
            scan.end()
        if size != part.file_size or check != part.CRC:
            raise ValueError("the table of contents does not say what is there")
        yield scan


def _pieces(content: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield what a part really unpacks to, whatever size is declared."""
    head = content[part.header_offset : part.header_offset + 30]
    start = part.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    packed = content[start : start + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        yield from (packed[i : i + PIECE] for i in range(0, len(packed), PIECE))
        return
    if part.compress_type != zipfile.ZIP_DEFLATED:
        raise ValueError("a way of packing that workbooks do not use")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    while not unpacker.eof:
        piece = unpacker.decompress(packed, PIECE)
        packed = unpacker.unconsumed_tail
        if not piece and not packed:
            break
        yield piece


def _parser(scan: Scan) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.StartElementHandler = scan.start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> None:
    """Refuse definitions of entities, which can expand without end; no spreadsheet writes any."""
    raise ValueError("a document type")


def _within(size: int, source: str) -> None:
    if size > LARGEST_UNPACKED:
        limit = Phrase("at most {n} MB", n=LARGEST_UNPACKED // 1_000_000)
        raise DataProblems([EXPANDS.at(source, expected=limit, size=size // 1_000_000)])


def _check_scans(scans: list[Scan], source: str) -> None:
    grids = [grid for scan in scans for grid in scan.grids]
    check_grids(grids, source)
    problems = [
        fault.at(Place(source, row=row, column=column_letters(column)))
        for scan in scans
        for fault, cells in ((ERROR_CELL, scan.errors), (LOST_IN_ODS, scan.lost))
        for row, column in cells
    ]
    if problems:
        raise DataProblems(shorten(problems))


def check_grids(grids: list[tuple[int, int]], source: str) -> None:
    """Refuse sheets that are too large to be held; each is given by its last row and its last column.

    Raises
    ------
    DataProblems
        SCR-073.
    """
    if sum(row * column for row, column in grids) > MOST_CELLS:
        row, column = max(grids, key=lambda grid: grid[0] * grid[1])
        limit = Phrase("at most {n:,} cells in all", n=MOST_CELLS)
        raise DataProblems([TOO_WIDE.at(source, expected=limit, row=row, column=column_letters(column))])
