"""New outcomes of a model as their cross-products: what n new rows would sum to, without the rows.

For y = X beta + Z b + e with b ~ N(0, sigma^2 D), e ~ N(0, sigma^2 W^-1), everything that estimation needs of y is
[Z X]'Wy and y'Wy. With A = W^(1/2) [Z X] and e_w = W^(1/2) e ~ N(0, sigma^2 I),

    A'W^(1/2) y = A'A [b; beta] + A'e_w
    y'Wy        = |A [b; beta]|^2 + 2 [b; beta]'A'e_w + |P_A e_w|^2 + |(I - P_A) e_w|^2

where A'e_w ~ N(0, sigma^2 A'A), |P_A e_w|^2 follows from it, and the last term is independent of all others:
sigma^2 chi-square on n - rank(A) degrees of freedom. A'A is factored block by block in the order of elimination, as the
likelihood is (`asp_eval.stats.engine.elimination`), except that blocks may lack rank: an institution's column is the sum
of its classes' columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from asp_eval.stats.engine.covariance import semidefinite_cholesky
from asp_eval.stats.engine.elimination_order import Elimination, Index, Stage
from asp_eval.stats.estimate import Array

Mask = npt.NDArray[np.bool_]

RANK = 1e-10
"""Share of a block's largest own cross-product below which an eigenvalue is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Cross-products of R outcomes, in standard units.

    Attributes
    ----------
    groups : tuple of ndarray, shape (R, m, k)
        Z'Wy of each stage.
    fixed : ndarray, shape (R, p)
        X'Wy.
    square : ndarray, shape (R,)
        y'Wy.
    """

    groups: tuple[Array, ...]
    fixed: Array
    square: Array

    def elimination(self, model: Elimination, r: int) -> Elimination:
        """Return the model with the r-th outcome in place of its own."""
        root = model.root.copy()
        root[:-1, -1] = root[-1, :-1] = self.fixed[r]
        root[-1, -1] = self.square[r]
        crossed = model.crossed and model.crossed.with_outcome(self.groups[0][r, :, 0], self.groups[1][r, 0], root)
        return replace(model, make_stages=partial(self._stages, model, r), root=root, crossed=crossed)

    def _stages(self, model: Elimination, r: int) -> tuple[Stage, ...]:
        """Return the model's stages with the r-th outcome's products, which a model of crossed factors never needs."""
        stages = []
        for stage, own in zip(model.stages, self.groups, strict=True):
            products = stage.products.copy()
            products[:, :, -1] = own[r]
            stages.append(replace(stage, products=products))
        return tuple(stages)


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """The factored A'A: how independent normal numbers become A'e.

    Attributes
    ----------
    up : tuple of ndarray, shape (m, k, k)
        Of each stage, from its numbers to its own part of Z'e.
    down : tuple of ndarray, shape (m, k, later + p)
        From its numbers to what it adds to later stages and to X'e.
    used : tuple of ndarray of bool, shape (m, k)
        Numbers that count: the others belong to directions of rank zero.
    fixed : ndarray, shape (p, p)
    fixed_used : ndarray of bool, shape (p,)
    rest : int
        n - rank(A).
    """

    up: tuple[Array, ...]
    down: tuple[Array, ...]
    used: tuple[Mask, ...]
    fixed: Array
    fixed_used: Mask
    rest: int

    @classmethod
    def of(cls, model: Elimination, n: int) -> Noise:
        """Factor A'A of a model of n rows."""
        products = [stage.products[:, :, :-1] for stage in model.stages]
        root = model.root[:-1, :-1]
        up, down, used = [], [], []
        for a, stage in enumerate(model.stages):
            k = stage.size
            own = np.einsum("mkk->mk", stage.products[:, :, :k]).max()
            v, vectors, kept = _spectrum(products[a][:, :, :k], float(own))
            scaled = np.swapaxes(vectors, 1, 2) @ products[a][:, :, k:] / np.sqrt(v)[:, :, None] * kept[:, :, None]
            up.append(vectors * np.sqrt(v)[:, None, :] * kept[:, None, :])
            down.append(scaled)
            used.append(kept)
            at = 0
            for b, starts in enumerate(stage.starts):
                width = model.stages[a + 1 + b].size
                lost = np.swapaxes(scaled[:, :, at : at + width], 1, 2) @ scaled[:, :, at:]
                products[a + 1 + b] = products[a + 1 + b] - np.add.reduceat(lost, starts, axis=0)
                at += width
            root = root - np.einsum("mki,mkj->ij", scaled[:, :, at:], scaled[:, :, at:])
        v, vectors, kept = _spectrum(root[None], float(np.diag(model.root)[:-1].max()))
        rank = sum(int(x.sum()) for x in used) + int(kept.sum())
        return cls(tuple(up), tuple(down), tuple(used), vectors[0] * np.sqrt(v[0]) * kept[0], kept[0], n - rank)


def draw_outcomes(
    model: Elimination, noise: Noise, d: Array, beta: Array, sigma2: float, draws: int, random: np.random.Generator
) -> Outcomes:
    """Draw cross-products of new outcomes.

    Parameters
    ----------
    model : Elimination
        In standard units.
    noise : Noise
    d : ndarray, shape (s,)
        Elements of D.
    beta : ndarray, shape (p,)
    sigma2 : float
    draws : int
    random : numpy.random.Generator
    """
    sigma = float(np.sqrt(sigma2))
    error = [np.zeros((draws, stage.groups, stage.size)) for stage in model.stages]
    fixed_error, squared = np.zeros((draws, len(beta))), sigma2 * random.chisquare(noise.rest, draws)
    for a in range(len(model.stages)):
        q = sigma * random.standard_normal(error[a].shape) * noise.used[a]
        squared += np.einsum("rmk,rmk->r", q, q)
        error[a] += np.einsum("mik,rmk->rmi", noise.up[a], q)
        added = np.einsum("mkl,rmk->rml", noise.down[a], q)
        at = _scatter(model, a, added, error)
        fixed_error += added[:, :, at:].sum(axis=1)
    q = sigma * random.standard_normal(fixed_error.shape) * noise.fixed_used
    squared += np.einsum("rp,rp->r", q, q)
    fixed_error += q @ noise.fixed.T
    effects = [_effects(stage, model, d, sigma, draws, random) for stage in model.stages]
    mean, fixed_mean = _means(model, effects, beta)
    squared += sum(np.einsum("rmk,rmk->r", b, m + 2.0 * e) for b, m, e in zip(effects, mean, error, strict=True))
    squared += (fixed_mean + 2.0 * fixed_error) @ beta
    return Outcomes(tuple(m + e for m, e in zip(mean, error, strict=True)), fixed_mean + fixed_error, squared)


def _spectrum(blocks: Array, own: float) -> tuple[Array, Array, Mask]:
    """Return eigenvalues (1 where zero), eigenvectors, and which eigenvalues are not rounding."""
    values, vectors = np.linalg.eigh(blocks)
    kept = values > RANK * own
    return np.where(kept, values, 1.0), vectors, kept


def _effects(stage: Stage, model: Elimination, d: Array, sigma: float, draws: int, random: np.random.Generator) -> Array:
    """Draw b of a stage (R, m, k)."""
    half = semidefinite_cholesky(stage.expand(model.shape, d))
    return np.asarray(sigma * random.standard_normal((draws, stage.groups, stage.size)) @ half.T)


def _means(model: Elimination, effects: list[Array], beta: Array) -> tuple[list[Array], Array]:
    """Return A'A [b; beta]: a part for each stage (R, m, k) and one for X (R, p)."""
    p, draws = len(beta), len(effects[0])
    means = [np.zeros_like(b) for b in effects]
    fixed = np.tile(model.root[:p, :p] @ beta, (draws, 1))
    for a, stage in enumerate(model.stages):
        k, products, b = stage.size, stage.products[:, :, :-1], effects[a]
        means[a] += np.einsum("mkl,rml->rmk", products[:, :, :k], b) + products[:, :, -p:] @ beta
        added = np.einsum("mkl,rmk->rml", products[:, :, k:], b)
        at = _scatter(model, a, added, means)
        fixed += added[:, :, at:].sum(axis=1)
        column = k
        for other, starts in zip(range(a + 1, len(model.stages)), stage.starts, strict=True):
            width = model.stages[other].size
            owner = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, stage.groups)))
            means[a] += np.einsum("mkl,rml->rmk", products[:, :, column : column + width], effects[other][:, owner])
            column += width
    return means, fixed


def _scatter(model: Elimination, a: int, added: Array, target: list[Array]) -> int:
    """Add what stage a's groups give to the groups of later stages; return where the columns of X begin."""
    at = 0
    starts: Index
    for b, starts in enumerate(model.stages[a].starts):
        width = model.stages[a + 1 + b].size
        target[a + 1 + b] += np.add.reduceat(added[:, :, at : at + width], starts, axis=1)
        at += width
    return at
