"""Qualtrics: three header rows, of names, of questions, and of import ids; data from row 4."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.columns import shorten, table_of
from asp_eval.intake.files.companions import records_of
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.first_records import first_records
from asp_eval.intake.files.raw import SPACES, RawTable

CUT_HEADER = Fault(
    "SCR-102",
    "the export of Qualtrics should have an import id for every column in its third row",
    "Export it again as CSV or TSV, and do not edit it: the mapping filters rows and leaves columns out.",
)
LEGACY = Fault(
    "SCR-103",
    "the export of Qualtrics is in the legacy format, with two header rows",
    "Export it again from 'Data & Analysis' as CSV, without 'Use legacy format'.",
)

HEADER_ROWS = 3
SYSTEM = ("StartDate", "EndDate")  # columns every export has, whatever its language
PERSONAL = {
    "ipAddress",
    "recipientLastName",
    "recipientFirstName",
    "recipientEmail",
    "locationLatitude",
    "locationLongitude",
}
_MARK = re.compile(r'\s*\{\s*"ImportId"\s*:')


@dataclass(frozen=True, slots=True)
class Qualtrics:
    """Reads the three header rows of Qualtrics; what they say in rows 2 and 3 is no data."""

    name: str = "qualtrics"
    rank: Rank = Rank.SYSTEM

    def recognises(self, export: Export) -> bool:
        """Return whether the third row holds import ids, or the file is one of Qualtrics whose header was cut."""
        found = first_records(export)
        return _has_ids(found) or _is_legacy(found) or _lost_ids(found)

    def read(self, export: Export) -> RawTable:
        """Return the data from row 4, with the questions as titles; the fields that Qualtrics fills with persons are marked."""
        dialect, rows = records_of(export, self.name)
        header = list(islice(rows, HEADER_ROWS))
        if _is_legacy(header):
            raise DataProblems([LEGACY.at(Place(export.source, row=2))])
        ids = _import_ids(export.source, header)
        names, questions = ([cell.strip(SPACES) for cell in row] for row in header[:2])
        titles = {name: title for name, title in zip(names, questions, strict=False) if name and title}
        raw = table_of(export, names, rows, dialect, first_row=HEADER_ROWS + 1, titles=titles)
        personal = {name for name, key in zip(names, ids, strict=True) if key in PERSONAL and name in raw.columns}
        return replace(raw, identifiers=frozenset(name for name in personal if any(raw.columns[name].texts)))


def _import_ids(source: str, header: Sequence[Sequence[str]]) -> list[str]:
    """Return the import id of each column; refuse a header whose rows are not whole."""
    names, _, cells = [*header, [], [], []][:HEADER_ROWS]
    ids = [_import_id(cell) for cell in cells] + [""] * (len(names) - len(cells))
    columns = [name.strip(SPACES) or str(position) for position, name in enumerate(names, start=1)]
    problems = [
        CUT_HEADER.at(Place(source, row=3, column=column), found=cell, expected='{"ImportId": ...}')
        for column, key, cell in zip(columns, ids, [*cells, *[""] * len(names)], strict=False)
        if not key
    ]
    problems += [
        CUT_HEADER.at(
            Place(source, row=row), found=Phrase("{n} cells", n=len(record)), expected=Phrase("{n} cells", n=len(names))
        )
        for row, record in enumerate(header, start=1)
        if len(record) != len(names)
    ]
    if problems:
        raise DataProblems(shorten(problems))
    return ids


def _import_id(cell: str) -> str:
    """Return what stands in a cell of the third row; nothing if it is no import id."""
    try:
        said = json.loads(cell)
    except ValueError:
        return ""
    return str(said.get("ImportId", "")) if isinstance(said, dict) else ""


def _has_ids(found: Sequence[Sequence[str]]) -> bool:
    return len(found) >= HEADER_ROWS and any(_MARK.match(cell) for cell in found[2])


def _is_legacy(found: Sequence[Sequence[str]]) -> bool:
    return len(found) >= 2 and found[0][:1] == ["V1"] and found[1][:1] == ["ResponseID"]


def _lost_ids(found: Sequence[Sequence[str]]) -> bool:
    """Whether the columns are those of Qualtrics and row 2 holds questions, for dates have digits."""
    if len(found) < 2 or not set(SYSTEM) <= set(found[0]):
        return False
    second = dict(zip(found[0], found[1], strict=False))
    return all(second.get(name) and not re.search(r"\d", second[name]) for name in SYSTEM)


READER = Qualtrics()
