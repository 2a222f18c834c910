"""Worksheets of staff meetings, as this package hands them out (`trial.profiles.goal_sheet`), filled in: as a workbook or as CSV.

A worksheet becomes a row for each goal that says something. What stands above the table is true of all of them, and a gap or an
aim that is left empty is that of the line above. Choices become their keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import listed
from asp_eval.intake.files.columns import shorten, table_of
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.first_records import first_records
from asp_eval.intake.files.guards.workbook_xml import column_letters
from asp_eval.intake.files.raw import SPACES, Dialect, RawTable
from asp_eval.intake.files.text import records, text_dialect
from asp_eval.intake.files.workbook import first_sheets, is_workbook, read_sheets, sheet_records
from asp_eval.trial.profiles.goal_sheet import BEFORE, CHOICE, FIRST, GOALS, LABELS, MARK
from asp_eval.trial.profiles.worksheet import worksheet_of_meetings

NOTHING_FILLED_IN = Fault(
    "SCR-265",
    "no goal is filled in on the worksheet",
    "Ask the institution for the sheet that it filled in.",
)
TWO_SHEETS = Fault(
    "SCR-266",
    "the workbook holds more than one worksheet that is filled in",
    "Take it in with 'asp-eval goals import', which reads every sheet; or save each as a file of its own, and import them.",
)
LAYOUT = Fault(
    "SCR-267",
    "the worksheet is not as it was handed out: its {what} is gone or was changed",
    "Copy the answers into a new worksheet ('asp-eval goals export'), or into a table with the columns of the table of goals.",
)
OUTSIDE = Fault(
    "SCR-268",
    "the cell stands outside the fields of the worksheet, and is not taken in",
    "Nothing, if it is no part of a goal. Else move it into a field, such as the last of its line.",
    "warning",
)
DIMENSION, AIM = "dimension", "aim"  # that of the line above, where it is left empty


@dataclass(frozen=True, slots=True)
class GoalWorksheet:
    """Reads the worksheets of staff meetings."""

    name: str = "goals"
    rank: Rank = Rank.SYSTEM

    def recognises(self, export: Export) -> bool:
        """Return whether the first cell of a sheet says so."""
        sheets = first_sheets(export).values() if is_workbook(export) else [first_records(export)]
        return any(is_marked(rows) for rows in sheets)

    def read(self, export: Export) -> RawTable:
        """Return the goals, one row each, numbered as their lines in the sheet."""
        dialect, found = _sheet(export, self.name)
        if not found.goals:
            raise DataProblems([NOTHING_FILLED_IN.at(export.source)])
        names = [*_of_meeting(), *_of_goal()]
        lines = [found.goals.get(row, [""] * len(names)) for row in range(found.first, max(found.goals) + 1)]
        raw = table_of(export, names, iter(lines), dialect, header_row=found.first - 1, first_row=found.first)
        return replace(raw, notes=(*raw.notes, *shorten(found.notes)))


@cache
def _of_meeting() -> tuple[str, ...]:
    """The columns that stand above the table."""
    return (*BEFORE, *(question.key for question in worksheet_of_meetings().of_meeting))


@cache
def _of_goal() -> tuple[str, ...]:
    """The columns of the table."""
    return ("goal", *(question.key for question in worksheet_of_meetings().of_goals))


@dataclass(frozen=True, slots=True)
class _Answers:
    """What a worksheet holds: the cells of each goal by its row, the row of the first line, and what is told of other cells."""

    goals: dict[int, list[str]]
    first: int
    notes: list[Problem] = field(default_factory=list)


def is_marked(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first cell of a sheet says that it is a worksheet of goals."""
    return bool(rows) and bool(rows[0]) and rows[0][0].strip(SPACES) == MARK


def _sheet(export: Export, name: str) -> tuple[Dialect, _Answers]:
    """Return what the one worksheet of a file holds that is filled in; the first, if none is."""
    if not is_workbook(export):
        dialect = text_dialect(export, name)
        return dialect, _answers(export.source, list(records(export, dialect)))
    _, sheets = read_sheets(export)
    marked = {title: rows for title, sheet in sheets.items() if is_marked(rows := list(sheet_records(sheet)))}
    answers = {title: _answers(export.source, rows) for title, rows in marked.items()}
    filled = [title for title, found in answers.items() if found.goals]
    if len(filled) > 1:
        raise DataProblems([TWO_SHEETS.at(export.source, found=listed(filled))])
    title = (filled or list(marked))[0]
    return Dialect(name, sheet=title, decimal=".", dates=export.format.dates), answers[title]


def _answers(source: str, rows: Sequence[Sequence[str]]) -> _Answers:
    """Return the goals of a sheet.

    Raises
    ------
    DataProblems
        SCR-267 if a field or a column of it is not there.
    """
    form, meeting = _of_goal(), _of_meeting()
    cells = [[cell.strip(SPACES) for cell in row] for row in rows]
    top = next((number for number, row in enumerate(cells) if _at(row, 0) == GOALS), None)
    if top is None:
        raise DataProblems([LAYOUT.at(source, what=GOALS)])
    keys = cells[top][LABELS : LABELS + len(form)]
    of_meeting = {_at(row, 0): (number, _at(row, FIRST)) for number, row in enumerate(cells[:top])}
    for key in (*(key for key in meeting if key not in of_meeting), *(key for key in form if key not in keys)):
        raise DataProblems([LAYOUT.at(source, what=key)])
    known = {(_at(row, 1), _at(row, 3).casefold()): _at(row, 2) for row in cells[:top] if _at(row, 0) == CHOICE}
    common = [of_meeting[key][1] for key in meeting]
    goals: dict[int, list[str]] = {}
    above = {DIMENSION: "", AIM: ""}
    for number, row in enumerate(cells[top + 2 :], start=top + 3):
        answers = {key: _at(row, LABELS + keys.index(key)) for key in form}
        if not any(text for key, text in answers.items() if key != "goal"):
            continue
        answers |= {key: known.get((key, text.casefold()), text) for key, text in answers.items()}
        same = not answers[DIMENSION] or answers[DIMENSION] == above[DIMENSION]
        answers |= {key: above[key] for key in above if same and not answers[key]}
        above = {key: answers[key] for key in above}
        goals[number] = [*common, *(answers[key] for key in form)]
    return _Answers(goals, top + 3, list(_outside(source, cells, {row for row, _ in of_meeting.values()})))


def _outside(source: str, cells: Sequence[Sequence[str]], of_meeting: Iterable[int]) -> Iterator[Problem]:
    """Tell of cells beside the fields that hold something."""
    fields = set(of_meeting)
    for number, row in enumerate(cells):
        edge = FIRST + 2 if number in fields else LABELS + len(_of_goal())
        for column, text in enumerate(row[edge:], start=edge):
            if text:
                yield OUTSIDE.at(Place(source, row=number + 1, column=column_letters(column + 1)), found=text)


def _at(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""


READER = GoalWorksheet()
