"""The covariance parameters: theta in the Cholesky factors, D = Lambda Lambda' in units of sigma^2.

theta holds the lower triangles of the blocks of Lambda (Bates et al. 2015, eq. 4); every element of D is a quadratic
form in theta, D_r = theta' Q_r theta / 2, so derivatives pass from D to theta by

    J = dD/dtheta = Q theta,       H_theta = J' H_D J + sum_r g_r Q_r.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from asp_eval.stats.estimate import Array


@dataclass(frozen=True, slots=True)
class Element:
    """One free element of D: row >= column within a block of a factor.

    Attributes
    ----------
    factor, block : int
        In the order of elimination, and within the factor.
    row, column : int
        Among the factor's effects.
    """

    factor: int
    block: int
    row: int
    column: int


@dataclass(frozen=True, slots=True, eq=False)
class CovarianceShape:
    """Which elements of D are free.

    Attributes
    ----------
    sizes : tuple of int
        Number of effects k of each factor.
    elements : tuple of Element, length s
    Q : ndarray (s, s, s)
        D_r = theta' Q_r theta / 2.
    """

    sizes: tuple[int, ...]
    elements: tuple[Element, ...]
    Q: Array

    @classmethod
    @lru_cache(maxsize=64)
    def of(cls, blocks: tuple[tuple[int, ...], ...]) -> CovarianceShape:
        """Return the shape of factors given the sizes of their blocks."""
        elements: list[Element] = []
        for f, sizes in enumerate(blocks):
            start = 0
            for b, size in enumerate(sizes):
                elements += [Element(f, b, start + i, start + j) for j in range(size) for i in range(j, size)]
                start += size
        s = len(elements)
        Q = np.zeros((s, s, s))
        where = {(e.factor, e.row, e.column): r for r, e in enumerate(elements)}
        for t, left in enumerate(elements):
            for u, right in enumerate(elements):
                if (left.factor, left.block, left.column) == (right.factor, right.block, right.column):
                    r = where[left.factor, max(left.row, right.row), min(left.row, right.row)]
                    Q[r, t, u] = 2.0 if left.row == right.row else 1.0
        Q.setflags(write=False)  # models of one shape share it
        return cls(tuple(sum(b) for b in blocks), tuple(elements), Q)

    @property
    def diagonal(self) -> tuple[int, ...]:
        """Positions in theta (and in D) of the diagonal elements."""
        return tuple(r for r, e in enumerate(self.elements) if e.row == e.column)

    def d(self, theta: Array) -> Array:
        """Return the elements of D (s,)."""
        return np.asarray(0.5 * (self.Q @ theta) @ theta, float)

    def matrix(self, factor: int, values: Array) -> Array:
        """Return the symmetric matrix D_f (k, k) of elements (s,)."""
        out = np.zeros((self.sizes[factor],) * 2)
        for e, v in zip(self.elements, values, strict=True):
            if e.factor == factor:
                out[e.row, e.column] = out[e.column, e.row] = v
        return out

    def is_definite(self, values: Array) -> bool:
        """Whether every D_f of elements (s,) is positive definite beyond rounding."""
        for f in range(len(self.sizes)):
            own = np.linalg.eigvalsh(self.matrix(f, values))
            if not own[0] > 1e-8 * max(own[-1], 1e-8):
                return False
        return True

    def direction(self, r: int) -> Array:
        """Return dD_f/dD_r (k, k) for the factor of element r."""
        return self.matrix(self.elements[r].factor, np.eye(len(self.elements))[r])

    def theta(self, d: Array) -> Array:
        """Return a theta with Lambda Lambda' = D; D may be singular."""
        out = np.zeros(len(self.elements))
        for factor in range(len(self.sizes)):
            L = semidefinite_cholesky(self.matrix(factor, d))
            for r, e in enumerate(self.elements):
                if e.factor == factor:
                    out[r] = L[e.row, e.column]
        return out

    def identity(self, scale: float) -> Array:
        """Return the theta of Lambda = scale * I."""
        return np.array([scale if e.row == e.column else 0.0 for e in self.elements])

    def slope(self, theta: Array, gradient: Array) -> Array:
        """Return the gradient in theta from the one in D."""
        return np.asarray((self.Q @ theta).T @ gradient)

    def pull_back(self, theta: Array, gradient: Array, hessian: Array) -> tuple[Array, Array]:
        """Return gradient and Hessian in theta from those in D."""
        J = self.Q @ theta
        return J.T @ gradient, J.T @ hessian @ J + np.einsum("r,rtu->tu", gradient, self.Q)

    def least_eigenvalues(self, gradient: Array) -> list[tuple[int, Array, float]]:
        """Return for each block the smallest eigenvalue of the gradient in D as a matrix, with its eigenvector.

        At a minimum over positive semidefinite D the gradient of every block is positive semidefinite.
        """
        out = []
        halved = np.array([g if e.row == e.column else 0.5 * g for g, e in zip(gradient, self.elements, strict=True)])
        for factor, block in dict.fromkeys((e.factor, e.block) for e in self.elements):
            rows = sorted({e.row for e in self.elements if (e.factor, e.block) == (factor, block)})
            values, vectors = np.linalg.eigh(self.matrix(factor, halved)[np.ix_(rows, rows)])
            vector = np.zeros(self.sizes[factor])
            vector[rows] = vectors[:, 0]
            out.append((factor, vector, float(values[0])))
        return out

    def elements_of(self, matrices: list[Array]) -> Array:
        """Return the elements (s,) of matrices D_f."""
        return np.array([matrices[e.factor][e.row, e.column] for e in self.elements])


def semidefinite_cholesky(a: Array) -> Array:
    """Return lower triangular L with non-negative diagonal and L L' = a, for a positive semidefinite matrix."""
    L = np.zeros_like(a)
    for j in range(len(a)):
        rest = a[j, j] - L[j, :j] @ L[j, :j]
        if rest <= 1e-14 * max(a[j, j], 1e-300):
            continue
        L[j, j] = np.sqrt(rest)
        L[j + 1 :, j] = (a[j + 1 :, j] - L[j + 1 :, :j] @ L[j, :j]) / L[j, j]
    return L
