"""Cross-products of every cluster under every arm: all that a refit under another allocation needs.

With u = [X_0, A, y, t] (columns without the treatment, with it, the outcome, the observed arm), cluster g in arm a
has the cross-products G_g(a) = u_g'W u_g and sums s_g(a) = 1'W u_g. Under an allocation T

    u'Wu = sum_g G_g(T_g) = sum_g G_g(0) + sum_g 1(T_g = a) [G_g(a) - G_g(0)],

which is linear in the indicators: thousands of allocations are one matrix product. Columns are first put in a basis in
which they are orthonormal, outcome and observed arm are cleared of X_0, and A is turned so that its last coefficient is
the contrast wanted; none of this changes the contrast or its standard error.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.engine.least_squares import least_squares, triangular_factor
from asp_eval.stats.estimate import Array
from asp_eval.stats.resampling.arm_columns import ArmColumns
from asp_eval.stats.smallsample.cluster_blocks import cluster_sums

OTHER_TERMS = Phrase("only the treatment was drawn by lot, so a permutation test says nothing of this coefficient")
NO_EFFECT = Phrase("this is not an effect of the treatment: it need not be zero when the arms do not differ")
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class ArmGrams:
    """Cross-products of clusters under arms, for one contrast and one outcome.

    Attributes
    ----------
    gram : ndarray, shape (K, J, P, P)
        u'Wu within clusters; u holds p0 columns without the treatment, q with it, the outcome, the observed arm.
    sums : ndarray, shape (K, J, P)
        1'Wu within clusters.
    size : ndarray, shape (J,)
        1'W1.
    q : int
    n : int
        Rows.
    scale : float
        The contrast = scale times the last of the q coefficients, in the data's units.
    shift : float
        By how much the contrast grows when every row of the other arm gains one (two arms); zero if there is no such
        relation.
    """

    gram: Array
    sums: Array
    size: Array
    q: int
    n: int
    scale: float
    shift: float

    @property
    def p(self) -> int:
        """Coefficients."""
        return int(self.gram.shape[2]) - 2

    @property
    def p0(self) -> int:
        """Coefficients of columns without the treatment."""
        return self.p - self.q

    def less(self, effect: float) -> ArmGrams:
        """Return the cross-products of the outcome less a constant effect (in the contrast's units) on the observed arm."""
        if effect == 0.0:
            return self
        move = np.eye(self.p + 2)
        move[-1, -2] = -effect / self.shift
        return replace(self, gram=move.T @ self.gram @ move, sums=self.sums @ move)

    def of_observed_arm(self) -> ArmGrams:
        """Return the cross-products with the observed arm in the outcome's place."""
        swap = np.eye(self.p + 2)
        swap[-2:, -2:] = [[0.0, 1.0], [1.0, 0.0]]
        return replace(self, gram=swap.T @ self.gram @ swap, sums=self.sums @ swap)


def arm_grams(columns: ArmColumns, y: Array, codes: Codes, weights: Array | None, contrast: Array) -> ArmGrams | Unavailable:
    """Form the cross-products of clusters under arms.

    Parameters
    ----------
    columns : ArmColumns
    y : ndarray, shape (n,)
    codes : ndarray of int, shape (n,)
    weights : ndarray, shape (n,), or None
    contrast : ndarray, shape (p,)
        Weights of the estimated coefficients.
    """
    X, K, n = columns.X, len(columns.arms), len(y)
    own = (X[0] != X).any(axis=(0, 1))
    c = contrast[own]
    if not c.any() or contrast[~own].any():
        return Unavailable(OTHER_TERMS)
    change = np.concatenate([X[a][:, own] - X[0][:, own] for a in range(1, K)])
    solution = np.linalg.lstsq(change.T, c, rcond=None)[0]
    if np.abs(change.T @ solution - c).max() > ROUNDING * np.abs(c).max():
        return Unavailable(NO_EFFECT)
    root = None if weights is None else np.sqrt(weights)
    A, scale = _turned(X[:, :, own], root, c)
    Q, outcome, arm = _cleared(X[0][:, ~own], np.column_stack([y, 1.0 * (columns.observed[codes] > 0)]), weights)
    spread = float(np.sqrt(np.mean(outcome**2)))
    J = len(columns.observed)
    order = np.argsort(codes, kind="stable")
    gram, sums = [], []
    for a in range(K):
        u = np.column_stack([Q, A[a], outcome / spread, arm / spread])
        one = np.ones((n, 1)) if root is None else root[:, None]
        u = u if root is None else u * one
        gram.append(cluster_sums(u[order], codes[order], J))
        sums.append(cluster_sums(one[order], codes[order], J, u[order])[:, 0])
    size = np.bincount(codes, weights=weights, minlength=J).astype(float)
    return ArmGrams(np.stack(gram), np.stack(sums), size, A.shape[2], n, scale * spread, _shift(change, c) if K == 2 else 0.0)


def _turned(A: Array, root: Array | None, c: Array) -> tuple[Array, float]:
    """Return the arms' columns (K, n, q) orthonormal over all arms, turned so that the contrast is scale * the last."""
    K, n, q = A.shape
    weighted = A if root is None else A * root[:, None]
    back = np.linalg.inv(triangular_factor(weighted.reshape(K * n, q))) * np.sqrt(n)
    along = back.T @ c  # of the orthonormal columns' coefficients
    scale = float(np.linalg.norm(along))
    basis = np.linalg.qr(np.column_stack([along, np.eye(q)]))[0][:, :q]
    basis[:, 0] = along / scale
    return A @ (back @ np.roll(basis, -1, axis=1)), scale


def _cleared(X0: Array, responses: Array, weights: Array | None) -> tuple[Array, Array, Array]:
    """Return columns without the treatment, orthonormal, and two responses less their projections on them."""
    if not X0.shape[1]:
        return X0, responses[:, 0], responses[:, 1]
    fits = [least_squares(X0, responses[:, k], weights) for k in range(2)]
    return fits[0].columns * np.sqrt(len(X0)), fits[0].residuals, fits[1].residuals


def _shift(change: Array, c: Array) -> float:
    """Return the contrast of coefficients that add one to every row of the other arm, or zero if there are none."""
    beta, *_ = np.linalg.lstsq(change, np.ones(len(change)), rcond=None)
    shift = float(c @ beta)
    constant = np.abs(change @ beta - 1.0).max() < ROUNDING
    return shift if constant and abs(shift) > ROUNDING * float(np.abs(c).max()) else 0.0
