"""What the other rooms ask of the store: whole tables out, the draw and the scores in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from asp_eval.core.csv_text import write_csv
from asp_eval.core.errors import Fault
from asp_eval.core.file_sets import NewFiles, file_set
from asp_eval.intake.checks.context import PART
from asp_eval.store import imports, ledger, quarantine
from asp_eval.store.connection import Store
from asp_eval.store.layout import as_category, empty_frame, fetch, quoted, sql_columns, stored_columns, stored_name
from asp_eval.store.ledger.seals import refuse_changed, table_digest
from asp_eval.store.parts import merged
from asp_eval.store.table_writer import add_allocation, item_columns, replace_allocation, replace_scores
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import BY_WAVE, IMPORTABLE, LISTS, base_schema, table_schema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NO_TABLE = Fault("STO-004", "the store has no such table", "Name one of its tables.")
NO_REASON = Fault(
    "STO-024",
    "a lot that was drawn is drawn again for a reason only, and none is given",
    "Say it with --why: it is kept in the ledger beside the first draw, and printed.",
)
ROWS_IN_PARTS = {"screening": ("child_id", "wave"), "staff_survey": ("respondent_id", "wave")}  # of one unit, in several files
TABLES = (*IMPORTABLE, "scores", "ledger", "import_ledger", "quarantine")
_SAID_ELSEWHERE = ("import_id", "mapping", "package_version", "imported_at", "imported_by")  # in the entry, or in its body


def table(
    study: Study,
    name: str,
    only: Mapping[str, Collection[str]] | None = None,
    columns: Sequence[str] | None = None,
    categories: Collection[str] = (),
) -> pd.DataFrame:
    """Return a stored table.

    Parameters
    ----------
    study : Study
    name : str
        ``institutions``, ``allocation``, ``children``, ``screening`` (visits), ``staff_survey``, ``staff``,
        ``interviews``, ``implementation``, ``goals``, ``scores``, ``ledger`` (its entries), ``import_ledger`` (what it says of
        files), ``quarantine``; or the answers to an instrument: ``screening_sdq-teacher-4-17``.
    only : mapping of str to collection of str, optional
        Columns of text with the values that are wanted: rows with others are not read.
    columns : sequence of str, optional
        Those that are wanted; all by default.
    categories : collection of str
        Columns of text that are wanted as categories, in alphabetical order: of many rows with few texts a tenth of the memory.

    Returns
    -------
    DataFrame
        Ids and texts as ``string`` (missing: ``pd.NA``), numbers as ``float64`` (missing: NaN), dates as
        ``datetime64[s]``, in the order they were stored. A table of which nothing was stored yet has its columns and
        no rows.

    Raises
    ------
    Refusal
        STO-004 for a table that there cannot be; STO-040 for one that is not what was stored; STO-001 if another process
        holds the data.
    """
    expected = _columns(study, name)
    with Store.of(study).reading() as connection:
        found = None if connection is None else _rows(connection, name, only or {}, columns, categories)
    if found is None:
        found = empty_frame({key: kind for key, kind in expected.items() if columns is None or key in columns})
    return found.astype(dict.fromkeys(categories, "category")) if categories else found  # also a column that has no texts


def _rows(
    connection: DuckDBPyConnection,
    name: str,
    only: Mapping[str, Collection[str]],
    columns: Sequence[str] | None,
    categories: Collection[str],
) -> pd.DataFrame | None:
    """Return the rows of a stored table; None if it is not there."""
    if name == "import_ledger":
        return imports.frame(ledger.entries(connection))
    stored = stored_name(name)
    refuse_changed(connection, ledger.entries(connection), [stored])
    there = stored_columns(connection, stored)
    if not there:  # to ask for it would end a transaction that this may be inside
        return None
    whole, chosen = merged(connection, stored, ROWS_IN_PARTS.get(name, ())), "*"
    if columns is None and not only and not categories:
        return fetch(connection, whole)
    if columns is not None or categories:
        named = [key for key in there if key != PART and (columns is None or key in columns)]
        chosen = ", ".join(as_category(connection, whole, key) if key in categories else quoted(key) for key in named)
    wanted = " AND ".join(f"list_contains(?, {quoted(column)})" for column in only)
    query = f"SELECT {chosen} FROM ({whole})" + (f" WHERE {wanted}" if wanted else "")
    return fetch(connection, query, [list(values) for values in only.values()])


def table_columns(study: Study, name: str) -> tuple[str, ...]:
    """Return the columns of a stored table, as `table` gives them, without reading its rows.

    Raises
    ------
    Refusal
        As `table`.
    """
    expected = _columns(study, name)
    with Store.of(study).reading() as connection:
        if connection is None:
            return tuple(expected)
        refuse_changed(connection, ledger.entries(connection), [stored_name(name)])
        return tuple(column for column in stored_columns(connection, stored_name(name)) or expected if column != PART)


def write_allocation(
    study: Study,
    frame: pd.DataFrame,
    *,
    kind: str = "draw",
    body: Mapping[str, object] | None = None,
    beside: Mapping[str, pd.DataFrame] | None = None,
) -> ledger.Entry | None:
    """Write a draw into the ledger and the table of arms, in one transaction, and ``output/allocation.csv`` for people with it.

    Parameters
    ----------
    study : Study
    frame : DataFrame
        institution_id, arm, and what is known of stratum, seed, scheme, digest, date, source. Rows are added; what has
        an arm keeps it.
    kind : str
        The kind of entry. A ``redraw`` puts all of `frame` in the place of what was drawn, and needs a reason.
    body : mapping, optional
        What the entry says: the seed, the scheme, the digest of the list, for a redraw ``why``. The arms are added to it
        under ``arms``, so that a lot that was replaced can still be read.
    beside : mapping of str to DataFrame, optional
        Further tables for people, by the names of their files in ``output``.

    Returns
    -------
    Entry or None
        None if every institution had this arm already, and nothing was written.

    Raises
    ------
    DataProblems
        STO-011 if an institution already has another arm: a lot is drawn once.
    Refusal
        STO-024 for a redraw without a reason.
    """
    said = dict(body or {})
    if kind == ledger.RedrawBody.kind and not str(said.get("why") or "").strip():
        NO_REASON.refuse("allocation")
    schema = table_schema("allocation", study)
    kept = frame[[name for name in schema.names if name in frame]].copy()
    for field in schema.fields:
        if field.kind == "string" and field.name in kept:
            kept[field.name] = kept[field.name].astype("string")
    with file_set(Store.of(study).output) as new, Store.of(study).writing(new) as connection:
        if kind == ledger.RedrawBody.kind:
            arms = replace_allocation(connection, schema, kept)
        else:
            arms = add_allocation(connection, schema, kept, "allocation")
        entry = ledger.append(connection, ledger.new_body(kind, said | {"arms": arms}), study.study.id) if arms else None
        write_for_people(new, ledger_frames(connection, study) | dict(beside or {}))
    return entry


def write_scores(
    study: Study,
    frame: pd.DataFrame,
    instruments: Mapping[str, str] | None = None,
    refuse_moved: Callable[[], None] = lambda: None,
) -> None:
    """Store scores in place of all that were there, and enter them in the ledger, unless the same stand already.

    Parameters
    ----------
    study : Study
    frame : DataFrame
        One row per unit, wave and scale (``data_schema/scores.json``); texts may be categories.
    instruments : mapping of str to str, optional
        Digests of the instruments, by id.
    refuse_moved : callable
        Is called before anything is stored, and refuses if the answers are others than those that were scored.
    """
    schema = base_schema("scores")
    kept = frame[[name for name in schema.names if name in frame]].copy()
    for field in schema.fields:
        if field.name in kept and not isinstance(kept[field.name].dtype, pd.CategoricalDtype):
            kept[field.name] = kept[field.name].astype("float64" if field.numeric else "string")
    with file_set(Store.of(study).output) as new, Store.of(study).writing(new) as connection:
        refuse_moved()
        before = table_digest(connection, "scores")
        replace_scores(connection, schema, kept)
        if table_digest(connection, "scores") != before:
            ledger.append(connection, ledger.ScoreBody(scores=len(kept), instruments=dict(instruments or {})), study.study.id)
            write_for_people(new, ledger_frames(connection, study))


def ledger_frames(connection: DuckDBPyConnection, study: Study) -> dict[str, pd.DataFrame]:
    """Return the ledger and the allocation as they are inside a transaction, by the names of their files.

    The ledger has one row per entry of every kind. What it says of a file as of now stands in columns of its own; what was
    written stands in ``body``, so that the chain can be checked from this table alone.
    """
    chain = ledger.entries(connection)
    allocation = (
        fetch(connection, "SELECT * FROM allocation")
        if stored_columns(connection, "allocation")
        else empty_frame(_columns(study, "allocation"))
    )
    return {"ledger": _for_people(chain), "allocation": allocation}


def _for_people(chain: Sequence[ledger.Entry]) -> pd.DataFrame:
    imported = {row["import_id"]: row for row in imports.rows(chain)}
    rows = [asdict(entry) | imported.get(entry.entry, {}) for entry in chain]
    seals = ("body", "previous", "digest")
    written = [name for name in ledger.COLUMNS if name not in seals]
    now = [name for name in imports.COLUMNS if name not in (*written, *_SAID_ELSEWHERE)]
    return pd.DataFrame(rows, columns=[*written, *now, *seals], dtype=object)


def write_for_people(new: NewFiles, frames: Mapping[str, pd.DataFrame]) -> None:
    """Write the ledger, the allocation and other tables as CSV into ``output``, where people read them.

    Parameters
    ----------
    new : NewFiles
        Of the transaction that the tables are read in.
    frames : mapping of str to DataFrame
        By the names of the files; one without rows is not written.
    """
    for file, frame in frames.items():
        if len(frame):
            write_csv(new.path(f"{file}.csv"), frame)


def _columns(study: Study, name: str) -> dict[str, str]:
    """Return the columns a table has when it is empty."""
    if name in (sealed := {"ledger": ledger.COLUMNS, "import_ledger": imports.COLUMNS, "quarantine": quarantine.COLUMNS}):
        return sealed[name]
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
    schemas = [table_schema(kind, study, wave) for wave in study.collected_waves(kind)] or [base_schema(kind)]
    schema = next((schema for schema in schemas if form in schema.forms), schemas[0])
    if not form:
        return sql_columns(field for field in schema.base if field.name not in schema.child_columns)
    return item_columns(schema, form)
