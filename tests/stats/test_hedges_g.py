"""Hedges' g in its three forms.

1. Within: the closed form on N - M.  2. Total and pooled: h of the What Works Clearinghouse by hand.  3. What has none.
"""

from __future__ import annotations

from math import exp, sqrt

import pytest
from scipy.special import gammaln

from asp_eval.core.errors import Refusal
from asp_eval.stats.meta.hedges_g import hedges_forms, small_sample_factor


def test_by_hand():  # 1, 2
    b, tau2, sigma2, S, N, M = 1.7, 4.0, 21.0, 5.2, 180, 12
    found = hedges_forms(b, between_variance=tau2, within_variance=sigma2, pooled_sd=S, children=N, clusters=M)
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
        hedges_forms(1.0, between_variance=1.0, within_variance=within, pooled_sd=sd, children=100, clusters=10)
