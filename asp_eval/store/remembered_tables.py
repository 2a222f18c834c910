"""Columns, digests and the ledger of an open database, remembered until they are written to.

One verb needs them several times: to verify what it reads, to say what its results were computed from, and to seal what it
stored. While a connection of `asp_eval.store.connection` is open nobody else can write, and what is written through it goes
through `asp_eval.store.layout.change`, which forgets what is remembered of that table.

A process that gives several verbs opens the database several times. What was remembered when it closed it is remembered still
when it opens the same file, unchanged: of the same size, and written at the same nanosecond. The digest of a table that it wrote
to is that of the transaction, as it was sealed; other processes, and an audit, read the table for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
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

    def copy(self) -> RememberedTables:
        """Return what is remembered of the tables that there are."""
        there = {name: {**columns} for name, columns in self.columns.items() if columns}
        return RememberedTables([], there, {name: digest for name, digest in self.digests.items() if name in there})


Stamp = tuple[tuple[int, int, int] | None, ...]
"""Number, size and time of writing of the database's files, None for one that is not there."""

_remembered: WeakKeyDictionary[DuckDBPyConnection, RememberedTables] = WeakKeyDictionary()
_closed: dict[Path, tuple[Stamp, RememberedTables]] = {}  # of databases this process has closed


def remember_tables(connection: DuckDBPyConnection, path: Path) -> None:
    """Remember what is read of tables through a connection from now on, and what is known of the file as it is."""
    stamp, known = _closed.get(path, ((), RememberedTables()))
    _remembered[connection] = known.copy() if stamp == _stamp_of(path) else RememberedTables()


def keep_remembered(connection: DuckDBPyConnection, path: Path) -> None:
    """Keep what is remembered of a database for the next connection to it, if its files are then as they are now."""
    _closed[path] = (_stamp_of(path), remembered_tables(connection).copy())


def _stamp_of(path: Path) -> Stamp:
    """Return what tells a database's files from what they are once someone has written into them."""
    return tuple(_stamp_of_file(each) for each in (path, path.with_name(f"{path.name}.wal")))


def _stamp_of_file(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def remembered_tables(connection: DuckDBPyConnection) -> RememberedTables:
    """Return what is remembered, to be added to; of a connection that remembers nothing, a new value that nobody keeps."""
    return _remembered.get(connection) or RememberedTables()


def forget_digests(connection: DuckDBPyConnection) -> None:
    """Forget the digest of every table, for whoever verifies them whatever was verified before."""
    remembered_tables(connection).digests.clear()


def forget_table(connection: DuckDBPyConnection, name: str, *, columns: bool) -> None:
    """Forget the digest of a table that is written to; where a statement makes, alters or removes it, its columns too."""
    known = remembered_tables(connection)
    known.digests.pop(name, None)
    if columns:
        known.columns.pop(name, None)


def remember_name(connection: DuckDBPyConnection, name: str, *, there: bool) -> None:
    """Remember that a table was made, or removed, if it is known which there are."""
    names = remembered_tables(connection).names
    if names:
        names[:] = [*(other for other in names if other != name), *([name] if there else [])]
