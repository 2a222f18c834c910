"""What the store holds that a new file is checked against."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asp_eval.intake.checks.context import CheckContext
from asp_eval.intake.mapping.unfolding import unfolded
from asp_eval.intake.pipeline import MappedFile
from asp_eval.store import children, labels, ledger, quarantine
from asp_eval.store.connection import Store
from asp_eval.store.corrections import CorrectedImport, corrected_import
from asp_eval.store.instrument_changes import refuse_changed_instruments
from asp_eval.store.layout import stored_pairs
from asp_eval.store.parts import other_parts, refuse_misplaced
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import TableSchema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True, eq=False)
class StoredContext:
    """What the store holds that a file is checked against, and the state of the store it was read in.

    Attributes
    ----------
    checks : CheckContext
    ledger_head : str
        Digest of the last entry of the ledger.
    corrected : CorrectedImport, optional
        What the file corrects, if it is a correction.
    already_imported : bool
        Whether the same correction was imported before.
    changed_cells : mapping of (int, str) to str
        The cells of a correction, by position and the export's column, that a spreadsheet changed unasked, as they were.
    """

    checks: CheckContext
    ledger_head: str
    corrected: CorrectedImport | None = None
    already_imported: bool = False
    changed_cells: Mapping[tuple[int, str], str] = field(default_factory=dict)


def stored_context(study: Study, store: Store, file: MappedFile, *, replace: bool = False) -> StoredContext:
    """Return what the store holds that a file is checked against.

    Parameters
    ----------
    study : Study
    store : Store
    file : MappedFile
    replace : bool
        As for the import.

    Raises
    ------
    Refusal
        STO-031 for a correction of what does not stand; STO-070 to STO-073 for a part beside the whole, or otherwise named.
    DataProblems
        STO-050 if one of the study's own instruments was changed after it was used.
    """
    refuse_changed_instruments(study)
    schema, correction = file.schema, file.correction
    with store.reading() as connection:
        if connection is None:
            return StoredContext(CheckContext(), ledger.NO_ENTRY)
        checks, head = check_context(connection, study, schema), ledger.head(connection)
        if correction is None:
            refuse_misplaced(connection, file, replace=replace)
            return StoredContext(checks, head)
        corrected = corrected_import(connection, correction, schema)
        stored_keys = quarantine.keys_stored(connection, schema)
    mapping = file.incoming.mapping
    changed = corrected.changed_cells(correction, mapping, schema)
    names = unfolded(mapping, schema.wave, correction.raw.columns, schema.library).renames(schema.library)
    places = {(int(correction.places[at]), names.get(name, name)): before for (at, name), before in changed.items()}
    checks = dataclasses.replace(checks, is_correction=True, stored_keys=stored_keys, changed_cells=places)
    return StoredContext(checks, head, corrected, corrected.is_imported(correction), changed)


def check_context(connection: DuckDBPyConnection, study: Study, schema: TableSchema) -> CheckContext:
    """Return what is stored that a file for a table and wave is checked against."""
    waves = study.wave_ids
    own = schema.wave or children.REGISTER
    before = frozenset([children.REGISTER, *waves[: waves.index(own)]]) if schema.wave else frozenset[str]()
    arms = stored_pairs(connection, "allocation", "institution_id", "arm")
    days = stored_pairs(connection, "allocation", "institution_id", "date")
    return CheckContext(
        institutions=frozenset(stored_pairs(connection, "institutions", "institution_id", "institution_id")),
        allocated=frozenset(arms),
        reports=children.known_reports(connection, waves, but=own),
        waves_before=before,
        arms=arms,
        drawn={name: str(day) if day else None for name, day in days.items()},
        other_wave=labels.meanings_at_nearest_wave(connection, schema.name, own, waves) if schema.wave else None,
        other_parts=other_parts(connection, schema),
    )
