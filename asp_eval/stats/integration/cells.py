"""Rows, the cells they fall in, and the sums over cells that every step of the integration needs.

A cell is a combination of groups, one of each grouping factor, that occurs: for one factor its groups, for nested factors
the groups of the innermost, for crossed ones the combinations in the data. All K random effects that act on a row (those
of its group in every factor) are the same for all rows of a cell, and z_i (K,) holds their covariates. Rows are sorted by
cell, so every sum is one pass over contiguous rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.stats.estimate import Array

Index = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """One grouping factor and its random effects.

    Attributes
    ----------
    name : str
    codes : ndarray of int (n,)
    m : int
        Number of groups.
    Z : ndarray (n, k)
        Covariates of the k effects.
    blocks : tuple of tuple of int
        Effects that share an unstructured covariance matrix.
    """

    name: str
    codes: Index
    m: int
    Z: Array
    blocks: tuple[tuple[int, ...], ...]

    @property
    def k(self) -> int:
        """Number of effects of a group."""
        return int(self.Z.shape[1])


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of a model.

    Attributes
    ----------
    order : ndarray of int (n,)
        Rows as they were given, sorted by cell.
    starts : ndarray of int (C,)
        First row of each cell.
    own : ndarray of int (n,)
        Cell of each sorted row.
    owners : tuple of ndarray of int (C,)
        Group of each cell in each factor.
    columns : tuple of ndarray (n,)
        The distinct covariates that are not constant, in sorted order.
    effect : tuple of int, length K
        Which of `columns` is each effect's covariate; -1 for the constant one.
    products : tuple of ndarray (n,)
        The distinct products of two covariates.
    product : ndarray of int (K, K)
        Which of `products` is that of two effects; -1 for the constant one.
    """

    order: Index
    starts: Index
    own: Index
    owners: tuple[Index, ...]
    columns: tuple[Array, ...]
    effect: tuple[int, ...]
    products: tuple[Array, ...]
    product: Index

    @property
    def count(self) -> int:
        """Number of cells."""
        return len(self.starts)

    def sums(self, values: Array) -> Array:
        """Return sums over the rows of each cell (..., C)."""
        return np.asarray(np.add.reduceat(values, self.starts, axis=-1), float)

    def gradient(self, values: Array) -> Array:
        """Return the sum of z_i values_i over each cell (C, K)."""
        if self.effect == (-1,):
            return self.sums(values)[:, None]
        distinct = [self.sums(values * c) for c in self.columns]
        if -1 in self.effect:
            distinct.append(self.sums(values))  # the last of the list, which -1 points at
        return np.stack([distinct[e] for e in self.effect], axis=-1)

    def cross_products(self, weights: Array) -> Array:
        """Return the sum of w_i z_i z_i' over each cell (C, K, K)."""
        plain = self.sums(weights) if bool((self.product < 0).any()) else np.empty(0)
        sums = [self.sums(weights * c) for c in self.products]
        K = len(self.effect)
        if K == 1:
            return (plain if self.product[0, 0] < 0 else sums[0])[:, None, None]
        out = np.empty((self.count, K, K))
        for a in range(K):
            for b in range(a + 1):
                which = int(self.product[a, b])
                out[:, a, b] = out[:, b, a] = plain if which < 0 else sums[which]
        return out

    def spread(self, effects: Array) -> Array:
        """Return z_i' b of each row, for effects b of the cells (C, K)."""
        if self.effect == (-1,):
            return np.asarray(effects[:, 0][self.own], float)
        plain = effects[:, [k for k, e in enumerate(self.effect) if e < 0]].sum(axis=1) if -1 in self.effect else None
        out = None if plain is None else plain[self.own]
        for k, e in enumerate(self.effect):
            if e >= 0:
                part = self.columns[e] * effects[:, k][self.own]
                out = part if out is None else out + part
        return np.asarray(out, float)

    def quadratic(self, matrices: Array) -> Array:
        """Return z_i' T z_i of each row, for symmetric T of the cells (C, K, K)."""
        if self.effect == (-1,):
            return np.asarray(matrices[:, 0, 0][self.own], float)
        constant = self.product < 0
        out = matrices[:, constant].sum(axis=1)[self.own] if bool(constant.any()) else None
        for which, column in enumerate(self.products):
            part = column * matrices[:, self.product == which].sum(axis=1)[self.own]
            out = part if out is None else out + part
        return np.asarray(out, float)


def form_cells(factors: Sequence[Factor]) -> Cells:
    """Return the cells of the factors' groups; factors are given innermost first where they are nested."""
    n = len(factors[0].codes)
    joint = factors[-1].codes.astype(np.int64)
    for factor in factors[-2::-1]:
        joint = _compact(joint) * factor.m + factor.codes if len(factors) > 2 else joint * factor.m + factor.codes
    ordered = bool((np.diff(joint) >= 0).all())
    order = np.arange(n) if ordered else np.argsort(joint, kind="stable")
    joint = joint[order]
    first = np.concatenate([[True], np.diff(joint) != 0])
    starts = np.flatnonzero(first)
    own = np.cumsum(first) - 1
    owners = tuple(f.codes[order][starts] for f in factors)
    columns, effect = _distinct([f.Z[:, j][order] for f in factors for j in range(f.k)])
    K = len(effect)
    pairs = [(a, b) for a in range(K) for b in range(a + 1)]
    made = [_product(columns, effect[a], effect[b], n) for a, b in pairs]
    products, which = _distinct(made)
    product = np.empty((K, K), np.intp)
    for (a, b), w in zip(pairs, which, strict=True):
        product[a, b] = product[b, a] = w
    return Cells(order.astype(np.intp), starts, own.astype(np.intp), owners, columns, effect, products, product)


def _compact(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return codes without gaps, in the same order."""
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)


def _product(columns: tuple[Array, ...], a: int, b: int, n: int) -> Array:
    """Return the product of two covariates, -1 being the constant one."""
    if a < 0 and b < 0:
        return np.ones(n)
    if a < 0 or b < 0:
        return columns[max(a, b)]
    return columns[a] * columns[b]


def _distinct(columns: list[Array]) -> tuple[tuple[Array, ...], tuple[int, ...]]:
    """Return the distinct columns that are not the constant one, and which of them each is."""
    kept: list[Array] = []
    which = []
    for column in columns:
        if bool((column == 1.0).all()):
            which.append(-1)
            continue
        same = next((i for i, k in enumerate(kept) if k is column or bool((k == column).all())), None)
        if same is None:
            kept.append(np.ascontiguousarray(column))
            same = len(kept) - 1
        which.append(same)
    return tuple(kept), tuple(which)
