"""Permutation and wild cluster bootstrap on simulated trials, through the package's own refits."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import single
from batched import Array
from cells import Cell

from asp_eval.stats.resampling.allocations import Draws
from asp_eval.stats.resampling.arm_grams import ArmGrams
from asp_eval.stats.resampling.inversion import at_least
from asp_eval.stats.resampling.reml_refits import reml_refits
from asp_eval.stats.resampling.wild import FEWEST, WEBB, ClusterScores, WildTest

DRAWS = 499
ENUMERATED = 1000
"""Up to so many allocations the test goes through all of them."""


def lots(cell: Cell, rng: np.random.Generator) -> tuple[Draws, bool]:
    """Return allocations of the cell's lot (draws, m), and whether they are all there are."""
    m, k = cell.clusters, cell.treated
    if comb(m, k) <= ENUMERATED:
        every = np.zeros((comb(m, k), m), dtype=np.int8)
        for row, treated in enumerate(combinations(range(m), k)):
            every[row, list(treated)] = 1
        return every, True
    first = np.zeros((DRAWS, m), dtype=np.int8)
    first[:, :k] = 1
    return rng.permuted(first, axis=1), False


def attainable(cell: Cell, alpha: float = 0.05) -> float:
    """Return the size the permutation test can have: the largest p-value below alpha.

    With arms of one size the mirror image of an allocation has the same statistic, so p-values come in twos.
    """
    count = comb(cell.clusters, cell.treated)
    if count > ENUMERATED:
        count, step = DRAWS + 1, 1
    else:
        step = 2 if 2 * cell.treated == cell.clusters else 1
    least = int(np.ceil(alpha * count / step - 1e-9)) - 1
    return step * least / count


def permutation_p(cross: Array, draws: Draws, *, enumerated: bool) -> float:
    """Return the p-value of the mixed model's |b / se| over allocations.

    Parameters
    ----------
    cross : ndarray (m, c, c)
        Cross-products of [1, arm, x, y] within clusters.
    draws : ndarray (R, m)
    """
    observed = (cross[:, 0, 1] / cross[:, 0, 0]).astype(np.int8)
    statistics = reml_refits(grams_under_arms(cross), np.vstack([observed, draws])).less(0.0).statistic
    count = int(at_least(statistics[1:], float(statistics[0])).sum())
    return count / len(draws) if enumerated else (1 + count) / (1 + len(draws))


def grams_under_arms(cross: Array) -> ArmGrams:
    """Return the cross-products of [1, x, arm, y, observed arm] of every cluster under either arm."""
    c = cross.shape[-1]
    own = [0, *range(2, c)]  # all but the arm, which is the constant or nothing
    base = cross[:, own][:, :, own]
    observed = cross[:, 0, 1] / cross[:, 0, 0]
    gram, sums = [], []
    for arm in (0.0, 1.0):
        place = np.zeros((len(cross), c - 1, c + 1))
        place[:, 0, 0], place[:, 0, c - 2], place[:, 0, c] = 1.0, arm, observed
        for k in range(1, c - 2):
            place[:, k, k] = 1.0
        place[:, c - 2, c - 1] = 1.0
        found = place.swapaxes(1, 2) @ base @ place
        gram.append(found)
        sums.append(found[:, 0])
    n = int(cross[:, 0, 0].sum())
    return ArmGrams(np.stack(gram), np.stack(sums), cross[:, 0, 0], 1, n, 1.0, 1.0)


def has_wild_bootstrap(cell: Cell) -> bool:
    """Return whether the cell has enough clusters for Webb's numbers."""
    return cell.clusters >= FEWEST


def wild_numbers(cell: Cell, rng: np.random.Generator) -> Array:
    """Return Webb's numbers of one trial (DRAWS + 1, m); those of the observed sample, which come first, are one."""
    drawn = WEBB.ravel()[rng.integers(0, 6, (DRAWS, cell.clusters))]
    return np.vstack([np.ones(cell.clusters), drawn])


def wild_p(cross: Array, numbers: Array) -> float:
    """Return the p-value of "no effect" by the wild cluster bootstrap of least squares, from cross-products (m, c, c)."""
    fit = single.OrdinaryFit(cross)
    effect = np.eye(len(fit.estimate))[1]
    test = WildTest.of(ClusterScores(*fit.orthonormal()), numbers, effect, float(fit.estimate[1]))
    t = test.statistics(0.0, np.arange(len(numbers)))
    return float((1 + at_least(t[1:], float(t[0])).sum()) / len(numbers))
