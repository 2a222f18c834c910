"""Whether the ledger is whole, and the store and ``data/`` still hold what it says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from asp_eval.core.contained_paths import inside
from asp_eval.core.errors import Fault, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.store import imports, ledger
from asp_eval.store.connection import Store
from asp_eval.store.layout import fetch, stored_columns
from asp_eval.store.ledger.seals import changed_tables
from asp_eval.store.reconciliation import all_unreconciled
from asp_eval.store.remembered_tables import forget_digests
from asp_eval.store.sealed_files import changed_files
from asp_eval.trial.study.design import Study

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NO_HEAD = Fault(
    "STO-025", "this is not the head of a ledger", "Give at least its first 8 digits (0-9, a-f), as the report prints them."
)
OTHER_ARMS = Fault(
    "STO-026",
    "the table of arms is not what the draws in the ledger give",
    "Someone changed study.duckdb by hand. Take it from a backup, or make it again from data/ as docs/ledger.md says.",
)
OTHER_FILE = Fault(
    "STO-027", "the file is not the one that was imported as entry {entry}", "Put the file that was received back in its place."
)
NO_FILE = Fault(
    "STO-028",
    "the file that was imported as entry {entry} is no longer in data/",
    "Put it back, if it exists: without it the study cannot be made again.",
    "warning",
)

FEWEST_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Audit:
    """What became of checking a ledger.

    Attributes
    ----------
    entries : int
    head : str
        Digest of the last entry; 64 zeros if there is none.
    compared : tuple of str
        Where the heads stood that it was compared with.
    problems : tuple of Problem
    rebuilt : bool
        Whether the tables were made again from ``data/`` and compared.
    not_compared : tuple of Phrase
        What of them could not be compared, and why.
    """

    entries: int
    head: str
    compared: tuple[str, ...]
    problems: tuple[Problem, ...]
    rebuilt: bool = False
    not_compared: tuple[Phrase, ...] = ()

    @property
    def errors(self) -> int:
        """Number of problems that show a change."""
        return sum(problem.is_error for problem in self.problems)

    def as_dict(self) -> dict[str, object]:
        """Return the audit as plain values."""
        return {
            "entries": self.entries,
            "head": self.head,
            "compared": list(self.compared),
            "problems": [problem.as_dict() for problem in self.problems],
            "rebuilt": self.rebuilt,
            "not_compared": list(self.not_compared),
        }


def audit(study: Study, heads: Mapping[str, str] | None = None) -> Audit:
    """Check the ledger of a study, and what it says of the allocation and of the files in ``data/``.

    Parameters
    ----------
    study : Study
    heads : mapping, optional
        Heads that were printed, or their first digits (8 or more), by where they stand.

    Raises
    ------
    Refusal
        STO-025 for what cannot be a head; STO-020 if the store is of an older version.
    """
    wanted = {source: _digits(source, text) for source, text in (heads or {}).items()}
    chain: tuple[ledger.Entry, ...] = ()
    problems: list[Problem] = []
    with Store.of(study).reading() as connection:
        if connection is not None:
            forget_digests(connection)
            chain = ledger.entries(connection)
            if not ledger.unreadable(chain):
                problems += [*changed_tables(connection, chain), *_arms(connection, chain), *all_unreconciled(connection)]
    unreadable = ledger.unreadable(chain)
    files = [] if unreadable else [*_files(study.folder / "data", chain), *changed_files(study, chain)]
    problems = [*ledger.verify(chain, wanted), *unreadable, *problems, *files]
    return Audit(len(chain), chain[-1].digest if chain else ledger.NO_ENTRY, tuple(wanted), tuple(problems))


def _digits(source: str, text: str) -> str:
    digits = re.sub(r"\s", "", text).lower()
    if not re.fullmatch(rf"[0-9a-f]{{{FEWEST_DIGITS},64}}", digits):
        NO_HEAD.refuse(source, found=text)
    return digits


def _arms(connection: DuckDBPyConnection, chain: Sequence[ledger.Entry]) -> Iterator[Problem]:
    """Compare the allocation with the draws, replayed."""
    drawn: dict[str, str] = {}
    for entry in chain:
        body = entry.content
        if isinstance(body, (ledger.ImportBody, ledger.DrawBody)):
            drawn = dict(body.arms) if isinstance(body, ledger.RedrawBody) else drawn | dict(body.arms)
    stored: dict[str, str] = {}
    if stored_columns(connection, "allocation"):
        rows = fetch(connection, "SELECT institution_id, arm FROM allocation")
        stored = dict(zip(rows["institution_id"], rows["arm"], strict=True))
    for institution in sorted(drawn.keys() | stored.keys()):
        now, then = stored.get(institution), drawn.get(institution)
        if now != then:
            no_arm, place = Phrase("no arm"), Phrase("institution {id}", id=institution)
            yield OTHER_ARMS.at(place, found=now or no_arm, expected=then or no_arm)


def _files(folder: Path, chain: Sequence[ledger.Entry]) -> Iterator[Problem]:
    """Compare the files in ``data/`` with their digests."""
    for found in imports.imports(chain):
        path = inside(folder, found.file)
        if not path.is_file():
            yield NO_FILE.at(f"data/{found.file}", entry=found.import_id)
            continue
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != (was := found.kept_sha256):
            yield OTHER_FILE.at(f"data/{found.file}", found=digest[:12], expected=was[:12], entry=found.import_id)
