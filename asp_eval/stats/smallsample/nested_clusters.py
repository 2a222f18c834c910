"""The clusters of a mixed model: its outermost groups, with everything nested in them.

Cluster-robust inference on a mixed model treats the groups of the outermost factor as independent, so every other
grouping factor must be nested in it; crossed factors leave no independent clusters. For `(1 | a/b)` cluster j of a
holds the columns Z_j = [1, one indicator per b in j]; their cross-products are assembled from sums within a, within b
and within combinations, never from n-by-n matrices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.engine.least_squares import triangular_factor
from asp_eval.stats.smallsample.cluster_blocks import Array, ClusterBlocks, cluster_sums, mixed_blocks

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class RandomFactor:
    """One grouping factor of a mixed model.

    Attributes
    ----------
    name : str
    codes : ndarray of int, shape (n,)
        Group of each row, 0..m-1, every code used.
    n_groups : int
        m.
    columns : ndarray, shape (n, k)
        The k columns that vary by group, times Lambda: Z Lambda in units of the residual SD.
    """

    name: str
    codes: Codes
    n_groups: int
    columns: Array


def clusters_of_model(
    X: Array, residuals: Array, factors: Sequence[RandomFactor], weights: Array | None = None
) -> ClusterBlocks | Unavailable:
    """Return the pseudo-rows of the outermost groups of a mixed model.

    Parameters
    ----------
    X : ndarray, shape (n, p)
        Of full column rank.
    residuals : ndarray, shape (n,)
        y - X beta, without random effects.
    factors : sequence of RandomFactor
    weights : ndarray, shape (n,), optional
        Prior weights: the residual variance of a row is sigma^2 / weight. Rows are scaled to one variance first.
    """
    outer = outermost(factors)
    if outer is None:
        names = ", ".join(f.name for f in factors)
        return Unavailable(
            Phrase("no grouping factor holds all others ({names}), so there are no independent clusters", names=names)
        )
    by_cluster = _order(outer.codes)
    if by_cluster is not None:
        X, residuals = X[by_cluster], residuals[by_cluster]
        factors = [_sorted(f, by_cluster) for f in factors]
        weights = None if weights is None else weights[by_cluster]
    return _blocks(X, residuals, factors, np.sqrt(weights) if weights is not None else None, outer.name)


def outermost(factors: Sequence[RandomFactor]) -> RandomFactor | None:
    """Return the factor in whose groups the groups of all others are nested, or None."""
    for candidate in sorted(factors, key=lambda f: f.n_groups):
        if all(_parents(f, candidate.codes) is not None for f in factors):
            return candidate
    return None


def _parents(factor: RandomFactor, outer: Codes) -> Codes | None:
    """Return the outer group of each group, shape (m,), or None if one lies in several."""
    parent = np.zeros(factor.n_groups, dtype=np.intp)
    parent[factor.codes] = outer
    return parent if bool((parent[factor.codes] == outer).all()) else None


def _order(codes: Codes) -> Codes | None:
    """Return the order that brings the rows of each cluster together, or None if they already are in it."""
    return None if bool((np.diff(codes) >= 0).all()) else np.argsort(codes, kind="stable")


def _sorted(factor: RandomFactor, order: Codes) -> RandomFactor:
    """Return a factor with its rows in another order."""
    return RandomFactor(factor.name, factor.codes[order], factor.n_groups, factor.columns[order])


def _blocks(X: Array, residuals: Array, factors: Sequence[RandomFactor], root: Array | None, name: str) -> ClusterBlocks:
    """Return the pseudo-rows of rows sorted by cluster; `root` holds the square roots of the weights."""
    if root is not None:
        X, residuals = X * root[:, None], residuals * root
        factors = [RandomFactor(f.name, f.codes, f.n_groups, f.columns * root[:, None]) for f in factors]
    outer = next(f for f in factors if f.name == name)
    back = np.asarray(np.linalg.solve(triangular_factor(X), np.eye(X.shape[1])))
    k = outer.columns.shape[1]
    shared = np.empty((len(X), k + X.shape[1]))
    shared[:, :k] = outer.columns
    np.matmul(X, back, out=shared[:, k:])
    inner = [f for f in factors if f is not outer]
    gram, scores = _assemble(shared, residuals[:, None], outer.codes, outer.n_groups, inner)
    return mixed_blocks(gram, scores, back, len(X))


def _assemble(shared: Array, e: Array, codes: Codes, J: int, inner: list[RandomFactor]) -> tuple[Array, Array]:
    """Return the cross-products of [Z_inner, Z_outer, X] (J, s, s) and theirs with e (J, s)."""
    places = _places(inner, codes, J)
    s = max((int(p.max()) + 1 for p in places), default=0)
    t = shared.shape[1]
    gram, scores = np.zeros((J, s + t, s + t)), np.zeros((J, s + t))
    gram[:, s:, s:] = cluster_sums(shared, codes, J)
    scores[:, s:] = cluster_sums(shared, codes, J, e)[..., 0]
    for a, (factor, place) in enumerate(zip(inner, places, strict=True)):
        parent = _of_rows(factor.codes, codes, factor.n_groups)
        with_shared = _sums_within(factor.columns, np.hstack([shared, e]), factor.codes, factor.n_groups)
        block = with_shared[..., :-1]
        gram[parent[:, None], place, s:] = block
        gram[parent[:, None, None], np.arange(s, s + t)[None, :, None], place[:, None, :]] = block.swapaxes(1, 2)
        scores[parent[:, None], place] = with_shared[..., -1]
        for other, elsewhere in zip(inner[: a + 1], places[: a + 1], strict=True):
            _add_pair(gram, codes, factor, place, other, elsewhere)
    return gram, scores


def _places(inner: list[RandomFactor], codes: Codes, J: int) -> list[Codes]:
    """Return the positions (m, k) of every inner group's columns among its cluster's, factor after factor."""
    used = np.zeros(J, dtype=np.intp)
    places = []
    for factor in inner:
        parent = _of_rows(factor.codes, codes, factor.n_groups)
        count = np.bincount(parent, minlength=J)
        order = np.argsort(parent, kind="stable")
        rank = np.empty(factor.n_groups, dtype=np.intp)
        rank[order] = np.arange(factor.n_groups) - np.repeat(np.cumsum(count) - count, count)
        k = factor.columns.shape[1]
        places.append((used[parent] + rank * k)[:, None] + np.arange(k))
        used += count * k
    return places


def _add_pair(gram: Array, codes: Codes, factor: RandomFactor, place: Codes, other: RandomFactor, elsewhere: Codes) -> None:
    """Put the cross-products of two inner factors' columns where they meet."""
    cells, index = np.unique(factor.codes * other.n_groups + other.codes, return_inverse=True)
    block = _sums_within(factor.columns, other.columns, index.astype(np.intp), len(cells))
    first, second = np.divmod(cells, other.n_groups)
    parent = _of_rows(factor.codes, codes, factor.n_groups)[first][:, None, None]
    rows, columns = place[first][:, :, None], elsewhere[second][:, None, :]
    gram[parent, rows, columns] = block
    gram[parent, columns.swapaxes(1, 2), rows.swapaxes(1, 2)] = block.swapaxes(1, 2)


def _sums_within(left: Array, right: Array, codes: Codes, n_groups: int) -> Array:
    """Return left'right within groups of rows in any order, shape (m, k, t)."""
    order = _order(codes)
    if order is None:
        return cluster_sums(left, codes, n_groups, right)
    return cluster_sums(left[order], codes[order], n_groups, right[order])


def _of_rows(codes: Codes, values: Codes, n_groups: int) -> Codes:
    """Return the value that all rows of a group share, shape (m,)."""
    out = np.empty(n_groups, dtype=np.intp)
    out[codes] = values
    return out
