"""Digests of the stored tables, as the ledger's entries say them: what is read is what was stored.

An entry is written when what it speaks of is stored, and says the digest of every table that is another then than the entries
before it say. So the last entry that names a table says what the table must be, until another entry names it; an empty text
says that the table is gone. Whoever changes a table by hand would have to change an entry, and with it the chain.

The digest of a table is SHA-256 over a line for each column in its order::

    "score" DOUBLE 9121 9f86d0...       name, type, rows, and SHA-256 of the column's cells from the first row to the last

A number is the eight bytes of its double, little-endian, a missing one those of NaN. Any other cell is the number of bytes of
its text, a colon, and its text in UTF-8; a missing one is ``-``. So no two tables that differ in a cell, or in the order of rows,
have one text.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Problem, Refusal
from asp_eval.core.phrases import Phrase
from asp_eval.store.layout import quoted, stored_columns, stored_tables
from asp_eval.store.ledger.bodies import LedgerBody
from asp_eval.store.ledger.chain import Entry
from asp_eval.store.remembered_tables import remembered_tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CHANGED_TABLE = Fault(
    "STO-040",
    "the table is not what was stored as entry {entry} of the ledger says",
    "Someone changed study.duckdb by hand. Take it from a backup, or make it again from data/ as docs/ledger.md says.",
)

UNSEALED = ("ledger",)  # has a seal of its own
FEW = 1_000  # rows that are faster taken as they are than as a table
VECTORS = 32  # of 2,048 rows, that are held at a time
COLUMNS_AT_A_TIME = 200  # the database takes ten times as long to plan a query of 2,000
CELLS_AT_A_TIME = 4_000_000  # of a large table; one column at the least
GONE = ""


def table_digest(connection: DuckDBPyConnection, name: str) -> str:
    """Return the digest of a stored table; empty if there is none.

    Parameters
    ----------
    connection : DuckDBPyConnection
        One of the store remembers the digest until the table is written to.
    name : str
        As the database has it.
    """
    known = remembered_tables(connection).digests
    if name not in known:
        known[name] = _digest_of_cells(connection, name)
    return known[name]


def _digest_of_cells(connection: DuckDBPyConnection, name: str) -> str:
    columns = [*stored_columns(connection, name).items()]
    if not columns:
        return GONE
    ((rows,),) = connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchall()
    whole, at_a_time = hashlib.sha256(), max(1, min(COLUMNS_AT_A_TIME, CELLS_AT_A_TIME // max(rows, 1)))
    for start in range(0, len(columns), at_a_time):
        some = columns[start : start + at_a_time]
        for (column, kind), digest in zip(some, _digests_of_columns(connection, name, rows, some), strict=True):
            whole.update(f"{quoted(column)} {kind} {rows} {digest}\n".encode())
    return whole.hexdigest()


def _digests_of_columns(
    connection: DuckDBPyConnection, name: str, rows: int, columns: Sequence[tuple[str, str]]
) -> tuple[str, ...]:
    """Return the digest of the cells of each of some columns of a table."""
    raw = ("DOUBLE", "VARCHAR") if rows <= FEW else ("DOUBLE",)  # a few texts are written out in less time than it is planned
    taken = ", ".join(quoted(column) if kind in raw else _as_text(column) for column, kind in columns)
    digests = [hashlib.sha256() for _ in columns]
    for block in _blocks(connection, f"SELECT {taken} FROM {quoted(name)}", rows):
        for digest, (_, kind), cells in zip(digests, columns, block, strict=False):  # a table without rows has no cells
            if kind == "DOUBLE":
                digest.update(_numbers(cells))
            else:
                digest.update(_texts(_written(cells) if kind in raw else cells))
    return tuple(digest.hexdigest() for digest in digests)


def _blocks(connection: DuckDBPyConnection, query: str, rows: int) -> Iterator[Iterable[Any]]:
    """Yield the columns of some rows after the other, without a Python object for every number, nor for a text where Arrow is."""
    if rows <= FEW:
        yield zip(*connection.execute(query).fetchall(), strict=True)
    elif pd.StringDtype().storage == "pyarrow":
        for batch in connection.sql(query).to_arrow_reader():
            yield batch.columns
    else:
        cursor = connection.execute(query)
        while len(block := cursor.fetch_df_chunk(VECTORS)):
            yield (cells for _, cells in block.items())


def _numbers(cells: Any) -> memoryview:
    """Return the bytes of numbers, one NaN for all that is missing, whatever its bits."""
    numbers = np.asarray(cells, dtype="<f8")
    return np.where(np.isnan(numbers), np.nan, numbers).astype("<f8", copy=False).data


def _texts(cells: Any) -> memoryview | bytes:
    """Return the bytes of texts, which Arrow keeps end to end in memory."""
    if not hasattr(cells, "buffers"):
        return "".join(cells).encode()
    import pyarrow as pa

    kept = cells.cast(pa.large_string())
    _, ends, texts = kept.buffers()
    first, last = np.frombuffer(ends, dtype=np.int64)[[kept.offset, kept.offset + len(kept)]]
    return memoryview(texts)[first:last] if texts is not None else b""


def _written(texts: Iterable[str | None]) -> Iterator[str]:
    """Yield texts as `_as_text` does in the database."""
    return ("-" if text is None else f"{len(text.encode())}:{text}" for text in texts)


def _as_text(column: str) -> str:
    """Return the expression of a column's cells as the text that is digested."""
    text = f"CAST({quoted(column)} AS VARCHAR)"
    return f"coalesce(strlen({text}) || ':' || {text}, '-')"


def table_digests(connection: DuckDBPyConnection) -> dict[str, str]:
    """Return the digest of every stored table but the ledger, by name."""
    return {name: table_digest(connection, name) for name in sorted(stored_tables(connection)) if name not in UNSEALED}


def sealed_tables(chain: Sequence[Entry]) -> dict[str, tuple[int, str]]:
    """Return, for every table that entries name, the last entry that does, and the digest it says.

    An entry that cannot be read (STO-038) names none here: who reads the entry is told.
    """
    return {name: (entry.entry, digest) for entry in chain for name, digest in _said(entry).tables.items()}


def study_of(chain: Sequence[Entry]) -> str:
    """Return the identifier of the study whose ledger it is; empty if an older version began it, or there is no entry."""
    return _said(chain[0]).study if chain else ""


def _said(entry: Entry) -> LedgerBody:
    try:
        return entry.content
    except Refusal:
        return LedgerBody()


def newly_sealed(connection: DuckDBPyConnection, chain: Sequence[Entry]) -> dict[str, str]:
    """Return the digests of the tables that are others than the entries say, and of those that are gone."""
    said, now = sealed_tables(chain), table_digests(connection)
    gone = dict.fromkeys(said.keys() - now.keys(), GONE)
    return {name: digest for name, digest in sorted((now | gone).items()) if said.get(name, (0, GONE))[1] != digest}


def changed_tables(
    connection: DuckDBPyConnection, chain: Sequence[Entry], names: Iterable[str] | None = None
) -> Iterator[Problem]:
    """Yield the tables that are not what the entries say: STO-040. One that no entry names was stored by an older version.

    Parameters
    ----------
    connection : DuckDBPyConnection
    chain : sequence of Entry
    names : iterable of str, optional
        As the database has them; by default all.
    """
    said = sealed_tables(chain)
    for name in sorted(said) if names is None else [name for name in names if name in said]:
        entry, digest = said[name]
        if (now := table_digest(connection, name)) != digest:
            missing = Phrase("no such table")
            place = Phrase("table {table}", table=name)
            yield CHANGED_TABLE.at(place, found=now[:12] or missing, expected=digest[:12] or missing, entry=entry)


def refuse_changed(connection: DuckDBPyConnection, chain: Sequence[Entry], names: Iterable[str] | None = None) -> None:
    """Refuse tables that are not what the entries say.

    Raises
    ------
    Refusal
        STO-040, for every one.
    """
    if problems := list(changed_tables(connection, chain, names)):
        raise Refusal(problems)
