"""Plain CSV for people and for round trips: text in, the same text out, nothing a spreadsheet would run."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from asp_eval.core.documents import write_whole

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?", re.ASCII)


def write_csv(path: Path, frame: pd.DataFrame, *, excel: bool = False) -> None:
    """Write `frame` whole, UTF-8 with a header.

    Text that a spreadsheet would take for a formula is prefixed with an apostrophe (`guard_formula`); numbers, also negative
    ones, are left alone. Missing values are empty cells.

    Parameters
    ----------
    path : Path
    frame : DataFrame
    excel : bool
        Write what a Danish Excel opens by a double click: semicolons, decimal commas, a byte order mark.
    """
    guarded = frame.rename(columns=guard_formula)
    for column in guarded.columns:
        cells = guarded[column]
        if pd.api.types.is_numeric_dtype(cells.dtype) or pd.api.types.is_datetime64_any_dtype(cells):
            continue
        if any(guard_formula(text) is not text for text in cells.unique()):  # most columns need no second look
            guarded[column] = cells.map(guard_formula, na_action="ignore")
    text = guarded.to_csv(index=False, lineterminator="\n", sep=";" if excel else ",", decimal="," if excel else ".")
    write_whole(path, text.encode("utf-8-sig" if excel else "utf-8"))


def guard_formula(value: object) -> object:
    """Return `value`, defused if it is text a spreadsheet would run.

    An apostrophe is put before text that begins with ``= + - @``, a tab or a carriage return, unless it is a number; and
    before text that begins with apostrophes and then one of these, so that `unguard_formula` gives back every text.

    Examples
    --------
    >>> guard_formula("=1+1"), guard_formula("-0,3"), guard_formula("anna"), guard_formula("'=1")
    ("'=1+1", '-0,3', 'anna', "''=1")
    """
    if isinstance(value, str) and value.lstrip("'").startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(value):
        return "'" + value
    return value


def unguard_formula(text: str) -> str:
    """Return the text that `guard_formula` was given.

    Examples
    --------
    >>> unguard_formula("'=1+1"), unguard_formula("-0,3"), unguard_formula("'tis")
    ('=1+1', '-0,3', "'tis")
    """
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS) else text


def read_csv_text(path: Path) -> pd.DataFrame:
    """Read a CSV of this package's own making with every cell as text; an empty cell is an empty string."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False, encoding="utf-8")
