"""Columns and digests of the tables of an open database, remembered until a table is written to.

One verb needs them several times: to verify what it reads, to say what its results were computed from, and to seal what it
stored. While a connection of `asp_eval.store.connection` is open nobody else can write, and what is written through it goes
through `asp_eval.store.layout.change`, which forgets what is remembered of that table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class RememberedTables:
    """What was read of the tables, by table: its columns with their SQL types, and its digest."""

    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)


_remembered: WeakKeyDictionary[DuckDBPyConnection, RememberedTables] = WeakKeyDictionary()


def remember_tables(connection: DuckDBPyConnection) -> None:
    """Remember what is read of tables through a connection from now on."""
    _remembered[connection] = RememberedTables()


def remembered_tables(connection: DuckDBPyConnection) -> RememberedTables:
    """Return what is remembered, to be added to; of a connection that remembers nothing, a new value that nobody keeps."""
    return _remembered.get(connection) or RememberedTables()


def forget_table(connection: DuckDBPyConnection, name: str) -> None:
    """Forget what is remembered of a table that is written to."""
    known = remembered_tables(connection)
    known.columns.pop(name, None)
    known.digests.pop(name, None)
