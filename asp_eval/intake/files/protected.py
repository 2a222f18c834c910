"""The copy of an export that is kept where the export itself must not be: CSV in UTF-8, and a file that says what it is of.

``wave1.protected.csv`` has the export's columns, names and rows, each row on its number; ids of people are pseudonyms, and
columns that identify persons are empty. ``wave1.protected.csv.origin.json`` beside it has the SHA-256 of the export as it
was received and whatever else its reader learnt, so that importing the copy is importing the export.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import DataProblems, Fault
from asp_eval.intake.files.columns import Declared, finished, table_of
from asp_eval.intake.files.export import Export
from asp_eval.intake.files.raw import Dialect, RawTable, TextColumn, TextTable
from asp_eval.intake.files.text import records, text_dialect

NO_ORIGIN = Fault(
    "SCR-150",
    "the file is a copy without personal identifiers, and {name}, which says what it is a copy of, is not beside it",
    "Put the file back beside it; or import the export as it was received.",
)

DAMAGED_ORIGIN = Fault(
    "SCR-151",
    "the file says nothing that can be read of the copy it stands beside",
    "Take it from a backup; or import the export as it was received.",
)

VERSION = 1
_NAME = re.compile(r"\.protected(-\d+)?\.csv$")


@dataclass(frozen=True, slots=True, eq=False)
class ProtectedTable(TextTable):
    """A file without what identifies a person directly, made by `protect`. `mapping.applying.apply_mapping` accepts it.

    Under the export's own names. Ids of people are pseudonyms; columns that identify and are not imported are empty.

    Attributes
    ----------
    pseudonymised, emptied : tuple of str
        Columns of the file that were changed.
    """

    pseudonymised: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was changed, so that the file as received must not be kept."""
        return bool(self.pseudonymised or self.emptied)


@dataclass(frozen=True, slots=True)
class ProtectedCopy:
    """What is kept of an export.

    Attributes
    ----------
    name : str
        Of the copy.
    content, origin : bytes
        The copy, and what stands beside it.
    """

    name: str
    content: bytes
    origin: bytes

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write both into a folder; return where the copy and its origin are."""
        copy = folder / self.name
        write_whole(origin_of(copy), self.origin)
        write_whole(copy, self.content)
        return copy, origin_of(copy)


def is_protected(path: Path) -> bool:
    """Return whether a file is such a copy, by its name."""
    return _NAME.search(path.name) is not None


def origin_of(path: Path) -> Path:
    """Return the file that says what a copy is of."""
    return path.with_name(f"{path.name}.origin.json")


def protected_copy(protected: ProtectedTable, original: Path) -> ProtectedCopy:
    """Return the copy that is kept of an export.

    Parameters
    ----------
    protected : ProtectedTable
    original : Path
        The export; gives the copy its name.
    """
    content = _csv(protected).encode()
    origin = {
        "asp_eval_protected": VERSION,
        "file": original.name,
        "sha256": protected.sha256,
        "copy_sha256": hashlib.sha256(content).hexdigest(),
        "pseudonymised": protected.pseudonymised,
        "emptied": protected.emptied,
        "dialect": asdict(protected.dialect),
        "labels": {name: dict(labels) for name, labels in protected.labels.items()},
        "titles": dict(protected.titles),
        "user_missing": {name: sorted(texts) for name, texts in protected.user_missing.items()},
        "identifiers": sorted(protected.identifiers),
    }
    name = original.name if is_protected(original) else f"{original.stem}.protected.csv"
    return ProtectedCopy(name, content, (json.dumps(origin, ensure_ascii=False, indent=1) + "\n").encode())


@contextmanager
def files_to_keep(protected: ProtectedTable, original: Path) -> Iterator[tuple[Path, Sequence[Path]]]:
    """Yield the file that is kept and those that explain it: the export, or a copy without what identifies persons.

    The copy is in a temporary folder, which is gone afterwards.
    """
    if not protected.changed:
        yield original, tuple(original.with_name(name) for name, _ in protected.dialect.companions)
        return
    with TemporaryDirectory() as folder:
        copy, origin = protected_copy(protected, original).write(Path(folder))
        yield copy, (origin,)


def read_protected(export: Export) -> RawTable:
    """Read such a copy: what its export was, as long as nobody has edited the copy; else a file of its own.

    Raises
    ------
    DataProblems
        SCR-150 without the file beside it, SCR-151 if that file is damaged; of an edited copy whatever is wrong with it.
    """
    origin = _origin(export)
    if origin.copy_sha256 != export.sha256:
        edited = Export(export.path)  # what the mapping tells of the export is not true of its copy
        found = text_dialect(edited, "protected")
        dialect = replace(found, decimal=origin.dialect.decimal, dates=origin.dialect.dates)
        rows = records(edited, dialect)
        return table_of(edited, next(rows, []), rows, dialect, **origin.declared)
    header, *lines = csv.reader(io.StringIO(export.content.decode("utf-8"), newline=""), strict=True)
    numbers = np.array([number for number, line in enumerate(lines, start=2) if line], dtype=np.int64)
    columns = [TextColumn.of(cells) for cells in zip(*(line for line in lines if line), strict=True)]
    return replace(finished(export, header, columns, numbers, origin.dialect, **origin.declared), sha256=origin.sha256)


@dataclass(frozen=True, slots=True)
class _Origin:
    """What stands beside a copy."""

    sha256: str
    copy_sha256: str
    dialect: Dialect
    declared: Declared


def _origin(export: Export) -> _Origin:
    name = origin_of(export.path).name
    beside = export.beside(name)
    if beside is None:
        raise DataProblems([NO_ORIGIN.at(export.source, name=name)])
    try:
        origin = json.loads(beside.content.decode("utf-8"))
        dialect = origin["dialect"]
        companions = tuple((str(file), str(digest)) for file, digest in dialect.pop("companions"))
        declared: Declared = {
            "labels": origin["labels"],
            "titles": origin["titles"],
            "user_missing": {column: frozenset(texts) for column, texts in origin["user_missing"].items()},
            "identifiers": frozenset(origin["identifiers"]),
        }
        return _Origin(origin["sha256"], origin["copy_sha256"], Dialect(**dialect, companions=companions), declared)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataProblems([DAMAGED_ORIGIN.at(name)]) from None


def _csv(raw: TextTable) -> str:
    """Return a table as CSV, each row on the line of its number: rows that are not there are blank."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(raw.columns)
    cells = zip(*(column.cells() for column in raw.columns.values()), strict=True)
    for (before, number), row in zip(pairwise([1, *raw.rows]), cells, strict=True):
        text.write("\n" * int(number - before - 1))
        writer.writerow(row)
    return text.getvalue()
