"""A model with one random intercept at fixed variance ratios, under thousands of allocations at once.

At a fixed d only the treatment's columns A move, so all others are eliminated beforehand; what they leave of A, of the
outcome y and of the observed arm t is linear in the indicators of an allocation, but for A'A, which loses squares of what
is. All ratios and all draws are one matrix product.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.stats.engine.packed import eliminate, triangle
from asp_eval.stats.estimate import Array
from asp_eval.stats.resampling.allocations import Draws
from asp_eval.stats.resampling.arm_grams import ArmGrams

Index = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

CHUNK = 1024
"""Draws at a time."""
COLLINEAR = 1e-10
"""Share of an arm's column that must be left beside the other columns for its effect to be estimable."""


@dataclass(frozen=True, slots=True, eq=False)
class Remainders:
    """What the elimination of all columns but the contrast's leaves, at K ratios under R draws.

    Attributes
    ----------
    log_det : ndarray, shape (K, R)
        log|V| + log|S_xx|.
    aa, ay, at, yy, yt, tt : ndarray, shape (K, R)
        Cross-products of the contrast's column, the outcome and the observed arm.
    """

    log_det: Array
    aa: Array
    ay: Array
    at: Array
    yy: Array
    yt: Array
    tt: Array

    def taken(self, which: Index | slice) -> Remainders:
        """Return some draws."""
        return Remainders(*(getattr(self, name)[:, which] for name in self.__slots__))

    @classmethod
    def joined(cls, lots: Iterable[Remainders], K: int, R: int) -> Remainders:
        """Return lots of draws as one; a lot is not kept, so that the next one finds its memory in the cache."""
        whole, at = cls(*(np.empty((K, R)) for _ in cls.__slots__)), 0
        for lot in lots:
            to = at + lot.aa.shape[1]
            for name in cls.__slots__:
                getattr(whole, name)[:, at:to] = getattr(lot, name)
            at = to
        return whole

    def forget(self, which: Mask) -> None:
        """Make what is known of some draws NaN."""
        for name in self.__slots__:
            getattr(self, name)[:, which] = np.nan

    def criterion(self, m: float, N: int) -> tuple[Array, Array, Array]:
        """Return the criterion up to a constant, a'y and what all columns leave of y'y (K, R).

        Parameters
        ----------
        m : float
            How many times the observed arm the outcome is less.
        N : int
            Degrees of freedom.
        """
        ay = self.ay - m * self.at
        left = self.yy - 2.0 * m * self.yt + m * m * self.tt - ay * ay / self.aa
        return self.log_det + N * np.log(np.maximum(left, 1e-300) / N), ay, left


@dataclass(frozen=True, slots=True, eq=False)
class FixedRatios:
    """Cross-products at K ratios as a function of the indicators, the columns without the treatment eliminated.

    Attributes
    ----------
    p0, q : int
        Columns without the treatment, and with it.
    log_det : ndarray, shape (K,)
        log|V| and the part of the p0 columns in log|S_xx|.
    base, gain : ndarray, shape (r, K), (r, K, G)
        Rows for the part of A along the eliminated columns, (p0, q) of them, and for the packed cross-products of
        [A, y, t] but its last three: A'A as it was, A'y and A't as they are left. G = (arms - 1) J indicators.
    responses : ndarray, shape (3, K)
        What is left of y'y, y't and t't.
    """

    p0: int
    q: int
    log_det: Array
    base: Array
    gain: Array
    responses: Array

    @classmethod
    def at(cls, grams: ArmGrams, ratios: Array) -> FixedRatios:
        """Eliminate the columns without the treatment at some ratios (K,)."""
        p0, q, K = grams.p0, grams.q, len(ratios)
        A = slice(p0, grams.p)
        weights = ratios[:, None] / (1.0 + ratios[:, None] * grams.size)
        s = grams.sums
        S = grams.gram[0].sum(axis=0) - (s[0].T * weights[:, None]) @ s[0]
        gram, outer = ((x[1:] - x[0])[..., A, :] for x in (grams.gram, s[..., :, None] * s[..., None, :]))
        G = gram.shape[0] * gram.shape[1]
        gain = (gram - weights[:, None, :, None, None] * outer).reshape(K, G, q, grams.p + 2).transpose(0, 3, 2, 1)
        L = np.linalg.cholesky(S[:, :p0, :p0])
        Z = np.linalg.solve(L, S[:, :p0, p0:])
        lifted = np.linalg.solve(L, gain[:, :p0].reshape(K, p0, q * G)).reshape(K, p0, q, G)
        S[:, p0:, grams.p :] -= Z.swapaxes(1, 2) @ Z[..., q:]
        gain[:, grams.p :] -= np.einsum("kpr,kpqg->krqg", Z[..., q:], lifted)
        i, j = (x[:-3] for x in triangle(q + 2))
        base = np.concatenate([Z[..., :q].reshape(K, p0 * q), S[:, p0 + i, p0 + j]], axis=1)
        rows = np.concatenate([lifted.reshape(K, p0 * q, G), gain[:, p0 + j, i]], axis=1)
        log_det = np.log1p(ratios[:, None] * grams.size).sum(axis=1) + 2.0 * np.log(L.diagonal(axis1=1, axis2=2)).sum(axis=1)
        left = S[:, [-2, -2, -1], [-2, -1, -1]]
        return cls(p0, q, log_det, base.T.copy(), rows.swapaxes(0, 1).copy(), left.T.copy())

    def cleared(self, indicators: Array) -> Array:
        """Return the packed cross-products of [A, y, t] less what the eliminated columns take of them (E, K, R)."""
        r, K, G = self.gain.shape
        found = np.empty((r + 3, K, indicators.shape[1]))
        np.matmul(self.gain.reshape(r * K, G), indicators, out=found[:-3].reshape(r * K, -1))
        found[:-3] += self.base[..., None]
        found[-3:] = self.responses[..., None]
        above = found[: self.p0 * self.q].reshape(self.p0, self.q, K, found.shape[2])
        packed = found[self.p0 * self.q :]
        for e, (a, b) in enumerate(zip(*triangle(self.q + 2), strict=True)):
            if b < self.q:
                packed[e] -= np.einsum("pkr,pkr->kr", above[:, a], above[:, b])
        return packed

    def remainders(self, indicators: Array) -> Remainders:
        """Return what is left when all columns but the contrast's, the last of A, are eliminated."""
        packed = self.cleared(indicators)
        flat = packed.reshape(len(packed), 1, -1)
        pivots = eliminate(flat, self.q + 2, self.q - 1).pivots.reshape(self.q, *packed.shape[1:])
        log_det = self.log_det[:, None] + np.log(np.maximum(pivots, 1e-300)).sum(axis=0)
        return Remainders(log_det, *packed[-6:])


def indicators(grams: ArmGrams, draws: Draws) -> Array:
    """Return 1(T_g = a) for a >= 1 ((arms - 1) J, R)."""
    return np.concatenate([(a == draws.T) * 1.0 for a in range(1, len(grams.gram))])


def estimable(grams: ArmGrams, draws: Draws) -> Mask:
    """Return under which draws (R, J) no column of the treatment is a combination of other columns (R,)."""
    A = np.arange(grams.p0, grams.p)
    own = grams.gram[..., A, A]
    whole, gain, fixed = own[0].sum(axis=0), (own[1:] - own[0]).reshape(-1, grams.q), FixedRatios.at(grams, np.zeros(1))
    out = []
    for at in range(0, len(draws), CHUNK):
        arms = indicators(grams, draws[at : at + CHUNK])
        with np.errstate(divide="ignore", invalid="ignore"):  # by a pivot of zero, which is what is looked for
            pivots = eliminate(fixed.cleared(arms), grams.q + 2, grams.q).pivots[: grams.q, 0]
        out.append((pivots > COLLINEAR * np.maximum(whole[:, None] + gain.T @ arms, 1e-300)).all(axis=0))
    return np.concatenate(out)


def undecided(grams: ArmGrams, draws: Draws) -> Mask:
    """Return which draws (R, J) no hypothesis of a constant effect can tell from the observed allocation (R,).

    Under them the observed arm is a combination of the model's columns (the same allocation, or its mirror image), so
    the statistic is the observed one whatever the effect.
    """
    fixed = FixedRatios.at(grams, np.zeros(1))
    arm = grams.gram[0, :, -1, -1].sum()
    out = []
    for at in range(0, len(draws), CHUNK):
        with np.errstate(divide="ignore", invalid="ignore"):
            known = fixed.remainders(indicators(grams, draws[at : at + CHUNK]))
            out.append((known.tt - known.at**2 / known.aa <= COLLINEAR * arm)[0])
    return np.concatenate(out)
