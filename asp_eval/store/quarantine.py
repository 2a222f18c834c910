"""Rows that could not be stored: kept whole, with their reasons, until a corrected file brings them again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from asp_eval.core.csv_text import unguard_formula
from asp_eval.core.documents import write_whole
from asp_eval.core.errors import Fault, Problem
from asp_eval.core.file_sets import NewFiles, file_set
from asp_eval.core.phrases import Phrase
from asp_eval.core.workbooks import sheet_to_fill_in
from asp_eval.intake.checks.duplicates import SAME_KEY, keys_of
from asp_eval.intake.correction_files import for_people, origin
from asp_eval.intake.files.protected import ProtectedTable
from asp_eval.intake.files.raw import SPACES, Rows
from asp_eval.intake.mapping.applying import MappedTable
from asp_eval.intake.mapping.unfolding import unfolded
from asp_eval.store import imports, ledger
from asp_eval.store.connection import Store
from asp_eval.store.layout import change, ensure, fetch, insert, quoted, stored_columns, typed_frame
from asp_eval.store.parts import came_with
from asp_eval.store.quarantine_reasons import as_stored
from asp_eval.trial.instruments.library import Library
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import TableSchema, at_wave, wave_options

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

WAITING = Fault(
    "STO-034",
    "{rows} in quarantine",
    "Correct {path}, where the reasons stand beside each row, then give: asp-eval import {path} --table {table}{wave}.",
    "warning",
)

COLUMNS = {
    "import_id": "BIGINT",  # the import that the row came with
    "row": "BIGINT",  # its number in that file
    "latest": "BIGINT",  # the import that brought it last: the same, or a correction
    "table_name": "VARCHAR",
    "wave": "VARCHAR",
    "institution_id": "VARCHAR",
    "key": "VARCHAR",
    "cells": "VARCHAR",  # the export's own, by column, as JSON
    "reasons": "VARCHAR",  # problems as plain values, as JSON
}
FOLDER = "output/quarantine"
MOST_IN_WORKBOOK = 5_000  # rows


@dataclass(frozen=True, slots=True, eq=False)
class Rejected:
    """The rows of a file that were refused.

    Attributes
    ----------
    rows : ndarray of int, shape (k,)
        Number of each in the file that the rows first came with.
    institutions, keys : tuple of str
        What each tells of them; empty text where a row tells nothing.
    cells : tuple of mapping
        The export's own cells, by column.
    reasons : tuple of tuple of Problem
    """

    rows: Rows
    institutions: tuple[str, ...]
    keys: tuple[str, ...]
    cells: tuple[Mapping[str, str], ...]
    reasons: tuple[tuple[Problem, ...], ...]

    def __len__(self) -> int:
        return len(self.rows)


def rejected(
    export: ProtectedTable, refused: MappedTable, key: str, reasons: Sequence[tuple[Problem, ...]], rows: Rows
) -> Rejected:
    """Return the rows refused, with the export's own cells.

    Parameters
    ----------
    export : ProtectedTable
        The file before the mapping.
    refused : MappedTable
        The rows refused, under our names.
    key : str
        Our column of the unit's id.
    reasons : sequence of tuple of Problem
        Of each row of `refused`.
    rows : ndarray of int, shape (k,)
        Number of each row of `refused` in `export`.
    """
    places = np.searchsorted(export.rows, rows) if np.all(np.diff(export.rows) > 0) else _places(export.rows, rows)
    columns = {name: column.texts[column.codes[places]] for name, column in export.columns.items()}
    cells = tuple({name: str(texts[i]) for name, texts in columns.items()} for i in range(len(rows)))

    def cells_of(name: str) -> tuple[str, ...]:
        if name not in refused.columns:
            return ("",) * len(refused)
        return tuple(str(cell).strip(SPACES) for cell in refused.columns[name].cells())

    return Rejected(rows, cells_of("institution_id"), cells_of(key), cells, tuple(reasons))


def _places(rows: Rows, wanted: Rows) -> Rows:
    order = np.argsort(rows)
    return order[np.searchsorted(rows[order], wanted)]


def numbers(connection: DuckDBPyConnection, import_id: int) -> dict[int, int]:
    """Return the rows of an import that are in quarantine: their number, and the import that brought each last."""
    if not stored_columns(connection, "quarantine"):
        return {}
    return dict(connection.execute("SELECT row, latest FROM quarantine WHERE import_id = ?", [import_id]).fetchall())


def cells(
    connection: DuckDBPyConnection, import_id: int, rows: Sequence[int]
) -> dict[int, tuple[dict[str, str], frozenset[tuple[str, str]]]]:
    """Return what rows of an import in quarantine hold, by column, and the codes of their faults with our columns."""
    if not stored_columns(connection, "quarantine"):
        return {}
    query = "SELECT row, cells, reasons FROM quarantine WHERE import_id = ? AND list_contains(?, row)"
    found = connection.execute(query, [import_id, list(rows)]).fetchall()
    return {
        row: (json.loads(said), frozenset((fault["code"], fault["column"] or "") for fault in json.loads(reasons)))
        for row, said, reasons in found
    }


def put(connection: DuckDBPyConnection, name: str, wave: str, of: int, latest: int, rows: Rejected) -> None:
    """Put rows into quarantine.

    Parameters
    ----------
    connection : DuckDBPyConnection
    name, wave : str
        Table and wave.
    of, latest : int
        The import that the rows first came with, and the one that brought them now.
    rows : Rejected
    """
    ensure(connection, "quarantine", COLUMNS)
    said = zip(rows.rows, rows.institutions, rows.keys, rows.cells, rows.reasons, strict=True)
    records = [
        {
            "import_id": of,
            "row": int(row),
            "latest": latest,
            "table_name": name,
            "wave": wave,
            "institution_id": institution or None,
            "key": key or None,
            "cells": json.dumps(dict(cells), ensure_ascii=False),
            "reasons": json.dumps([as_stored(problem) for problem in reasons], ensure_ascii=False),
        }
        for row, institution, key, cells, reasons in said
    ]
    insert(connection, "quarantine", typed_frame(records, COLUMNS))


def take(connection: DuckDBPyConnection, of: int, rows: Sequence[int] | None = None) -> None:
    """Take rows of an import out of quarantine; all, if none are named."""
    if stored_columns(connection, "quarantine"):
        wanted = "" if rows is None else " AND list_contains(?, row)"
        values = [of] if rows is None else [of, list(rows)]
        change(connection, "quarantine", f"DELETE FROM quarantine WHERE import_id = ?{wanted}", values)


def keys_stored(connection: DuckDBPyConnection, schema: TableSchema) -> frozenset[str]:
    """Return the keys that are stored of a table, wave and part, also of units without answers."""
    name = "child_reports" if schema.name in ("children", "screening") else schema.name
    there = stored_columns(connection, name)
    if not there:
        return frozenset()
    columns = ", ".join(quoted(column) for column in schema.key if column != "wave")
    wave, values = (" AND wave = ?", [schema.wave or ""]) if "wave" in there else ("", [])
    query = f"SELECT {columns} FROM {quoted(name)} WHERE {came_with(connection, name, schema.part)}{wave}"
    return frozenset(keys_of(fetch(connection, query, [*values]), schema))


def units_waiting(connection: DuckDBPyConnection, import_id: int, unit: str) -> tuple[frozenset[str], int]:
    """Return the units of an import that wait in quarantine, and how many rows wait there whose unit is not known.

    A row whose id is itself at fault may come again under another.

    Parameters
    ----------
    connection : DuckDBPyConnection
    import_id : int
    unit : str
        Column of the units' ids.
    """
    if not stored_columns(connection, "quarantine"):
        return frozenset(), 0
    rows = connection.execute("SELECT key, reasons FROM quarantine WHERE import_id = ?", [import_id]).fetchall()
    known = frozenset(key for key, reasons in rows if key and not _id_at_fault(reasons, unit))
    return known, sum(key not in known for key, _ in rows)


def _id_at_fault(reasons: str, unit: str) -> bool:
    return any(reason["column"] == unit and reason["code"] != SAME_KEY.code for reason in json.loads(reasons))


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """The rows of one import that wait in quarantine.

    Attributes
    ----------
    found : Import
        The import that they came with.
    rows : tuple of (int, mapping, tuple of mapping)
        Number, cells and reasons of each row, by number.
    """

    found: imports.Import
    rows: tuple[tuple[int, dict[str, str], tuple[dict[str, Any], ...]], ...]

    @property
    def path(self) -> str:
        """The file to edit, from the study folder."""
        body = self.found.body
        return path_of(body.table_name, body.wave, body.part)

    def _frame(self) -> pd.DataFrame:
        of = origin(self.found.import_id, self.found.body.sha256)
        return for_people(of, ((number, cells, [_in_words(r) for r in reasons]) for number, cells, reasons in self.rows))

    def workbook(self, library: Library) -> bytes:
        """Return the same as a workbook, of text cells, those at fault marked.

        Parameters
        ----------
        library : Library
            The questionnaires that the study knows, for what the file calls their items.
        """
        body, frame = self.found.body, self._frame()
        mapping = unfolded(self.found.mapping, body.wave, [*frame.columns], library)
        theirs = {ours: name for name, ours in mapping.renames(library).items()}
        places = {unguard_formula(name): column for column, name in enumerate(frame.columns)}
        at_fault = {
            (row, places[name])
            for row, (_, _, reasons) in enumerate(self.rows)
            for reason in reasons
            if (name := theirs.get(reason["column"], reason["column"])) in places
        }
        name = self.path.rpartition("/")[2].removesuffix(".csv")
        return sheet_to_fill_in(name, [*frame.columns], frame.itertuples(index=False, name=None), at_fault)

    def content(self) -> bytes:
        """Return the file that people correct: UTF-8 with a byte order mark, the delimiter of the export."""
        return self._frame().to_csv(index=False, sep=self.found.body.delimiter, lineterminator="\n").encode("utf-8-sig")


def path_of(name: str, wave: str, part: str = "") -> str:
    """Return the file of a table, wave and part that people correct, from the study folder."""
    return f"{FOLDER}/{'-'.join(filter(None, (name, wave, part and f'part-{part}')))}.csv"


def waiting(connection: DuckDBPyConnection) -> tuple[Waiting, ...]:
    """Return everything in quarantine, by import."""
    if not stored_columns(connection, "quarantine"):
        return ()
    found = connection.execute("SELECT import_id, row, cells, reasons FROM quarantine ORDER BY import_id, row").fetchall()
    rows: dict[int, list[tuple[int, dict[str, str], tuple[dict[str, Any], ...]]]] = {}
    for import_id, row, cells, reasons in found:
        rows.setdefault(import_id, []).append((row, json.loads(cells), tuple(json.loads(reasons))))
    known = {one.import_id: one for one in imports.imports(ledger.entries(connection))}
    return tuple(Waiting(known[import_id], tuple(listed)) for import_id, listed in rows.items())


def write_files(new: NewFiles, waits: Sequence[Waiting], library: Library, changed: Sequence[str] = ()) -> None:
    """Write the files that people correct: those of a table and wave that changed, and those that are missing.

    Each stands there twice, as CSV and, up to `MOST_IN_WORKBOOK` rows, as a workbook: either may be corrected and imported.

    Files of tables and waves that have nothing in quarantine any more are removed. A file that somebody may be editing is
    left alone unless its rows changed.

    Parameters
    ----------
    new : NewFiles
        In the study's ``output``.
    waits : sequence of Waiting
        Everything in quarantine.
    library : Library
        The questionnaires that the study knows.
    changed : sequence of str
        From `path_of`.
    """
    wanted = {one.path: one for one in waits}
    for path, one in wanted.items():
        book = _workbook_beside(path)
        if path in changed or not new.place(_below_output(path)).is_file():
            write_whole(new.path(_below_output(path)), one.content())
        if len(one.rows) > MOST_IN_WORKBOOK:
            new.remove(_below_output(book))
        elif path in changed or not new.place(_below_output(book)).is_file():
            write_whole(new.path(_below_output(book)), one.workbook(library))
    for path in (path for path in changed if path not in wanted):
        new.remove(_below_output(path))
        new.remove(_below_output(_workbook_beside(path)))


def _workbook_beside(path: str) -> str:
    return path.removesuffix(".csv") + ".xlsx"


def _below_output(path: str) -> str:
    return path.removeprefix("output/")


def outstanding(study: Study) -> tuple[Problem, ...]:
    """Return what waits in quarantine, by table and wave, and write the files to edit that are missing."""
    with Store.of(study).reading() as connection:
        waits = waiting(connection) if connection is not None else ()
        if not all((study.folder / one.path).is_file() for one in waits):
            with file_set(Store.of(study).output) as new:
                write_files(new, waits, study.library)
    return tuple(_waiting_problem(one) for one in waits)


def _waiting_problem(one: Waiting) -> Problem:
    body = one.found.body
    place = at_wave(body.table_name, body.wave, body.part)
    n = len(one.rows)
    rows = Phrase("1 row of {file} is" if n == 1 else "{n} rows of {file} are", n=n, file=one.found.file)
    return WAITING.at(place, rows=rows, path=one.path, table=body.table_name, wave=wave_options(body.wave, body.part), n=n)


def _in_words(reason: Mapping[str, Any]) -> str:
    found = f", found {reason['found']}" if reason["found"] is not None else ""
    expected = f", expected {reason['expected']}" if reason["expected"] is not None else ""
    column = f"{reason['column']}: " if reason["column"] else ""
    return f"{reason['code']} {column}{reason['fault']}{found}{expected}. {reason['remedy']}"
