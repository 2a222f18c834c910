"""Columns and random effects of a design in units in which the search is well scaled.

Columns of X become orthonormal combinations with mean square one (beta = T gamma), so the numbers found do not depend on
the units or the origin of a covariate. Covariates of random effects are divided by their root mean square and, where
they share a covariance matrix with a constant, taken from their mean; b = B b_standard leads back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.prediction import effect_columns
from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.cells import Factor

DEPENDENT = 1e-9
"""Share of a column's length, not explained by the columns before it, below which it counts as a combination of them."""


@dataclass(frozen=True, slots=True, eq=False)
class StandardColumns:
    """The columns of X that are estimated.

    Attributes
    ----------
    X : ndarray (n, p)
        Orthogonal columns with mean square one.
    T : ndarray (p, p)
        beta = T gamma.
    kept : tuple of int
        Their positions among the columns given.
    centre : ndarray (p,)
        What was subtracted from each column; zero unless asked for.
    """

    X: Array
    T: Array
    kept: tuple[int, ...]
    centre: Array


def standard_columns(X: Array, *, centred: bool = False) -> StandardColumns:
    """Return orthonormal combinations of the columns of X (n, k), those left out that follow from earlier ones."""
    n, k = X.shape
    centre = X.mean(axis=0) if centred else np.zeros(k)
    columns = X - centre if centred else X
    length = np.linalg.norm(X, axis=0)
    kept: list[int] = []
    Q, R = np.linalg.qr(columns)
    if bool((np.abs(np.diag(R)) > DEPENDENT * length).all()) and k <= n:
        kept = list(range(k))
    else:
        for j in range(k):
            trial = [*kept, j]
            if len(trial) <= n:
                last = np.linalg.qr(columns[:, trial])[1][-1, -1]
                if abs(last) > DEPENDENT * max(float(length[j]), 1e-300):
                    kept = trial
        Q, R = np.linalg.qr(columns[:, kept])
    root = np.sqrt(n)
    T = np.linalg.inv(R) * root if kept else np.zeros((0, 0))
    return StandardColumns(Q * root, T, tuple(kept), centre[kept])


@dataclass(frozen=True, slots=True, eq=False)
class StandardEffects:
    """The random effects of one factor.

    Attributes
    ----------
    factor : Factor
        In standard units.
    B : ndarray (k, k)
        b = B b_standard.
    """

    factor: Factor
    B: Array


def standard_effects(design: Design) -> tuple[StandardEffects, ...]:
    """Return the random effects of a design, one entry per grouping factor in the formula's order."""
    out = []
    for layout, groups in zip(design.layout.factors, design.groups, strict=True):
        Z = effect_columns(design, layout)
        blocks, at = [], 0
        for block in layout.blocks:
            blocks.append(tuple(range(at, at + len(block))))
            at += len(block)
        standard, B = _standard_covariates(Z, blocks)
        out.append(StandardEffects(Factor(layout.name, groups.codes, len(groups.levels), standard, tuple(blocks)), B))
    return tuple(out)


def _standard_covariates(Z: Array, blocks: Sequence[tuple[int, ...]]) -> tuple[Array, Array]:
    """Return covariates of mean square one and B."""
    if Z.shape[1] == 1 and bool((Z == 1.0).all()):
        return Z, np.eye(1)
    standard, B = Z.copy(), np.eye(Z.shape[1])
    for block in blocks:
        constant = next((j for j in block if bool((Z[:, j] == 1.0).all())), None)
        for j in block:
            if j == constant:
                continue
            centre = float(Z[:, j].mean()) if constant is not None else 0.0
            own = Z[:, j] - centre
            scale = float(np.sqrt((own * own).mean()))
            if scale < DEPENDENT * max(abs(centre), 1e-300):
                own, scale, centre = Z[:, j], 1.0, 0.0
            standard[:, j] = own / scale
            B[j, j] = 1.0 / scale
            if constant is not None:
                B[constant, j] = -centre / scale
    return standard, B
