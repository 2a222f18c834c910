"""`Table`: rows that passed validation, the only data later stages accept."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Problem
from asp_eval.intake.files.raw import Dialect, Mask, Rows
from asp_eval.trial.tables.schema import TableSchema

NOT_VALIDATED = Fault("SCR-070", "a Table is made by validation only", "Read the file with asp_eval.read_table(path, schema).")
VALIDATED = object()  # the seal that `validation.sift` puts on what it has checked


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A file that passed validation.

    Attributes
    ----------
    schema : TableSchema
    source, sha256 : str
        File name and digest.
    rows : ndarray of int, shape (n,)
        Number of each row in a spreadsheet; the header is row 1.
    answered : ndarray of bool, shape (n,)
        Whether the row has an answer to any item; True throughout where the table has no items.
    rows_read, filtered, collapsed, duplicates, quarantined : int
        ``rows_read = n + filtered + collapsed + duplicates + quarantined``.
    dialect : Dialect
        With the decimal mark and the order of dates that the file was read with.
    warnings : tuple of Problem
    """

    schema: TableSchema = field(repr=False)
    source: str
    sha256: str
    checked: pd.DataFrame = field(repr=False)
    rows: Rows = field(repr=False)
    answered: Mask = field(repr=False)
    rows_read: int
    filtered: int
    collapsed: int
    dialect: Dialect
    warnings: tuple[Problem, ...]
    duplicates: int = 0
    quarantined: int = 0
    seal: object = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.seal is not VALIDATED:
            NOT_VALIDATED.refuse()
        self.rows.setflags(write=False)
        self.answered.setflags(write=False)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def name(self) -> str:
        """The table's name."""
        return self.schema.name

    @property
    def wave(self) -> str | None:
        """The wave the file is for."""
        return self.schema.wave

    @property
    def frame(self) -> pd.DataFrame:
        """A copy of the rows: ids and texts as ``string``, numbers as ``float64``, dates as ``datetime64[s]``."""
        return self.checked.copy()

    @property
    def accepted(self) -> int:
        """Rows with answers, or all where the table has no items."""
        return int(np.count_nonzero(self.answered))

    @property
    def unanswered(self) -> int:
        """Rows without an answer: the child or respondent is known, but was not there."""
        return len(self) - self.accepted
