"""What the readers of survey systems share: records of text or workbook, and the files beside an export that explain it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from asp_eval.core.contained_paths import inside
from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.columns import shorten
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.first_records import first_records
from asp_eval.intake.files.raw import SPACES, Dialect, RawTable
from asp_eval.intake.files.sheets import read_workbook
from asp_eval.intake.files.text import records, text_dialect
from asp_eval.intake.files.workbook import first_sheets, is_workbook

NOT_BESIDE = Fault(
    "SCR-090",
    "the mapping names a file that does not lie beside this one",
    "Put it into the same folder, or correct its name under 'format: {{companions: ...}}'.",
)
WHICH_COMPANION = Fault(
    "SCR-091",
    "more than one file beside this one could be its '{part}'",
    "Leave one, or say which in the mapping: 'format: {{companions: {{{part}: NAME}}}}'.",
)
NOT_A_COMPANION = Fault("SCR-092", "the file is not {what}", "Export it again, and put it beside the data as it comes.")
CUT_SHORT = Fault("SCR-093", "a row of {what} has the wrong number of cells", "It was cut short or edited; export it again.")
OTHER_SURVEY = Fault(
    "SCR-094",
    "the variable is not in {what}",
    "Export all files again, at the same time, from the same survey, and add no columns. "
    "If this one comes from elsewhere, write 'format: {{dialect: csv}}' in the mapping.",
)
NO_LABEL = Fault(
    "SCR-095",
    "{what} has no such {kind} for this column",
    "It belongs to another survey, or the survey was edited since; export both again, at the same time.",
)
TWICE = Fault("SCR-096", "{what} says two different things of the same", "Export it again; if that does not help, delete one.")

MIXED = Fault(
    "SCR-097",
    "the file holds codes in some columns and labels in others",
    "Export it again, either with codes or with labels.",
)

Part = Literal["structure", "labels", "dictionary", "form"]
Row = tuple[int, list[str]]
"""A row of a companion: its number in a spreadsheet, and its cells without surrounding spaces."""


def records_of(export: Export, name: str) -> tuple[Dialect, Iterator[list[str]]]:
    """Return how an export was written and its records, of a text file or of the one sheet of a workbook.

    Raises
    ------
    DataProblems
        SCR-007 to SCR-017.
    """
    file_format = export.format
    if is_workbook(export):
        _, sheet, cells = read_workbook(export)
        return Dialect(name, sheet=sheet, decimal=file_format.decimal or ".", dates=file_format.dates), iter(cells)
    dialect = text_dialect(export, name)
    return dialect, records(export, dialect)


def header_of(export: Export) -> list[str]:
    """Return the names of the columns, to recognise a file by; none if there are none. Never raises."""
    return [cell.strip(SPACES) for cell in next(iter(first_records(export)), [])]


def lying_beside(export: Export, pattern: str) -> list[str]:
    """Return the names of the files beside an export that match as a whole, capitals aside. Never raises."""
    fits = re.compile(pattern, re.IGNORECASE)
    try:
        names = sorted(path.name for path in export.path.parent.iterdir() if path.is_file() and path != export.path)
    except OSError:
        return []
    return [name for name in names if fits.fullmatch(name)]


def companion(export: Export, part: Part, pattern: str) -> Export | None:
    """Return the file beside an export that is its `part`: the one the mapping names, else the one whose name matches.

    Raises
    ------
    DataProblems
        SCR-090 if the one named is not there, SCR-091 if several match.
    Refusal
        FIL-001 if the mapping's name leads out of the folder; FIL-002 if it is that of a link that does.
    """
    named = export.format.companions.get(part)
    names = [named] if named else lying_beside(export, pattern)
    if len(names) > 1:
        raise DataProblems([WHICH_COMPANION.at(export.source, found=", ".join(names), part=part)])
    found = export.beside(names[0]) if names else None
    if named:
        inside(export.path.parent, found.source if found else named)
    if named and found is None:
        raise DataProblems([NOT_BESIDE.at(export.source, found=named)])
    return found


def rows_of(export: Export, delimiter: str | None = None) -> list[Row]:
    """Return the rows of a companion that are not blank.

    Raises
    ------
    DataProblems
        If it cannot be read.
    """
    if is_workbook(export):
        found: Iterator[list[str]] = records_of(export, "workbook")[1]
    else:
        found = records(export, text_dialect(export, "csv", delimiter))
    stripped = ((number, [cell.strip(SPACES) for cell in record]) for number, record in enumerate(found, start=1))
    return [(number, cells) for number, cells in stripped if any(cells)]


def sheet_rows(export: Export, sheet: str) -> list[Row]:
    """Return the rows of one sheet of a companion that are not blank; none if there is no such sheet, or nothing in it.

    Raises
    ------
    DataProblems
        If it is no workbook, or cannot be read.
    """
    sheets = first_sheets(export)
    if sheets and not any(map(any, sheets.get(sheet, []))):
        return []
    cells = read_workbook(export, sheet)[2]
    return [(number, [cell.strip(SPACES) for cell in row]) for number, row in enumerate(cells, start=1) if any(row)]


def named_rows(source: str, rows: Sequence[Row], what: str, needed: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Return the rows of a companion by the names in its first; empty cells after the last name are passed over.

    Raises
    ------
    DataProblems
        SCR-092 if a name that is needed is not there, SCR-093 for every row of the wrong width.
    """
    header = rows[0][1] if rows else []
    missing = [name for name in needed if name not in header]
    if missing:
        place = Place(source, row=rows[0][0] if rows else 1)
        raise DataProblems([NOT_A_COMPANION.at(place, what=what, found=", ".join(header), expected=", ".join(needed))])
    while header and not header[-1]:
        header = header[:-1]
    width = len(header)
    problems = [
        CUT_SHORT.at(Place(source, row=number), what=what, found=len(cells), expected=width)
        for number, cells in rows[1:]
        if len(cells) < width or any(cells[width:])
    ]
    if problems:
        raise DataProblems(shorten(problems))
    return [(number, dict(zip(header, cells, strict=False))) for number, cells in rows[1:]]


def strangers(source: str, names: Sequence[str], known: Callable[[str], bool], what: str, row: int = 1) -> list[Problem]:
    """Return a problem for each column of the data that its companion does not know."""
    return [OTHER_SURVEY.at(Place(source, row=row, column=name), what=what) for name in names if name and not known(name)]


@dataclass(frozen=True, slots=True)
class Unlisted:
    """A text that stands in a column and is not among those listed for it; `place` is the first row it stands in."""

    place: Place
    text: str
    listed: str

    def problem(self, fault: Fault, **details: object) -> Problem:
        """Return a fault as met here."""
        return fault.at(self.place, found=self.text, expected=self.listed, **details)


def unlisted(
    raw: RawTable, listed: Mapping[str, Collection[str]], parts: Callable[[str], list[str]] | None = None
) -> list[Unlisted]:
    """Return each different text of the columns named that is not listed for its column, in the order of the rows.

    Parameters
    ----------
    raw : RawTable
    listed : mapping of str to collection of str
        Texts by column.
    parts : callable, optional
        Divides a cell into what is looked up; without it the cell is looked up whole.
    """
    found: dict[tuple[str, str], Unlisted] = {}
    for name in [name for name in raw.columns if name in listed]:
        column, known = raw.columns[name], listed[name]
        for code, text in enumerate(column.texts):
            bare = text.strip(SPACES)
            strange = [part for part in (parts(bare) if parts else [bare]) if part and part not in known]
            for part in strange:
                first = int(np.flatnonzero(column.codes == code)[0])
                found.setdefault((name, part), Unlisted(raw.place(first, name), part, _some(known)))
    return sorted(found.values(), key=lambda one: one.place.row or 0)


def cells_are_labels(raw: RawTable, codes: Mapping[str, Collection[str]], labels: Mapping[str, Collection[str]]) -> bool:
    """Return whether the columns named hold labels, not codes.

    Raises
    ------
    DataProblems
        SCR-097 if some hold codes and some labels.
    """
    coded, labelled = _only(raw, codes, labels), _only(raw, labels, codes)
    if coded and labelled:
        raise DataProblems(
            [MIXED.at(raw.place(column=coded[0]), found=Phrase("codes here, labels in {column}", column=labelled[0]))]
        )
    return bool(labelled)


def _only(raw: RawTable, these: Mapping[str, Collection[str]], those: Mapping[str, Collection[str]]) -> list[str]:
    """Return the columns with a cell that is one of these and none of those."""
    texts = {name: {text.strip(SPACES) for text in raw.columns[name].texts} for name in these}
    return [name for name, found in texts.items() if any(text in these[name] and text not in those[name] for text in found)]


def _some(known: Collection[str], most: int = 8) -> str:
    shown = list(known)[:most]
    return ", ".join(shown) + (", ..." if len(known) > most else "")
