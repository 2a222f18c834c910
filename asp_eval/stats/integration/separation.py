"""Estimates that do not exist: columns that separate the outcomes.

A likelihood with a discrete outcome has no maximum if some direction d of its parameters moves no row's probability down
and some row's up: the further, the better (Albert & Anderson 1984, Biometrika 71:1). Whether there is one is a linear
programme (Konis 2007): maximise the sum of a_i'd subject to a_i'd >= 0 and |d| <= 1, where a row's a_i points to where
its likelihood rises without end. Rows whose likelihood falls both ways must not move at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import linprog

from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.columns import Column
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.variables import Categories
from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.standard import StandardColumns

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
        -rising.sum(axis=0),
        A_ub=-rising,
        b_ub=np.zeros(len(rising)),
        A_eq=level,
        b_eq=None if level is None else np.zeros(len(level)),
        bounds=(-1.0, 1.0),
        method="highs",
    )
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


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """How many events each row holds, of how many that it could.

    Attributes
    ----------
    events, total : ndarray (n,)
        Of a count, `total` is infinite: only the absence of events separates.
    """

    events: Array
    total: Array


def separated_in_words(design: Design, columns: StandardColumns, direction: Array, counts: Counts | None) -> Phrase:
    """Say what separates an outcome: an empty cell of categories with its numbers, or the columns.

    Parameters
    ----------
    design : Design
    columns : StandardColumns
    direction : ndarray (p,)
        In standard units.
    counts : Counts or None
        None where the outcome has more than two categories.
    """
    d = columns.T @ direction
    raw = design.fixed_matrix()[:, list(columns.kept)]
    size = np.abs(d) * raw.std(axis=0)
    guilty = [j for j in range(len(d)) if size[j] > MOVES * max(float(size.max()), 1e-300)]
    made = [design.columns[design.layout.fixed[columns.kept[j]]] for j in guilty]
    outcome = design.formula.response
    if counts is not None:
        cell = _empty_cell(design, made, counts)
        if cell:
            return cell
        alone = [j for j in guilty if _separates_alone(raw[:, j], counts)]
        guilty = alone[:1] or guilty
    names = ", ".join(design.layout.fixed_names[columns.kept[j]] for j in guilty)
    return Phrase("{outcome} follows from {names} without error, for a part of the rows or all", names=names, outcome=outcome)


def _empty_cell(design: Design, made: list[Column], counts: Counts) -> Phrase | None:
    """Return the words for a category, or a combination of two or more, in which nothing or everything is an event."""
    factors = list(dict.fromkeys(name for c in made for name, level in c.parts if level is not None))
    variables = [(f, v) for f in factors if isinstance(v := design.data.columns.get(f), Categories)]
    for size in (1, 2, 3):
        for chosen in combinations(variables, size):
            code = np.zeros(design.data.n, np.intp)
            for _, v in chosen:
                code = code * len(v.levels) + v.codes
            events, total = np.bincount(code, counts.events), np.bincount(code, counts.total)
            rows = np.bincount(code)
            for k in np.flatnonzero((rows > 0) & ((events == 0) | (events == total))):
                first = int(np.flatnonzero(code == k)[0])
                cell = ", ".join(f"{f} = {v.levels[v.codes[first]]}" for f, v in chosen)
                possible = total[k] if np.isfinite(total[k]) else rows[k]
                return Phrase(
                    "{events} events of {outcome} in {total} where {cell}",
                    events=f"{events[k]:g}",
                    total=f"{possible:g}",
                    cell=cell,
                    outcome=design.formula.response,
                )
    return None


def _separates_alone(column: Array, counts: Counts) -> bool:
    """Whether all rows without events lie on one side of all rows with, as to one column."""
    none, some, every = counts.events == 0, counts.events > 0, counts.events == counts.total
    if not np.isfinite(counts.total).all():
        return bool(none.any() and some.any() and np.ptp(column[some]) == 0)
    low, high = column[~every], column[~none]
    return bool(low.max() <= high.min() or low.min() >= high.max())
