"""SurveyXact: a dataset, its structure (the questions) and its labels (the answers), in three files or one workbook."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.columns import shorten, table_of
from asp_eval.intake.files.companions import (
    CUT_SHORT,
    NO_LABEL,
    NOT_A_COMPANION,
    OTHER_SURVEY,
    TWICE,
    Row,
    companion,
    header_of,
    lying_beside,
    named_rows,
    records_of,
    rows_of,
    sheet_rows,
    strangers,
    unlisted,
)
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.raw import SPACES, Dialect, RawTable
from asp_eval.intake.files.sheets import read_workbook
from asp_eval.intake.files.text import text_dialect
from asp_eval.intake.files.workbook import first_sheets, is_workbook

INCOMPLETE = Fault(
    "SCR-100",
    "a dataset from SurveyXact comes with a file of {part}, which does not lie beside it",
    "Export 'dataset', 'structure' and 'labels' together and put them into one folder; "
    "or write 'format: {{dialect: csv}}' in the mapping if it is no such dataset.",
)
NO_SHEET = Fault("SCR-112", "the workbook from SurveyXact lacks a sheet", "Export it again; do not take sheets out.")
NO_LABELS = Fault(
    "SCR-101",
    "the question has a list of answers, and the labels have none of them",
    "Compare with the questionnaire whether labels were cut off.",
    severity="warning",
)

STRUCTURE = ("questionName", "variableName", "questionType", "subType", "questionText", "choiceValue", "choiceText")
_DATA = re.compile(r"Dataset ?(?:\((\d+)\))?")  # Dataset, or Dataset(1), Dataset(2), ...
IN_STRUCTURE, IN_LABELS = Phrase("the structure from SurveyXact"), Phrase("the labels from SurveyXact")


@dataclass(frozen=True, slots=True)
class Question:
    """A variable of the structure. `closed`: its answers come from a list."""

    title: str
    closed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The three parts of an export, with the names that faults call the last two by."""

    dialect: Dialect
    records: Iterator[list[str]]
    structure: tuple[str, list[Row]]
    labels: tuple[str, list[Row]]


@dataclass(frozen=True, slots=True)
class SurveyXact:
    """Reads the three files of SurveyXact, however they are delimited and encoded, and its workbooks."""

    name: str = "surveyxact"
    rank: Rank = Rank.SYSTEM

    def recognises(self, export: Export) -> bool:
        """Return whether a structure or labels lie beside the file, under its name or the one declared, or are sheets of it."""
        if is_workbook(export):
            return "variableName" in next(iter(first_sheets(export).get("Structure", [])), [])
        if {"structure", "labels"} & export.format.companions.keys():
            return True
        if any(_is_structure(export, name) for name in lying_beside(export, _sibling(export, "structure"))):
            return True
        return any(_are_labels(export, name) for name in lying_beside(export, _sibling(export, "labels")))

    def read(self, export: Export) -> RawTable:
        """Return the dataset with the questions as titles and the answers as labels."""
        parts = _in_sheets(export) if is_workbook(export) else _in_files(export, self.name)
        questions = questions_of(*parts.structure)
        choices = choices_of(*parts.labels, questions)
        dialect, rows = replace(parts.dialect, format=self.name), parts.records
        header = [cell.strip(SPACES) for cell in next(rows, [])]
        foreign = strangers(export.source, header, lambda name: name in questions, IN_STRUCTURE)
        if foreign:
            raise DataProblems(shorten(foreign))
        raw = table_of(export, header, rows, dialect, titles={n: q.title for n, q in questions.items()}, labels=choices)
        problems = [text.problem(NO_LABEL, what=IN_LABELS, kind=Phrase("answer")) for text in unlisted(raw, choices)]
        if problems:
            raise DataProblems(shorten(problems))
        return _noted(raw, questions, choices)


def _in_files(export: Export, name: str) -> Parts:
    """Return the parts that lie beside each other."""
    structure = companion(export, "structure", _sibling(export, "structure"))
    labels = companion(export, "labels", _sibling(export, "labels"))
    if structure is None or labels is None:
        found = {"structure": structure, "labels": labels}
        raise DataProblems([INCOMPLETE.at(export.source, part=part) for part, there in found.items() if there is None])
    delimiter = text_dialect(structure, name).delimiter
    asked, answers = rows_of(structure), rows_of(labels, delimiter)
    return Parts(*records_of(export, name), (structure.source, asked), (labels.source, answers))


def _in_sheets(export: Export) -> Parts:
    """Return the parts of a workbook; a dataset of many columns is spread over several sheets, row by row the same."""
    names = list(first_sheets(export))
    data = sorted((name for name in names if _DATA.fullmatch(name)), key=lambda name: int(_DATA.sub(r"0\1", name)))
    missing = [*([] if data else ["Dataset"]), *(name for name in ("Structure", "Labels") if name not in names)]
    if missing:
        raise DataProblems([NO_SHEET.at(export.source, expected=sheet) for sheet in missing])
    sheets = [list(read_workbook(export, name)[2]) for name in data]
    file_format = export.format
    dialect = Dialect("xlsx", sheet=" + ".join(data), decimal=file_format.decimal or ".", dates=file_format.dates)
    parts = {name: (f"{export.source} ({name})", sheet_rows(export, name)) for name in ("Structure", "Labels")}
    return Parts(dialect, _side_by_side(sheets), parts["Structure"], parts["Labels"])


def _side_by_side(sheets: Sequence[Sequence[list[str]]]) -> Iterator[list[str]]:
    """Yield the rows of sheets joined; rows that are blank at the end of a sheet are not in it."""
    widths = [max((len(row) for row in rows), default=0) for rows in sheets]
    for row in zip_longest(*sheets, fillvalue=[]):
        yield [cell for cells, width in zip(row, widths, strict=True) for cell in (*cells, *[""] * (width - len(cells)))]


def questions_of(source: str, rows: Sequence[Row]) -> dict[str, Question]:
    """Return the variables of a structure; the title of a multiple choice's column ends with its option.

    Raises
    ------
    DataProblems
        SCR-092, SCR-093 if it is not a whole structure, SCR-096 if a variable stands in it twice.
    """
    found: dict[str, Question] = {}
    problems: list[Problem] = []
    for number, cells in named_rows(source, rows, IN_STRUCTURE, STRUCTURE):
        name = cells["variableName"]
        if name in found:
            problems.append(TWICE.at(Place(source, row=number), found=name, what=IN_STRUCTURE))
        parts = [cells["questionText"], cells["choiceText"]]
        found[name] = Question(" - ".join(part for part in parts if part), cells["questionType"] == "Closed")
    if problems:
        raise DataProblems(shorten(problems))
    return found


def choices_of(source: str, rows: Sequence[Row], questions: Mapping[str, Question]) -> dict[str, dict[str, str]]:
    """Return the labels of each variable: rows of variable, value and label, without a header.

    Raises
    ------
    DataProblems
        SCR-092 to SCR-094, SCR-096.
    """
    found: dict[str, dict[str, str]] = defaultdict(dict)
    if not rows and any(question.closed for question in questions.values()):
        raise DataProblems([NOT_A_COMPANION.at(source, what=IN_LABELS)])
    problems: list[Problem] = []
    for number, cells in rows:
        place = Place(source, row=number)
        if len(cells) < 3 or any(cells[3:]):
            problems.append(CUT_SHORT.at(place, found=len(cells), expected=3, what=IN_LABELS))
            continue
        name, value, label = cells[:3]
        if name not in questions:
            problems.append(OTHER_SURVEY.at(Place(source, row=number, column=name), what=IN_STRUCTURE))
        if found[name].setdefault(value, label) != label:
            problems.append(TWICE.at(place, found=label, expected=found[name][value], what=IN_LABELS))
    if problems:
        raise DataProblems(shorten(problems))
    return dict(found)


def _noted(raw: RawTable, questions: Mapping[str, Question], choices: Mapping[str, Mapping[str, str]]) -> RawTable:
    """Add a warning for each closed question that was answered and has no labels."""
    bare = [n for n, column in raw.columns.items() if questions[n].closed and n not in choices and any(column.texts)]
    return replace(raw, notes=(*raw.notes, *(NO_LABELS.at(raw.place(column=name)) for name in bare)))


def _sibling(export: Export, part: str) -> str:
    """Return the pattern of a companion's name: the dataset's, with another word for 'dataset'."""
    head, word, tail = export.source.lower().rpartition("dataset")
    return re.escape(head) + part + re.escape(tail) if word else "(?!)"


def _is_structure(export: Export, name: str) -> bool:
    return "variableName" in header_of(Export(export.path.with_name(name)))


def _are_labels(export: Export, name: str) -> bool:
    first = header_of(Export(export.path.with_name(name)))
    return len(first) == 3 and first[0] in header_of(export)


READER = SurveyXact()
