"""Opening the study's DuckDB file: once per verb, for as short as can be, waiting briefly for whoever holds it.

What is read inside one ``with store.reading():`` is of one moment: whoever reads further in, in whatever module, gets the same
connection, and no other process can write meanwhile.

A transaction and the files that belong to it are of one piece, however the process ends. The files are written, hidden, before
the transaction is committed, with a list of what is to be done that names the transaction's last entry in the ledger; when that
is committed they are put in place (`asp_eval.core.file_sets`). Whoever opens the store next finishes what was decided, and takes
away what was not: while it holds the store, no other process can be between the two.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asp_eval.core.contained_paths import inside
from asp_eval.core.errors import AspError, Fault
from asp_eval.core.file_sets import NewFiles, finish_file_sets
from asp_eval.core.phrases import Phrase
from asp_eval.store import ledger
from asp_eval.store.attached_files import InUse, close_file, open_file
from asp_eval.store.ledger.seals import refuse_changed, study_of
from asp_eval.store.remembered_tables import keep_remembered, remember_tables
from asp_eval.trial.study.design import Study

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LOCKED = Fault(
    "STO-001",
    "another process is using the study's data: {holder}",
    "Wait until it has finished, or close it; then give the command again.",
)
DAMAGED = Fault(
    "STO-002",
    "study.duckdb is damaged, is of another version, or is not a database",
    "Move it out of the folder, and output/ledger.csv and output/allocation.csv with it. Then import again, from data/ and in "
    "their order, the files that ledger.csv lists and does not mark as superseded; a lot that was drawn here is drawn again "
    "after the institutions, with the seed in allocation.csv.",
)
NOT_WRITABLE = Fault(
    "STO-041",
    "the system does not let study.duckdb be opened: {reason}",
    "The data are not damaged. See that the disk is there, has room, and may be written to; then give the command again.",
)
OTHER_STUDY = Fault(
    "STO-042",
    "study.duckdb is that of the study {other!r}, and study.yaml declares another",
    "Put the study.duckdb of this study into the folder. If study.yaml was given another id, give it the old one back.",
)

PATIENCE = 5.0  # seconds a second process waits for the first
FIRST_WAIT = 0.02  # seconds, doubled up to half a second
LONGEST_WAIT = 0.5
_INTERRUPTED = "Query interrupted"  # what DuckDB makes of Ctrl-C
_HELD = ("lock", "used by another process", "different configuration")
_SYSTEM = re.compile(
    r"permission denied|access is denied|read-only(?: file system)?|no space left on device|not enough space|input/output error"
    r"|too many open files"
    r"|cannot allocate memory|disk quota",
    re.IGNORECASE,
)
_held: ContextVar[tuple[tuple[Path, DuckDBPyConnection], ...]] = ContextVar("held", default=())  # what is open further out


@dataclass(frozen=True, slots=True)
class Store:
    """The data of a study: ``study.duckdb`` in its folder.

    Attributes
    ----------
    folder : Path
        The study folder.
    patience : float
        Seconds to wait for another process.
    study_id : str
        Whose data they must be; if it is empty, anybody's.
    """

    folder: Path
    patience: float = PATIENCE
    study_id: str = ""

    @classmethod
    def of(cls, study: Study) -> Store:
        """Return the data of a study, which are refused (STO-042) if they are those of another."""
        return cls(study.folder, study_id=study.study.id)

    @property
    def path(self) -> Path:
        """The database file."""
        return self.folder / "study.duckdb"

    @contextmanager
    def reading(self) -> Iterator[DuckDBPyConnection | None]:
        """Open the database to read; None if nothing has been stored yet. Further in, it is the connection that is open."""
        if (there := dict(_held.get()).get(self.path)) is not None:
            yield there
            return
        if not self.path.is_file():
            self._finish_file_sets(lambda _: False)
            yield None
            return
        self._finish_writing_anew()
        connection = self._open(read_only=True)
        try:
            with self._held(connection):
                self._begin(connection)
                yield connection
                keep_remembered(connection, self.path)  # while nobody can write
        finally:
            close_file(connection)

    @contextmanager
    def writing(self, *files: NewFiles, anew: bool = False) -> Iterator[DuckDBPyConnection]:
        """Open the database for one transaction: all of it is stored, or, after any error, nothing.

        Parameters
        ----------
        *files : NewFiles
            Sets of files, in ``output`` or ``data``, that are written inside the block, and appear and go if, and only if, the
            transaction is committed.
        anew : bool
            Write the database anew afterwards, so that nothing of rows that were deleted is left in blocks of the file that are
            free. If the process is killed before, the next command does.

        Raises
        ------
        Refusal
            STO-040 if a table is not what was stored; nothing is then written on top of it.
        Breakdown
            FIL-003 if the transaction is committed and a file could not be put in its place; the next command does.
        """
        _sweep(self.folder)
        if not self.path.is_file():
            self._create()
        self._finish_writing_anew()
        connection = self._open(read_only=False)
        try:
            with self._held(connection):
                self._begin(connection)
                connection.execute("BEGIN")  # what is verified, and its digests, are of the transaction
                refuse_changed(connection, ledger.entries(connection))
                before = ledger.head(connection)
                yield connection
                if (after := ledger.head(connection)) != before:
                    for new in files:
                        new.wait_for(after)
                if anew:
                    self._to_write_anew.touch()
                connection.execute("COMMIT")
                for new in files:
                    new.put_in_place()
            with contextlib.suppress(Exception):  # what is committed stays so; a full disk is no reason to say otherwise
                connection.execute("CHECKPOINT")  # so that closing writes nothing more
            keep_remembered(connection, self.path)
        finally:  # a connection that is closed inside a transaction takes it back
            close_file(connection)
        if anew:
            self._write_anew()

    @property
    def output(self) -> Path:
        """Where files that belong to transactions are; a link that leads out of the study is refused."""
        return inside(self.folder, "output")

    @contextmanager
    def _held(self, connection: DuckDBPyConnection) -> Iterator[None]:
        remember_tables(connection, self.path)
        token = _held.set((*_held.get(), (self.path, connection)))
        try:
            yield
        except RuntimeError as error:
            if str(error) == _INTERRUPTED:
                raise KeyboardInterrupt from error
            raise
        finally:
            _held.reset(token)

    def _begin(self, connection: DuckDBPyConnection) -> None:
        """Refuse the data of another study, and finish what a killed process could not."""
        chain = ledger.entries(connection)
        first = study_of(chain)
        if first and self.study_id and first != self.study_id:
            OTHER_STUDY.refuse(str(self.path), found=first, expected=self.study_id, other=first)
        digests = {entry.digest for entry in chain}
        self._finish_file_sets(digests.__contains__)

    def _finish_file_sets(self, counts: Callable[[str], bool]) -> None:
        for folder in (self.output, self.folder / "data"):
            finish_file_sets(folder, counts)

    @property
    def _to_write_anew(self) -> Path:
        """A file that is there while the database is still to be written anew."""
        return self.folder / ".study.duckdb.to-write-anew"

    def _finish_writing_anew(self) -> None:
        """Write the database anew if a killed process could not; what hinders it now hinders nobody, and the next tries again."""
        if self._to_write_anew.exists():
            with contextlib.suppress(AspError, OSError):
                self._write_anew()

    def _write_anew(self) -> None:
        part = self.folder / f".study.duckdb.{os.getpid()}.part"
        part.unlink(missing_ok=True)
        connection = self._open(read_only=False)
        try:
            connection.execute("CHECKPOINT")
            ((name,),) = connection.execute("SELECT current_database()").fetchall()
            connection.execute(f"ATTACH '{str(part).replace(chr(39), chr(39) * 2)}' AS fresh")
            connection.execute(f'COPY FROM DATABASE "{name}" TO fresh')
            connection.execute("DETACH fresh")
            if sys.platform != "win32":
                part.replace(self.path)  # while the old one is held, so that nobody can write into it
        finally:
            close_file(connection)
        if part.is_file():  # Windows cannot replace a file that is open
            part.replace(self.path)
        self._to_write_anew.unlink(missing_ok=True)

    def _create(self) -> None:
        """Put an empty database in place in one step, so that a half-made one is never there."""
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".study.duckdb.{os.getpid()}.part"
        part.unlink(missing_ok=True)
        close_file(open_file(part, read_only=False))
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
                return open_file(self.path, read_only=read_only)
            except InUse:
                if time.monotonic() > deadline:
                    LOCKED.refuse(str(self.path), holder=_holder(""))
            except (duckdb.IOException, duckdb.ConnectionException) as error:
                text = str(error)
                held = any(sign in text for sign in _HELD)  # first: of a lock DuckDB says that read-only may still be possible
                if not held and (system := _SYSTEM.search(text)):
                    NOT_WRITABLE.break_off(str(self.path), reason=system[0].lower())
                if not held:
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
