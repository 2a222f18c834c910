"""Cluster-robust matrices of nested random effects from cross-products alone, in time linear in the groups.

A cluster is a group of the outermost factor, its working covariance Phi = I + Z D Z' (rows scaled to one variance). All that
`asp_eval.stats.smallsample.sandwich` needs of E = X'Phi^-1 A are p-by-p matrices, E X, E Phi E' and E e, and they follow from

    F(c) = [X e]'(c I + Z D Z')^-1 [X e],

the likelihood's own nested elimination with D / c. With M = I, H = X'Phi^-1 X and Psi = Phi - X X':

CR0, CR1, CR1S   E = a X'Phi^-1 for a number a
CR3              E = (I - H)^-1 X'Phi^-1
CR2              A is the geometric mean of Phi and Psi^-1, so E = X'(Psi Phi)^-1/2, and E Phi E' = H + (E X)(E X)'

For CR2, x^-1/2 = sum_i w_i / (x + t_i^2) (`inverse_root`), and with G = (Phi^2 + t^2)^-1, g = X'G[X e], h = X'Phi G[X e],

    X'(Psi Phi + t^2)^-1 [X e] = g + g_X (I - h_X)^-1 h          (Woodbury: Psi Phi = Phi^2 - X X'Phi)
    F(1 - i t) = h + i t g.

The eigenvalues of Psi Phi lie between 1 - the largest leverage and the square of Phi's largest eigenvalue. Where a cluster alone
determines a coefficient the inverse root does not exist, and the pseudo-rows of `cluster_blocks` are used instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.inverse_root import inverse_root_rule
from asp_eval.stats.smallsample.sandwich import Kind, plain_factor, times_power_of_rest

Complex = npt.NDArray[np.complex128]
Index = npt.NDArray[np.intp]

NEAR_ONE = 1 - 1e-5
"""Above this leverage the pseudo-rows are used."""
STEEP = 1e4
"""Above this bound of Phi's eigenvalues (residual variance = 1), differences of cross-products have lost too many digits."""
AT_ONCE = 10**6
"""Complex numbers held per array: nodes are taken so many at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class NestedStage:
    """One grouping factor, its groups sorted by the groups of the next one that hold them.

    Attributes
    ----------
    D : ndarray, shape (k, k)
        Covariance of its effects over the residual variance.
    products : ndarray, shape (m, k, k + later + p + 1)
        Z'[Z, Z of later stages, X, e] within its groups.
    starts : ndarray, shape (groups of the next stage,), or None
        Where those groups begin; None for the last stage, whose groups are the clusters.
    """

    D: Array
    products: Array
    starts: Index | None

    @property
    def groups(self) -> int:
        """How many."""
        return len(self.products)

    @property
    def width(self) -> int:
        """Columns of the products."""
        return int(self.products.shape[2])

    def lost(self, c: Complex, before: Complex) -> Complex:
        """Return what the cross-products of later stages lose, within the groups of the next one.

        Parameters
        ----------
        c : ndarray, shape (N, 1)
        before : ndarray, shape (N, m, k + w, k + w)
            What all of these lost to the stages before.
        """
        k = len(self.D)
        products = self.products - before[..., :k, :]
        C = products[..., k:]
        change = C.swapaxes(-1, -2) @ (_inverse_of_sum(self.D, products[..., :k], c) @ C)
        return _to_parents(change + before[..., k:, k:], self.starts)


@dataclass(frozen=True, slots=True, eq=False)
class NestedClusters:
    """The clusters of nested random effects by their cross-products.

    Attributes
    ----------
    stages : tuple of NestedStage
        From the innermost factor to the outermost.
    root : ndarray, shape (J, p + 1, p + 1)
        [X e]'[X e] within clusters.
    back : ndarray, shape (p, p)
        From coefficients of these columns to those of the fitted model.
    n_obs : int
    """

    stages: tuple[NestedStage, ...]
    root: Array
    back: Array
    n_obs: int


@dataclass(frozen=True, slots=True, eq=False)
class ProductSandwich:
    """A cluster-robust covariance by its p-by-p matrices, in the basis in which M is the identity.

    Attributes
    ----------
    back : ndarray, shape (p, p)
        To coefficients of the fitted model.
    scores : ndarray, shape (J, p)
        E_j e_j.
    cross : ndarray, shape (J, p, p)
        E_j X_j.
    spread : ndarray, shape (J, p, p)
        E_j Phi_j E_j'.
    leverage, directions : ndarray, shape (J, p) and (J, p, p)
        Eigenvalues and eigenvectors of X_j'W_j X_j.
    """

    back: Array
    scores: Array
    cross: Array
    spread: Array
    leverage: Array
    directions: Array

    def covariance(self) -> Array:
        """Return V (p, p), for the coefficients of the fitted model."""
        scores = self.scores @ self.back.T
        return np.asarray(scores.T @ scores)

    def own(self, contrasts: Array) -> Array:
        """Return d_j of every contrast (J, m)."""
        c = contrasts @ self.back
        return np.asarray(np.sum((c @ self.spread) * c, axis=-1))

    def own_jointly(self, contrasts: Array) -> Array:
        """Return d_j of all contrasts together (J, m, m)."""
        c = contrasts @ self.back
        return np.asarray(c @ self.spread @ c.T)

    def shared(self, contrasts: Array) -> tuple[Array, Array]:
        """Return l_j (J, m, p) and C (p, p)."""
        return contrasts @ self.back @ self.cross, -np.eye(len(self.back))


Stages = tuple["NestedStage | _Alike", ...]


def nested_sandwich(clusters: NestedClusters, kind: Kind) -> ProductSandwich | None:
    """Return one kind of cluster-robust covariance, or None where it needs pseudo-rows."""
    p = len(clusters.back)
    largest = 1.0 + sum(_largest(stage) for stage in clusters.stages)
    if largest > STEEP:
        return None
    stages = _collapsed(clusters.stages)
    plain = _resolvents(stages, clusters.root, np.ones(1, complex)).real[0]
    orthonormal = np.linalg.inv(np.linalg.cholesky(plain[:, :p, :p].sum(axis=0))).T
    basis = np.eye(p + 1)
    basis[:p, :p] = orthonormal
    plain = basis.T @ plain @ basis
    H = (plain[:, :p, :p] + plain[:, :p, :p].swapaxes(1, 2)) / 2
    leverage, directions = np.linalg.eigh(H)
    if kind == "CR2":
        found = _bias_reduced(clusters.root, stages, basis, largest, float(leverage.max()))
        if found is None:
            return None
        spread = H + found[:, :, :p] @ found[:, :, :p].swapaxes(1, 2)
    elif kind == "CR3":
        found = times_power_of_rest(leverage, directions, -1.0, plain[:, :p])
        spread = times_power_of_rest(leverage, directions, -1.0, found[:, :, :p].swapaxes(1, 2))
    else:
        number = plain_factor(kind, len(H), clusters.n_obs, p)
        found, spread = number * plain[:, :p], number**2 * H
    cross, scores = found[:, :, :p], found[:, :, p]
    return ProductSandwich(clusters.back @ orthonormal, scores, cross, spread, leverage, directions)


def _bias_reduced(root: Array, stages: Stages, basis: Array, largest: float, leverage: float) -> Array | None:
    """Return X'(Psi Phi)^-1/2 [X e] of every cluster (J, p, p + 1), or None where it does not exist or would lose digits."""
    p, least = len(basis) - 1, 1.0 - leverage
    if leverage > NEAR_ONE:
        return None
    nodes, weights = inverse_root_rule(2.0 ** np.ceil(np.log2(largest**2 / least)))
    nodes, weights = nodes * np.sqrt(least), weights * np.sqrt(least)
    out = np.zeros((len(root), p, p + 1))
    step = max(1, AT_ONCE // max(stage.groups * stage.width**2 for stage in stages))
    for at in range(0, len(nodes), step):
        t, w = nodes[at : at + step, None, None, None], weights[at : at + step, None, None, None]
        F = basis.T @ _resolvents(stages, root, 1 - 1j * t[:, 0, 0, 0]) @ basis
        g, h = F.imag[:, :, :p] / t, F.real[:, :, :p]
        rest = np.linalg.solve(np.eye(p) - h[..., :p], h)
        out += np.sum(w * (g + g[..., :p] @ rest), axis=0)
    return out


def _largest(stage: NestedStage) -> float:
    """Return a bound of the eigenvalues of Z D Z'."""
    own = stage.products[:, :, : len(stage.D)]
    return float(np.trace(own, axis1=1, axis2=2).max() * np.linalg.eigvalsh(stage.D)[-1])


@dataclass(frozen=True, slots=True, eq=False)
class _Alike:
    """Innermost groups of one effect; those with the same Z'Z within the same group of the next factor are taken together.

    Attributes
    ----------
    d : float
    h : ndarray, shape (u,)
        Z'Z.
    squares : ndarray, shape (u, w, w)
        Sums of C'C, C = Z'[Z of later stages, X, e].
    starts : ndarray of int
        Where the groups of the next stage begin.
    """

    d: float
    h: Array
    squares: Array
    starts: Index

    @property
    def groups(self) -> int:
        """How many that differ."""
        return len(self.h)

    @property
    def width(self) -> int:
        """Columns of the products of what comes later."""
        return int(self.squares.shape[2])

    def lost(self, c: Complex, before: Complex) -> Complex:
        """Return what the cross-products of later stages lose, within the groups of the next one."""
        del before  # nothing comes before the innermost
        ratio = self.d / (c + self.d * self.h)
        return _to_parents(ratio[..., None, None] * self.squares, self.starts)


def _collapsed(stages: tuple[NestedStage, ...]) -> Stages:
    """Return the stages, the first one as `_Alike` where its groups have one effect and lie within others."""
    first = stages[0]
    if len(first.D) > 1 or first.starts is None:
        return stages
    h, C, m = first.products[:, 0, 0], first.products[:, 0, 1:], len(first.products)
    owner = np.repeat(np.arange(len(first.starts)), np.diff(first.starts, append=m))
    order = np.lexsort((h, owner))
    h, C, owner = h[order], C[order], owner[order]
    runs = np.flatnonzero(np.append(True, (np.diff(owner) > 0) | (np.diff(h) > 0)))
    squares = np.add.reduceat(C[:, :, None] * C[:, None, :], runs, axis=0)
    alike = _Alike(float(first.D[0, 0]), h[runs], squares, np.flatnonzero(np.diff(owner[runs], prepend=-1)))
    return (alike, *stages[1:])


def _resolvents(stages: Stages, root: Array, c: Complex) -> Complex:
    """Return [X e]'(c I + Z D Z')^-1 [X e] within clusters, for every number c (N,): (N, J, p + 1, p + 1)."""
    c = c[:, None]
    width = stages[0].width
    lost: Complex = np.zeros((1, 1, width, width), complex)
    for stage in stages:
        lost = stage.lost(c, lost)
    return np.asarray((root - lost) / c[..., None, None])


def _to_parents(values: Complex, starts: Index | None) -> Complex:
    """Return sums over the groups of a stage within those of the next (N, m, w, w)."""
    if starts is None or len(starts) == values.shape[1]:
        return values
    return np.asarray(np.add.reduceat(values, starts, axis=1))


def _inverse_of_sum(D: Array, H: Complex, c: Complex) -> Complex:
    """Return (c D^-1 + H)^-1 = (c I + D H)^-1 D for every group; D may be singular."""
    if len(D) == 1:
        return np.asarray(D / (c[..., None, None] + D * H))
    return np.asarray(np.linalg.solve(c[..., None, None] * np.eye(len(D)) + D @ H, D.astype(complex)))
