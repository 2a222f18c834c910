"""Parquet, as statistical software and databases write it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from asp_eval.core.errors import DataProblems, Fault, Place
from asp_eval.intake.files.columns import finished
from asp_eval.intake.files.export import Export, Rank
from asp_eval.intake.files.raw import Dialect, RawTable, TextColumn

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BROKEN_PARQUET = Fault("SCR-082", "the Parquet file is damaged or was cut short", "Fetch or export the file again.")
NOT_FLAT = Fault(
    "SCR-083",
    "the column holds lists, structures or bytes, not single values",
    "Make one column of each value before exporting, or export the data as CSV.",
)
TOO_LARGE = Fault("SCR-084", "the Parquet file unpacks to more than is read from one", "Export the data as CSV.")

MARK = b"PAR1"
MOST_CELLS = 200_000_000
MOST_TEXT = 300_000_000  # bytes of one column
MEMORY = "300MB"
VECTORS = 50  # of 2,048 rows, fetched at a time
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT")
_AS_TEXT = (*_WHOLE, "DOUBLE", "FLOAT", "DECIMAL", "VARCHAR", "ENUM", "DATE", "TIME", "UUID", "NULL")


@dataclass(frozen=True, slots=True)
class Parquet:
    """Reads Parquet files of single values."""

    name: str = "parquet"
    rank: Rank = Rank.FORMAT

    def recognises(self, export: Export) -> bool:
        """Return whether the file begins as Parquet does, or calls itself so."""
        return export.start.startswith(MARK) or export.path.suffix.lower() == ".parquet"

    def read(self, export: Export) -> RawTable:
        """Return the values as text: a missing value, or one that is not a number, is an empty cell."""
        import duckdb

        with tempfile.TemporaryDirectory() as folder:
            settings: dict[str, str | bool | int | float | list[str]] = {
                "threads": 1,
                "memory_limit": MEMORY,
                "temp_directory": folder,
                "max_temp_directory_size": "1GB",
            }
            try:
                with duckdb.connect(config=settings) as connection, _plain_name(export.path, Path(folder)) as path:
                    return _table(connection, path, export)
            except duckdb.OutOfMemoryException:
                raise DataProblems([TOO_LARGE.at(export.source)]) from None
            except (duckdb.Error, UnicodeDecodeError):
                raise DataProblems([BROKEN_PARQUET.at(export.source)]) from None


@contextmanager
def _plain_name(path: Path, folder: Path) -> Iterator[str]:
    """Give the file a name that is not taken for a pattern of names."""
    if not set(str(path)) & set("*?[]{}"):
        yield str(path)
        return
    plain = folder / "export.parquet"
    try:
        os.link(path, plain)
    except OSError:
        plain.write_bytes(path.read_bytes())
    yield str(plain)


def _table(connection: DuckDBPyConnection, path: str, export: Export) -> RawTable:
    connection.execute("CREATE VIEW file AS SELECT * FROM read_parquet(" + _quoted(path, "'") + ", hive_partitioning = false)")
    height = _number(connection, "SELECT count(*) FROM file")
    described = connection.execute("DESCRIBE file").fetchall()
    names = _names(connection, path)
    if len(names) != len(described):
        raise DataProblems([BROKEN_PARQUET.at(export.source)])
    if height * len(names) > MOST_CELLS:
        raise DataProblems([TOO_LARGE.at(export.source)])
    problems = [
        NOT_FLAT.at(Place(export.source, column=name), found=kind)
        for name, (_, kind, *_) in zip(names, described, strict=True)
        if _expression(_quoted(name), kind) is None
    ]
    if problems:
        raise DataProblems(problems)
    columns = [_column(connection, str(column), str(kind), export) for column, kind, *_ in described] if height else []
    file_format = export.format
    dialect = Dialect("parquet", decimal=file_format.decimal or ".", dates=file_format.dates)
    return finished(export, names, columns, np.arange(2, height + 2, dtype=np.int64), dialect)


def _names(connection: DuckDBPyConnection, path: str) -> list[str]:
    """Return the names as the file has them; a view numbers those that differ in capitals only."""
    schema = connection.execute(f"SELECT name, num_children FROM parquet_schema({_quoted(path, chr(39))})").fetchall()
    names, inside = [], [0]
    for name, children in schema[1:]:
        if len(inside) == 1:
            names.append(str(name))
        if children:
            inside.append(int(children))
            continue
        while len(inside) > 1:
            inside[-1] -= 1
            if inside[-1]:
                break
            inside.pop()
    return names


def _column(connection: DuckDBPyConnection, name: str, kind: str, export: Export) -> TextColumn:
    """Return a column as text, each different text once."""
    quoted = _quoted(name)
    if kind == "VARCHAR" and _number(connection, f"SELECT coalesce(sum(strlen({quoted})), 0) FROM file") > MOST_TEXT:
        raise DataProblems([TOO_LARGE.at(export.source)])  # before any of it is copied
    result = connection.execute(f"SELECT coalesce({_expression(quoted, kind)}, '') AS cell FROM file")
    parts = []
    while len(chunk := result.fetch_df_chunk(VECTORS)):
        parts.append(TextColumn.of(chunk["cell"].tolist()))
    return TextColumn.joined(parts).translate(lambda text: _plain(text, kind))


def _expression(column: str, kind: str) -> str | None:
    """Return how a column becomes text in the database, or None for one that holds more than single values."""
    base = kind.partition("(")[0].strip('"')
    if base == "BOOLEAN":
        return f"CASE WHEN {column} THEN 'TRUE' WHEN NOT {column} THEN 'FALSE' END"
    if base == "TIMESTAMP WITH TIME ZONE":  # shown in the same way wherever the file is read
        return f"CAST(make_timestamp(epoch_us({column})) AS VARCHAR) || '+00'"
    return f"CAST({column} AS VARCHAR)" if base in _AS_TEXT or base.startswith("TIMESTAMP") else None


def _plain(text: str, kind: str) -> str:
    """Return 7.0 as 7, what is not a number as empty, and a moment at midnight as its date."""
    if kind.startswith(("DOUBLE", "FLOAT", "DECIMAL")):
        if text == "nan":  # asking the database is no help: it goes by the file's limits, which leave these out
            return ""
        return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    return text.removesuffix(" 00:00:00") if kind.startswith("TIMESTAMP") else text


def _quoted(text: str, mark: str = '"') -> str:
    return mark + text.replace(mark, 2 * mark) + mark


def _number(connection: DuckDBPyConnection, query: str) -> int:
    found = connection.execute(query).fetchone()
    return int(found[0]) if found else 0


READER = Parquet()
