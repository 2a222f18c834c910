"""Hedges' g in its three forms.

1. Within: the closed form on N - M.  2. Total and pooled: h of the What Works Clearinghouse by hand.  3. What has none.
4. Standard errors: Hedges and Olkin's of two samples without clustering, and the spread of g over draws.
"""

from __future__ import annotations

from math import exp, sqrt

import numpy as np
import pytest
from scipy.special import gammaln

from asp_eval.core.errors import Refusal
from asp_eval.stats.meta.effect_size import small_sample_factor
from asp_eval.stats.meta.hedges_g import hedges_forms


def test_by_hand():  # 1, 2
    b, tau2, sigma2, S, N, M = 1.7, 4.0, 21.0, 5.2, 180, 12
    found = hedges_forms(b, 0.9, between_variance=tau2, within_variance=sigma2, pooled_sd=S, children=N, clusters=M)
    n, rho = N / M, tau2 / (tau2 + sigma2)
    free = (N - 2) - 2 * (n - 1) * rho
    h = free**2 / ((N - 2) * (1 - rho) ** 2 + n * (N - 2 * n) * rho**2 + 2 * (N - 2 * n) * rho * (1 - rho))
    J = 1 - 3 / (4 * h - 1)
    assert (found.df_within, found.df_total) == pytest.approx((168, h))
    assert found.within == pytest.approx((1 - 3 / (4 * 168 - 1)) * b / sqrt(sigma2))
    assert found.total == pytest.approx(J * b / sqrt(tau2 + sigma2))
    assert found.pooled == pytest.approx(J * sqrt(free / (N - 2)) * b / S)


def test_the_factor_is_nearly_the_exact_one():  # 1: gamma(m/2) / (sqrt(m/2) gamma((m-1)/2))
    for df in (6.0, 20.0, 200.0):
        exact = exp(gammaln(df / 2) - gammaln((df - 1) / 2)) / sqrt(df / 2)
        assert small_sample_factor(df) == pytest.approx(exact, rel=3e-3 if df < 10 else 2e-4)


@pytest.mark.parametrize(("within", "sd"), [(0.0, 5.0), (20.0, 0.0)])
def test_what_has_none(within, sd):  # 3
    with pytest.raises(Refusal):
        hedges_forms(1.0, 0.5, between_variance=1.0, within_variance=within, pooled_sd=sd, children=100, clusters=10)


def test_standard_errors_of_two_samples():  # 4: var g = J^2 (n1 + n2) / (n1 n2) + g^2 / (2 m)
    n, S, b = 60, 4.0, 2.2
    kind = {"between_variance": 0.0, "within_variance": S**2, "pooled_sd": S, "children": 2 * n, "clusters": 40}
    found = hedges_forms(b, S * sqrt(2 / n), **kind)
    for g, error, m in (
        (found.within, found.within_error, found.df_within),
        (found.total, found.total_error, found.df_total),
        (found.pooled, found.pooled_error, found.df_total),
    ):
        assert error**2 == pytest.approx((1 - 3 / (4 * m - 1)) ** 2 * 2 / n + g**2 / (2 * m))


def test_the_standard_error_is_the_spread_of_g_over_draws():  # 4
    random, m, se, sd = np.random.default_rng(1), 400, 1.5, 5.0
    b, s2 = random.normal(4.0, se, 200_000), sd**2 * random.chisquare(m, 200_000) / m
    kind = {"between_variance": 0.0, "within_variance": sd**2, "pooled_sd": sd, "children": m + 20, "clusters": 20}
    assert hedges_forms(4.0, se, **kind).within_error == pytest.approx((small_sample_factor(m) * b / np.sqrt(s2)).std(), rel=0.01)
