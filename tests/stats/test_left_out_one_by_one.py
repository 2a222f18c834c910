"""What is had from sums of clusters is what is had from their rows.

1. The jackknife of the standardised means is that of refits without each cluster or pair, also where a cluster alone has a
category; 2. alpha of resampled clusters is alpha of their rows.
"""

from __future__ import annotations

import numpy as np
import pytest

from asp_eval.stats.estimands.marginal_means import Trial, _coefficients, _solved_without_each, _standardised, _without_each
from asp_eval.stats.meta.reliability import _alphas, alpha_of

J = 12


def trial(random: np.random.Generator, *, own_category: bool, paired: bool) -> Trial:
    sizes = random.integers(2, 9, J)
    clusters = random.permutation(np.repeat(np.arange(J), sizes))
    x = random.normal(size=len(clusters)) + clusters / 5
    columns = [np.ones(len(clusters)), x, *([(clusters == 3).astype(float)] if own_category else [])]
    arms = np.arange(J) % 2
    y = x + 0.5 * arms[clusters] + random.normal(size=J)[clusters] + random.normal(size=len(clusters))
    units = np.arange(J) // 2 if paired else None
    return Trial(y, np.column_stack(columns), clusters, arms, np.tile([0.4, 0.6], (J, 1)), units)


@pytest.mark.parametrize("working", ["gee_ind", "lm"])
@pytest.mark.parametrize("own_category", [False, True])
@pytest.mark.parametrize("paired", [False, True])
def test_means_without_each_cluster_are_those_of_refits(working, own_category, paired):  # 1
    rows = trial(np.random.default_rng(1), own_category=own_category, paired=paired)
    parts = [rows.without(unit) for unit in range(J // 2 if paired else J)]
    refitted = [_standardised(part, _coefficients(part, working, "gaussian"), "gaussian") for part in parts]
    np.testing.assert_allclose(_without_each(rows, working), refitted, rtol=1e-10)


def test_a_coefficient_that_one_unit_alone_tells_is_zero_without_it():  # 1
    """By hand: of [Q'Q, Q'y] the third unit holds the whole second column; without it its coefficient is the least one."""
    others, alone = [[0.5, 0.0, 0.3], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [0.0, 1.0, 0.7]]
    solved = _solved_without_each(np.array([others, others, alone]))
    np.testing.assert_allclose(solved, [[0.6, 0.7], [0.6, 0.7], [0.6, 0.0]], atol=1e-15)


def test_alpha_of_resampled_clusters_is_that_of_their_rows():  # 2
    random = np.random.default_rng(2)
    X = random.normal(size=(40, 1)) + random.normal(size=(40, 4))
    codes, counts = np.repeat(np.arange(8), 5), np.array([2, 0, 1, 3, 0, 1, 1, 0])
    columns = np.column_stack([np.ones(40), (X**2).sum(axis=1), X.sum(axis=1) ** 2, X])
    sums = np.column_stack([np.bincount(codes, column, 8) for column in columns.T])
    drawn = np.repeat(X, counts[codes], axis=0)
    assert _alphas(counts[None, :].astype(float), sums, 4)[0] == pytest.approx(alpha_of(np.cov(drawn.T)), rel=1e-12)
