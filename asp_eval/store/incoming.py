"""A file as it arrives: read, freed of what identifies persons, and under our names; also one that comes back from quarantine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from asp_eval.core.errors import Fault
from asp_eval.intake.correction_files import Correction, correction, declaring, is_correction, told_by
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.export import Progress, quiet
from asp_eval.intake.files.protected import Protected, protected_copy
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.mapping.applying import apply_mapping
from asp_eval.intake.mapping.mapping import Mapping, load_mapping, mapping_beside
from asp_eval.intake.mapping.recoding import LABEL_NOT_MET
from asp_eval.intake.privacy.keys import load_key
from asp_eval.intake.privacy.protection import protect, refuse_persons_in
from asp_eval.intake.privacy.pseudonyms import PseudonymKey
from asp_eval.store.connection import Store
from asp_eval.store.corrections import correcting
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import TableSchema

EXPOSED = Fault(
    "SCR-149", "the file identifies persons, and lies in the study folder, where no such file may be",
    "Move it out of the study folder and import it from there: a copy without what identifies persons is then kept in data/.",
)  # fmt: skip

BEGINNING = 4_096  # bytes; the columns of a file from quarantine come first


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A file as it was given: read, and freed of what identifies persons.

    Attributes
    ----------
    file : Path
    schema : TableSchema
    mapping : Mapping
        The one beside the file or named; of a correction, else that of the file it corrects.
    beside : Path, optional
        The mapping that is kept with it.
    protected : Protected
        The export's own columns.
    correction : Correction, optional
    rows : RawTable
        Under our names.
    """

    file: Path
    schema: TableSchema
    mapping: Mapping
    beside: Path | None
    protected: Protected
    correction: Correction | None
    rows: RawTable

    @property
    def sha256(self) -> str:
        """Digest of the file as received."""
        return self.protected.raw.sha256


def arrived(
    study: Study, store: Store, file: Path, schema: TableSchema, mapping: str | Path | None, progress: Progress = quiet
) -> Given:
    """Return a file as it was given.

    Parameters
    ----------
    study : Study
    store : Store
        Tells of a correction what it corrects.
    file : Path
    schema : TableSchema
        Of the table and wave that it is for.
    mapping : str or Path, optional
        Default: the one beside the file.
    progress : callable, optional
        As for `read_raw`.

    Raises
    ------
    DataProblems
        If the file, or its mapping, cannot be read.
    Refusal
        STO-031 for a correction of what does not stand.
    """
    beside = Path(mapping) if mapping else mapping_beside(file)
    refuse_persons_in(beside)
    chosen = load_mapping(beside)
    key = load_key(schema.pseudonym_key, study.folder) if schema.pseudonym_key else None
    raw = read_raw(file, _told_by(file) or chosen.format, progress=progress)
    if is_correction(raw):
        return _correction(study, store, _Unmapped(file, schema, chosen, beside, raw, key))
    protected = protect(raw, chosen, schema, key)
    return Given(file, schema, chosen, beside, protected, None, apply_mapping(protected.raw, chosen, schema.names))


@dataclass(frozen=True, slots=True, eq=False)
class _Unmapped:
    """A corrected file before it is known what it corrects."""

    file: Path
    schema: TableSchema
    mapping: Mapping
    beside: Path | None
    raw: RawTable
    key: PseudonymKey | None


def _correction(study: Study, store: Store, given: _Unmapped) -> Given:
    """Return a correction, read as the file that it corrects was read."""
    schema = given.schema
    with store.reading() as connection:
        found = correcting(connection, correction(given.raw), schema.name, schema.wave)
    mapping = given.mapping if given.beside else found.mapping
    protected = protect(given.raw, mapping, schema, given.key)
    corrected = correction(protected.raw)
    said = found.root.said
    dialect = replace(given.raw.dialect, decimal=said["decimal"], dates=said["dates"])
    export = replace(corrected.raw, dialect=dialect)
    if said["declares"]:
        export = declaring(export, read_raw(study.folder / "data" / found.root.file, mapping.format))
    rows = corrected.numbered_as_written(apply_mapping(export, mapping, schema.names))
    rows = replace(rows, notes=tuple(note for note in rows.notes if note.code != LABEL_NOT_MET.code))  # they are but a few rows
    return Given(given.file, schema, mapping, given.beside, protected, corrected, rows)


def _told_by(file: Path) -> FileFormat | None:
    """Return how a file from quarantine was written; None for any other file."""
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        return told_by(stream.read(BEGINNING))


@contextmanager
def to_keep(study: Study, given: Given) -> Iterator[tuple[Path, Sequence[Path]]]:
    """Yield the file that is kept and those that explain it: the export, or a copy without what identifies persons."""
    if not given.protected.changed:
        companions = given.protected.raw.dialect.companions
        yield given.file, tuple(given.file.with_name(name) for name, _ in companions)
        return
    if given.file.resolve().is_relative_to(study.folder):
        EXPOSED.refuse(str(given.file))
    with TemporaryDirectory() as folder:
        copy, origin = protected_copy(given.protected, given.file).write(Path(folder))
        yield copy, (origin,)
