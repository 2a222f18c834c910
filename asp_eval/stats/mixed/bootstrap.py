"""Parametric bootstrap of a mixed model from its cross-products: distributions of coefficients, variances and the ICC.

New outcomes are drawn from the fitted model as cross-products (`asp_eval.stats.mixed.simulate`) and the model is
refitted to each by its own criterion, so a replicate costs what the groups cost, however many rows they hold. With one
random effect all replicates are refitted together; other models one by one.

The percentile interval of a quantity holds the middle of its replicates; the basic one mirrors it at the estimate
(Davison & Hinkley 1997, sec. 5.2). A variance near zero has many replicates at zero, which the interval then reaches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from asp_eval.core.errors import Refusal
from asp_eval.core.randomness import stream
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.engine.estimation import EstimationProblem
from asp_eval.stats.engine.optimisation import Optimum
from asp_eval.stats.engine.standardisation import Standard
from asp_eval.stats.estimate import Array
from asp_eval.stats.mixed.bootstrap_refits import Redrawn, refit_all
from asp_eval.stats.mixed.simulate import Noise, Outcomes, draw_outcomes
from asp_eval.stats.mixed.variance_share import effect_variances
from asp_eval.stats.replicates import DRAWS, Bootstrap, Quantity

NUMBERS = 4_000_000
"""Drawn numbers held at a time."""
CHUNK = 1000
"""Replicates refitted at a time."""


def bootstrap(
    problem: EstimationProblem, found: Optimum, design: Design | None, draws: int, seed: int, *, reml: bool
) -> Bootstrap:
    """Draw outcomes from a fitted model and refit it to each; see `MixedFit.bootstrap`."""
    if isinstance(draws, bool) or draws < 2:
        DRAWS.refuse(found=draws)
    parts = [
        refit_all(problem, outcomes, reml=reml, start=found.theta) for outcomes in drawn(problem, found, draws, seed, "bootstrap")
    ]
    every = Redrawn(*(np.concatenate(x) for x in zip(*((p.beta, p.d, p.sigma2) for p in parts), strict=True)))
    d, c = problem.elimination.shape.d(found.theta), found.criterion
    own = Redrawn(c.beta[None], d[None], np.array([c.sigma2]))
    shares = _mean_squares(problem.standard, design)
    return Bootstrap(_quantities(problem.standard), _values(problem, shares, own)[0], _values(problem, shares, every), seed)


def drawn(problem: EstimationProblem, found: Optimum, draws: int, seed: int, name: str) -> Iterator[Outcomes]:
    """Draw outcomes from a fitted model in parts that fit the memory; the same seed gives the same outcomes."""
    model, c = problem.elimination, found.criterion
    noise, d = Noise.of(model, problem.n), model.shape.d(found.theta)
    size = sum(stage.groups * stage.size * (stage.products.shape[2] + 2) for stage in model.stages)
    step = max(1, min(draws, CHUNK, NUMBERS // size))
    for i, at in enumerate(range(0, draws, step)):
        yield draw_outcomes(model, noise, d, c.beta, c.sigma2, min(step, draws - at), stream(seed, name, i))


def _quantities(standard: Standard) -> tuple[Quantity, ...]:
    """Return what the columns of the replicates are."""
    layout = standard.moments.layout
    out = [Quantity("", layout.fixed_names[k], "", "coefficient") for k in standard.kept]
    for factor in layout.factors:
        for block in factor.blocks:
            names = [layout.columns[e] for e in block]
            out += [Quantity(factor.name, name, "", "sd") for name in names]
            out += [Quantity(factor.name, names[j], names[i], "correlation") for i in range(len(block)) for j in range(i)]
    out.append(Quantity("residual", "", "", "sd"))
    return (*out, *(Quantity(f.name, "", "", "icc") for f in layout.factors))


def _values(problem: EstimationProblem, shares: Sequence[Array | None], redrawn: Redrawn) -> Array:
    """Return the quantities of every replicate (R, q), in the data's units."""
    standard, model = problem.standard, problem.elimination
    sigma2 = redrawn.sigma2 * standard.y_scale**2
    columns = [*(redrawn.beta @ standard.T.T + standard.origin).T]
    between: list[Array] = []
    for i, factor in enumerate(standard.factors):
        D = _covariances(problem, model.ordering.index(i), factor.transform, redrawn.d) * sigma2[:, None, None]
        share = shares[i]
        between.append(np.full(len(D), np.nan) if share is None else np.einsum("rij,ij->r", D, share))
        at = 0
        for block in factor.layout.blocks:
            own = D[:, at : at + len(block), at : at + len(block)]
            variances = np.maximum(np.einsum("rkk->kr", own), 0.0)
            columns += [*np.sqrt(variances)]
            columns += [_correlation(own[:, i, j], variances[i] * variances[j]) for i in range(len(block)) for j in range(i)]
            at += len(block)
    total = sigma2 + sum(between)
    return np.column_stack([*columns, np.sqrt(sigma2), *(v / total for v in between)])


def _covariances(problem: EstimationProblem, f: int, transform: Array, d: Array) -> Array:
    """Return B D B' of a factor for every replicate (R, k, k)."""
    shape = problem.elimination.shape
    D = np.zeros((len(d), shape.sizes[f], shape.sizes[f]))
    for r, e in enumerate(shape.elements):
        if e.factor == f:
            D[:, e.row, e.column] = D[:, e.column, e.row] = d[:, r]
    return np.asarray(transform @ D @ transform.T)


def _correlation(covariance: Array, product: Array) -> Array:
    """Return correlations, NaN where a variance is zero."""
    out = np.full(len(covariance), np.nan)
    np.divide(covariance, np.sqrt(product), out=out, where=product > 0)
    return np.asarray(np.clip(out, -1.0, 1.0))


def _mean_squares(standard: Standard, design: Design | None) -> list[Array | None]:
    """Return the mean over rows of z z' of each factor (k, k), or None where the fit does not hold it."""
    sizes = [len(f.layout.effects) for f in standard.factors]
    out: list[Array | None] = []
    for i, k in enumerate(sizes):
        share = np.zeros((k, k))
        try:
            for r, c in zip(*np.tril_indices(k), strict=True):
                units = [np.zeros((size, size)) for size in sizes]
                units[i][r, c] = units[i][c, r] = 1.0
                share[r, c] = share[c, r] = effect_variances(standard, units, design)[i] / (1.0 if r == c else 2.0)
        except Refusal:  # weighted moments without rows
            out.append(None)
        else:
            out.append(share)
    return out
