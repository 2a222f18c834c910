"""Rows of means and contrasts as tables: estimate, standard error, degrees of freedom, test, interval, method, note."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one
from asp_eval.stats.contrasts import NO_METHOD, NO_VARIANCE, check_level
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.estimate import Array
from asp_eval.stats.means.adjustment import adjusted
from asp_eval.stats.means.cells import Cells
from asp_eval.stats.smallsample.method import ContrastErrors, Fit, Method

COLUMNS = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high", "method", "note")


@dataclass(frozen=True, slots=True)
class Back:
    """How a row is turned back from the scale it was estimated on.

    Attributes
    ----------
    curve, slope : callable
    """

    curve: Callable[[Array], Array]
    slope: Callable[[Array], Array]


EXPONENTIAL = Back(np.exp, np.exp)
"""From the difference of two logarithms to a ratio."""


def table(
    fit: Fit,
    cells: Cells,
    method: Method,
    level: float,
    *,
    back: Back | None = None,
    adjust: str = "none",
    families: Sequence[Codes] = (),
    means: Sequence[int] = (),
    note: Phrase = NO_NOTE,
) -> pd.DataFrame:
    """Return one row per cell: its labels, then the columns of a tidy row.

    Parameters
    ----------
    fit : Fit
    cells : Cells
    method : Method
    level : float
        Of the intervals.
    back : Back, optional
        The estimate and the ends of its interval are turned back, the standard error by the delta method; statistic and
        p-value stay those of the scale it was estimated on.
    adjust, families, means
        As `adjusted` takes them.
    note : Phrase
        Of every row with a number.
    """
    if not isinstance(method, Method):
        NO_METHOD.refuse(found=method)
    check_level(level)
    k = len(cells.value)
    there = np.array([not r for r in cells.reasons], bool)
    numbers = {c: np.full(k, np.nan) for c in COLUMNS[:-2]}
    notes, methods = list(cells.reasons), [method.name] * k
    found = method.errors(fit, cells.gradient[there])
    value = np.where(there, cells.value, np.nan)
    if isinstance(found, Unavailable):
        notes = [n or found.reason for n in notes]
    else:
        se, df = np.full(k, np.nan), np.full(k, np.nan)
        se[there], df[there] = found.std_error, found.df
        for i, at in enumerate(np.flatnonzero(there)):
            notes[at], methods[at] = _said(found, i, note)
        flat = there & ~(se > 0)
        se[flat] = df[flat] = np.nan
        for at in np.flatnonzero(flat):
            notes[at] = NO_VARIANCE
        t = value / se
        p, reach = adjusted(adjust, np.where(np.isfinite(df) | np.isinf(df), t, np.nan), df, families, means, level)
        low, high = value - reach * se, value + reach * se
        if back is not None:
            se, low, high = np.abs(back.slope(value)) * se, back.curve(low), back.curve(high)
            low, high = np.minimum(low, high), np.maximum(low, high)
        numbers |= {"std_error": se, "df": df, "statistic": t, "p_value": p, "conf_low": low, "conf_high": high}
    numbers["estimate"] = value if back is None else back.curve(value)
    labels = {name: list(v) for name, v in cells.labels.items()}
    return pd.DataFrame({**labels, **numbers, "method": methods, "note": pd.Series(notes, dtype=object)})[[*labels, *COLUMNS]]


def _said(found: ContrastErrors, i: int, note: Phrase) -> tuple[Phrase, str]:
    """Return the note and the method of a row."""
    own = found.reasons[i] if found.reasons and found.reasons[i] else found.notes[i] if found.notes else found.note
    return notes_in_one(n for n in (own, note) if n), found.methods[i] if found.methods else found.method
