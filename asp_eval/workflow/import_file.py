"""Importing a file: read, mapped, sifted against what is known, kept in ``data/``, and stored; its faulty rows in quarantine."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.intake.checks.context import Known
from asp_eval.intake.checks.suspicions import absences
from asp_eval.intake.checks.validation import Sifted, sift
from asp_eval.intake.correction_files import renumbered
from asp_eval.intake.files.protected import is_protected
from asp_eval.intake.mapping.drift import Told, drift, told_by
from asp_eval.intake.table import Table
from asp_eval.store import Store, children, imports, labels, ledger, ledger_frames, quarantine, write_ledgers
from asp_eval.store.archive import kept
from asp_eval.store.corrections import Correcting, correcting
from asp_eval.store.import_report import ImportReport
from asp_eval.store.incoming import Given, arrived, to_keep
from asp_eval.store.layout import stored_pairs
from asp_eval.store.reconciliation import refuse_unreconciled
from asp_eval.store.replacement import counted, refuse_vanishing, vanishing
from asp_eval.store.table_writer import contradictions, write_table
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import IMPORTABLE, UNKNOWN_TABLE, table_schema

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

__all__ = ["ImportReport", "import_file"]

DRAWN_HERE = Fault(
    "STO-012", "study.yaml says that the lot is drawn here",
    "Draw it with 'asp-eval randomise'; or declare 'randomisation: {{drawn_elsewhere: true}}' and import the allocation.",
)  # fmt: skip
RESTLESS = Fault("STO-014", "the data changed again and again while the file was checked", "Give the command again.")
CHANGED_MEANWHILE = Fault("STO-033", "the file was changed while it was read", "Give the command again.")

Phases = Callable[[str, float], None]
ATTEMPTS = 3  # times a file is validated again because another process stored something meanwhile


def import_file(
    study: Study,
    path: str | Path,
    table: str,
    *,
    wave: str | None = None,
    mapping: str | Path | None = None,
    replace: bool = False,
    dry_run: bool = False,
    progress: Phases = lambda _phase, _done: None,
) -> ImportReport:
    """Take a file into the study.

    Rows at fault go into quarantine, whole and with their reasons, and into ``output/quarantine/`` for people to correct; the
    others are stored. That file, corrected and imported, adds its rows to what stands. What is wrong with a column, or with
    the short lists of institutions and arms, refuses the whole file, and so does a file without any row that can be stored.

    The file is kept in ``data/`` under its own name (or a numbered one, if another file or another mapping has that name),
    with its mapping beside it; if other files explain it, with them in a folder of its own. The same file again changes
    nothing and says so; another file for the same table and wave takes the place of the first if it has all its units, and
    both stay in the ledger. If a file is refused, nothing is stored or kept.

    Parameters
    ----------
    study : Study
    path : str or Path
        CSV or XLSX, or a corrected file from ``output/quarantine/``.
    table : {"institutions", "allocation", "children", "screening", "staff_survey", "staff", "interviews", "implementation"}
    wave : str, optional
        For screening and staff_survey.
    mapping : str or Path, optional
        Default: ``<file>.mapping.yaml`` beside the file, if it is there; for a correction, the mapping of the file corrected.
    replace : bool
        Let the file take the place of one that has units, or answers, which this one has not: they vanish.
    dry_run : bool
        Check everything, store and keep nothing.
    progress : callable, optional
        Called with what is being done, ``reading``, ``checking`` or ``storing``, and the part of it that is done, 0 to 1.

    Raises
    ------
    DataProblems
        Every fault of the file, if no row of it can be stored.
    Refusal
        If the study does not collect this, if units would vanish (STO-013), or if another process holds the data.
    """
    if table not in IMPORTABLE:
        UNKNOWN_TABLE.refuse(found=table, expected=", ".join(IMPORTABLE))
    if table == "allocation" and not study.randomisation.drawn_elsewhere:
        DRAWN_HERE.refuse(Path(path).name)
    store = Store(study.folder)
    schema = table_schema(table, study, wave)
    progress("reading", 0)
    given = arrived(study, store, Path(path), schema, mapping, lambda done, total: progress("reading", done / total))
    progress("checking", 0)
    if dry_run:
        return _checked(study, store, given, replace=replace)
    with (
        to_keep(study, given) as (whole, companions),
        kept(whole, given.beside, study.folder / "data", companions) as keeping,
    ):
        copy = imports.Copy(keeping.name, keeping.sha256)
        as_given = not given.protected.changed and not is_protected(given.file)  # whose digest is that of what it copies
        if as_given and copy.sha256 != given.sha256:
            CHANGED_MEANWHILE.refuse(given.file.name)
        stored = _stored(study, store, given, copy, replace=replace, progress=progress)
    if stored.report.already:
        keeping.discard()
    # out here: if a file for people cannot be written, the data are stored all the same, and the export must be kept
    write_ledgers(study, stored.ledgers)
    changed = None if stored.report.already else quarantine.path_of(table, wave or "")
    quarantine.write_files(study.folder, stored.waiting, changed)
    return stored.report


def _checked(study: Study, store: Store, given: Given, *, replace: bool) -> ImportReport:
    """Sift a file without storing it."""
    context = _context(study, store, given)
    if context.is_done:
        return _report(given, None, _Comparison(already=True), stored=False)
    sifted = _sifted(study, given, context)
    with store.reading() as connection:
        found = _compared(connection, given, sifted, context, replace=replace) if connection else _Comparison()
    return _report(given, sifted, found, stored=False)


def _stored(study: Study, store: Store, given: Given, copy: imports.Copy, *, replace: bool, progress: Phases) -> _Stored:
    """Sift and store a file; sift again if another process stored something in between."""
    for _ in range(ATTEMPTS):
        context = _context(study, store, given)
        sifted = None if context.is_done else _sifted(study, given, context)
        progress("storing", 0)
        with store.writing() as connection:
            if ledger.head(connection) != context.state:
                continue
            found = _Comparison(already=True)
            if sifted is not None:
                found = _compared(connection, given, sifted, context, replace=replace)
            if sifted is not None and not found.already:
                _write(connection, study, given, sifted, copy, found)
            waiting = quarantine.waiting(connection)
            ledgers = ledger_frames(connection, study)
        report = _report(given, sifted, found, stored=not found.already, waiting=waiting, copy=copy)
        return _Stored(report, ledgers, waiting)
    return RESTLESS.refuse(given.file.name)


def _write(
    connection: DuckDBPyConnection, study: Study, given: Given, sifted: Sifted, copy: imports.Copy, found: _Comparison
) -> None:
    """Store the rows accepted, put the others into quarantine, and see that all are accounted for."""
    table, corrected = sifted.table, given.correction
    arms = write_table(connection, table, study.wave_ids, add=corrected is not None)
    raw = given.protected.raw
    change = imports.Change(arms, found.before, found.corrects, found.takes, declares=bool(raw.labels or raw.user_missing))
    entry = imports.enter(connection, table, given.mapping, copy, change)
    if table.wave is not None and corrected is None:
        labels.keep(connection, entry.entry, told_by(given.rows, given.schema))
    of = entry.entry
    rows, export = sifted.refused.rows, raw
    if corrected is not None and found.corrects is not None:
        of, export = found.corrects.import_id, corrected.restored(found.respelled)
        rows = renumbered(rows, corrected.places, corrected.raw.rows)
        quarantine.take(connection, of, [int(row) for row in corrected.raw.rows])
    if found.before is not None:
        quarantine.take(connection, found.before.import_id)
    if len(rows):
        refused = quarantine.rejected(export, sifted.refused, given.schema.key[0], sifted.reasons(), rows)
        quarantine.put(connection, table.name, table.wave or "", of, entry.entry, refused)
    refuse_unreconciled(connection, table.name, table.wave or "")


@dataclass(frozen=True, slots=True, eq=False)
class _Stored:
    """What became of a file, the ledgers it was entered in, and all that is in quarantine."""

    report: ImportReport
    ledgers: dict[str, pd.DataFrame]
    waiting: tuple[quarantine.Waiting, ...]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """What a file finds in its place.

    Attributes
    ----------
    already : bool
        Itself.
    before : Import, optional
        The import that it supersedes.
    vanished : int
        How many units that costs.
    corrects : Import, optional
        The import whose rows it corrects.
    takes : mapping
        How many rows it takes over from the quarantine of each import.
    respelled : mapping
        The cells of a correction that a spreadsheet changed unasked, as they were.
    """

    already: bool = False
    before: imports.Import | None = None
    vanished: int = 0
    corrects: imports.Import | None = None
    takes: Mapping[int, int] = field(default_factory=dict)
    respelled: Mapping[tuple[int, str], str] = field(default_factory=dict)


def _compared(connection: DuckDBPyConnection, given: Given, sifted: Sifted, context: _Context, *, replace: bool) -> _Comparison:
    """Compare a file with what stands in its place; refuse one that contradicts it, or would make units vanish unasked."""
    table = sifted.table
    if context.corrects is not None and given.correction is not None:
        takes = dict(context.corrects.taken(given.correction))
        return _Comparison(corrects=context.corrects.root, takes=takes, respelled=context.respelled)
    stands = imports.standing(connection, table.name, table.wave)
    if any(before.is_of(table, given.mapping) for before in stands):
        return _Comparison(already=True)
    problems = contradictions(connection, table)  # come first, for replacing does not cure them
    if problems:
        raise DataProblems(problems)
    if not stands or table.name == "allocation":  # which is added to; nothing takes its place
        return _Comparison()
    lost = vanishing(connection, table)
    if not replace:
        refuse_vanishing(table, lost, stands[0].file, (p for p in sifted.problems if p.severity == "error"))
    return _Comparison(before=stands[0], vanished=len(lost))


@dataclass(frozen=True, slots=True, eq=False)
class _Context:
    """What the store knows that a file is checked against, and the state of the store it was read in."""

    known: Known
    state: str
    corrects: Correcting | None = None
    is_done: bool = False
    elsewhere: tuple[str, Told] | None = None
    respelled: Mapping[tuple[int, str], str] = field(default_factory=dict)


def _context(study: Study, store: Store, given: Given) -> _Context:
    schema, waves = given.schema, study.wave_ids
    own = schema.wave or children.REGISTER
    before = frozenset([children.REGISTER, *waves[: waves.index(own)]]) if schema.wave else frozenset()
    with store.reading() as connection:
        if connection is None:
            return _Context(Known(), ledger.NO_ENTRY)
        arms = stored_pairs(connection, "allocation", "institution_id", "arm")
        known = Known(
            institutions=frozenset(stored_pairs(connection, "institutions", "institution_id", "institution_id")),
            allocated=frozenset(arms),
            reports=children.known_reports(connection, waves, but=own),
            waves_before=before,
            arms=arms,
        )
        state = ledger.head(connection)
        if given.correction is None:
            elsewhere = labels.told_elsewhere(connection, schema.name, own, waves) if schema.wave else None
            return _Context(known, state, elsewhere=elsewhere)
        found = correcting(connection, given.correction, schema.name, schema.wave)
        stored = quarantine.keys_stored(connection, schema)
    changed, names = found.respelled(given.correction, given.mapping, schema), given.mapping.renames
    places = {(int(given.correction.places[at]), names.get(name, name)): before for (at, name), before in changed.items()}
    known = dataclasses.replace(known, stored=stored, respelled=places)
    return _Context(known, state, found, found.is_done(given.correction), respelled=changed)


def _sifted(study: Study, given: Given, context: _Context) -> Sifted:
    """Sift the rows; of a wave's file also say who is not in it, and what it calls otherwise than another wave's."""
    if context.corrects is not None and given.correction is not None:
        context.corrects.taken(given.correction)  # refuses rows that do not wait before anything is said of their cells
    sifted = sift(given.rows, given.schema, study=study, known=context.known)
    if given.schema.wave is None or given.correction is not None:
        return sifted
    found = list(absences(sifted.table, context.known))
    if context.elsewhere is not None:
        wave, told = context.elsewhere
        found += drift(told, told_by(given.rows, given.schema), given.rows.source, wave)
    return dataclasses.replace(sifted, problems=(*found, *sifted.problems))


def _report(
    given: Given,
    sifted: Sifted | None,
    found: _Comparison,
    *,
    stored: bool,
    waiting: Sequence[quarantine.Waiting] = (),
    copy: imports.Copy | None = None,
) -> ImportReport:
    table: Table | None = sifted.table if sifted else None
    path = quarantine.path_of(given.schema.name, given.schema.wave or "")
    waits = sum(len(one.rows) for one in waiting if one.path == path)
    counts = {part: getattr(table, part) if table else 0 for part in imports.PARTS}
    return ImportReport(
        file=given.file.name, table=given.schema.name, wave=given.schema.wave, rows_read=given.rows.rows_read, **counts,
        stored=stored, already=found.already, superseded=found.before.file if found.before else None,
        vanished=counted(table, found.vanished) if table and found.vanished else None,
        corrects=found.corrects.file if found.corrects else None, waiting=waits, quarantine_file=path if waits else None,
        kept=copy.name if copy else None, dialect=given.protected.raw.dialect.words,
        problems=() if found.already or not sifted else sifted.problems, institutions=sifted.institutions if sifted else {},
        units=sifted.units if sifted else {},
    )  # fmt: skip
