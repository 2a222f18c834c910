"""Files that are attached to the one DuckDB of a process: locked as files that are opened by themselves are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from asp_eval.store import attached_files
from asp_eval.store.attached_files import InUse, close_file, open_file

ELSEWHERE = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('CREATE TABLE t (x INTEGER)')"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with one row; its name has a quote in it."""
    path = tmp_path / "it's.duckdb"
    connection = open_file(path, read_only=False)
    connection.execute("CREATE TABLE kept (x INTEGER); INSERT INTO kept VALUES (3)")
    close_file(connection)
    return path


def rows(connection: duckdb.DuckDBPyConnection) -> list[tuple[int]]:
    return connection.execute("SELECT x FROM kept").fetchall()


def in_another_process(path: Path) -> str:
    return subprocess.run([sys.executable, "-c", ELSEWHERE, str(path)], capture_output=True, text=True, check=False).stderr


def test_what_is_written_is_in_the_file_when_it_is_closed(file):
    assert [path.name for path in file.parent.iterdir()] == [file.name]  # no log is left beside it
    with duckdb.connect(str(file), read_only=True) as other:
        assert rows(other) == [(3,)]


def test_no_other_process_gets_a_file_that_is_open_and_every_one_when_it_is_closed(file):
    connection = open_file(file, read_only=True)
    assert "Could not set lock" in in_another_process(file)
    close_file(connection)
    assert in_another_process(file) == ""


def test_two_may_read_and_only_the_last_gives_it_back(file):
    one, two = open_file(file, read_only=True), open_file(file, read_only=True)
    with pytest.raises(InUse):
        open_file(file, read_only=False)
    close_file(one)
    assert rows(two) == [(3,)]
    assert "Could not set lock" in in_another_process(file)
    close_file(two)
    assert in_another_process(file) == ""


def test_two_files_are_two_databases(file, tmp_path):
    other = tmp_path / "other.duckdb"
    close_file(open_file(other, read_only=False))
    one, two = open_file(file, read_only=True), open_file(other, read_only=True)
    assert rows(one) == [(3,)]
    with pytest.raises(duckdb.CatalogException):
        rows(two)
    close_file(one)
    close_file(two)


def test_what_is_not_committed_is_taken_back(file):
    connection = open_file(file, read_only=False)
    connection.execute("BEGIN; DELETE FROM kept")
    close_file(connection)
    connection = open_file(file, read_only=True)
    assert rows(connection) == [(3,)]
    close_file(connection)


def test_after_a_duckdb_that_refuses_everything_the_next_file_is_opened_in_another(file):
    broken = open_file(file, read_only=True)
    attached_files._engine().duckdb.close()
    close_file(broken)
    connection = open_file(file, read_only=True)
    assert rows(connection) == [(3,)]
    close_file(connection)


def test_what_is_broken_off_while_it_is_opened_leaves_nothing_attached(file, monkeypatch):
    class Interrupted:
        """A DuckDB of which Ctrl-C stops the connections that are asked of it."""

        def __init__(self, real: duckdb.DuckDBPyConnection) -> None:
            self.real = real

        def execute(self, query: str) -> object:
            if query.startswith("USE"):
                raise KeyboardInterrupt
            return self.real.execute(query)

        def cursor(self) -> Interrupted:
            return self

        def close(self) -> None:
            """Nothing is to be closed."""

    stopped = Interrupted(attached_files._engine().duckdb)
    with monkeypatch.context() as patched:
        patched.setitem(attached_files._engines, os.getpid(), attached_files._Engine(stopped))
        with pytest.raises(KeyboardInterrupt):
            open_file(file, read_only=True)
    assert in_another_process(file) == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no process is forked off here")
def test_a_process_that_is_forked_off_has_its_own(file, monkeypatch):
    connection = open_file(file, read_only=True)
    close_file(connection)
    before = attached_files._engine()
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as the child does; a real one would leave the tests' own state behind
    other = open_file(file, read_only=True)
    assert attached_files._engine() is not before
    assert rows(other) == [(3,)]
    close_file(other)
    attached_files._engines.pop(-1).duckdb.close()
