"""The ledger as a table of the database: entries are added and read, never changed."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from dataclasses import asdict, astuple, fields, replace
from datetime import UTC, datetime
from importlib.metadata import version
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.store.layout import ensure, stored_columns, typed_frame
from asp_eval.store.ledger.bodies import LedgerBody
from asp_eval.store.ledger.chain import COLUMNS, NO_ENTRY, Entry, digest_of
from asp_eval.store.ledger.seals import newly_sealed
from asp_eval.store.remembered_tables import remembered_tables

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OLD_STORE = Fault(
    "STO-020",
    "study.duckdb was made by an older version, whose ledger was not sealed",
    "Move it out of the folder, and output/ledger.csv and output/allocation.csv with it. Then import again, from data/ and in "
    "their order, the files that ledger.csv lists and does not mark as superseded; a lot that was drawn here is drawn again "
    "after the institutions, with the seed in allocation.csv.",
)


def append(connection: DuckDBPyConnection, body: LedgerBody, study: str = "") -> Entry:
    """Add an entry, inside the caller's transaction, when everything it speaks of is stored.

    Parameters
    ----------
    connection : DuckDBPyConnection
    body : LedgerBody
        What was done. The digests of the tables that are others now are added to it.
    study : str
        Identifier of the study; stands in the first entry.
    """
    chain = entries(connection)
    last = chain[-1] if chain else None
    seals: dict[str, object] = {"study": study} if study and last is None else {}
    if changed := newly_sealed(connection, chain):
        seals["tables"] = changed
    body = body.model_copy(update=seals)
    ensure(connection, "ledger", COLUMNS)
    unsealed = Entry(
        entry=last.entry + 1 if last else 1,
        kind=body.kind,
        recorded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        recorded_by=_user(),
        package_version=version("asp-eval"),
        body=body.as_json,
        previous=last.digest if last else NO_ENTRY,
        digest="",
    )
    sealed = replace(unsealed, digest=digest_of(unsealed.text))
    marks = ", ".join("?" for _ in COLUMNS)
    connection.execute(f"INSERT INTO ledger ({', '.join(COLUMNS)}) VALUES ({marks})", list(astuple(sealed)))
    remembered_tables(connection).ledger.append(astuple(sealed))
    return sealed


def entries(connection: DuckDBPyConnection, kind: str | None = None) -> tuple[Entry, ...]:
    """Return the entries in their order, of one kind or all.

    Raises
    ------
    Refusal
        STO-020 if the store is of a version before the ledger was sealed.
    """
    known = remembered_tables(connection).ledger
    if not known:
        known.extend(_read(connection))
    return tuple(entry for entry in (Entry(*row) for row in known) if kind in (None, entry.kind))


def _read(connection: DuckDBPyConnection) -> list[tuple[Any, ...]]:
    if not stored_columns(connection, "ledger"):
        if stored_columns(connection, "import_ledger"):
            OLD_STORE.refuse("study.duckdb")
        return []
    names = ", ".join(field.name for field in fields(Entry))
    found = connection.execute(f"SELECT entry, rowid, {names} FROM ledger").fetchall()
    return [row[2:] for row in sorted(found, key=itemgetter(0, 1))]  # half the time that the database takes to sort so few


def next_number(connection: DuckDBPyConnection) -> int:
    """Return the number that the next entry will have, for what is stored before the entry that speaks of it."""
    last = _last(connection)
    return last.entry + 1 if last else 1


def frame(chain: Sequence[Entry]) -> pd.DataFrame:
    """Return entries as a table."""
    return typed_frame([asdict(entry) for entry in chain], COLUMNS)


def head(connection: DuckDBPyConnection) -> str:
    """Return the digest of the last entry; 64 zeros if there is none."""
    last = _last(connection)
    return last.digest if last else NO_ENTRY


def _last(connection: DuckDBPyConnection) -> Entry | None:
    chain = entries(connection)
    return chain[-1] if chain else None


def _user() -> str:
    """Return who is logged in, on one line."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without users; Windows without environment
        return "unknown"
    return " ".join(name.split()) or "unknown"
