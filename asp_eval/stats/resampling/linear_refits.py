"""Least-squares refits under thousands of allocations at once, for the outcome and the observed arm together.

Without a variance ratio everything is linear in the outcome. Refitting outcome y and observed arm t once under every
draw gives every hypothesis y - delta t: the estimate is b_y - delta b_t, and its variance a quadratic form in
(1, -delta). Two variances:

* cluster-robust, CR1: J / (J - 1) sum_g (a'X_g'W e_g)^2 with a = (X'WX)^-1 l;
* classical, for means of clusters: s^2 l'(X'X)^-1 l with s^2 on J - p degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.stats.estimate import Array
from asp_eval.stats.resampling.allocations import Draws
from asp_eval.stats.resampling.arm_grams import ArmGrams
from asp_eval.stats.resampling.fixed_ratios import CHUNK, estimable
from asp_eval.stats.resampling.refits import Refits

Index = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class LinearRefits:
    """Refits of outcome and observed arm under R allocations.

    Attributes
    ----------
    slopes : ndarray, shape (R, 2)
        The contrast in the regression of the outcome, and in that of the observed arm.
    variance : ndarray, shape (R, 2, 2)
        Its variance in the regression of m_1 y + m_2 t is m' variance m.
    shift : float
        As in `ArmGrams`.
    """

    slopes: Array
    variance: Array
    shift: float

    def taken(self, which: Index) -> LinearRefits:
        """Return the refits of some draws."""
        return LinearRefits(self.slopes[which], self.variance[which], self.shift)

    def less(self, effect: float) -> Refits:
        """Return the refits of the outcome less a constant effect (in the contrast's units) on the observed arm."""
        m = np.array([1.0, -effect / self.shift if effect else 0.0])
        variance = self.variance @ m @ m
        return Refits(self.slopes @ m, np.sqrt(np.maximum(variance, 0.0)), np.full(len(variance), np.nan))


def linear_refits(grams: ArmGrams, draws: Draws, *, robust: bool) -> LinearRefits:
    """Refit by least squares under every draw (R, J), with cluster-robust or classical variances."""
    fine = np.flatnonzero(estimable(grams, draws))
    slopes, variance = np.full((len(draws), 2), np.nan), np.full((len(draws), 2, 2), np.nan)
    for at in range(0, len(fine), CHUNK):
        rows = fine[at : at + CHUNK]
        slopes[rows], variance[rows] = _solve(grams, draws[rows], robust=robust)
    return LinearRefits(grams.scale * slopes, grams.scale**2 * variance, grams.shift)


def _solve(grams: ArmGrams, draws: Draws, *, robust: bool) -> tuple[Array, Array]:
    """Return slopes (R, 2) and variances (R, 2, 2) of the last coefficient."""
    K, J, P, _ = grams.gram.shape
    p = grams.p
    total = np.zeros((len(draws), P * P))
    for a in range(K):
        total += (draws == a) @ grams.gram[a].reshape(J, P * P)
    total = total.reshape(-1, P, P)
    XX, XY, YY = total[:, :p, :p], total[:, :p, p:], total[:, p:, p:]
    right = np.concatenate([XY, np.broadcast_to(np.eye(p)[:, -1:], (len(draws), p, 1))], axis=2)
    solved = np.linalg.solve(XX, right)
    beta, along = solved[:, :, :2], solved[:, :, 2]
    if robust:
        scores = _scores(grams, draws, beta, along)
        variance = J / (J - 1) * np.einsum("rjs,rjt->rst", scores, scores)
    else:
        rest = YY - np.swapaxes(XY, 1, 2) @ beta
        variance = along[:, -1, None, None] * rest / (grams.n - p)
    return beta[:, -1], variance


def _scores(grams: ArmGrams, draws: Draws, beta: Array, along: Array) -> Array:
    """Return a'X_g'W e_g of every cluster for both responses (R, J, 2)."""
    K, J = grams.gram.shape[:2]
    p, out = grams.p, np.zeros((*draws.shape, 2))
    pairs = (along[:, :, None, None] * beta[:, None]).reshape(len(draws), p * p, 2)
    for a in range(K):
        XX, XY = grams.gram[a, :, :p, :p].reshape(J, p * p), grams.gram[a, :, :p, p:]
        for k in range(2):
            score = along @ XY[:, :, k].T - pairs[:, :, k] @ XX.T
            out[:, :, k] += (draws == a) * score
    return out
