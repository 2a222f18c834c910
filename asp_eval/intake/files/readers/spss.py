"""SPSS: ``.sav`` and ``.zsav``."""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.files.statistical import read_statistical

STARTS = (b"$FL2", b"$FL3")


@dataclass(frozen=True, slots=True)
class Spss:
    """Reads SPSS files."""

    name: str = "spss"
    rank: Rank = Rank.FORMAT

    def recognises(self, export: Export) -> bool:
        """Return whether the file begins as one of SPSS does, or calls itself one."""
        return export.start.startswith(STARTS) or export.path.suffix.lower() in {".sav", ".zsav"}

    def read(self, export: Export) -> RawTable:
        """Return the data as text, with value labels, variable labels and declared missing values."""
        return read_statistical(export, "spss")


READER = Spss()
