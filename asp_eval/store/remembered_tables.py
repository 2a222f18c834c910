"""Columns, digests and the ledger of an open database, remembered until they are written to.

One verb needs them several times: to verify what it reads, to say what its results were computed from, and to seal what it
stored. While a connection of `asp_eval.store.connection` is open nobody else can write, and what is written through it goes
through `asp_eval.store.layout.change`, which forgets what is remembered of that table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class RememberedTables:
    """What was read: the names of the tables, of each its columns with their SQL types, and its digest; the ledger's rows."""

    names: list[str] = field(default_factory=list)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    ledger: list[tuple[Any, ...]] = field(default_factory=list)


_remembered: WeakKeyDictionary[DuckDBPyConnection, RememberedTables] = WeakKeyDictionary()


def remember_tables(connection: DuckDBPyConnection) -> None:
    """Remember what is read of tables through a connection from now on."""
    _remembered[connection] = RememberedTables()


def remembered_tables(connection: DuckDBPyConnection) -> RememberedTables:
    """Return what is remembered, to be added to; of a connection that remembers nothing, a new value that nobody keeps."""
    return _remembered.get(connection) or RememberedTables()


def forget_table(connection: DuckDBPyConnection, name: str, *, columns: bool) -> None:
    """Forget the digest of a table that is written to; where a statement makes, alters or removes tables, its columns too."""
    known = remembered_tables(connection)
    known.digests.pop(name, None)
    if columns:
        known.columns.pop(name, None)
        known.names.clear()
