"""Complier effects against AER::ivreg with clubSandwich, and by hand.

1. Estimates, standard errors of every kind, Satterthwaite's degrees of freedom and p-values.  2. First stage F, and the
Anderson-Rubin set.  3. The estimate is Wald's ratio; both ends of the set make the offer's |t| the quantile of t, row by row.
4. Formulas without two stages, offers that move nothing.  5. A weak instrument: the set may be two rays, or everything.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import asp_eval
from asp_eval.core.errors import Refusal
from asp_eval.stats.linear.instrumental import complier_effect
from asp_eval.stats.linear.ols import ols
from asp_eval.stats.smallsample.cluster_robust import CR0, CR1, CR1S, CR2

HERE = Path(__file__).parent
CASES = [(case, model) for case in ("one_sided", "two_sided", "dose") for model in ("plain", "covariates")]
NAMES = {"(Intercept)": "Intercept", "stratumB": "stratum[T.B]"}


def read(case: str, model: str):
    stored = json.loads((HERE / case / "reference.json").read_text(encoding="utf-8"))["models"][model]
    frame = pd.read_csv(HERE / case / "data.csv")
    return frame, stored, complier_effect(stored["formula"], frame, cluster="inst")


@pytest.mark.parametrize(("case", "model"), CASES)
def test_the_second_stage(case, model):  # 1
    _, stored, fit = read(case, model)
    for method in (CR0(), CR1(), CR1S(), CR2()):
        own = stored["iv"][method.name]
        rows = fit.tidy(method).set_index("term").loc[[NAMES.get(name, name) for name in stored["iv"]["names"]]]
        np.testing.assert_allclose(rows["estimate"], stored["iv"]["estimate"], rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(rows["std_error"], own["std_error"], rtol=1e-6)
        np.testing.assert_allclose(rows["df"], own["df_satterthwaite"], rtol=1e-4)
        np.testing.assert_allclose(rows["p_value"], own["p_satterthwaite"], rtol=1e-4)
        np.testing.assert_allclose(rows["conf_low"], own["conf_low"], rtol=1e-5)
        np.testing.assert_allclose(rows["conf_high"], own["conf_high"], rtol=1e-5)


@pytest.mark.parametrize(("case", "model"), CASES)
def test_the_instrument(case, model):  # 2
    _, stored, fit = read(case, model)
    own, expected = fit.first_stage, stored["first_stage"]["weak_instrument_F"]["CR2"]
    assert pytest.approx(expected["F"], rel=1e-6) == own.F
    assert (own.df1, own.df2) == pytest.approx((1, expected["df2_HTZ"]), rel=1e-4)
    assert own.p_value == pytest.approx(expected["p_HTZ"], rel=1e-4)
    found, ends = fit.anderson_rubin, stored["anderson_rubin_CR1"]
    assert found.kind == ends["kind"] == "interval"
    assert (found.low, found.high) == pytest.approx((ends["low"], ends["high"]), rel=1e-7)


@pytest.mark.parametrize(("case", "model"), CASES)
def test_by_hand(case, model):  # 3
    frame, stored, fit = read(case, model)
    ratio = stored["wald_ratio"]
    assert fit.effect().estimate == pytest.approx(ratio["numerator"] / ratio["denominator"], rel=1e-9)
    right = stored["formula"].partition("|")[2]
    J = frame["inst"].nunique()
    for end in (fit.anderson_rubin.low, fit.anderson_rubin.high):
        without = ols(f"y ~ {right}", frame.assign(y=frame["y"] - end * frame["taken"]), cluster="inst")
        assert abs(without.contrast({"offered": 1.0}, CR1()).statistic) == pytest.approx(stats.t.ppf(0.975, J - 1), rel=1e-7)


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("y ~ taken + x", "FIT-140"),
        ("y ~ taken | offered | x", "FIT-140"),
        ("y ~ taken + x | offered", "FIT-141"),
        ("y ~ x | x", "FIT-141"),
        ("y ~ never | offered", "FIT-142"),
    ],
)
def test_formulas_that_have_no_complier_effect(formula, code):  # 4
    frame = pd.read_csv(HERE / "one_sided" / "data.csv").assign(never=0.0)
    with pytest.raises(Refusal, match=code):
        asp_eval.complier_effect(formula, frame, cluster="inst")


def test_rows_with_a_missing_value_are_left_out():  # 4
    frame = pd.read_csv(HERE / "dose" / "data.csv")
    gone = frame.assign(x=frame["x"].where(np.arange(len(frame)) % 7 > 0))
    some = complier_effect("y ~ taken + x | offered + x", gone, cluster="inst")
    assert some.n_obs < len(frame)
    assert some.tidy().equals(complier_effect("y ~ taken + x | offered + x", gone.dropna(), cluster="inst").tidy())


def test_a_weak_instrument():  # 5
    """At a = F - c < 0 the set is unbounded: inside it |t| is at most the quantile, outside it is more, row by row."""
    frame = pd.read_csv(HERE / "two_sided" / "data.csv")
    code, kinds = frame["inst"].astype("category").cat.codes.to_numpy(), set()
    for seed in range(6):
        noise = np.random.default_rng(seed).normal(size=code.max() + 1)[code]
        weak = frame.assign(taken=0.02 * frame["taken"] + noise, y=frame["y"] + (3.0 if seed % 2 else 0.0) * frame["offered"])
        fit = complier_effect("y ~ taken | offered", weak, cluster="inst")
        found = fit.anderson_rubin
        kinds.add(found.kind)
        assert fit.first_stage.weak
        for effect in (-50.0, -3.0, -0.5, 0.0, 0.7, 4.0, 60.0):
            row = ols("y ~ offered", weak.assign(y=weak["y"] - effect * weak["taken"]), cluster="inst")
            t = abs(row.contrast({"offered": 1.0}, CR1()).statistic)
            between = found.low <= effect <= found.high
            inside = {"interval": between, "rays": not between, "line": True}[found.kind]
            assert inside == (t <= stats.t.ppf(0.975, code.max()))
    assert "rays" in kinds and "line" in kinds
