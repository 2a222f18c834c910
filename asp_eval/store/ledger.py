"""The ledger: everything that was ever done to the data, one entry after the other, each sealed to the one before.

An entry is never changed and never taken out. Its digest is SHA-256 of this text in UTF-8, every line ended by a line feed::

    1                                          the entry's number
    import                                     what was done
    2006-09-20T08:15:00+00:00                  when, in UTC
    anna                                       who, as the operating system names them
    0.3.0                                      the package's version
    {"accepted":3,"file":"wave1.csv"}          the body: JSON, keys sorted, no spaces
    0000...                                    the digest of the entry before; 64 zeros for the first

Whoever changes an entry must therefore change the digests of all that follow, and with them the last one, the head, which
is printed in the report and in ``output/manifest.json``.
"""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, fields, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pandas as pd

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.store.layout import ensure, stored_columns, typed_frame

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OLD_STORE = Fault(
    "STO-020", "study.duckdb was made by an older version, whose ledger was not sealed",
    "Move it out of the folder, and output/ledger.csv and output/allocation.csv with it. Then import again, from data/ and in "
    "their order, the files that ledger.csv lists and does not mark as superseded; a lot that was drawn here is drawn again "
    "after the institutions, with the seed in allocation.csv.",
)  # fmt: skip
CHANGED = Fault(
    "STO-021", "the entry is not what was written: its text does not give its digest",
    "Someone changed it. Take study.duckdb from a backup, or make it again from data/ as docs/ledger.md says.",
)  # fmt: skip
BROKEN_CHAIN = Fault(
    "STO-022", "the entry does not follow from the one before it: entries were taken out, put in or put in another order here",
    "Take study.duckdb from a backup, or make it again from data/ as docs/ledger.md says.",
)  # fmt: skip
OTHER_HEAD = Fault(
    "STO-023", "no entry has the head that was printed: entries were taken from the end, or the chain was written anew",
    "Compare the digits with the printed ones. If they are right, take study.duckdb from a backup.",
)  # fmt: skip

REDRAW = "redraw"  # the kind of entry that puts other arms in the place of those drawn
NO_ENTRY = "0" * 64  # what the first entry names as the one before it
COLUMNS = {
    "entry": "BIGINT", "kind": "VARCHAR", "recorded_at": "VARCHAR", "recorded_by": "VARCHAR", "package_version": "VARCHAR",
    "body": "VARCHAR", "previous": "VARCHAR", "digest": "VARCHAR",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the ledger.

    Attributes
    ----------
    entry : int
        1, 2, ...
    kind : str
        ``import``, ``draw``, ``redraw``, ...
    recorded_at : str
        UTC, ISO 8601.
    recorded_by : str
        Name of the user in the operating system.
    package_version : str
    body : str
        What was done, as canonical JSON.
    previous : str
        Digest of the entry before.
    digest : str
        SHA-256 of `text`, hexadecimal.
    """

    entry: int
    kind: str
    recorded_at: str
    recorded_by: str
    package_version: str
    body: str
    previous: str
    digest: str

    @property
    def text(self) -> str:
        """The text the digest is taken of: all other attributes, a line each."""
        return "".join(f"{value}\n" for value in astuple(self)[:-1])

    @property
    def said(self) -> dict[str, Any]:
        """The body as plain values."""
        said: dict[str, Any] = json.loads(self.body)
        return said


def canonical(body: Mapping[str, object]) -> str:
    """Return a body as JSON with sorted keys and no spaces.

    Examples
    --------
    >>> canonical({"b": 1, "a": "æ"})
    '{"a":"æ","b":1}'
    """
    return json.dumps(dict(body), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_of(text: str) -> str:
    """Return SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def append(connection: DuckDBPyConnection, kind: str, body: Mapping[str, object]) -> Entry:
    """Add an entry, inside the caller's transaction.

    Parameters
    ----------
    connection : DuckDBPyConnection
    kind : str
        One word for what was done.
    body : mapping
        What was done, as plain values that JSON can hold.
    """
    last = _last(connection)
    ensure(connection, "ledger", COLUMNS)
    unsealed = Entry(
        entry=last.entry + 1 if last else 1,
        kind=kind,
        recorded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        recorded_by=_user(),
        package_version=version("asp-eval"),
        body=canonical(body),
        previous=last.digest if last else NO_ENTRY,
        digest="",
    )
    sealed = replace(unsealed, digest=digest_of(unsealed.text))
    marks = ", ".join("?" for _ in COLUMNS)
    connection.execute(f"INSERT INTO ledger ({', '.join(COLUMNS)}) VALUES ({marks})", list(astuple(sealed)))
    return sealed


def entries(connection: DuckDBPyConnection, kind: str | None = None) -> tuple[Entry, ...]:
    """Return the entries in their order, of one kind or all.

    Raises
    ------
    Refusal
        STO-020 if the store is of a version before the ledger was sealed.
    """
    if not stored_columns(connection, "ledger"):
        if stored_columns(connection, "import_ledger"):
            OLD_STORE.refuse("study.duckdb")
        return ()
    names = ", ".join(field.name for field in fields(Entry))
    rows = connection.execute(f"SELECT {names} FROM ledger ORDER BY entry, rowid").fetchall()
    return tuple(entry for entry in (Entry(*row) for row in rows) if kind in (None, entry.kind))


def frame(chain: Sequence[Entry]) -> pd.DataFrame:
    """Return entries as a table."""
    return typed_frame([asdict(entry) for entry in chain], COLUMNS)


def head(connection: DuckDBPyConnection) -> str:
    """Return the digest of the last entry; 64 zeros if there is none."""
    last = _last(connection)
    return last.digest if last else NO_ENTRY


def verify(chain: Sequence[Entry], heads: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
    """Return where a chain of entries is not what was written.

    Parameters
    ----------
    chain : sequence of Entry
        All of the ledger, in its order.
    heads : mapping, optional
        Heads known from outside the store, by where each was printed; the first digits of one are enough. That entries
        were taken from the end, or that everything was written anew, is seen from nothing else.

    Returns
    -------
    tuple of Problem
        STO-021 for every entry that was changed, STO-022 where one does not follow from the one before, STO-023 for every
        head that no entry has.
    """
    problems = []
    number, previous = 0, NO_ENTRY
    for entry in chain:
        place = Phrase("ledger entry {n}", n=entry.entry)
        if digest_of(entry.text) != entry.digest:
            problems.append(CHANGED.at(place, found=entry.digest[:12], expected=digest_of(entry.text)[:12]))
        if entry.previous != previous:
            first = Phrase("the first, with nothing before it")
            after = Phrase("after entry {n}, {digits}", n=number, digits=previous[:12]) if number else first
            problems.append(BROKEN_CHAIN.at(place, found=Phrase("after {digits}", digits=entry.previous[:12]), expected=after))
        number, previous = entry.entry, entry.digest
    known = {NO_ENTRY, *(entry.digest for entry in chain)}
    for source, known_head in (heads or {}).items():
        if not any(digest.startswith(known_head) for digest in known):
            problems.append(OTHER_HEAD.at(source, found=known_head))
    return tuple(problems)


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
