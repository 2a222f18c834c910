"""From a file to a `RawTable`: everything text, nothing guessed."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.trial.screening.dialect import FileFormat, decode, find_delimiter, misread
from asp_eval.trial.screening.raw import SPACES, Dialect, RawTable, TextColumn
from asp_eval.trial.screening.workbook import OLE_START, ZIP_START, read_workbook

NO_FILE = Fault("SCR-001", "there is no such file", "Check the path.")
EMPTY_FILE = Fault("SCR-002", "the file is empty", "Export it again; the first row must name the columns.")
NO_ROWS = Fault("SCR-003", "the file has a header and no rows", "Export it again, with its data.")
SAME_NAME = Fault("SCR-004", "{times} columns have this name", "Give every column a name of its own.")
NO_NAME = Fault("SCR-005", "a column has cells and no name", "Name it in the first row, or delete it.")
RAGGED = Fault(
    "SCR-006", "the row does not have as many cells as the header",
    "Look for a delimiter inside a text without quotes, or for a file that was cut short; export it again.",
)  # fmt: skip
MISREAD = Fault(
    "SCR-009", "the text was read or saved in the wrong encoding: letters such as æ, ø and å are broken",
    "Go back to the file before it was converted, and export it as UTF-8.",
)  # fmt: skip
BROKEN_ROW = Fault("SCR-011", "the row cannot be read: {reason}", "Look for a quotation mark that is not closed; export again.")
MORE = Fault(
    "SCR-018", "{count} more of these are not listed ({code})", "Cure those that are listed; the rest often goes with them."
)

CHUNK = 50_000  # rows turned into columns at a time
MOST_SHOWN = 1_000  # faults of one kind; a file with more is wrong as a whole


def read_raw(path: str | Path, form: FileFormat | None = None) -> RawTable:
    """Read a CSV or XLSX file as text.

    Ids keep their zeros ("007"), "NA" is a text, a blank row is passed over without renumbering the others.

    Parameters
    ----------
    path : str or Path
        Told apart by content, not by name.
    form : FileFormat, optional
        What is known of how the file was written; the rest is detected.

    Raises
    ------
    DataProblems
        SCR-001 to SCR-017, each with its place.
    """
    file, told = Path(path), form or FileFormat()
    if not file.is_file():
        raise DataProblems([NO_FILE.at(str(path))])
    content = file.read_bytes()
    if not content.strip():
        raise DataProblems([EMPTY_FILE.at(file.name)])
    if content.startswith((ZIP_START, OLE_START)) or file.suffix.lower() == ".xlsx":
        sheet, cells = read_workbook(content, file.name, told.sheet)
        dialect = Dialect("xlsx", sheet=sheet, decimal=told.decimal or ".", dates=told.dates)
        records: Iterator[list[str]] = iter(cells)
    else:
        dialect = _text_dialect(content, told, file.name)
        records = _records(content, dialect, file.name)
    header = next(records, [])
    if not any(name.strip() for name in header):
        raise DataProblems([EMPTY_FILE.at(file.name)])
    columns, rows = _columns(records, len(header), file.name)
    raw = _named([name.strip(SPACES) for name in header], columns, file.name)
    if not len(rows):
        raise DataProblems([NO_ROWS.at(file.name)])
    problems = _misread(raw, rows, file.name)
    if problems:
        raise DataProblems(problems)
    return RawTable(file.name, hashlib.sha256(content).hexdigest(), raw, rows, dialect, rows_read=len(rows))


def _text_dialect(content: bytes, told: FileFormat, source: str) -> Dialect:
    text, encoding = decode(content, source, told.encoding)
    delimiter = told.delimiter or find_delimiter(text, source)
    return Dialect("csv", encoding, delimiter, decimal=told.decimal, dates=told.dates)


def _records(content: bytes, dialect: Dialect, source: str) -> Iterator[list[str]]:
    """Yield the records of a CSV file; a record that cannot be read ends the file with its fault."""
    lines = io.TextIOWrapper(io.BytesIO(content), encoding=dialect.encoding, newline="")
    reader = csv.reader(lines, delimiter=dialect.delimiter or ",", strict=True)
    number = 0
    try:
        for number, record in enumerate(reader, start=1):  # noqa: B007 - the number of the last good record
            yield record
    except csv.Error as error:
        raise DataProblems([BROKEN_ROW.at(Place(source, row=number + 1), reason=str(error))]) from None


def _columns(records: Iterator[list[str]], width: int, source: str) -> tuple[list[TextColumn], np.ndarray]:
    """Turn records into columns, a chunk at a time; blank rows are passed over, ragged ones are faults."""
    parts: list[list[TextColumn]] = [[] for _ in range(width)]
    rows: list[np.ndarray] = []
    problems: list[Problem] = []
    start = 2
    while chunk := list(islice(records, CHUNK)):
        kept = [(start + i, record) for i, record in enumerate(chunk) if any(record)]
        start += len(chunk)
        problems += [
            RAGGED.at(Place(source, row=number), found=len(record), expected=width)
            for number, record in kept
            if len(record) != width
        ]
        if kept and not problems:
            rows.append(np.array([number for number, _ in kept], dtype=np.int64))
            for part, cells in zip(parts, zip(*(record for _, record in kept), strict=True), strict=True):
                part.append(TextColumn.of(cells))
    if problems:
        raise DataProblems(shorten(problems))
    return [TextColumn.joined(part) for part in parts if part], np.concatenate(rows) if rows else np.empty(0, np.int64)


def _named(header: Sequence[str], columns: Sequence[TextColumn], source: str) -> dict[str, TextColumn]:
    """Give the columns their names; a nameless column without cells is a stray delimiter and is dropped."""
    problems = [
        SAME_NAME.at(Place(source, row=1, column=name), times=times)
        for name, times in Counter(name for name in header if name).items()
        if times > 1
    ]
    pairs = list(zip(header, columns, strict=True)) if columns else []
    for position, (name, column) in enumerate(pairs):
        if not name and any(text.strip() for text in column.texts):
            problems.append(NO_NAME.at(Place(source, row=1, column=str(position + 1))))
    problems += [MISREAD.at(Place(source, row=1), found=name) for name in header if misread(name)]
    if problems:
        raise DataProblems(problems)
    return {name: column for name, column in pairs if name}


def _misread(columns: dict[str, TextColumn], rows: np.ndarray, source: str) -> list[Problem]:
    """One problem for each column with broken letters, at its first row."""
    problems = []
    for name, column in columns.items():
        broken = np.array([misread(text) for text in column.texts], dtype=bool)
        if broken.any():
            places = np.flatnonzero(column.where(broken))
            problems.append(MISREAD.at(Place(source, row=int(rows[places[0]]), column=name), found=column.cell(places[0])))
    return problems


def shorten(problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems with at most 1,000 of a kind in a column, and how many more there are."""
    seen: Counter[tuple[str, str, str | None]] = Counter()
    kept: list[Problem] = []
    for problem in problems:
        kind = (problem.code, problem.place.source, problem.place.column)
        seen[kind] += 1
        if seen[kind] <= MOST_SHOWN:
            kept.append(problem)
    for (code, source, column), count in seen.items():
        if count > MOST_SHOWN:
            kept.append(MORE.at(Place(source, column=column), count=count - MOST_SHOWN, code=code))
    return kept
