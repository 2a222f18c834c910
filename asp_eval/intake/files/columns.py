"""From records to named columns of text, with the checks that every dialect shares."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypedDict, Unpack

import numpy as np

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.intake.files.dialect import misread
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.raw import SPACES, Dialect, RawTable, Rows, TextColumn

EMPTY_FILE = Fault("SCR-002", "the file is empty", "Export it again; the first row must name the columns.")
NO_ROWS = Fault("SCR-003", "the file has a header and no rows", "Export it again, with its data.")
SAME_NAME = Fault("SCR-004", "{times} columns have this name", "Give every column a name of its own.")
NO_NAME = Fault("SCR-005", "a column has cells and no name", "Name it in the first row, or delete it.")
RAGGED = Fault(
    "SCR-006",
    "the row does not have as many cells as the header",
    "Look for a delimiter inside a text without quotes, or for a file that was cut short; export it again.",
)
MISREAD = Fault(
    "SCR-009",
    "the text was read or saved in the wrong encoding: letters such as æ, ø and å are broken",
    "Go back to the file before it was converted, and export it as UTF-8.",
)
REPEATED_HEADER = Fault(
    "SCR-208",
    "the row repeats the header, as where files were joined one below the other",
    "It is left out, and is no row of data.",
    "warning",
)
OTHER_HEADER = Fault(
    "SCR-209",
    "the row names columns of the file in another order: the rows below it are not those of the header",
    "Two files were joined whose columns stand in different orders. Import them apart, or put the columns into one order.",
)
MORE = Fault(
    "SCR-018",
    "more of these, which are not listed ({code}): {count}",
    "Cure those that are listed; the rest often goes with them.",
)

TOO_MANY_COLUMNS = Fault(
    "SCR-113",
    "the file has {n} columns, more than a spreadsheet can have ({most})",
    "Look whether rows and columns were exchanged, or the delimiter is a mark of the texts; export only what is needed.",
)

MOST_COLUMNS = 16_384  # as in Excel
CHUNK = 2_000  # rows turned into columns at a time
CELLS = 500_000  # of such a chunk, at most: a wide file has shorter chunks
MOST_SHOWN = 1_000  # faults of one kind; a file with more is wrong as a whole


class Declared(TypedDict, total=False):
    """What an export says of its columns, by their names in the export."""

    labels: Mapping[str, Mapping[str, str]]
    titles: Mapping[str, str]
    user_missing: Mapping[str, frozenset[str]]
    identifiers: frozenset[str]


def table_of(
    export: Export,
    header: Sequence[str],
    records: Iterator[list[str]],
    dialect: Dialect,
    *,
    header_row: int = 1,
    first_row: int = 2,
    **declared: Unpack[Declared],
) -> RawTable:
    """Return records of text as a table.

    Parameters
    ----------
    export : Export
    header : sequence of str
        Names of the columns; a nameless column without cells is dropped.
    records : iterator of list of str
        One record for each row, blank rows too, for they are counted; each as long as the header.
    dialect : Dialect
    header_row, first_row : int
        Numbers of the header and of the first record in a spreadsheet.
    **declared
        `labels`, `titles`, `user_missing`, `identifiers`, as in `RawTable`.

    Raises
    ------
    DataProblems
        SCR-002 to SCR-006, SCR-009.
    """
    if not any(name.strip() for name in header):
        raise DataProblems([EMPTY_FILE.at(export.source)])
    refuse_too_wide(export.source, len(header))
    names = [name.strip(SPACES) for name in header]
    columns, rows, notes = _columns(records, names, export.source, first_row)
    table = finished(export, names, columns, rows, dialect, header_row=header_row, **declared)
    return replace(table, notes=(*table.notes, *notes)) if notes else table


def finished(
    export: Export,
    header: Sequence[str],
    columns: Sequence[TextColumn],
    rows: Rows,
    dialect: Dialect,
    *,
    header_row: int = 1,
    **declared: Unpack[Declared],
) -> RawTable:
    """Return columns of text as a table: for dialects that come as columns; the last step of all others.

    Parameters
    ----------
    export, header, dialect, **declared
        As in `table_of`.
    columns : sequence of TextColumn
        One for each name, of n cells; none if there are no rows.
    rows : ndarray of int, shape (n,)
        Number of each row in a spreadsheet.

    Raises
    ------
    DataProblems
        SCR-003 to SCR-005, SCR-009.
    """
    refuse_too_wide(export.source, len(header))
    header = [composed(name) for name in header]
    named = _named(header, columns, export.source, header_row)
    if not len(rows):
        raise DataProblems([NO_ROWS.at(export.source)])
    problems = _misread(named, rows, export.source)
    if problems:
        raise DataProblems(problems)
    table = RawTable(export.source, export.sha256, named, rows, dialect, rows_read=len(rows), **_composed(declared))
    return table.with_columns(named)


def refuse_too_wide(source: str, n: int) -> None:
    """Refuse a file of more columns than a spreadsheet can have, before its rows are read.

    Raises
    ------
    DataProblems
        SCR-113.
    """
    if n > MOST_COLUMNS:
        raise DataProblems([TOO_MANY_COLUMNS.at(source, n=n, most=MOST_COLUMNS)])


def composed(text: str) -> str:
    """Return a name in the one form in which names are compared, whatever way its letters are put together (Unicode NFC).

    Examples
    --------
    >>> composed("a\u030a") == "\u00e5"
    True
    """
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _composed(declared: Declared) -> Declared:
    """Return what an export says of its columns, their names in the form in which they are compared."""
    told = declared.copy()
    if "labels" in told:
        told["labels"] = {composed(name): labels for name, labels in told["labels"].items()}
    if "titles" in told:
        told["titles"] = {composed(name): title for name, title in told["titles"].items()}
    if "user_missing" in told:
        told["user_missing"] = {composed(name): texts for name, texts in told["user_missing"].items()}
    if "identifiers" in told:
        told["identifiers"] = frozenset(map(composed, told["identifiers"]))
    return told


def _columns(
    records: Iterator[list[str]], names: Sequence[str], source: str, start: int
) -> tuple[list[TextColumn], Rows, list[Problem]]:
    """Turn records into columns, a chunk at a time; blank rows and repeated headers are passed over, ragged rows are faults."""
    width, known, notes = len(names), set(names) - {""}, list[Problem]()
    begins = {mark + name for name in known for mark in ("", "\ufeff")}  # a file joined to another keeps its byte order mark
    parts: list[list[TextColumn]] = [[] for _ in range(width)]
    rows: list[Rows] = []
    problems: list[Problem] = []
    size = max(1, min(CHUNK, CELLS // max(width, 1)))
    while chunk := list(islice(records, size)):
        numbers = np.arange(start, start + len(chunk), dtype=np.int64)
        start += len(chunk)
        if not all(map(any, chunk)):
            filled = [any(record) for record in chunk]
            numbers, chunk = numbers[filled], [record for record, kept in zip(chunk, filled, strict=True) if kept]
        if set(map(len, chunk)) - {width}:
            problems += [
                RAGGED.at(Place(source, row=int(number)), found=len(record), expected=width)
                for number, record in zip(numbers, chunk, strict=True)
                if len(record) != width
            ]
        if len(known) > 1 and any(record[0] in begins for record in chunk):
            heads = [_is_header(record, names, known) for record in chunk]
            for number, head in zip(numbers, heads, strict=True):
                if head is not None:
                    (notes if head is REPEATED_HEADER else problems).append(head.at(Place(source, row=int(number))))
            numbers = numbers[[head is None for head in heads]]
            chunk = [record for record, head in zip(chunk, heads, strict=True) if head is None]
        if chunk and not problems:
            rows.append(numbers)
            for part, cells in zip(parts, zip(*chunk, strict=True), strict=True):
                part.append(TextColumn.of(cells))
    if problems:
        raise DataProblems(shorten(problems))
    numbers = np.concatenate(rows) if rows else np.empty(0, np.int64)
    return [TextColumn.joined(part) for part in parts if part], numbers, notes


def _is_header(record: Sequence[str], names: Sequence[str], known: set[str]) -> Fault | None:
    """Return what is to be said of a row whose cells are all names of columns; None of any other row."""
    cells = [cell.strip(SPACES) for cell in record]
    if len([cell for cell in cells if cell]) < max(2, len(known) // 2) or not known.issuperset(cell for cell in cells if cell):
        return None
    return REPEATED_HEADER if cells == list(names) else OTHER_HEADER


def _named(header: Sequence[str], columns: Sequence[TextColumn], source: str, row: int) -> dict[str, TextColumn]:
    """Give the columns their names; a nameless column without cells is a stray delimiter and is dropped."""
    problems = [
        SAME_NAME.at(Place(source, row=row, column=name), times=times)
        for name, times in Counter(name for name in header if name).items()
        if times > 1
    ]
    pairs = list(zip(header, columns, strict=True)) if columns else []
    for position, (name, column) in enumerate(pairs):
        if not name and any(text.strip() for text in column.texts):
            problems.append(NO_NAME.at(Place(source, row=row, column=str(position + 1))))
    problems += [MISREAD.at(Place(source, row=row), found=name) for name in header if misread(name)]
    if problems:
        raise DataProblems(problems)
    return {name: column for name, column in pairs if name}


def _misread(columns: Mapping[str, TextColumn], rows: Rows, source: str) -> list[Problem]:
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
