"""What is stored already, for a new file to be checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from asp_eval.intake.mapping.drift import ColumnMeanings

PART = "import_part"  # the stored column that says which part of a table a row came with
REPORTS = ("child_id", "wave", "institution_id", "rater_id", "sex", "birth_month")


def no_reports() -> pd.DataFrame:
    """Return the reports of a study without any."""
    return pd.DataFrame({name: pd.array([], dtype="string") for name in REPORTS})


@dataclass(frozen=True, slots=True, eq=False)
class OtherParts:
    """What the other parts of a table and wave say, for a new part to be checked against.

    Attributes
    ----------
    rows : tuple of DataFrame
        Their rows, as stored, each with `PART`; of children, what is said of them and their visits apart.
    answered : mapping of tuple of str to mapping
        Of each questionnaire, by its forms: the units that have answers, and the part that each came with.
    """

    rows: tuple[pd.DataFrame, ...] = ()
    answered: Mapping[tuple[str, ...], Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class CheckContext:
    """What is stored already, for a new file to be checked against.

    Attributes
    ----------
    institutions : frozenset of str
        The institutions listed.
    allocated : frozenset of str
        Those with an arm; empty before the draw.
    reports : DataFrame
        What files of other waves said of children: child_id, wave (empty for the register), institution_id, rater_id,
        sex, birth_month, in the order of the waves.
    waves_before : frozenset of str
        The waves, and the register, that come before the file's own wave.
    arms : mapping of str to str
        The arm of each institution that has one.
    drawn : mapping of str to str
        The day of its draw, ISO 8601, of each institution that has an arm; None where it is not known.
    other_wave : tuple of (str, mapping), optional
        The wave to compare the file's labels with, and what they mean there.
    is_correction : bool
        Whether the file brings rows from quarantine, and not all of its table and wave.
    stored_keys : frozenset of str
        For a correction: the keys stored at its wave (`duplicates.keys_of`), which it must not bring again.
    changed_cells : mapping of (int, str) to str
        For a correction: the cells, by row number and our column, that a spreadsheet changed unasked, as they were.
    other_parts : OtherParts
        For one part of a table or wave: the others.
    """

    institutions: frozenset[str] = frozenset()
    allocated: frozenset[str] = frozenset()
    reports: pd.DataFrame = field(default_factory=no_reports)
    waves_before: frozenset[str] = frozenset()
    arms: Mapping[str, str] = field(default_factory=dict)
    drawn: Mapping[str, str | None] = field(default_factory=dict)
    other_wave: tuple[str, ColumnMeanings] | None = None
    is_correction: bool = False
    stored_keys: frozenset[str] = frozenset()
    changed_cells: Mapping[tuple[int, str], str] = field(default_factory=dict)
    other_parts: OtherParts = field(default_factory=OtherParts)
