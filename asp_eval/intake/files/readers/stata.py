"""Stata: ``.dta`` of any version since 5."""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.core.errors import DataProblems
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.files.statistical import BROKEN_FILE, read_statistical

START, END = b"<stata_dta>", b"</stata_dta>"
OLD_VERSIONS = (104, 105, 108, 110, 111, 112, 113, 114, 115)  # the first byte; then the order of bytes, then a 1 and a 0


@dataclass(frozen=True, slots=True)
class Stata:
    """Reads Stata files."""

    name: str = "stata"
    rank: Rank = Rank.FORMAT

    def recognises(self, export: Export) -> bool:
        """Return whether the file begins as one of Stata does, or calls itself one."""
        first = export.start[:4]
        old = len(first) == 4 and first[0] in OLD_VERSIONS and first[1] in {1, 2} and first[2:] == b"\1\0"
        return old or export.start.startswith(START) or export.path.suffix.lower() == ".dta"

    def read(self, export: Export) -> RawTable:
        """Return the data as text, with value labels, variable labels and the letters of missing values."""
        if export.start.startswith(START) and not export.content.rstrip(b"\0\r\n ").endswith(END):
            raise DataProblems([BROKEN_FILE.at(export.source, kind="Stata", reason=Phrase("its end is not there"))])
        return read_statistical(export, "stata")


READER = Stata()
