"""Trials with SDQ conduct scores, child by child and item by item, by the demo's latent model.

Children's age, sex and mother's education come from the declared population; a child's factor is the sum of an
institution's, a rater's and its own part, at the start and at the end; five items are cut into 0, 1, 2 and summed to
a score from 0 to 10, skewed with a floor. The score at the start is the covariate.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from cells import Cell
from draws import Array, Draws, allocate, cluster_sizes

from asp_eval.synthetic import population as pop
from asp_eval.synthetic.calibration import LatentScale, covariate_cells, expected_score, factor_mean, latent_scale

SCALE = "conduct"
WAVES = (0, 2)
RATED = 6
"""Children per rater."""
AT_ONCE = 50
"""Trials in memory together."""


def draw_sdq(cell: Cell, rng: np.random.Generator, trials: int) -> Draws:
    """Draw trials; `cell.effect` is zero, or stands for the declared effect at the end."""
    scale = latent_scale(SCALE)
    effect = float(scale.effects[2]) if cell.effect else 0.0
    parts = [_block(cell, rng, min(AT_ONCE, trials - k), scale, effect) for k in range(0, trials, AT_ONCE)]
    truth = expected_score(scale.declared, 2, effect) - expected_score(scale.declared, 2, 0.0)
    return Draws(np.concatenate(parts), {"effect": truth})


def _block(cell: Cell, rng: np.random.Generator, trials: int, scale: LatentScale, effect: float) -> Array:
    """Return cross-products (t, m, 4, 4) of some trials."""
    sizes = cluster_sizes(cell, rng, 1)[0].astype(np.intp)
    arm = allocate(cell, rng, trials)
    of_child = np.repeat(np.arange(cell.clusters), sizes)
    scores = draw_scores(rng, arm[:, of_child], of_child, scale, effect)
    u = np.stack([np.ones_like(scores[0]), arm[:, of_child], *scores], axis=-1)
    return np.stack([u[:, of_child == j].swapaxes(1, 2) @ u[:, of_child == j] for j in range(cell.clusters)], axis=1)


def draw_scores(
    rng: np.random.Generator, arm: Array, of_child: npt.NDArray[np.intp], scale: LatentScale, effect: float
) -> tuple[Array, Array]:
    """Return the scores at the start and at the end (t, n) of children in institutions `of_child` (n,)."""
    trials, n = arm.shape
    cells = covariate_cells()
    who = rng.choice(len(cells.share), size=arm.shape, p=cells.share)
    place = np.arange(n) - np.searchsorted(of_child, of_child)  # of a child among those of its institution
    rater = np.cumsum((place % RATED == 0).astype(np.intp)) - 1
    raters = rng.standard_normal((trials, int(rater[-1]) + 1))
    institutions = _two_waves(rng, (trials, int(of_child[-1]) + 1), pop.INSTITUTION_STABILITY)
    own = _two_waves(rng, (trials, n), pop.CHILD_STABILITY)
    scores = []
    for k, wave in enumerate(WAVES):
        factor = factor_mean(scale.declared, cells.age[wave][who], cells.boy[who], cells.step[who])
        factor += math.sqrt(scale.institution) * institutions[k][:, of_child] + math.sqrt(scale.rater) * raters[:, rater]
        factor += math.sqrt(scale.child) * own[k]
        if wave == WAVES[-1]:
            factor += effect * cells.multiplier[who] * arm
        latent = scale.declared.loading * factor[..., None]
        latent = latent + math.sqrt(1 - scale.declared.loading**2) * rng.standard_normal((trials, n, 5))
        scores.append((latent[..., None] > scale.thresholds).sum(axis=(-1, -2)).astype(float))
    return scores[0], scores[1]


def _two_waves(rng: np.random.Generator, shape: tuple[int, ...], stability: float) -> tuple[Array, Array]:
    """Return unit normals at the start and, two waves on, at the end."""
    kept = stability**2
    start = rng.standard_normal(shape)
    return start, kept * start + math.sqrt(1 - kept**2) * rng.standard_normal(shape)
