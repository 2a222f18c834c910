"""A corrected file from quarantine against what waits there: which import it corrects, and whose rows it brings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.intake.checks.rules import MISTYPED_ID
from asp_eval.intake.correction_files import DIGITS, ROW, Correction
from asp_eval.intake.mapping.mapping import NO_MAPPING
from asp_eval.intake.mapping.mapping import Mapping as MappingFile
from asp_eval.intake.spreadsheet_changes import is_respelled
from asp_eval.intake.values import Marks
from asp_eval.store import imports, quarantine
from asp_eval.trial.tables.schema import TableSchema, at_wave

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

_NOTHING: tuple[Mapping[str, str], frozenset[tuple[str, str]]] = ({}, frozenset())


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
    waiting : mapping of int to (mapping, frozenset)
        The cells of these rows by the export's columns, and the codes of their faults with our columns.
    """

    root: imports.Import
    latest: Mapping[int, int]
    before: tuple[imports.Import, ...]
    waiting: Mapping[int, tuple[Mapping[str, str], frozenset[tuple[str, str]]]]

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

    def respelled(self, given: Correction, mapping: MappingFile, schema: TableSchema) -> dict[tuple[int, str], str]:
        """Return the cells that a spreadsheet changed unasked, as they were, by position in the correction and its column.

        A date that was itself at fault may change in any way, and an id that was refused for its zeros may lose them.
        """
        marks = Marks(self.root.said["decimal"] or ".", self.root.said["dates"] or "iso")
        waits = [self.waiting.get(int(row), _NOTHING) for row in given.raw.rows]
        found = {}
        for name, column in given.raw.columns.items():
            ours = mapping.renames.get(name, name)
            if ours not in schema.names or schema.field(ours).kind not in ("string", "date"):
                continue
            field = schema.field(ours)
            for position, ((cells, faults), after) in enumerate(zip(waits, column.cells(), strict=True)):
                before = cells.get(name, "")
                excused = (MISTYPED_ID.code, ours) in faults or (field.kind == "date" and any(of == ours for _, of in faults))
                if before != after and not excused and is_respelled(before, str(after), field, marks):
                    found[position, name] = before
        return found

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
    rows = [int(row) for row in given.raw.rows]
    root = stands[0].import_id
    return Correcting(stands[0], quarantine.numbers(connection, root), stands[1:], quarantine.cells(connection, root, rows))
