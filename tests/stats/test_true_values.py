"""True values of groups with nothing taken as known: against integrals by brute force, and against their placement."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from asp_eval.stats.meta.placement import placement
from asp_eval.stats.meta.true_values import true_values

Y, V = np.array([-6.0, 1.0, 2.0, 4.0, 11.0]), np.array([4.0, 9.0, 2.0, 5.0, 7.0])


def test_means_and_deviations_by_summing_over_mean_and_spread() -> None:
    mu, tau = np.linspace(-150, 150, 1001)[:, None], np.geomspace(0.02, 400, 500)[None, :]
    log = sum(norm.logpdf(y, mu, np.sqrt(tau**2 + v)) for y, v in zip(Y, V, strict=True)) + np.log(tau)  # steps grow with tau
    share = np.exp(log - log.max())
    share /= share.sum()
    found = true_values(Y, V)
    assert found.mean == pytest.approx(float((share * mu).sum()), abs=0.01)
    for j, (y, v) in enumerate(zip(Y, V, strict=True)):
        own = tau**2 / (tau**2 + v)
        centre = own * y + (1 - own) * mu
        mean = float((share * centre).sum())
        spread = float(np.sqrt((share * ((1 - own) * tau**2 + centre**2)).sum() - mean**2))
        assert found.estimates[j] == pytest.approx(mean, abs=0.01)
        assert found.sds[j] == pytest.approx(spread, rel=0.01)


def test_a_true_value_is_the_mean_and_the_departure_from_it() -> None:
    found = true_values(Y, V)
    assert found.estimates - found.mean == pytest.approx(placement(Y, V).departure, abs=1e-12)


def test_estimates_that_differ_by_their_errors_alone_have_the_mean() -> None:
    noise = np.random.default_rng(5).normal(0, 3, 400)
    found = true_values(noise, np.full(400, 9.0))
    low, high = found.interval()
    assert ((low < 0) & (high > 0)).mean() > 0.99


def test_where_nothing_changed_hardly_a_change_is_named_also_among_those_far_out() -> None:
    # Two rounds with the same true values. By closed form the plain difference of those furthest out in the first round, the
    # outer tenth at lambda .7, leaves its interval in .108 of cases (benchmarks/gap_changes.csv, "known"), and has the mean
    # -(1 - lambda) (y - mu): regression to the mean.
    rng, share, groups = np.random.default_rng(8), 0.7, 60
    v = (1 - share) / share
    named, plain, slopes = [], [], []
    for _ in range(60):
        true = rng.normal(size=groups)
        first, second = true + rng.normal(size=(2, groups)) * np.sqrt(v)
        low, high = true_values(second - first, np.full(groups, 2 * v)).interval()
        far = np.argsort(-np.abs(first - first.mean()))[: groups // 10]
        named.append(((low > 0) | (high < 0))[far].mean())
        plain.append((np.abs(second - first) > 1.96 * np.sqrt(2 * v))[far].mean())
        slopes.append(np.polyfit(first, second - first, 1)[0])
    assert np.mean(named) <= 0.01
    assert np.mean(plain) == pytest.approx(0.108, abs=0.045)
    assert np.mean(slopes) == pytest.approx(-(1 - share), abs=0.04)
