"""Draws of what is not known, given the model: missing values by pattern, and latent variables of known categories.

With the precision W of a row's residuals e, the missing ones have, given the others, mean e_m - W_mm^-1 (W e)_m and covariance
W_mm^-1: only matrices of the size of what is missing are factored. Rows of one pattern share theirs; rare patterns are done
together, by the number of values they miss.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.linalg import lapack

from asp_eval.stats.estimate import Array
from asp_eval.stats.imputation.joint_model import Bounds, Ints

COMMON = 40  # rows; a pattern with fewer is done together with others of as many missing values


@dataclass(frozen=True, slots=True, eq=False)
class CommonPattern:
    """Consecutive rows that miss the same columns."""

    first: int
    last: int
    missing: Ints


@dataclass(frozen=True, slots=True, eq=False)
class RarePatterns:
    """Consecutive rows that miss k columns each.

    Attributes
    ----------
    first, last : int
    patterns : ndarray of int (m, k)
        Columns missing.
    which : ndarray of int (rows,)
        Pattern of each row.
    """

    first: int
    last: int
    patterns: Ints
    which: Ints


def pattern_order(missing: npt.NDArray[np.bool_]) -> tuple[Ints, tuple[CommonPattern | RarePatterns, ...]]:
    """Return an order of the rows in which patterns are consecutive, and the patterns; rows that miss nothing come last.

    Parameters
    ----------
    missing : ndarray of bool (n, q)

    Examples
    --------
    >>> order, patterns = pattern_order(np.array([[True, False], [False, False], [False, True], [True, False]]))
    >>> order.tolist(), patterns[0].patterns.tolist(), patterns[0].which.tolist()
    ([2, 0, 3, 1], [[1], [0]], [0, 1, 1])
    """
    if not missing.any():
        return np.arange(len(missing)), ()
    patterns, which = np.unique(missing, axis=0, return_inverse=True)
    which = which.ravel()
    rows, width = np.bincount(which), patterns.sum(1)
    common, rare = (rows >= COMMON) & (width > 0), (rows < COMMON) & (width > 0)
    order: list[Ints] = []
    found: list[CommonPattern | RarePatterns] = []
    start = 0
    for k in np.flatnonzero(common):
        order.append(np.flatnonzero(which == k))
        found.append(CommonPattern(start, start + int(rows[k]), np.flatnonzero(patterns[k])))
        start += int(rows[k])
    for size in np.unique(width[rare]):
        these = np.flatnonzero(rare & (width == size))
        members = [np.flatnonzero(which == k) for k in these]
        labels = np.repeat(np.arange(len(these)), rows[these])
        columns = np.array([np.flatnonzero(patterns[k]) for k in these])
        order += members
        found.append(RarePatterns(start, start + len(labels), columns, labels))
        start += len(labels)
    order.append(np.flatnonzero(width[which] == 0))
    return np.concatenate(order), tuple(found)


def draw_missing(
    Y: Array, E: Array, W: Array, patterns: Iterable[CommonPattern | RarePatterns], rng: np.random.Generator
) -> None:
    """Draw the missing values of consecutive rows anew, in place.

    Parameters
    ----------
    Y, E : ndarray (n, q)
        Values and residuals; both change by the same amounts.
    W : ndarray (q, q)
        Precision of the residuals.
    patterns : iterable
    rng : Generator
    """
    for found in patterns:
        if isinstance(found, CommonPattern):
            rows, columns = slice(found.first, found.last), found.missing
            change = _common(E[rows], W, columns, rng)
            Y[rows, columns] += change
            E[rows, columns] += change
        else:
            numbers = np.arange(found.first, found.last)[:, None]
            cells = found.patterns[found.which]
            change = _rare(E[found.first : found.last], W, found, rng)
            Y[numbers, cells] += change
            E[numbers, cells] += change


def _common(E: Array, W: Array, columns: Ints, rng: np.random.Generator) -> Array:
    """Return the change (rows, k) of the missing values of one pattern."""
    inverse = inverse_factor(W[columns[:, None], columns])
    noise = rng.standard_normal((len(E), len(columns)))
    return np.asarray((noise - (E @ W[:, columns]) @ inverse.T) @ inverse, float)


def inverse_factor(S: Array) -> Array:
    """Return the inverse (k, k) of the lower Cholesky factor of a positive definite matrix; LAPACK itself, as S is small.

    Examples
    --------
    >>> np.diag(inverse_factor(np.diag([4.0, 25.0]))).tolist()
    [0.5, 0.2]
    """
    factor, failed = lapack.dpotrf(S, lower=1, clean=1)
    if failed:
        raise np.linalg.LinAlgError
    return np.asarray(lapack.dtrtri(factor, lower=1)[0], float)


def _rare(E: Array, W: Array, found: RarePatterns, rng: np.random.Generator) -> Array:
    """Return the change (rows, k) of the missing values of patterns that miss k each."""
    columns = found.patterns
    inverse = np.linalg.inv(np.linalg.cholesky(W[columns[:, :, None], columns[:, None, :]]))[found.which]
    product = np.take_along_axis(E @ W, columns[found.which], axis=1)
    noise = rng.standard_normal(product.shape)
    standard = noise - np.einsum("nij,nj->ni", inverse, product)
    return np.asarray(np.einsum("nij,ni->nj", inverse, standard), float)


def draw_latent(Y: Array, E: Array, W: Array, bounds: Sequence[Bounds], rng: np.random.Generator) -> None:
    """Draw the latent variables of known categories anew, one column after the other, in place."""
    for b in bounds:
        sd = 1.0 / np.sqrt(W[b.column, b.column])
        mean = Y[b.rows, b.column] - (E[b.rows] @ W[:, b.column]) * sd**2
        drawn = mean + sd * truncated_normal((b.low - mean) / sd, (b.high - mean) / sd, rng)
        E[b.rows, b.column] += drawn - Y[b.rows, b.column]
        Y[b.rows, b.column] = drawn


def truncated_normal(low: Array, high: Array, rng: np.random.Generator) -> Array:
    """Return draws of standard normal variables between bounds, by inversion in the tail where it is exact.

    Examples
    --------
    >>> x = truncated_normal(np.full(1_000, 8.0), np.full(1_000, np.inf), np.random.default_rng(1))
    >>> bool(x.min() >= 8), round(float(x.mean()), 2)
    (True, 8.12)
    """
    flip = low > 0
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    lower, upper = special.ndtr(a), special.ndtr(b)
    x = special.ndtri(lower + rng.random(len(a)) * (upper - lower))
    x = np.clip(np.where(np.isfinite(x), x, b), a, b)
    return np.where(flip, -x, x)
