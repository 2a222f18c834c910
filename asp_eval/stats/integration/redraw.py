"""New outcomes from a fitted model, and the model refitted to each: the parametric bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from asp_eval.core.parallel import side_by_side
from asp_eval.core.randomness import stream
from asp_eval.stats.contrasts import whole_number
from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.fitted import LatentFit
from asp_eval.stats.integration.optimum import maximise
from asp_eval.stats.integration.rows import RowLikelihood
from asp_eval.stats.replicates import DRAWS, Bootstrap, Quantity

PART = 20
"""Draws that a worker is given at a time."""
FAR = 15.0
"""Size of a standard parameter from which a replicate counts as having no estimate: its outcome was separated."""


def draw_predictors(fit: LatentFit, seed: int, name: str, draw: int) -> tuple[Array, np.random.Generator]:
    """Return linear predictors (n,) with random effects drawn anew, in the order of the data, and the generator."""
    rng = stream(seed, name, draw)
    model = fit.model
    L = model.triangle(fit.theta)
    u = [rng.standard_normal((f.m, f.k)) for f in model.factors]
    beta = model.split(fit.maximum.x)[0]
    eta = model.fixed_part(beta) + model.cells.spread(model.solver.gather(u) @ L.T)
    return fit.in_order(eta), rng


def bootstrap(fit: LatentFit, redrawn: Callable[[int], RowLikelihood], draws: int, seed: int, workers: int = 1) -> Bootstrap:
    """Refit a model to outcomes drawn from it.

    Parameters
    ----------
    fit : LatentFit
    redrawn : callable
        The rows, in the order of the data, of a numbered draw.
    draws, seed, workers : int
    """
    if isinstance(draws, bool) or draws < 2:
        DRAWS.refuse(found=draws)
    workers = whole_number("workers", workers, 1)
    parts = [range(at, min(at + PART, draws)) for at in range(0, draws, PART)]
    out = np.concatenate(side_by_side(partial(_refitted, fit, redrawn), parts, workers))
    return Bootstrap(_quantities(fit), _values(fit), out, seed)


def _refitted(fit: LatentFit, redrawn: Callable[[int], RowLikelihood], draws: range) -> Array:
    """Return the quantities of some draws (len(draws), q); NaN where there is no estimate."""
    out = np.full((len(draws), len(_quantities(fit))), np.nan)
    for at, r in enumerate(draws):
        model = replace(fit.model, rows=redrawn(r).subset(fit.model.cells.order))
        start = fit.maximum.x.copy()
        start[~fit.free] = np.where(np.arange(len(start))[~fit.free] < model.p + len(model.elements), 0.1, start[~fit.free])
        free = fit.free.copy()
        free[model.p : model.p + len(model.elements)] = True
        hessian = fit.maximum.hessian + np.diag(np.where(fit.free, 0.0, 1.0))
        found = maximise(model, fit.nodes, start, free=free, hessian=hessian, polish=False)
        if found.converged and float(np.abs(found.x[: model.p + len(model.elements)]).max()) < FAR:
            out[at] = _values(replace(fit, model=model, maximum=found))
    return out


def _quantities(fit: LatentFit) -> tuple[Quantity, ...]:
    """Return what the columns of the replicates are: coefficients, standard deviations, correlations."""
    out = [Quantity("", name, "", "coefficient") for name in fit.names]
    layout = fit.design.layout
    for factor in layout.factors:
        for block in factor.blocks:
            names = [layout.columns[e] for e in block]
            out += [Quantity(factor.name, name, "", "sd") for name in names]
            out += [Quantity(factor.name, names[j], names[i], "correlation") for i in range(len(block)) for j in range(i)]
    return tuple(out)


def _values(fit: LatentFit) -> Array:
    """Return the quantities of a fit (q,)."""
    out = list(fit.coefficients)
    for effects, D in zip(fit.effects, fit.covariances, strict=True):
        for block in effects.factor.blocks:
            sd = np.sqrt(np.maximum(np.diag(D), 0.0))
            out += [float(sd[k]) for k in block]
            pairs = [(block[i], block[j]) for i in range(len(block)) for j in range(i)]
            out += [float(D[i, j] / (sd[i] * sd[j])) if sd[i] * sd[j] > 0 else np.nan for i, j in pairs]
    return np.array(out)
