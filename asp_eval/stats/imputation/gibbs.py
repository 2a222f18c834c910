"""The Gibbs sampler of the joint model: all institutions and all patterns at once.

One sweep draws, each given the rest and the data:

1. B and u together. In the coordinates T with T' Sigma T = I and T' Psi T = diag(lambda) the variables of an institution's
   children are independent, and u integrates out in closed form; B comes from its marginal distribution, then u given B. Slow
   mixing of arm effects and institution effects, which a sweep of B given u has, does not arise.
2. Sigma, then Psi and the scales of its prior;
3. the missing values, by pattern, and the latent variables of known categories;
4. C, and the institutions' missing values, given u.

Rows that are complete enter by their cross-products alone, formed once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from asp_eval.stats.estimate import Array
from asp_eval.stats.imputation.covariances import draw_child_covariance, draw_institution_covariance
from asp_eval.stats.imputation.joint_model import Bounds, Ints, JointModel, Level, Marks
from asp_eval.stats.imputation.unknown_cells import (
    CommonPattern,
    RarePatterns,
    draw_latent,
    draw_missing,
    inverse_factor,
    pattern_order,
)

START_VARIANCE = 0.1
SMALL = 0.01
"""A variance of institutions below this share of the children's matters to no value: convergence is not judged by it."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassRows:
    """Rows of one class of covariance: complete ones as cross-products, the others by their places in the sampler.

    Attributes
    ----------
    groups : ndarray of int
        Its institutions.
    first, last : int
        Its rows among those that are not complete.
    n : int
        All of its rows.
    XX : ndarray (p, p)
        Of all rows.
    complete_XX, complete_XY, complete_YY : ndarray
        Of the complete rows.
    patterns : tuple
    bounds : tuple of Bounds
        Both count the rows from `first`.
    """

    groups: Ints
    first: int
    last: int
    n: int
    XX: Array
    complete_XX: Array
    complete_XY: Array
    complete_YY: Array
    patterns: tuple[CommonPattern | RarePatterns, ...]
    bounds: tuple[Bounds, ...]


class Sampler:
    """One chain.

    Parameters
    ----------
    model : JointModel
    rng : Generator
        Everything the chain draws comes from it.

    Attributes
    ----------
    rows : ndarray of int
        The rows of children that are not complete, in the order of `Y`.
    Y : ndarray (rows, q)
        Their values as last drawn.
    Z : ndarray (J, r)
        The institutions' values as last drawn.
    B : ndarray (p, q)
    C : ndarray (s, r)
    u : ndarray (J, q)
    Sigma : ndarray (classes, q, q)
    Psi : ndarray (classes, q + r, q + r)
        The same for all classes, unless it is one for each.
    """

    def __init__(self, model: JointModel, rng: np.random.Generator) -> None:
        self._model, self._rng = model, rng
        children, J = model.children, model.n_groups
        q, r, A = children.Y.shape[1], model.institutions.Y.shape[1], model.n_classes
        self._classes, self.rows = _rows_of_classes(model)
        complete = np.ones(len(children.Y), bool)
        complete[self.rows] = False
        g = model.group
        self._n = np.bincount(g, minlength=J).astype(float)
        self._SX = _sums(g, J) @ children.X
        self._SXX = np.einsum("jp,jr->jpr", self._SX, self._SX).reshape(J, -1)
        whole = _sums(g[complete], J)
        self._complete_n = np.bincount(g[complete], minlength=J).astype(float)
        self._complete_SX, self._complete_SY = whole @ children.X[complete], whole @ children.Y[complete]
        self._X, self._g = children.X[self.rows], g[self.rows]
        self._sum = _sums(self._g, J)
        self.Y = _start(children, rng)[self.rows]
        self.Z = _start(model.institutions, rng)
        self._institution_order, self._institution_patterns = _institution_patterns(model)
        scatter = np.exp(rng.standard_normal(q + r))
        self.Sigma = np.tile(np.eye(q), (A, 1, 1))
        self.Psi = np.tile(START_VARIANCE * np.diag(scatter), (A, 1, 1))
        self._scales = np.ones((A if model.psi_by_class else 1, q + model.institutions.n_free))
        self.B = np.zeros((children.X.shape[1], q))
        self.u = np.zeros((J, q))
        self.C = np.zeros((model.institutions.X.shape[1], r))

    def step(self) -> None:
        """Make one sweep."""
        self._coefficients_and_effects()
        self._child_covariance()
        if self._model.institutions.Y.shape[1]:
            self._institution_values()
        self._institution_covariance()
        self._child_values()

    def state(self) -> Array:
        """Return what convergence is judged by: B, C, and the logarithms of all variances."""
        rows = np.diagonal(self.Sigma, axis1=1, axis2=2)
        groups = np.diagonal(self.Psi[: len(self._scales)], axis1=1, axis2=2)
        variances = np.log(np.concatenate((rows.ravel(), np.maximum(groups, SMALL).ravel())))
        return np.concatenate((self.B.ravel(), self.C.ravel(), variances))

    def _prior(self, a: int) -> tuple[Array, Array]:
        """Return mean (J_a, q) and covariance (q, q) of the institution effects of a class, given what else is known of them."""
        q, Psi, groups = self.u.shape[1], self.Psi[a], self._classes[a].groups
        if not self.Z.shape[1]:
            return np.zeros((len(groups), q)), Psi
        slope = np.linalg.solve(Psi[q:, q:], Psi[q:, :q])
        return self._v(groups) @ slope, Psi[:q, :q] - Psi[:q, q:] @ slope

    def _v(self, groups: Ints) -> Array:
        """Return the residuals (J_a, r) of the institutions' variables."""
        return np.asarray(self.Z[groups] - self._model.institutions.X[groups] @ self.C, float)

    def _coefficients_and_effects(self) -> None:
        p, q = self.B.shape
        SY = self._complete_SY + self._sum @ self.Y
        parts = []
        for a, own in enumerate(self._classes):
            rows, groups = slice(own.first, own.last), own.groups
            mean, Psi = self._prior(a)
            factor = np.linalg.cholesky(self.Sigma[a])
            whiten = inverse_factor(self.Sigma[a])
            size, Q = np.linalg.eigh(whiten @ Psi @ whiten.T)
            T = whiten.T @ Q
            n, SX = self._n[groups], self._SX[groups]
            size = np.maximum(size, 0.0)
            shrink = size / (1.0 + n[:, None] * size)  # (J_a, q)
            M = (own.XX.ravel() - shrink.T @ self._SXX[groups]).reshape(q, p, p)
            rest = (SY[groups] - n[:, None] * mean) @ T
            XY = own.complete_XY + self._X[rows].T @ self.Y[rows] - SX.T @ mean
            R = XY @ T - SX.T @ (shrink * rest)  # (p, q)
            parts.append((T, Q.T @ factor.T, M, R, shrink, rest, mean))
        self.B = _draw_coefficients([(T, back, M, R) for T, back, M, R, *_ in parts], self._rng)
        for own, (T, back, _, _, shrink, rest, mean) in zip(self._classes, parts, strict=True):
            SX = self._SX[own.groups]
            noise = self._rng.standard_normal(shrink.shape)
            drawn = shrink * (rest - SX @ self.B @ T) + np.sqrt(shrink) * noise
            self.u[own.groups] = mean + drawn @ back

    def _child_covariance(self) -> None:
        self._E = self.Y - self._X @ self.B - self.u[self._g]
        for a, own in enumerate(self._classes):
            E, groups = self._E[own.first : own.last], own.groups
            u, n, SX, SY = self.u[groups], self._complete_n[groups], self._complete_SX[groups], self._complete_SY[groups]
            cross = own.complete_XY.T @ self.B + SY.T @ u
            mixed = self.B.T @ (SX.T @ u)
            fitted = self.B.T @ own.complete_XX @ self.B + mixed + mixed.T + u.T @ (n[:, None] * u)
            products = E.T @ E + own.complete_YY - cross - cross.T + fitted
            self.Sigma[a] = draw_child_covariance(products, own.n, self._model.children.n_free, self._rng)

    def _institution_covariance(self) -> None:
        everyone = np.arange(self._model.n_groups)
        n_free = self.u.shape[1] + self._model.institutions.n_free
        for k in range(len(self._scales)):
            groups = self._classes[k].groups if self._model.psi_by_class else everyone
            w = np.hstack((self.u[groups], self._v(groups))) if self.Z.shape[1] else self.u[groups]
            Psi, self._scales[k] = draw_institution_covariance(w.T @ w, len(groups), n_free, self._scales[k], self._rng)
            self.Psi[k if self._model.psi_by_class else slice(None)] = Psi

    def _child_values(self) -> None:
        for a, own in enumerate(self._classes):
            rows = slice(own.first, own.last)
            W = np.linalg.inv(self.Sigma[a])
            draw_missing(self.Y[rows], self._E[rows], W, own.patterns, self._rng)
            draw_latent(self.Y[rows], self._E[rows], W, own.bounds, self._rng)

    def _institution_values(self) -> None:
        """Draw C, then the missing and latent values of institutions, given u."""
        q, level = self.u.shape[1], self._model.institutions
        parts = []
        for a, own in enumerate(self._classes):
            Psi, X = self.Psi[a], level.X[own.groups]
            slope = np.linalg.solve(Psi[:q, :q], Psi[:q, q:])
            factor = np.linalg.cholesky(Psi[q:, q:] - Psi[q:, :q] @ slope)
            T = np.linalg.inv(factor).T
            rest = self.Z[own.groups] - self.u[own.groups] @ slope
            M = np.broadcast_to(X.T @ X, (self.Z.shape[1], X.shape[1], X.shape[1]))
            parts.append((T, factor.T, M, X.T @ rest @ T))
        self.C = _draw_coefficients(parts, self._rng)
        for a in range(len(self._classes)):
            order, patterns = self._institution_order[a], self._institution_patterns[a]
            Y = np.hstack((np.zeros((len(order), q)), self.Z[order]))
            E = np.hstack((self.u[order], self._v(order)))
            W = np.linalg.inv(self.Psi[a])
            draw_missing(Y, E, W, patterns, self._rng)
            position = np.zeros(len(self.Z), np.intp)
            position[order] = np.arange(len(order))
            mine = self._model.classes == a
            draw_latent(Y, E, W, [_shifted(b.within(mine, position), q) for b in level.bounds], self._rng)
            self.Z[order] = Y[:, q:]


def _draw_coefficients(parts: list[tuple[Array, Array, Array, Array]], rng: np.random.Generator) -> Array:
    """Return a draw of coefficients (p, q) with a flat prior.

    Parameters
    ----------
    parts : list of (T, back, M, R)
        One for each class: coordinates T (q, q) and their inverse, in which column k of the coefficients has precision M[k]
        (p, p) and precision times mean R[:, k].
    rng : Generator
    """
    q, p = parts[0][2].shape[:2]
    if len(parts) == 1:
        _, back, M, R = parts[0]
        inverse = np.linalg.inv(np.linalg.cholesky(M))  # (q, p, p)
        half = np.einsum("kij,jk->ki", inverse, R) + rng.standard_normal((q, p))
        return np.asarray(np.einsum("kij,ki->jk", inverse, half) @ back, float)
    precision, weighted = np.zeros((q, q, p, p)), np.zeros((q, p))
    for T, _, M, R in parts:
        outer = (T[:, None, :] * T[None, :, :]).reshape(q * q, q)
        precision += (outer @ M.reshape(q, p * p)).reshape(q, q, p, p)
        weighted += T @ R.T
    factor = np.linalg.cholesky(precision.transpose(0, 2, 1, 3).reshape(q * p, q * p))
    half = np.linalg.solve(factor, weighted.ravel()) + rng.standard_normal(q * p)
    return np.ascontiguousarray(np.linalg.solve(factor.T, half).reshape(q, p).T)


def _sums(groups: Ints, J: int) -> sp.csr_matrix:
    """Return the matrix (J, rows) that sums rows within groups."""
    n = len(groups)
    return sp.csr_matrix((np.ones(n), (groups, np.arange(n))), (J, n))


def _rows_of_classes(model: JointModel) -> tuple[tuple[ClassRows, ...], Ints]:
    """Return the rows of each class, and all rows that are not complete, class by class and pattern by pattern."""
    level = model.children
    known, latent = level.is_known, np.zeros(level.Y.shape, bool)
    for b in level.bounds:
        latent[b.rows, b.column] = True
    drawn: Marks = np.asarray((~known | latent).any(axis=1))
    mine = model.classes[model.group]
    found, rows, first = [], [], 0
    for a in range(model.n_classes):
        active = np.flatnonzero(drawn & (mine == a))
        order, patterns = pattern_order(~known[active])
        active = active[order]
        position = np.zeros(len(drawn), np.intp)
        position[active] = np.arange(len(active))
        own, complete = mine == a, (mine == a) & ~drawn
        X, Y = level.X[complete], level.Y[complete]
        bounds = tuple(b.within(own, position) for b in level.bounds)
        found.append(
            ClassRows(
                groups=np.flatnonzero(model.classes == a),
                first=first,
                last=first + len(active),
                n=int(own.sum()),
                XX=level.X[own].T @ level.X[own],
                complete_XX=X.T @ X,
                complete_XY=X.T @ Y,
                complete_YY=Y.T @ Y,
                patterns=patterns,
                bounds=bounds,
            )
        )
        rows.append(active)
        first += len(active)
    return tuple(found), np.concatenate(rows)


def _institution_patterns(model: JointModel) -> tuple[list[Ints], list[tuple[CommonPattern | RarePatterns, ...]]]:
    """Return for each class its institutions, and the patterns of what they miss, beside their effects."""
    orders, patterns = [], []
    q, known = model.children.Y.shape[1], model.institutions.is_known
    for a in range(model.n_classes):
        groups = np.flatnonzero(model.classes == a)
        effects = np.zeros((len(groups), q), bool)
        order, found = pattern_order(np.hstack((effects, ~known[groups])))
        orders.append(groups[order])
        patterns.append(found)
    return orders, patterns


def _shifted(bounds: Bounds, by: int) -> Bounds:
    return Bounds(bounds.column + by, bounds.rows, bounds.low, bounds.high)


def _start(level: Level, rng: np.random.Generator) -> Array:
    """Return the variables with a first guess of what is unknown: standard normal values, inside the bounds."""
    out = np.where(np.isnan(level.Y), rng.standard_normal(level.Y.shape), level.Y)
    for b in level.bounds:
        out[b.rows, b.column] = np.clip(out[b.rows, b.column], np.maximum(b.low, -9.0), np.minimum(b.high, 9.0))
    return out
