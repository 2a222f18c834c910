"""Rows in quarantine with their faults as they were found, for a page in any language."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asp_eval.core.errors import Fault, Place, Problem
from asp_eval.core.phrases import as_plain, from_plain
from asp_eval.intake.mapping.mapping import Mapping as MappingFile
from asp_eval.intake.mapping.unfolding import unfolded
from asp_eval.store import imports, ledger
from asp_eval.store.connection import Store
from asp_eval.store.layout import stored_columns
from asp_eval.trial.instruments.library import Library
from asp_eval.trial.study.design import Study

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One row in quarantine.

    Attributes
    ----------
    file : str
        The file that it first came with, as it is called in ``data/``.
    row : int
        Its number there.
    institution, unit : str, optional
        What the row tells of them; the unit is a child or a respondent.
    problems : tuple of Problem
    called : mapping of str to str
        What our columns are called in that file, where that is something else.
    labels : mapping of str to mapping of str to str
        What our values of a column, an instrument or a family are called there: ``{"sex": {"boy": "dreng"}}``.
    """

    file: str
    row: int
    institution: str | None
    unit: str | None
    problems: tuple[Problem, ...]
    called: Mapping[str, str]
    labels: Mapping[str, Mapping[str, str]]


def as_stored(problem: Problem) -> dict[str, object]:
    """Return a problem for JSON, from which `problem_of` makes it again: in English, and what that was made of."""
    parts = {"text": problem.fault.text, "remedy": problem.fault.remedy}
    words = {"found": problem.found, "expected": problem.expected, **problem.details}
    return problem.as_dict() | {"said": parts, "words": {name: as_plain(value) for name, value in words.items()}}


def problem_of(stored: Mapping[str, Any]) -> Problem:
    """Return the problem that `as_stored` was given."""
    said, details = stored["said"], {name: from_plain(value) for name, value in stored["words"].items()}
    fault = Fault(stored["code"], said["text"], said["remedy"], stored["severity"])
    place = Place(stored["source"], stored["line"], stored["row"], stored["column"])
    return Problem(fault, place, details.pop("found"), details.pop("expected"), details)  # type: ignore[arg-type]


def waiting_rows(study: Study, table: str, wave: str | None, part: str = "") -> tuple[WaitingRow, ...]:
    """Return the rows of a table, wave and part that are in quarantine."""
    with Store.of(study).reading() as connection:
        if connection is None or not stored_columns(connection, "quarantine"):
            return ()
        return _rows(connection, table, wave or "", part, study.library)


def _rows(connection: DuckDBPyConnection, table: str, wave: str, part: str, library: Library) -> tuple[WaitingRow, ...]:
    query = """SELECT import_id, row, institution_id, "key", reasons, cells FROM quarantine
        WHERE table_name = ? AND wave = ? ORDER BY import_id, row"""
    known = {one.import_id: one for one in imports.imports(ledger.entries(connection))}
    found = [row for row in connection.execute(query, [table, wave]).fetchall() if known[row[0]].body.part == part]
    columns = {row[0]: json.loads(row[5]) for row in found}  # of every import, those of one of its rows
    names = {number: _names_in_file(known[number].mapping, wave, of, library) for number, of in columns.items()}
    return tuple(
        WaitingRow(known[number].file, row, institution, unit, tuple(map(problem_of, json.loads(reasons))), *names[number])
        for number, row, institution, unit, reasons, _ in found
    )


def _names_in_file(
    mapping: MappingFile, wave: str, columns: Collection[str], library: Library
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return what a mapping says our columns, and our values, are called in the file."""
    read = unfolded(mapping, wave, columns, library)
    labels = {part: {value: label for label, value in pairs.items() if value} for part, pairs in read.recode.items()}
    return {ours: theirs for theirs, ours in read.renames(library).items()}, labels
