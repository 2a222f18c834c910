"""Putting a validated table into the store. Every function works inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.intake.table import Table
from asp_eval.store.children import write_reports
from asp_eval.store.layout import change, ensure, fetch, insert, items_table, quoted, sql_columns, stored_columns, stored_tables
from asp_eval.store.parts import institutions_of_other_parts, of, of_part, part_column
from asp_eval.trial.tables.schema import LISTS, TableSchema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

STILL_USED = Fault(
    "STO-010",
    "the new list lacks an institution that the study has data of",
    "Put it back into the list; an institution that left the trial stays in it.",
)
OTHER_ARM = Fault(
    "STO-011",
    "institution {institution!r} already has another arm",
    "An allocation is added to, never changed. If the first one was a mistake, move study.duckdb away and import again.",
)


def write_table(connection: DuckDBPyConnection, table: Table, waves: Sequence[str], *, add: bool = False) -> dict[str, str]:
    """Store a table in place of what stood for it and its wave; the allocation is only ever added to.

    Parameters
    ----------
    connection : DuckDBPyConnection
    table : Table
        One without `contradictions`.
    waves : sequence of str
        The study's waves, in order.
    add : bool
        Add the rows to what stands, for a correction.

    Returns
    -------
    dict
        The arms that were added to the allocation, by institution.

    Raises
    ------
    DataProblems
        If the allocation contradicts what is stored.
    """
    match table.name:
        case "institutions" | "staff" | "interviews" | "implementation" | "goals" | "excerpts":
            _write_list(connection, table, add=add)
        case "allocation":
            return add_allocation(connection, table.schema, table.checked, table.source)
        case "children":
            write_reports(connection, table, waves, add=add)
        case _:
            _write_answers(connection, table, add=add)
            if table.name == "screening":
                write_reports(connection, table, waves, add=add)
    return {}


def contradictions(connection: DuckDBPyConnection, table: Table) -> list[Problem]:
    """Return where a list of institutions or an allocation contradicts what is stored."""
    match table.name:
        case "institutions":
            kept = set(table.checked["institution_id"]) | institutions_of_other_parts(connection, table.schema.part)
            lost = sorted(_used_institutions(connection) - kept)
            return [STILL_USED.at(Place(table.source, column="institution_id"), found=name) for name in lost]
        case "allocation":
            return _other_arms(connection, table.checked, table.source)
        case _:
            return []


def add_allocation(connection: DuckDBPyConnection, schema: TableSchema, frame: pd.DataFrame, source: str) -> dict[str, str]:
    """Add the institutions that have no arm yet; return their arms.

    Raises
    ------
    DataProblems
        STO-011 for every institution that has another arm.
    """
    ensure(connection, "allocation", sql_columns(schema.fields))
    problems = _other_arms(connection, frame, source)
    if problems:
        raise DataProblems(problems)
    added = frame[_arms_before(connection, frame).isna()]
    insert(connection, "allocation", added)
    return {str(row.institution_id): str(row.arm) for row in added.itertuples()}


def replace_allocation(connection: DuckDBPyConnection, schema: TableSchema, frame: pd.DataFrame) -> dict[str, str]:
    """Put an allocation in the place of the one that was there; return its arms."""
    change(connection, "allocation", "DROP TABLE IF EXISTS allocation")
    return add_allocation(connection, schema, frame, "allocation")


def replace_scores(connection: DuckDBPyConnection, schema: TableSchema, frame: pd.DataFrame) -> None:
    """Store scores in place of all that were there."""
    ensure(connection, "scores", sql_columns(schema.fields))
    change(connection, "scores", "DELETE FROM scores")
    insert(connection, "scores", frame)


def _arms_before(connection: DuckDBPyConnection, frame: pd.DataFrame) -> pd.Series[str]:
    """Return the arm that each row's institution has already; missing if it has none."""
    if not stored_columns(connection, "allocation"):
        return pd.Series(pd.NA, index=frame.index, dtype="string")
    stored = fetch(connection, "SELECT institution_id, arm FROM allocation").set_index("institution_id")["arm"]
    return frame["institution_id"].map(stored)


def _other_arms(connection: DuckDBPyConnection, frame: pd.DataFrame, source: str) -> list[Problem]:
    before = _arms_before(connection, frame)
    rows = frame.assign(before=before)[(before.notna() & (before != frame["arm"])).to_numpy(dtype=bool)]
    return [
        OTHER_ARM.at(Place(source, column="arm"), found=row.arm, expected=row.before, institution=row.institution_id)
        for row in rows.itertuples()
    ]


def _write_list(connection: DuckDBPyConnection, table: Table, *, add: bool) -> None:
    part = table.schema.part
    if not add and not part:
        change(connection, table.name, f"DROP TABLE IF EXISTS {table.name}")
    ensure(connection, table.name, sql_columns(table.schema.fields) | part_column(part))
    if not add and part:
        change(connection, table.name, f"DELETE FROM {table.name} WHERE {of_part(connection, table.name, part)}")
    insert(connection, table.name, of(table.checked, part))


def _used_institutions(connection: DuckDBPyConnection) -> set[str]:
    """Return the institutions that other tables name."""
    tables = ("allocation", "child_reports", "screening", "staff_survey", *LISTS)
    names = [name for name in tables if stored_columns(connection, name)]
    found = [fetch(connection, f"SELECT DISTINCT institution_id FROM {name}")["institution_id"] for name in names]
    return {institution for column in found for institution in column}


def _write_answers(connection: DuckDBPyConnection, table: Table, *, add: bool) -> None:
    """Store visits and answers of a wave. Scores of what was there are no longer right, and go."""
    schema, part = table.schema, table.schema.part
    frame, column = of(table.checked, part), part_column(part)
    base = [field for field in schema.base if field.name not in schema.child_columns]
    ensure(connection, table.name, sql_columns(base) | column)
    for form in schema.forms:
        ensure(connection, items_table(table.name, form), item_columns(schema, form) | column)
    for name in () if add else _stored_of(connection, table.name):
        replaced = f"wave = ? AND {of_part(connection, name, part)}"
        change(connection, name, f"DELETE FROM {quoted(name)} WHERE {replaced}", [table.wave])
    insert(connection, table.name, frame[[*(field.name for field in base), *column]], table.answered)
    for form in schema.forms:
        items = [name for name in schema.items(form) if name in frame]
        if items:
            names = [name for name in (*item_columns(schema, form), *column) if name in frame]
            answered = frame[items].notna().any(axis=1).to_numpy(dtype=bool)
            insert(connection, items_table(table.name, form), frame[names], answered)
    change(connection, "scores", "DROP TABLE IF EXISTS scores")


def item_columns(schema: TableSchema, form: str) -> dict[str, str]:
    """Return the columns of an instrument's table: who, when, where, by whom, and the items."""
    kept = (*schema.key, "institution_id", "rater_id", "date")
    fields = [field for field in schema.fields if field.name in kept or field.form == form]
    return sql_columns(fields)


def _stored_of(connection: DuckDBPyConnection, name: str) -> Iterable[str]:
    """Return the visits and items tables that belong to a table."""
    return [stored for stored in stored_tables(connection) if stored == name or stored.startswith(f"{name}_")]
