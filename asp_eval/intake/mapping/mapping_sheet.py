"""A mapping as a sheet, for people who work in a spreadsheet: a row for each column, questionnaire, answer and setting.

================  =====================  =========================  ==========================================================
part              of                     in the file                ours
================  =====================  =========================  ==========================================================
column                                   its name in the export     ours, or ``(leave out)``
questionnaire                            pattern of the items       the instrument, or ``(leave out)``
answer            column or instrument   label                      value, or ``(empty)``
setting           ``format.dates``, ...  for a list, what it names  the value, of settings that have one
note                                                                is passed over
================  =====================  =========================  ==========================================================

It says what the YAML file says, and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.core.strict_yaml import REPEATED_KEY, Keys
from asp_eval.core.workbooks import sheet_to_fill_in
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.raw import SPACES
from asp_eval.intake.files.reading import read_raw

NO_HEADING = Fault(
    "SCR-220",
    "the sheet of the mapping has no column {name!r}",
    "Its columns are called {names}; 'asp-eval import FILE --propose --xlsx' writes a sheet.",
)
NO_PART = Fault("SCR-221", "the row is of no part of a mapping", "Write one of these in the column 'part', or take the row out.")
NOT_FILLED_IN = Fault(
    "SCR-222",
    "the row is not filled in yet: {what}",
    "Fill in the coloured cell, as the reason on the row says, or take the row out.",
)
TWO_MAPPINGS = Fault(
    "SCR-223",
    "two mappings lie beside the file, {names}, and it is not clear which of them counts",
    "Move one of them away; or name the one that is meant with --mapping.",
)

HEADINGS = ("part", "of", "in the file", "ours", "why")
COLUMN, QUESTIONNAIRE, ANSWER, SETTING, NOTE = PARTS = ("column", "questionnaire", "answer", "setting", "note")
LEAVE_OUT, EMPTY = "(leave out)", "(empty)"
SUFFIXES = (".xlsx", ".xls", ".ods", ".csv")
LISTS = ("missing", "ignore", "not_personal", "not_missing", "confirmed")
_WHAT = {
    COLUMN: Phrase("which column of the file, and what it is here"),
    QUESTIONNAIRE: Phrase("how the file names this questionnaire's items"),
    ANSWER: Phrase("what becomes of the label"),
    SETTING: Phrase("the value of the setting"),
}


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of the sheet; `open_` is the heading of the cell that a person has to fill in."""

    part: str
    of: str = ""
    theirs: str = ""
    ours: str = ""
    why: str = ""
    open_: str | None = None


@dataclass(frozen=True, slots=True)
class SheetContent:
    """What a sheet says: the values of a mapping, the row of each by its path of keys, and what is not filled in."""

    values: dict[str, Any]
    rows: dict[Keys, int]
    open_: tuple[Problem, ...]


def is_sheet(path: Path) -> bool:
    """Return whether a mapping is a sheet, by its name."""
    return path.suffix.lower() in SUFFIXES


def sheet_of(rows: Sequence[SheetRow]) -> bytes:
    """Return rows as a workbook to fill in, the cells that are open coloured.

    Examples
    --------
    >>> sheet_of([SheetRow(COLUMN, theirs="barn_nr", ours="child_id")])[:2]
    b'PK'
    """
    marked = {(place, HEADINGS.index(row.open_)) for place, row in enumerate(rows) if row.open_ is not None}
    return sheet_to_fill_in("mapping", HEADINGS, [astuple(row)[: len(HEADINGS)] for row in rows], marked)


def read_sheet(path: Path) -> SheetContent:
    """Return what a sheet says.

    Raises
    ------
    DataProblems
        What is wrong with the file; SCR-220, SCR-221, and DOC-007 for what two rows say.
    """
    raw = read_raw(path, FileFormat(dialect="csv" if path.suffix.lower() == ".csv" else "workbook"))
    absent = [name for name in HEADINGS[:-1] if name not in raw.columns]
    if absent:
        raise DataProblems([NO_HEADING.at(path.name, name=absent[0], names=", ".join(HEADINGS))])
    cells = [[str(cell).strip(SPACES) for cell in raw.columns[name].cells()] for name in HEADINGS[:-1]]
    values: dict[str, Any] = {"version": 1}
    rows: dict[Keys, int] = {}
    problems, open_ = list[Problem](), list[Problem]()
    for number, part, of, theirs, ours in zip(map(int, raw.rows), *cells, strict=True):
        place = Place(path.name, row=number, column="part")
        if part.lower() not in PARTS:
            problems.append(NO_PART.at(place, found=part or None, expected=", ".join(PARTS)))
            continue
        entry = _entry(part.lower(), of, theirs, ours)
        if entry is None:
            open_.append(NOT_FILLED_IN.at(Place(path.name, row=number), what=_WHAT[part.lower()], found=of or theirs or ours))
        elif entry[0]:
            problems += _set(values, rows, *entry, Place(path.name, row=number))
    if problems:
        raise DataProblems(problems)
    return SheetContent(values, rows, tuple(open_))


def as_yaml(path: Path) -> str:
    """Return a mapping as YAML: as it is written, or of a sheet what it says."""
    if not is_sheet(path):
        return path.read_bytes().decode(errors="replace")
    said: str = yaml.safe_dump(read_sheet(path).values, allow_unicode=True, sort_keys=False, width=10_000)
    return f"# As the sheet {path.name} says.\n{said}"


@contextmanager
def kept_as_yaml(path: Path | None) -> Iterator[Path | None]:
    """Yield the file of a mapping that is kept beside an export: itself, or what a sheet says in a temporary folder."""
    if path is None or not is_sheet(path):
        yield path
        return
    with TemporaryDirectory() as folder:
        written = Path(folder) / f"{path.stem}.yaml"
        written.write_text(as_yaml(path), encoding="utf-8")
        yield written


def _entry(part: str, of: str, theirs: str, ours: str) -> tuple[Keys, object] | None:
    """Return the path of keys of a row and its value; an empty path if it says nothing; None if it is not filled in."""
    if part == NOTE:
        return (), None
    if part == SETTING:
        keys = tuple(of.split(".", 2 if of.startswith("unfold.") else 1)) if of else ()
        value = theirs or ours if keys and keys[0] in LISTS else ours
        return (keys, value or None) if keys and (value or keys[0] == "constants") else None
    if not theirs or not ours or (part == ANSWER and not of):
        return None
    if part == ANSWER:
        return ("recode", of, theirs), "" if ours.lower() == EMPTY else ours
    left_out = ours.lower() == LEAVE_OUT
    if part == QUESTIONNAIRE:
        return ((), None) if left_out else (("rename_items", ours), theirs)
    return (("ignore",), theirs) if left_out else (("rename", theirs), ours) if ours != theirs else ((), None)


def _set(values: dict[str, Any], rows: dict[Keys, int], keys: Keys, value: object, place: Place) -> list[Problem]:
    """Enter a value under a path of keys; what two rows say is a fault."""
    part, at = values, keys
    if keys[0] in LISTS and value != "others":
        listed: list[object] = values.setdefault(str(keys[0]), [])
        at = (*keys, len(listed))
        if not isinstance(listed, list) or value in listed:
            return [REPEATED_KEY.at(place, found=str(value))]
        listed.append(value)
    else:
        for key in keys[:-1]:
            part = part.setdefault(str(key), {})
        if not isinstance(part, dict) or keys[-1] in part:
            return [REPEATED_KEY.at(place, found=str(keys[-1]))]
        part[str(keys[-1])] = value
    for length in range(1, len(at) + 1):  # what is wrong with a part as a whole is placed on its first row
        rows.setdefault(at[:length], place.row or 0)
    return []
