"""What the other rooms ask of the store: whole tables out, the draw and the scores in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.tables import write_csv
from asp_eval.trial.screening.schema import BY_WAVE, IMPORTABLE, LISTS, base_schema, table_schema
from asp_eval.trial.store import ledger
from asp_eval.trial.store.connection import Store
from asp_eval.trial.store.layout import empty_frame, fetch, quoted, sql_columns, stored_columns, stored_name
from asp_eval.trial.store.writing import add_allocation, item_columns, replace_scores
from asp_eval.trial.study.design import Study

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NO_TABLE = Fault("STO-004", "the store has no such table", "Name one of its tables.")
TABLES = (*IMPORTABLE, "scores", "import_ledger")


def table(study: Study, name: str) -> pd.DataFrame:
    """Return a stored table.

    Parameters
    ----------
    study : Study
    name : str
        ``institutions``, ``allocation``, ``children``, ``screening`` (visits), ``staff_survey``, ``staff``,
        ``interviews``, ``implementation``, ``scores``, ``import_ledger``; or the answers to an instrument:
        ``screening_sdq-teacher-4-17``.

    Returns
    -------
    DataFrame
        Ids and texts as ``string`` (missing: ``pd.NA``), numbers as ``float64`` (missing: NaN), dates as
        ``datetime64[s]``, in the order they were stored. A table of which nothing was stored yet has its columns and
        no rows.

    Raises
    ------
    Refusal
        STO-004 for a table that there cannot be; STO-001 if another process holds the data.
    """
    expected = _columns(study, name)
    import duckdb

    with Store(study.folder).reading() as connection:
        if connection is None:
            return empty_frame(expected)
        try:  # to look into the catalogue first takes longer than to read a table
            return fetch(connection, f"SELECT * FROM {quoted(stored_name(name))}")
        except duckdb.CatalogException:
            return empty_frame(expected)


def write_allocation(study: Study, frame: pd.DataFrame) -> None:
    """Write a draw into the allocation ledger, and ``output/allocation.csv`` for people.

    Parameters
    ----------
    study : Study
    frame : DataFrame
        institution_id, arm, and what is known of stratum, seed, scheme, digest, date, source. Rows are added; what has
        an arm keeps it.

    Raises
    ------
    DataProblems
        STO-011 if an institution already has another arm: a lot is drawn once.
    """
    schema = table_schema("allocation", study)
    kept = frame[[name for name in schema.names if name in frame]].copy()
    for field in schema.fields:
        if field.kind == "string" and field.name in kept:
            kept[field.name] = kept[field.name].astype("string")
    with Store(study.folder).writing() as connection:
        add_allocation(connection, schema, kept, "allocation")
        ledgers = ledger_frames(connection, study)
    write_ledgers(study, ledgers)


def write_scores(study: Study, frame: pd.DataFrame) -> None:
    """Store scores in place of all that were there: one row per unit, wave and scale (``data_schema/scores.json``)."""
    schema = base_schema("scores")
    kept = frame[[name for name in schema.names if name in frame]].copy()
    for field in schema.fields:
        if field.name in kept:
            kept[field.name] = kept[field.name].astype("float64" if field.numeric else "string")
    with Store(study.folder).writing() as connection:
        replace_scores(connection, schema, kept)


def ledger_frames(connection: DuckDBPyConnection, study: Study) -> dict[str, pd.DataFrame]:
    """Return the import ledger and the allocation as they are inside a transaction, by the names of their files."""
    ledgers = {"ledger": "import_ledger", "allocation": "allocation"}
    frames = {
        file: fetch(connection, f"SELECT * FROM {name}")
        if stored_columns(connection, name)
        else empty_frame(_columns(study, name))
        for file, name in ledgers.items()
    }
    return frames | {"ledger": frames["ledger"].drop(columns="mapping")}


def write_ledgers(study: Study, frames: Mapping[str, pd.DataFrame]) -> None:
    """Write the import ledger and the allocation, once they are stored, as CSV into ``output/``, for people."""
    for file, frame in frames.items():
        if len(frame):
            write_csv(study.folder / "output" / f"{file}.csv", frame)


def _columns(study: Study, name: str) -> dict[str, str]:
    """Return the columns a table has when it is empty."""
    if name == "import_ledger":
        return ledger.COLUMNS
    if name == "scores":
        return sql_columns(base_schema(name).fields)
    if name in ("institutions", "allocation", "children", *LISTS):
        columns = sql_columns(table_schema(name, study).fields)
        places = dict.fromkeys(("child_id", "institution_id", "first_wave"), "VARCHAR")
        return places | columns if name == "children" else columns
    kind = next((kind for kind in BY_WAVE if name == kind or name.startswith(f"{kind}_")), None)
    if kind is None:
        NO_TABLE.refuse(found=name, expected=", ".join(TABLES))
    return _answer_columns(study, kind, name.removeprefix(kind).removeprefix("_"))


def _answer_columns(study: Study, kind: str, form: str) -> dict[str, str]:
    collection = study.collect.screening if kind == "screening" else study.collect.staff_survey
    schema = table_schema(kind, study, collection.waves[0]) if collection else base_schema(kind)
    if not form:
        return sql_columns(field for field in schema.base if field.name not in schema.child_columns)
    return item_columns(schema, form)
