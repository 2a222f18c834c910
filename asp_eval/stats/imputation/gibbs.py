"""The Gibbs sampler of the joint model: several chains side by side, all institutions and all patterns at once.

One sweep draws, each given the rest and the data:

1. B and u together. In the coordinates T with T' Sigma T = I and T' Psi T = diag(lambda) the variables of an institution's
   children are independent, and u integrates out in closed form; B comes from its marginal distribution, then u given B. Slow
   mixing of arm effects and institution effects, which a sweep of B given u has, does not arise.
2. C, and the institutions' missing values, given u;
3. Psi; then u and Psi stretched together (`covariances.draw_stretch`), so that small variances between institutions mix; then the
   scales of Psi's prior;
4. Sigma;
5. the missing values, by pattern, and the latent variables of known categories.

Rows that are complete enter by their cross-products alone, formed once (`fixed_sums`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack

from asp_eval.stats.estimate import Array
from asp_eval.stats.imputation.covariances import (
    NU,
    bartlett_shapes,
    category_normals,
    child_df,
    draw_child_covariance,
    draw_institution_covariance,
    draw_scales,
    draw_stretch,
    institution_df,
)
from asp_eval.stats.imputation.fixed_sums import fixed_sums
from asp_eval.stats.imputation.joint_model import JointModel, Level
from asp_eval.stats.imputation.random_numbers import RandomNumbers
from asp_eval.stats.imputation.unknown_cells import draw_latent, draw_missing

START_VARIANCE = 0.1
SMALL = 0.01
"""A variance of institutions below this share of the children's matters to no value: convergence is not judged by it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Coordinates:
    """Coordinates of one class in which variables are independent, and what B and u depend on in them.

    T, back (C, q, q): to them and back; M (C, q, p, p), R (C, p, q): precision of the columns of B, and that times their mean;
    shrink (C, J_a, q): lambda / (1 + n lambda); rest (C, J_a, q): sums of Y less n times the mean of u; mean: that, or zero.
    """

    T: Array
    back: Array
    M: Array
    R: Array
    shrink: Array
    rest: Array
    mean: Array | float


class Sampler:
    """C chains.

    Parameters
    ----------
    model : JointModel
    streams : sequence of Generator
        Everything a chain draws comes from its own.

    Attributes
    ----------
    fixed : FixedSums
        The order of rows and institutions.
    Y : ndarray (C, rows, q)
        Values of the rows that are not complete, as last drawn.
    Z : ndarray (C, J, r)
        Values of institutions as last drawn.
    B : ndarray (C, p, q)
    C : ndarray (C, s, r)
    u : ndarray (C, J, q)
    Sigma : ndarray (C, classes, q, q)
    Psi : ndarray (C, k, q + r, q + r)
        One for all classes (k = 1), or one for each; class a has that at `_psi_of[a]`.
    """

    def __init__(self, model: JointModel, streams: Sequence[np.random.Generator]) -> None:
        self.fixed = fixed_sums(model)
        children, J, n = model.children, model.n_groups, len(streams)
        q, r, A = children.Y.shape[1], model.institutions.Y.shape[1], model.n_classes
        k = A if model.psi_by_class else 1
        self._psi_of = np.arange(A) if model.psi_by_class else np.zeros(A, np.intp)
        self._q, self._f, self._F = q, children.n_free, q + model.institutions.n_free
        self._splits = np.cumsum([A * self._f, k * self._F, k * self._F])
        self.numbers = RandomNumbers(streams, self._gamma_shapes(k))
        self._sum = self.fixed.summed(n)
        self.Y = _start(children, self.numbers).take(self.fixed.rows, axis=1)
        self.Z = _start(model.institutions, self.numbers).take(self.fixed.institutions, axis=1)
        scatter = np.exp(self.numbers.normal(q + r))
        self.Sigma = np.tile(np.eye(q), (n, A, 1, 1))
        self.Psi = START_VARIANCE * np.tile((scatter[:, :, None] * np.eye(q + r))[:, None], (1, k, 1, 1))
        self._scales = np.ones((n, k, self._F))
        self.B = np.zeros((n, children.X.shape[1], q))
        self.u = np.zeros((n, J, q))
        self.C = np.zeros((n, self.fixed.W.shape[1], r))

    def _gamma_shapes(self, k: int) -> Array:
        """Return the shapes of the gamma numbers of a sweep: of Sigma, of Psi, of the scales, of the stretch."""
        f, F = self._f, self._F
        sizes = [own.groups.stop - own.groups.start for own in self.fixed.classes]
        J = sizes if k > 1 else [sum(sizes)]
        return np.concatenate(
            [
                *(bartlett_shapes(child_df(own.n, f), f) for own in self.fixed.classes),
                *(bartlett_shapes(institution_df(j, F), F) for j in J),
                np.full(len(J) * (F + self._q), (NU + F) / 2),
            ]
        )

    def step(self) -> None:
        """Make one sweep."""
        of_sigma, of_psi, of_scales, of_stretch = np.split(self.numbers.gammas(), self._splits, axis=1)
        if self._q:
            self._coefficients_and_effects()
        if self.Z.shape[2]:
            self._institution_values()
        self._institution_covariance(of_psi, of_scales, of_stretch)
        if self._q:
            self._child_covariance(of_sigma)
            self._child_values()

    def state(self) -> Array:
        """Return what convergence is judged by (C, k): B, C, and all variances; those of institutions at least `SMALL`."""
        rows = np.diagonal(self.Sigma, axis1=2, axis2=3)
        groups = np.maximum(np.diagonal(self.Psi, axis1=2, axis2=3), SMALL)
        n = len(self.B)
        return np.concatenate([part.reshape(n, -1) for part in (self.B, self.C, rows, groups)], axis=1)

    def _coefficients_and_effects(self) -> None:
        self._SY = self.fixed.complete_Y + (self._sum @ self.Y.reshape(-1, self._q)).reshape(self.u.shape)
        factor = np.linalg.cholesky(self.Sigma)
        whiten = np.linalg.inv(factor)
        q, slope = self._q, None
        Psi = self.Psi[..., :q, :q]
        if self.Z.shape[2]:
            slope = np.linalg.solve(self.Psi[..., q:, q:], self.Psi[..., q:, :q])
            Psi = Psi - self.Psi[..., :q, q:] @ slope
        size, Q = np.linalg.eigh(whiten @ Psi @ whiten.swapaxes(2, 3))
        size, Q_t = np.maximum(size, 0.0), Q.swapaxes(2, 3)
        T, back = whiten.swapaxes(2, 3) @ Q, Q_t @ factor.swapaxes(2, 3)
        means = None if slope is None else self._v()
        self._T = T
        parts = []
        for a, own in enumerate(self.fixed.classes):
            mean = 0.0 if means is None or slope is None else means[:, own.groups] @ slope[:, self._psi_of[a]]
            parts.append(self._coordinates(a, T[:, a], back[:, a], size[:, a], mean))
        self.B = _draw_coefficients([(one.T, one.back, one.M, one.R) for one in parts], self.numbers)
        for own, one in zip(self.fixed.classes, parts, strict=True):
            noise = self.numbers.normal(*one.shrink.shape[1:])
            drawn = one.shrink * (one.rest - own.SX @ (self.B @ one.T)) + np.sqrt(one.shrink) * noise
            self.u[:, own.groups] = one.mean + drawn @ one.back

    def _coordinates(self, a: int, T: Array, back: Array, size: Array, mean: Array | float) -> _Coordinates:
        own, q = self.fixed.classes[a], self._q
        p = own.SX.shape[1]
        shrink = size[:, None] / (1.0 + own.sizes * size[:, None])
        M = (own.XX.ravel() - shrink.swapaxes(1, 2) @ own.SXX).reshape(-1, q, p, p)
        rest = (self._SY[:, own.groups] - own.sizes * mean) @ T
        XY = own.complete_products[q:, :q] + self.fixed.X[own.rows].T @ self.Y[:, own.rows]
        if not isinstance(mean, float):
            XY = XY - own.SX.T @ mean
        return _Coordinates(T, back, M, XY @ T - own.SX.T @ (shrink * rest), shrink, rest, mean)

    def _v(self) -> Array:
        """Return the residuals (C, J, r) of the institutions' variables."""
        return np.asarray(self.Z - self.fixed.W @ self.C, float)

    def _institution_covariance(self, of_psi: Array, of_scales: Array, of_stretch: Array) -> None:
        n, k, Q = self.Psi.shape[:3]
        f, q = self._F, self._q
        w = np.concatenate((self.u, self._v()), axis=2) if q < Q else self.u
        parts = [own.groups for own in self.fixed.classes] if k > 1 else [slice(None)]
        products = np.stack([w[:, groups].swapaxes(1, 2) @ w[:, groups] for groups in parts], axis=1)
        normals, more = self.numbers.normal(k, f, f), self.numbers.normal(k, category_normals(f, Q))
        self.Psi = draw_institution_covariance(products, self._scales, of_psi.reshape(n, k, f), normals, more)
        precision = np.diagonal(np.linalg.inv(self.Psi[..., :f, :f]), axis1=2, axis2=3)
        if q and f == Q:  # categories of institutions have variance 1, which no stretch leaves as it is
            precision = self._stretch(precision, of_stretch.reshape(n, k, q))
        self._scales = draw_scales(precision, of_scales.reshape(n, k, f))

    def _stretch(self, precision: Array, gammas: Array) -> Array:
        """Stretch u and Psi together; return the diagonal of the inverse of Psi."""
        n, k, q = gammas.shape
        K, b = np.zeros((n, k, q, q)), np.zeros((n, k, q))
        left = self._SY - np.concatenate([own.SX @ self.B for own in self.fixed.classes], axis=1)
        for a, own in enumerate(self.fixed.classes):
            u, W = self.u[:, own.groups], self._T[:, a] @ self._T[:, a].swapaxes(1, 2)
            at = self._psi_of[a]
            K[:, at] += W * (u.swapaxes(1, 2) @ (own.sizes * u))
            b[:, at] += ((left[:, own.groups] @ W) * u).sum(1)
        d = draw_stretch(precision[..., :q], K, b, gammas, self.numbers.normal(k, q))
        for a, own in enumerate(self.fixed.classes):
            self.u[:, own.groups] *= d[:, None, self._psi_of[a]]
        d = np.concatenate((d, np.ones((n, k, precision.shape[2] - q))), axis=2)
        self.Psi = self.Psi * d[..., :, None] * d[..., None, :]
        return np.asarray(precision / d**2, float)

    def _child_covariance(self, gammas: Array) -> None:
        fixed, q, f = self.fixed, self._q, self._f
        self._E = self.Y - fixed.X @ self.B - self.u.take(fixed.group, axis=1)
        n, A = self.Sigma.shape[:2]
        unit = np.concatenate((np.broadcast_to(np.eye(q), (n, q, q)), -self.B), axis=1)  # [Y X] to Y - X B
        products = np.empty((n, A, q, q))
        for a, own in enumerate(fixed.classes):
            E, u = self._E[:, own.rows], self.u[:, own.groups]
            mixed = u.swapaxes(1, 2) @ (own.complete_sums @ unit - 0.5 * own.complete_sizes * u)
            complete = unit.swapaxes(1, 2) @ (own.complete_products @ unit)
            products[:, a] = E.swapaxes(1, 2) @ E + complete - mixed - mixed.swapaxes(1, 2)
        normals, more = self.numbers.normal(A, f, f), self.numbers.normal(A, category_normals(f, q))
        self.Sigma = draw_child_covariance(products, gammas.reshape(n, A, f), normals, more)

    def _child_values(self) -> None:
        W = np.asarray(np.linalg.inv(self.Sigma), float)
        draw_missing(self.Y, self._E, W, self.fixed.patterns, self.numbers)
        for a, own in enumerate(self.fixed.classes):
            draw_latent(self.Y[:, own.rows], self._E[:, own.rows], W[:, a], own.bounds, self.numbers)

    def _institution_values(self) -> None:
        """Draw C, then the missing and latent values of institutions, given u."""
        q, fixed = self._q, self.fixed
        r, s = self.Z.shape[2], fixed.W.shape[1]
        parts = []
        for a, own in enumerate(fixed.classes):
            Psi, W = self.Psi[:, self._psi_of[a]], fixed.W[own.groups]
            slope = np.linalg.solve(Psi[:, :q, :q], Psi[:, :q, q:])
            factor = np.linalg.cholesky(Psi[:, q:, q:] - Psi[:, q:, :q] @ slope)
            T = np.asarray(np.linalg.inv(factor).swapaxes(1, 2), float)
            rest = self.Z[:, own.groups] - self.u[:, own.groups] @ slope
            M, R = np.broadcast_to(own.WW, (len(T), r, s, s)), np.asarray(W.T @ rest @ T, float)
            parts.append((T, np.asarray(factor.swapaxes(1, 2), float), M, R))
        self.C = _draw_coefficients(parts, self.numbers)
        order = fixed.institution_rows
        E = np.concatenate((self.u, self._v()), axis=2).take(order, axis=1)
        Y = np.concatenate((np.zeros(self.u.shape), self.Z), axis=2).take(order, axis=1)
        W = np.asarray(np.linalg.inv(self.Psi), float)
        every = W.take(self._psi_of, axis=1)
        draw_missing(Y, E, every, fixed.institution_patterns, self.numbers)
        for a, (rows, bounds) in enumerate(fixed.institution_bounds):
            draw_latent(Y[:, rows], E[:, rows], every[:, a], bounds, self.numbers)
        self.Z[:, order] = Y[:, :, q:]


def _draw_coefficients(parts: Sequence[tuple[Array, Array, Array, Array]], numbers: RandomNumbers) -> Array:
    """Return draws of coefficients (C, p, q) with a flat prior.

    Parameters
    ----------
    parts : sequence of (T, back, M, R)
        One for each class: coordinates T (C, q, q) and their inverse, in which column k of the coefficients has precision M[:, k]
        (p, p) and precision times mean R[:, :, k].
    numbers : RandomNumbers
    """
    C, q, p = parts[0][2].shape[:3]
    noise = numbers.normal(q, p)
    if len(parts) == 1:
        _, back, M, R = parts[0]
        given = R.swapaxes(1, 2) + (np.linalg.cholesky(M) @ noise[..., None])[..., 0]
        return np.asarray(np.linalg.solve(M, given[..., None])[..., 0].swapaxes(1, 2) @ back, float)
    precision, weighted = np.zeros((C, q * q, p * p)), np.zeros((C, q, p))
    for T, _, M, R in parts:
        outer = (T[:, :, None, :] * T[:, None, :, :]).reshape(C, q * q, q)
        precision += outer @ M.reshape(C, q, p * p)
        weighted += T @ R.swapaxes(1, 2)
    factors = np.linalg.cholesky(precision.reshape(C, q, q, p, p).swapaxes(2, 3).reshape(C, q * p, q * p))
    given = weighted.reshape(C, -1) + (factors @ noise.reshape(C, -1, 1))[..., 0]
    found = [lapack.dpotrs(factor.T, own, lower=0)[0] for factor, own in zip(factors, given, strict=True)]
    return np.ascontiguousarray(np.array(found).reshape(C, q, p).swapaxes(1, 2))


def _start(level: Level, numbers: RandomNumbers) -> Array:
    """Return the variables (C, n, q) with a first guess of what is unknown: standard normal values, inside the bounds."""
    out = np.where(np.isnan(level.Y), numbers.normal(*level.Y.shape), level.Y)
    for b in level.bounds:
        out[:, b.rows, b.column] = np.clip(out[:, b.rows, b.column], np.maximum(b.low, -9.0), np.minimum(b.high, 9.0))
    return out
