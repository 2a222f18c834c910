"""Text files: how they were written, and their records."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import chain, islice

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.core.phrases import any_of
from asp_eval.intake.files.dialect import encodings, find_delimiter
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.raw import Dialect

BROKEN_ROW = Fault("SCR-011", "the row cannot be read: {reason}", "Look for a quotation mark that is not closed; export again.")

NUL = Fault(
    "SCR-007",
    "the file holds NUL bytes: it is damaged, or not text",
    "Export it again as CSV in UTF-8; an old UTF-16 export needs 'format: {{encoding: utf-16-le}}' in the mapping.",
)
NOT_TEXT = Fault("SCR-008", "the file is text in no encoding that is known here", "Export it again as CSV in UTF-8.")

PIECE = 1_000_000  # bytes decoded at a time
TOLD_EVERY = 10_000  # records
_SEP = re.compile(r'\ufeff?"?sep=([^\w"])"?[ \t]*(?:\r\n|\r|\n)', re.IGNORECASE)  # what Excel writes for itself


def text_dialect(export: Export, name: str, delimiter: str | None = None) -> Dialect:
    """Return how a text file was written: what the mapping tells, else what the file shows.

    Parameters
    ----------
    export : Export
    name : str
        The dialect's, for the ledger.
    delimiter : str, optional
        The one that the dialect always has; else it is found in the file. The mapping goes before both.

    Raises
    ------
    DataProblems
        SCR-007, SCR-008, SCR-010.
    """
    encoding = _encoding(export)
    file_format = export.format
    found = file_format.delimiter or delimiter or _delimiter(export, _beginning(export, encoding))
    return Dialect(name, encoding, found, decimal=file_format.decimal, dates=file_format.dates)


def _encoding(export: Export) -> str:
    """Return the first encoding in which the whole file is text, without NUL."""
    tried = encodings(export.start, export.format.encoding)
    for name in tried:
        try:
            for _ in _decoded(export, name):
                pass
        except UnicodeDecodeError:
            continue
        return name
    raise DataProblems([NOT_TEXT.at(export.source, expected=any_of(tried))])


def _decoded(export: Export, encoding: str) -> Iterator[str]:
    """Yield the text of a file piece by piece; refuse NUL, which no text holds."""
    decoder = codecs.getincrementaldecoder(encoding)()
    row = 1
    with export.path.open("rb") as file:
        while piece := file.read(PIECE):
            if not encoding.startswith("utf-16") and b"\0" in piece:
                raise DataProblems([NUL.at(Place(export.source, row=row + piece[: piece.index(b"\0")].count(b"\n")))])
            text = decoder.decode(piece)
            if "\0" in text:
                raise DataProblems([NUL.at(Place(export.source, row=row + text[: text.index("\0")].count("\n")))])
            row += text.count("\n")
            yield text
    yield decoder.decode(b"", final=True)


def _beginning(export: Export, encoding: str) -> str:
    whole = export.size <= len(export.start)
    return codecs.getincrementaldecoder(encoding)().decode(export.start, final=whole).removeprefix("\ufeff")


def _delimiter(export: Export, beginning: str) -> str:
    said = _SEP.match(beginning)
    return export.format.delimiter or (said[1] if said else find_delimiter(beginning, export.source))


def records(export: Export, dialect: Dialect) -> Iterator[list[str]]:
    """Yield the records of a text file, the header first; one that cannot be read ends the file with its fault.

    A first line such as ``sep=;`` is passed over, and not counted: spreadsheets do not show it.

    Raises
    ------
    DataProblems
        SCR-011, with its row.
    """
    with export.path.open("rb") as file, io.TextIOWrapper(file, encoding=dialect.encoding, newline="") as lines:
        first = lines.readline().removeprefix("\ufeff")
        rest = lines if _SEP.fullmatch(first) else chain([first], lines)
        reader = csv.reader(rest, delimiter=dialect.delimiter or ",", strict=True)
        number = 0
        try:
            for number, record in enumerate(reader, start=1):
                yield record
                if number % TOLD_EVERY == 0:
                    export.progress(min(file.tell(), export.size), export.size)
        except csv.Error as error:
            raise DataProblems([BROKEN_ROW.at(Place(export.source, row=number + 1), reason=str(error))]) from None
    export.progress(export.size, export.size)


def first_text_records(export: Export, n: int) -> list[list[str]]:
    """Return the first records of a text file, judged by its beginning alone; none if it is no text. Never raises."""
    for encoding in encodings(export.start, export.format.encoding):
        try:
            text = _beginning(export, encoding)
            delimiter = _delimiter(export, text)
            said = _SEP.match(text)
            return list(islice(csv.reader(io.StringIO(text[said.end() :] if said else text, newline=""), delimiter=delimiter), n))
        except UnicodeDecodeError:
            continue
        except (DataProblems, csv.Error):
            break
    return []
