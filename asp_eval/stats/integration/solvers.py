"""Systems with I + L'Z'WZL, the penalised information of all random effects together.

Both solvers see the model through its cells: each brings a K by K matrix H, its share of L'Z'WZL, for the K effects that
act in it. They answer with the log determinant, with solutions, and with the block of the inverse that belongs to each
cell's own effects. `Nested` eliminates groups from the inside out, all groups of a level in one batch, and knows no
other cost than their number. `Crossed` eliminates the factor with the most groups and factors what is left densely
(Bates, Maechler, Bolker & Walker 2015, J Stat Soft 67:1, sec. 3; MixedModels.jl orders the blocks in this way).

Effects of a whole model are a list with an array (m, k) per factor; those of cells are one array (C, K).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import linalg, sparse

from asp_eval.core.errors import Fault
from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.cells import Cells, Factor, Index

TOO_LARGE = Fault(
    "FIT-080",
    "the crossed grouping factors are too large to be solved together",
    "Leave a factor out, or fit a part of the data.",
)
MOST_ENTRIES = 60_000_000
"""Numbers that the dense part of a crossed model may hold: 480 MB."""

Effects = list[Array]


class Solved(Protocol):
    """A factored system."""

    @property
    def log_determinant(self) -> float: ...  # noqa: D102

    def solve(self, right: Effects) -> Effects: ...  # noqa: D102

    def own_inverse(self) -> Array: ...  # noqa: D102


class Solver(Protocol):
    """A way to factor the systems of one model.

    `top` is the group that every cell's solution is independent of all others from: the outermost factor's group for
    nested factors, one for all for crossed ones.
    """

    top: Index
    n_top: int

    def collect(self, cells: Array) -> Effects: ...  # noqa: D102

    def gather(self, effects: Effects) -> Array: ...  # noqa: D102

    def factor(self, H: Array) -> Solved: ...  # noqa: D102


def choose_solver(factors: Sequence[Factor], cells: Cells) -> Nested | Crossed:
    """Return the solver for factors given with the most groups first."""
    parents = []
    for inner, outer in zip(cells.owners, cells.owners[1:], strict=False):
        parent = np.full(int(inner.max()) + 1, -1, np.intp)
        parent[inner] = outer
        if not bool((parent[inner] == outer).all()):
            return Crossed.of(factors, cells)
        parents.append(parent)
    if len(factors) > 1 and cells.count != factors[0].m:
        return Crossed.of(factors, cells)
    return Nested.of(factors, cells, parents)


def inverses(D: Array) -> tuple[Array, Array]:
    """Return the inverse and the log determinant of positive definite matrices (m, k, k); NaN where they are not."""
    k = D.shape[1]
    if k == 1:
        return 1.0 / D, np.log(D[:, 0, 0])
    if k == 2:
        a, b, c = D[:, 0, 0], D[:, 0, 1], D[:, 1, 1]
        det = a * c - b * b
        out = np.empty_like(D)
        out[:, 0, 0], out[:, 1, 1] = c / det, a / det
        out[:, 0, 1] = out[:, 1, 0] = -b / det
        return out, np.log(det)
    full = np.asarray(np.linalg.inv(D), float)
    return (full + full.transpose(0, 2, 1)) / 2, np.linalg.slogdet(D)[1]


@dataclass(frozen=True, slots=True, eq=False)
class Nested:
    """One factor, or factors whose groups lie inside one another.

    Attributes
    ----------
    sizes : tuple of int
        Number of effects of each factor, innermost first.
    places : tuple of ndarray of int (C or m_l,)
        Each level's groups in the order of the cells: the group's code.
    starts : tuple of ndarray of int
        First child of each group of the next level, children in the order of the cells.
    parents : tuple of ndarray of int (m_l,)
        Position, in the order of the cells, of each group's parent.
    top : ndarray of int (C,)
    n_top : int
    plain : bool
        Whether the cells are the groups of one factor in their own order.
    """

    sizes: tuple[int, ...]
    places: tuple[Index, ...]
    starts: tuple[Index, ...]
    parents: tuple[Index, ...]
    top: Index
    n_top: int
    plain: bool

    @classmethod
    def of(cls, factors: Sequence[Factor], cells: Cells, parents: Sequence[Index]) -> Nested:
        """Return the solver; cells are sorted by the outermost group first, so children stand together."""
        places, starts, positions = [cells.owners[0]], [], []
        for parent in parents:
            outer = parent[places[-1]]
            first = np.concatenate([[True], np.diff(outer) != 0])
            starts.append(np.flatnonzero(first))
            positions.append((np.cumsum(first) - 1).astype(np.intp))
            places.append(outer[first])
        top = np.arange(cells.count)
        for position in positions:
            top = position[top]
        plain = len(places) == 1 and bool((places[0] == np.arange(len(places[0]))).all())
        return cls(tuple(f.k for f in factors), tuple(places), tuple(starts), tuple(positions), top, len(places[-1]), plain)

    def collect(self, cells: Array) -> Effects:
        """Return, for each factor, the sums over each group's cells."""
        if self.plain:
            return [cells]
        out, rest = [], cells
        for level, k in enumerate(self.sizes):
            own = np.empty((len(rest), k))
            own[self.places[level]] = rest[:, :k]
            out.append(own)
            if level < len(self.starts):
                rest = np.add.reduceat(rest[:, k:], self.starts[level], axis=0)
        return out

    def gather(self, effects: Effects) -> Array:
        """Return the effects that act in each cell (C, K)."""
        if self.plain:
            return effects[0]
        at = np.arange(len(self.places[0]))
        parts = []
        for level, own in enumerate(effects):
            parts.append(own[self.places[level]][at])
            if level < len(self.parents):
                at = self.parents[level][at]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def factor(self, H: Array) -> NestedSolved:
        """Factor the system whose cells bring H (C, K, K)."""
        R, G, log_determinant = [], [], 0.0
        M = H
        for level, k in enumerate(self.sizes):
            D = M[:, :k, :k] + (np.eye(k) if k > 1 else 1.0)
            own, logs = inverses(D)
            log_determinant += float(logs.sum())
            R.append(own)
            if level == len(self.starts):
                break
            B = M[:, :k, k:]
            G.append(own @ B)
            M = np.add.reduceat(M[:, k:, k:] - B.transpose(0, 2, 1) @ G[-1], self.starts[level], axis=0)
        return NestedSolved(self, tuple(R), tuple(G), log_determinant)


@dataclass(frozen=True, slots=True, eq=False)
class NestedSolved:
    """A factored system of nested groups: at each level the inverse R of its own block, and G = R B towards its ancestors."""

    solver: Nested
    R: tuple[Array, ...]
    G: tuple[Array, ...]
    log_determinant: float

    def solve(self, right: Effects) -> Effects:
        """Return the solution for the right side of each factor's effects."""
        s = self.solver
        if s.plain and s.sizes == (1,):
            return [self.R[0][:, :, 0] * right[0]]
        ahead: list[Array] = []
        carried: Array | None = None
        for level, k in enumerate(s.sizes):
            own = right[level][s.places[level]]
            if carried is not None:
                own = own + carried[:, :k]
            ahead.append(np.einsum("mij,mj->mi", self.R[level], own))
            if level < len(s.starts):
                passed = -np.einsum("mij,mi->mj", self.G[level], own)
                if carried is not None:
                    passed = passed + carried[:, k:]
                carried = np.add.reduceat(passed, s.starts[level], axis=0)
        joint = ahead[-1]
        found = [joint]
        for level in range(len(s.starts) - 1, -1, -1):
            above = joint[s.parents[level]]
            own = ahead[level] - np.einsum("mij,mj->mi", self.G[level], above)
            joint = np.concatenate([own, above], axis=1)
            found.insert(0, own)
        out_all = []
        for place, x in zip(s.places, found, strict=True):
            placed = np.empty_like(x)
            placed[place] = x
            out_all.append(placed)
        return out_all

    def own_inverse(self) -> Array:
        """Return the inverse's block of each cell's effects (C, K, K)."""
        V = self.R[-1]
        for level in range(len(self.G) - 1, -1, -1):
            above = V[self.solver.parents[level]]
            G = self.G[level]
            crossed = -G @ above
            own = self.R[level] - crossed @ G.transpose(0, 2, 1)
            V = np.concatenate(
                [np.concatenate([own, crossed], axis=2), np.concatenate([crossed.transpose(0, 2, 1), above], axis=2)], axis=1
            )
        return V


@dataclass(frozen=True, slots=True, eq=False)
class Crossed:
    """Factors that cross: the one with the most groups is eliminated, the others are factored densely.

    Attributes
    ----------
    sizes, counts : tuple of int
        Effects of a group, and groups, of each factor.
    rows : ndarray of int (C, k_0)
        Positions of a cell's effects among those of the first factor.
    columns : ndarray of int (C, K - k_0)
        Positions of the cell's other effects among all effects of the other factors.
    pattern, indices, pointers : ndarray of int
        Where a cell's product of a row with a column falls in the compressed sparse rows, and their shape.
    top : ndarray of int (C,)
    n_top : int
    """

    sizes: tuple[int, ...]
    counts: tuple[int, ...]
    rows: Index
    columns: Index
    pattern: Index
    indices: Index
    pointers: Index
    top: Index
    n_top: int = 1

    @classmethod
    def of(cls, factors: Sequence[Factor], cells: Cells) -> Crossed:
        """Return the solver, or refuse what would not fit the memory."""
        sizes, counts = tuple(f.k for f in factors), tuple(f.m for f in factors)
        offsets = np.concatenate([[0], np.cumsum([k * m for k, m in zip(sizes[1:], counts[1:], strict=True)])])
        width, height = int(offsets[-1]), sizes[0] * counts[0]
        if width * (width + height) > MOST_ENTRIES:
            TOO_LARGE.refuse(", ".join(f.name for f in factors), found=f"{height} and {width} effects")
        rows = cells.owners[0][:, None] * sizes[0] + np.arange(sizes[0])
        parts = [o[:, None] * k + np.arange(k) + at for o, k, at in zip(cells.owners[1:], sizes[1:], offsets, strict=False)]
        columns = np.concatenate(parts, axis=1)
        keys = rows[:, :, None].astype(np.int64) * width + columns[:, None, :]
        distinct, pattern = np.unique(keys, return_inverse=True)
        pointers = np.searchsorted(distinct // width, np.arange(height + 1))
        return cls(
            sizes,
            counts,
            rows,
            columns,
            pattern.reshape(keys.shape).astype(np.intp),
            (distinct % width).astype(np.intp),
            pointers.astype(np.intp),
            np.zeros(cells.count, np.intp),
        )

    @property
    def width(self) -> int:
        """Effects of all factors but the first."""
        return sum(k * m for k, m in zip(self.sizes[1:], self.counts[1:], strict=True))

    def collect(self, cells: Array) -> Effects:
        """Return, for each factor, the sums over each group's cells."""
        k, height = self.sizes[0], self.sizes[0] * self.counts[0]
        first = np.bincount(self.rows.ravel(), cells[:, :k].ravel(), height)
        rest = np.bincount(self.columns.ravel(), cells[:, k:].ravel(), self.width)
        return self._split(np.asarray(first, float), np.asarray(rest, float))

    def gather(self, effects: Effects) -> Array:
        """Return the effects that act in each cell (C, K)."""
        first, rest = self._joined(effects)
        return np.concatenate([first[self.rows], rest[self.columns]], axis=1)

    def factor(self, H: Array) -> CrossedSolved:
        """Factor the system whose cells bring H (C, K, K)."""
        k, m, width = self.sizes[0], self.counts[0], self.width
        group = self.rows[:, 0] // k
        D = np.zeros((m, k, k))
        for a in range(k):
            for b in range(k):
                D[:, a, b] = np.bincount(group, H[:, a, b], m)
        R, logs = inverses(D + np.eye(k))
        data = np.bincount(self.pattern.ravel(), H[:, :k, k:].ravel(), len(self.indices))
        B = sparse.csr_matrix((data, self.indices, self.pointers), shape=(m * k, width))
        flat = (self.columns[:, :, None] * width + self.columns[:, None, :]).ravel()
        E = np.bincount(flat, H[:, k:, k:].ravel(), width * width).reshape(width, width)
        G = sparse.csr_matrix(_block_diagonal(R) @ B)
        F = E - (B.T @ G).toarray()
        F.flat[:: width + 1] += 1.0
        if not np.isfinite(F).all():
            return CrossedSolved(self, R, G, np.full_like(F, np.nan), np.nan)
        try:
            L = linalg.cholesky(F, lower=True, check_finite=False)
        except linalg.LinAlgError:
            return CrossedSolved(self, R, G, np.full_like(F, np.nan), np.nan)
        return CrossedSolved(self, R, G, L, float(logs.sum() + 2.0 * np.log(np.diag(L)).sum()))

    def _split(self, first: Array, rest: Array) -> Effects:
        """Return flat effects as one array per factor."""
        out, at = [first.reshape(-1, self.sizes[0])], 0
        for k, m in zip(self.sizes[1:], self.counts[1:], strict=True):
            out.append(rest[at : at + k * m].reshape(m, k))
            at += k * m
        return out

    def _joined(self, effects: Effects) -> tuple[Array, Array]:
        """Return the first factor's effects, and all others', flat."""
        return effects[0].ravel(), np.concatenate([e.ravel() for e in effects[1:]])


@dataclass(frozen=True, slots=True, eq=False)
class CrossedSolved:
    """A factored system: R of the first factor's blocks, G = R B, and the Cholesky factor of what is left of the others."""

    solver: Crossed
    R: Array
    G: sparse.csr_matrix
    L: Array
    log_determinant: float

    def solve(self, right: Effects) -> Effects:
        """Return the solution for the right side of each factor's effects."""
        s = self.solver
        _, rest = s._joined(right)
        y = linalg.cho_solve((self.L, True), rest - self.G.T @ right[0].ravel(), check_finite=False)
        own = np.einsum("mij,mj->mi", self.R, right[0]).ravel() - self.G @ y
        return s._split(own, y)

    def own_inverse(self) -> Array:
        """Return the inverse's block of each cell's effects (C, K, K)."""
        s = self.solver
        k, K = s.sizes[0], s.rows.shape[1] + s.columns.shape[1]
        F = linalg.cho_solve((self.L, True), np.eye(len(self.L)), check_finite=False)
        GF = self.G @ F
        out = np.empty((len(s.rows), K, K))
        out[:, k:, k:] = F[s.columns[:, :, None], s.columns[:, None, :]]
        crossed = -GF[s.rows[:, :, None], s.columns[:, None, :]]
        out[:, :k, k:], out[:, k:, :k] = crossed, crossed.transpose(0, 2, 1)
        own = np.empty_like(self.R)
        for a in range(k):
            for b in range(k):
                product = self.G[a::k].multiply(GF[b::k])
                own[:, a, b] = self.R[:, a, b] + np.asarray(product.sum(axis=1)).ravel()
        out[:, :k, :k] = own[s.rows[:, 0] // k]
        return out


def _block_diagonal(R: Array) -> sparse.csr_matrix:
    """Return matrices (m, k, k) as the blocks of one sparse matrix."""
    m, k, _ = R.shape
    if k == 1:
        return sparse.csr_matrix(sparse.diags(R[:, 0, 0]))
    return sparse.csr_matrix(sparse.bsr_matrix((R, np.arange(m), np.arange(m + 1)), shape=(m * k, m * k)))
