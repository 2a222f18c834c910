"""A model with latent normal effects, and the conditional modes of its effects.

    eta = o + X beta + Z b,   b = L u,   u ~ N(0, I),   rows independent given u with log likelihood l(eta; psi)

L is block-diagonal: each group of a factor has the same lower triangle L_f, whose elements theta are the parameters, so
that the effects' covariance matrix is L_f L_f'. The modes maximise sum l - u'u/2 by Newton's method, that is penalised
iteratively reweighted least squares with the observed information (Bates, Maechler, Bolker & Walker 2015, and the lme4
package's vignette on penalised least squares). The likelihoods here are concave in eta, so a halved step always climbs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.cells import Cells, Factor, Index, form_cells
from asp_eval.stats.integration.rows import RowLikelihood, RowTerms
from asp_eval.stats.integration.solvers import Crossed, Effects, Nested, Solved, choose_solver

MODE_TOLERANCE = 1e-5
"""Largest step of u, in its standard deviations, after which the modes are taken as found: Newton leaves its square."""
MOST_STEPS = 60


@dataclass(frozen=True, slots=True)
class Element:
    """One parameter theta: an element of a factor's lower triangle L_f.

    Attributes
    ----------
    factor, row, column : int
        `row` and `column` count within the factor's effects.
    place : tuple of int
        The same among all K effects of a cell.
    """

    factor: int
    row: int
    column: int
    place: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class LatentModel:
    """A model in sorted rows.

    Attributes
    ----------
    X : ndarray (p, n)
        Columns as rows, so that each is contiguous.
    offset : ndarray (n,) or float
    rows : RowLikelihood
    factors : tuple of Factor
        Most groups first.
    cells : Cells
    solver : Nested or Crossed
    elements : tuple of Element
    """

    X: Array
    offset: Array | float
    rows: RowLikelihood
    factors: tuple[Factor, ...]
    cells: Cells
    solver: Nested | Crossed
    elements: tuple[Element, ...]

    @property
    def p(self) -> int:
        """Number of coefficients."""
        return len(self.X)

    @property
    def n_parameters(self) -> int:
        """Coefficients, elements of the triangles and parameters shared by the rows."""
        return self.p + len(self.elements) + self.rows.n_shared

    def split(self, x: Array) -> tuple[Array, Array, Array]:
        """Return beta, theta and psi of a vector of all parameters."""
        p, q = self.p, len(self.elements)
        return x[:p], x[p : p + q], x[p + q :]

    def triangle(self, theta: Array) -> Array:
        """Return L for the effects of a cell (K, K)."""
        K = len(self.cells.effect)
        L = np.zeros((K, K))
        for e, value in zip(self.elements, theta, strict=True):
            L[e.place] = value
        return L

    def covariances(self, theta: Array) -> list[Array]:
        """Return L_f L_f' of each factor (k, k)."""
        L, out, at = self.triangle(theta), [], 0
        for f in self.factors:
            own = L[at : at + f.k, at : at + f.k]
            out.append(own @ own.T)
            at += f.k
        return out

    def fixed_part(self, beta: Array) -> Array:
        """Return o + X beta (n,)."""
        return np.asarray(beta @ self.X + self.offset, float)


def turned(effects: Array, L: Array) -> Array:
    """Return effects (C, K) times L."""
    return np.asarray(effects * L[0, 0] if len(L) == 1 else effects @ L)


def congruent(matrices: Array, L: Array) -> Array:
    """Return L'ML for matrices (C, K, K)."""
    return np.asarray(matrices * L[0, 0] ** 2 if len(L) == 1 else L.T @ matrices @ L)


def build_model(X: Array, offset: Array | None, rows: RowLikelihood, factors: Sequence[Factor]) -> LatentModel:
    """Return the model whose rows are sorted by cell.

    Parameters
    ----------
    X : ndarray (n, p)
    offset : ndarray (n,) or None
    rows : RowLikelihood
    factors : sequence of Factor
        In any order.
    """
    ordered = tuple(sorted(factors, key=lambda f: -f.m))
    cells = form_cells(ordered)
    elements, at = [], 0
    for i, factor in enumerate(ordered):
        elements += [Element(i, r, c, (at + r, at + c)) for block in factor.blocks for r in block for c in block if c <= r]
        at += factor.k
    o = 0.0 if offset is None else offset[cells.order]
    return LatentModel(
        np.ascontiguousarray(X[cells.order].T),
        o,
        rows.subset(cells.order),
        ordered,
        cells,
        choose_solver(ordered, cells),
        tuple(elements),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Modes:
    """The conditional modes at given parameters, and the rows there.

    Attributes
    ----------
    u : list of ndarray (m, k)
        In standard deviations.
    cells : ndarray (C, K)
        The same, as they act in each cell.
    eta : ndarray (n,)
    terms : RowTerms
        With l'''.
    solved : Solved
        I + L'Z'WZL with the observed information, which tells how the modes move.
    information, information_slope : ndarray (n,)
        The information that the effects' curvature is taken from, and its derivative: the expected one where the rows have
        one of their own, as in lme4, else the observed.
    C : ndarray (C, K, K)
        Z'WZ of each cell with that information.
    curvature : Solved
        I + L'Z'WZL with that information.
    """

    u: Effects
    cells: Array
    eta: Array
    terms: RowTerms
    solved: Solved
    information: Array
    information_slope: Array
    C: Array
    curvature: Solved


def find_modes(model: LatentModel, fixed: Array, L: Array, psi: Array, start: Effects | None) -> Modes | None:
    """Return the modes at a fixed part (n,), or None where the likelihood is not defined there.

    Parameters
    ----------
    model : LatentModel
    fixed : ndarray (n,)
    L : ndarray (K, K)
    psi : ndarray (n_shared,)
    start : list of ndarray (m, k), optional
        Where to begin: the modes of parameters nearby.
    """
    cells, solver = model.cells, model.solver
    u = start if start is not None else [np.zeros((f.m, f.k)) for f in model.factors]
    state = _State.at(model, fixed, L, psi, u)
    if not np.isfinite(state.objective).all():
        u = [np.zeros((f.m, f.k)) for f in model.factors]
        state = _State.at(model, fixed, L, psi, u)
        if not np.isfinite(state.objective).all():
            return None
    for _ in range(MOST_STEPS):
        right = solver.collect(turned(cells.gradient(state.terms.first), L))
        solved = solver.factor(congruent(cells.cross_products(-state.terms.second), L))
        step = solved.solve([r - v for r, v in zip(right, state.u, strict=True)])
        size = max(float(np.abs(s).max()) for s in step)
        if not size < np.inf:
            return None
        state = _climb(model, fixed, L, psi, state, step, size)
        if size < MODE_TOLERANCE:
            break
    own = solver.gather(state.u)
    expected = model.rows.expected_information(state.eta, psi)
    terms = state.terms
    observed = cells.cross_products(-terms.second)
    solved = solver.factor(congruent(observed, L))
    if expected is None:
        slope = np.zeros_like(state.eta) if terms.third is None else -terms.third
        return Modes(state.u, own, state.eta, terms, solved, -terms.second, slope, observed, solved)
    C = cells.cross_products(expected[0])
    return Modes(state.u, own, state.eta, terms, solved, *expected, C, solver.factor(congruent(C, L)))


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """Effects, the rows there, and the penalised log likelihood of each group that is independent of the others."""

    u: Effects
    eta: Array
    terms: RowTerms
    objective: Array

    @classmethod
    def at(cls, model: LatentModel, fixed: Array, L: Array, psi: Array, u: Effects) -> _State:
        cells, solver = model.cells, model.solver
        eta = fixed + cells.spread(turned(solver.gather(u), L.T))
        terms = model.rows.terms(eta, psi, third=True)
        by_cell = cells.sums(terms.value)
        if isinstance(solver, Nested) and solver.plain:
            return cls(u, eta, terms, by_cell - 0.5 * (u[0] * u[0]).sum(axis=1))
        objective = np.asarray(np.bincount(solver.top, by_cell, solver.n_top), float)
        for f, own in enumerate(u):
            penalty = 0.5 * (own * own).sum(axis=1)
            if solver.n_top == 1:
                objective -= penalty.sum()
            else:
                objective -= np.bincount(_tops(model, f), penalty, solver.n_top)
        return cls(u, eta, terms, objective)


def _tops(model: LatentModel, f: int) -> Index:
    """Return the independent group that each group of a factor lies in."""
    out = np.empty(model.factors[f].m, np.intp)
    out[model.cells.owners[f]] = model.solver.top
    return out


def _climb(model: LatentModel, fixed: Array, L: Array, psi: Array, state: _State, step: Effects, size: float) -> _State:
    """Take the step, halved for the groups whose penalised likelihood would fall."""
    whole = min(1.0, 5.0 / max(size, 1e-300)) if model.solver.n_top == 1 else 1.0
    new = _moved(model, fixed, L, psi, state, step, whole)
    if size < 1e-4 and np.isfinite(new.objective).all():  # nearer than this Newton's step cannot overshoot
        return new
    share = np.full(model.solver.n_top, whole)
    for _ in range(40):
        slack = 1e-10 * (1.0 + np.abs(state.objective))
        worse = ~(new.objective >= state.objective - slack)
        if not worse.any():
            break
        share = np.where(worse, share / 2, share)
        new = _moved(model, fixed, L, psi, state, step, share)
    return new


def _moved(model: LatentModel, fixed: Array, L: Array, psi: Array, state: _State, step: Effects, share: Array | float) -> _State:
    """Return the state after a share of a step of each independent group."""
    if isinstance(share, float):
        u = [v + share * s for v, s in zip(state.u, step, strict=True)]
    else:
        u = [v + share[_tops(model, f)][:, None] * s for f, (v, s) in enumerate(zip(state.u, step, strict=True))]
    return _State.at(model, fixed, L, psi, u)
