"""The score of a treatment under every allocation, for models whose refits would be slow.

A generalised or ordinal mixed model is fitted once without the treatment. The score of a column x_r there is U_r = x_r'g with
g the slope of the integrated likelihood in each row's linear predictor, and its variance

    V_r = x_r'K x_r - x_r'K X (X'K X)^-1 X'K x_r,    K = W - W Z L (I + L'Z'WZL)^-1 L'Z'W

is the working model's. Both are sums over the clusters that were drawn, so every draw costs as much as there are clusters.
Any statistic that is computed alike for every draw makes the test exact; U_r / sqrt(V_r) makes it powerful as well.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array
from asp_eval.stats.glmm.result import GlmmFit
from asp_eval.stats.integration.model import LatentModel
from asp_eval.stats.integration.optimum import maximise
from asp_eval.stats.integration.standard import standard_columns
from asp_eval.stats.ordinal.result import ClmmFit
from asp_eval.stats.resampling.allocations import Draws
from asp_eval.stats.resampling.arm_columns import ArmColumns
from asp_eval.stats.resampling.arm_grams import OTHER_TERMS
from asp_eval.stats.resampling.clustered_rows import ClusteredRows
from asp_eval.stats.resampling.loop_refits import RANDOM_TREATMENT
from asp_eval.stats.resampling.refits import Refits

ONE_COLUMN = Phrase("the score, by which shares, bands and counts are permuted, is defined for two arms with one coefficient")


def score_refits(
    fit: GlmmFit | ClmmFit, rows: ClusteredRows, columns: ArmColumns, draws: Draws, contrast: Array
) -> Refits | Unavailable:
    """Return U / V and 1 / sqrt(V) under every draw (R, J), the observed allocation first.

    Parameters
    ----------
    fit : GlmmFit or ClmmFit
    rows : ClusteredRows
    columns : ArmColumns
    draws : ndarray of int8, shape (R, J)
    contrast : ndarray, shape (p,)
    """
    moving = np.flatnonzero((columns.X[0] != columns.X).any(axis=(0, 1)))
    if not contrast[moving].any():
        return Unavailable(OTHER_TERMS)
    if len(moving) != 1 or len(columns.X) != 2 or set(np.flatnonzero(contrast)) != set(moving):
        return Unavailable(ONE_COLUMN)
    place = rows.design.layout.fixed[rows.kept[int(moving[0])]]
    if any(place in f.effects for f in rows.design.layout.factors):
        return Unavailable(RANDOM_TREATMENT)
    model, x, start = _without(fit, columns, int(moving[0]))
    found = maximise(model, fit.latent.nodes, start)
    evaluation = found.evaluation
    if evaluation.modes is None or evaluation.row_slope is None:
        return Unavailable(Phrase("the model without the treatment has no maximum"))
    order = model.cells.order
    L = model.triangle(model.split(found.x)[1])
    weight = -evaluation.modes.terms.second

    def K(v: Array) -> Array:
        right = model.solver.collect(model.cells.gradient(weight * v) @ L)
        back = model.solver.gather(evaluation.modes.solved.solve(right)) if evaluation.modes else 0.0
        return np.asarray(weight * (v - model.cells.spread(back @ L.T)), float)

    clusters = rows.codes[order]
    J = len(rows.levels)
    X = model.X if isinstance(fit, GlmmFit) else np.vstack([model.X, np.ones(len(order))])
    KX = np.array([K(column) for column in X])
    arms = [v[order] for v in x]
    score = np.array([np.bincount(clusters, -evaluation.row_slope * v, J) for v in arms])
    own = np.array([np.bincount(clusters, v * K(v), J) for v in arms])
    crossed = np.array([[np.bincount(clusters, v * k, J) for k in KX] for v in arms])
    every = np.arange(J)
    U, V = score[draws, every].sum(axis=1), own[draws, every].sum(axis=1)
    C = np.array([crossed[draws, k, every].sum(axis=1) for k in range(len(X))])
    V = V - (C * np.linalg.solve(X @ KX.T, C)).sum(axis=0)
    V = np.where(1e-10 * own.sum() < V, V, np.nan)
    return Refits(U / V, 1.0 / np.sqrt(V), np.full(len(draws), np.nan))


def _without(fit: GlmmFit | ClmmFit, columns: ArmColumns, moving: int) -> tuple[LatentModel, tuple[Array, Array], Array]:
    """Return the model without a column, that column under both arms (n,), and where the search begins."""
    model = fit.latent.model
    X = columns.X[0]
    others = [k for k in range(X.shape[1]) if k != moving]
    standard = standard_columns(X[:, others], centred=isinstance(fit, ClmmFit))
    reduced = replace(model, X=np.ascontiguousarray(standard.X[model.cells.order].T))
    _, theta, psi = model.split(fit.latent.maximum.x)
    q = len(model.elements)
    theta = np.where(fit.latent.free[model.p : model.p + q], theta, 0.1)
    return reduced, (columns.X[0][:, moving], columns.X[1][:, moving]), np.concatenate([np.zeros(len(reduced.X)), theta, psi])
