"""Elimination of many small symmetric matrices at once, with derivatives.

Matrix r of R has its upper triangle packed row by row in the first axis; the second axis holds the value, the first and
the second derivative in one parameter; replicates lie last, so that every step is a few operations on long vectors.
Eliminating column k is  S_ij <- S_ij - S_ki S_kj / S_kk,  a product and a quotient whose derivatives follow the usual
rules. The pivots are those of the LDL' factorisation: log |S| is the sum of their logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from asp_eval.stats.estimate import Array

Index = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Pivots:
    """What an elimination leaves.

    Attributes
    ----------
    pivots : ndarray, shape (size, orders, R)
        S_kk at the turn of k, with derivatives; of the columns eliminated and the next.
    slope : ndarray, shape (R,)
        The last column on the one before it: in a regression, the coefficient of the last regressor. Zero where that one
        is left.
    """

    pivots: Array
    slope: Array


@lru_cache(maxsize=64)
def triangle(size: int) -> tuple[Index, Index]:
    """Return rows and columns of the packed elements."""
    i, j = np.triu_indices(size)
    return i.astype(np.intp), j.astype(np.intp)


def eliminate(packed: Array, size: int, columns: int | None = None) -> Pivots:
    """Eliminate the first columns in order; unless a number is given, all but the last. Overwrites its argument.

    Parameters
    ----------
    packed : ndarray, shape (size (size + 1) / 2, orders, R)
        With 1 to 3 orders of derivatives.
    size : int
    columns : int, optional
    """
    orders = packed.shape[1]
    starts = np.concatenate([[0], np.cumsum(np.arange(size, 1, -1))]).astype(int)
    rows = [packed[start : start + size - k] for k, start in enumerate(starts)]
    slope = np.zeros(packed.shape[2])
    columns = size - 1 if columns is None else columns
    for k in range(columns):
        m = _quotients(rows[k][1:], rows[k][0], orders)
        for i in range(k + 1, size):
            _subtract(rows[i], [x[i - k - 1] for x in m], rows[k][i - k :], orders)
        if k == size - 2:
            slope = m[0][0]
    return Pivots(np.stack([row[0] for row in rows[: columns + 1]]), slope)


def _quotients(rest: Array, pivot: Array, orders: int) -> list[Array]:
    """Return rest / pivot with its derivatives."""
    out = [rest[:, 0] / pivot[0]]
    if orders > 1:
        out.append((rest[:, 1] - out[0] * pivot[1]) / pivot[0])
    if orders > 2:
        out.append((rest[:, 2] - 2.0 * out[1] * pivot[1] - out[0] * pivot[2]) / pivot[0])
    return out


def _subtract(target: Array, m: list[Array], row: Array, orders: int) -> None:
    """Subtract m times a row, with derivatives."""
    target[:, 0] -= m[0] * row[:, 0]
    if orders > 1:
        target[:, 1] -= m[1] * row[:, 0] + m[0] * row[:, 1]
    if orders > 2:
        target[:, 2] -= m[2] * row[:, 0] + 2.0 * m[1] * row[:, 1] + m[0] * row[:, 2]
