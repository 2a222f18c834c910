"""The ledger: everything that was ever done to the data, one entry after the other, each sealed to the one before.

`bodies` has what each kind of entry says, `chain` how entries are sealed and verified, `stored` the table in the database.
"""

from asp_eval.store.ledger.bodies import (
    Body,
    DrawBody,
    ImportBody,
    LateDrawBody,
    LedgerBody,
    RedrawBody,
    canonical,
    new_body,
    read_body,
)
from asp_eval.store.ledger.chain import COLUMNS, NO_ENTRY, Entry, digest_of, unreadable, verify
from asp_eval.store.ledger.stored import append, entries, frame, head

__all__ = [
    "COLUMNS",
    "NO_ENTRY",
    "Body",
    "DrawBody",
    "Entry",
    "ImportBody",
    "LateDrawBody",
    "LedgerBody",
    "RedrawBody",
    "append",
    "canonical",
    "digest_of",
    "entries",
    "frame",
    "head",
    "new_body",
    "read_body",
    "unreadable",
    "verify",
]
