"""Permutation against R: lmer, clubSandwich's CR1 and regression of means, refitted allocation by allocation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.stats.linear.ols import ols
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.resampling.allocations import Allocations
from asp_eval.stats.resampling.permutation import Permutation

HERE = Path(__file__).parent
ARM = "arm[T.intervention]"
LEAST_SQUARES = 1e-9
REML = 2e-6
"""lmer's optimiser stops at about seven digits of the variance ratio."""


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    frame = pd.read_csv(HERE / "data.csv")
    return frame.assign(arm=pd.Categorical(frame["arm"], ["reference", "intervention"]))


@pytest.fixture(scope="module")
def allocations() -> Allocations:
    draws = pd.read_csv(HERE / "draws.csv")
    return Allocations(tuple(draws.columns), draws.to_numpy())


MODELS = {
    "y": (lambda d: lmm("y ~ arm + base + muni + (1 | inst)", d), "model", REML),
    "weighted": (lambda d: lmm("y ~ arm + base + muni + (1 | inst)", d, weights="w"), "model", REML),
    "interaction": (lambda d: lmm("y ~ arm * base + (1 | inst)", d), "model", REML),
    "flat": (lambda d: lmm("flat ~ arm + base + muni + (1 | inst)", d), "model", REML),
    "ols": (lambda d: ols("y ~ arm + base + muni", d, cluster="inst"), "model", LEAST_SQUARES),
    "means": (lambda d: ols("y ~ arm + base + muni", d, cluster="inst"), "cluster-means", LEAST_SQUARES),
}


@pytest.mark.parametrize("model", MODELS)
def test_every_draw_is_that_of_r(model, data, allocations):
    fit, statistic, tolerance = MODELS[model]
    reference = pd.read_csv(HERE / "reference.csv")
    reference = reference[reference["model"] == model]
    b, t = reference["estimate"].to_numpy(), np.abs(reference["estimate"] / reference["std_error"]).to_numpy()
    method = Permutation("arm", allocations, statistic=statistic, interval=False)
    found = method.distribution(fit(data), {ARM: 1.0})
    assert abs(found.statistic) == pytest.approx(t[0], rel=tolerance)
    np.testing.assert_allclose(found.estimates, b[1:], rtol=tolerance, atol=tolerance * found.std_error)
    np.testing.assert_allclose(found.statistics, t[1:], rtol=tolerance, atol=tolerance)
    assert found.p_value == (1 + (t[1:] >= t[0] - 1e-5).sum()) / 121
