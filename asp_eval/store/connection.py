"""Opening the study's DuckDB file: once per verb, for as short as can be, waiting briefly for whoever holds it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LOCKED = Fault(
    "STO-001", "another process is using the study's data: {holder}",
    "Wait until it has finished, or close it; then give the command again.",
)  # fmt: skip
DAMAGED = Fault(
    "STO-002", "study.duckdb is damaged, is of another version, or is not a database",
    "Move it out of the folder, and output/ledger.csv and output/allocation.csv with it. Then import again, from data/ and in "
    "their order, the files that ledger.csv lists and does not mark as superseded; a lot that was drawn here is drawn again "
    "after the institutions, with the seed in allocation.csv.",
)  # fmt: skip

PATIENCE = 5.0  # seconds a second process waits for the first
FIRST_WAIT = 0.02  # seconds, doubled up to half a second
LONGEST_WAIT = 0.5
_HELD = ("lock", "used by another process", "different configuration")


@dataclass(frozen=True, slots=True)
class Store:
    """The data of a study: ``study.duckdb`` in its folder.

    Attributes
    ----------
    folder : Path
        The study folder.
    patience : float
        Seconds to wait for another process.
    """

    folder: Path
    patience: float = PATIENCE

    @property
    def path(self) -> Path:
        """The database file."""
        return self.folder / "study.duckdb"

    @contextmanager
    def reading(self) -> Iterator[DuckDBPyConnection | None]:
        """Open the database to read; None if nothing has been stored yet."""
        if not self.path.is_file():
            yield None
            return
        connection = self._open(read_only=True)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def writing(self) -> Iterator[DuckDBPyConnection]:
        """Open the database for one transaction: all of it is stored, or, after any error, nothing."""
        _sweep(self.folder)
        if not self.path.is_file():
            self._create()
        connection = self._open(read_only=False)
        try:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        finally:  # a connection that is closed inside a transaction takes it back
            connection.close()

    def _create(self) -> None:
        """Put an empty database in place in one step, so that a half-made one is never there."""
        import duckdb

        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".study.duckdb.{os.getpid()}.part"
        part.unlink(missing_ok=True)
        duckdb.connect(str(part)).close()
        try:
            os.link(part, self.path)
        except FileExistsError:  # another process was first
            pass
        except OSError:  # a disk without hard links
            part.replace(self.path)
        part.unlink(missing_ok=True)

    def _open(self, *, read_only: bool) -> DuckDBPyConnection:
        import duckdb

        deadline, wait = time.monotonic() + self.patience, FIRST_WAIT
        while True:
            try:
                return duckdb.connect(str(self.path), read_only=read_only)
            except (duckdb.IOException, duckdb.ConnectionException) as error:
                text = str(error)
                if not any(sign in text for sign in _HELD):
                    DAMAGED.refuse(str(self.path))
                if time.monotonic() > deadline:
                    LOCKED.refuse(str(self.path), holder=_holder(text))
            except duckdb.Error:
                DAMAGED.refuse(str(self.path))
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)


def _sweep(folder: Path) -> None:
    """Remove the empty databases that killed processes could not put in place."""
    for part in folder.glob(".study.duckdb.*.part"):
        number = part.name.split(".")[-2]
        if number.isdigit() and not _is_running(int(number)):
            with contextlib.suppress(OSError):  # another process removed it meanwhile
                part.unlink()


def _is_running(process: int) -> bool:
    """Whether a process with this number runs; on Windows, where asking would end it, any may."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # somebody else's; no number of a process
        return True
    return True


def _holder(text: str) -> str:
    """Return who holds the database, as far as the system says."""
    found = re.search(r"held in (\S+) \(PID (\d+)\)", text)
    if found is None:
        return Phrase("a process that the system does not name")
    return Phrase("{program}, process {number}", program=Path(found[1]).name, number=found[2])
