"""Files that belong together appear together: those of an earlier set, or those of the new one, never some of each.

A command that writes more than one file writes them into a new, hidden folder beside their places, and only when all are there
are they put in place::

    with file_set(output) as new:
        write_whole(new.path("evaluation.html"), page)
        write_whole(new.path("gap/index.html"), index)
        new.remove("gap/closed.html")
        write_whole(new.path("manifest.json"), manifest)    # what is written last is put in place last
    # here the three are in `output`, and the old page is gone

After an error inside the block nothing was changed. Before the first file is put in place, a list of what is to be done is
written beside them: if the process is killed while they are put in place, which takes some thousandths of a second, the next
`finish_file_sets` does the rest. So a reader that calls it first sees one set or the other.

A set may wait for a decision: after ``new.wait_for(digest)`` the list is there, and says that the set counts if the ledger
holds an entry of this digest. That is written before the entry is committed, so that the store and the files cannot disagree
however the process ends: see `asp_eval.store.connection`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from asp_eval.core.contained_paths import ContainedName, inside
from asp_eval.core.documents import STALE_AFTER, write_whole
from asp_eval.core.errors import Fault

NOT_IN_PLACE = Fault(
    "FIL-003",
    "everything was stored, but a file could not be put in its place: {reason}",
    "Close it where it is open, and see that its folder may be written to. The next command that writes there puts it in place.",
)

SUFFIX, LIST = ".new", "files-to-put-in-place.json"


class FilesToPutInPlace(BaseModel):
    """What is to be done to finish a set of files: a list beside them.

    Attributes
    ----------
    files, remove : tuple of str
        Names from the folder: of those to be put in place, in this order; and of those to be removed after them.
    first : tuple of str
        Of the files, those of which an earlier one is to be taken away before anything else is done.
    wait_for : str
        Digest of the ledger's entry without which the set does not count; empty if it counts by itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[ContainedName, ...]
    remove: tuple[ContainedName, ...] = ()
    first: tuple[ContainedName, ...] = ()
    wait_for: str = ""


@dataclass(slots=True)
class NewFiles:
    """A set of files that is being written.

    Attributes
    ----------
    folder : Path
        Where they will be.
    staging : Path
        Where they are written: a hidden folder inside the other.
    is_listed : bool
        Whether the list of what is to be done is written.
    """

    folder: Path
    staging: Path
    _names: dict[str, None] = field(default_factory=dict)  # in the order of the calls
    _removed: list[str] = field(default_factory=list)
    _first: list[str] = field(default_factory=list)
    is_listed: bool = False

    def path(self, name: str) -> Path:
        """Return where to write a file of the set, named from the folder; it is put in place in the order of these calls."""
        inside(self.folder, name)
        self._names.pop(name, None)
        self._names[name] = None
        path = inside(self.staging, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def add(self, *paths: Path) -> None:
        """Count files that were written below `staging` by other means to the set, in this order."""
        for path in paths:
            self.path(path.relative_to(self.staging).as_posix())

    def digests(self) -> dict[str, str]:
        """Return SHA-256 of every file of the set so far, by name."""
        found = {}
        for name in self._names:
            with (self.staging / name).open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def place(self, name: str) -> Path:
        """Return where a file of the set will be."""
        return inside(self.folder, name)

    def remove(self, *names: str) -> None:
        """Have files of an earlier set removed with which the new one has nothing in common; one that is not there is none."""
        for name in names:
            inside(self.folder, name)
        self._removed += names

    def index(self, name: str) -> Path:
        """Return where to write the file that lists the others, after them.

        An earlier one is taken away before the first of them is put in place: so it never lists files of two sets, also where
        nobody finishes what a killed process began.
        """
        self._first.append(name)
        return self.path(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The files of the set so far."""
        return tuple(self._names)

    def wait_for(self, digest: str) -> None:
        """Write the list of what is to be done, for as soon as the ledger holds an entry of this digest; nothing is added after.

        To be called inside the transaction that adds the entry, when every file is written.
        """
        self._write_list(digest)

    def put_in_place(self) -> None:
        """Put every file in its place; to be called once, when the decision is taken.

        Raises
        ------
        Breakdown
            FIL-003 if the system does not let a file be put in its place. The list stays, and `finish_file_sets` goes on.
        """
        with _alone_in(self.folder):
            if not self.is_listed:
                self._write_list("")
            _put_in_place(self.folder, self.staging)

    def discard(self) -> None:
        """Take away what was written."""
        shutil.rmtree(self.staging, ignore_errors=True)

    def _write_list(self, wait_for: str) -> None:
        removed = tuple(name for name in self._removed if name not in self._names)
        todo = FilesToPutInPlace(files=self.names, remove=removed, first=tuple(self._first), wait_for=wait_for)
        write_whole(self.staging / LIST, todo.model_dump_json())
        self.is_listed = True


@contextmanager
def file_set(folder: Path) -> Iterator[NewFiles]:
    """Write files that appear in a folder together when the block ends; after an error in it, none of them.

    A block that has put the files in place itself, because a decision was taken inside it, has nothing left to do.

    Parameters
    ----------
    folder : Path
        Is made if it is not there.

    Yields
    ------
    NewFiles
        Where to write each file, and what is to be removed.

    Raises
    ------
    Breakdown
        FIL-003 if the system does not let a file be put in its place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    new = NewFiles(folder, Path(tempfile.mkdtemp(dir=folder, prefix=".", suffix=SUFFIX)))
    try:
        yield new
    except BaseException:
        if not new.is_listed:  # else what it waits for decides
            new.discard()
        raise
    if new.staging.is_dir():
        new.put_in_place()


def finish_file_sets(folder: Path, counts: Callable[[str], bool] = lambda _: False) -> None:
    """Finish the sets that killed processes left half in place, and take away those that do not count.

    Parameters
    ----------
    folder : Path
        Nothing is done if it is not there.
    counts : callable
        Says of the digest that a set waits for whether the ledger holds it. While it is asked, no process may be between
        writing its list and taking its decision: see `asp_eval.store.connection`.
    """
    for staging in sorted(folder.glob(f".*{SUFFIX}")):
        if staging.is_symlink() or not staging.is_dir():
            continue
        todo = _list_of(staging)
        if todo is None:
            _sweep(staging)
        elif not todo.wait_for or counts(todo.wait_for):
            with _alone_in(folder):
                _put_in_place(folder, staging)
        else:
            shutil.rmtree(staging, ignore_errors=True)


def is_being_written(path: Path) -> bool:
    """Return whether a path is the hidden folder of a set that is not yet in place: of which, to a reader, nothing is there."""
    return path.is_dir() and path.name.startswith(".") and path.name.endswith(SUFFIX)


def _list_of(staging: Path) -> FilesToPutInPlace | None:
    """Return what is to be done; None where no list was written, or another process has done it and taken it away."""
    try:
        return FilesToPutInPlace.model_validate_json((staging / LIST).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _put_in_place(folder: Path, staging: Path) -> None:
    """Do what the list says; what was done before is not done again."""
    todo = _list_of(staging)
    if todo is None:
        return
    try:
        for name in todo.first:
            if inside(staging, name).exists():
                inside(folder, name).unlink(missing_ok=True)
        for name in todo.files:
            source, target = inside(staging, name), inside(folder, name)
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                source.replace(target)
        for name in todo.remove:
            target = inside(folder, name)
            target.unlink(missing_ok=True)
            _remove_if_empty(target.parent, folder)
    except OSError as error:
        NOT_IN_PLACE.break_off(str(error.filename2 or error.filename or folder), reason=(error.strerror or str(error)).lower())
    shutil.rmtree(staging, ignore_errors=True)


def _remove_if_empty(inner: Path, folder: Path) -> None:
    if inner != folder and inner.is_dir():
        with contextlib.suppress(OSError):  # it holds other files
            inner.rmdir()


def _sweep(staging: Path) -> None:
    """Remove what a killed process has written, if nobody has written to it for an hour: another may be at work."""
    with contextlib.suppress(OSError):  # gone meanwhile
        if time.time() - staging.stat().st_mtime > STALE_AFTER:
            shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Let one process at a time put files in place in a folder; the system lets go of the lock of one that dies."""
    with _opened_to_lock(folder) as handle:
        with contextlib.suppress(OSError):  # a disk that knows no locks
            _lock(handle)
        yield


if sys.platform == "win32":
    import msvcrt

    @contextmanager
    def _opened_to_lock(folder: Path) -> Iterator[int]:
        """Open a file in the place of the folder, which Windows does not open."""
        name = hashlib.sha256(str(folder.resolve()).lower().encode()).hexdigest()[:16]
        handle = os.open(Path(tempfile.gettempdir()) / f"asp-eval-{name}.lock", os.O_RDWR | os.O_CREAT)
        try:
            yield handle
        finally:
            os.close(handle)

    def _lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)

else:
    import fcntl

    @contextmanager
    def _opened_to_lock(folder: Path) -> Iterator[int]:
        handle = os.open(folder, os.O_RDONLY)
        try:
            yield handle
        finally:
            os.close(handle)

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX)
