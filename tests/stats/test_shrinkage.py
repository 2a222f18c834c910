"""Normal-normal shrinkage with known sampling variances.

1. R's metafor (REML, blup) on six data sets.  2. Closed forms for equal variances.  3. The restricted likelihood itself:
metafor shares the formula, a marginal density integrated over the mean does not.  4. Laws.  5. Refusals.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples import part_of_examples
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

from asp_eval.core.errors import Refusal
from asp_eval.stats.meta.shrinkage import restricted_tau2, shrink

ORACLE = Path(__file__).parent.parent / "oracles" / "shrinkage_normal"
SAME_ESTIMATE = 1e-7  # metafor stops its Fisher scoring at a step of 1e-14, the data have three decimals
SETS = ("wide", "narrow", "few", "uneven", "none", "equal")


@pytest.mark.parametrize("name", SETS)
def test_metafor(name: str) -> None:  # 1
    data = pd.read_csv(ORACLE / "data.csv").query("set == @name")
    reference = pd.read_csv(ORACLE / "reference.csv").query("set == @name")
    found = shrink(data["y"].to_numpy(), data["v"].to_numpy())
    first = reference.iloc[0]
    np.testing.assert_allclose(found.tau2, first["tau2"], rtol=SAME_ESTIMATE, atol=1e-9)
    np.testing.assert_allclose(found.mean, first["mean"], rtol=SAME_ESTIMATE)
    np.testing.assert_allclose(np.sqrt(found.mean_variance), first["mean_se"], rtol=SAME_ESTIMATE)
    low, high = found.interval(0.95)
    for ours, theirs in ((found.estimates, "estimate"), (found.std_errors, "se"), (low, "low"), (high, "high")):
        np.testing.assert_allclose(ours, reference[theirs], rtol=SAME_ESTIMATE, atol=1e-7)


def test_equal_variances_by_hand() -> None:  # 2
    y = np.array([-3.0, 0.0, 1.0, 6.0])  # mean 1, variance (16 + 1 + 0 + 25) / 3 = 14
    found = shrink(y, np.full(4, 3.5))
    assert found.tau2 == pytest.approx(10.5, rel=1e-10)  # 14 - 3.5
    assert found.mean == pytest.approx(1.0)
    assert found.mean_variance == pytest.approx(3.5)  # 14 / 4
    np.testing.assert_allclose(found.weights, 0.75)  # 10.5 / 14
    np.testing.assert_allclose(found.estimates, [-2.0, 0.25, 1.0, 4.75])
    # 0.25 * 10.5 + 0.0625 * 3.5 = 2.84375
    np.testing.assert_allclose(found.std_errors**2, 2.84375)
    low, high = found.middle()
    assert (low, high) == pytest.approx((1 - 0.6744898 * np.sqrt(10.5), 1 + 0.6744898 * np.sqrt(10.5)), abs=1e-6)


def test_the_likelihood_is_the_density_with_the_mean_integrated_out() -> None:  # 3
    rng = np.random.default_rng(4)
    v = rng.uniform(1, 20, 7)
    y = rng.normal(2, np.sqrt(9 + v))

    def minus_log_density(tau2: float) -> float:
        centre = float(np.average(y, weights=1 / (tau2 + v)))
        return -np.log(quad(lambda mu: np.prod(norm.pdf(y, mu, np.sqrt(tau2 + v))), centre - 30, centre + 30, points=[centre])[0])

    best = minimize_scalar(minus_log_density, bounds=(0, 200), method="bounded", options={"xatol": 1e-7})
    assert restricted_tau2(y, v) == pytest.approx(best.x, rel=1e-4)


def test_the_posterior_variance_by_simulating_the_posterior() -> None:  # 3
    data = pd.read_csv(ORACLE / "data.csv").query("set == 'few'")
    y, v = data["y"].to_numpy(), data["v"].to_numpy()
    found = shrink(y, v)
    rng = np.random.default_rng(1)
    mu = rng.normal(found.mean, np.sqrt(found.mean_variance), 400_000)[:, None]
    given_mu = found.weights * y + (1 - found.weights) * mu
    theta = rng.normal(given_mu, np.sqrt(found.weights * v))
    np.testing.assert_allclose(theta.mean(axis=0), found.estimates, atol=0.03)
    np.testing.assert_allclose(theta.std(axis=0), found.std_errors, rtol=0.01)


def test_no_differences_beyond_error() -> None:
    found = shrink(np.array([1.0, 1.1, 0.9, 1.0]), np.array([4.0, 5.0, 6.0, 7.0]))
    assert found.tau2 == 0
    assert not found.weights.any()
    np.testing.assert_allclose(found.estimates, found.mean)
    assert shrink(np.full(5, 2.0), np.ones(5)).tau2 == 0


groups = st.integers(3, 12).flatmap(
    lambda m: st.tuples(arrays(np.float64, m, elements=st.floats(-100, 100)), arrays(np.float64, m, elements=st.floats(0.1, 400)))
)


@part_of_examples(0.5)
@given(groups, st.floats(-50, 50), st.floats(0.1, 10))
def test_shift_and_scale(values: tuple[np.ndarray, np.ndarray], shift: float, scale: float) -> None:  # 4
    y, v = values
    one, other = shrink(y, v), shrink(shift + scale * y, scale**2 * v)
    size = max(float(np.ptp(y)), 1.0)
    np.testing.assert_allclose(other.tau2, scale**2 * one.tau2, rtol=1e-4, atol=1e-4 * scale**2 * size**2)
    assert ((one.weights >= 0) & (one.weights < 1)).all()
    assert one.mean_weights.sum() == pytest.approx(1)
    between = (one.estimates - np.minimum(y, one.mean) > -1e-9) & (np.maximum(y, one.mean) - one.estimates > -1e-9)
    assert between.all()


def test_a_noisier_estimate_is_trusted_less() -> None:  # 4
    found = shrink(np.array([0.0, 10.0, 20.0, 5.0]), np.array([1.0, 4.0, 16.0, 64.0]))
    assert (np.diff(found.weights) < 0).all()


@pytest.mark.parametrize(
    ("y", "v", "code"),
    [
        ([1.0, 2.0], [1.0, 1.0], "INF-040"),
        ([1.0, 2.0, 3.0], [1.0, 0.0, 1.0], "INF-041"),
        ([1.0, 2.0, 3.0], [1.0, np.inf, 1.0], "INF-041"),
        ([1.0, 2.0, 3.0], [1.0, 1.0], "INF-041"),
        ([1.0, np.nan, 3.0], [1.0, 1.0, 1.0], "INF-042"),
    ],
)
def test_refusals(y: list[float], v: list[float], code: str) -> None:  # 5
    with pytest.raises(Refusal, match=code):
        shrink(np.array(y), np.array(v))
