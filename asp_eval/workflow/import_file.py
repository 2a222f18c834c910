"""Importing a file: read, mapped, sifted against what is known, kept in ``data/``, and stored; its faulty rows in quarantine."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.core.file_sets import file_set
from asp_eval.core.phrases import Phrase, all_of
from asp_eval.core.progress import Cancel, Progress, by_phases, never, stoppable, unheard
from asp_eval.intake.checks.validation import Sifted
from asp_eval.intake.correction_files import is_correction, renumbered
from asp_eval.intake.files.protected import files_to_keep, is_protected
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.mapping.drift import column_meanings
from asp_eval.intake.mapping.mapping import Mapping as MappingFile
from asp_eval.intake.mapping.mapping_sheet import kept_as_yaml
from asp_eval.intake.pipeline import IncomingFile, MappedFile, mapped_file
from asp_eval.intake.recognition.wave_tables import table_at_wave
from asp_eval.intake.table import Table
from asp_eval.store import Store, imports, labels, ledger, ledger_frames, quarantine, write_for_people
from asp_eval.store.archive import is_entered, keep_export
from asp_eval.store.check_context import StoredContext, stored_context
from asp_eval.store.corrections import mapped_correction
from asp_eval.store.import_report import ImportReport
from asp_eval.store.parts import place_taken
from asp_eval.store.reconciliation import refuse_unreconciled
from asp_eval.store.replacement import counted, refuse_vanishing, refuse_waiting_lost, vanishing, waiting_lost
from asp_eval.store.table_writer import contradictions, write_table
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.parts import part_name
from asp_eval.trial.tables.schema import BY_WAVE, IMPORTABLE, UNKNOWN_TABLE, TableSchema, table_schema
from asp_eval.workflow.problem_pages import write_problem_pages, write_refused_pages
from asp_eval.workflow.study_folder import AnyStudy, plan_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["ImportReport", "import_file"]

DRAWN_HERE = Fault(
    "STO-012",
    "study.yaml says that the lot is drawn here",
    "Draw it with 'asp-eval randomise'; or declare 'randomisation: {{drawn_elsewhere: true}}' and import the allocation.",
)
RESTLESS = Fault("STO-014", "the data changed again and again while the file was checked", "Give the command again.")
CHANGED_MEANWHILE = Fault("STO-033", "the file was changed while it was read", "Give the command again.")

NO_TABLE = Fault(
    "CLI-006",
    "--table is missing",
    "Say which table the file is for; 'asp-eval import FILE --propose' finds out, and drafts the mapping.",
)
NO_WAVE = Fault("CLI-002", "the table {table} needs a wave", "Add --wave with one of: {waves}.")

READING, CHECKING, STORING = Phrase("reading"), Phrase("checking"), Phrase("storing")
SHARES: dict[str, float] = {READING: 0.5, CHECKING: 0.2, STORING: 0.3}  # of the time that a long CSV file takes
ATTEMPTS = 3  # times a file is validated again because another process stored something meanwhile


def import_file(
    study: AnyStudy,
    path: str | Path,
    table: str | None = None,
    *,
    wave: str | None = None,
    mapping: str | Path | None = None,
    part: str | None = None,
    replace: bool = False,
    dry_run: bool = False,
    progress: Progress = unheard,
    cancel: Cancel = never,
) -> ImportReport:
    """Take a file into the study.

    Rows at fault go into quarantine, whole and with their reasons, and into ``output/quarantine/`` for people to correct; the
    others are stored. That file, corrected and imported, adds its rows to what stands. What is wrong with a column, or with
    the short lists of institutions and arms, refuses the whole file, and so does a file without any row that can be stored.

    The file is kept in ``data/`` under its own name (or a numbered one, if another file or another mapping has that name),
    with its mapping beside it; if other files explain it, with them in a folder of its own. The same file again changes
    nothing and says so; another file for the same table and wave takes the place of the first if it has all its units, and
    both stay in the ledger. If a file is refused, nothing is stored or kept. What is wrong with any row is also written for
    people into ``output/problems/``, a page for each institution.

    Parameters
    ----------
    study : Study or StudyFolder
    path : str or Path
        CSV or XLSX, or a corrected file from ``output/quarantine/``.
    table : str
        One of `IMPORTABLE`: "institutions", "screening", "goals".
        Where the wave alone is given: "staff_survey" if the file has a ``respondent_id``, by its header or its mapping, or if
        nothing else is collected at the wave; else "screening".
    wave : str, optional
        For screening and staff_survey.
    mapping : str or Path, optional
        Default: ``<file>.mapping.yaml`` or ``<file>.mapping.xlsx`` beside the file, if it is there; for a correction, the mapping
        of the file corrected.
    part : str, optional
        The name of the part that the file is, if the table, or a wave of it, comes in several files: one for each municipality,
        or one for each questionnaire, which are then joined by child. Each part is imported, replaced and corrected by itself.
    replace : bool
        Let the file take the place of one that has units, or answers, which this one has not: they vanish.
    dry_run : bool
        Check everything, store and keep nothing.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`. The steps are reading, checking and storing.

    Raises
    ------
    DataProblems
        Every fault of the file, if no row of it can be stored.
    Refusal
        If the study does not collect this, if units would vanish (STO-013), or if another process holds the data.
    """
    plan, read = plan_of(study), None
    if table is None:
        table, read = _table_at(plan, Path(path), wave, mapping)
    if table not in IMPORTABLE:
        UNKNOWN_TABLE.refuse(found=table, expected=", ".join(IMPORTABLE))
    waves = plan.collected_waves(table)
    if waves and wave is None:
        NO_WAVE.refuse(table=table, waves=", ".join(waves))
    schema = table_schema(table, plan, wave, part_name(part, table))
    step = stoppable(progress, cancel)
    return _with_pages(plan, Path(path), schema, mapping, read, replace=replace, dry_run=dry_run, progress=step)


def import_as_read(
    study: Study,
    path: Path,
    schema: TableSchema,
    read: RawTable,
    mapping: Path | None,
    *,
    replace: bool,
    dry_run: bool,
    progress: Progress,
    cancel: Cancel,
) -> ImportReport:
    """Take in a file that was read already, as `import_file` does; it is refused if it changed since."""
    step = stoppable(progress, cancel)
    return _with_pages(study, path, schema, mapping, read, replace=replace, dry_run=dry_run, progress=step)


def _with_pages(
    plan: Study,
    path: Path,
    schema: TableSchema,
    mapping: str | Path | None,
    read: RawTable | None,
    *,
    replace: bool,
    dry_run: bool,
    progress: Progress,
) -> ImportReport:
    """Take a file in, and write the pages about what is wrong with it."""
    step = by_phases(progress, SHARES)
    try:
        report = _taken_in(plan, path, schema, mapping, replace=replace, dry_run=dry_run, progress=step, read=read)
    except DataProblems as error:
        if not dry_run:
            error.pages = _from_folder(plan, write_refused_pages(plan, error, schema))
        raise
    return report if dry_run else dataclasses.replace(report, pages=_from_folder(plan, write_problem_pages(plan, report)))


def _table_at(study: Study, path: Path, wave: str | None, mapping: str | Path | None) -> tuple[str, RawTable | None]:
    """Return the table of a file of which the wave alone is told; and the file, if it was read because it could be of either."""
    if wave is None:
        NO_TABLE.refuse(path.name)
    collected = [table for table in BY_WAVE if wave in study.collected_waves(table)]
    if len(collected) < 2:
        return collected[0] if collected else BY_WAVE[0], None
    incoming = IncomingFile.at(path, table_schema(collected[0], study, wave), mapping=mapping, study=study)
    raw = incoming.read()
    return table_at_wave(study, wave, raw.columns, incoming.mapping), raw


def import_again(study: Study, path: Path, table: str, wave: str | None, part: str) -> None:
    """Take in what a ledger says was taken in, where a study is made again.

    So also a file of which only rows that wait are left, because a child withdrew. No pages are written.

    Raises
    ------
    DataProblems, Refusal
        As `import_file`.
    """
    _taken_in(study, path, table_schema(table, study, wave, part), None, replace=True, may_all_wait=True)


def _from_folder(study: Study, pages: Sequence[Path]) -> tuple[str, ...]:
    return tuple(page.relative_to(study.folder).as_posix() for page in pages)


def _taken_in(
    study: Study,
    path: Path,
    schema: TableSchema,
    mapping: str | Path | None,
    *,
    replace: bool,
    dry_run: bool = False,
    may_all_wait: bool = False,
    progress: Progress = unheard,
    read: RawTable | None = None,
) -> ImportReport:
    """Take a file in, read already or not: the faulty rows into quarantine, the others into the store."""
    if schema.name == "allocation" and not study.randomisation.drawn_elsewhere:
        DRAWN_HERE.refuse(path.name)
    store = Store.of(study)
    progress(READING, 0)
    incoming = dataclasses.replace(IncomingFile.at(path, schema, mapping=mapping, study=study), may_all_wait=may_all_wait)
    raw = incoming.read(lambda done, total: progress(READING, done / total)) if read is None else read
    file = mapped_correction(incoming, raw, store) if is_correction(raw) else mapped_file(incoming, raw)
    progress(CHECKING, 0)
    if dry_run:
        return _checked(study, store, file, replace=replace)
    with (
        files_to_keep(file.protected, incoming.path) as (whole, companions),
        kept_as_yaml(incoming.mapping_file) as mapping_file,
        keep_export(whole, mapping_file, study.folder / "data", companions, partial(is_entered, store)) as kept,
    ):
        copy = imports.Copy(kept.name, kept.sha256)
        as_received = not file.protected.changed and not is_protected(incoming.path)  # whose digest is that of what it copies
        if as_received and copy.sha256 != raw.sha256:
            CHANGED_MEANWHILE.refuse(incoming.path.name)
        report = _stored(study, store, file, copy, replace=replace, progress=progress)
    if report.already:
        kept.discard()
    return report


def _checked(study: Study, store: Store, file: MappedFile, *, replace: bool) -> ImportReport:
    """Sift a file without storing it."""
    context = stored_context(study, store, file, replace=replace)
    if context.already_imported:
        return _report(file, None, _Comparison(already=True), stored=False)
    sifted = _sifted(study, file, context)
    with store.reading() as connection:
        found = _compared(connection, file, sifted, context, replace=replace) if connection else _Comparison()
    return _report(file, sifted, found, stored=False)


def _stored(
    study: Study, store: Store, file: MappedFile, copy: imports.Copy, *, replace: bool, progress: Progress
) -> ImportReport:
    """Sift and store a file, with the files for people; sift again if another process stored something in between."""
    for _ in range(ATTEMPTS):
        context = stored_context(study, store, file, replace=replace)
        sifted = None if context.already_imported else _sifted(study, file, context)
        progress(STORING, 0)
        with file_set(store.output) as new, store.writing(new) as connection:
            if ledger.head(connection) != context.ledger_head:
                continue
            found = _Comparison(already=True)
            if sifted is not None:
                found = _compared(connection, file, sifted, context, replace=replace)
            if sifted is not None and not found.already:
                _write(connection, study, file, sifted, copy, found)
            waiting = quarantine.waiting(connection)
            write_for_people(new, ledger_frames(connection, study))
            changed = () if found.already else _changed(file, found)
            quarantine.write_files(new, waiting, study.library, changed)
            parts = imports.parts_in(connection, file.schema.name, file.schema.wave)
        return _report(file, sifted, found, stored=not found.already, waiting=waiting, copy=copy, parts=parts)
    return RESTLESS.refuse(file.incoming.path.name)


def _changed(file: MappedFile, found: _Comparison) -> tuple[str, ...]:
    """Return the files of rows in quarantine that an import may change: its own, and those of what it takes the place of."""
    parts = dict.fromkeys([file.schema.part, *(one.body.part for one in found.before)])
    return tuple(quarantine.path_of(file.schema.name, file.schema.wave or "", part) for part in parts)


def _write(
    connection: DuckDBPyConnection, study: Study, file: MappedFile, sifted: Sifted, copy: imports.Copy, found: _Comparison
) -> None:
    """Store the rows accepted, put the others into quarantine, and see that all are accounted for."""
    table, corrected = sifted.table, file.correction
    arms = write_table(connection, table, study.wave_ids, add=corrected is not None)
    raw, number = file.protected, ledger.next_number(connection)
    if table.wave is not None and corrected is None:
        labels.store_meanings(connection, number, column_meanings(file.mapped, file.schema))
    of = number
    rows, export = sifted.refused.rows, raw
    if corrected is not None and found.corrects is not None:
        of, export = found.corrects.import_id, corrected.restored(found.changed_cells)
        rows = renumbered(rows, corrected.places, corrected.raw.rows)
        quarantine.take(connection, of, [int(row) for row in corrected.raw.rows])
    for before in found.before:
        quarantine.take(connection, before.import_id)
    if len(rows):
        refused = quarantine.rejected(export, sifted.refused, file.schema.key[0], sifted.reasons(), rows)
        quarantine.put(connection, table.name, table.wave or "", of, number, refused)
    change = imports.Change(arms, found.before, found.corrects, found.takes, declares=bool(raw.labels or raw.user_missing))
    imports.enter(connection, table, file.incoming.mapping, copy, change, study.study.id)  # when all of it is stored
    refuse_unreconciled(connection, table.name, table.wave or "")


@dataclass(frozen=True, slots=True)
class _Comparison:
    """What a file finds in its place.

    Attributes
    ----------
    already : bool
        Itself.
    before : tuple of Import
        The imports that it supersedes: one, or for a whole file all parts.
    vanished : int
        How many units that costs.
    corrects : Import, optional
        The import whose rows it corrects.
    takes : mapping
        How many rows it takes over from the quarantine of each import.
    changed_cells : mapping
        The cells of a correction that a spreadsheet changed unasked, as they were.
    """

    already: bool = False
    before: tuple[imports.Import, ...] = ()
    vanished: int = 0
    corrects: imports.Import | None = None
    takes: Mapping[int, int] = field(default_factory=dict)
    changed_cells: Mapping[tuple[int, str], str] = field(default_factory=dict)


def _compared(
    connection: DuckDBPyConnection, file: MappedFile, sifted: Sifted, context: StoredContext, *, replace: bool
) -> _Comparison:
    """Compare a file with what stands in its place; refuse one that contradicts it, or would make units vanish unasked."""
    table = sifted.table
    if context.corrected is not None and file.correction is not None:
        takes = dict(context.corrected.rows_taken(file.correction))
        return _Comparison(corrects=context.corrected.original, takes=takes, changed_cells=context.changed_cells)
    stands = imports.standing(connection, table.name, table.wave)
    mapping = file.incoming.mapping
    if _stands(stands, table, mapping):
        return _Comparison(already=True)
    problems = contradictions(connection, table)  # come first, for replacing does not cure them
    if problems:
        raise DataProblems(problems)
    if not stands or table.name == "allocation":  # which is added to; nothing takes its place
        return _Comparison()
    taken = place_taken(stands, table.schema.part)
    if not taken:
        return _Comparison()
    lost = vanishing(connection, table)
    waiting = waiting_lost(connection, sifted, [one.import_id for one in taken])
    if not replace:
        refuse_vanishing(table, lost, taken[0].file, (p for p in sifted.problems if p.is_error))
        refuse_waiting_lost(table.source, waiting, taken[0].file)
    return _Comparison(before=taken, vanished=len(set(lost) | set(waiting.units)) + waiting.nameless)


def _stands(stands: Sequence[imports.Import], table: Table, mapping: MappingFile) -> bool:
    """Whether a file stands already, read in the same way, as the same part."""
    schema = table.schema
    return any(one.body.part == schema.part and one.is_of(table.sha256, schema.digest, mapping) for one in stands)


def _sifted(study: Study, file: MappedFile, stored: StoredContext) -> Sifted:
    if stored.corrected is not None and file.correction is not None:
        stored.corrected.rows_taken(file.correction)  # refuses rows that do not wait before anything is said of their cells
    sifted = file.incoming.sift(file.mapped, stored.checks)
    return sifted if file.correction is not None else _in_order(study, file, sifted)  # a correction has but a few rows


def _in_order(study: Study, file: MappedFile, sifted: Sifted) -> Sifted:
    """Refuse answers that do not go the way they are keyed, unless this very file stands already; return it with cautions."""
    table, mapping = sifted.table, file.incoming.mapping
    if table.wave is None:
        return sifted
    from asp_eval.analysis.wave_directions import file_directions  # statistics: loaded where there are answers

    found = file_directions(study, table, mapping)
    if not found:
        return sifted
    with Store.of(study).reading() as connection:
        stands = imports.standing(connection, table.name, table.wave) if connection else ()
    if _stands(stands, table, mapping):
        return sifted
    if any(problem.is_error for problem in found):
        raise DataProblems([*found, *sifted.problems])
    table = dataclasses.replace(table, warnings=(*found, *table.warnings))
    return dataclasses.replace(sifted, table=table, problems=(*found, *sifted.problems))


def _report(
    file: MappedFile,
    sifted: Sifted | None,
    found: _Comparison,
    *,
    stored: bool,
    waiting: Sequence[quarantine.Waiting] = (),
    copy: imports.Copy | None = None,
    parts: Mapping[str, int] | None = None,
) -> ImportReport:
    table: Table | None = sifted.table if sifted else None
    path = quarantine.path_of(file.schema.name, file.schema.wave or "", file.schema.part)
    waits = sum(len(one.rows) for one in waiting if one.path == path)
    counts: dict[str, Any] = {part: getattr(table, part) if table else 0 for part in imports.PARTS}
    return ImportReport(
        file=file.incoming.path.name,
        table=file.schema.name,
        wave=file.schema.wave,
        rows_read=file.mapped.rows_read,
        **counts,
        stored=stored,
        already=found.already,
        superseded=all_of(one.file for one in found.before) if found.before else None,
        vanished=counted(table, found.vanished) if table and found.vanished else None,
        corrects=found.corrects.file if found.corrects else None,
        waiting=waits,
        quarantine_file=path if waits else None,
        kept=copy.name if copy else None,
        dialect=file.protected.dialect.words,
        problems=() if found.already or not sifted else sifted.problems,
        institutions=sifted.institutions if sifted else {},
        units=sifted.units if sifted else {},
        part=file.schema.part or None,
        parts=parts or {},
    )
