"""The one path of a file into the study: read, protected, mapped, sifted; each state has its type.

========================  =====================  ==============================================================
stage                     returns                what it does
========================  =====================  ==============================================================
`IncomingFile.read`       `RawTable`             every cell text, under the export's own names
`IncomingFile.protect`    `ProtectedTable`       ids of persons become pseudonyms; what identifies is emptied or refused
`IncomingFile.map`        `MappedTable`          our names and values, as the mapping says
`IncomingFile.sift`       `Sifted`, a `Table`    rows that can be stored, and rows at fault with the reasons
========================  =====================  ==============================================================

A stage accepts only what the one before returns. ``asp-eval import``, its dry run, `read_table` and the proposer all go this
way, so that what one of them refuses, each refuses.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asp_eval.core.errors import DataProblems, Fault
from asp_eval.intake.checks.certain_columns import contradicted_columns
from asp_eval.intake.checks.context import CheckContext
from asp_eval.intake.checks.damaged_ids import damaged_before
from asp_eval.intake.checks.declared_answers import contradicted_answers
from asp_eval.intake.checks.several_waves import more_waves
from asp_eval.intake.checks.suspicions import absences
from asp_eval.intake.checks.validation import Sifted, sift
from asp_eval.intake.correction_files import Correction, correction_format, is_correction
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.export import Export, Progress, quiet
from asp_eval.intake.files.protected import ProtectedTable
from asp_eval.intake.files.raw import RawTable, TextTable
from asp_eval.intake.files.readers.refi_excerpts import NAME as REFI_EXCERPTS
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.files.refi_project import is_project
from asp_eval.intake.mapping.applying import MappedTable, apply_mapping
from asp_eval.intake.mapping.drift import column_meanings, drift
from asp_eval.intake.mapping.mapping import Mapping, load_mapping, mapping_beside
from asp_eval.intake.mapping.unfolding import unfolded
from asp_eval.intake.privacy.keys import lies_in_study, load_key
from asp_eval.intake.privacy.protection import protect, refuse_persons_in
from asp_eval.intake.table import Table
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import EXCERPTS, TableSchema

EXPOSED = Fault(
    "SCR-149",
    "the file identifies persons, and lies in the study folder, where no such file may be",
    "Move it out of the study folder and import it from there: a copy without what identifies persons is then kept in data/.",
)
NOT_ALONE = Fault(
    "SCR-130",
    "the file holds rows from quarantine, which are read only together with the import that they came with",
    "Take it in with 'asp-eval import', with the table and the wave of that import.",
)

_BEGINNING = 4_096  # bytes; the columns of a file from quarantine come first


@dataclass(frozen=True, slots=True, eq=False)
class IncomingFile:
    """A file to be taken in: where it is, which table it is for, and which mapping it is read with.

    Attributes
    ----------
    path : Path
    schema : TableSchema
        Of the table and wave that it is for.
    mapping : Mapping
    mapping_file : Path, optional
        Where the mapping stands, if in a file: it is kept with the export.
    study : Study, optional
        Adds checks of dates and ages, and of the folder that keys and persons must not be in.
    may_all_wait : bool
        Whether every row of it may wait: where the rows that did not are gone, as their child withdrew.
    """

    path: Path
    schema: TableSchema
    mapping: Mapping
    mapping_file: Path | None = None
    study: Study | None = None
    may_all_wait: bool = False

    @classmethod
    def at(
        cls, path: str | Path, schema: TableSchema, *, mapping: Mapping | str | Path | None = None, study: Study | None = None
    ) -> IncomingFile:
        """Return the file at a path with its mapping, by default the one beside it.

        Raises
        ------
        DataProblems
            What is wrong with the mapping; SCR-146 if a personal number stands in it.
        """
        if isinstance(mapping, Mapping):
            return cls(Path(path), schema, mapping, None, study)
        file = Path(mapping) if mapping else mapping_beside(Path(path))
        refuse_persons_in(file)
        return cls(Path(path), schema, load_mapping(file), file, study)

    @property
    def study_folder(self) -> Path | None:
        """The folder of the study, if that is known."""
        return self.study.folder_if_saved if self.study is not None else None

    def read(self, progress: Progress = quiet, memo: dict[str, Any] | None = None) -> RawTable:
        """Return the file as text.

        Parameters
        ----------
        progress : callable
        memo : dict, optional
            What a look at the file has shown already (`Export.memo`).

        Raises
        ------
        DataProblems
            SCR-001 to SCR-018 and SCR-071 to SCR-089.
        """
        return read_export(self.path, self._format, progress, memo)

    @property
    def _format(self) -> FileFormat:
        """What is known of how the file was written; for excerpts, a project is read for its selections."""
        form = self.mapping.format
        if self.schema.name == EXCERPTS and form.dialect is None and is_project(Export(self.path)):
            return form.model_copy(update={"dialect": REFI_EXCERPTS})
        return form

    def protect(self, raw: RawTable) -> ProtectedTable:
        """Return the file without what identifies persons.

        Raises
        ------
        DataProblems
            SCR-140 to SCR-148; SCR-224 to SCR-226.
        Refusal
            SCR-160 to SCR-163 if the key of the pseudonyms cannot be used, SCR-149 if the file must not be where it is.
        """
        key = load_key(self.schema.pseudonym_key, self.study_folder) if self.schema.pseudonym_key else None
        protected = protect(raw, self._written_out(raw), self.schema, key)
        if protected.changed and lies_in_study(self.path, self.study_folder):
            EXPOSED.refuse(str(self.path))
        damaged = damaged_before(raw, protected.pseudonymised, self.mapping)
        return dataclasses.replace(protected, notes=(*protected.notes, *damaged))

    def map(self, protected: ProtectedTable) -> MappedTable:
        """Return the file under our names and values, noting what the file itself says otherwise: SCR-190 to SCR-193.

        Raises
        ------
        DataProblems
            SCR-020 to SCR-023, SCR-180 to SCR-183, SCR-186, SCR-187.
        """
        mapping = self._written_out(protected)
        mapped = apply_mapping(protected, mapping, self.schema.names, self.schema.library, self.schema.key)
        contradicted = (
            *more_waves(protected, self.schema, mapping),
            *contradicted_columns(protected, self.schema, mapping),
            *contradicted_answers(mapped, self.schema, mapping),
        )
        return dataclasses.replace(mapped, notes=(*mapped.notes, *contradicted))

    def _written_out(self, export: TextTable) -> Mapping:
        """Return what the mapping says of this file at the wave that it is for."""
        return unfolded(self.mapping, self.schema.wave, export.columns, self.schema.library, export.source)

    def sift(self, mapped: MappedTable, context: CheckContext | None = None) -> Sifted:
        """Separate the rows that can be stored from those at fault.

        Parameters
        ----------
        mapped : MappedTable
        context : CheckContext, optional
            Adds checks against what is stored: institutions, allocation, other waves.

        Raises
        ------
        NothingAccepted
            Every fault of the file, if no row of it can be accepted.
        """
        sifted = sift(
            mapped, self.schema, study=self.study, context=context, mapping=self.mapping, may_all_wait=self.may_all_wait
        )
        if context is None or self.schema.wave is None or context.is_correction:  # a correction has but a few rows of its file
            return sifted
        part, found = self.schema.part, [] if self.schema.part else [*absences(sifted.table, context)]
        if context.other_wave is not None:
            wave, meanings = context.other_wave
            now = column_meanings(mapped, self.schema)
            if part:  # what else was asked is in the other parts
                meanings, now = (
                    {name: one[name] for name in one if name in two} for one, two in ((meanings, now), (now, meanings))
                )
            found += drift(meanings, now, mapped.source, wave)
        table = dataclasses.replace(sifted.table, warnings=(*found, *sifted.table.warnings))
        return dataclasses.replace(sifted, table=table, problems=(*found, *sifted.problems))


@dataclass(frozen=True, slots=True, eq=False)
class MappedFile:
    """A file that was read, protected and mapped: what is kept of it, and what is to be sifted.

    Attributes
    ----------
    incoming : IncomingFile
        With the mapping that it was read with; of a correction, that of the file it corrects.
    protected : ProtectedTable
    mapped : MappedTable
    correction : Correction, optional
        If the file holds rows from quarantine.
    """

    incoming: IncomingFile
    protected: ProtectedTable
    mapped: MappedTable
    correction: Correction[ProtectedTable] | None = None

    @property
    def schema(self) -> TableSchema:
        """The table it is for."""
        return self.incoming.schema


def read_export(path: Path, declared: FileFormat, progress: Progress = quiet, memo: dict[str, Any] | None = None) -> RawTable:
    """Read a file as its mapping declares; a file from quarantine as it is written, whatever the mapping says of its export.

    Parameters
    ----------
    path : Path
    declared : FileFormat
        What the mapping says of how the file was written.
    progress, memo : optional
        As for `read_raw`.
    """
    beginning = b""
    if path.is_file():
        with path.open("rb") as stream:
            beginning = stream.read(_BEGINNING)
    return read_raw(path, correction_format(beginning) or declared, progress=progress, memo=memo)


def refuse_correction(raw: RawTable) -> None:
    """Refuse rows from quarantine where the import they came with is not at hand.

    Raises
    ------
    DataProblems
        SCR-130.
    """
    if is_correction(raw):
        raise DataProblems([NOT_ALONE.at(raw.source)])


def mapped_file(incoming: IncomingFile, raw: RawTable) -> MappedFile:
    """Return a file, as read, protected and mapped."""
    protected = incoming.protect(raw)
    return MappedFile(incoming, protected, incoming.map(protected))


def read_table(
    path: str | Path,
    schema: TableSchema,
    *,
    mapping: Mapping | str | Path | None = None,
    study: Study | None = None,
    context: CheckContext | None = None,
) -> Table:
    """Read, protect, map and check a file; ids become pseudonyms where the study asks for it (docs/privacy.md).

    Parameters
    ----------
    path : str or Path
        CSV, XLSX, XLS, ODS, SPSS, Stata, Parquet, or what a survey system writes.
    schema : TableSchema
        ``table_schema(name, study, wave)``.
    mapping : Mapping or path, optional
        How the file's columns and labels become ours. Default: ``FILE.mapping.yaml`` beside the file, if it is there.
    study : Study, optional
        Adds checks of dates and ages, and of where the file and the keys lie.
    context : CheckContext, optional
        Adds checks against institutions, allocation and earlier files.

    Returns
    -------
    Table

    Raises
    ------
    DataProblems
        Every fault of the file: code, file, row, column, found, expected, remedy.
    Refusal
        SCR-149, SCR-160 to SCR-163: as for the import.
    """
    incoming = IncomingFile.at(path, schema, mapping=mapping, study=study)
    raw = incoming.read()
    refuse_correction(raw)
    return incoming.sift(incoming.map(incoming.protect(raw)), context).whole()
