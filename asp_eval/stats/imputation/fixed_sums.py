"""What no sweep of the sampler changes: the order of rows and institutions, their patterns, and sums of what is complete."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from asp_eval.stats.estimate import Array
from asp_eval.stats.imputation.joint_model import Bounds, Ints, JointModel, Level
from asp_eval.stats.imputation.unknown_cells import Patterns, pattern_order


@dataclass(frozen=True, slots=True, eq=False)
class ClassSums:
    """Rows of one class of covariance: complete ones as cross-products, the others by their places in the sampler.

    Attributes
    ----------
    groups : slice
        Its institutions.
    rows : slice
        Its rows among those that are not complete.
    n : int
        All of its rows.
    XX : ndarray (p, p)
        Of all rows.
    sizes, SX, SXX : ndarray (J_a, 1), (J_a, p), (J_a, p * p)
        Rows of each institution, the sums of their X, and the products of these.
    complete_products : ndarray (q + p, q + p)
        Of [Y X] of the complete rows.
    complete_sizes, complete_sums : ndarray (J_a, 1), (J_a, q + p)
        Complete rows of each institution, and the sums of their [Y X].
    bounds : tuple of Bounds
        Rows counted from the first of `rows`.
    WW : ndarray (s, s)
        Cross-products of what the means of the institutions' variables depend on.
    """

    groups: slice
    rows: slice
    n: int
    XX: Array
    sizes: Array
    SX: Array
    SXX: Array
    complete_products: Array
    complete_sizes: Array
    complete_sums: Array
    bounds: tuple[Bounds, ...]
    WW: Array


@dataclass(frozen=True, slots=True, eq=False)
class FixedSums:
    """A model as the sampler wants it, with institutions class by class.

    Attributes
    ----------
    institutions : ndarray of int (J,)
        Which institution of the model comes at each place.
    rows : ndarray of int
        Rows of the model that are not complete, class by class and pattern by pattern.
    X : ndarray (rows, p)
    group : ndarray of int (rows,)
        Place of the institution of each of them.
    classes : tuple of ClassSums
    complete_Y : ndarray (J, q)
        Sums of the complete rows.
    W : ndarray (J, s)
        What the means of the institutions' variables depend on.
    patterns, institution_patterns : tuple
        Of what rows miss, and institutions, beside their effects.
    institution_rows : ndarray of int (J,)
        Places of the institutions, in the order of their patterns.
    institution_bounds : tuple of (slice, tuple of Bounds)
        For each class its places in that order, and the bounds of its latent variables.
    """

    institutions: Ints
    rows: Ints
    X: Array
    group: Ints
    classes: tuple[ClassSums, ...]
    complete_Y: Array
    W: Array
    patterns: Patterns
    institution_patterns: Patterns
    institution_rows: Ints
    institution_bounds: tuple[tuple[slice, tuple[Bounds, ...]], ...]

    def summed(self, n_chains: int) -> sp.csr_matrix:
        """Return the matrix (C * J, C * rows) that sums rows within institutions, in every chain."""
        C, J, n = n_chains, len(self.institutions), len(self.rows)
        groups = (np.arange(C)[:, None] * J + self.group).ravel()
        return sp.csr_matrix((np.ones(C * n), (groups, np.arange(C * n))), (C * J, C * n))


def fixed_sums(model: JointModel) -> FixedSums:
    """Return what the sampler needs of a model, summed once."""
    level, A = model.children, model.n_classes
    institutions = np.argsort(model.classes, kind="stable")
    place = np.empty_like(institutions)
    place[institutions] = np.arange(len(institutions))
    group, of_row = place[model.group], model.classes[model.group]
    known, drawn = level.is_known, ~_is_complete(level)
    active = np.flatnonzero(drawn)
    order, patterns = pattern_order(~known[active], of_row[active], A)
    rows = active[order]
    ends = np.cumsum(np.bincount(model.classes, minlength=A)).tolist()
    row_ends = np.cumsum(np.bincount(of_row[rows], minlength=A)).tolist()
    classes, first, first_row = [], 0, 0
    for a in range(A):
        groups, own = slice(first, ends[a]), slice(first_row, row_ends[a])
        classes.append(_class_sums(model, a, group, drawn, rows, groups, own))
        first, first_row = ends[a], row_ends[a]
    complete_Y = np.vstack([own.complete_sums[:, : level.Y.shape[1]] for own in classes])
    places, institution_patterns, bounds = _institution_patterns(model, institutions)
    return FixedSums(
        institutions=institutions,
        rows=rows,
        X=level.X[rows],
        group=group[rows],
        classes=tuple(classes),
        complete_Y=complete_Y,
        W=model.institutions.X[institutions],
        patterns=patterns,
        institution_patterns=institution_patterns,
        institution_rows=places,
        institution_bounds=bounds,
    )


def _is_complete(level: Level) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether nothing of a row is ever drawn: no missing value, no latent variable."""
    return np.asarray(~np.isnan(level.Y).any(axis=1), np.bool_)


def _class_sums(
    model: JointModel,
    a: int,
    group: Ints,
    drawn: np.ndarray[tuple[int], np.dtype[np.bool_]],
    rows: Ints,
    groups: slice,
    own: slice,
) -> ClassSums:
    """Return the sums of one class."""
    level, q = model.children, model.children.Y.shape[1]
    mine = model.classes[model.group] == a
    J, offset = groups.stop - groups.start, group - groups.start
    everyone, complete = np.flatnonzero(mine), np.flatnonzero(mine & ~drawn)
    sizes, SX = _sums(offset[everyone], level.X[everyone], J)
    YX = np.hstack((level.Y[complete], level.X[complete]))
    complete_sizes, complete_sums = _sums(offset[complete], YX, J)
    position = np.zeros(len(level.Y), np.intp)
    position[rows[own]] = np.arange(own.stop - own.start)
    W = model.institutions.X[model.classes == a]
    return ClassSums(
        groups=groups,
        rows=own,
        n=len(everyone),
        XX=level.X[everyone].T @ level.X[everyone],
        sizes=sizes,
        SX=SX,
        SXX=np.einsum("jp,jr->jpr", SX, SX).reshape(J, -1),
        complete_products=YX.T @ YX,
        complete_sizes=complete_sizes,
        complete_sums=complete_sums.reshape(J, q + level.X.shape[1]),
        bounds=tuple(b.within(mine, position) for b in level.bounds),
        WW=W.T @ W,
    )


def _sums(groups: Ints, values: Array, J: int) -> tuple[Array, Array]:
    """Return how many rows each group has (J, 1), and the sums of their values."""
    n = len(groups)
    matrix = sp.csr_matrix((np.ones(n), (groups, np.arange(n))), (J, n))
    return np.bincount(groups, minlength=J).astype(float)[:, None], np.asarray(matrix @ values, float)


def _institution_patterns(
    model: JointModel, institutions: Ints
) -> tuple[Ints, Patterns, tuple[tuple[slice, tuple[Bounds, ...]], ...]]:
    """Return the order of the institutions by what they miss, the patterns, and the bounds of each class."""
    q, level = model.children.Y.shape[1], model.institutions
    classes = model.classes[institutions]
    missing = np.hstack((np.zeros((len(classes), q), bool), ~level.is_known[institutions]))
    order, patterns = pattern_order(missing, classes, model.n_classes)
    bounds, first = [], 0
    for a in range(model.n_classes):
        mine, last = model.classes == a, first + int((classes == a).sum())
        position = np.zeros(len(classes), np.intp)
        position[institutions[order[first:last]]] = np.arange(last - first)
        own = tuple(b.within(mine, position) for b in level.bounds)
        bounds.append((slice(first, last), tuple(Bounds(b.column + q, b.rows, b.low, b.high) for b in own)))
        first = last
    return order, patterns, tuple(bounds)
