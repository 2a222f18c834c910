"""Tables of a study as frames, for one's own analysis; each loads what it needs when it is called."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asp_eval.workflow.study_folder import AnyStudy, plan_of

if TYPE_CHECKING:
    import pandas as pd

    from asp_eval.intake.mapping.mapping import Mapping
    from asp_eval.intake.table import Table
    from asp_eval.stats.resampling.allocations import Allocations
    from asp_eval.trial.tables.schema import TableSchema


def table(study: AnyStudy, name: str) -> pd.DataFrame:
    """Return a stored table.

    Parameters
    ----------
    study : Study or StudyFolder
    name : str
        ``institutions``, ``allocation``, ``children``, ``screening`` (visits), ``staff_survey``, ``staff``, ``interviews``,
        ``implementation``, ``goals``, ``scores``, ``ledger`` (its entries), ``import_ledger`` (what it says of files),
        ``quarantine``; or the answers to an instrument: ``screening_sdq-teacher-4-17``.

    Returns
    -------
    DataFrame
        Ids and texts as ``string`` (missing: ``pd.NA``), numbers as ``float64`` (missing: NaN), dates as
        ``datetime64[s]``, in the order they were stored. A table of which nothing was stored yet has its columns and no rows.

    Raises
    ------
    Refusal
        STO-004 for a table that there cannot be; STO-001 if another process holds the data.
    """
    from asp_eval.store import table as stored_table

    return stored_table(plan_of(study), name)


def analysis_set(study: AnyStudy, outcome: str, wave: str | None = None) -> pd.DataFrame:
    """Return the rows on which an outcome is analysed.

    Parameters
    ----------
    study : Study or StudyFolder
    outcome : str
        Identifier in study.yaml.
    wave : str, optional
        Default: the wave the outcome declares.

    Returns
    -------
    DataFrame
        One row per child: child_id, institution, arm, strata, the outcome, its baseline, the covariates.

    Raises
    ------
    Refusal
        ANA-005 for an outcome that the study does not declare.
    """
    from asp_eval.analysis.sets import analysis_set as planned_set

    return planned_set(plan_of(study), outcome, wave)


def allocations(study: AnyStudy, draws: int = 10_000, seed: int = 1) -> Allocations:
    """Return the allocations that the lot of a study could have given.

    All of them where they are few and equally probable, else a sample drawn with the study's own scheme. Institutions that
    came after the lot, and were drawn as a batch of their own, are drawn as such.

    Parameters
    ----------
    study : Study or StudyFolder
        With its institutions imported.
    draws : int
    seed : int
        Of the draws for the test, not of the lot itself.

    Raises
    ------
    Refusal, DataProblems
        If the lot was drawn elsewhere, or something is wrong with the list of institutions; RND-030 if the list or the
        declaration changed since the lot was drawn.
    """
    from asp_eval.analysis.allocations import allocations as planned_allocations

    return planned_allocations(plan_of(study), draws, seed)


def table_schema(name: str, study: AnyStudy, wave: str | None = None) -> TableSchema:
    """Return the schema of a file for a table of a study, for `read_table`.

    Parameters
    ----------
    name : str
        One of institutions, allocation, children, screening, staff_survey, staff, interviews, implementation, goals, scores.
    study : Study or StudyFolder
        Adds its own columns, and the items of the instruments it declares for the table.
    wave : str, optional
        The wave the file is for: needed for screening and staff_survey.

    Raises
    ------
    Refusal
        For an unknown table or instrument, or a wave at which the table is not collected.
    """
    from asp_eval.trial.tables.schema import table_schema as declared_schema

    return declared_schema(name, plan_of(study), wave)


def read_table(
    path: str | Path, schema: TableSchema, *, mapping: Mapping | str | Path | None = None, study: AnyStudy | None = None
) -> Table:
    """Read, map and validate a file; nothing is stored. Ids become pseudonyms where the study asks for it (docs/privacy.md).

    Parameters
    ----------
    path : str or Path
        CSV, XLSX, XLS, ODS, SPSS, Stata, Parquet, or what a survey system writes.
    schema : TableSchema
        ``asp_eval.table_schema(name, study, wave)``.
    mapping : Mapping or path, optional
        How the file's columns and labels become ours.
    study : Study or StudyFolder, optional
        Adds checks of dates and ages.

    Raises
    ------
    DataProblems
        Every fault of the file: code, file, row, column, found, expected, remedy.
    """
    from asp_eval.intake.pipeline import read_table as read

    return read(path, schema, mapping=mapping, study=None if study is None else plan_of(study))
