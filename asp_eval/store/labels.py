"""What the columns and answers of each wave's files mean, kept to be compared with the files of other waves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd

from asp_eval.core.errors import Problem
from asp_eval.intake.mapping.drift import ColumnMeaning, ColumnMeanings, drift
from asp_eval.store.connection import Store
from asp_eval.store.imports import files_of, standing
from asp_eval.store.layout import ensure, insert, stored_columns
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import BY_WAVE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLE = "import_labels"
COLUMNS = {
    "import_id": "BIGINT",
    "column_name": "VARCHAR",
    "title": "VARCHAR",
    "text": "VARCHAR",
    "stored": "VARCHAR",
    "label": "VARCHAR",
}


def store_meanings(connection: DuckDBPyConnection, import_id: int, meanings: ColumnMeanings) -> None:
    """Write what the columns of a file mean, under the number of its entry in the ledger.

    A row for each text of a column, with what it was stored as and its label; a column without texts has a row without.
    """
    rows: list[tuple[int, str, str, str | None, str | None, str | None]] = []
    for name, column in meanings.items():
        rows += [(import_id, name, column.title, text, value, column.labels.get(text)) for text, value in column.stored.items()]
        rows += [] if column.stored else [(import_id, name, column.title, None, None, None)]
    ensure(connection, TABLE, COLUMNS)
    texts = dict.fromkeys([name for name in COLUMNS if name != "import_id"], "string")
    insert(connection, TABLE, pd.DataFrame(rows, columns=list(COLUMNS)).astype({"import_id": "int64", **texts}))


def meanings_at(connection: DuckDBPyConnection, name: str, wave: str) -> ColumnMeanings:
    """Return what the columns mean at a wave, by the files that stand for a table; nothing if none does, or they are old ones."""
    stands = files_of(standing(connection, name, wave))
    if not stands or not stored_columns(connection, TABLE):
        return {}
    query = f"SELECT column_name, title, text, stored, label FROM {TABLE} WHERE list_contains(?, import_id) ORDER BY rowid"
    meanings: dict[str, ColumnMeaning] = {}
    for column, title, text, value, label in connection.execute(query, [[one.import_id for one in stands]]).fetchall():
        seen = meanings.get(column, ColumnMeaning())
        stored = {} if text is None else {text: value}
        labels = {} if label is None else {text: label}
        meanings[column] = ColumnMeaning(title, {**seen.stored, **stored}, {**seen.labels, **labels})
    return meanings


def meanings_at_nearest_wave(
    connection: DuckDBPyConnection, name: str, wave: str, waves: Sequence[str]
) -> tuple[str, ColumnMeanings] | None:
    """Return the wave to compare a wave's file with, the nearest before it or else after, and what the columns mean there."""
    at = waves.index(wave)
    for other in (*reversed(waves[:at]), *waves[at + 1 :]):
        if meanings := meanings_at(connection, name, other):
            return other, meanings
    return None


def label_drift(study: Study) -> tuple[Problem, ...]:
    """Return what is not the same in the files of one wave and the next, for every table that is collected by wave."""
    problems: list[Problem] = []
    with Store.of(study).reading() as connection:
        if connection is None:
            return ()
        for name in BY_WAVE:
            found = [(wave, meanings) for wave in study.wave_ids if (meanings := meanings_at(connection, name, wave))]
            for (wave, before), (after, now) in pairwise(found):
                problems += drift(before, now, f"{name} at {after}", wave)
    return tuple(problems)
