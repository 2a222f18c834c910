"""Exports kept in ``data/`` as received, each beside the mapping it was read with: what the store can be made from again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from asp_eval.core.documents import remove_stale_parts
from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.intake.mapping.mapping import kept_mapping, mapping_beside
from asp_eval.store import imports, ledger
from asp_eval.store.connection import Store


@dataclass(frozen=True, slots=True)
class KeptExport:
    """An export as it is kept.

    Attributes
    ----------
    file : Path
        The copy in ``data/``, or the export itself if it lies there.
    name : str
        Where it is kept, from ``data/``: ``wave1.csv``, or ``dataset/dataset.csv`` for one that is kept with its companions.
    new : tuple of Path
        What was written: the copy, its companions, its mapping, or nothing.
    """

    file: Path
    name: str
    new: tuple[Path, ...] = ()

    @property
    def sha256(self) -> str:
        """Digest of what is kept."""
        return _digest(self.file)

    def discard(self) -> None:
        """Take away what was written, and the folder of its own that it was written into."""
        for path in reversed(self.new):
            if path != kept_mapping(self.file) or not self.file.exists():  # else another process keeps its export with it
                path.unlink(missing_ok=True)
        home = self.file.parent
        if self.new and "/" in self.name and home.is_dir() and not any(home.iterdir()):
            home.rmdir()


@contextmanager
def keep_export(
    file: Path,
    mapping: Path | None,
    folder: Path,
    companions: Sequence[Path] = (),
    is_entered: Callable[[str], bool] = lambda _: False,
) -> Iterator[KeptExport]:
    """Keep an export and its mapping in a folder; after an error what is new there, and not entered, is taken away again.

    The copy has the export's own name, or a numbered one if that name belongs to other content or to another mapping: so
    ``mapping_beside`` finds for every kept file the mapping it was read with. The mapping is written first, for a process
    that is killed in between must not leave a file that reads as if it needed none.

    An export that is explained by files beside it is kept with them in a folder of its own, where all have their names.

    Parameters
    ----------
    file : Path
        If there is no such file, nothing is kept.
    mapping : Path, optional
    folder : Path
        Is also rid of what killed processes left half written.
    companions : sequence of Path
        Files beside the export that are read as part of it.
    is_entered : callable
        Says after an error of the name from ``data/`` whether the ledger has it: then it was stored before the error.
    """
    remove_stale_parts(folder)
    if not file.is_file():
        yield KeptExport(file, file.name)
        return
    written = _written(folder, file, mapping, companions)
    try:
        yield written
        if not written.file.exists():  # another process that kept the same took it away again
            with contextlib.suppress(FileExistsError):  # and a third one keeps it
                _write_new(written.file, file)
    except BaseException as error:
        # a refusal comes before anything is stored; after any other error the ledger has to be asked
        if written.new and (isinstance(error, (DataProblems, Refusal)) or not is_entered(written.name)):
            written.discard()
        raise


def is_entered(store: Store, name: str) -> bool:
    """Whether the ledger has a file of this name in ``data/``; also if that cannot be known, for then it must stay."""
    try:
        with store.reading() as connection:
            chain = ledger.entries(connection) if connection is not None else ()
            return any(one.file == name for one in imports.imports(chain))
    except Exception:
        return True


def _written(folder: Path, file: Path, mapping: Path | None, companions: Sequence[Path]) -> KeptExport:
    """Write a copy, its mapping and its companions, what is not there yet; elsewhere, if another process takes the place."""
    while True:
        copy = _place(folder, file, mapping, companions)
        wanted = [] if mapping is None or mapping_beside(copy) else [(kept_mapping(copy), mapping)]
        parts = [(copy.with_name(part.name), part) for part in companions]
        wanted += [(path, part) for path, part in [*parts, (copy, file)] if not path.exists()]
        if companions:
            remove_stale_parts(copy.parent)
        name, done = copy.relative_to(folder).as_posix(), list[Path]()
        try:
            for path, source in wanted:
                _write_new(path, source)
                done.append(path)
        except FileExistsError:
            KeptExport(copy, name, tuple(done)).discard()
            continue
        except BaseException:
            KeptExport(copy, name, tuple(done)).discard()
            raise
        return KeptExport(copy, name, tuple(done))


def _write_new(path: Path, source: Path) -> None:
    """Copy a file whole, and never over another.

    Raises
    ------
    FileExistsError
        If another process was first.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file, source.open("rb") as content:
            shutil.copyfileobj(content, file)
            file.flush()
            os.fsync(file.fileno())
        Path(part).chmod(0o644)
        _put_in_place(Path(part), path)
    finally:
        with contextlib.suppress(OSError):  # what was put in place counts, and the next export that is kept removes the rest
            Path(part).unlink(missing_ok=True)


def _put_in_place(part: Path, path: Path) -> None:
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:  # a disk without hard links
        with part.open("rb") as content, path.open("xb") as file:
            try:
                shutil.copyfileobj(content, file)
            except BaseException:
                file.close()
                path.unlink(missing_ok=True)
                raise


def _place(folder: Path, file: Path, mapping: Path | None, companions: Sequence[Path]) -> Path:
    """Return the first of name.csv, name-2.csv, ... that is free, or holds the same export with the same mapping.

    With companions it is the first of name/name.csv, name-2/name.csv, ...
    """
    stems = (file.stem if number == 1 else f"{file.stem}-{number}" for number in count(1))
    names = (f"{stem}/{file.name}" if companions else f"{stem}{file.suffix}" for stem in stems)
    return next(copy for name in names if _fits(copy := folder / name, file, mapping, companions))


def _fits(copy: Path, file: Path, mapping: Path | None, companions: Sequence[Path]) -> bool:
    found = mapping_beside(copy)
    as_read = _is_same(found, mapping) if found and mapping else found is mapping
    beside = [(copy.with_name(part.name), part) for part in companions]
    if any(path.exists() and not _is_same(path, part) for path, part in beside):
        return False
    return as_read and _is_same(copy, file) if copy.exists() else as_read or found is None


def _is_same(one: Path, other: Path) -> bool:
    """Whether two files have the same content; neither is held in memory."""
    return one.stat().st_size == other.stat().st_size and _digest(one) == _digest(other)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
