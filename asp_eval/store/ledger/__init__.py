"""The ledger: everything that was ever done to the data, one entry after the other, each sealed to the one before.

`bodies` has what each kind of entry says, `chain` how entries are sealed and verified, `stored` the table in the database.
"""

from asp_eval.store.ledger.bodies import (
    DATA_KINDS,
    Body,
    DrawBody,
    ExportBody,
    ForgetBody,
    GapBody,
    ImportBody,
    KeptCopy,
    LateDrawBody,
    LedgerBody,
    PlanBody,
    PlanChangeBody,
    ProcessBody,
    RedrawBody,
    ReportBody,
    ResultsBody,
    ScoreBody,
    canonical,
    new_body,
    read_body,
)
from asp_eval.store.ledger.chain import COLUMNS, NO_ENTRY, Entry, digest_of, unreadable, verify
from asp_eval.store.ledger.stored import append, entries, frame, head, next_number

__all__ = [
    "COLUMNS",
    "DATA_KINDS",
    "NO_ENTRY",
    "Body",
    "DrawBody",
    "Entry",
    "ExportBody",
    "ForgetBody",
    "GapBody",
    "ImportBody",
    "KeptCopy",
    "LateDrawBody",
    "LedgerBody",
    "PlanBody",
    "PlanChangeBody",
    "ProcessBody",
    "RedrawBody",
    "ReportBody",
    "ResultsBody",
    "ScoreBody",
    "append",
    "canonical",
    "digest_of",
    "entries",
    "frame",
    "head",
    "new_body",
    "next_number",
    "read_body",
    "unreadable",
    "verify",
]
