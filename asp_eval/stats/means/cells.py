"""Cells: means over the reference grid, as values with their derivatives in the coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.design.variables import Categories, Numeric
from asp_eval.stats.estimate import Array
from asp_eval.stats.means.estimability import Estimability, estimability, reason
from asp_eval.stats.means.model import MeansModel, OrdinalScale
from asp_eval.stats.means.reference_grid import At, ReferenceGrid, grid_columns, grid_variable, reference_grid, rows_of

WEIGHTS = Fault("FIT-124", "there are no weights of the kind {kind!r}", "Use weights='equal' or weights='proportional'.")
NO_SLOPE = Fault("FIT-125", "{name} has no slope, because it holds categories", "Ask for its means and contrasts.")
STEP = 1e-3
"""Step of a slope, as a share of the variable's range; the slope is taken from both sides."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Means, slopes, or contrasts of them.

    Attributes
    ----------
    labels : dict of str to tuple
        What each of k rows is, by column.
    value : ndarray (k,)
    gradient : ndarray (k, q)
        Derivatives in the coefficients of the fit that a method wraps.
    full : ndarray (k, columns)
        Combinations of all columns of the fixed part; whether they are estimable decides whether there is a number.
    reasons : tuple of Phrase, length k
        Why there is no number; empty where there is one.
    linear : bool
        Whether the value is the gradient times the coefficients, but for a constant.
    """

    labels: dict[str, tuple[object, ...]]
    value: Array
    gradient: Array
    full: Array
    reasons: tuple[Phrase, ...]
    linear: bool

    def combined(self, C: Array, labels: dict[str, tuple[object, ...]], found: Estimability) -> Cells:
        """Return combinations C (rows, k) of the rows."""
        full = C @ self.full
        holds = found.holds(full) if self.linear else np.ones(len(C), bool)
        reasons = []
        for row, ok in zip(C, holds, strict=True):
            inside = [self.reasons[j] for j in np.flatnonzero(row) if self.reasons[j]]
            reasons.append(inside[0] if inside and (not self.linear or not ok) else NO_NOTE)
        return Cells(labels, C @ self.value, C @ self.gradient, full, tuple(reasons), self.linear)


def mean_cells(
    model: MeansModel, shown: Sequence[str], at: At | None, weights: str, scale: OrdinalScale | None
) -> tuple[Cells, Estimability]:
    """Return the means of every combination of the shown variables.

    Parameters
    ----------
    model : MeansModel
    shown : sequence of str
        Without the dimension of an ordinal scale.
    at : mapping, optional
    weights : {"equal", "proportional"}
        Of the cells averaged over.
    scale : OrdinalScale, optional
        Of an ordinal model; else means are those of the linear predictor.
    """
    grid = reference_grid(model.design, shown, at)
    found = estimability(model.design, model.kept)
    w = _weights(grid, shown, weights)
    labels = _labels(grid, shown)
    full = _averaged(w, grid.X)
    L = grid.X[:, list(model.kept)]
    if scale is None:
        value = _averaged(w, (L @ model.coefficients + grid.offset)[:, None])[:, 0]
        return Cells(labels, value, _averaged(w, L), full, _reasons(found, grid, w, full, linear=True), True), found
    curves = scale.curves(L @ model.coefficients + grid.offset)
    m = curves.value.shape[1]
    move = np.concatenate([curves.by_threshold, curves.by_predictor[:, :, None] * L[:, None, :]], axis=2)
    value = _averaged(w, curves.value).T.ravel()
    gradient = _averaged(w, move.reshape(len(L), -1)).reshape(-1, m, move.shape[2])
    reasons = _reasons(found, grid, w, full, linear=False)
    by = {name: v * m for name, v in labels.items()}
    if scale.dimension:
        by[scale.dimension] = tuple(label for label in scale.labels for _ in range(w.shape[1]))
    moved = gradient.transpose(1, 0, 2).reshape(len(value), -1)
    return Cells(by, value, moved, np.tile(full, (m, 1)), reasons * m, False), found


def slope_cells(
    model: MeansModel, variable: str, shown: Sequence[str], at: At | None, weights: str
) -> tuple[Cells, Estimability]:
    """Return the slope of the linear predictor in a numeric variable, in every combination of the shown variables."""
    design = model.design
    own = grid_variable(design, variable)
    if isinstance(own, Categories):
        return NO_SLOPE.refuse(name=variable)
    grid = reference_grid(design, shown, {variable: float(own.numbers.mean()), **dict(at or {})})
    h = STEP * float(np.ptp(own.numbers))
    columns = grid_columns(grid, design)
    middle = columns[variable]
    assert isinstance(middle, Numeric)
    (high, o_high), (low, o_low) = (
        rows_of(design, columns | {variable: Numeric(middle.numbers + s * h)}, len(grid.index)) for s in (1.0, -1.0)
    )
    slope = replace(grid, X=(high - low) / (2.0 * h), offset=(o_high - o_low) / (2.0 * h))
    found = estimability(design, model.kept)
    w = _weights(grid, shown, weights)
    full = _averaged(w, slope.X)
    L = np.zeros((len(full), len(model.fit.estimate)))
    L[:, model.n_thresholds :] = full[:, list(model.kept)]
    value = L @ model.fit.estimate + _averaged(w, slope.offset[:, None])[:, 0]
    return Cells(_labels(grid, shown), value, L, full, _reasons(found, slope, w, full, linear=True), True), found


def _weights(grid: ReferenceGrid, shown: Sequence[str], kind: str) -> Array:
    """Return the weights (averaged over, cells) of the grid's rows in the mean of each cell."""
    if kind not in ("equal", "proportional"):
        WEIGHTS.refuse(kind=kind)
    n = int(np.prod([len(grid.variables[grid.position(s)].values) for s in shown], dtype=int))
    if kind == "equal":
        return np.full((len(grid.index) // n, n), n / len(grid.index))
    counts = grid.frequencies(v.name for v in grid.variables if v.name not in shown).reshape(-1, n)
    return np.asarray(counts / counts.sum(axis=0), float)


def _averaged(w: Array, rows: Array) -> Array:
    """Return weighted means (cells, columns) of the grid's rows."""
    return np.asarray(np.einsum("ac,acp->cp", w, rows.reshape(*w.shape, -1)), float)


def _labels(grid: ReferenceGrid, shown: Sequence[str]) -> dict[str, tuple[object, ...]]:
    """Return the values of the shown variables in each cell."""
    n = int(np.prod([len(grid.variables[grid.position(s)].values) for s in shown], dtype=int))
    out: dict[str, tuple[object, ...]] = {}
    for name in shown:
        k = grid.position(name)
        out[name] = tuple(grid.variables[k].values[i] for i in grid.index[:n, k])
    return out


def _reasons(found: Estimability, grid: ReferenceGrid, w: Array, full: Array, *, linear: bool) -> tuple[Phrase, ...]:
    """Return why cells have no number."""
    n = w.shape[1]
    inside = found.holds(full) if linear else (found.holds(grid.X).reshape(w.shape) | (w == 0)).all(axis=0)
    cells = np.arange(len(grid.index)).reshape(w.shape)
    return tuple(NO_NOTE if inside[c] else reason(found, grid, cells[:, c]) for c in range(n))
