"""Plain CSV for people and for round trips: text in, the same text out, nothing a spreadsheet would run."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from asp_eval.core.documents import write_whole

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(path: Path, frame: pd.DataFrame) -> None:
    """Write `frame` whole, UTF-8 with a header.

    Text that a spreadsheet would take for a formula is prefixed with an apostrophe; numbers, also negative ones, are
    left alone. Missing values are empty cells.
    """
    guarded = frame.copy()
    for column in guarded.columns:
        if not pd.api.types.is_numeric_dtype(guarded[column].dtype):
            guarded[column] = guarded[column].map(guard_formula, na_action="ignore")
    write_whole(path, guarded.to_csv(index=False, lineterminator="\n"))


def guard_formula(value: object) -> object:
    """Return `value`, defused if it is text a spreadsheet would run.

    Examples
    --------
    >>> guard_formula("=1+1"), guard_formula("-0,3"), guard_formula("anna")
    ("'=1+1", '-0,3', 'anna')
    """
    if isinstance(value, str) and value.startswith(FORMULA_STARTS) and not _is_number(value):
        return "'" + value
    return value


def read_csv_text(path: Path) -> pd.DataFrame:
    """Read a CSV of this package's own making with every cell as text; an empty cell is an empty string."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False, encoding="utf-8")


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ".", 1))
    except ValueError:
        return False
    return True
