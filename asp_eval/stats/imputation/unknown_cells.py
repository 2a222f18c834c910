"""Draws of what is not known, given the model: missing values by pattern, and latent variables of known categories.

With the precision W of a row's residuals e, the missing ones have, given the others, mean e_m - W_mm^-1 (W e)_m and covariance
W_mm^-1: only matrices of the size of what is missing are factored. Rows of one pattern share theirs; rare patterns are done
together. Arrays of values and residuals have the chains first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from asp_eval.stats.estimate import Array
from asp_eval.stats.imputation.joint_model import Bounds, Ints, Marks
from asp_eval.stats.imputation.random_numbers import RandomNumbers

COMMON = 250  # rows times columns missing; a pattern with less is done together with others
LITTLE = 6_000  # rows times squared columns; so much is done together even where patterns miss unequally many


@dataclass(frozen=True, slots=True, eq=False)
class CommonPattern:
    """Consecutive rows of one class that miss the same k columns.

    Attributes
    ----------
    of_class, first, last : int
    missing : ndarray of int (k,)
    cells : ndarray of int (rows * k,)
        Their places among the cells of all rows.
    """

    of_class: int
    first: int
    last: int
    missing: Ints
    cells: Ints


@dataclass(frozen=True, slots=True, eq=False)
class RarePatterns:
    """Rows of several patterns, which miss at most k columns each.

    Attributes
    ----------
    rows : ndarray of int (n,)
        Class by class.
    ends : tuple of int
        How many rows are of the first class, of the first two, and so on.
    classes : ndarray of int (m,)
        Class of each pattern.
    patterns : ndarray of int (m, k)
        Columns missing, and where these are fewer than k, others.
    missing : ndarray of bool (m, k)
        Which of them are missing.
    which : ndarray of int (n,)
        Pattern of each row.
    cells, own_cells : ndarray of int (n * k,)
        Places of the columns of each row among the cells of all rows, and among those of these rows.
    """

    rows: Ints
    ends: tuple[int, ...]
    classes: Ints
    patterns: Ints
    missing: Marks
    which: Ints
    cells: Ints
    own_cells: Ints


Patterns = tuple[CommonPattern | RarePatterns, ...]


def pattern_order(missing: Marks, classes: Ints, n_classes: int) -> tuple[Ints, Patterns]:
    """Return an order of the rows, class by class and pattern by pattern, and the patterns as places in that order.

    Parameters
    ----------
    missing : ndarray of bool (n, q)
    classes : ndarray of int (n,)
    n_classes : int

    Examples
    --------
    >>> missing = np.array([[True, False], [False, False], [False, True], [True, False]])
    >>> order, (rare,) = pattern_order(missing, np.zeros(4, int), 1)
    >>> order.tolist(), rare.rows.tolist(), rare.patterns.tolist(), rare.which.tolist()
    ([1, 2, 0, 3], [1, 2, 3], [[1], [0]], [0, 1, 1])
    """
    labels = np.column_stack((classes, missing))
    patterns, which = np.unique(labels, axis=0, return_inverse=True) if len(labels) else (labels, np.zeros(0, np.intp))
    patterns, which = patterns.astype(np.intp), which.ravel()
    order = np.argsort(which, kind="stable")
    rows, width = np.bincount(which, minlength=len(patterns)), patterns[:, 1:].sum(1)
    first = np.concatenate(([0], np.cumsum(rows)))
    common = rows * width >= COMMON
    found: list[CommonPattern | RarePatterns] = []
    for k in np.flatnonzero(common):
        columns = np.flatnonzero(patterns[k, 1:])
        cells = missing.shape[1] * np.arange(first[k], first[k + 1])[:, None] + columns
        found.append(CommonPattern(int(patterns[k, 0]), int(first[k]), int(first[k + 1]), columns, cells.ravel()))
    for these in _together(np.flatnonzero(~common & (width > 0)), rows, width):
        own: Ints = patterns[these].astype(np.intp)
        places = np.concatenate([np.arange(first[k], first[k + 1]) for k in these])
        found.append(_rare_patterns(own, rows[these].astype(np.intp), places.astype(np.intp), n_classes))
    return order, tuple(found)


def _rare_patterns(labels: Ints, n: Ints, rows: Ints, n_classes: int) -> RarePatterns:
    """Return rare patterns from their labels (m, 1 + q), class first, how many rows each has, and the places of these."""
    classes, missing = labels[:, 0], labels[:, 1:].astype(bool)
    width, q = missing.sum(1), missing.shape[1]
    columns = np.argsort(~missing, axis=1, kind="stable")[:, : width.max()]
    which = np.repeat(np.arange(len(labels)), n)
    cells = columns[which]
    return RarePatterns(
        rows=rows,
        ends=tuple(np.cumsum(np.bincount(classes, n, n_classes)).astype(int).tolist()),
        classes=classes,
        patterns=columns,
        missing=np.arange(columns.shape[1]) < width[:, None],
        which=which,
        cells=(q * rows[:, None] + cells).ravel(),
        own_cells=(q * np.arange(len(rows))[:, None] + cells).ravel(),
    )


def _together(rare: Ints, rows: Ints, width: Ints) -> list[Ints]:
    """Return which rare patterns are done together: those that miss equally many, and all of whom there are few."""
    out: list[Ints] = []
    gathered: list[int] = []
    for size in np.unique(width[rare]):
        more = [*gathered, *rare[width[rare] == size].tolist()]
        if gathered and rows[more].sum() * size**2 > LITTLE:
            out.append(np.sort(gathered))
            more = rare[width[rare] == size].tolist()
        gathered = more
    return [*out, np.sort(gathered)] if gathered else out


def draw_missing(Y: Array, E: Array, W: Array, patterns: Iterable[CommonPattern | RarePatterns], numbers: RandomNumbers) -> None:
    """Draw the missing values anew, in place.

    Parameters
    ----------
    Y, E : ndarray (C, n, q)
        Values and residuals, contiguous; both change by the same amounts.
    W : ndarray (C, classes, q, q)
        Precision of the residuals.
    patterns : iterable
    numbers : RandomNumbers
    """
    for found in patterns:
        if isinstance(found, CommonPattern):
            change = _common(E[:, found.first : found.last], W[:, found.of_class], found.missing, numbers)
        else:
            change = _rare(E.take(found.rows, axis=1), W, found, numbers)
        for values in (Y, E):
            for own, more in zip(values.reshape(len(values), -1), change, strict=True):
                own[found.cells] += more


def _common(E: Array, W: Array, columns: Ints, numbers: RandomNumbers) -> Array:
    """Return the change (C, rows * k) of the missing values of one pattern."""
    W = W.take(columns, axis=2)
    inverse = inverse_factor(W.take(columns, axis=1))
    noise = numbers.normal(E.shape[1], len(columns))
    change = (noise - (E @ W) @ inverse.swapaxes(1, 2)) @ inverse
    return np.asarray(change, float).reshape(len(E), -1)


def _rare(E: Array, W: Array, found: RarePatterns, numbers: RandomNumbers) -> Array:
    """Return the change (C, rows * k) of the missing values of rare patterns; zero where nothing is missing."""
    C, n, k = len(E), len(found.rows), found.patterns.shape[1]
    columns, missing = found.patterns, found.missing
    own = W[:, found.classes[:, None, None], columns[:, :, None], columns[:, None, :]]
    padded = not bool(missing.all())
    if padded:
        own = np.where(missing[:, :, None] & missing[:, None, :], own, np.eye(k))
    inverse = inverse_factor(own)
    both = np.concatenate((inverse, -(inverse.swapaxes(2, 3) @ inverse)), axis=2)  # of noise, and of W e: (C, m, 2k, k)
    product = np.empty(E.shape)
    start = 0
    for a, end in enumerate(found.ends):
        np.matmul(E[:, start:end], W[:, a], out=product[:, start:end])
        start = end
    given = np.empty((C, n, 1, 2 * k))
    given[:, :, 0, :k] = numbers.normal(n, k)
    given[:, :, 0, k:] = product.reshape(C, -1).take(found.own_cells, axis=1).reshape(C, n, k)
    change = given @ both.take(found.which, axis=1)
    if padded:
        change *= missing[found.which][:, None]
    return np.asarray(change, float).reshape(C, -1)


def inverse_factor(S: Array) -> Array:
    """Return the inverses (..., k, k) of the lower Cholesky factors of positive definite matrices.

    Examples
    --------
    >>> np.diag(inverse_factor(np.diag([4.0, 25.0]))).tolist()
    [0.5, 0.2]
    """
    if S.shape[-1] == 1:
        return np.asarray(1.0 / np.sqrt(S), float)
    return np.asarray(np.linalg.inv(np.linalg.cholesky(S)), float)


def draw_latent(Y: Array, E: Array, W: Array, bounds: Sequence[Bounds], numbers: RandomNumbers) -> None:
    """Draw the latent variables of known categories anew, one column after the other, in place.

    Parameters
    ----------
    Y, E : ndarray (C, n, q)
    W : ndarray (C, q, q)
        Precision of the residuals.
    bounds : sequence of Bounds
    numbers : RandomNumbers
    """
    for b in bounds:
        if not len(b.rows):
            continue
        weight = W[:, :, b.column, None]  # (C, q, 1)
        variance = 1.0 / W[:, b.column, b.column, None]
        known = Y[:, b.rows, b.column]
        mean = known - (E[:, b.rows] @ weight)[:, :, 0] * variance
        sd = np.sqrt(variance)
        drawn = mean + sd * truncated_normal((b.low - mean) / sd, (b.high - mean) / sd, numbers.uniform(len(b.rows)))
        E[:, b.rows, b.column] += drawn - known
        Y[:, b.rows, b.column] = drawn


def truncated_normal(low: Array, high: Array, uniform: Array) -> Array:
    """Return draws of standard normal variables between bounds, by inversion in the tail where it is exact.

    Examples
    --------
    >>> x = truncated_normal(np.full(1_000, 8.0), np.full(1_000, np.inf), np.random.default_rng(1).random(1_000))
    >>> bool(x.min() >= 8), round(float(x.mean()), 2)
    (True, 8.12)
    """
    flip = low > 0
    a, b = np.where(flip, -high, low), np.where(flip, -low, high)
    lower, upper = special.ndtr(a), special.ndtr(b)
    x = special.ndtri(lower + uniform * (upper - lower))
    x = np.clip(np.where(np.isfinite(x), x, b), a, b)
    return np.where(flip, -x, x)
