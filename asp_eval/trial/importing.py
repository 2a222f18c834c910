"""Importing a file: kept in ``data/``, read, mapped, validated against what is known, and stored whole or not at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.trial.screening.applying import apply_mapping
from asp_eval.trial.screening.keys import load_key
from asp_eval.trial.screening.known import Known
from asp_eval.trial.screening.mapping import Mapping, load_mapping, mapping_beside
from asp_eval.trial.screening.privacy import Protected, protect
from asp_eval.trial.screening.protected import protected_copy
from asp_eval.trial.screening.pseudonyms import PseudonymKey
from asp_eval.trial.screening.raw import RawTable
from asp_eval.trial.screening.reading import companions_of, read_raw
from asp_eval.trial.screening.schema import IMPORTABLE, UNKNOWN_TABLE, TableSchema, table_schema
from asp_eval.trial.screening.table import Table
from asp_eval.trial.screening.validation import validate
from asp_eval.trial.store import Store, children, imports, ledger, ledger_frames, write_ledgers
from asp_eval.trial.store.keeping import kept
from asp_eval.trial.store.layout import fetch, stored_columns
from asp_eval.trial.store.replacing import counted, refuse_vanishing, vanishing
from asp_eval.trial.store.writing import contradictions, write_table
from asp_eval.trial.study.design import Study

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

DRAWN_HERE = Fault(
    "STO-012", "study.yaml says that the lot is drawn here",
    "Draw it with 'asp-eval randomise'; or declare 'randomisation: {{drawn_elsewhere: true}}' and import the allocation.",
)  # fmt: skip
EXPOSED = Fault(
    "SCR-149", "the file identifies persons, and lies in the study folder, where no such file may be",
    "Move it out of the study folder and import it from there: a copy without what identifies persons is then kept in data/.",
)  # fmt: skip
RESTLESS = Fault("STO-014", "the data changed again and again while the file was checked", "Give the command again.")

ATTEMPTS = 3  # times a file is validated again because another process stored something meanwhile


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file. ``rows_read = accepted + unanswered + filtered + collapsed``.

    Attributes
    ----------
    file, table, wave
    rows_read, accepted, unanswered, filtered, collapsed : int
        Rows of the file; stored; without any answer; left out by the declared filter; merged into one row per unit.
    stored : bool
        False for a dry run, and for a file that stands already.
    already : bool
        Whether the same file, read in the same way, stood already.
    superseded : str, optional
        The file whose place this one took, or would take.
    vanished : str, optional
        How many units of that file are gone, as was asked for: ``"2 children"``.
    dialect : str
        How the file was written, as detected.
    warnings : tuple of Problem
    """

    file: str
    table: str
    wave: str | None
    rows_read: int
    accepted: int
    unanswered: int
    filtered: int
    collapsed: int
    stored: bool
    already: bool
    superseded: str | None
    vanished: str | None
    dialect: str
    warnings: tuple[Problem, ...]

    def __str__(self) -> str:
        where = f"{self.table} at {self.wave}" if self.wave else self.table
        parts = [("stored", self.accepted), ("without answers", self.unanswered), ("filtered out", self.filtered)]
        shown = ", ".join(f"{n} {word}" for word, n in [*parts, ("merged", self.collapsed)] if n or word == "stored")
        if self.already:
            return f"{self.file} stands in {where} already; nothing was changed."
        if not self.stored:
            return f"{self.file} ({self.dialect}): {self.rows_read} rows for {where} could be stored as {shown}. Nothing was."
        gone = f"; gone with that: {self.vanished}" if self.vanished else ""
        place = f" It takes the place of {self.superseded}{gone}." if self.superseded else ""
        return f"{self.file} ({self.dialect}): {self.rows_read} rows for {where}: {shown}.{place}"

    def as_dict(self) -> dict[str, object]:
        """Return the report as plain values."""
        names = [name for name in self.__slots__ if name != "warnings"]
        return {name: getattr(self, name) for name in names} | {"warnings": [problem.as_dict() for problem in self.warnings]}


def import_file(
    study: Study,
    path: str | Path,
    table: str,
    *,
    wave: str | None = None,
    mapping: str | Path | None = None,
    replace: bool = False,
    dry_run: bool = False,
) -> ImportReport:
    """Take a file into the study.

    The file is first kept in ``data/`` under its own name (or a numbered one, if another file or another mapping has that
    name), with its mapping beside it; if other files explain it, with them in a folder of its own. The same file again changes
    nothing and says so; another file for the same table and wave takes the place of the first if it has all its units, and
    both stay in the ledger. If anything is wrong, nothing is stored or kept.

    Parameters
    ----------
    study : Study
    path : str or Path
        CSV or XLSX.
    table : {"institutions", "allocation", "children", "screening", "staff_survey", "staff", "interviews", "implementation"}
    wave : str, optional
        For screening and staff_survey.
    mapping : str or Path, optional
        Default: ``<file>.mapping.yaml`` beside the file, if it is there.
    replace : bool
        Let the file take the place of one that has units, or answers, which this one has not: they vanish.
    dry_run : bool
        Check everything, store and keep nothing.

    Raises
    ------
    DataProblems
        Every fault of the file.
    Refusal
        If the study does not collect this, if units would vanish (STO-013), or if another process holds the data.
    """
    if table not in IMPORTABLE:
        UNKNOWN_TABLE.refuse(found=table, expected=", ".join(IMPORTABLE))
    if table == "allocation" and not study.randomisation.drawn_elsewhere:
        DRAWN_HERE.refuse(Path(path).name)
    schema = table_schema(table, study, wave)
    file = Path(path)
    beside = Path(mapping) if mapping else mapping_beside(file)
    chosen = load_mapping(beside)
    store = Store(study.folder)
    protected = protect(read_raw(file, chosen.format), chosen, schema, _key(study, schema))
    if dry_run:
        return _checked(study, store, _mapped(protected.raw, chosen, schema), schema, chosen, replace=replace)
    with (
        _to_keep(study, file, chosen, protected) as (whole, companions),
        kept(whole, beside, study.folder / "data", companions) as keeping,
    ):
        raw = _mapped(dataclasses.replace(protected.raw, source=keeping.name), chosen, schema)
        stored = _stored(study, store, raw, schema, chosen, replace=replace, kept_sha256=keeping.sha256)
        if stored.report.already:
            keeping.discard()
    write_ledgers(study, stored.ledgers)  # out here: if it fails, the file is stored all the same, and must be kept
    return stored.report


def _key(study: Study, schema: TableSchema) -> PseudonymKey | None:
    """Return the key of the pseudonyms that a table's ids are replaced by, if they are."""
    return load_key(schema.pseudonym_key, study.folder) if schema.pseudonym_key else None


@contextmanager
def _to_keep(study: Study, file: Path, mapping: Mapping, protected: Protected) -> Iterator[tuple[Path, Sequence[Path]]]:
    """Yield the file that is kept and those that explain it: the export, or a copy without what identifies persons."""
    if not protected.changed:
        yield file, companions_of(file, mapping.format)
        return
    if file.resolve().is_relative_to(study.folder):
        EXPOSED.refuse(str(file))
    with TemporaryDirectory() as folder:
        copy, origin = protected_copy(protected, file).write(Path(folder))
        yield copy, (origin,)


def _mapped(raw: RawTable, mapping: Mapping, schema: TableSchema) -> RawTable:
    return apply_mapping(raw, mapping, schema.names)


def _checked(study: Study, store: Store, raw: RawTable, schema: TableSchema, mapping: Mapping, *, replace: bool) -> ImportReport:
    """Validate a file without storing it."""
    known, _ = _known(study, store, schema)
    table = validate(raw, schema, study=study, known=known)
    with store.reading() as connection:
        found = _compared(connection, table, mapping, replace=replace) if connection else _Comparison()
    return _report(table, found, stored=False)


def _stored(
    study: Study, store: Store, raw: RawTable, schema: TableSchema, mapping: Mapping, *, replace: bool, kept_sha256: str
) -> _Stored:
    """Validate and store a file; validate again if another process stored something in between."""
    for _ in range(ATTEMPTS):
        known, state = _known(study, store, schema)
        table = validate(raw, schema, study=study, known=known)
        with store.writing() as connection:
            if ledger.head(connection) != state:
                continue
            found = _compared(connection, table, mapping, replace=replace)
            if not found.already:
                arms = write_table(connection, table, study.wave_ids)
                imports.enter(connection, table, mapping, arms, supersedes=found.before, kept_sha256=kept_sha256)
            ledgers = ledger_frames(connection, study)
        return _Stored(_report(table, found, stored=not found.already), ledgers)
    return RESTLESS.refuse(raw.source)


@dataclass(frozen=True, slots=True, eq=False)
class _Stored:
    """What became of a file, and the ledgers it was entered in."""

    report: ImportReport
    ledgers: dict[str, pd.DataFrame]


@dataclass(frozen=True, slots=True)
class _Comparison:
    """What a file finds in its place: itself already, or the import it supersedes and how many units that would cost."""

    already: bool = False
    before: imports.Import | None = None
    vanished: int = 0


def _compared(connection: DuckDBPyConnection, table: Table, mapping: Mapping, *, replace: bool) -> _Comparison:
    """Compare a file with what stands in its place; refuse one that contradicts it, or would make units vanish unasked."""
    stands = imports.standing(connection, table.name, table.wave)
    if any(before.is_of(table, mapping) for before in stands):
        return _Comparison(already=True)
    problems = contradictions(connection, table)  # come first, for replacing does not cure them
    if problems:
        raise DataProblems(problems)
    if not stands or table.name == "allocation":  # which is added to; nothing takes its place
        return _Comparison()
    before = stands[0]
    lost = vanishing(connection, table)
    if not replace:
        refuse_vanishing(table, lost, before.file)
    return _Comparison(before=before, vanished=len(lost))


def _known(study: Study, store: Store, schema: TableSchema) -> tuple[Known, str]:
    """Return what the store knows that a file is checked against, and the state of the store it was read in."""
    waves = study.wave_ids
    own = schema.wave or children.REGISTER
    before = frozenset([children.REGISTER, *waves[: waves.index(own)]]) if schema.wave else frozenset()
    with store.reading() as connection:
        if connection is None:
            return Known(), ledger.NO_ENTRY
        names = {
            name: frozenset(fetch(connection, f"SELECT institution_id FROM {name}")["institution_id"])
            if stored_columns(connection, name)
            else frozenset()
            for name in ("institutions", "allocation")
        }
        reports = children.known_reports(connection, waves, but=own)
        state = ledger.head(connection)
    return Known(names["institutions"], names["allocation"], reports, before), state


def _report(table: Table, found: _Comparison, *, stored: bool) -> ImportReport:
    return ImportReport(
        file=table.source, table=table.name, wave=table.wave, rows_read=table.rows_read, accepted=table.accepted,
        unanswered=table.unanswered, filtered=table.filtered, collapsed=table.collapsed, stored=stored, already=found.already,
        superseded=found.before.file if found.before else None,
        vanished=counted(table, found.vanished) if found.vanished else None,
        dialect=str(table.dialect), warnings=table.warnings,
    )  # fmt: skip
