"""Cholesky factor, solutions and the inverse's own blocks of a symmetric positive definite block tridiagonal matrix.

With diagonal blocks A_i and blocks E_i below them, i = 1..K,

    A~_1 = A_1,   L_i L_i' = A~_i,   W_i = E_i L_i^-T,   A~_(i+1) = A_(i+1) - W_i W_i'

and, from the last block back, the blocks of the inverse Z in the same places (the selected inverse: Takahashi's equations),

    Z_K = A~_K^-1,   G_i = W_i L_i^-1,   Z_(i+1,i) = -Z_(i+1) G_i,   Z_i = A~_i^-1 - G_i' Z_(i+1,i).

One block is a dense matrix. A sparse matrix becomes block tridiagonal by the reverse Cuthill-McKee order of its rows: blocks
as large as its bandwidth hold it. Each block lies in memory by columns, as LAPACK reads it, so `store[place]` with
place = column * b + row addresses the lower half of A_i and the whole of E_i.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import blas, lapack
from scipy.sparse.csgraph import reverse_cuthill_mckee

from asp_eval.stats.estimate import Array

Index = npt.NDArray[np.intp]

DENSE = 3
"""With fewer blocks than this a dense matrix is as fast."""
SMALLEST = 32
"""Rows of a block: smaller ones cost calls."""


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Where the entries of a sparse symmetric matrix lie.

    Attributes
    ----------
    size : int
        Rows of a block, b.
    count : int
        Number of blocks, K.
    order : ndarray of int (q,)
        The rows in the order of the blocks.
    """

    size: int
    count: int
    order: Index

    @classmethod
    def of(cls, pattern: sp.csr_matrix) -> Blocks:
        """Return the blocks of a pattern of entries (q, q); one block where the matrix has no band."""
        q = pattern.shape[0]
        order = np.asarray(reverse_cuthill_mckee(pattern, symmetric_mode=True), np.intp)
        position = np.empty(q, np.intp)
        position[order] = np.arange(q)
        entries = pattern.tocoo()
        size = max(int(np.abs(position[entries.row] - position[entries.col]).max(initial=0)), SMALLEST)
        if DENSE * size >= q:
            return cls(q, 1, np.arange(q, dtype=np.intp))
        return cls(size, -(-q // size), order)

    @property
    def numbers(self) -> int:
        """Length of the store."""
        return (2 * self.count - 1) * self.size**2

    def places(self, rows: Index, columns: Index) -> Index:
        """Return where entries (row >= column, in the order of the blocks) lie in the store."""
        b = self.size
        block, below = columns // b, rows // b > columns // b
        return np.where(below, self.count + block, block) * b * b + (columns % b) * b + rows % b

    def parts(self, store: Array) -> tuple[list[Array], list[Array]]:
        """Return the diagonal blocks (b, b) and those below, as views that LAPACK may write into."""
        pieces = [x.T for x in store.reshape(-1, self.size, self.size)]
        return pieces[: self.count], pieces[self.count :]

    def diagonal(self, store: Array, q: int) -> Array:
        """Return the diagonal (q,)."""
        b = self.size
        return store[: self.count * b * b].reshape(self.count, b * b)[:, :: b + 1].ravel()[:q]

    def add_identity(self, store: Array) -> None:
        """Add one to the diagonal, also of the rows that fill the last block."""
        b = self.size
        store[: self.count * b * b].reshape(self.count, b * b)[:, :: b + 1] += 1.0


def factor(blocks: Blocks, store: Array) -> float | None:
    """Replace a matrix by its factor (L_i, W_i) and return the logarithm of its determinant; None if it is not definite."""
    diagonal, below = blocks.parts(store)
    log_det = 0.0
    for i, A in enumerate(diagonal):
        L, wrong = lapack.dpotrf(A, lower=1, overwrite_a=1, clean=0)
        if wrong:
            return None
        log_det += 2.0 * float(np.log(L.diagonal()).sum())
        if i < len(below):
            W = blas.dtrsm(1.0, L, below[i], side=1, lower=1, trans_a=1, overwrite_b=1)
            blas.dsyrk(-1.0, W, beta=1.0, c=diagonal[i + 1], lower=1, overwrite_c=1)
    return log_det


def solve(blocks: Blocks, factored: Array, right: Array) -> Array:
    """Return the solution (q, r) of a factored matrix."""
    b, q = blocks.size, len(right)
    diagonal, below = blocks.parts(factored)
    x = np.zeros((blocks.count * b, right.shape[1]))
    x[:q] = right
    pieces = np.split(x, blocks.count)
    for i, L in enumerate(diagonal):
        if i:
            pieces[i] -= below[i - 1] @ pieces[i - 1]
        pieces[i][:] = blas.dtrsm(1.0, L, pieces[i], lower=1)
    for i in range(blocks.count - 1, -1, -1):
        if i < len(below):
            pieces[i] -= below[i].T @ pieces[i + 1]
        pieces[i][:] = blas.dtrsm(1.0, diagonal[i], pieces[i], lower=1, trans_a=1)
    return x[:q]


def invert(blocks: Blocks, factored: Array) -> None:
    """Replace a factor by the blocks of the inverse in the same places (of a single block, its lower half)."""
    diagonal, below = blocks.parts(factored)
    for i in range(blocks.count - 1, -1, -1):
        G = blas.dtrsm(1.0, diagonal[i], below[i], side=1, lower=1, overwrite_b=1) if i < len(below) else None
        Z, _ = lapack.dpotri(diagonal[i], lower=1, overwrite_c=1)
        if blocks.count > 1:
            Z[:] = np.tril(Z) + np.tril(Z, -1).T
        if G is not None:
            crossed = -(diagonal[i + 1] @ G)
            Z -= G.T @ crossed
            below[i][:] = crossed
