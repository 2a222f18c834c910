"""A corrected file from quarantine against what waits there: which import it corrects, and whose rows it brings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asp_eval.core.contained_paths import inside
from asp_eval.core.errors import DataProblems, Fault
from asp_eval.intake.checks.rules import MISTYPED_ID
from asp_eval.intake.correction_files import DIGITS, ROW, Correction, correction_of, with_declarations
from asp_eval.intake.files.protected import ProtectedTable
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.mapping.mapping import Mapping as MappingFile
from asp_eval.intake.mapping.recoding import LABEL_NOT_MET
from asp_eval.intake.mapping.unfolding import unfolded
from asp_eval.intake.pipeline import IncomingFile, MappedFile
from asp_eval.intake.spreadsheet_changes import is_spreadsheet_change
from asp_eval.intake.values import Marks
from asp_eval.store import imports, quarantine
from asp_eval.store.connection import Store
from asp_eval.trial.tables.schema import TableSchema, at_wave

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NOTHING_WAITS = Fault(
    "STO-031",
    "the rows came with another file than the one that stands for {table}",
    "Another file took its place, or --table, --wave or --part is another. 'asp-eval check' lists what is in quarantine now.",
)
NOT_WAITING = Fault(
    "STO-032",
    "the row is not in quarantine: a correction took it in before, or its number was changed",
    "Take the row out of this file; or begin again from the file in output/quarantine.",
)

AnyCorrection = Correction[RawTable] | Correction[ProtectedTable]
_NOTHING: tuple[Mapping[str, str], frozenset[tuple[str, str]]] = ({}, frozenset())


@dataclass(frozen=True, slots=True)
class CorrectedImport:
    """What a correction corrects: an import, and its rows in quarantine.

    Attributes
    ----------
    original : Import
        The import that the rows came with.
    latest : mapping of int to int
        The rows of it in quarantine: number, and the import that brought each last.
    earlier : tuple of Import
        The corrections of it that were taken in.
    cells : mapping of int to (mapping, frozenset)
        The cells of these rows by the export's columns, and the codes of their faults with our columns.
    """

    original: imports.Import
    latest: Mapping[int, int]
    earlier: tuple[imports.Import, ...]
    cells: Mapping[int, tuple[Mapping[str, str], frozenset[tuple[str, str]]]]

    @property
    def mapping(self) -> MappingFile:
        """The mapping that the file was read with."""
        return self.original.mapping

    def is_imported(self, correction: AnyCorrection) -> bool:
        """Whether the same correction was taken in before, and nothing of it waits."""
        sha256 = correction.raw.sha256
        none_waits = not any(int(row) in self.latest for row in correction.raw.rows)
        return none_waits and any(one.body.sha256 == sha256 for one in self.earlier)

    def changed_cells(self, correction: AnyCorrection, mapping: MappingFile, schema: TableSchema) -> dict[tuple[int, str], str]:
        """Return the cells that a spreadsheet changed unasked, as they were, by position in the correction and its column.

        A date that was itself at fault may change in any way, and an id that was refused for its zeros may lose them.
        """
        marks = Marks(self.original.body.decimal or ".", self.original.body.dates or "iso")
        waits = [self.cells.get(int(row), _NOTHING) for row in correction.raw.rows]
        found = dict[tuple[int, str], str]()
        renames = unfolded(mapping, schema.wave, correction.raw.columns, schema.library).renames(schema.library)
        for name, column in correction.raw.columns.items():
            ours = renames.get(name, name)
            if ours not in schema.names or schema.field(ours).kind not in ("string", "date"):
                continue
            field = schema.field(ours)
            for position, ((cells, faults), after) in enumerate(zip(waits, column.cells(), strict=True)):
                before = cells.get(name, "")
                excused = (MISTYPED_ID.code, ours) in faults or (field.kind == "date" and any(of == ours for _, of in faults))
                if before != after and not excused and is_spreadsheet_change(before, str(after), field, marks):
                    found[position, name] = before
        return found

    def rows_taken(self, correction: AnyCorrection) -> Counter[int]:
        """Return how many rows it takes over from each import.

        Raises
        ------
        DataProblems
            STO-032 for every row that does not wait.
        """
        problems = [
            NOT_WAITING.at(correction.raw.place(position, ROW), found=int(row))
            for position, row in enumerate(correction.raw.rows)
            if int(row) not in self.latest
        ]
        if problems:
            raise DataProblems(problems)
        return Counter(self.latest[int(row)] for row in correction.raw.rows)


def corrected_import(connection: DuckDBPyConnection | None, correction: AnyCorrection, schema: TableSchema) -> CorrectedImport:
    """Return what a correction for a table, wave and part corrects.

    Raises
    ------
    Refusal
        STO-031 if its rows did not come with the file that stands there.
    """
    stands = imports.standing(connection, schema.name, schema.wave, schema.part) if connection else ()
    if connection is None or not stands or not stands[0].body.sha256.startswith(correction.sha256[:DIGITS]):
        NOTHING_WAITS.refuse(correction.raw.source, table=at_wave(schema.name, schema.wave, schema.part))
    rows = [int(row) for row in correction.raw.rows]
    original = stands[0].import_id
    return CorrectedImport(
        stands[0], quarantine.numbers(connection, original), stands[1:], quarantine.cells(connection, original, rows)
    )


def mapped_correction(incoming: IncomingFile, raw: RawTable, store: Store) -> MappedFile:
    """Return a corrected file, as read, protected and mapped as the file that it corrects was.

    Parameters
    ----------
    incoming : IncomingFile
        If no mapping stands beside it, it is read with that of the file it corrects.
    raw : RawTable
    store : Store
        Has the rows in quarantine, and the import that they came with.

    Raises
    ------
    DataProblems
        SCR-126 to SCR-128 if the file is damaged as a correction.
    Refusal
        STO-031 for a correction of what does not stand.
    """
    schema = incoming.schema
    with store.reading() as connection:
        corrected = corrected_import(connection, correction_of(raw), schema)
    if incoming.mapping_file is None:
        incoming = replace(incoming, mapping=corrected.mapping)
    protected = incoming.protect(raw)
    correction = correction_of(protected)
    imported = corrected.original.body
    dialect = replace(raw.dialect, decimal=imported.decimal, dates=imported.dates)
    table = replace(correction.raw, dialect=dialect)
    if imported.declares:
        export = read_raw(inside(store.folder / "data", corrected.original.file), incoming.mapping.format)
        table = with_declarations(table, export)
    mapped = correction.numbered_as_written(incoming.map(table))
    notes = tuple(note for note in mapped.notes if note.code != LABEL_NOT_MET.code)  # they are but a few rows of the export
    return MappedFile(incoming, protected, replace(mapped, notes=notes), correction)
