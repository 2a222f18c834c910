"""Terms, nested fits and residuals of generalised and ordinal models against R (make_reference.R).

1. type III tests of terms are emmeans' `joint_tests` on infinite degrees of freedom (which prints three decimals); 2. the
likelihood ratio of nested fits is lme4's and ordinal's; 3. residuals are those of lme4 and glmmTMB.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import asp_eval
from asp_eval import Normal

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "comparisons.json").read_text())
KINDS = {"glmm": ("y", asp_eval.glmm, 9, 2e-5), "clmm": ("band", asp_eval.clmm, 10, 2e-3)}
"""Outcome, function, quadrature points, and how near R's own search comes to the statistic."""


def data() -> pd.DataFrame:
    frame = pd.read_csv(HERE / "data.csv")
    arm = pd.Categorical(frame["arm"], categories=["reference", "intervention"])
    side = pd.cut(frame["x"], [-np.inf, -0.5, 0.5, np.inf], labels=["low", "mid", "high"]).cat.as_unordered()
    return frame.assign(arm=arm, side=side, share=frame["events"] / frame["trials"], log_hours=np.log(frame["hours"]))


@pytest.mark.parametrize("kind", KINDS)
def test_terms_are_tested_as_by_emmeans(kind):  # 1
    outcome, fit, nodes, _ = KINDS[kind]
    table = fit(f"{outcome} ~ arm * side + (1 | inst)", data(), n_quadrature=nodes).anova(Normal())
    want = REFERENCE[kind]["terms"]
    assert table["term"].tolist() == want["term"] and table["df_numerator"].tolist() == want["df"]
    assert table["statistic"].tolist() == pytest.approx(want["F"], abs=1e-3 if kind == "glmm" else 3e-3)
    assert np.isinf(table["df_denominator"]).all()


@pytest.mark.parametrize("kind", KINDS)
def test_nested_fits_are_compared_as_by_r(kind):  # 2
    outcome, fit, nodes, tolerance = KINDS[kind]
    large, small = (fit(f"{outcome} ~ {x} + (1 | inst)", data(), n_quadrature=nodes) for x in ("arm * side", "arm"))
    table, want = small.anova(large), REFERENCE[kind]["ratio"]
    assert table["statistic"][1] == pytest.approx(want["statistic"], abs=tolerance) and table["df"][1] == want["df"]
    assert table["model"].tolist() == [small.design.formula.text, large.design.formula.text]
    assert large.likelihood_ratio(small) == small.likelihood_ratio(large)
    assert small.likelihood_ratio(large).p_value == pytest.approx(
        np.exp(-want["statistic"] / 2) * (1 + want["statistic"] / 2), rel=1e-2
    )


@pytest.mark.parametrize(
    ("name", "formula", "asked"),
    [
        ("logit", "y ~ arm + x + (1 | inst)", {}),
        ("grouped", "share ~ arm * x + (1 | inst)", {"weights": "trials"}),
        ("poisson", "falls ~ arm + x + offset(log_hours) + (1 | inst/room)", {"family": "poisson"}),
        ("negbin", "fights ~ arm + x + (1 | inst)", {"family": "negative-binomial"}),
    ],
)
def test_residuals_are_those_of_r(name, formula, asked):  # 3
    fit = asp_eval.glmm(formula, data(), **asked)
    for kind, want in REFERENCE["residuals"][name].items():
        assert fit.residuals_by(kind)[:6] == pytest.approx(want, abs=2e-5), kind
    assert (fit.residuals_by("deviance") ** 2 >= 0).all() and fit.residuals_by() == pytest.approx(fit.residuals)
