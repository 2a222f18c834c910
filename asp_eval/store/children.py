"""The table of children, derived from what every import said of them: the first report in the order of the waves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from asp_eval.intake.checks.context import PART, REPORTS, no_reports
from asp_eval.intake.table import Table
from asp_eval.store.layout import change, ensure, fetch, insert, quoted, sql_columns, stored_columns
from asp_eval.store.parts import merged, of, of_part, part_column
from asp_eval.trial.tables.schema import TableSchema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KEY = ("child_id", "wave")
REGISTER = ""  # the wave under which the register of children at the draw is kept
_PLACES = ("child_id", "wave", "institution_id", "rater_id")


def write_reports(connection: DuckDBPyConnection, table: Table, waves: Sequence[str], *, add: bool = False) -> None:
    """Replace, or add to, what files of a table's wave said of children, and derive the children again."""
    part = table.schema.part
    ensure(connection, "child_reports", report_columns(table.schema) | part_column(part))
    if not add:
        replaced = f"wave = ? AND {of_part(connection, 'child_reports', part)}"
        change(connection, "child_reports", f"DELETE FROM child_reports WHERE {replaced}", [table.wave or REGISTER])
    insert(connection, "child_reports", of(reports_of(table), part))
    derive(connection, waves)


def reports_of(table: Table) -> pd.DataFrame:
    """Return what a table says of children, also of those who were not rated."""
    said = table.checked[[name for name in report_columns(table.schema) if name in table.checked]]
    return said.assign(wave=pd.Series(table.wave or REGISTER, index=said.index, dtype="string"))


def report_columns(schema: TableSchema) -> dict[str, str]:
    """Return the columns of reports, with their SQL types."""
    said = sql_columns(field for field in schema.base if field.name in schema.child_columns)
    return dict.fromkeys(_PLACES, "VARCHAR") | said


def derive(connection: DuckDBPyConnection, waves: Sequence[str]) -> None:
    """Make the table of children from the reports.

    The institution is that of the first report, which is where the child was at the draw; of everything else the first
    that is known counts. Children of the register count from the first wave.
    """
    there = stored_columns(connection, "child_reports")
    said = [name for name in there if name not in (*_PLACES, PART)]
    place = "coalesce(list_position($waves, wave), 0)"
    order = f"{place}, {PART}" if PART in there else place
    firsts = [f"first({quoted(n)} ORDER BY {order}) FILTER (WHERE {quoted(n)} IS NOT NULL) AS {quoted(n)}" for n in said]
    columns = [
        "child_id",
        f"first(institution_id ORDER BY {order}) AS institution_id",
        f"list_extract($waves, greatest(min({place}), 1)) AS first_wave",
        *firsts,
    ]
    change(connection, "children", "DROP TABLE IF EXISTS children")
    change(
        connection,
        "children",
        f"CREATE TABLE children AS SELECT {', '.join(columns)} FROM child_reports"
        f" WHERE wave = '{REGISTER}' OR list_contains($waves, wave) GROUP BY child_id ORDER BY child_id",
        {"waves": list(waves)},
    )


def known_reports(connection: DuckDBPyConnection, waves: Sequence[str], but: str) -> pd.DataFrame:
    """Return what files of other waves than `but` said of children, in the order of the waves."""
    there = stored_columns(connection, "child_reports")
    if not there:
        return no_reports()
    columns = ", ".join(name for name in REPORTS if name in there)
    reports = merged(connection, "child_reports", KEY)
    query = f"SELECT {columns} FROM ({reports}) WHERE wave <> ? AND list_contains(?, wave)"
    frame = fetch(connection, query, [but, [REGISTER, *waves]])
    position = {wave: place for place, wave in enumerate([REGISTER, *waves])}
    return frame.iloc[frame["wave"].map(position).argsort(kind="stable")].reset_index(drop=True)
