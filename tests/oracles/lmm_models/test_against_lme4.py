"""Mixed models against lme4 1.1-31, lmerTest 3.1-3 and pbkrtest 0.5.2 under R 4.2.2 (make_reference.R)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from asp_eval.stats.mixed.fit import MixedFit, lmm
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.stats.smallsample.normal import Normal
from asp_eval.stats.smallsample.satterthwaite import Satterthwaite

HERE = Path(__file__).parent
CRITERION = 1e-7
"""Absolute; a lower criterion than lme4's would be right too, but no optimum here has room for one."""
OPTIMUM = 2e-5
"""lme4 stops when the criterion no longer changes in its last digits: the variance ratios have five or six."""
NUMERIC = 1e-3
"""lmerTest differentiates numerically; its degrees of freedom have three to four digits."""

FORMULAS = {
    "intercept": "y ~ arm + x + sex + (1 | inst)",
    "interaction": "y ~ arm * x + sex * t + (1 | inst)",
    "slope": "y ~ arm * t + x + (1 + t | inst)",
    "separate": "y ~ arm * t + x + (1 + t || inst)",
    "nested": "y ~ arm + x + (1 | inst/room)",
    "three": "y ~ arm * t + (1 + t | inst) + (1 | child)",
    "crossed": "y ~ arm + x + (1 | child) + (1 | rater)",
    "factor": "y ~ sex + x + (0 + sex | inst)",
    "polynomial": "y ~ arm + I(t**2) + t + offset(x) + (1 | inst)",
    "singular": "flat ~ arm + x + (1 | inst)",
}
REFERENCE = json.loads((HERE / "reference.json").read_text())
MODELS = {(m["model"], m["reml"]): m for m in REFERENCE["models"]}
EXTRA = REFERENCE["extra"]
CASES = pytest.mark.parametrize(("model", "reml"), MODELS, ids=lambda v: str(v))
REGULAR = pytest.mark.parametrize(("model", "reml"), [k for k, m in MODELS.items() if not m["singular"]], ids=lambda v: str(v))


def data() -> pd.DataFrame:
    frame = pd.read_csv(HERE / "data.csv")
    return frame.assign(arm=pd.Categorical(frame["arm"], categories=["reference", "folder", "portfolio"]))


@cache
def fitted(model: str, reml: bool) -> MixedFit:
    return lmm(FORMULAS[model], data(), reml=reml)


def spelled(name: str) -> str:
    """Formulaic's spelling of R's name, in any order of a product."""
    parts = []
    for part in name.split(":"):
        for factor in ("arm", "sex"):
            if part.startswith(factor) and part != factor:
                part = f"{factor}[T.{part.removeprefix(factor)}]"
        parts.append({"(Intercept)": "Intercept", "I(t^2)": "I(t ** 2)"}.get(part, part))
    return ":".join(sorted(parts))


def by_term(table: pd.DataFrame, terms: list[str]) -> pd.DataFrame:
    return (
        table.assign(key=[":".join(sorted(t.split(":"))) for t in table["term"]])
        .set_index("key")
        .loc[[spelled(t) for t in terms]]
    )


@CASES
def test_the_optimum(model: str, reml: bool) -> None:
    want, fit = MODELS[model, reml], fitted(model, reml)
    row = fit.glance().iloc[0]
    assert fit.n_obs == want["n"]
    assert fit.deviance == pytest.approx(want["criterion"], abs=CRITERION)
    assert row["aic"] == pytest.approx(want["aic"], abs=CRITERION)
    assert row["bic"] == pytest.approx(want["bic"], abs=CRITERION)
    assert bool(row["singular"]) == want["singular"]
    assert row["converged"]
    assert fit.sigma == pytest.approx(want["sigma"], rel=OPTIMUM)


@CASES
def test_coefficients_and_their_errors(model: str, reml: bool) -> None:
    want = MODELS[model, reml]
    got = by_term(fitted(model, reml).tidy(Normal()), want["terms"])
    np.testing.assert_allclose(got["estimate"], want["estimate"], rtol=OPTIMUM, atol=1e-7)
    np.testing.assert_allclose(got["std_error"], want["std_error"], rtol=OPTIMUM)


@CASES
def test_variances(model: str, reml: bool) -> None:
    want = np.sort(np.atleast_1d(MODELS[model, reml]["variances"]))
    table = fitted(model, reml).variance_components()
    got = np.sort(table.loc[(table["term2"] == "") & (table["group"] != "residual"), "variance"])
    np.testing.assert_allclose(got, want, rtol=2e-4, atol=1e-9)


@REGULAR
def test_satterthwaite(model: str, reml: bool) -> None:
    want, fit = MODELS[model, reml], fitted(model, reml)
    got = by_term(fit.tidy(Satterthwaite()), want["terms"])
    np.testing.assert_allclose(got["df"], want["satterthwaite"], rtol=NUMERIC)
    table = fit.anova(Satterthwaite())
    type3 = {k: np.atleast_1d(v) for k, v in want["type3"].items()}
    for i, term in enumerate(type3["terms"]):
        row = by_term(table, [term]).iloc[0]
        assert row["statistic"] == pytest.approx(type3["F"][i], rel=10 * OPTIMUM)
        assert row["df_denominator"] == pytest.approx(type3["df"][i], rel=NUMERIC)


@pytest.mark.parametrize("model", FORMULAS)
def test_kenward_roger(model: str) -> None:
    want, fit = MODELS[model, True], fitted(model, True)
    kr = want["kenward_roger"]
    got = by_term(fit.tidy(KenwardRoger()), want["terms"])
    np.testing.assert_allclose(got["std_error"], kr["std_error"], rtol=OPTIMUM)
    np.testing.assert_allclose(got["df"], kr["df"], rtol=10 * OPTIMUM)
    np.testing.assert_allclose(got["p_value"], kr["p"], rtol=20 * NUMERIC, atol=1e-12)
    names = fit.names
    order = [[":".join(sorted(n.split(":"))) for n in names].index(spelled(t)) for t in want["terms"]]
    covariance = fit.vcov(KenwardRoger()).to_numpy()[np.ix_(order, order)]
    np.testing.assert_allclose(covariance, kr["vcov"], rtol=20 * OPTIMUM, atol=1e-7)
    for i, term in enumerate(np.atleast_1d(kr["terms"])):
        row = by_term(fit.anova(KenwardRoger()), [term]).iloc[0]
        assert row["statistic"] == pytest.approx(np.atleast_1d(kr["F"])[i], rel=20 * OPTIMUM)
        assert row["df_denominator"] == pytest.approx(np.atleast_1d(kr["den"])[i], rel=20 * OPTIMUM)


@REGULAR
def test_random_effects_and_fitted_values(model: str, reml: bool) -> None:
    want, fit = MODELS[model, reml], fitted(model, reml)
    effects = {key(r.group, r.level, r.term): r for r in fit.random_effects().itertuples()}
    reference = pd.DataFrame(want["effects"])
    assert len(reference) == len(effects)
    for r in reference.itertuples():
        got = effects[key(r.group.split(".")[0] if r.group.startswith("inst.") else r.group, r.level, spelled(r.term))]
        assert got.estimate == pytest.approx(r.estimate, abs=2e-4)
        assert got.std_error == pytest.approx(r.std_error, rel=5e-4)
    np.testing.assert_allclose(fit.fitted[:8], want["fitted"], atol=2e-4)
    np.testing.assert_allclose(fit.predict(complete(fit))[:8], fit.fitted[:8], atol=1e-10)


def key(group: str, level: str, term: str) -> tuple[frozenset[str], frozenset[str], str]:
    return frozenset(group.split(":")), frozenset(level.split(":")), term.replace("[T.", "[")


def complete(fit: MixedFit) -> pd.DataFrame:
    keep = fit.design.data.keep
    return data() if keep is None else data()[keep]


def test_prior_weights() -> None:
    want = EXTRA["weighted"]
    fit = lmm("y ~ arm + x + (1 | inst)", data(), weights="w")
    got = by_term(fit.tidy(Satterthwaite()), want["terms"])
    assert fit.deviance == pytest.approx(want["criterion"], abs=CRITERION)
    np.testing.assert_allclose(got["estimate"], want["estimate"], rtol=OPTIMUM)
    np.testing.assert_allclose(got["std_error"], want["std_error"], rtol=OPTIMUM)
    np.testing.assert_allclose(got["df"], want["df"], rtol=NUMERIC)


def test_profile_intervals() -> None:
    want = EXTRA["profile"]
    got = fitted("slope", False).variance_intervals().set_index("quantity")
    sds, correlation = got.loc["sd"], got.loc["correlation"]
    low = [sds["conf_low"].iloc[0], correlation["conf_low"], *sds["conf_low"].iloc[1:]]
    high = [sds["conf_high"].iloc[0], correlation["conf_high"], *sds["conf_high"].iloc[1:]]
    np.testing.assert_allclose(low, want["low"], rtol=2e-3)  # lme4 interpolates its profile
    np.testing.assert_allclose(high, want["high"], rtol=2e-3)


def test_likelihood_ratio() -> None:
    want: dict[str, Any] = EXTRA["ratio"]
    small = lmm("y ~ arm * t + x + (1 | inst)", data(), reml=False)
    got = small.likelihood_ratio(fitted("slope", False))
    assert (got.statistic, got.df) == (pytest.approx(want["statistic"], abs=CRITERION), want["df"])
    assert got.p_value == pytest.approx(want["p"], rel=1e-6)
    assert "edge of its range" in got.note


def test_predictions_of_new_rows() -> None:
    want, fit = EXTRA["predict"], fitted("slope", False)
    new = pd.DataFrame({"inst": [3, 5, 9], "arm": ["reference", "portfolio", "folder"], "t": [0, 1.5, 4.0], "x": [-1.0, 0, 2]})
    np.testing.assert_allclose(fit.predict(new), want["conditional"], atol=1e-4)
    np.testing.assert_allclose(fit.predict(new, random_effects=False), want["population"], rtol=OPTIMUM)
