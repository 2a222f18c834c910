"""Copies without personal identifiers, as they are kept in ``data/``."""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.protected import is_protected, read_protected
from asp_eval.intake.files.raw import RawTable


@dataclass(frozen=True, slots=True)
class ProtectedReader:
    """Reads what `protected.protected_copy` made."""

    name: str = "protected"
    rank: Rank = Rank.SYSTEM

    def recognises(self, export: Export) -> bool:
        """Return whether the file is called as such a copy is."""
        return is_protected(export.path)

    def read(self, export: Export) -> RawTable:
        """Return what the export held, without what identifies persons."""
        return read_protected(export)


READER = ProtectedReader()
