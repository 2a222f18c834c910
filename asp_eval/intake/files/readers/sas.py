"""SAS: ``.sas7bdat``, and transport files ``.xpt``."""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.files.statistical import read_statistical

START = b"\0" * 12 + bytes.fromhex("c2ea8160")
TRANSPORT = (b"HEADER RECORD*******LIBRARY HEADER RECORD", b"HEADER RECORD*******LIBV8   HEADER RECORD")


@dataclass(frozen=True, slots=True)
class Sas:
    """Reads SAS files; value labels stand in a catalogue of their own, which is not read."""

    name: str = "sas"
    rank: Rank = Rank.FORMAT

    def recognises(self, export: Export) -> bool:
        """Return whether the file begins as one of SAS does, or calls itself one."""
        return export.start.startswith((START, *TRANSPORT)) or export.path.suffix.lower() in {".sas7bdat", ".xpt"}

    def read(self, export: Export) -> RawTable:
        """Return the data as text, with variable labels; dates as their formats show them."""
        return read_statistical(export, "xport" if export.start.startswith(TRANSPORT) else "sas")


READER = Sas()
