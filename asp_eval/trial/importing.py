"""Importing a file: kept in ``data/``, read, mapped, validated against what is known, and stored whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from asp_eval.core.documents import write_whole
from asp_eval.core.errors import Fault, Problem
from asp_eval.trial.screening.applying import apply_mapping
from asp_eval.trial.screening.known import Known
from asp_eval.trial.screening.mapping import Mapping, load_mapping, mapping_beside
from asp_eval.trial.screening.raw import RawTable
from asp_eval.trial.screening.reading import read_raw
from asp_eval.trial.screening.schema import IMPORTABLE, UNKNOWN_TABLE, TableSchema, table_schema
from asp_eval.trial.screening.table import Table
from asp_eval.trial.screening.validation import validate
from asp_eval.trial.store import Store, children, ledger, write_ledgers
from asp_eval.trial.store.layout import fetch, stored_columns
from asp_eval.trial.store.writing import write_table
from asp_eval.trial.study.design import Study

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DRAWN_HERE = Fault(
    "STO-012", "study.yaml says that the lot is drawn here",
    "Draw it with 'asp-eval randomise'; or declare 'randomisation: {{drawn_elsewhere: true}}' and import the allocation.",
)  # fmt: skip
LOST_ROWS = Fault(
    "STO-013", "{count} of the file that stood here before ({before}) are not in this one",
    "If the two files belong together, join them into one and import that.", severity="warning",
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
        The file whose place this one took.
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
        place = f" It takes the place of {self.superseded}." if self.superseded else ""
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
    dry_run: bool = False,
) -> ImportReport:
    """Take a file into the study.

    The file is first kept in ``data/`` under its own name (or, if another file has that name, a numbered one). The same
    file again changes nothing and says so; another file for the same table and wave takes the place of the first, and
    both stay in the ledger. If anything is wrong, nothing is stored or kept.

    Parameters
    ----------
    study : Study
    path : str or Path
        CSV or XLSX.
    table : {"institutions", "allocation", "children", "screening", "staff_survey"}
    wave : str, optional
        For screening and staff_survey.
    mapping : str or Path, optional
        Default: ``<file>.mapping.yaml`` beside the file, if it is there.
    dry_run : bool
        Check everything, store and keep nothing.

    Raises
    ------
    DataProblems
        Every fault of the file.
    Refusal
        If the study does not collect this, or another process holds the data.
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
    if dry_run:
        return _checked(study, store, _read(file, chosen, schema), schema, chosen)
    with _kept([file, *([beside] if beside else [])], study.folder / "data") as kept:
        raw = _read(kept.copies[0] if kept.copies else file, chosen, schema)
        report = _stored(study, store, raw, schema, chosen)
        if report.already:
            kept.discard()
    write_ledgers(study)
    return report


def _read(file: Path, mapping: Mapping, schema: TableSchema) -> RawTable:
    return apply_mapping(read_raw(file, mapping.format), mapping, schema.names)


def _checked(study: Study, store: Store, raw: RawTable, schema: TableSchema, mapping: Mapping) -> ImportReport:
    """Validate a file without storing it."""
    known, _ = _known(study, store, schema)
    table = validate(raw, schema, study=study, known=known)
    with store.reading() as connection:
        before = ledger.standing(connection, schema.name, schema.wave) if connection else None
    return _report(table, stored=False, already=before is not None and before.is_of(table, mapping), superseded=None)


def _stored(study: Study, store: Store, raw: RawTable, schema: TableSchema, mapping: Mapping) -> ImportReport:
    """Validate and store a file; validate again if another process stored something in between."""
    for _ in range(ATTEMPTS):
        known, state = _known(study, store, schema)
        table = validate(raw, schema, study=study, known=known)
        with store.writing() as connection:
            if ledger.state(connection) != state:
                continue
            before = ledger.standing(connection, schema.name, schema.wave)
            if before is not None and before.is_of(table, mapping):
                return _report(table, stored=False, already=True, superseded=None)
            if table.name == "allocation":  # is added to; nothing takes its place
                before = None
            lost = _lost(connection, table, before.file) if before else ()
            write_table(connection, table, study.wave_ids)
            ledger.enter(connection, table, mapping, supersedes=before)
        return _report(table, stored=True, already=False, superseded=before.file if before else None, lost=lost)
    return RESTLESS.refuse(raw.source)


def _known(study: Study, store: Store, schema: TableSchema) -> tuple[Known, tuple[int, int]]:
    """Return what the store knows that a file is checked against, and the state of the store it was read in."""
    waves = study.wave_ids
    own = schema.wave or children.REGISTER
    before = frozenset([children.REGISTER, *waves[: waves.index(own)]]) if schema.wave else frozenset()
    with store.reading() as connection:
        if connection is None:
            return Known(), (0, 0)
        names = {
            name: frozenset(fetch(connection, f"SELECT institution_id FROM {name}")["institution_id"])
            if stored_columns(connection, name)
            else frozenset()
            for name in ("institutions", "allocation")
        }
        reports = children.known_reports(connection, waves, but=own)
        state = ledger.state(connection)
    return Known(names["institutions"], names["allocation"], reports, before), state


def _lost(connection: DuckDBPyConnection, table: Table, before: str) -> tuple[Problem, ...]:
    """Say how many children or respondents of the file before are not in this one: two parts of a wave are not two versions."""
    unit = table.schema.key[0]
    source = {"screening": "child_reports", "children": "child_reports"}.get(table.name, table.name)
    condition = "" if table.name == "institutions" else "WHERE wave = ?"
    values: list[object] = [] if table.name == "institutions" else [table.wave or children.REGISTER]
    stored = fetch(connection, f"SELECT {unit} FROM {source} {condition}", values)[unit]
    count = int((~stored.isin(table.frame[unit])).sum())
    return (LOST_ROWS.at(table.source, count=f"{count} rows", before=before),) if count else ()


def _report(table: Table, *, stored: bool, already: bool, superseded: str | None, lost: tuple[Problem, ...] = ()) -> ImportReport:
    return ImportReport(
        file=table.source, table=table.name, wave=table.wave, rows_read=table.rows_read, accepted=table.accepted,
        unanswered=table.unanswered, filtered=table.filtered, collapsed=table.collapsed, stored=stored, already=already,
        superseded=superseded, dialect=str(table.dialect), warnings=(*table.warnings, *lost),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Kept:
    """Copies of files, and which of them are new."""

    copies: list[Path] = field(default_factory=list)
    new: list[Path] = field(default_factory=list)

    def discard(self) -> None:
        """Take away the copies that are new."""
        for copy in self.new:
            copy.unlink(missing_ok=True)


@contextmanager
def _kept(files: list[Path], folder: Path) -> Iterator[_Kept]:
    """Keep copies of files in a folder; after an error those that are new are taken away again."""
    kept = _Kept()
    try:
        for file in files:
            if file.is_file():
                copy, new = _copy(file, folder)
                kept.copies.append(copy)
                kept.new.extend([copy] if new else [])
        yield kept
    except BaseException:
        kept.discard()
        raise


def _copy(file: Path, folder: Path) -> tuple[Path, bool]:
    """Copy a file under its own name, or a numbered one if another file has that name; say whether it is new."""
    if file.resolve().parent == folder.resolve():
        return file, False
    content = file.read_bytes()
    names = (file.name if number == 1 else f"{file.stem}-{number}{file.suffix}" for number in count(1))
    copy = next(folder / name for name in names if not (folder / name).exists() or (folder / name).read_bytes() == content)
    new = not copy.exists()
    if new:
        write_whole(copy, content)
    return copy, new
