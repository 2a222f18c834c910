"""The study's data between verbs: ``study.duckdb``, opened per verb, read into frames, closed at once."""

from asp_eval.store.connection import Store
from asp_eval.store.listed_children import listed_children
from asp_eval.store.queries import ledger_frames, table, table_columns, write_allocation, write_for_people, write_scores

__all__ = [
    "Store",
    "ledger_frames",
    "listed_children",
    "table",
    "table_columns",
    "write_allocation",
    "write_for_people",
    "write_scores",
]
