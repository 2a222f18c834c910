"""Generalised and cumulative link mixed models against lme4 1.1-31, glmmTMB 1.1.5 and ordinal 2022.11-16 (make_reference.R)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import asp_eval
from asp_eval import Normal

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "reference.json").read_text())
IN_SE = {"lme4": 2e-4, "glmmTMB": 5e-4, "ordinal": 2e-3}
"""Of estimates, in standard errors: where each program's own search stops."""
STANDARD_ERROR = {"lme4": 1e-3, "glmmTMB": 1e-3, "ordinal": 5e-3}
"""Relative: lme4 and ordinal differentiate numerically."""
LOG_LIKELIHOOD = {"lme4": 1e-5, "glmmTMB": 1e-5, "ordinal": 1e-3}
"""Absolute; a higher one is right too. ordinal ends its search for the modes early."""

MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "logit": ("y ~ arm + x + (1 | inst)", {}),
    "logit_9": ("y ~ arm + x + (1 | inst)", {"n_quadrature": 9}),
    "probit_9": ("y ~ arm + x + (1 | inst)", {"link": "probit", "n_quadrature": 9}),
    "cloglog": ("y ~ arm + x + (1 | inst)", {"link": "cloglog"}),
    "slope": ("y ~ arm + x + (1 + x | inst)", {}),
    "separate": ("y ~ arm + x + (1 + x || inst)", {}),
    "nested": ("y ~ arm + x + (1 | inst/room)", {}),
    "crossed": ("y ~ arm + x + (1 | inst) + (1 | rater)", {}),
    "grouped": ("share ~ arm * x + (1 | inst)", {"weights": "trials"}),
    "grouped_25": ("share ~ arm * x + (1 | inst)", {"weights": "trials", "n_quadrature": 25}),
    "poisson": ("falls ~ arm + x + offset(log_hours) + (1 | inst/room)", {"family": "poisson"}),
    "poisson_9": ("falls ~ arm + x + offset(log_hours) + (1 | inst)", {"family": "poisson", "n_quadrature": 9}),
    "negbin": ("fights ~ arm + x + (1 | inst)", {"family": "negative-binomial"}),
    "negbin_nested": ("fights ~ arm + x + (1 | inst/room)", {"family": "negative-binomial"}),
    "ordinal": ("band ~ arm + x + (1 | inst)", {}),
    "ordinal_10": ("band ~ arm + x + (1 | inst)", {"n_quadrature": 10}),
    "ordinal_probit": ("band ~ arm + x + (1 | inst)", {"link": "probit", "n_quadrature": 10}),
    "ordinal_cloglog": ("band ~ arm + x + (1 | inst)", {"link": "cloglog", "n_quadrature": 10}),
    "ordinal_equal": ("band ~ arm + x + (1 | inst)", {"thresholds": "equidistant", "n_quadrature": 10}),
    "ordinal_two": ("band ~ arm + x + (1 | inst) + (1 | rater)", {}),
}


def data() -> pd.DataFrame:
    frame = pd.read_csv(HERE / "data.csv")
    arm = pd.Categorical(frame["arm"], categories=["reference", "intervention"])
    return frame.assign(arm=arm, share=frame["events"] / frame["trials"], log_hours=np.log(frame["hours"]))


def test_every_reference_is_compared():
    assert set(REFERENCE) == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_it_agrees_with_r(name):
    formula, options = MODELS[name]
    want = REFERENCE[name]
    software = want["software"]
    fit = (asp_eval.clmm if software == "ordinal" else asp_eval.glmm)(formula, data(), **options)
    assert fit.converged
    table = fit.tidy(Normal())
    se = np.array(want["std_error"])
    assert np.abs(table["estimate"] - want["estimate"]).max() <= (IN_SE[software] * se).max()
    np.testing.assert_allclose(table["std_error"], se, rtol=STANDARD_ERROR[software])
    variances = fit.variance_components()
    sd = np.sqrt(variances.loc[variances["term2"] == "", "variance"].to_numpy())
    np.testing.assert_allclose(np.sort(sd), np.sort(np.atleast_1d(want["sd"])), rtol=2e-3, atol=2e-3)
    if software != "lme4" or options.get("n_quadrature", 1) == 1:  # lme4 leaves constants out where it has more than one point
        assert fit.log_likelihood >= want["loglik"] - LOG_LIKELIHOOD[software]
        assert fit.log_likelihood <= want["loglik"] + 50 * LOG_LIKELIHOOD[software]
    if "dispersion" in want:
        assert fit.dispersion == pytest.approx(want["dispersion"], rel=1e-3)
    if "thresholds" in want:
        np.testing.assert_allclose(fit.threshold_estimates, want["thresholds"], atol=2e-3)


def test_proportional_odds_of_the_arm():
    want = json.loads((HERE / "proportional_odds.json").read_text())
    found = asp_eval.clmm("band ~ arm + x + (1 | inst)", data(), n_quadrature=15).proportional_odds_test("arm")
    assert found.df_numerator == want["df"]
    assert found.statistic * found.df_numerator == pytest.approx(want["statistic"], abs=2e-3)
    assert found.p_value == pytest.approx(np.exp(-want["statistic"] / 2), rel=2e-3)  # chi-square on two degrees of freedom
