"""The one pass over the rows: cross-products of u = [1, X, Z's covariates, y], in all and within groups.

For rows r with weights w and a grouping factor i with groups g,

    total        u'Wu           (c, c)
    sums_i       [1 z_i]'W u    (m_i, v_i, c), within each group
    cells_ij     [1 z_i]'W[1 z_j], within each combination of a group of i and one of j that occurs

Columns are centred at the mean of the first chunk while they are read, so that a covariate near 1e6 keeps its digits.
Rows are taken in chunks and in order, so the same rows always give the same bits and the design never exists as a
whole. Where more rows than one chunk holds stand by the groups of one factor, chunks are so small that each stays in the cache
until it has been multiplied.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import blas

from asp_eval.stats.design.layout import Layout
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.estimate import Array

Fill = Callable[[Array, slice], None]
"""Writes the rows of a slice of u into a block (c, rows): each column of u lies in one piece of memory."""

CHUNK = 2**15
"""Rows at a time where groups are scattered: each chunk is added to all groups."""
SMALL_CHUNK = 2**13
"""Rows at a time where they stand by the groups of one factor."""


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What the pass returns.

    Attributes
    ----------
    shift : ndarray (c,)
        What was subtracted from each column.
    total : ndarray (c, c)
    sums : tuple of ndarray (m_i, v_i, c)
    cells : dict of (int, int) to tuple of ndarray of int (cells, 2), ndarray (cells, v_i, v_j)
        For each pair of factors i < j.
    """

    shift: Array
    total: Array
    sums: tuple[Array, ...]
    cells: dict[tuple[int, int], tuple[npt.NDArray[np.intp], Array]]


def accumulate(layout: Layout, n: int, fill: Fill, codes: list[Codes], sizes: list[int], weights: Array | None) -> Sums:
    """Pass once over n rows.

    Parameters
    ----------
    layout : Layout
    n : int
    fill : callable
        Writes the rows of a slice of u into a block.
    codes : list of ndarray of int (n,)
        The group of each row, one array per factor.
    sizes : list of int
        Number of groups m_i per factor.
    weights : ndarray (n,) or None
    """
    c = len(layout.columns)
    ordered = [bool((code[1:] >= code[:-1]).all()) for code in codes]
    step = n if n <= CHUNK else SMALL_CHUNK if ordered == [True] else min(n, max(CHUNK, *sizes))
    found, pairs = empty_sums(layout, np.zeros(c), codes, sizes)
    total, shift = found.total, found.shift
    block = np.empty((c, step))
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        u = block[:, : rows.stop - start]
        fill(u, rows)
        if start == 0:
            shift[:] = _shift(layout, u)
        for column in np.flatnonzero(shift):
            u[column] -= shift[column]
        if weights is not None:
            u *= np.sqrt(weights[rows])
        total += u @ u.T if step == n else blas.dgemm(1.0, u.T, u.T, trans_a=True)
        for factor, code, by_group, out in zip(layout.factors, codes, ordered, found.sums, strict=True):
            _add_groups(out, u, code[rows], factor.needed, by_group=by_group, weighted=weights is not None)
        for (i, j), cell in pairs.items():
            _add_cells(found.cells[i, j][1], u, cell[rows], layout.factors[i].needed, layout.factors[j].needed)
    return found


def empty_sums(layout: Layout, shift: Array, codes: list[Codes], sizes: list[int]) -> tuple[Sums, dict[tuple[int, int], Codes]]:
    """Return sums of no rows yet, to be added to, and for each pair of factors the cell of each row (n,)."""
    c, needed = len(shift), [len(f.needed) for f in layout.factors]
    sums = tuple(np.zeros((m, v, c)) for m, v in zip(sizes, needed, strict=True))
    both = list(itertools.combinations(range(len(codes)), 2))
    found = {(i, j): cells_of(codes[i], codes[j], sizes[i], sizes[j]) for i, j in both}
    cells = {(i, j): (found[i, j][0], np.zeros((len(found[i, j][0]), needed[i], needed[j]))) for i, j in both}
    return Sums(shift, np.zeros((c, c)), sums, cells), {pair: cell for pair, (_, cell) in found.items()}


def _shift(layout: Layout, u: Array) -> Array:
    """Return what to subtract from each column: the mean of its first rows, nothing from indicators."""
    shift = u.mean(axis=1)
    shift[[0, *layout.indicators]] = 0.0
    return np.where(np.isfinite(shift), shift, 0.0)


def _add_groups(out: Array, u: Array, code: Codes, needed: tuple[int, ...], *, by_group: bool, weighted: bool) -> None:
    """Add the sums of (column v) * u within groups to `out` (m, v, c); rows that stand by group are summed run by run."""
    runs = _runs(code) if by_group else None
    for k, v in enumerate(needed):
        product = u if v == 0 and not weighted else u[v] * u
        if runs is None:
            for j in range(len(u)):
                out[:, k, j] += np.bincount(code, weights=product[j], minlength=len(out))
        elif len(runs) == len(out):  # every group has its run
            out[:, k] += np.add.reduceat(product, runs, axis=1).T
        else:
            out[code[runs], k] += np.add.reduceat(product, runs, axis=1).T


def _runs(code: Codes) -> npt.NDArray[np.intp]:
    """Return where rows of another group than the one before begin."""
    begins = np.ones(len(code), dtype=bool)
    np.not_equal(code[1:], code[:-1], out=begins[1:])
    return np.flatnonzero(begins)


def _add_cells(out: Array, u: Array, cell: Codes, first: tuple[int, ...], second: tuple[int, ...]) -> None:
    """Add the sums of (column v) * (column w) within cells to `out` (cells, v, w)."""
    for a, v in enumerate(first):
        for b, w in enumerate(second):
            out[:, a, b] += np.bincount(cell, weights=u[v] * u[w], minlength=len(out))


def cells_of(first: Codes, second: Codes, m: int, m2: int) -> tuple[npt.NDArray[np.intp], Codes]:
    """Return the combinations of groups that occur (cells, 2), and the cell of each row (n,)."""
    parent = np.zeros(m, dtype=np.intp)
    parent[first] = second
    if bool((parent[first] == second).all()):
        return np.column_stack([np.arange(m), parent]), first
    cell, joint = pd.factorize(first * m2 + second)
    return np.column_stack(np.divmod(joint, m2)).astype(np.intp), cell.astype(np.intp, copy=False)
