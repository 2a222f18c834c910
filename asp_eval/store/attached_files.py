"""The one DuckDB of this process, to which the file of a study is attached while it is open.

To make a DuckDB takes fifteen times as long as to attach a file to one that is there, and a verb opens its file several times.
A file is locked against other processes from when it is attached until it is detached, as if it were opened by itself.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class InUse(Exception):
    """The file is attached to be read, and is to be written, or the other way round."""


@dataclass(frozen=True, slots=True, eq=False)
class _Attached:
    """A file, the name it is attached under, and whether it can be read alone."""

    path: Path
    name: str
    read_only: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Engine:
    """A DuckDB without a file of its own, and the connections that are open with the file of each."""

    duckdb: DuckDBPyConnection
    open: dict[DuckDBPyConnection, _Attached] = field(default_factory=dict)


_lock = threading.RLock()
_numbers = count(1)
_engines: dict[int, _Engine] = {}  # by process: one that was forked off cannot use its parent's


def open_file(path: Path, *, read_only: bool) -> DuckDBPyConnection:
    """Return a connection whose database is a file, which is made if it is not there and may be written.

    Raises
    ------
    InUse
        If another thread has it open in the other way.
    duckdb.Error
        As `duckdb.connect` does.
    """
    with _lock:
        engine, path = _engine(), path.absolute()
        there = next((one for one in engine.open.values() if one.path == path), None)
        if there is None:
            there = _Attached(path, f"study_{next(_numbers)}", read_only)
            escaped = str(path).replace("'", "''")
            engine.duckdb.execute(f"ATTACH '{escaped}' AS {there.name} ({'READ_ONLY' if read_only else 'READ_WRITE'})")
        elif there.read_only != read_only:
            raise InUse(str(path))
        connection = engine.duckdb.cursor()
        engine.open[connection] = there
        try:
            connection.execute(f"USE {there.name}")
        except BaseException:  # Ctrl-C too: a file that stays attached could be opened by nobody
            close_file(connection)
            raise
        return connection


def close_file(connection: DuckDBPyConnection) -> None:
    """Close a connection, which takes back its transaction if that is not committed; detach its file after the last one."""
    with _lock:
        connection.close()
        engine = _engine()
        there = engine.open.pop(connection, None)
        if there is None or there in engine.open.values():
            return
        try:
            engine.duckdb.execute(f"DETACH {there.name}")
        except Exception:  # after an error of the disk a DuckDB refuses everything: the next file is opened in another
            _engines.pop(os.getpid())
            with contextlib.suppress(Exception):
                engine.duckdb.close()


def _engine() -> _Engine:
    import duckdb

    process = os.getpid()
    if process not in _engines:
        _engines[process] = _Engine(duckdb.connect(config={"threads": 1}))  # another thread's query Ctrl-C would not stop
    return _engines[process]
