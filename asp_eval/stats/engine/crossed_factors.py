"""Crossed factors of one random effect each: a diagonal first factor, the others by one Schur complement.

With d_1, d_B the variance ratios of the first factor and of the columns of all others, h = diag(Z_1'WZ_1), C = Z_1'WZ_B,

    v = 1 / (1 + d_1 h),   R = d_1 v,   T = Z_B'WZ_B - C'RC,   S = I + Lambda T Lambda,   Lambda = diag(sqrt(d_B))
    log |V|              = -sum log v + log |S|
    F                    = Lambda S^-1 Lambda = (D_B^-1 + T)^-1                       (no inverse of D: D may be zero)
    Z_B'V^-1 u           = t - T F t,     t = Z_B'Wu - C'R Z_1'Wu                     (u any columns: X, y)
    Z_1'V^-1 u           = v (Z_1'Wu - C F t)
    u'V^-1 u             = u'Wu - (Z_1'Wu)'R (Z_1'Wu) - t'F t

and the derivatives follow from Z_r'V^-1 Z_s and B_r = Z_r'V^-1[X y] alone:

    log |V|_r  = tr Z_r'V^-1Z_r              ([X y]'V^-1[X y])_r  = -B_r'B_r
    log |V|_rs = -|Z_r'V^-1Z_s|^2            ([X y]'V^-1[X y])_rs = B_r'(Z_r'V^-1Z_s) B_s + its transpose.

T has the places of C'C, which never change: its numbers are one sparse product with R. S is dense where the factors cross
at random, and block tridiagonal where they cross in neighbourhoods (`asp_eval.stats.engine.block_tridiagonal`). There the
whole inverse does not exist, and log |V|_rs are differences of the exact log |V|_r.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from asp_eval.stats.engine.block_tridiagonal import Blocks, factor, invert, solve
from asp_eval.stats.engine.memory import check_memory
from asp_eval.stats.engine.profile import Profile
from asp_eval.stats.engine.schur_places import SchurPlaces
from asp_eval.stats.estimate import Array

Index = npt.NDArray[np.intp]

ZERO = 1e-6
"""Ratio, over the largest number of T, below which (I - S^-1) / d has lost its digits."""
STRIP = 256
"""Rows or columns that are worked on at a time, so that no further matrix of the whole size is made."""
SPARSE = 30
"""Times the work of a dense multiplication, for each number, that one by a sparse matrix takes."""
COPIES = 8
"""Matrices of the later columns' size that the second derivatives need at most."""
DIFFERENCE = 1e-3
"""Share of a ratio, or of one over the largest number of T, by which ratios are moved where the whole inverse does not exist."""
CENTRAL = ((-2, -1, 1, 2), (1, -8, 8, -1))
FORWARD = ((0, 1, 2, 3, 4), (-25, 48, -36, 16, -3))
"""Multiples of the step, and weights over 12 steps, of differences of fourth order."""
EXTRAPOLATED = ((1, 3.0), (2, -3.0), (3, 1.0))
"""Multiples of the step, and weights, of what three ratios give for a ratio of zero."""


@dataclass(frozen=True, slots=True, eq=False)
class CrossedFactors:
    """A model of crossed factors with one effect each.

    Attributes
    ----------
    h : ndarray (m,)
        Z_1'WZ_1, the first factor's.
    first : ndarray (m, p + 1)
        Z_1'W[X y].
    C : scipy.sparse.csr_matrix (m, q)
        Z_1'WZ_B, columns in the order of `places.blocks`.
    own : ndarray (places,)
        Z_B'WZ_B at the places of T.
    later : ndarray (q, p + 1)
        Z_B'W[X y].
    root : ndarray (p + 1, p + 1)
    element : ndarray of int (q,)
        Which element of D each column belongs to: 1, 2, ...
    places : SchurPlaces
    """

    h: Array
    first: Array
    C: sp.csr_matrix
    own: Array
    later: Array
    root: Array
    element: Index
    places: SchurPlaces

    @classmethod
    def of(
        cls,
        h: Array,
        first: Array,
        C: sp.csr_matrix,
        own: sp.csr_matrix,
        later: Array,
        root: Array,
        element: Index,
        place: str = "",
    ) -> CrossedFactors:
        """Put the columns of the later factors in order; `place` is the formula, for a refusal.

        Raises
        ------
        Refusal
            FIT-055 if the inverse would need more memory than there is.
        """
        blocks = Blocks.of(abs(C.T) @ abs(C))
        check_memory(8.0 * blocks.numbers * (COPIES if blocks.count == 1 else 2), place)
        order = blocks.order
        C = C[:, order].tocsr()
        C.sort_indices()
        places = SchurPlaces.of(C, blocks)
        mine = np.asarray(own[order][:, order].tocsr()[places.rows, places.columns], float).ravel()
        return cls(h, first, C, mine, later[order], root, element[order], places)

    @property
    def order(self) -> Index:
        """The later columns' places before they were put in order."""
        return self.places.blocks.order

    def each_alone(self) -> list[tuple[Array, Array]]:
        """Return Z_r'WZ_r (m_r,) and Z_r'W[X y] (m_r, p + 1) of every factor r."""
        own = np.zeros(len(self.order))
        diagonal = self.places.rows == self.places.columns
        own[self.places.rows[diagonal]] = self.own[diagonal]
        members = [self.element == r for r in range(1, int(self.element.max()) + 1)]
        return [(self.h, self.first), *((own[mine], self.later[mine]) for mine in members)]

    def with_outcome(self, first: Array, later: Array, root: Array) -> CrossedFactors:
        """Return the model with Z'Wy of another outcome: (m,), (q,), and [X y]'W[X y] (p + 1, p + 1)."""
        one, other = self.first.copy(), self.later.copy()
        one[:, -1], other[:, -1] = first, later[self.order]
        return replace(self, first=one, later=other, root=root)

    def profile(self, d: Array, order: int = 2, *, average: bool = False) -> Profile:
        """Return the profile at the elements of D (1 + f,), with derivatives up to `order`; higher ones are zero.

        With `average` those of [X y]'V^-1[X y] are there to the second, which cost a tenth of those of log |V|.
        """
        at = Factored.of(self, d)
        s, P = len(d), self.root.shape
        log_det_1, log_det_2, S_1, S_2 = np.zeros(s), np.zeros((s, s)), np.zeros((s, *P)), np.zeros((s, s, *P))
        if at is None:
            return Profile(np.inf, log_det_1, log_det_2, self.root, S_1, S_2)
        S, first, later = at.reduced(self.first, self.later)
        S = self.root - S
        if order > 0:
            members = [(first if r == 0 else later * (self.element == r)[:, None]) for r in range(s)]
            S_1 = np.array([-(B.T @ B) for B in members])
            if order > 1 or average:
                S_2 = at.second(members)
            inverse = at.inverse()
            around = at.around_groups(inverse)
            log_det_1 = at.traces(inverse, around)
            if order > 1:
                log_det_2 = at.crossed_squares(inverse, around) if self.places.blocks.count == 1 else self._differences(d)
        return Profile(at.log_det, log_det_1, log_det_2, S, S_1, S_2)

    def _differences(self, d: Array) -> Array:
        """Return log |V|_rs as differences of the gradient, of fourth order."""
        out = np.empty((len(d), len(d)))
        least = DIFFERENCE / float(np.abs(self.own).max())
        for r, step in enumerate(np.maximum(DIFFERENCE * d, least)):
            moves, weights = CENTRAL if d[r] > 2.0 * step else FORWARD
            along = step * (np.arange(len(d)) == r)
            out[r] = sum(w * self._gradient(d + k * along) for k, w in zip(moves, weights, strict=True)) / (12.0 * step)
        return 0.5 * (out + out.T)

    def _gradient(self, d: Array) -> Array:
        """Return log |V|_r (s,)."""
        at = Factored.of(self, d)
        if at is None:
            return np.full(len(d), np.nan)
        inverse = at.inverse()
        return at.traces(inverse, at.around_groups(inverse))

    def modes(self, d: Array, v: Array) -> tuple[Array, Array]:
        """Return D Z'V^-1[X y] v: the conditional modes of the first factor (m,) and of the later columns (q,), as given."""
        at = self._factored(d)
        _, first, later = at.reduced(self.first, self.later)
        b = np.empty(len(self.order))
        b[self.order] = at.scale**2 * (later @ v)
        return d[0] * (first @ v), b

    def variances(self, d: Array) -> tuple[Array, Array]:
        """Return the conditional variances of the first factor's effects (m,) and of the later columns' (q,), over sigma^2.

        They are D - D Z'V^-1Z D = F for the later columns and R + (R C) F (R C)' for the first factor.
        """
        at = self._factored(d)
        q = len(self.order)
        inverse = at.inverse()
        out = np.empty(q)
        out[self.order] = at.scale**2 * self.places.blocks.diagonal(inverse, q)
        R = d[0] * at.v
        return R + R**2 * at.around_groups(inverse), out

    def _factored(self, d: Array) -> Factored:
        """Return the model at D, which is known to be in range."""
        at = Factored.of(self, d)
        if at is None:
            raise FloatingPointError("the covariance of the outcome is not positive definite")
        return at


@dataclass(slots=True, eq=False)
class Factored:
    """The model at one D.

    Attributes
    ----------
    model : CrossedFactors
    d : ndarray (1 + f,)
    v : ndarray (m,)
    scale : ndarray (q,)
        The diagonal of Lambda.
    T : ndarray (places,)
    store : ndarray
        The factor of S, which `inverse` replaces by S^-1.
    log_det : float
        log |V|.
    """

    model: CrossedFactors
    d: Array
    v: Array
    scale: Array
    T: Array
    store: Array
    log_det: float

    @classmethod
    def of(cls, model: CrossedFactors, d: Array) -> Factored | None:
        """Factor S, or return None where rounding leaves it indefinite."""
        places = model.places
        v = 1.0 / (1.0 + d[0] * model.h)
        T = model.own - places.schur(model.C, d[0] * v)
        scale = np.sqrt(d)[model.element]
        store = np.zeros(places.blocks.numbers)
        store[places.store] = scale[places.rows] * T * scale[places.columns]
        places.blocks.add_identity(store)
        log_det = factor(places.blocks, store)
        return None if log_det is None else cls(model, d, v, scale, T, store, log_det - float(np.log(v).sum()))

    def reduced(self, first: Array, later: Array) -> tuple[Array, Array, Array]:
        """Return u'Wu - u'V^-1u (p + 1, p + 1), Z_1'V^-1u (m, r) and Z_B'V^-1u (q, r) from Z_1'Wu and Z_B'Wu."""
        C, R = self.model.C, (self.d[0] * self.v)[:, None]
        t = later - C.T @ (R * first)
        Ft = self.scale[:, None] * solve(self.model.places.blocks, self.store, self.scale[:, None] * t)
        TFt = self.model.places.symmetric(self.T) @ Ft
        return first.T @ (R * first) + t.T @ Ft, self.v[:, None] * (first - C @ Ft), t - TFt

    def second(self, members: list[Array]) -> Array:
        """Return S_rs from B_r of every element, the first factor's (m, p + 1) and the others' (q, p + 1) with zeros."""
        model, s, P = self.model, len(members), members[0].shape[1]
        own = model.places.symmetric(model.own)
        first = np.concatenate([model.h[:, None] * members[0], *(model.C @ B for B in members[1:])], axis=1)
        later = np.concatenate([model.C.T @ members[0], *(own @ B for B in members[1:])], axis=1)
        _, one, other = self.reduced(first, later)
        out = np.empty((s, s, P, P))
        for r, B in enumerate(members):
            half = (B.T @ (one if r == 0 else other)).reshape(P, s, P).transpose(1, 0, 2)
            out[r] = half
        return np.asarray(out + out.transpose(0, 1, 3, 2))

    def inverse(self) -> Array:
        """Replace the factor of S by S^-1."""
        invert(self.model.places.blocks, self.store)
        return self.store

    def around_groups(self, inverse: Array) -> Array:
        """Return c F c' of each group's row c of C (m,)."""
        places = self.model.places
        F = self.scale[places.rows] * inverse[places.store] * self.scale[places.columns]
        return places.around(self.model.C, F)

    def traces(self, inverse: Array, around: Array) -> Array:
        """Return tr Z_r'V^-1Z_r of every element of D; `around` is that of the groups."""
        model, blocks = self.model, self.model.places.blocks
        small = self._small()
        out = np.empty(len(self.d))
        out[0] = float(model.h @ self.v) - float(self.v**2 @ around)
        diagonal = (1.0 - blocks.diagonal(inverse, len(self.scale))) / np.where(small, 1.0, self.scale) ** 2
        if small.any():
            diagonal[small] = self._small_traces(small, inverse)
        out[1:] = np.bincount(model.element, diagonal, len(self.d))[1:]
        return out

    def _small(self) -> npt.NDArray[np.bool_]:
        """Return the columns whose ratio is all but zero (q,)."""
        return np.asarray(self.scale**2 * self._largest() < ZERO)

    def _small_traces(self, small: npt.NDArray[np.bool_], inverse: Array) -> Array:
        """Return the diagonal of T - T F T in some columns, by the whole inverse or extrapolated from ratios above zero."""
        model, blocks = self.model, self.model.places.blocks
        q = len(self.scale)
        if blocks.count == 1:
            F = self.scale[:, None] * whole(inverse, q) * self.scale
            columns = self.model.places.symmetric(self.T)[:, small].toarray()
            own = columns[np.flatnonzero(small), np.arange(columns.shape[1])]
            return np.asarray(own - ((F @ columns) * columns).sum(axis=0), float)
        zero, step = self.d * self._largest() < ZERO, DIFFERENCE / self._largest()
        zero[0] = False
        found = np.zeros(int(small.sum()))
        for k, weight in EXTRAPOLATED:
            above = Factored.of(model, np.where(zero, k * step, self.d))
            if above is None:
                return np.full(len(found), np.nan)
            found += weight * (1.0 - blocks.diagonal(above.inverse(), q)[small]) / (k * step)
        return found

    def _largest(self) -> float:
        """Return the largest number of Z_B'WZ_B, which bounds those of T."""
        return float(np.abs(self.model.own).max())

    def crossed_squares(self, inverse: Array, around: Array) -> Array:
        """Return -|Z_r'V^-1Z_s|^2 of every pair of elements, from the whole inverse of a single block; as `traces`."""
        model, places, s = self.model, self.model.places, len(self.d)
        q = len(self.scale)
        F = whole(inverse, q)
        small = self._small()
        F *= self.scale
        F *= self.scale[:, None]
        KF = self._surrounded(F)
        out = np.empty((s, s))
        out[0, 0] = float(((model.h * self.v) ** 2).sum() - 2.0 * (model.h * self.v**3) @ around + np.einsum("ij,ji->", KF, KF))
        if small.any():
            TF = places.times(self.T, F)
            T = places.symmetric(self.T).toarray()
            G = T - places.times(self.T, TF.T)
            N = np.eye(q) - TF.T
            mixed = (N * self._surrounded(N)).sum(axis=0)
        else:
            mixed = np.einsum("ij,ij->j", F, KF) / self.scale**4
            G = F
            G /= -(self.scale**2)
            G /= self.scale[:, None] ** 2
            G.flat[:: q + 1] += 1.0 / self.scale**2
        out[0, 1:] = out[1:, 0] = np.bincount(model.element, mixed, s)[1:]
        G *= G
        for r in range(1, s):
            out[r, 1:] = np.bincount(model.element, (model.element == r).astype(float) @ G, s)[1:]
        return -out

    def _surrounded(self, right: Array) -> Array:
        """Return C' diag(v^2) C times a dense matrix (q, q)."""
        C, v2 = self.model.C, self.v**2
        if SPARSE * C.nnz < C.shape[1] ** 2:
            out = np.empty_like(right)
            for at in range(0, right.shape[1], STRIP):
                out[:, at : at + STRIP] = C.T @ (v2[:, None] * (C @ right[:, at : at + STRIP]))
            return out
        places = self.model.places
        return np.asarray(places.symmetric(places.schur(C, v2)).toarray() @ right, float)


def whole(inverse: Array, q: int) -> Array:
    """Return a symmetric matrix (q, q) from the lower half of a single block."""
    lower = inverse.reshape(q, q).T
    out = lower.copy(order="K")
    for at in range(0, q, STRIP):  # the upper half from the lower, without a matrix of places
        end = min(at + STRIP, q)
        out[at:end, end:] = lower[end:, at:end].T
        corner = lower[at:end, at:end]
        out[at:end, at:end] = np.tril(corner) + np.tril(corner, -1).T
    return out.T  # the same matrix, by rows
