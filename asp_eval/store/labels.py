"""What the files of each wave told of their columns and answers, kept to be compared with the files of other waves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd

from asp_eval.core.errors import Problem
from asp_eval.intake.mapping.drift import ColumnTold, Told, drift
from asp_eval.store.connection import Store
from asp_eval.store.imports import standing
from asp_eval.store.layout import ensure, insert, stored_columns
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import BY_WAVE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLE = "import_labels"
COLUMNS = {
    "import_id": "BIGINT", "column_name": "VARCHAR", "title": "VARCHAR", "text": "VARCHAR", "stored": "VARCHAR",
    "label": "VARCHAR",
}  # fmt: skip


def keep(connection: DuckDBPyConnection, import_id: int, told: Told) -> None:
    """Write what a file told, under the number of its entry in the ledger.

    A row for each text of a column, with what it was stored as and its label; a column without texts has a row without.
    """
    rows: list[tuple[int, str, str, str | None, str | None, str | None]] = []
    for name, column in told.items():
        rows += [(import_id, name, column.title, text, value, column.labels.get(text)) for text, value in column.stored.items()]
        rows += [] if column.stored else [(import_id, name, column.title, None, None, None)]
    ensure(connection, TABLE, COLUMNS)
    texts = dict.fromkeys([name for name in COLUMNS if name != "import_id"], "string")
    insert(connection, TABLE, pd.DataFrame(rows, columns=list(COLUMNS)).astype({"import_id": "int64", **texts}))


def told_at(connection: DuckDBPyConnection, name: str, wave: str) -> Told:
    """Return what the file told that stands for a table at a wave; nothing if none stands, or it was imported long ago."""
    stands = [entry for entry in standing(connection, name, wave) if entry.said["corrects"] is None]
    if not stands or not stored_columns(connection, TABLE):
        return {}
    query = f"SELECT column_name, title, text, stored, label FROM {TABLE} WHERE import_id = ? ORDER BY rowid"
    told: dict[str, ColumnTold] = {}
    for column, title, text, value, label in connection.execute(query, [stands[0].import_id]).fetchall():
        seen = told.get(column, ColumnTold())
        stored = {} if text is None else {text: value}
        labels = {} if label is None else {text: label}
        told[column] = ColumnTold(title, {**seen.stored, **stored}, {**seen.labels, **labels})
    return told


def told_elsewhere(connection: DuckDBPyConnection, name: str, wave: str, waves: Sequence[str]) -> tuple[str, Told] | None:
    """Return the wave to compare a wave's file with, and what was told there: the nearest before it, else the nearest after."""
    at = waves.index(wave)
    for other in (*reversed(waves[:at]), *waves[at + 1 :]):
        if told := told_at(connection, name, other):
            return other, told
    return None


def label_drift(study: Study) -> tuple[Problem, ...]:
    """Return what is not the same in the files of one wave and the next, for every table that is collected by wave."""
    problems: list[Problem] = []
    with Store(study.folder).reading() as connection:
        if connection is None:
            return ()
        for name in BY_WAVE:
            told = [(wave, told) for wave in study.wave_ids if (told := told_at(connection, name, wave))]
            for (wave, before), (after, now) in pairwise(told):
                problems += drift(before, now, f"{name} at {after}", wave)
    return tuple(problems)
