"""Each cluster turned into a few pseudo-rows, from which every cluster-robust quantity follows exactly.

Notation (Pustejovsky & Tipton 2018, J Bus Econ Stat 36:672, sec. 2): clusters j = 1..J hold rows X_j, weights W_j, a
working covariance Phi_j and residuals e_j; M = (sum_j X_j' W_j X_j)^-1. Everything cluster-robust inference computes
from a cluster is unchanged when its rows are rotated by an orthogonal matrix, and directions outside the span of
B_j = [Z_j X_j] (mixed model) or [X_j W_j X_j] (weighted least squares) contribute nothing. So a cluster of any size is
replaced by at most as many pseudo-rows as B_j has columns: Q_j'X_j, Q_j'Phi_j Q_j, Q_j'e_j with Q_j an orthonormal
basis of that span. With 1 in the span of X_j a random intercept adds nothing and there are p of them.

Q_j itself is never formed: with B_j'B_j = V diag(k) V', Q_j' = diag(k)^-1/2 V' B_j', so the cross-products
K_j = B_j'B_j and b_j = B_j'e_j are all that is needed from the rows.

Columns of X are first made orthonormal over the whole sample, X_j <- X_j R^-1 with M = (R'R)^-1, so that M becomes the
identity, the eigenvalues of X_j'W_j X_j are leverages between 0 and 1, and no covariate's unit matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SPAN_TOLERANCE = 1e-13
"""Eigenvalues of the unit-diagonal K_j below this are rounding: the direction is not in the span of B_j."""

EMPTY_COLUMN = 1e-16
"""A column that holds less than this share of its own sum of squares over all clusters is absent from the cluster."""


@dataclass(frozen=True, slots=True, eq=False)
class ClusterBlocks:
    """The pseudo-rows of all clusters, padded with zeros to one number r of rows.

    Attributes
    ----------
    x : ndarray, shape (J, r, p)
        Q_j'X_j, in the basis in which M is the identity.
    wx : ndarray, shape (J, r, p)
        Q_j'W_j X_j.
    phi : ndarray, shape (J, r, r), or None
        Q_j'Phi_j Q_j, in units of the residual variance, the identity on padding; None where it is all identity.
    residuals : ndarray, shape (J, r)
        Q_j'e_j.
    back : ndarray, shape (p, p)
        R^-1: coefficients of the fitted model = `back` times coefficients of the orthonormal columns.
    omega : ndarray, shape (p, p), or None
        sum_j X_j'W_j Phi_j W_j X_j; None where W_j is the inverse of Phi_j and this is the identity.
    leverage : ndarray, shape (J, k)
        Eigenvalues of X_j'W_j X_j that can differ from zero: which share of all that is known of a direction of beta
        comes from cluster j.
    directions : ndarray, shape (J, p, k)
        Their eigenvectors, in columns; columns of zeros where there are fewer.
    n_obs : int
        Rows of the model.
    """

    x: Array
    wx: Array
    phi: Array | None
    residuals: Array
    back: Array
    omega: Array | None
    leverage: Array
    directions: Array
    n_obs: int

    @property
    def n_clusters(self) -> int:
        """J."""
        return int(self.x.shape[0])

    @property
    def n_coefficients(self) -> int:
        """p, the number of estimated coefficients."""
        return int(self.back.shape[0])


def ordinary_blocks(gram: Array, scores: Array, back: Array, n_obs: int) -> ClusterBlocks:
    """Return the blocks of ordinary least squares, W_j = Phi_j = I.

    Parameters
    ----------
    gram : ndarray, shape (J, p, p)
        X_j'X_j of the orthonormal columns.
    scores : ndarray, shape (J, p)
        X_j'e_j.
    back : ndarray, shape (p, p)
    n_obs : int
    """
    leverage, directions = np.linalg.eigh(gram)
    kept = leverage > SPAN_TOLERANCE * leverage[:, -1:]
    r = max(int(kept.sum(axis=1).max()), 1)
    leverage, kept, directions = leverage[:, -r:], kept[:, -r:], directions[:, :, -r:] * kept[:, None, -r:]
    root = np.sqrt(np.where(kept, leverage, 1.0))
    x = root[:, :, None] * np.swapaxes(directions, 1, 2)
    residuals = (np.swapaxes(directions, 1, 2) @ scores[:, :, None])[..., 0] / root
    return ClusterBlocks(x, x, None, residuals, back, None, leverage, directions, n_obs)


def ordinary_blocks_of_rows(x: Array, residuals: Array, back: Array, n_obs: int) -> ClusterBlocks:
    """Return the blocks of ordinary least squares from the rows themselves, cheaper where clusters have fewer than p.

    Parameters
    ----------
    x : ndarray, shape (J, largest cluster, p)
        The orthonormal columns, padded with rows of zeros.
    residuals : ndarray, shape (J, largest cluster)
    back : ndarray, shape (p, p)
    n_obs : int
    """
    return ClusterBlocks(x, x, None, residuals, back, None, *_leverage(x, x), n_obs)


def weighted_blocks(gram: Array, scores: Array, back: Array, n_obs: int) -> ClusterBlocks:
    """Return the blocks of weighted least squares whose errors are taken to be homoscedastic, W_j diagonal, Phi_j = I.

    That is how clubSandwich reads the weights of `lm`: as sampling weights, not as inverse variances.

    Parameters
    ----------
    gram : ndarray, shape (J, 2p, 2p)
        Cross-products of [X_j, W_j X_j].
    scores : ndarray, shape (J, 2p)
        [X_j, W_j X_j]'e_j.
    back : ndarray, shape (p, p)
    n_obs : int
    """
    p = back.shape[0]
    columns, residuals = _rotated(gram, scores)
    x, wx = columns[..., :p], columns[..., p:]
    omega = np.einsum("jri,jrk->ik", wx, wx)
    return ClusterBlocks(x, wx, None, residuals, back, omega, *_leverage(x, wx), n_obs)


def mixed_blocks(gram: Array, scores: Array, back: Array, n_obs: int) -> ClusterBlocks:
    """Return the blocks of a mixed model, Phi_j = I + Z_j Lambda Lambda' Z_j', W_j its inverse.

    The inverse of Phi_j is taken on the r pseudo-rows, which is what Woodbury's identity amounts to here.

    Parameters
    ----------
    gram : ndarray, shape (J, m + p, m + p)
        Cross-products of [Z_j Lambda, X_j]; unused columns of Z_j are zero, X_j in any basis that is well conditioned.
    scores : ndarray, shape (J, m + p)
        [Z_j Lambda, X_j]'e_j with e_j = y_j - X_j beta.
    back : ndarray, shape (p, p)
        From coefficients of that basis to those of the fitted model.
    n_obs : int
    """
    m = gram.shape[-1] - back.shape[0]
    columns, residuals = _rotated(gram, scores)
    z, x = columns[..., :m], columns[..., m:]
    phi = np.eye(z.shape[1]) + z @ np.swapaxes(z, 1, 2)
    wx = np.asarray(np.linalg.solve(phi, x), float)
    upper = np.linalg.cholesky(np.einsum("jri,jrk->ik", x, wx)).T
    orthonormal = np.linalg.solve(upper, np.eye(len(upper)))
    x, wx = x @ orthonormal, wx @ orthonormal
    return ClusterBlocks(x, wx, phi, residuals, back @ orthonormal, None, *_leverage(x, wx), n_obs)


def padded_rows(columns: Array, codes: NDArray[np.intp], n_clusters: int) -> Array:
    """Return the rows of every cluster, padded with zeros to the largest, shape (J, largest cluster, s); codes ascend."""
    bounds = np.searchsorted(codes, np.arange(n_clusters + 1))
    place = np.arange(len(codes)) - bounds[codes]
    out = np.zeros((n_clusters, int(np.diff(bounds).max()), columns.shape[1]))
    out[codes, place] = columns
    return out


def cluster_sums(columns: Array, codes: NDArray[np.intp], n_clusters: int, right: Array | None = None) -> Array:
    """Return B_j'R_j for every cluster, with R_j = B_j unless given.

    Parameters
    ----------
    columns : ndarray, shape (n, s)
    codes : ndarray of int, shape (n,)
        Cluster of each row, 0..J-1, every code used, in ascending order.
    n_clusters : int
    right : ndarray, shape (n, t), optional

    Returns
    -------
    ndarray, shape (J, s, t)
    """
    right = columns if right is None else right
    bounds = np.searchsorted(codes, np.arange(n_clusters + 1))
    sizes = np.diff(bounds)
    s, t = columns.shape[1], right.shape[1]
    if sizes.size and (sizes == sizes[0]).all():
        shape = (n_clusters, int(sizes[0]), -1)
        return np.asarray(np.swapaxes(columns.reshape(shape), 1, 2) @ right.reshape(shape))
    sums = np.empty((n_clusters, s, t))
    for size in np.unique(sizes):  # clusters of one size are one stacked product
        same = np.flatnonzero(sizes == size)
        rows = bounds[same][:, None] + np.arange(size)
        sums[same] = np.swapaxes(columns[rows], 1, 2) @ right[rows]
    return sums


def _rotated(gram: Array, scores: Array) -> tuple[Array, Array]:
    """Return Q_j'B_j (J, r, s) and Q_j'e_j (J, r) from K_j = B_j'B_j and b_j = B_j'e_j, r the largest rank met."""
    square = np.einsum("jss->js", gram)
    present = square > EMPTY_COLUMN * square.sum(axis=0)
    scale = np.where(present, 1.0 / np.sqrt(np.where(present, square, 1.0)), 0.0)
    values, vectors = np.linalg.eigh(gram * scale[:, :, None] * scale[:, None, :])
    kept = values > SPAN_TOLERANCE
    r = max(int(kept.sum(axis=1).max()), 1)
    values, vectors, kept = values[:, -r:], vectors[:, :, -r:], kept[:, -r:]
    root = np.sqrt(np.where(kept, values, 1.0))
    unscale = np.where(present, np.sqrt(np.where(present, square, 1.0)), 0.0)
    basis = np.swapaxes(vectors, 1, 2) * kept[:, :, None]
    columns = basis * root[:, :, None] * unscale[:, None, :]
    rotated = np.einsum("jrs,js->jr", basis / root[:, :, None], scale * scores)
    return columns, rotated


def _leverage(x: Array, wx: Array) -> tuple[Array, Array]:
    """Return the eigenvalues (J, k) and eigenvectors (J, p, k) of X_j'W_j X_j that can differ from zero."""
    if x.shape[1] < x.shape[2] and x is wx:  # X_j X_j' has the same ones and is smaller
        values, vectors = np.linalg.eigh(x @ np.swapaxes(x, 1, 2))
        kept = values > SPAN_TOLERANCE * values[:, -1:]
        scale = np.where(kept, 1 / np.sqrt(np.where(kept, values, 1.0)), 0.0)
        return np.where(kept, values, 0.0), np.asarray(np.swapaxes(x, 1, 2) @ (vectors * scale[:, None, :]))
    product = np.swapaxes(x, 1, 2) @ wx
    values, vectors = np.linalg.eigh((product + np.swapaxes(product, 1, 2)) / 2)
    return np.asarray(values), np.asarray(vectors)
