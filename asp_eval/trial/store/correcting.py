"""A corrected file from quarantine against what waits there: which import it corrects, and whose rows it brings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.trial.screening.correction import DIGITS, ROW, Correction
from asp_eval.trial.screening.mapping import NO_MAPPING
from asp_eval.trial.screening.mapping import Mapping as MappingFile
from asp_eval.trial.screening.schema import at_wave
from asp_eval.trial.store import imports, quarantine

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NOTHING_WAITS = Fault(
    "STO-031", "the rows came with another file than the one that stands for {table}",
    "Another file took its place, or --table or --wave is another. 'asp-eval check' lists what is in quarantine now.",
)  # fmt: skip
NOT_WAITING = Fault(
    "STO-032", "the row is not in quarantine: a correction took it in before, or its number was changed",
    "Take the row out of this file; or begin again from the file in output/quarantine.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Correcting:
    """What a correction finds.

    Attributes
    ----------
    root : Import
        The import that the rows came with.
    latest : mapping of int to int
        The rows of it in quarantine: number, and the import that brought each last.
    before : tuple of Import
        The corrections of it that were taken in.
    """

    root: imports.Import
    latest: Mapping[int, int]
    before: tuple[imports.Import, ...]

    @property
    def mapping(self) -> MappingFile:
        """The mapping that the file was read with."""
        text = self.root.said["mapping"]
        return MappingFile.model_validate_json(text) if text else NO_MAPPING

    def is_done(self, given: Correction) -> bool:
        """Whether the same correction was taken in before, and nothing of it waits."""
        sha256 = given.raw.sha256
        none_waits = not any(int(row) in self.latest for row in given.raw.rows)
        return none_waits and any(one.said["sha256"] == sha256 for one in self.before)

    def taken(self, given: Correction) -> Counter[int]:
        """Return how many rows it takes over from each import.

        Raises
        ------
        DataProblems
            STO-032 for every row that does not wait.
        """
        problems = [
            NOT_WAITING.at(given.raw.place(position, ROW), found=int(row))
            for position, row in enumerate(given.raw.rows)
            if int(row) not in self.latest
        ]
        if problems:
            raise DataProblems(problems)
        return Counter(self.latest[int(row)] for row in given.raw.rows)


def correcting(connection: DuckDBPyConnection | None, given: Correction, name: str, wave: str | None) -> Correcting:
    """Return what a correction for a table and wave finds.

    Raises
    ------
    Refusal
        STO-031 if its rows did not come with the file that stands there.
    """
    stands = imports.standing(connection, name, wave) if connection else ()
    if connection is None or not stands or not stands[0].said["sha256"].startswith(given.sha256[:DIGITS]):
        NOTHING_WAITS.refuse(given.raw.source, table=at_wave(name, wave))
    return Correcting(stands[0], quarantine.numbers(connection, stands[0].import_id), stands[1:])
