"""Tables of the schema's types, and writers of every file format they can arrive in."""

from __future__ import annotations

import csv
import datetime as dt
import io
import struct
import zipfile
from collections.abc import Sequence
from html import escape
from pathlib import Path

import openpyxl
import pandas as pd
from hypothesis import strategies as st

from asp_eval.intake.identifiers import is_personal
from asp_eval.trial.tables.fields import Field
from asp_eval.trial.tables.schema import TableSchema

FIELDS = (
    Field("child_id", "string", required=True),
    Field("institution_id", "string"),
    Field("remark", "string"),
    Field("count", "integer"),
    Field("amount", "number"),
    Field("date", "date"),
    Field("month", "yearmonth"),
)
NAMES = tuple(field.name for field in FIELDS)
SCHEMA = TableSchema(name="children", fields=FIELDS, key=("child_id",))
Cell = str | int | float | dt.date | None
Row = tuple[Cell, ...]

# letters of every kind that an export may hold; no control characters, and none that looks like a broken one
_LETTERS = "aeiNA01579 æøåÆØÅéüß'\"“;,|\t=+-@#%&<>._/\\()"
_TEXTS = st.text(st.sampled_from(_LETTERS), max_size=12).map(str.strip).filter(lambda text: not is_personal(text))
_LINES = st.lists(_TEXTS.filter(bool), min_size=1, max_size=2).map("\n".join)
_DATES = st.dates(dt.date(1990, 1, 1), dt.date(2035, 12, 31))


def _or_none(values: st.SearchStrategy[Cell]) -> st.SearchStrategy[Cell]:
    return st.one_of(st.none(), values)


@st.composite
def tables(draw: st.DrawFn) -> list[Row]:
    """Between one and six rows, with ids that begin with zeros and a missing value anywhere else."""
    ids = draw(st.lists(st.integers(0, 99_999).map("{:05d}".format), min_size=1, max_size=6, unique=True))
    amounts = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: float(f"{value:.15g}") + 0.0)  # what spreadsheets keep
    rest = st.tuples(
        _or_none(st.sampled_from(["007", "08", "A1", "NA", "Åse-3"])),
        _or_none(_LINES),
        _or_none(st.integers(-10_000, 1_000_000)),
        _or_none(amounts),
        _or_none(_DATES),
        _or_none(_DATES.map("{:%Y-%m}".format)),
    )
    return [(name, *draw(rest)) for name in ids]


def as_csv(rows: Sequence[Row], delimiter: str = ";", encoding: str = "utf-8", decimal: str = ".", first: str = "") -> bytes:
    """A text file as statistical software writes it."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator="\r\n")
    writer.writerows([NAMES, *([_text(cell, decimal) for cell in row] for row in rows)])
    return (first + buffer.getvalue()).encode(encoding)


def _text(cell: Cell, decimal: str) -> str:
    return "" if cell is None else repr(cell).replace(".", decimal) if isinstance(cell, float) else str(cell)


def as_xlsx(rows: Sequence[Row]) -> bytes:
    """A workbook with typed cells."""
    return xlsx_of(Data=[NAMES, *rows])


def xlsx_of(**sheets: Sequence[Sequence[object]]) -> bytes:
    """A workbook of these sheets."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for i, row in enumerate(rows, start=1):
            for j, value in enumerate(row, start=1):
                cell = sheet.cell(i, j, value)
                if isinstance(value, str):
                    cell.data_type = "s"  # a text that begins with "=" is no formula
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def as_ods(rows: Sequence[Row]) -> bytes:
    """An OpenDocument spreadsheet with typed cells, and the empty rows that LibreOffice puts at the end."""
    return ods_of("".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in [NAMES, *rows]))


def _ods_cell(cell: Cell) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, dt.date):
        return f'<table:table-cell office:value-type="date" office:date-value="{cell}"><text:p>x</text:p></table:table-cell>'
    if isinstance(cell, (int, float)):
        return f'<table:table-cell office:value-type="float" office:value="{cell!r}"><text:p>x</text:p></table:table-cell>'
    lines = "".join(f"<text:p>{_ods_text(line)}</text:p>" for line in cell.split("\n"))
    return f'<table:table-cell office:value-type="string">{lines}</table:table-cell>'


def _ods_text(line: str) -> str:
    parts = escape(line, quote=False).split(" ")
    spaced = parts[0]
    for part in parts[1:]:
        spaced += "<text:s/>" + part if spaced.endswith((" ", "<text:s/>")) or not spaced else " " + part
    return spaced


def ods_of(body: str, more: str = "") -> bytes:
    """An OpenDocument spreadsheet with these rows in its one sheet."""
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    empty = '<table:table-cell table:number-columns-repeated="16384"/>'
    tail = f'<table:table-row table:number-rows-repeated="1048000">{empty}</table:table-row>'
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} '
        'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" office:version="1.3"><office:body>'
        f'<office:spreadsheet><table:table table:name="Data">{body}{tail}</table:table>{more}'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    return zipped({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})


def ods_row(*cells: str, repeated: int = 1) -> str:
    """A row of an OpenDocument spreadsheet."""
    return f'<table:table-row table:number-rows-repeated="{repeated}">{"".join(cells)}</table:table-row>'


def ods_text(content: str, more: str = "") -> str:
    """A cell of an OpenDocument spreadsheet that holds text."""
    return f'<table:table-cell office:value-type="string" {more}><text:p>{content}</text:p></table:table-cell>'


def ods_number(value: float, repeated: int = 1) -> str:
    """A cell of an OpenDocument spreadsheet that holds a number."""
    return f'<table:table-cell office:value-type="float" office:value="{value}" table:number-columns-repeated="{repeated}"/>'


def zipped(parts: dict[str, str | bytes]) -> bytes:
    """An archive of these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def as_xls(rows: Sequence[Row]) -> bytes:
    """A workbook in the old format with typed cells."""
    return xls_of(
        [xls_cell(i, j, cell) for i, row in enumerate([NAMES, *rows]) for j, cell in enumerate(row) if cell is not None]
    )


def xls_cell(row: int, column: int, cell: Cell | bool) -> bytes:
    """A record of the old format: text, number, date or truth value; row and column from 0."""
    if isinstance(cell, bool):
        return _record(0x0205, struct.pack("<HHHBB", row, column, 0, cell, 0))
    if isinstance(cell, dt.date):
        days = (cell - dt.date(1899, 12, 30)).days
        return _record(0x0203, struct.pack("<HHHd", row, column, 1, days))
    if isinstance(cell, (int, float)):
        return _record(0x0203, struct.pack("<HHHd", row, column, 0, cell))
    text = str(cell).encode("utf-16-le")
    return _record(0x0204, struct.pack("<HHHHB", row, column, 0, len(text) // 2, 1) + text)


def xls_error(row: int, column: int) -> bytes:
    """A record of the old format that holds #N/A."""
    return _record(0x0205, struct.pack("<HHHBB", row, column, 0, 42, 1))


def xls_of(cells: Sequence[bytes], extra: bytes = b"") -> bytes:
    """A workbook in the old format, of one sheet with these records: a file system of sectors with one file in it."""
    plain, dated = (struct.pack("<HHHBBBBIIH", 0, form, 0, 0, 0, 0, 0, 0, 0, 0) for form in (0, 14))
    name = "Data".encode("utf-16-le")
    head = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0)) + _record(0x0042, struct.pack("<H", 1200)) + extra
    head += _record(0x00E0, plain) + _record(0x00E0, dated)
    length = len(head) + 4 + 8 + len(name) + 4
    head += _record(0x0085, struct.pack("<IBBBB", length, 0, 0, 4, 1) + name) + _record(0x000A, b"")
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0)) + b"".join(cells) + _record(0x000A, b"")
    return _ole((head + sheet).ljust(4096, b"\0"))


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _ole(book: bytes) -> bytes:
    last, free, table, none = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD, 0xFFFFFFFF
    n = -(-len(book) // 512)  # sectors of the book come first, then the directory, then the tables of sectors
    tables = -(-(n + 1) // 127)
    followers = [*range(1, n), last, last, *[table] * tables]
    followers += [free] * (tables * 128 - len(followers))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<IIIIIIII", tables, n, 0, 4096, last, 0, last, 0)
    header += struct.pack("<109I", *range(n + 1, n + 1 + tables), *[free] * (109 - tables))
    entries = [
        ("Root Entry", 5, none, none, 1, last, 0),
        ("Workbook", 2, none, none, none, 0, len(book)),
        *[("", 0, none, none, none, 0, 0)] * 2,
    ]
    return (
        header
        + book.ljust(n * 512, b"\0")
        + b"".join(_entry(*entry) for entry in entries)
        + struct.pack(f"<{tables * 128}I", *followers)
    )


def _entry(name: str, kind: int, left: int, right: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    length = len(text) + 2 if name else 0
    return text.ljust(64, b"\0") + struct.pack("<HBBIII36sIQ", length, kind, 1, left, right, child, b"", start, size)


def as_frame(rows: Sequence[Row]) -> pd.DataFrame:
    """The table as a program holds it."""
    frame = pd.DataFrame(rows, columns=list(NAMES), dtype=object)
    for name in ("count", "amount"):
        frame[name] = pd.to_numeric(frame[name]).astype(float)
    texts = ["child_id", "institution_id", "remark", "month"]
    frame[texts] = frame[texts].astype("str").where(frame[texts].notna(), "")
    return frame


def write(format_name: str, path: Path, rows: Sequence[Row]) -> None:
    """Write a table as SPSS, Stata or Parquet."""
    import pyreadstat

    frame = as_frame(rows)
    if format_name == "parquet":
        frame["date"] = pd.to_datetime(frame["date"]).astype("datetime64[ms]")
        frame.to_parquet(path)
    elif format_name == "dta":
        pyreadstat.write_dta(frame, path, version=15)
    else:
        pyreadstat.write_sav(frame, path, compress=format_name == "zsav")
