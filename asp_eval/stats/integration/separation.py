"""Estimates that do not exist: columns that separate the outcomes.

A likelihood with a discrete outcome has no maximum if some direction d of its parameters moves no row's probability down
and some row's up: the further, the better (Albert & Anderson 1984, Biometrika 71:1). Whether there is one is a linear
programme (Konis 2007): maximise the sum of a_i'd subject to a_i'd >= 0 and |d| <= 1, where a row's a_i points to where
its likelihood rises without end. Rows whose likelihood falls both ways must not move at all.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from asp_eval.stats.estimate import Array

MOVES = 1e-6
"""Size of a direction, in standard units, below which it does not separate."""


def separating_direction(rising: Array, fixed: Array) -> Array | None:
    """Return the direction in which the likelihood rises without end (k,), or None.

    Parameters
    ----------
    rising : ndarray (a, k)
        Rows along which the likelihood may rise without end: x_i for an event, -x_i for none.
    fixed : ndarray (b, k)
        Rows whose linear predictor has a best value.
    """
    rising, fixed = (_distinct(rows) for rows in (rising, fixed))
    k = rising.shape[1]
    if not len(rising) or not k:
        return None
    level = _reduced(fixed) if len(fixed) else None
    found = linprog(
        -rising.sum(axis=0), A_ub=-rising, b_ub=np.zeros(len(rising)), A_eq=level,
        b_eq=None if level is None else np.zeros(len(level)), bounds=(-1.0, 1.0), method="highs",
    )  # fmt: skip
    if found.x is None or float((rising @ found.x).max(initial=0.0)) < MOVES:
        return None
    return np.asarray(found.x, float)


def _distinct(rows: Array) -> Array:
    """Return the rows that differ."""
    return np.unique(rows.round(12), axis=0) if len(rows) else rows


def _reduced(rows: Array) -> Array:
    """Return rows that span the same space."""
    if len(rows) <= rows.shape[1]:
        return rows
    return np.asarray(np.linalg.qr(rows, mode="r"))
