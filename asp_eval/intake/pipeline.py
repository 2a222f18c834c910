"""The one way in: a file becomes a `Table`, or is answered with everything that is wrong with it."""

from __future__ import annotations

from pathlib import Path

from asp_eval.intake.checks.context import Known
from asp_eval.intake.checks.validation import validate
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.mapping.applying import apply_mapping
from asp_eval.intake.mapping.mapping import Mapping, load_mapping
from asp_eval.intake.privacy.keys import load_key
from asp_eval.intake.privacy.protection import protect
from asp_eval.intake.table import Table
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import TableSchema


def read_table(
    path: str | Path,
    schema: TableSchema,
    *,
    mapping: Mapping | str | Path | None = None,
    study: Study | None = None,
    known: Known | None = None,
) -> Table:
    """Read, map and validate a file; ids become pseudonyms where the study asks for it (docs/privacy.md).

    Parameters
    ----------
    path : str or Path
        CSV, XLSX, XLS, ODS, SPSS, Stata, Parquet, or what a survey system writes.
    schema : TableSchema
        ``table_schema(name, study, wave)``.
    mapping : Mapping or path, optional
        How the file's columns and labels become ours.
    study : Study, optional
        Adds checks of dates and ages.
    known : Known, optional
        Adds checks against institutions, allocation and earlier files.

    Returns
    -------
    Table

    Raises
    ------
    DataProblems
        Every fault of the file: code, file, row, column, found, expected, remedy.
    """
    chosen = mapping if isinstance(mapping, Mapping) else load_mapping(mapping)
    key = load_key(schema.pseudonym_key) if schema.pseudonym_key else None
    protected = protect(read_raw(path, chosen.format), chosen, schema, key)
    return validate(apply_mapping(protected.raw, chosen, schema.names), schema, study=study, known=known)
