"""How tables stand in the database: names, types, and the way in and out of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.raw import Mask
from asp_eval.store.remembered_tables import forget_table, remember_name, remembered_tables
from asp_eval.trial.tables.fields import Field

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection, DuckDBPyRelation

OTHER_TYPE = Fault(
    "STO-003",
    "the column is stored as {stored}, and study.yaml now declares another type",
    "Give the column its old type or another name; or move study.duckdb out of the folder and import the files again.",
)

SQL_TYPES = {"string": "VARCHAR", "yearmonth": "VARCHAR", "integer": "DOUBLE", "number": "DOUBLE", "date": "DATE"}
Columns = Mapping[str, str]  # column to SQL type
BY_ARROW = frozenset({"VARCHAR", "DOUBLE", "DATE"})  # types that come out of Arrow as they come out of DuckDB
DTypes = np.dtype[Any] | pd.StringDtype | pd.CategoricalDtype
# As values: to look a type up by its name takes longer than to read a small table.
NUMBER, INTEGER, DATE, BOOLEAN = (np.dtype(name) for name in ("float64", "int64", "datetime64[s]", "bool"))
TEXT, CATEGORY = pd.StringDtype(), pd.CategoricalDtype()
BLOCK = 122_880  # rows inserted at a time: as many as the database compresses together; the texts of no more are unpacked


def items_table(name: str, form: str) -> str:
    """Return the stored name of an instrument's table: ``screening_sdq_teacher_4_17``."""
    return stored_name(f"{name}_{form}")


def stored_name(name: str) -> str:
    """Return a table's name as the database has it."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def sql_columns(fields: Iterable[Field]) -> dict[str, str]:
    """Return the SQL type of each field."""
    return {field.name: SQL_TYPES[field.kind] for field in fields}


def stored_columns(connection: DuckDBPyConnection, name: str) -> dict[str, str]:
    """Return the columns of a stored table with their SQL types; none if it is not there."""
    known = remembered_tables(connection).columns
    if name not in known:
        known[name] = _read_columns(connection, name)
    return {**known[name]}


def _read_columns(connection: DuckDBPyConnection, name: str) -> dict[str, str]:
    if name not in stored_tables(connection):  # to ask for columns would then end the transaction
        return {}
    return dict(connection.execute("SELECT name, type FROM pragma_table_info(?)", [name]).fetchall())


def stored_tables(connection: DuckDBPyConnection) -> tuple[str, ...]:
    """Return the names of the stored tables."""
    known = remembered_tables(connection).names
    if not known:
        found = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = current_database()").fetchall()
        known.extend(name for (name,) in found)
    return tuple(known)


def change(
    connection: DuckDBPyConnection, name: str, statement: str, values: Sequence[object] | Mapping[str, object] = ()
) -> None:
    """Execute a statement that changes a table. Nothing changes a sealed table but through this: what is remembered of it goes.

    Parameters
    ----------
    connection : DuckDBPyConnection
    name : str
        The table, as the database has it.
    statement : str
        SQL.
    values : sequence or mapping
        Its parameters.
    """
    forget_table(connection, name, columns=not statement.startswith(("INSERT", "DELETE")))
    connection.execute(statement, values or None)
    if statement.startswith(("CREATE", "DROP")):
        remember_name(connection, name, there=statement.startswith("CREATE"))


def ensure(connection: DuckDBPyConnection, name: str, columns: Columns) -> None:
    """Make a table, or give it the columns it lacks.

    Raises
    ------
    Refusal
        STO-003 if a column is there with another type.
    """
    there = stored_columns(connection, name)
    if not there:
        declared = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
        change(connection, name, f"CREATE TABLE {quoted(name)} ({declared})")
        return
    for column, kind in columns.items():
        if column not in there:
            change(connection, name, f"ALTER TABLE {quoted(name)} ADD COLUMN {quoted(column)} {kind}")
        elif there[column] != kind:
            OTHER_TYPE.refuse(Phrase("table {table}, column {name}", table=name, name=column), stored=there[column])


def insert(connection: DuckDBPyConnection, name: str, frame: pd.DataFrame, rows: Mask | None = None) -> None:
    """Add the rows of a frame, or those where a mask of shape (n,) is True, in their order; columns go by name."""
    for start in range(0, len(frame), BLOCK):
        block = frame.iloc[start : start + BLOCK]
        if rows is not None:
            block = block.loc[rows[start : start + BLOCK]]
        if len(block):
            connection.register("incoming", _incoming(block))
            change(connection, name, f"INSERT INTO {quoted(name)} BY NAME SELECT * FROM incoming")
            connection.unregister("incoming")


def _incoming(block: pd.DataFrame) -> object:
    """Return rows as DuckDB takes them fastest: categories by Arrow, or, where that is not installed, as the texts they are."""
    categories = block.select_dtypes("category").columns
    if categories.empty:
        return block
    if pd.StringDtype().storage != "pyarrow":
        return block.astype(dict.fromkeys(categories, "string"))
    import pyarrow as pa

    return pa.Table.from_pandas(block, preserve_index=False)


def fetch(connection: DuckDBPyConnection, query: str, values: list[object] | None = None) -> pd.DataFrame:
    """Return a query's rows: text as ``string``, numbers as ``float64``, dates as ``datetime64[s]``."""
    found = connection.sql(query, params=values or None)
    names, kinds = found.columns, [str(kind) for kind in found.types]
    simple = all(kind in BY_ARROW or kind.startswith("ENUM") for kind in kinds)
    frame = _by_arrow(found) if simple and pd.StringDtype().storage == "pyarrow" else found.df()
    frame.columns = pd.Index(names)
    wanted = {
        name: INTEGER if there.kind in "iu" else _dtype(kind)  # older DuckDB says NUMBER of all numbers
        for name, kind, there in zip(names, kinds, frame.dtypes, strict=True)
    }
    others = {name: dtype for (name, dtype), there in zip(wanted.items(), frame.dtypes, strict=True) if there != dtype}
    return frame.astype(others) if others else frame


def as_category(connection: DuckDBPyConnection, query: str, column: str) -> str:
    """Return the SQL expression of a column of text as a type of the few texts that it holds in a query's rows."""
    name = quoted(column)
    found = connection.execute(f"SELECT DISTINCT {name} FROM ({query}) WHERE {name} IS NOT NULL ORDER BY {name}").fetchall()
    texts = ", ".join("'" + text.replace("'", "''") + "'" for (text,) in found)
    return f"CAST({name} AS ENUM({texts})) AS {name}" if texts else name


def _by_arrow(found: DuckDBPyRelation) -> pd.DataFrame:
    """Return rows whose texts go from DuckDB to pandas as they are: as objects of Python they would take ten times the memory."""
    import pyarrow as pa

    kept = {pa.string(): pd.StringDtype()}
    return cast(pd.DataFrame, found.to_arrow_table().to_pandas(types_mapper=kept.get, date_as_object=False))


def every_table(connection: DuckDBPyConnection) -> dict[str, pd.DataFrame]:
    """Return every stored table but the ledger, as `fetch` does, by the name that the database has it under."""
    names = [name for name in stored_tables(connection) if name != "ledger"]
    return {name: fetch(connection, f"SELECT * FROM {quoted(name)}") for name in names}


def empty_frame(columns: Columns) -> pd.DataFrame:
    """Return a frame without rows, of the types `fetch` would give it."""
    return pd.DataFrame({name: pd.Series([], dtype=_dtype(kind)) for name, kind in columns.items()})


def stored_pairs(connection: DuckDBPyConnection, name: str, key: str, value: str) -> dict[str, str]:
    """Return two columns of a stored table as keys and values; none if the table is not there."""
    if not stored_columns(connection, name):
        return {}
    return dict(connection.execute(f"SELECT {quoted(key)}, {quoted(value)} FROM {quoted(name)}").fetchall())


def typed_frame(rows: Sequence[Mapping[str, object]], columns: Columns) -> pd.DataFrame:
    """Return rows of plain values as a frame of the types `fetch` would give it."""
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=_dtype(kind)) for name, kind in columns.items()})


def _dtype(kind: str) -> DTypes:
    match kind.upper().partition("(")[0]:
        case "ENUM":
            return CATEGORY
        case "DOUBLE" | "NUMBER" | "FLOAT":
            return NUMBER
        case "BIGINT" | "INTEGER":
            return INTEGER
        case "DATE" | "DATETIME":
            return DATE
        case "BOOLEAN" | "BOOL":
            return BOOLEAN
        case _:
            return TEXT
