"""Exports kept in ``data/`` as received, each beside the mapping it was read with: what the store can be made from again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from asp_eval.core.documents import remove_stale_parts, write_whole
from asp_eval.trial.screening.mapping import kept_mapping, mapping_beside


@dataclass(frozen=True, slots=True)
class Kept:
    """An export as it is kept.

    Attributes
    ----------
    file : Path
        The copy in ``data/``, or the export itself if it lies there.
    new : tuple of Path
        What was written: the copy, its mapping, both or nothing.
    """

    file: Path
    new: tuple[Path, ...] = ()

    def discard(self) -> None:
        """Take away what was written."""
        for path in self.new:
            path.unlink(missing_ok=True)


@contextmanager
def kept(file: Path, mapping: Path | None, folder: Path) -> Iterator[Kept]:
    """Keep an export and its mapping in a folder; after an error what is new there is taken away again.

    The copy has the export's own name, or a numbered one if that name belongs to other content or to another mapping: so
    ``mapping_beside`` finds for every kept file the mapping it was read with. The mapping is written first, for a process
    that is killed in between must not leave a file that reads as if it needed none.

    Parameters
    ----------
    file : Path
        If there is no such file, nothing is kept.
    mapping : Path, optional
    folder : Path
        Is also rid of what killed processes left half written.
    """
    remove_stale_parts(folder)
    if not file.is_file():
        yield Kept(file)
        return
    content, rules = file.read_bytes(), mapping.read_bytes() if mapping else None
    copy = _place(folder, file, content, rules)
    wanted = [] if rules is None or mapping_beside(copy) else [(kept_mapping(copy), rules)]
    wanted += [] if copy.exists() else [(copy, content)]
    written = Kept(copy, tuple(path for path, _ in wanted))
    try:
        for path, whole in wanted:
            write_whole(path, whole)
        yield written
    except BaseException:
        written.discard()
        raise


def _place(folder: Path, file: Path, content: bytes, rules: bytes | None) -> Path:
    """Return the first of name.csv, name-2.csv, ... that is free, or holds the same export with the same mapping."""
    names = (file.name if number == 1 else f"{file.stem}-{number}{file.suffix}" for number in count(1))
    return next(folder / name for name in names if _fits(folder / name, content, rules))


def _fits(copy: Path, content: bytes, rules: bytes | None) -> bool:
    beside = mapping_beside(copy)
    as_read = (beside.read_bytes() if beside else None) == rules
    return as_read and copy.read_bytes() == content if copy.exists() else as_read or beside is None
