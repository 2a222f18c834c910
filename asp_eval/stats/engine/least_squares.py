"""Least squares by an orthogonal decomposition, on arrays.

sqrt(W) X = Q R, beta = R^-1 Q' sqrt(W) y. R comes from Householder's QR of blocks of rows that fit the cache, stacked and
decomposed again; Q = sqrt(W) X R^-1 is made orthonormal to rounding by one more Cholesky step.

Columns that are linear combinations of earlier ones are left out by the rule of R's `lm`: what remains of a column
beside the earlier ones is less than 1e-7 of it. Unlike R, "of it" is said of the column less its mean where the first
column is constant, so that a date or a large index is not taken for a constant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.stats.estimate import Array

BLOCK = 2**13
"""Rows decomposed at a time."""

COLLINEAR = 1e-7
"""R's tolerance: a column's remainder beside earlier columns, relative to the column."""

ROUNDING = 1e-12
"""A remainder below this share of the column itself is rounding."""

EXACT = 1e-13
"""Residuals below this share of the outcome are rounding: the columns reproduce the outcome."""


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquaresFit:
    """A solved least-squares problem.

    Attributes
    ----------
    kept : ndarray of bool, shape (columns of X,)
        Columns that were estimated, p of them.
    columns : ndarray, shape (n, p)
        X R^-1: the kept columns, orthonormal in the weights.
    back : ndarray, shape (p, p)
        R^-1, so that (X'WX)^-1 = `back` `back`'.
    estimate : ndarray, shape (p,)
    fitted, residuals : ndarray, shape (n,)
    rss : float
        sum w e^2.
    exact : bool
        Whether the residuals are nothing but rounding.
    """

    kept: npt.NDArray[np.bool_]
    columns: Array
    back: Array
    estimate: Array
    fitted: Array
    residuals: Array
    rss: float
    exact: bool


def least_squares(X: Array, y: Array, weights: Array | None = None) -> LeastSquaresFit:
    """Solve min sum w (y - X beta)^2.

    Parameters
    ----------
    X : ndarray, shape (n, columns)
    y : ndarray, shape (n,)
    weights : ndarray, shape (n,), optional
        All positive.
    """
    root = None if weights is None else np.sqrt(weights)
    weighted = X if root is None else X * root[:, None]
    R = triangular_factor(weighted)
    kept = independent_columns(R, constant_first=X.shape[1] > 0 and bool((X[:, 0] == X[0, 0]).all()))
    Q, back = _orthonormal(weighted if kept.all() else weighted[:, kept], R[:, kept])
    coordinates = Q.T @ (y if root is None else y * root)
    columns = Q if root is None else Q / root[:, None]
    fitted = columns @ coordinates
    residuals = y - fitted
    squares = residuals**2 if weights is None else weights * residuals**2
    rss, total = float(squares.sum()), float(np.sum(y**2 if weights is None else weights * y**2))
    return LeastSquaresFit(kept, columns, back, back @ coordinates, fitted, residuals, rss, rss <= EXACT**2 * total)


def triangular_factor(X: Array) -> Array:
    """Return R (at most n rows, columns) with R'R = X'X, without forming X'X."""
    block = max(BLOCK, 4 * X.shape[1])
    while len(X) > 2 * block:
        X = np.vstack([np.linalg.qr(X[i : i + block], mode="r") for i in range(0, len(X), block)])
    return np.asarray(np.linalg.qr(X, mode="r"))


def _orthonormal(X: Array, R: Array) -> tuple[Array, Array]:
    """Return Q (n, p) and the inverse (p, p) of its triangular factor, X = Q R; `R` has X's lengths and angles."""
    inverse = np.linalg.solve(np.linalg.qr(R, mode="r"), np.eye(X.shape[1]))
    Q = X @ inverse
    again = np.linalg.solve(np.linalg.cholesky(Q.T @ Q).T, np.eye(X.shape[1]))
    return Q @ again, np.asarray(inverse @ again)


def independent_columns(R: Array, *, constant_first: bool) -> npt.NDArray[np.bool_]:
    """Return which columns are not linear combinations of the kept columns before them, shape (columns,).

    Parameters
    ----------
    R : ndarray, shape (rank at most, columns)
        The triangular factor of the columns; it has their lengths and angles.
    constant_first : bool
        Whether the first column is constant, so that what stands below a column's first element is its deviation.
    """
    kept = np.zeros(R.shape[1], dtype=bool)
    basis = np.zeros((R.shape[0], 0))
    for k, column in enumerate(R.T):
        rest = column - basis @ (basis.T @ column)
        rest -= basis @ (basis.T @ rest)
        length, remainder = float(np.linalg.norm(column)), float(np.linalg.norm(rest))
        about_mean = float(np.linalg.norm(column[1:])) if constant_first and k else length
        if remainder > max(COLLINEAR * about_mean, ROUNDING * length):
            kept[k] = True
            basis = np.column_stack([basis, rest / remainder])
    return kept
