"""A file that is one part of a wave, or of a table, against the other parts: what it says of a unit that they have too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.phrases import all_of, any_of
from asp_eval.intake.checks.context import PART, OtherParts
from asp_eval.intake.checks.findings import Finding
from asp_eval.intake.mapping.applying import MappedTable
from asp_eval.trial.tables.schema import BY_WAVE, TableSchema

IN_TWO_PARTS = Fault(
    "SCR-232",
    "the same {unit} stands in the part {part} of this table",
    "Take the row out of the file that it does not belong to, and import that file again.",
)
ANSWERED_TWICE = Fault(
    "SCR-233",
    "the part {part} has answers of this {unit} to {form} already",
    "Take the row, or its answers, out of the file that they do not belong to; or see whether one of the two ids is mistyped.",
)
CONTRADICTED = Fault(
    "SCR-234",
    "the part {part} says otherwise of this {unit}",
    "Correct the file that is wrong; or one of the two has a mistyped id.",
)
OTHER_RATER = Fault(
    "SCR-235",
    "the child has another rater in the part {part}",
    "Each questionnaire keeps its own; where one is wanted, that of the part first in the alphabet counts.",
    "warning",
)
APART = ("wave", "date", "rater_id")  # what may differ where the questionnaires of one wave were filled in one by one
ONE_PART = ("institutions", "staff", "interviews", "implementation", "goals", "excerpts")  # of whose units no two parts have one


def against_other_parts(raw: MappedTable, frame: pd.DataFrame, schema: TableSchema, others: OtherParts) -> Iterator[Finding]:
    """Yield the rows whose unit another part has too, where that is not allowed, or where the two do not agree.

    A child, or a member of staff who answers, may stand in several parts of a wave, if no two have answers to the same
    questionnaire, in whichever of its forms, and all say the same of everything else. Days and raters may differ.

    Parameters
    ----------
    raw : MappedTable
        For the places.
    frame : DataFrame
        Values of its columns, one row per row of `raw`.
    schema : TableSchema
    others : OtherParts
    """
    compared = {*schema.key, *APART}
    for rows in others.rows:
        if schema.name in ONE_PART:
            yield _in_two_parts(raw, frame, schema, rows)
            continue
        for column in (name for name in rows.columns if name in frame and name not in compared):
            yield _different(raw, frame, schema, rows, column, CONTRADICTED)
        compared.update(rows.columns)
        if schema.name == "screening" and "rater_id" in frame and "date" in rows:  # visits, not what is said of the child
            yield _different(raw, frame, schema, rows, "rater_id", OTHER_RATER)
    if schema.name in BY_WAVE:
        yield from _answered_twice(raw, frame, schema, others)


def _in_two_parts(raw: MappedTable, frame: pd.DataFrame, schema: TableSchema, rows: pd.DataFrame) -> Finding:
    keys, unit = list(schema.key), schema.key[0]
    known = dict(zip(rows[keys].itertuples(index=False, name=None), rows[PART], strict=True))
    parts = [known.get(key) for key in frame[keys].itertuples(index=False, name=None)]

    def problem(row: int) -> Problem:
        found = ", ".join(str(frame[key].iloc[row]) for key in keys)
        return IN_TWO_PARTS.at(raw.place(row, unit), found=found, unit=all_of(keys), part=str(parts[row]))

    return Finding.of(IN_TWO_PARTS, unit, np.array([part is not None for part in parts], dtype=np.bool_), problem)


def _different(
    raw: MappedTable, frame: pd.DataFrame, schema: TableSchema, rows: pd.DataFrame, column: str, fault: Fault
) -> Finding:
    """Find the rows whose value differs from that in another part, where both have one."""
    unit = schema.key[0]
    said = rows.dropna(subset=[column]).drop_duplicates(unit).set_index(unit)
    now, before, parts = frame[column], frame[unit].map(said[column]), frame[unit].map(said[PART])
    differs = (now.notna() & before.notna() & (now != before).fillna(False)).to_numpy(dtype=bool)

    def problem(row: int) -> Problem:
        expected = str(before.iloc[row])
        return fault.at(raw.place(row, column), found=str(now.iloc[row]), expected=expected, unit=unit, part=str(parts.iloc[row]))

    return Finding.of(fault, column, differs, problem)


def _answered_twice(raw: MappedTable, frame: pd.DataFrame, schema: TableSchema, others: OtherParts) -> Iterator[Finding]:
    unit = schema.key[0]
    for group, known in others.answered.items():
        items = [name for form in group for name in schema.items(form) if name in frame]
        if not items or not known:
            continue
        parts = frame[unit].map(known)
        twice = parts.notna().to_numpy(dtype=bool) & frame[items].notna().any(axis=1).to_numpy(dtype=bool)
        yield Finding.of(ANSWERED_TWICE, unit, twice, partial(_twice, raw, frame[unit], parts, group))


def _twice(raw: MappedTable, units: pd.Series[str], parts: pd.Series[str], forms: Sequence[str], row: int) -> Problem:
    place, unit = raw.place(row, str(units.name)), str(units.name)
    return ANSWERED_TWICE.at(place, found=str(units.iloc[row]), part=str(parts.iloc[row]), unit=unit, form=any_of(forms))
