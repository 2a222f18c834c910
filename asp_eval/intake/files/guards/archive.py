"""Workbooks that are archives (XLSX, ODS), looked through piece by piece before anything holds them whole.

A small archive can unpack to gigabytes, its table of contents can lie about that, and a single cell far down makes a reader
of workbooks set aside room for all that lie before it. So every part is unpacked in pieces with a running total, and its XML
is followed element by element: where the last cell lies, how many texts there are, which cells hold an error.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from xml.parsers import expat

from asp_eval.core.errors import DataProblems, Fault, Place, Problem, Refusal
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.columns import refuse_too_wide, shorten
from asp_eval.intake.files.guards.workbook_xml import (
    MOST_CELLS,
    PASSED_OVER,
    OdsScan,
    Scan,
    SheetMarks,
    XlsxScan,
    column_letters,
)

DAMAGED = Fault("SCR-012", "the workbook is damaged or was cut short", "Fetch or export the file again.")
ENCRYPTED = Fault(
    "SCR-013", "the workbook is protected by a password", "Open it in a spreadsheet and save it without a password, or as CSV."
)
EXPANDS = Fault("SCR-015", "the workbook unpacks to {size} MB, which is more than is read from one", "Export the data as CSV.")
ERROR_CELL = Fault("SCR-017", "the cell holds a spreadsheet error", "Correct the formula, or empty the cell.")
NOT_COMPUTED = Fault(
    "SCR-197",
    "the cell holds a formula whose value was not stored",
    "Open the workbook in a spreadsheet and save it there; or put values in the place of the formulas.",
)
STALE = Fault(
    "SCR-198",
    "the cell holds a formula, and the workbook says that its formulas are to be calculated when it is opened: the "
    "values that it holds need not be theirs",
    "Open the workbook in a spreadsheet and save it there; or put values in the place of the formulas.",
)
TOO_WIDE = Fault(
    "SCR-073",
    "a sheet has its last cell in row {row}, column {column}: that is more than is read from a workbook",
    "If there is nothing that far down or right, delete the rows and columns after the data; else export the data as CSV.",
)
LOST_IN_ODS = Fault(
    "SCR-086", "the cell holds a tab or a line break that would be lost", "Save the workbook as XLSX, or replace it by a space."
)
PACKED = Fault("SCR-074", "the file is an archive that holds other files", "Unpack it, and import what is inside.")
BINARY_BOOK = Fault("SCR-075", "the workbook is in the binary format (XLSB)", "Save it as XLSX, or export the data as CSV.")

LARGEST_UNPACKED = 80_000_000  # bytes; about 30,000 rows of 62 items
PIECE = 1_000_000  # bytes


Kind = Literal["xlsx", "ods"]


@dataclass(frozen=True, slots=True)
class CheckedBook:
    """A workbook that can be read.

    Attributes
    ----------
    kind : str
    marks : mapping of str to SheetMarks
        What its sheets show that their cells do not hold, by the name of the sheet.
    faults : mapping of str to tuple of Problem
        The cells that cannot be read, by the name of their sheet; of an ODS file, which holds all sheets in one part, under "".
    """

    kind: str
    marks: Mapping[str, SheetMarks] = field(default_factory=dict)
    faults: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict)


def check_archive(content: bytes, source: str) -> CheckedBook:
    """Return which kind of workbook an archive is, if it can be read without filling the memory.

    Its cells that cannot be read (SCR-017, SCR-086, SCR-197, SCR-198) are in what is returned.

    Raises
    ------
    DataProblems
        SCR-012 to SCR-016, SCR-073 to SCR-075.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
        parts = archive.infolist()
        if any(part.flag_bits & 1 for part in parts):
            raise DataProblems([ENCRYPTED.at(source)])
        _within(sum(part.file_size for part in parts), source)
        kind = _kind(content, parts, source)
        scans = list(_scanned(content, parts, kind, source))
        check_grids([grid for scan in scans for grid in scan.grids], source)
        faults = _faults(scans, source)
    except Refusal as error:
        raise DataProblems([replace(problem, place=Place(source)) for problem in error.problems]) from None
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, zlib.error, expat.ExpatError, IndexError):
        raise DataProblems([DAMAGED.at(source)]) from None
    return CheckedBook(kind, _marks(scans), faults)


def _kind(content: bytes, parts: list[zipfile.ZipInfo], source: str) -> Kind:
    """Return which kind of workbook it is: the package itself says where its main part lies, in ``xl/`` or elsewhere."""
    known = {part.filename.replace("\\", "/").lower() for part in parts}
    main = next((_main_part(content, part) for part in parts if part.filename == "_rels/.rels"), "") or "xl/workbook.xml"
    if main.endswith("workbook.bin") or "xl/workbook.bin" in known:
        raise DataProblems([BINARY_BOOK.at(source)])
    if main in known and "workbook" in main.rpartition("/")[2]:
        return "xlsx"
    if "content.xml" in known:
        return "ods"
    if not known:
        raise ValueError("an archive of nothing")
    shown = ", ".join(sorted(part.filename for part in parts)[:5])
    raise DataProblems([PACKED.at(source, found=shown)])


def _main_part(content: bytes, part: zipfile.ZipInfo) -> str:
    """Return the part that a package calls its document; empty if it does not say."""
    beginning = next(_pieces(content, part), b"").decode("utf-8", errors="replace")
    relations = re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", beginning)
    found = next((each for each in relations if re.search(r"/officeDocument[\"']", each)), "")
    target = re.search(r"\bTarget\s*=\s*[\"']/?([^\"']*)", found)
    return target[1].lower() if target else ""


def _scanned(content: bytes, parts: list[zipfile.ZipInfo], kind: Kind, source: str) -> Iterator[Scan]:
    """Unpack every part in pieces, counting, and follow those that are XML; the styles come first, for cells refer to them."""
    total = 0
    styles: dict[str, int] = {}
    for part in sorted(parts, key=lambda part: not part.filename.lower().endswith("styles.xml")):
        scan: Scan = XlsxScan(part.filename, styles=styles) if kind == "xlsx" else OdsScan()
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
        if isinstance(scan, XlsxScan):
            styles |= scan.cell_styles
            scan.parser = None
        yield scan


def _marks(scans: list[Scan]) -> dict[str, SheetMarks]:
    """Return what sheets show that their cells do not hold, by the names of the sheets."""
    found = {name: marks for scan in scans for name, marks in scan.marks().items()}
    if not any(isinstance(scan, XlsxScan) for scan in scans):
        return found
    return {name: found[part] for name, part in _parts_of_sheets(scans).items() if part in found}


def _parts_of_sheets(scans: list[Scan]) -> dict[str, str]:
    """Return the part that each sheet of an XLSX file stands in, by the name of the sheet."""
    books = [scan for scan in scans if isinstance(scan, XlsxScan)]
    parts = {relation: part for scan in books for relation, part in scan.related_parts().items() if "workbook" in scan.part}
    return {name: parts[relation] for scan in books for name, relation in scan.sheets.items() if relation in parts}


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
    if isinstance(scan, XlsxScan):
        scan.parser = parser
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


def _faults(scans: list[Scan], source: str) -> dict[str, tuple[Problem, ...]]:
    """Return the cells that cannot be read, by the name of their sheet; "" where that is not known."""
    stale = any(scan.stale for scan in scans)
    sheets = {part: name for name, part in _parts_of_sheets(scans).items()}
    found: dict[str, list[Problem]] = {}
    for scan in scans:
        sheet = sheets.get(scan.part, "") if isinstance(scan, XlsxScan) else ""
        for fault, cells in (
            (ERROR_CELL, scan.errors),
            (LOST_IN_ODS, scan.lost),
            (NOT_COMPUTED, scan.uncomputed),
            (STALE, scan.computed if stale else []),
        ):
            places = (Place(source, row=row, column=column_letters(column)) for row, column in cells)
            found.setdefault(sheet, []).extend(fault.at(place) for place in places)
    return {sheet: tuple(shorten(problems)) for sheet, problems in found.items() if problems}


def check_grids(grids: list[tuple[int, int]], source: str) -> None:
    """Refuse sheets that are too large to be held; each is given by its last row and its last column.

    Raises
    ------
    DataProblems
        SCR-073; SCR-113 for more columns than a spreadsheet has.
    """
    if sum(row * column for row, column in grids) > MOST_CELLS:
        row, column = max(grids, key=lambda grid: grid[0] * grid[1])
        limit = Phrase("at most {n:,} cells in all", n=MOST_CELLS)
        raise DataProblems([TOO_WIDE.at(source, expected=limit, row=row, column=column_letters(column))])
    refuse_too_wide(source, max((column for _, column in grids), default=0))
