"""REML and Kenward-Roger of the last coefficient in many trials at once, from their cross-products.

The formulas are those of `asp_eval.stats.smallsample.kenward_roger` and `asp_eval.stats.mixed.derivatives` for one random
intercept, written over trials; the minimum is the engine's (`asp_eval.stats.engine.many_ratios`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.stats.engine.many_ratios import minimise_ratios
from asp_eval.stats.engine.one_ratio import GRID
from asp_eval.stats.engine.packed import eliminate, triangle
from asp_eval.stats.estimate import Array
from asp_eval.stats.power.trials import Trials

Index = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

COLLINEAR = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """What many fits say of the last coefficient.

    Attributes
    ----------
    estimate : ndarray, shape (R,)
    std_error, adjusted_error : ndarray, shape (R,)
        The model's, and Kenward and Roger's.
    df : ndarray, shape (R,)
        Kenward and Roger's.
    clusters_df : ndarray, shape (R,)
        Clusters less the rank of the columns that do not vary within them.
    ratio : ndarray, shape (R,)
        tau^2 / sigma^2; 0 where the fit is singular.
    sigma2 : ndarray, shape (R,)
    """

    estimate: Array
    std_error: Array
    adjusted_error: Array
    df: Array
    clusters_df: Array
    ratio: Array
    sigma2: Array


@dataclass(frozen=True, slots=True, eq=False)
class ManyTrials:
    """Trials as `minimise_ratios` sees them.

    Attributes
    ----------
    h : ndarray, shape (J, R)
    base : ndarray, shape (E, R)
        u'u, packed.
    outer : ndarray, shape (R, J, E)
        Products of the sums within clusters, packed; trials first, for batched matrix products.
    size : int
    N : ndarray, shape (R,)
        n - p.
    """

    h: Array
    base: Array
    outer: Array
    size: int
    N: Array
    reml: bool = True

    @classmethod
    def of(cls, trials: Trials) -> ManyTrials:
        """Pack the cross-products of trials."""
        i, j = triangle(len(trials.sums))
        size = len(trials.sums)
        sums = np.ascontiguousarray(trials.sums.transpose(2, 1, 0))
        return cls(trials.n, trials.total[i, j], sums[:, :, i] * sums[:, :, j], size, trials.n.sum(axis=0) - (size - 1))

    def profile(self, which: Index, d: Array, orders: int) -> Array:
        """Return S(d) of some trials with derivatives, packed (E, orders, len(which))."""
        whole = len(which) == self.base.shape[1]
        h, base = (self.h, self.base) if whole else (self.h[:, which], self.base[:, which])
        outer = self.outer if whole else self.outer[which]
        v = 1.0 / (1.0 + d * h)
        weights = np.stack([d * v, v * v, -2.0 * h * v**3][:orders])  # (orders, J, R)
        S = -(weights.transpose(2, 0, 1) @ outer).transpose(2, 1, 0)
        S[:, 0] += base
        return np.ascontiguousarray(S)

    def grid_values(self) -> Array:
        """Return every trial's criterion on the grid."""
        dh = GRID[:, None, None] * self.h  # (points, J, R)
        weights = GRID[:, None, None] / (1.0 + dh)
        S = self.base[:, None] - (weights.transpose(2, 0, 1) @ self.outer).transpose(2, 1, 0)  # (E, points, R)
        pivots = eliminate(np.ascontiguousarray(S).reshape(len(S), 1, -1), self.size).pivots[:, 0]
        logs = np.log(np.maximum(pivots, 1e-300)).reshape(self.size, len(GRID), -1)
        return np.asarray(np.log1p(dh).sum(axis=1) + logs[:-1].sum(axis=0) + self.N * logs[-1])

    def estimable(self) -> Mask:
        """Return in which trials no column is a combination of others, and something is left to test."""
        i, j = triangle(self.size)
        whole = self.base[i == j]
        with np.errstate(divide="ignore", invalid="ignore"):
            pivots = eliminate(self.base[:, None].copy(), self.size).pivots[:, 0]
        return np.asarray((pivots[:-1] > COLLINEAR * np.maximum(whole[:-1], 1e-300)).all(axis=0) & (self.N > 1))


def fit_trials(trials: Trials, cluster_columns: int) -> Fits:
    """Fit every trial by REML and test the arm by Kenward and Roger.

    Parameters
    ----------
    trials : Trials
    cluster_columns : int
        Columns that do not vary within clusters, the constant among them.

    Returns
    -------
    Fits
        NaN where the arm's effect cannot be estimated.
    """
    many = ManyTrials.of(trials)
    fine = np.flatnonzero(many.estimable())
    kept = ManyTrials(many.h[:, fine], many.base[:, fine], many.outer[fine], many.size, many.N[fine])
    d = minimise_ratios(kept)
    found = _answers(kept, d, cluster_columns)
    if len(fine) == many.base.shape[1]:
        return found
    whole = {name: np.full(many.base.shape[1], np.nan) for name in Fits.__slots__}
    for name, values in whole.items():
        values[fine] = getattr(found, name)
    return Fits(**whole)


def _answers(many: ManyTrials, d: Array, cluster_columns: int) -> Fits:
    packed = many.profile(np.arange(len(d)), d, 3)
    S, S_1, S_2 = (_unpacked(packed[:, order], many.size) for order in range(3))
    p = many.size - 1
    Phi = np.linalg.inv(S[:, :p, :p])
    beta = (Phi @ S[:, :p, p, None])[..., 0]
    sigma2 = (S[:, p, p] - (S[:, :p, p] * beta).sum(axis=1)) / many.N
    P, Q = _information_parts(S[:, :p, :p], S_1[:, :p, :p], S_2[:, :p, :p], d)
    W, Phi_A = _kenward_roger(np.asarray(Phi, float), P, Q, _traces(many, d))
    along = Phi[:, -1]
    u = np.einsum("ri,rkij,rj->rk", along, P, along) / along[:, -1][:, None]
    df = 2.0 / np.einsum("rk,rkl,rl->r", u, W, u)
    clusters = (many.h > 0).sum(axis=0) - cluster_columns
    se = np.sqrt(sigma2 * along[:, -1])
    return Fits(beta[:, -1], se, np.sqrt(sigma2 * Phi_A[:, -1, -1]), df, clusters.astype(float), d, sigma2)


def _unpacked(packed: Array, size: int) -> Array:
    out = np.empty((packed.shape[1], size, size))
    i, j = triangle(size)
    out[:, i, j] = out[:, j, i] = packed.T
    return out


def _information_parts(S: Array, S_1: Array, S_2: Array, d: Array) -> tuple[Array, Array]:
    """Return P_r (R, 2, p, p) and Q_rs (R, 2, 2, p, p) in (tau^2, sigma^2), at sigma^2 = 1."""
    d = d[:, None, None]
    both = -2.0 * S_1 - d * S_2
    P = np.stack([S_1, -S - d * S_1], axis=1)
    rows = [np.stack([S_2, both], axis=1), np.stack([both, 2.0 * S + 4.0 * d * S_1 + d**2 * S_2], axis=1)]
    return P, 0.5 * np.stack(rows, axis=1)


def _traces(many: ManyTrials, d: Array) -> Array:
    """Return tr(V^-1 G_r V^-1 G_s) (R, 2, 2)."""
    hv = many.h / (1.0 + d * many.h)
    one, two = hv.sum(axis=0), (hv**2).sum(axis=0)
    out = np.empty((len(d), 2, 2))
    out[:, 0, 0] = two
    out[:, 0, 1] = out[:, 1, 0] = one - d * two
    out[:, 1, 1] = many.h.sum(axis=0) - 2.0 * d * one + d**2 * two
    return out


def _kenward_roger(Phi: Array, P: Array, Q: Array, trace: Array) -> tuple[Array, Array]:
    """Return W (R, 2, 2) and the adjusted covariance (R, p, p)."""
    PhiP = Phi[:, None] @ P
    information = trace - 2.0 * np.einsum("rklij,rji->rkl", Q, Phi) + np.einsum("rkij,rlji->rkl", PhiP, PhiP)
    scale = np.sqrt(np.einsum("rkk->rk", information))
    both = scale[:, :, None] * scale[:, None, :]
    W = 2.0 * np.linalg.inv(information / both) / both
    inner = np.einsum("rkl,rklij->rij", W, Q) - np.einsum("rkl,rkij,rljm->rim", W, P, PhiP)
    added = Phi @ inner @ Phi
    return W, Phi + added + added.swapaxes(1, 2)
