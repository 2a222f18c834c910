"""Trials drawn as cross-products: what all the rows of a trial with one random intercept would sum to.

The criterion of a random intercept needs the sums of u = [1, strata, baseline, arm, y] within clusters and the total of
u'u, no more (`asp_eval.stats.engine.many_ratios`). So a cluster of n individuals costs its mean baseline and mean
outcome, and the whole trial one pair of sums of squares about the means: with W = sum (n_j - 1),

    squares of the baseline   v chi2(W)          products with the residual   sqrt(those squares) s z
                                                 squares of the residual      s^2 (z^2 + chi2(W - 1))

which is their exact joint distribution, whatever the number of individuals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.stats.estimate import Array
from asp_eval.stats.power.losses import Losses

Arms = npt.NDArray[np.integer]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """What trials are drawn from, in units of the outcome's variance at one wave.

    Attributes
    ----------
    sizes : ndarray of int, shape (J,)
    strata : ndarray, shape (J, q)
        Columns of the strata.
    baseline : tuple of ndarray, shape (R,), or None
        Variance of the baseline between and within clusters, in each trial; None if the model holds none.
    slopes : tuple of float
        Of the outcome on it, between and within.
    residual : tuple of ndarray, shape (R,)
        Variance of the outcome given it, between and within.
    losses : Losses
    baseline_means : bool
        Whether the clusters' mean baseline is a column of its own.
    """

    sizes: Counts
    strata: Array
    baseline: tuple[Array, Array] | None
    slopes: tuple[float, float]
    residual: tuple[Array, Array]
    losses: Losses
    baseline_means: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """R drawn trials without an effect.

    Attributes
    ----------
    n : ndarray, shape (J, R)
        Individuals measured in each cluster; 0 where it is lost, or in an arm that is not compared.
    sums : ndarray, shape (c, J, R)
        1'u within clusters; the arm's column is the last before y.
    total : ndarray, shape (c, c, R)
        u'u.
    """

    n: Array
    sums: Array
    total: Array


def draw_trials(population: Population, arms: Arms, random: np.random.Generator) -> Trials:
    """Draw one trial for each allocation.

    Parameters
    ----------
    population : Population
    arms : ndarray of int, shape (R, J)
        0 control, 1 treated, others not compared.
    random : numpy.random.Generator
    """
    arm = np.asarray(arms).T
    n = _left(population, arm, random)
    count = np.maximum(n, 1.0)
    means = [*np.broadcast_to(population.strata.T[:, :, None], (population.strata.shape[1], *n.shape))]
    residual = population.residual
    y = np.sqrt(residual[0]) * random.standard_normal(n.shape)
    y += np.sqrt(residual[1] / count) * random.standard_normal(n.shape)
    if population.baseline is not None:
        between = np.sqrt(population.baseline[0]) * random.standard_normal(n.shape)
        within = np.sqrt(population.baseline[1] / count) * random.standard_normal(n.shape)
        means += [between + within] * (1 + population.baseline_means)
        y += population.slopes[0] * between + population.slopes[1] * within
    u = np.stack([np.ones_like(n), *means, (arm == 1) * 1.0, y])
    sums = u * n
    total = np.einsum("ijr,kjr->ikr", sums, u)
    _add_within(population, total, (np.maximum(n, 1.0) - 1.0).sum(axis=0), random)
    return Trials(n, sums, total)


def _left(population: Population, arm: Arms, random: np.random.Generator) -> Array:
    """Return the individuals measured in each cluster (J, R), after losses at random."""
    n = np.where(arm <= 1, population.sizes[:, None], 0)
    lost = population.losses
    clusters = np.where(arm == 1, lost.of_clusters(True), lost.of_clusters(False))
    individuals = np.where(arm == 1, lost.of_individuals(True), lost.of_individuals(False))
    if clusters.any():
        n = n * (random.random(n.shape) >= clusters)
    if individuals.any():
        n = random.binomial(n, 1.0 - individuals)
    return n.astype(float)


def _add_within(population: Population, total: Array, free: Array, random: np.random.Generator) -> None:
    """Add the sums of squares and products about the clusters' means."""
    s2 = population.residual[1]
    if population.baseline is None:
        total[-1, -1] += s2 * _chi2(free, random)
        return
    x, b = len(total) - 3, population.slopes[1]
    z = random.standard_normal(free.shape) * (free > 0)
    xx = population.baseline[1] * _chi2(free, random)
    xe = np.sqrt(xx * s2) * z
    ee = s2 * (z**2 + _chi2(np.maximum(free - 1.0, 0.0), random))
    total[x, x] += xx
    total[x, -1] += b * xx + xe
    total[-1, x] += b * xx + xe
    total[-1, -1] += b**2 * xx + 2.0 * b * xe + ee


def _chi2(df: Array, random: np.random.Generator) -> Array:
    """Draw chi-square numbers; 0 on no degrees of freedom."""
    return np.asarray(2.0 * random.standard_gamma(df / 2.0))
