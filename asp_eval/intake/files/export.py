"""A file as somebody exported it, and what a reader of one dialect has to offer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.raw import RawTable

START = 1_000_000  # bytes; enough to recognise a file by
Progress = Callable[[int, int], None]


class Rank(IntEnum):
    """How closely a reader knows a file: of those that recognise it, the lowest rank reads it."""

    SYSTEM = 1  # what one survey system writes, whatever the file format
    FORMAT = 2  # a file format with a mark of its own: workbooks, SPSS, Stata, Parquet
    TEXT = 3  # any text with a header


def quiet(done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, eq=False)  # without slots: what is found out once is kept in cached properties
class Export:
    """A file to be read.

    Attributes
    ----------
    path : Path
    format : FileFormat
        What the mapping says of how the file was written; it goes before what is detected.
    progress : callable
        Called with the bytes done and their total while a long file is read.
    memo : dict
        What a look at the file has shown, so that several readers asking cost one look.
    """

    path: Path
    format: FileFormat = field(default_factory=FileFormat)
    progress: Progress = quiet
    memo: dict[str, Any] = field(default_factory=dict, repr=False)
    _companions: dict[str, Export] = field(default_factory=dict, repr=False)

    @property
    def source(self) -> str:
        """Name of the file without its folder, as faults name it."""
        return self.path.name

    @cached_property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    @cached_property
    def start(self) -> bytes:
        """The first bytes, to recognise the file by."""
        with self.path.open("rb") as file:
            return file.read(START)

    @cached_property
    def content(self) -> bytes:
        """All bytes."""
        return self.path.read_bytes()

    @cached_property
    def sha256(self) -> str:
        """Digest of the bytes."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def beside(self, name: str) -> Export | None:
        """Return the file of this name that lies beside, capitals aside; None if there is none.

        What is returned is entered in the ledger as part of the export, with its digest: ask only for what is read.
        """
        if name.casefold() not in self._companions:
            there = sorted(path for path in self.path.parent.iterdir() if path.name.casefold() == name.casefold())
            found = next((path for path in there if path.is_file() and path != self.path), None)
            if found is None:
                return None
            self._companions[name.casefold()] = Export(found)
        return self._companions[name.casefold()]

    @property
    def companions(self) -> tuple[Export, ...]:
        """Files beside this one that were read as part of it."""
        return tuple(self._companions.values())


class Reader(Protocol):
    """Reads the files of one dialect. A module of `readers` that has one under the name ``READER`` is found by itself."""

    @property
    def name(self) -> str:
        """The value of ``format: {dialect: NAME}`` in a mapping."""

    @property
    def rank(self) -> Rank:
        """How closely the reader knows its files."""

    def recognises(self, export: Export) -> bool:
        """Return whether the file is of this dialect, by its content; cheap, and never raises."""

    def read(self, export: Export) -> RawTable:
        """Return the file as text.

        Raises
        ------
        DataProblems
            Everything that is wrong with it.
        """
