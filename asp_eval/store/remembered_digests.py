"""Digests of the tables of an open database, each remembered until its table is written to.

One verb needs them several times: to verify what it reads, to say what its results were computed from, and to seal what it
stored. While a connection of `asp_eval.store.connection` is open nobody else can write, and what is written through it goes
through `asp_eval.store.layout.change`, which forgets the digest of that table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_digests: WeakKeyDictionary[DuckDBPyConnection, dict[str, str]] = WeakKeyDictionary()


def remember_digests(connection: DuckDBPyConnection) -> None:
    """Remember the digests of the tables that are read through a connection from now on."""
    _digests[connection] = {}


def remembered_digests(connection: DuckDBPyConnection) -> dict[str, str]:
    """Return the digests by table, to be read and added to; of any other connection an empty dictionary that nobody keeps."""
    return _digests.get(connection, {})


def forget_digest(connection: DuckDBPyConnection, name: str) -> None:
    """Forget the digest of a table that is written to."""
    remembered_digests(connection).pop(name, None)
