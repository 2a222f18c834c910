"""Tables that come in parts: which rows came with which part, and one row of each unit out of several files.

A stored table has the column ``import_part`` from the first part on; it is missing in rows that came with a whole file. Of a
wave whose questionnaires were collected apart, the visits and reports of one child stand once for each part, and are read as
one: of every column the first value that is known, in the order of the parts' names. `asp_eval.intake.checks.other_parts`
sees to it that no two parts contradict each other, or have answers of one child to one questionnaire.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.phrases import any_of
from asp_eval.core.spelling import folded
from asp_eval.intake.checks.context import PART, OtherParts
from asp_eval.store import imports
from asp_eval.store.connection import Store
from asp_eval.store.layout import fetch, items_table, quoted, stored_columns
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import TableSchema, at_wave, table_schema

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from asp_eval.intake.pipeline import MappedFile

WHOLE_STANDS = Fault(
    "STO-070",
    "the whole of {where} stands ({file}), and a part cannot stand beside it",
    "Import this file without --part if it is the whole. If {where} is to come in parts from now on, give --replace: this part "
    "takes the place of the whole file, and the other parts are imported after it.",
)
PARTS_STAND = Fault(
    "STO-071",
    "{where} stands in parts ({parts}), and this file is imported as the whole",
    "If it is a part, name it with --part. If it is the whole, give --replace: it takes the place of all parts.",
)
OTHER_SPELLING = Fault(
    "STO-072",
    "a part of {where} is called {known} and this one {part}",
    "Write it as it stands, if they are one; if they are two, give this one a name that does not differ in spelling alone.",
)
NOT_IN_ANY_PART = Fault(
    "STO-074",
    "no part of {where} that is in has answers to {form}",
    "Import the part that has them. If it was not used, take it out of 'collect' in study.yaml.",
    "warning",
)
STANDS_ELSEWHERE = Fault(
    "STO-073",
    "the same file stands already as part {known} of {where}",
    "Import the file that belongs to the part {part}.",
)


def of(frame: pd.DataFrame, part: str) -> pd.DataFrame:
    """Return rows with the part that they came with, if they are not of a whole file."""
    return frame.assign(**{PART: pd.Series(part, index=frame.index, dtype="string")}) if part else frame


def part_column(part: str) -> dict[str, str]:
    """Return the column, with its SQL type, that rows of a part have and those of a whole file need not."""
    return {PART: "VARCHAR"} if part else {}


def of_part(connection: DuckDBPyConnection, name: str, part: str) -> str:
    """Return the SQL condition on the rows that a file of a part takes the place of: those of the part, and those of a whole.

    A whole file takes the place of everything.
    """
    if not part or PART not in stored_columns(connection, name):
        return "TRUE"
    return f"({PART} = {_text(part)} OR {PART} IS NULL)"


def came_with(connection: DuckDBPyConnection, name: str, part: str) -> str:
    """Return the SQL condition on the rows that came with a part; with the whole, if the part has no name."""
    if PART not in stored_columns(connection, name):
        return "FALSE" if part else "TRUE"
    return f"{PART} = {_text(part)}" if part else f"{PART} IS NULL"


def merged(connection: DuckDBPyConnection, name: str, keys: Sequence[str]) -> str:
    """Return SQL that selects the rows of a stored table as if they had come in one file.

    Parameters
    ----------
    connection : DuckDBPyConnection
    name : str
        As the database has it.
    keys : sequence of str
        Of which rows with the same values are one.
    """
    columns = [column for column in stored_columns(connection, name) if column != PART]
    if PART not in stored_columns(connection, name):
        return f"SELECT * FROM {quoted(name)}"
    if not keys:
        return f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(name)}"
    chosen = [
        quoted(column)
        if column in keys
        else f"first({quoted(column)} ORDER BY {PART}) FILTER (WHERE {quoted(column)} IS NOT NULL) AS {quoted(column)}"
        for column in columns
    ]
    return f"SELECT {', '.join(chosen)} FROM {quoted(name)} GROUP BY {', '.join(map(quoted, keys))} ORDER BY min(rowid)"


def institutions_of_other_parts(connection: DuckDBPyConnection, part: str) -> set[str]:
    """Return the institutions on the list that a file of a part does not take the place of."""
    if not part or PART not in stored_columns(connection, "institutions"):
        return set()
    there = fetch(connection, f"SELECT institution_id FROM institutions WHERE NOT {of_part(connection, 'institutions', part)}")
    return set(there["institution_id"])


def other_parts(connection: DuckDBPyConnection, schema: TableSchema) -> OtherParts:
    """Return what the other parts of a table and wave say, for a new file of one part to be checked against."""
    if not schema.part:
        return OtherParts()
    named = ["child_reports", *([schema.name] if schema.name == "screening" else [])]
    rows = [_rows(connection, name, schema) for name in (named if schema.name in ("screening", "children") else [schema.name])]
    answered: dict[tuple[str, ...], Mapping[str, str]] = {}
    for group in schema.alternatives:
        found = [_rows(connection, items_table(schema.name, form), schema) for form in group]
        unit = schema.key[0]
        answered[group] = {u: p for frame in found if len(frame) for u, p in zip(frame[unit], frame[PART], strict=True)}
    return OtherParts(tuple(frame for frame in rows if len(frame)), answered)


def _rows(connection: DuckDBPyConnection, name: str, schema: TableSchema) -> pd.DataFrame:
    there = stored_columns(connection, name)
    if PART not in there:
        return pd.DataFrame()
    wave, values = ("AND wave = ?", [schema.wave or ""]) if "wave" in there else ("", [])
    return fetch(
        connection, f"SELECT * FROM {quoted(name)} WHERE {PART} <> {_text(schema.part)} {wave} ORDER BY {PART}", [*values]
    )


def rows_by_part(study: Study, name: str, wave: str) -> tuple[tuple[str, int, int], ...]:
    """Return the parts of a table and wave that are in, each with its stored rows and their institutions."""
    with Store.of(study).reading() as connection:
        if connection is None or PART not in stored_columns(connection, name):
            return ()
        query = f"""SELECT {PART}, count(*), count(DISTINCT institution_id) FROM {quoted(name)}
            WHERE wave = ? AND {PART} IS NOT NULL GROUP BY {PART} ORDER BY {PART}"""
        return tuple(connection.execute(query, [wave]).fetchall())


def part_of_each(study: Study, name: str, key: Sequence[str]) -> dict[tuple[str, ...], str]:
    """Return the part that each stored row of a table came with, by the row's key; none of rows that came with the whole."""
    with Store.of(study).reading() as connection:
        if connection is None or PART not in stored_columns(connection, name):
            return {}
        rows = fetch(connection, f"SELECT {', '.join(map(quoted, key))}, {PART} FROM {quoted(name)} WHERE {PART} IS NOT NULL")
    return {tuple(map(str, of)): str(part) for *of, part in rows.itertuples(index=False)}


def unanswered_in_parts(study: Study, name: str, wave: str) -> Iterator[Problem]:
    """Yield a warning for each questionnaire that no part of a table and wave that came in parts has answers to."""
    with Store.of(study).reading() as connection:
        assert connection is not None  # it has rows
        for group in table_schema(name, study, wave).alternatives:
            stored = [items_table(name, form) for form in group]
            there = [each for each in stored if stored_columns(connection, each)]
            counts = [connection.execute(f"SELECT count(*) FROM {each} WHERE wave = ?", [wave]).fetchall() for each in there]
            if not any(n for ((n,),) in counts):
                yield NOT_IN_ANY_PART.at(at_wave(name, wave), where=at_wave(name, wave), form=any_of(group))


def place_taken(stands: Sequence[imports.Import], part: str) -> tuple[imports.Import, ...]:
    """Return the files whose place a file takes, of all that stand for its table and wave; corrections are not among them."""
    return tuple(one for one in imports.files_of(stands) if not part or one.body.part in ("", part))


def refuse_misplaced(connection: DuckDBPyConnection, file: MappedFile, *, replace: bool) -> None:
    """Refuse a file that cannot stand where it is to stand, whatever its rows say.

    Parameters
    ----------
    connection : DuckDBPyConnection
    file : MappedFile
    replace : bool
        Whether the file may take the place of a whole, as a part; or of all parts, as the whole.

    Raises
    ------
    Refusal
        STO-070 or STO-071 if a part is to stand beside the whole, or the whole beside parts; STO-072 if a part has the name of
        another but for the spelling; STO-073 if the same file stands as another part.
    """
    schema, source = file.schema, file.incoming.path.name
    part, where = schema.part, at_wave(schema.name, schema.wave)
    files = imports.files_of(imports.standing(connection, schema.name, schema.wave))
    parts = sorted({one.body.part for one in files} - {""})
    if not part:
        if parts and not replace:
            PARTS_STAND.refuse(source, where=where, parts=", ".join(parts))
        return
    for known in parts:
        if known != part and folded(known) == folded(part):
            OTHER_SPELLING.refuse(source, where=where, known=known, part=part)
    for one in files:
        if one.body.part not in ("", part) and one.is_of(file.protected.sha256, schema.digest, file.incoming.mapping):
            STANDS_ELSEWHERE.refuse(source, known=one.body.part, where=where, part=part)
    whole = [one for one in files if not one.body.part]
    if whole and not replace:
        WHOLE_STANDS.refuse(source, where=where, file=whole[0].file)


def _text(part: str) -> str:
    """Return the name of a part as an SQL text."""
    return "'" + part.replace("'", "''") + "'"
