"""What a fitted model with latent normal effects holds, in the data's units, whatever its rows are.

`GlmmFit` and `ClmmFit` ask it for what they have in common: coefficients and their covariance matrix, variances, modes and
their conditional variances, counted degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.cells import Index
from asp_eval.stats.integration.few_groups import few_groups_note
from asp_eval.stats.integration.model import LatentModel
from asp_eval.stats.integration.optimum import ZERO, Mask, Maximum, maximise
from asp_eval.stats.integration.standard import StandardColumns, StandardEffects
from asp_eval.stats.smallsample.kenward_roger import SINGULAR_NOTE

PROBED = 100
"""Rows in which a column that varies within groups shows itself, mostly."""
SINGULAR = 1e-4
"""Diagonal element of a triangle, in standard units, below which the fit counts as singular, as in lme4."""
NOT_CONVERGED = Phrase("The optimiser did not reach a point that meets the conditions of a maximum.")


@dataclass(frozen=True, slots=True, eq=False)
class LatentFit:
    """A model with latent effects and its estimate.

    Attributes
    ----------
    design : Design
    model : LatentModel
    columns : StandardColumns
    effects : tuple of StandardEffects
        In the formula's order.
    maximum : Maximum
    nodes : int
    back : ndarray (parameters, parameters)
        Parameters in the data's units = `back` times those in standard units; theta stays as it is.
    free : ndarray of bool (parameters,)
        Parameters that were estimated; a standard deviation of zero was not.
    names : tuple of str
        Coefficients.
    dropped : tuple of str
    """

    design: Design
    model: LatentModel
    columns: StandardColumns
    effects: tuple[StandardEffects, ...]
    maximum: Maximum
    nodes: int
    back: Array
    free: Mask
    names: tuple[str, ...]
    dropped: tuple[str, ...]

    @property
    def log_likelihood(self) -> float:
        """The maximum, with all constants."""
        return -self.maximum.evaluation.value

    @property
    def parameters(self) -> Array:
        """beta, theta and psi; beta and psi in the data's units."""
        return np.asarray(self.back @ self.maximum.x, float)

    @property
    def coefficients(self) -> Array:
        """The p coefficients."""
        return self.parameters[: self.model.p]

    @property
    def shared(self) -> Array:
        """Parameters that the rows share, in the data's units."""
        return self.parameters[self.model.p + len(self.model.elements) :]

    @property
    def covariance(self) -> Array:
        """Covariance matrix of all parameters, from the observed information; zero for what was not estimated."""
        H = self.maximum.hessian[np.ix_(self.free, self.free)]
        own = np.full_like(self.maximum.hessian, 0.0)
        own[np.ix_(self.free, self.free)] = _inverse(H)
        return np.asarray(self.back @ own @ self.back.T, float)

    @property
    def theta(self) -> Array:
        """Elements of the triangles, in standard units."""
        return self.model.split(self.maximum.x)[1]

    @property
    def singular(self) -> bool:
        """Whether a variance is estimated as zero or a correlation as one."""
        return any(abs(t) < SINGULAR for e, t in zip(self.model.elements, self.theta, strict=True) if e.row == e.column)

    @property
    def order(self) -> tuple[int, ...]:
        """Position, among the model's factors, of each factor of the formula."""
        names = [f.name for f in self.model.factors]
        return tuple(names.index(e.factor.name) for e in self.effects)

    @property
    def covariances(self) -> list[Array]:
        """Covariance matrix (k, k) of each factor's effects, in the formula's order."""
        found = self.model.covariances(self.theta)
        return [e.B @ found[i] @ e.B.T for e, i in zip(self.effects, self.order, strict=True)]

    @property
    def modes(self) -> tuple[Array, ...]:
        """Conditional modes (m, k) of each factor's effects."""
        evaluation = self.maximum.evaluation
        u = [] if evaluation.modes is None else evaluation.modes.u
        triangles = self.triangles()
        return tuple(u[i] @ triangles[i].T @ e.B.T for e, i in zip(self.effects, self.order, strict=True))

    @property
    def conditional_variances(self) -> tuple[Array, ...]:
        """Variance (m, k, k) of each factor's effects given the outcomes and the parameters."""
        modes = self.maximum.evaluation.modes
        assert modes is not None
        inverse = modes.curvature.own_inverse()
        triangles, out, at = self.triangles(), [], {}
        start = 0
        for i, factor in enumerate(self.model.factors):
            at[i] = start
            start += factor.k
        for e, i in zip(self.effects, self.order, strict=True):
            k, m = e.factor.k, e.factor.m
            own = np.empty((m, k, k))
            own[self.model.cells.owners[i]] = inverse[:, at[i] : at[i] + k, at[i] : at[i] + k]
            B = e.B @ triangles[i]
            out.append(B @ own @ B.T)
        return tuple(out)

    @property
    def n_groups(self) -> dict[str, int]:
        """Number of groups of each factor."""
        return {e.factor.name: e.factor.m for e in self.effects}

    def notes(self, share: float | None = None, rows: float | None = None) -> tuple[Phrase, ...]:
        """Return what a reader of any result of this fit must know.

        Parameters
        ----------
        share : float, optional
            Of yes, of an outcome that is a yes or no.
        rows : float, optional
            How many the outcomes are of; by default the rows of the data.
        """
        out = []
        if self.design.data.n_dropped:
            out.append(Phrase("{n} rows with missing values were left out.", n=self.design.data.n_dropped))
        if self.dropped:
            names = ", ".join(self.dropped)
            out.append(Phrase("Dropped, because the data do not determine them: {names}.", names=names))
        fewest = min(self.n_groups, key=lambda name: self.n_groups[name])
        m = self.n_groups[fewest]
        few = few_groups_note(fewest, m, (rows or self.design.data.n) / m, share)
        if few is not None:
            out.append(few)
        if self.singular:
            out.append(SINGULAR_NOTE)
        if not self.maximum.converged:
            out.append(NOT_CONVERGED)
        return (*self.design.layout.notes, *out)

    def in_order(self, sorted_rows: Array) -> Array:
        """Return values of sorted rows in the order of the data."""
        out = np.empty_like(sorted_rows)
        out[self.model.cells.order] = sorted_rows
        return out

    def triangles(self) -> list[Array]:
        """Return L_f of each of the model's factors."""
        L, out, at = self.model.triangle(self.theta), [], 0
        for f in self.model.factors:
            out.append(L[at : at + f.k, at : at + f.k])
            at += f.k
        return out


def approximation(nodes: int) -> Phrase:
    """Say how the random effects were integrated out."""
    return Phrase("Laplace") if nodes == 1 else Phrase("adaptive Gauss-Hermite quadrature, {n} points", n=nodes)


def settle(model: LatentModel, nodes: int, found: Maximum, free: Mask | None = None) -> tuple[Maximum, Mask]:
    """Return the maximum with each standard deviation that the data do not tell from zero set to zero, and what is free.

    The criterion is even in such an element, so its slope there is nil; estimates of 1e-6 that rounding has left would
    only spoil the covariance matrix.
    """
    free = np.ones(model.n_parameters, bool) if free is None else free
    for j, element in enumerate(model.elements):
        at = model.p + j
        if element.row != element.column or abs(found.x[at]) > 0.05:
            continue
        start = found.x.copy()
        start[at] = 0.0
        without = free.copy()
        without[at] = False
        at_zero = maximise(model, nodes, start, free=without, hessian=found.hessian)
        if at_zero.evaluation.value <= found.evaluation.value + ZERO:
            found, free = at_zero, without
    return found, free


def counted_df(fit: LatentFit, *, constants: int = 0) -> Array:
    """Return between-within degrees of freedom of each coefficient (p,); infinite for what varies within all groups.

    A column that is constant within the groups of a factor is judged by the number of its groups, less the groups of the
    factor they lie in and the columns judged there; a column whose effect varies at random over groups, by the number of
    those groups less the number of such columns. With several such factors the one with the fewest groups decides.
    `constants` are judged with the outermost groups though they have no column: one for an ordinal model's thresholds.
    """
    design, kept = fit.design, fit.columns.kept
    X = design.fixed_matrix()[:, list(kept)]
    position = [design.layout.fixed[k] for k in kept]
    names = sorted(range(len(fit.effects)), key=lambda i: fit.effects[i].factor.m)
    level = np.full(X.shape[1], -1)
    df = np.full(X.shape[1], np.inf)
    for i in names:
        codes, m = fit.effects[i].factor.codes, fit.effects[i].factor.m
        first = np.empty(m, np.intp)
        first[codes[::-1]] = np.arange(len(codes))[::-1]
        for j in np.flatnonzero(level < 0):
            column = X[:, j]
            off = column[:PROBED] - column[first][codes[:PROBED]]
            if np.abs(off).max() <= 1e-10 * np.abs(column).max():
                level[j] = i if np.abs(column - column[first][codes]).max() <= 1e-10 * np.abs(column).max() else -1
    for i in names:
        codes, m = fit.effects[i].factor.codes, fit.effects[i].factor.m
        here = level == i
        outer = [
            fit.effects[j].factor for j in names if fit.effects[j].factor.m < m and _inside(codes, fit.effects[j].factor.codes)
        ]
        df[here] = m - max((f.m for f in outer), default=constants) - int(here.sum())
        sloped = (level < 0) & np.isinf(df) & np.isin(position, design.layout.factors[i].effects)
        df[sloped] = m - int(sloped.sum())
    return df


def _inside(inner: Index, outer: Index) -> bool:
    """Whether each group of the first lies in one group of the second."""
    parent = np.empty(int(inner.max()) + 1, np.intp)
    parent[inner] = outer
    return bool((parent[inner] == outer).all())


def _inverse(H: Array) -> Array:
    """Return the inverse of a Hessian, flat directions left out."""
    try:
        np.linalg.cholesky(H)
        return np.asarray(np.linalg.inv(H), float)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(H, hermitian=True), float)
