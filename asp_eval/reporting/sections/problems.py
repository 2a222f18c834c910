"""What is wrong with the rows of a file: as one institution is told it, and as the evaluator is.

An institution is told nothing of any other: what is said of its rows comes from `institution_questions`, never from a fault's own
words, which may name what stands elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from typing import Any

import pandas as pd

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.phrases import Phrase, Translation
from asp_eval.reporting.blocks import Cell, Column, Link, Row, Section, Table, cell, group_row, listing, paragraphs
from asp_eval.reporting.language import Words, as_sentence, fault_words
from asp_eval.reporting.sections.institution_questions import FOR_INSTITUTIONS, WITHOUT_WORDS
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import TableSchema, table_schema

MORE_LINES = Fault(
    "SCR-069", "more faults, which are not listed here: {n}", "Correct these first; the rest often goes with them."
)

MOST_LISTED = 1_000  # lines on the evaluator's page; the CSV has all
MOST_ASKED = 300  # lines of a table on an institution's page: nobody corrects more by hand
MOST_IN_CSV = 20_000  # lines
COLUMNS = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One fault of a list.

    Attributes
    ----------
    problem : Problem
    file : str
        The file that the row first came with.
    row : int, optional
        Its number there.
    institution, unit : str, optional
        As far as the row tells them; the unit is a child or a respondent.
    called : mapping of str to str
        What our columns are called in the file, where that is something else.
    labels : mapping of str to mapping of str to str
        What our values are called in the file, by column, instrument or family.
    """

    problem: Problem
    file: str
    row: int | None
    institution: str | None = None
    unit: str | None = None
    called: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def is_for_institutions(self) -> bool:
        """Whether an institution is asked about it: of warnings, those it can do something about."""
        return self.row is not None and (self.problem.is_error or self.problem.code in FOR_INSTITUTIONS)


@dataclass(frozen=True)
class Batch:
    """Everything that is wrong with a table and wave, or with the rows of one institution in it."""

    study: Study
    file: str
    table: str
    wave: str | None
    lines: tuple[Line, ...]
    refused: bool = False

    @cached_property
    def schema(self) -> TableSchema:
        """What a row may hold: made once for the thousands of lines that name its columns."""
        return table_schema(self.table, self.study, self.wave)

    @cached_property
    def forms(self) -> frozenset[str]:
        """Ids of the questionnaires a column can be of."""
        return frozenset((*self.schema.forms, *(part.id for part in self.study.library.instruments())))


def for_institution(batch: Batch, id_: str, stored: int, say: Words) -> tuple[Section, ...]:
    """Return what an institution is told about its own rows.

    Parameters
    ----------
    batch : Batch
    id_ : str
        The institution.
    stored : int
        How many of its rows are in the study.
    say : Words
    """
    own = [line for line in batch.lines if line.institution == id_ and line.is_for_institutions]
    errors = [line for line in own if line.problem.is_error]
    notes = [line for line in own if line.problem.severity == "warning"]
    waiting = len({(line.file, line.row) for line in errors})
    captions = (("waiting", say("Rows to correct")), ("notes", say("Rows that are in, but should be looked at")))
    left = sum(max(len(lines) - MOST_ASKED, 0) for lines in (errors, notes))
    tables = tuple(
        _table(key, caption, batch, say, [Row(tuple(_asked(line, batch, say))) for line in lines[:MOST_ASKED]])
        for (key, caption), lines in zip(captions, (errors, notes), strict=True)
        if lines
    )
    more = say("Not on this page: {n} more. The evaluator has them all.", n=left) if left else ""
    lead = (_about(batch, say), _standing(batch, stored, waiting, say), more)
    steps = (
        say(
            "Correct the rows in your own list. The row number is the one your spreadsheet shows; the first row has the headings."
        ),
        say("Leave a cell empty where you do not know the answer. Please do not guess."),
        say(
            "Send the list back to the evaluator, in the way you sent it the first time. Write no names and no CPR numbers in it."
        ),
        say("If something here is not wrong, write that to the evaluator."),
    )
    return (
        Section("rows", "", (paragraphs(*filter(None, lead)), *tables)),
        Section("answer", say("How to answer"), (listing(steps, ordered=True),)),
    )


def for_evaluator(batch: Batch, links: Sequence[Link], say: Words) -> tuple[Section, ...]:
    """Return everything that was found; `links` lead to the institutions' pages."""
    words = fault_words(say.language)
    shown = sorted(batch.lines, key=_order)[:MOST_LISTED]
    rows: list[Row] = []
    for institution, lines in groupby(shown, key=lambda line: (line.row is None, line.institution)):
        rows.append(group_row(_group(institution, say), COLUMNS))
        rows += [Row(tuple(_full(line, batch, words, say))) for line in lines]
    left = len(batch.lines) - len(shown)
    lead = (
        _about(batch, say),
        say("Nothing of it was taken in.") if batch.refused else "",
        say("This page is for the evaluator alone: it has rows of all institutions."),
        say("The pages below have one institution each.") if links else "",
        say("In faults.csv: {n} more.", n=left) if left else "",
    )
    pages = (Section("pages", "", (listing((link,) for link in links),)),) if links else ()
    table = _table("all", say("Everything that was found"), batch, say, rows)
    return Section("lead", "", (paragraphs(*filter(None, lead)),)), *pages, Section("rows", "", (table,))


def fault_rows(batch: Batch, language: str) -> pd.DataFrame:
    """Return the faults as a table for a program: a row for each of the first 20,000, in the words of the screen."""
    lines, left = batch.lines[:MOST_IN_CSV], len(batch.lines) - MOST_IN_CSV
    if left > 0:
        lines = (*lines, Line(MORE_LINES.at(batch.file, n=left), batch.file, None))
    return pd.DataFrame(list(_records(lines, language))).astype({"row": "Int64"})


def _records(lines: Iterable[Line], language: str) -> Iterator[dict[str, object]]:
    words = fault_words(language)
    for line in lines:
        said = line.problem.within(words)
        yield {
            "code": said.code,
            "severity": said.severity,
            "file": line.file,
            "row": line.row,
            "column": said.place.column,
            "found": said.found,
            "expected": said.expected,
            "text": said.text,
            "remedy": said.remedy,
            "institution_id": line.institution,
            "child_id": line.unit,
        }


def _about(batch: Batch, say: Words) -> str:
    return say("This page is about the list {file} ({round}).", file=batch.file, round=_round(batch, say))


def _order(line: Line) -> tuple[bool, str, int]:
    return (line.row is not None, line.institution or "", line.row or 0)


def _group(key: tuple[bool, str | None], say: Words) -> str:
    of_file, institution = key
    if of_file:
        return say("The file as a whole")
    return say("Institution {id}", id=institution) if institution else say("Rows without an institution")


def _standing(batch: Batch, stored: int, waiting: int, say: Words) -> str:
    if batch.refused:
        return say("Nothing of it has been taken in yet: the rows below must be corrected first.")
    rows = say.plural("1 row of yours is in.", "{n} rows of yours are in.", stored, n=stored)
    waits = say.plural("1 row waits until it is corrected.", "{n} rows wait until they are corrected.", waiting, n=waiting)
    return f"{rows} {waits}" if waiting else rows


def _asked(line: Line, batch: Batch, say: Words) -> Iterator[Cell]:
    """Yield the cells of a line in an institution's table."""
    words = fault_words(say.language)
    line = replace(line, problem=_with_waves_named(line.problem, batch.study, say))
    inside = line.problem.within(words)
    asked = FOR_INSTITUTIONS.get(inside.code)
    yield cell(str(line.row))
    yield cell(line.unit or "")
    if asked is None:  # nothing of the fault is repeated, for it is not known what it may tell
        yield from (cell(""), cell(as_sentence(words(WITHOUT_WORDS.text))), cell(""), cell(words(WITHOUT_WORDS.remedy)))
        return
    found = say("found: {value}", value=inside.found) if inside.found else ""
    question = replace(line.problem, fault=replace(line.problem.fault, text=asked.text, remedy=asked.remedy)).within(words)
    yield _column(line, batch, say)
    yield cell(as_sentence(question.text), found)
    yield cell(_allowed(line, batch, inside.expected or "") if asked.allowed else "")
    yield cell(question.remedy)


def _full(line: Line, batch: Batch, words: Translation, say: Words) -> Iterator[Cell]:
    """Yield the cells of a line in the evaluator's table: a column in words, and under them as the study writes it."""
    inside = _with_waves_named(line.problem, batch.study, say).within(words)
    found = say("found: {value}", value=inside.found) if inside.found else ""
    yield cell("" if line.row is None else str(line.row))
    yield cell(line.unit or "")
    column = inside.place.column or ""
    called = _called(column, batch, say)
    yield cell(*called, column) if called else cell(column)
    yield cell(as_sentence(inside.text), found, inside.code)
    yield cell(inside.expected or "")
    yield cell(inside.remedy)


def _column(line: Line, batch: Batch, say: Words) -> Cell:
    """Say a column in words: the number of a question, never its text; and what the file calls it."""
    column = line.problem.place.column
    if column is None:
        return cell(say("the whole row"))
    theirs = line.called.get(column, "")
    in_file = say("in the file: {name}", name=theirs) if theirs and theirs != column else ""
    return cell(*(_called(column, batch, say) or (column,)), in_file)


def _called(column: str, batch: Batch, say: Words) -> tuple[str, ...]:
    """Return a column in words: the number of a question and its form, a form, or what the table calls it; nothing if unknown."""
    form, _, key = column.partition(".")
    title = next((field.title for field in batch.schema.fields if field.name == column), "")
    if form not in batch.forms:
        return (fault_words(say.language)(title),) if title else ()
    asked = batch.study.library.instrument(form)
    number = next((item.number for item in asked.items if item.key == key), None)
    named = say.label(asked.title, form)
    return (say("Question {n}", n=number), named) if number is not None else (named,)


def _with_waves_named(problem: Problem, study: Study, say: Words) -> Problem:
    """Return a problem whose details call a wave what the study does."""
    labels = {wave.id: say.label(by_language(wave.label), wave.id) for wave in study.waves}
    return replace(problem, details=_named(problem.details, labels))


def _named(details: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        key: _in_words(value, labels) if isinstance(value, Phrase) else _wave(key, value, labels)
        for key, value in details.items()
    }


def _in_words(phrase: Phrase, labels: Mapping[str, str]) -> Phrase:
    return phrase.with_fields(**_named(phrase.fields, labels))


def _wave(key: str, value: Any, labels: Mapping[str, str]) -> Any:
    return labels.get(value, value) if key == "wave" else value


def _allowed(line: Line, batch: Batch, expected: str) -> str:
    """Say what is allowed, with the labels of the file in the place of our values where it has labels."""
    column = line.problem.place.column or ""
    values = next((field.allowed for field in batch.schema.fields if field.name == column), ())
    form = column.partition(".")[0]
    family = batch.study.library.instrument(form).family if form in batch.schema.forms else ""
    labels = next((line.labels[part] for part in (column, form, family) if part in line.labels), {})
    return ", ".join(labels.get(value, value) for value in values) if values else expected


def _unit(batch: Batch, say: Words) -> str:
    return say("Child") if batch.table in ("screening", "children") else say("Id")


def _round(batch: Batch, say: Words) -> str:
    """Name the table, and the wave as the study labels it."""
    kinds = {
        "screening": Phrase("the screening"),
        "staff_survey": Phrase("the staff survey"),
        "children": Phrase("the children"),
    }
    kind = kinds.get(batch.table, Phrase("the table {name}", name=batch.table)).told(fault_words(say.language))
    return f"{kind}, {say.label(by_language(batch.study.wave(batch.wave).label), batch.wave)}" if batch.wave else kind


def by_language(texts: Mapping[Any, str]) -> dict[str, str]:
    """Return a study's own texts under plain language codes."""
    return {str(language): text for language, text in texts.items()}


def _table(key: str, caption: str, batch: Batch, say: Words, rows: Sequence[Row]) -> Table:
    headings = (say("Row"), _unit(batch, say), say("Column"), say("What is wrong"), say("Allowed"), say("What to do"))
    return Table(key, caption, tuple(Column(heading, numeric=False) for heading in headings), tuple(rows))
