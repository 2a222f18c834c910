"""Cluster-robust covariance of regression coefficients, CR0 to CR3, and how precisely it was estimated.

The estimator (Bell & McCaffrey 2002, Surv Methodol 28:169; Pustejovsky & Tipton 2018, J Bus Econ Stat 36:672)::

    V = M [ sum_j E_j e_j e_j' E_j' ] M,          E_j = X_j' W_j A_j

with A_j = I (CR0); sqrt(J / (J-1)) I (CR1); sqrt(J (n-1) / ((J-1)(n-p))) I (CR1S, Stata's); (I - H_jj)^-1, the
jackknife over clusters (CR3); and for CR2 the symmetric solution of A_j Psi_j A_j = Phi_j, where Psi_j is the covariance
of e_j under the working model: with it V is unbiased when the working model is right. That solution is the geometric
mean of Phi_j and Psi_j^-1 and so is the same whichever root D'D = Phi_j it is computed with,

    A_j = D' [D Psi_j D']^-1/2 D,      Psi_j = Phi_j - X_j M X_j' for W_j = Phi_j^-1.

Where a cluster alone determines a direction of beta (leverage one, as with a dummy of its own), Psi_j is singular and a
generalised inverse leaves that direction out, as clubSandwich does; `invisible_share` says what that costs a contrast.

Under the working model a contrast's variance c'Vc is a quadratic form in normal errors with J-by-J matrix

    P_jk = 1(j = k) d_j + l_j' C l_k

(d_j from E_j Phi_j E_j', the rest of rank p), so the Bell-McCaffrey degrees of freedom tr(P)^2 / tr(P^2) and those of the
Hotelling test need no J-by-J matrix. Functions take and return arrays; M is the identity in the basis of `ClusterBlocks`.
E_j comes from pseudo-rows here; of nested random effects it comes from cross-products (`nested_sandwich`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from asp_eval.stats.smallsample.cluster_blocks import Array, ClusterBlocks

Kind = Literal["CR0", "CR1", "CR1S", "CR2", "CR3"]

FULL_LEVERAGE = 1 - 1e-10
"""Above this a direction of beta is known from one cluster alone."""

STEEP = 300.0
"""Above this variance of a pseudo-row (residual variance = 1), squares of variances lose too many digits."""

AT_ONCE = 10**7
"""Numbers held per array: contrasts are taken so many at a time."""


class Robust(Protocol):
    """A cluster-robust covariance and what its degrees of freedom need; contrasts are (m, p), of the fitted model."""

    @property
    def back(self) -> Array:
        """From coefficients of the basis in which M is the identity to those of the fitted model (p, p)."""

    @property
    def leverage(self) -> Array:
        """See `ClusterBlocks`, (J, k)."""

    @property
    def directions(self) -> Array:
        """See `ClusterBlocks`, (J, p, k)."""

    def covariance(self) -> Array:
        """Return V (p, p)."""

    def own(self, contrasts: Array) -> Array:
        """Return d_j of every contrast (J, m)."""

    def own_jointly(self, contrasts: Array) -> Array:
        """Return d_j of all contrasts together (J, m, m)."""

    def shared(self, contrasts: Array) -> tuple[Array, Array]:
        """Return l_j (J, m, u) and C (u, u)."""


@dataclass(frozen=True, slots=True, eq=False)
class Sandwich:
    """Blocks together with their adjusted estimating matrices.

    Attributes
    ----------
    kind : {"CR0", "CR1", "CR1S", "CR2", "CR3"}
    blocks : ClusterBlocks
    estimating : ndarray, shape (J, p, r)
        E_j = X_j'W_j A_j.
    half : ndarray, shape (J, p, r)
        E_j L_j with L_j L_j' = Phi_j: `half` `half`' = E_j Phi_j E_j'.
    """

    kind: Kind
    blocks: ClusterBlocks
    estimating: Array
    half: Array

    @property
    def back(self) -> Array:
        """From coefficients of the basis in which M is the identity to those of the fitted model (p, p)."""
        return self.blocks.back

    @property
    def leverage(self) -> Array:
        """Of the clusters, (J, k)."""
        return self.blocks.leverage

    @property
    def directions(self) -> Array:
        """Of the leverages, (J, p, k)."""
        return self.blocks.directions

    def covariance(self) -> Array:
        """Return V, shape (p, p), for the coefficients of the fitted model."""
        scores = np.einsum("jpr,jr->jp", self.estimating, self.blocks.residuals) @ self.back.T
        return np.asarray(scores.T @ scores)

    def own(self, contrasts: Array) -> Array:
        """Return d_j of every contrast (J, m)."""
        return np.asarray(np.sum((contrasts @ self.back @ self.half) ** 2, axis=-1))

    def own_jointly(self, contrasts: Array) -> Array:
        """Return d_j of all contrasts together (J, m, m)."""
        root = contrasts @ self.back @ self.half
        return np.asarray(root @ np.swapaxes(root, 1, 2))

    def shared(self, contrasts: Array) -> tuple[Array, Array]:
        """Return l_j (J, m, u) and C (u, u).

        With a_j = X_j'E_j'Mc and f_j = X_j'W_j Phi_j E_j'Mc the shared part is
        -a_j'M f_k - f_j'M a_k + a_j'M Omega M a_k, which is -a_j'M a_k when W_j inverts Phi_j.
        """
        blocks = self.blocks
        weight = contrasts @ self.back @ self.estimating
        a = weight @ blocks.x
        p = blocks.n_coefficients
        if blocks.omega is None:
            return a, -np.eye(p)
        f = weight @ blocks.wx  # Phi_j = I wherever W_j is not its inverse
        return np.concatenate([a, f], axis=-1), np.block([[blocks.omega, -np.eye(p)], [-np.eye(p), np.zeros((p, p))]])


def sandwich(blocks: ClusterBlocks, kind: Kind) -> Sandwich:
    """Return the estimating matrices of one kind of cluster-robust covariance."""
    transposed = np.swapaxes(blocks.wx, 1, 2)
    lower = None if blocks.phi is None else np.asarray(np.linalg.cholesky(blocks.phi), float)
    if kind == "CR3":  # X_j'W_j (I - X_j X_j'W_j)^-1 = (I - X_j'W_j X_j)^-1 X_j'W_j
        estimating = times_power_of_rest(blocks.leverage, blocks.directions, -1.0, transposed)
    elif kind == "CR2" and lower is None and blocks.omega is None:  # and the same for the square root where W_j = I
        estimating = times_power_of_rest(blocks.leverage, blocks.directions, -0.5, transposed)
    elif kind == "CR2":
        adjustment = _under_homoscedasticity(blocks) if lower is None else _under_the_model(blocks, lower)
        estimating = transposed @ adjustment
    else:
        estimating = transposed * plain_factor(kind, blocks.n_clusters, blocks.n_obs, blocks.n_coefficients)
    return Sandwich(kind, blocks, estimating, estimating if lower is None else estimating @ lower)


def invisible_share(robust: Robust, contrasts: Array) -> Array:
    """Return which share of each contrast's model variance lies in directions that one cluster alone determines, (m,).

    Their residuals are zero by construction, so no robust variance can see it.
    """
    own = contrasts @ robust.back
    cluster, which = np.nonzero(robust.leverage > FULL_LEVERAGE)
    found = own @ robust.directions[cluster, :, which].T
    return np.asarray(np.sum(found**2, axis=1) / np.sum(own**2, axis=1))


def satterthwaite_df(robust: Robust, contrasts: Array) -> tuple[Array, Array]:
    """Return the Bell-McCaffrey degrees of freedom tr(P)^2 / tr(P^2) of single contrasts, and tr(P).

    Parameters
    ----------
    robust : Robust
    contrasts : ndarray, shape (m, p)
        One contrast per row, in the coefficients of the fitted model.

    Returns
    -------
    df : ndarray, shape (m,)
        Zero where the variance of the contrast is identically zero.
    expected : ndarray, shape (m,)
        tr(P): the expected c'Vc under the working model, in units of its residual variance.
    """
    step = max(1, AT_ONCE // (len(robust.leverage) * len(robust.back)))
    parts = [_satterthwaite(robust, contrasts[i : i + step]) for i in range(0, len(contrasts), step)]
    return np.concatenate([df for df, _ in parts]), np.concatenate([expected for _, expected in parts])


def _satterthwaite(robust: Robust, contrasts: Array) -> tuple[Array, Array]:
    """Return df and tr(P) of a few contrasts."""
    own, (low, core) = robust.own(contrasts), robust.shared(contrasts)
    shared = np.sum((low @ core) * low, axis=-1)
    by_contrast = np.swapaxes(low, 0, 1)
    product = core @ (np.swapaxes(by_contrast, 1, 2) @ by_contrast)
    square = np.einsum("muv,mvu->m", product, product) + np.sum(own * (own + 2 * shared), axis=0)
    expected = np.sum(own + shared, axis=0)
    df = np.divide(expected**2, square, out=np.zeros_like(expected), where=square > 0)
    return np.asarray(df), np.asarray(expected)


def hotelling_df(robust: Robust, contrasts: Array) -> float:
    """Return eta, the degrees of freedom of the Wishart law that approximates C V C' (test HTZ).

    eta = q (q+1) / sum_jk [ tr(B_jk B_jk) + tr(B_jk)^2 ], B_jk = Omega^-1/2 P_jk Omega^-1/2, Omega = E(C V C'): the
    total-variance matching of Zhang (2012, 2013) as in Tipton & Pustejovsky (2015), J Educ Behav Stat 40:604.

    Parameters
    ----------
    robust : Robust
    contrasts : ndarray, shape (q, p)
        Linearly independent rows.

    Returns
    -------
    float
        Zero where a combination of the contrasts has no expected variance.
    """
    q = contrasts.shape[0]
    own, (low, core) = robust.own_jointly(contrasts), robust.shared(contrasts)
    values, vectors = np.linalg.eigh(np.sum(own + low @ core @ np.swapaxes(low, 1, 2), axis=0))
    if values[0] <= (1 - FULL_LEVERAGE) * values[-1]:
        return 0.0
    scaled = (vectors / np.sqrt(values)).T @ contrasts
    own, (low, core) = robust.own_jointly(scaled), robust.shared(scaled)
    shared = low @ core @ np.swapaxes(low, 1, 2)
    u = core.shape[0]
    flat = low.reshape(low.shape[0], q * u)
    products = np.swapaxes((flat.T @ flat).reshape(q, u, q, u), 1, 2)
    left = core @ products
    total = np.einsum("stuv,stvu->", left, left) + np.einsum("stuv,tsvu->", left, left)
    total += _quadratic(own + shared) - _quadratic(shared)
    return float(q * (q + 1) / total)


def times_power_of_rest(leverage: Array, directions: Array, exponent: float, right: Array) -> Array:
    """Return (I - X_j'W_j X_j)^exponent times `right` (J, p, r), without its part in directions of leverage one."""
    regular = leverage <= FULL_LEVERAGE
    power = np.where(regular, np.where(regular, 1 - leverage, 1.0) ** exponent, 0.0)
    within = np.swapaxes(directions, 1, 2) @ right
    return np.asarray(right + (directions * (power - 1)[:, None, :]) @ within)


def _under_homoscedasticity(blocks: ClusterBlocks) -> Array:
    """Return A_j = Psi_j^-1/2, shape (J, r, r), of weighted least squares with Phi_j = I."""
    x = blocks.x
    cross = x @ np.swapaxes(blocks.wx, 1, 2)
    omega = np.eye(x.shape[2]) if blocks.omega is None else blocks.omega
    psi = np.eye(x.shape[1]) - cross - np.swapaxes(cross, 1, 2) + x @ omega @ np.swapaxes(x, 1, 2)
    values, vectors = np.linalg.eigh(psi)
    regular = values > 1 - FULL_LEVERAGE
    power = np.where(regular, np.where(regular, values, 1.0) ** -0.5, 0.0)
    return np.asarray((vectors * power[:, None, :]) @ np.swapaxes(vectors, 1, 2))


def _under_the_model(blocks: ClusterBlocks, lower: Array) -> Array:
    """Return A_j = L (L'Psi_j L)^-1/2 L', shape (J, r, r), of a mixed model, with L L' = Phi_j.

    With S = I - U U', U = L^-1 X_j, the matrix in brackets is F'F for F = S^1/2 L'L. Its eigenvalues spread as the squares
    of the variances; where these are steep they are found as squared singular values of F, which keeps the digits.
    """
    lost = np.sum(blocks.leverage > FULL_LEVERAGE, axis=1)
    upper = np.swapaxes(lower, 1, 2)
    if float(np.max(np.sum(lower**2, axis=2))) < STEEP:
        psi = lower @ upper - blocks.x @ np.swapaxes(blocks.x, 1, 2)
        values, vectors = np.linalg.eigh(upper @ psi @ lower)
        root = np.sqrt(np.maximum(values, np.finfo(float).tiny))
    else:
        U = np.linalg.solve(lower, blocks.x)
        values, axes = np.linalg.eigh(np.eye(U.shape[1]) - U @ np.swapaxes(U, 1, 2))
        half = np.sqrt(np.maximum(values, 0.0))[:, :, None] * np.swapaxes(axes, 1, 2)
        _, root, rows = np.linalg.svd(half @ (upper @ lower))
        root, vectors = root[:, ::-1], np.swapaxes(rows, 1, 2)[:, :, ::-1]
    power = np.where(np.arange(root.shape[1]) < lost[:, None], 0.0, 1 / np.maximum(root, np.finfo(float).tiny))
    spread = lower @ vectors
    return np.asarray((spread * power[:, None, :]) @ np.swapaxes(spread, 1, 2))


def plain_factor(kind: Kind, J: int, n: int, p: int) -> float:
    """Return the scalar adjustment of CR0, CR1 and CR1S with J clusters, n rows and p coefficients."""
    if kind == "CR0":
        return 1.0
    if kind == "CR1":
        return float(np.sqrt(J / (J - 1)))
    return float(np.sqrt(J * (n - 1) / ((J - 1) * (n - p))))


def _quadratic(matrices: Array) -> float:
    """Return sum_j [ tr(B_j B_j) + tr(B_j)^2 ]."""
    return float(np.einsum("jst,jts->", matrices, matrices) + np.sum(np.einsum("jss->j", matrices) ** 2))
