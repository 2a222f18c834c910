"""From a file under our names to a `Table`, or to everything that is wrong with it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import numpy as np
import pandas as pd

from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.trial.screening.columns import shorten
from asp_eval.trial.screening.fields import Field
from asp_eval.trial.screening.known import Known
from asp_eval.trial.screening.raw import RawTable, TextColumn, positions
from asp_eval.trial.screening.rules import broken_rules
from asp_eval.trial.screening.schema import TableSchema
from asp_eval.trial.screening.table import VALIDATED, Table
from asp_eval.trial.screening.values import KINDS, Marks, convert, date_order, decimal_mark, expected, typed
from asp_eval.trial.study.design import Study

UNKNOWN_COLUMN = Fault(
    "SCR-040", "the column is unknown",
    "{advice}Say in the mapping, a file FILE.mapping.yaml beside FILE, what it is ('rename: {{COLUMN: OURS}}') "
    "or that it is left out ('ignore: [COLUMN]'); or declare it in study.yaml ('columns').",
)  # fmt: skip
MISSING_COLUMN = Fault(
    "SCR-041", "the column is missing",
    "{advice}Export it, or rename another column to it in the mapping ('rename: {{COLUMN: OURS}}'); if it was not collected, "
    "say so there: 'constants: {{OURS: null}}'.",
)  # fmt: skip
NO_VALUE = Fault("SCR-045", "the cell is empty, and must not be", "Fill it in, or take the row out.")
SAME_KEY = Fault(
    "SCR-046", "the same {key} stands twice: {values} in row {first} and here",
    "Keep one of the rows; {advice}.",
)  # fmt: skip
UNSURE_DECIMAL = Fault(
    "SCR-048", "numbers such as {numbers} can be read in two ways: the decimal mark could be a comma or a point",
    "Say which in the mapping: 'format: {{decimal: \",\"}}'.",
)  # fmt: skip
UNSURE_DATES = Fault(
    "SCR-049", "dates in the file can be read in two ways: day or month could come first",
    "Say which in the mapping: 'format: {{dates: day-first}}'.",
)  # fmt: skip
NO_FORM = Fault(
    "SCR-062", "the file has no items of an instrument that study.yaml declares for it",
    "Rename its columns to INSTRUMENT.ITEM in the mapping; 'asp-eval instruments show INSTRUMENT' lists the items. "
    "If it was not used, take it out of 'collect' in study.yaml.",
)  # fmt: skip
NOT_THERE = Fault(
    "SCR-061", "a column that study.yaml declares is not in the file", "Check its name; it is stored empty.", severity="warning"
)


def validate(raw: RawTable, schema: TableSchema, *, study: Study | None = None, known: Known | None = None) -> Table:
    """Check a file against its schema and against what the study knows.

    Parameters
    ----------
    raw : RawTable
        Under our names (`applying.apply_mapping`).
    schema : TableSchema
    study : Study, optional
        Adds the waves' dates and the eligible ages.
    known : Known, optional
        Adds institutions, allocation and what earlier files said of the children; without it none of these is checked.

    Returns
    -------
    Table
        With the warnings it has.

    Raises
    ------
    DataProblems
        Every fault of the file, errors and warnings; at most 1,000 of a kind in a column.
    """
    raw = _at_wave(raw, schema)
    problems = [*raw.notes, *_column_problems(raw, schema)]
    marks, unsure = _marks(raw, schema)
    problems += unsure
    values: dict[str, pd.Series] = {}
    if not unsure:
        for field in schema.fields:
            if field.name in raw.columns:
                values[field.name], found = _checked(raw, field, marks)
                problems += found
            elif field.form is None:
                values[field.name] = typed([None] * len(raw), field)
        problems += _same_keys(raw, schema)
    frame = pd.DataFrame(values)
    if all(name in values for name in schema.key):
        problems += broken_rules(raw, frame, schema, study, known)
    problems = sorted(shorten(problems), key=lambda problem: problem.place.row or 0)
    if any(problem.severity == "error" for problem in problems):
        raise DataProblems(problems)
    return Table(
        schema=schema, source=raw.source, sha256=raw.sha256, checked=frame, rows=raw.rows.copy(),
        answered=_answered(frame, schema), rows_read=raw.rows_read, filtered=raw.filtered, collapsed=raw.collapsed,
        dialect=raw.dialect, warnings=tuple(problems), seal=VALIDATED,
    )  # fmt: skip


def _at_wave(raw: RawTable, schema: TableSchema) -> RawTable:
    """Add the wave that the file is for, if it has no column for it."""
    if schema.wave is None or "wave" in raw.columns:
        return raw
    return raw.with_columns({**raw.columns, "wave": TextColumn.constant(schema.wave, len(raw))})


def _column_problems(raw: RawTable, schema: TableSchema) -> Iterator[Problem]:
    """Columns that are unknown, missing, or declared and not there."""
    there, names = set(raw.columns), set(schema.names)
    for name in raw.columns:
        if name not in names:
            yield UNKNOWN_COLUMN.at(raw.place(column=name), advice=_near(name, names - there))
    for field in schema.base:
        if field.name not in there:
            if field.required:
                yield MISSING_COLUMN.at(raw.place(column=field.name), advice=_near(field.name, there - names))
            elif field.name in schema.declared:
                yield NOT_THERE.at(raw.place(column=field.name))
    for group in schema.alternatives:
        present = [form for form in group if there.intersection(schema.items(form))]
        if not present:
            yield NO_FORM.at(raw.source, expected=" or ".join(group))
        for form in present:
            for name in schema.items(form):
                if name not in there:
                    yield MISSING_COLUMN.at(raw.place(column=name), advice=_near(name, there - names))


def _near(name: str, pool: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(pool), n=1)
    return f"Did you mean {near[0]!r}? " if near else ""


def _marks(raw: RawTable, schema: TableSchema) -> tuple[Marks, list[Problem]]:
    """Find how the file writes numbers and dates, in the columns that hold them."""
    there = [field for field in schema.fields if field.name in raw.columns]
    problems = []
    numbers = [text for field in there if field.numeric for text in raw.columns[field.name].texts]
    decimal = raw.dialect.decimal or decimal_mark(numbers, raw.dialect.delimiter)
    if decimal is None:
        shown = " and ".join(sorted({text for text in numbers if "," in text or "." in text})[:4])
        problems.append(UNSURE_DECIMAL.at(raw.source, expected="'.' or ','", numbers=shown))
    dates = raw.dialect.dates or date_order(t for field in there if field.kind == "date" for t in raw.columns[field.name].texts)
    if dates is None:
        names = ", ".join(field.name for field in there if field.kind == "date")
        problems.append(UNSURE_DATES.at(raw.place(column=names), expected="day-first or month-first"))
    return Marks(decimal or ".", dates or "iso"), problems


def _checked(raw: RawTable, field: Field, marks: Marks) -> tuple[pd.Series, list[Problem]]:
    """Return the values of a column and the faults of its cells."""
    column = raw.columns[field.name]
    converted = convert(column, field, marks)
    problems = [
        converted.faults[column.codes[row]].at(
            raw.place(row, field.name), found=column.cell(row), expected=expected(field), kind=KINDS[field.kind]
        )
        for row in positions(converted.faulty)
    ]
    if field.required:
        empty = converted.series.isna().to_numpy() & ~converted.faulty
        problems += [NO_VALUE.at(raw.place(row, field.name)) for row in positions(empty)]
    return converted.series, problems


def _same_keys(raw: RawTable, schema: TableSchema) -> Iterator[Problem]:
    """Rows whose key was met before, each naming the first row that has it."""
    names = [name for name in schema.key if name in raw.columns]
    if len(names) < len(schema.key):
        return
    keys = pd.DataFrame({name: pd.Series(raw.columns[name].cells()).str.strip() for name in names})
    again = keys.duplicated().to_numpy() & (keys != "").all(axis=1).to_numpy()
    if not again.any():
        return
    first = keys.groupby(names, sort=False).ngroup().to_numpy()
    rows_of = pd.Series(raw.rows).groupby(first).first().to_dict()
    for row in positions(again):
        values = ", ".join(keys.iloc[row])
        place = raw.place(row, names[0])
        yield SAME_KEY.at(
            place, key=" and ".join(schema.key), values=values, first=rows_of[first[row]], advice=_on_same_key(schema)
        )


def _on_same_key(schema: TableSchema) -> str:
    """Say where two rows with one key come from, for the unit of the table."""
    if schema.key == ("institution_id",):
        return "if the file has a row per child, say in the mapping 'one_row_per: institution_id'"
    return f"look whether one is another {schema.key[0].removesuffix('_id')}'s, with a mistyped id"


def _answered(frame: pd.DataFrame, schema: TableSchema) -> np.ndarray:
    items = [field.name for field in schema.fields if field.form and field.name in frame]
    if not items:
        return np.ones(len(frame), dtype=bool)
    return np.asarray(frame[items].notna().any(axis=1).to_numpy(dtype=bool))
