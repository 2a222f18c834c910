"""Where C'RC has entries, for any diagonal R, and its numbers as one sparse product with R."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from asp_eval.stats.engine.block_tridiagonal import Blocks
from asp_eval.stats.estimate import Array

Index = npt.NDArray[np.intp]

PAIRS = 5_000_000
"""Pairs of entries within rows of C that are kept; with more, rows are multiplied anew each time."""
ROWS = 1024
"""Rows of C at a time where they are."""
FULL = 0.1
"""Share of entries from which a dense product is faster."""


@dataclass(frozen=True, slots=True, eq=False)
class SchurPlaces:
    """The lower half of C'C.

    Attributes
    ----------
    blocks : Blocks
    rows, columns : ndarray of int (places,)
        row >= column.
    store : ndarray of int (places,)
        Of each place in the store of `blocks`.
    products : scipy.sparse.csr_matrix (places, m) or None
        C_gi C_gj; None where there are too many pairs.
    """

    blocks: Blocks
    rows: Index
    columns: Index
    store: Index
    products: sp.csr_matrix | None

    @classmethod
    def of(cls, C: sp.csr_matrix, blocks: Blocks) -> SchurPlaces:
        """Return the places of C'C, columns of C in the order of the blocks and sorted within its rows."""
        count = np.diff(C.indptr).astype(np.int64)
        if int((count * (count + 1) // 2).sum()) > PAIRS:
            rows, columns = np.tril_indices(C.shape[1])
            return cls(blocks, rows, columns, blocks.places(rows, columns), None)
        # the entries of a row of C with themselves and those before them
        entry = np.arange(len(C.indices))
        group = np.repeat(np.arange(C.shape[0]), count)
        before = entry - C.indptr[group] + 1
        one = np.repeat(entry, before)
        other = np.arange(len(one)) - np.repeat(np.cumsum(before) - before, before) + C.indptr[group[one]]
        q = C.shape[1]
        key = C.indices[other].astype(np.int64) * q + C.indices[one]
        found, place = np.unique(key, return_inverse=True)
        columns, rows = np.divmod(found, q)
        products = sp.csr_matrix((C.data[one] * C.data[other], (place, group[one])), (len(found), C.shape[0]))
        return cls(blocks, rows, columns, blocks.places(rows, columns), products)

    def schur(self, C: sp.csr_matrix, w: Array) -> Array:
        """Return C' diag(w) C at the places."""
        if self.products is not None:
            return np.asarray(self.products @ w, float)
        out = np.zeros((C.shape[1], C.shape[1]))
        for at in range(0, C.shape[0], ROWS):
            part = C[at : at + ROWS].toarray()
            out += (part.T * w[at : at + ROWS]) @ part
        return out[self.rows, self.columns]

    def around(self, C: sp.csr_matrix, values: Array) -> Array:
        """Return c A c' of every row c of C (m,), for a symmetric A with these values at the places."""
        if self.products is not None:
            return np.asarray(self.products.T @ np.where(self.rows == self.columns, values, 2.0 * values), float)
        A = self.symmetric(values).toarray()
        parts = [C[at : at + ROWS].toarray() for at in range(0, C.shape[0], ROWS)]
        return np.concatenate([((part @ A) * part).sum(axis=1) for part in parts])

    def symmetric(self, values: Array) -> sp.csr_matrix:
        """Return the symmetric matrix (q, q) with these values at the places."""
        q = len(self.blocks.order)
        off = self.rows != self.columns
        rows = np.concatenate([self.rows, self.columns[off]])
        columns = np.concatenate([self.columns, self.rows[off]])
        return sp.csr_matrix((np.concatenate([values, values[off]]), (rows, columns)), (q, q))

    def times(self, values: Array, right: Array) -> Array:
        """Return the symmetric matrix with these values at the places, times a dense one."""
        left = self.symmetric(values)
        dense = left.nnz > FULL * left.shape[0] ** 2
        return np.asarray(left.toarray() @ right if dense else left @ right, float)
