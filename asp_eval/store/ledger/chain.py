"""How entries of the ledger are sealed, one to the other, and verified.

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

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass

from asp_eval.core.errors import Fault, Problem, Refusal
from asp_eval.core.phrases import Phrase
from asp_eval.store.ledger.bodies import UNREADABLE, LedgerBody, read_body

CHANGED = Fault(
    "STO-021",
    "the entry is not what was written: its text does not give its digest",
    "Someone changed it. Take study.duckdb from a backup, or make it again from data/ as docs/ledger.md says.",
)
BROKEN_CHAIN = Fault(
    "STO-022",
    "the entry does not follow from the one before it: entries were taken out, put in or put in another order here",
    "Take study.duckdb from a backup, or make it again from data/ as docs/ledger.md says.",
)
OTHER_HEAD = Fault(
    "STO-023",
    "no entry has the head that was printed: entries were taken from the end, or the chain was written anew",
    "Compare the digits with the printed ones. If they are right, take study.duckdb from a backup.",
)

CLOCK_BACK = Fault(
    "STO-043",
    "the entry was written earlier than the one before it: the clock of a machine was wrong, or was put back",
    "Set the clock. Which of the two times is right, the ledger cannot know; the order of the entries is right.",
    "warning",
)

NO_ENTRY = "0" * 64  # what the first entry names as the one before it
COLUMNS = {
    "entry": "BIGINT",
    "kind": "VARCHAR",
    "recorded_at": "VARCHAR",
    "recorded_by": "VARCHAR",
    "package_version": "VARCHAR",
    "body": "VARCHAR",
    "previous": "VARCHAR",
    "digest": "VARCHAR",
}


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
    def content(self) -> LedgerBody:
        """The body, by its kind.

        Raises
        ------
        Refusal
            STO-038 if it cannot be read.
        """
        return read_body(self.kind, self.body)


def digest_of(text: str) -> str:
    """Return SHA-256 of a text, hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


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
        head that no entry has; STO-043, a warning, where the clock ran backwards.
    """
    problems = []
    number, previous, time = 0, NO_ENTRY, ""
    for entry in chain:
        place = Phrase("ledger entry {n}", n=entry.entry)
        if digest_of(entry.text) != entry.digest:
            problems.append(CHANGED.at(place, found=entry.digest[:12], expected=digest_of(entry.text)[:12]))
        if entry.previous != previous:
            first = Phrase("the first, with nothing before it")
            after = Phrase("after entry {n}, {digits}", n=number, digits=previous[:12]) if number else first
            problems.append(BROKEN_CHAIN.at(place, found=Phrase("after {digits}", digits=entry.previous[:12]), expected=after))
        if entry.recorded_at < time:  # all are in UTC, and written alike
            problems.append(CLOCK_BACK.at(place, found=entry.recorded_at, expected=time))
        number, previous, time = entry.entry, entry.digest, entry.recorded_at
    known = {NO_ENTRY, *(entry.digest for entry in chain)}
    for source, known_head in (heads or {}).items():
        if not any(digest.startswith(known_head) for digest in known):
            problems.append(OTHER_HEAD.at(source, found=known_head))
    return tuple(problems)


def unreadable(chain: Sequence[Entry]) -> tuple[Problem, ...]:
    """Return the entries whose body cannot be read: STO-038, each with its number."""
    problems = []
    for entry in chain:
        try:
            read_body(entry.kind, entry.body)
        except Refusal:
            problems.append(UNREADABLE.at(Phrase("ledger entry {n}", n=entry.entry), kind=entry.kind))
    return tuple(problems)
