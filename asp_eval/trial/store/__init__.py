"""The study's data between verbs: ``study.duckdb``, opened per verb, read into frames, closed at once."""

from asp_eval.trial.store.access import ledger_frames, table, write_allocation, write_ledgers, write_scores
from asp_eval.trial.store.connection import Store
from asp_eval.trial.store.lists import listed_children

__all__ = ["Store", "ledger_frames", "listed_children", "table", "write_allocation", "write_ledgers", "write_scores"]
