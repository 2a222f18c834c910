"""What a mixed fit answers: shapes, names, rules and refusals of its public methods."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import Refusal, Unavailable
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.estimate import ESTIMATE_COLUMNS, Estimate
from asp_eval.stats.linear.ols import ols
from asp_eval.stats.mixed.fit import lmm, lmm_from_moments
from asp_eval.stats.mixed.statsmodels_refit import Elsewhere, _covariances, _one_variance, refit_elsewhere
from asp_eval.stats.smallsample.between_within import BetweenWithin
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.stats.smallsample.normal import Normal
from asp_eval.stats.smallsample.satterthwaite import Satterthwaite

COLUMNS = ["term", "estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high", "method", "note"]


def trial() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    n, g = 240, np.arange(240) % 15
    d = pd.DataFrame(
        {
            "inst": g,
            "room": g * 2 + rng.integers(0, 2, n),
            "arm": np.where(g % 2, "new", "usual"),
            "x": rng.normal(size=n),
        }
    )
    d["t"], d["muni"] = rng.integers(0, 3, n), np.where(g % 3, "Aarhus", "Hvidovre")
    d["arm"] = pd.Categorical(d["arm"], categories=["usual", "new"])
    slopes = 0.5 * rng.normal(size=15)[g] * d["t"]
    return d.assign(y=rng.normal(size=n) + rng.normal(size=15)[g] + slopes + 0.6 * rng.normal(size=30)[d["room"]])


DATA = trial()
FIT = lmm("y ~ arm * x + muni + (1 | inst)", DATA)
SLOPE = lmm("y ~ arm + t + (1 + t | inst)", DATA)


def test_tidy_has_the_fixed_columns_and_kenward_roger_by_default() -> None:
    table = FIT.tidy()
    assert list(table.columns) == COLUMNS == list(ESTIMATE_COLUMNS)
    assert (table["method"] == "KenwardRoger").all()
    assert table["term"].tolist() == ["Intercept", "arm[T.new]", "x", "muni[T.Hvidovre]", "arm[T.new]:x"]
    wide = FIT.tidy(level=0.99)
    assert ((wide["conf_high"] - wide["conf_low"]) > (table["conf_high"] - table["conf_low"])).all()
    with pytest.raises(Refusal, match="FIT-002"):
        FIT.tidy(level=95)


def test_a_table_is_its_readers_own(monkeypatch) -> None:
    table, other = FIT.tidy(), FIT.tidy()
    plain = pd.DataFrame({c: other[c] for c in other.columns})
    pd.testing.assert_frame_equal(table, plain, check_column_type="exact", check_index_type="exact")
    table.columns.name, table.index.name = "mine", "row"
    table.loc[0, "term"], table.loc[0, "estimate"], table["new"] = "x", 7.0, 1
    pd.testing.assert_frame_equal(other, plain)
    pd.testing.assert_frame_equal(FIT.tidy(), plain)
    monkeypatch.delattr(pd.DataFrame, "_from_arrays")  # what pandas does not promise
    pd.testing.assert_frame_equal(FIT.tidy(), plain)


def test_glance_in_one_row() -> None:
    row = FIT.glance().iloc[0]
    assert (row["n_obs"], row["n_groups"], row["reml"], row["singular"]) == (240, 15, True, False)
    assert row["log_likelihood"] == pytest.approx(-row["deviance"] / 2)
    assert row["aic"] - row["deviance"] == pytest.approx(2 * 7)
    assert row["bic"] - row["deviance"] == pytest.approx(7 * np.log(240))
    assert lmm("y ~ x + (1 | inst/room)", DATA).glance()["n_groups"][0] == 15


def test_variance_components_end_with_the_residual() -> None:
    table = SLOPE.variance_components()
    assert list(table.columns) == ["group", "term1", "term2", "variance", "correlation"]
    assert table["group"].tolist() == ["inst", "inst", "inst", "residual"]
    assert table["term2"].tolist() == ["", "", "t", ""]
    covariance = table["variance"][2]
    assert table["correlation"][2] == pytest.approx(covariance / np.sqrt(table["variance"][0] * table["variance"][1]))
    separate = lmm("y ~ arm + t + (1 + t || inst)", DATA).variance_components()
    assert separate["term1"].tolist() == ["Intercept", "t", ""]


def test_a_contrast_is_a_row() -> None:
    got = FIT.contrast({"arm[T.new]": 1.0})
    assert isinstance(got, Estimate)
    assert got.term == "arm[T.new]"
    row = FIT.tidy().iloc[1]
    assert (got.estimate, got.df, got.p_value) == (row["estimate"], row["df"], row["p_value"])
    at_two = FIT.contrast({"arm[T.new]": 1.0, "arm[T.new]:x": 2.0}, method=Satterthwaite())
    assert at_two.estimate == pytest.approx(FIT.estimate[1] + 2 * FIT.estimate[4])
    V = FIT.model_covariance
    assert at_two.std_error == pytest.approx(np.sqrt(V[1, 1] + 4 * V[1, 4] + 4 * V[4, 4]))
    with pytest.raises(Refusal, match="FIT-001"):
        FIT.contrast({"arm": 1.0})


@pytest.mark.parametrize("method", [KenwardRoger(), Satterthwaite(), BetweenWithin(), Normal()])
def test_a_joint_test_of_one_contrast_is_the_squared_t(method: object) -> None:
    t, f = FIT.tidy(method).iloc[1], FIT.joint_test(["arm[T.new]"], method=method)
    assert f.statistic == pytest.approx(t["statistic"] ** 2, rel=1e-9)
    assert f.p_value == pytest.approx(t["p_value"], rel=1e-6)
    twice = FIT.joint_test(["arm[T.new]", {"arm[T.new]": 2.0}], method=method)
    assert twice.df_numerator == 1


def test_kenward_roger_on_a_maximum_likelihood_fit_refits_and_says_so() -> None:
    ml = FIT.refit(reml=False)
    assert not ml.reml
    got, want = ml.tidy(), FIT.tidy()
    np.testing.assert_allclose(got[COLUMNS[1:8]], want[COLUMNS[1:8]], rtol=1e-6)
    assert got["note"].str.contains("REML refit").all()
    assert want["note"].eq("").all()
    assert "REML refit" in ml.joint_test(["x"]).note


def test_between_within_counts() -> None:
    df = FIT.tidy(BetweenWithin()).set_index("term")["df"]
    assert df["arm[T.new]"] == df["muni[T.Hvidovre]"] == 15 - 3
    assert df["x"] == df["arm[T.new]:x"] == 240 - 15 - 2
    assert SLOPE.tidy(BetweenWithin())["note"].str.contains("random slopes").all()
    nested = lmm("y ~ arm + x + (1 | inst/room)", DATA)
    assert nested.tidy(BetweenWithin())["df"].tolist()[:2] == [13, 13]
    crossed = lmm("y ~ arm + x + (1 | inst) + (1 | t)", DATA)
    assert crossed.tidy(BetweenWithin())["note"].str.contains("crossed").all()


def test_methods_of_other_models_are_unavailable() -> None:
    linear = ols("y ~ arm", DATA)
    for method in (KenwardRoger(), Satterthwaite(), BetweenWithin()):
        table = linear.tidy(method)
        assert table["std_error"].isna().all() and (table["note"] != "").all()
        assert isinstance(method.covariance(linear), Unavailable) or isinstance(method, BetweenWithin)


def test_predictions_fitted_values_and_residuals() -> None:
    np.testing.assert_allclose(SLOPE.predict(DATA), SLOPE.fitted, atol=1e-12)
    np.testing.assert_allclose(SLOPE.fitted + SLOPE.residuals, DATA["y"], atol=1e-12)
    new = DATA[:3].assign(inst=[99, 0, 1])
    with pytest.raises(Refusal, match="FIT-047"):
        SLOPE.predict(new)
    population = SLOPE.predict(new, random_effects=False)
    assert SLOPE.predict(new, new_groups=True)[0] == pytest.approx(population[0])
    with pytest.raises(Refusal, match="FIT-031"):
        FIT.predict(DATA[:1].assign(arm="other"))
    with pytest.raises(Refusal, match="FIT-048"):
        FIT.predict(DATA[:2].assign(x=[1.0, np.nan]))


def test_predictions_remember_transformations() -> None:
    fit = lmm("y ~ poly(x, 2) + np.exp(t) + offset(x) + (1 | inst)", DATA)
    np.testing.assert_allclose(fit.predict(DATA[:5]), fit.fitted[:5], atol=1e-10)


def test_a_contrast_of_nothing_has_no_variance() -> None:
    for method in (KenwardRoger(), Satterthwaite(), BetweenWithin(), Normal()):
        got = FIT.contrast({"x": 0.0}, method=method)
        assert got.std_error is None and got.note
    with pytest.raises(Refusal, match="FIT-005"):
        FIT.joint_test([{"x": 0.0}])


def test_intraclass_correlation() -> None:
    got, v = FIT.icc(), FIT.variance_components()["variance"]
    assert got.estimate == pytest.approx(v[0] / (v[0] + v[1]))
    assert got.conf_low < got.estimate < got.conf_high
    shares = lmm("y ~ x + (1 | inst/room)", DATA)
    assert shares.icc(group="inst").estimate + shares.icc(group="inst:room").estimate == pytest.approx(shares.icc().estimate)
    assert shares.icc().conf_low is None and shares.icc().note
    with pytest.raises(Refusal, match="FIT-059"):
        shares.icc(group="room")


def test_intraclass_correlation_at_stated_values() -> None:
    D, sigma2 = SLOPE.covariances[0], SLOPE.sigma2
    z = np.array([1.0, 2.0])
    assert SLOPE.icc(at={"t": 2}).estimate == pytest.approx(z @ D @ z / (z @ D @ z + sigma2))
    assert SLOPE.icc(at={"t": 0}).estimate == pytest.approx(D[0, 0] / (D[0, 0] + sigma2))
    with pytest.raises(Refusal, match="FIT-072"):
        SLOPE.icc(at={"x": 0})


def test_the_interval_of_the_icc_is_where_the_deviance_has_risen() -> None:
    got = FIT.icc(level=0.9)
    for end in (got.conf_low, got.conf_high):
        value = FIT.problem.evaluate(np.array([end / (1 - end)]), reml=True).value
        assert value - FIT.found.criterion.value == pytest.approx(2.705543454095404, abs=1e-6)


def test_r_squared_by_rows() -> None:
    X = FIT.design.fixed_matrix()
    fixed, random = np.var(X @ FIT.estimate, ddof=1), FIT.covariances[0][0, 0]
    total = fixed + random + FIT.sigma2
    got = FIT.r_squared()
    assert (got.marginal, got.conditional) == (pytest.approx(fixed / total), pytest.approx((fixed + random) / total))
    Z = np.column_stack([np.ones(240), DATA["t"]])
    johnson = np.mean([z @ SLOPE.covariances[0] @ z for z in Z])
    fixed = np.var(SLOPE.design.fixed_matrix() @ SLOPE.estimate, ddof=1)
    assert SLOPE.r_squared().conditional == pytest.approx((fixed + johnson) / (fixed + johnson + SLOPE.sigma2))
    weighted = lmm("y ~ arm + t + (1 + t | inst)", DATA.assign(w=1.0), weights="w")
    assert weighted.r_squared().conditional == pytest.approx(SLOPE.r_squared().conditional, rel=1e-6)


def test_variance_intervals() -> None:
    profile, wald = SLOPE.variance_intervals(), SLOPE.variance_intervals(kind="wald")
    for table in (profile, wald):
        assert table["quantity"].tolist() == ["sd", "sd", "correlation", "sd"]
        assert ((table["conf_low"] < table["estimate"]) & (table["estimate"] < table["conf_high"])).all()
    np.testing.assert_allclose(wald["conf_low"][3], profile["conf_low"][3], rtol=0.02)
    with pytest.raises(Refusal, match="FIT-070"):
        SLOPE.variance_intervals(kind="exact")  # type: ignore[arg-type]


def test_likelihood_ratios() -> None:
    small = lmm("y ~ arm + t + (1 | inst)", DATA)
    got = small.likelihood_ratio(SLOPE)
    assert (got.df, got.method) == (2, "restricted likelihood")
    assert got.statistic == pytest.approx(small.deviance - SLOPE.deviance)
    fixed = lmm("y ~ t + (1 + t | inst)", DATA).likelihood_ratio(SLOPE)
    assert (fixed.df, fixed.method) == (1, "likelihood") and "refitted" in fixed.note
    with pytest.raises(Refusal, match="FIT-057"):
        small.likelihood_ratio(lmm("y ~ arm + t + x + (1 | inst)", DATA[:200]))
    with pytest.raises(Refusal, match="FIT-058"):
        small.likelihood_ratio(small)


def test_statsmodels_goes_elsewhere_where_its_likelihood_has_no_maximum() -> None:
    fit = lmm("y ~ x + (1 | inst)", DATA)
    ratio = fit.covariances[0] / fit.sigma2
    assert fit.design is not None
    kept = fit.problem.standard.kept
    for wrong in (0.3, 3.0):
        found = refit_elsewhere(fit.design, kept, wrong * ratio, reml=True)
        assert isinstance(found, Elsewhere)
        assert pytest.approx(fit.covariances[0], rel=1e-3) == found.D


@pytest.mark.parametrize("reml", [True, False])
def test_groups_that_share_a_matrix_of_statsmodels_are_its_groups(reml: bool) -> None:
    """A variance component with several groups in a matrix is the random effect of each: here of rows in no order."""
    rows = DATA.sample(frac=0.8, random_state=1)
    fit = lmm("y ~ arm + x + (1 | inst)", rows, reml=reml)
    assert fit.design is not None
    X, codes = fit.design.fixed_matrix(), fit.design.groups[0].codes
    ratio = fit.covariances[0] / fit.sigma2
    for start in (ratio, 3.0 * ratio):  # where its search ends at once, and where it goes on
        one = _one_variance(fit.design.response, X, codes, np.ones((len(rows), 1)), start, reml=reml)
        other = _covariances(fit.design.response, X, codes, np.ones((len(rows), 1)), start, reml=reml)
        for name in ("beta", "errors", "D", "sigma2"):
            np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9)


def test_statsmodels_agrees_on_a_variance_of_zero() -> None:
    flat = DATA.assign(y=DATA["y"] - DATA.groupby("inst")["y"].transform("mean"))
    fit = lmm("y ~ x + (1 | inst)", flat)
    assert fit.singular
    table = fit.recompute()
    assert isinstance(table, pd.DataFrame)
    assert table["agrees"][:4].all()


def test_recomputation_by_statsmodels_agrees() -> None:
    for fit in (FIT, SLOPE):
        table = fit.recompute()
        assert table["agrees"].all(), table
    elsewhere = lmm("y ~ x + (1 | inst) + (1 | t)", DATA).recompute()
    assert isinstance(elsewhere, Unavailable)


def test_type_three_of_an_interaction() -> None:
    """By hand: x's test is of its slope averaged over the arms; the arm's is at x = 0, as its own t test."""
    table = FIT.anova(Satterthwaite()).set_index("term")
    average = FIT.contrast({"x": 1.0, "arm[T.new]:x": 0.5}, method=Satterthwaite())
    assert table.loc["x", "statistic"] == pytest.approx(average.statistic**2)
    arm = FIT.contrast({"arm[T.new]": 1.0}, method=Satterthwaite())
    assert table.loc["arm", "statistic"] == pytest.approx(arm.statistic**2)
    assert table.loc["arm", "df_denominator"] == pytest.approx(arm.df)


def test_type_three_with_an_empty_cell_answers_what_the_data_determine() -> None:
    d = DATA[~((DATA["arm"] == "new") & (DATA["muni"] == "Hvidovre"))]
    table = lmm("y ~ arm * muni + x + (1 | inst)", d).anova().set_index("term")
    assert np.isnan(table.loc["arm:muni", "statistic"])
    assert "do not determine" in table.loc["arm:muni", "note"]
    assert "do not occur" in table.loc["arm", "note"] and table.loc["arm", "statistic"] >= 0
    assert table.loc["x", "note"] == "" and table.loc["x", "statistic"] >= 0


def test_print_reads_like_lme4() -> None:
    text = str(SLOPE)
    for part in (
        "Linear mixed model fit by REML",
        "REML criterion at convergence",
        "Random effects:",
        "Corr",
        "Number of obs: 240",
        "inst, 15",
        "Fixed effects:",
        "t value",
    ):
        assert part in text


def test_a_fit_from_arrays_needs_no_frame() -> None:
    X = np.column_stack([np.ones(240), DATA["arm"] == "new", DATA["t"]])
    moments = Moments.from_arrays(
        X, DATA["y"], {"inst": DATA["inst"]}, names=["Intercept", "arm", "t"], random={"inst": [["Intercept", "t"]]}
    )
    fit = lmm_from_moments(moments)
    np.testing.assert_allclose(fit.tidy()[COLUMNS[1:8]], SLOPE.tidy()[COLUMNS[1:8]], rtol=1e-5)
    with pytest.raises(Refusal, match="FIT-046"):
        _ = fit.fitted
    assert isinstance(fit.cluster_blocks(), Unavailable)


def test_arrays_that_do_not_fit_together() -> None:
    with pytest.raises(Refusal, match="FIT-042"):
        Moments.from_arrays(np.ones((5, 1)), np.ones(4), {"g": np.arange(5)})
    with pytest.raises(Refusal, match="FIT-042"):
        Moments.from_arrays(np.ones((5, 1)), np.ones(5), {"g": np.arange(4)})
    with pytest.raises(Refusal, match="FIT-042"):
        Moments.from_arrays(np.ones((5, 1)), np.ones(5), {"g": np.arange(5)}, random={"g": [["slope"]]})
    with pytest.raises(Refusal, match="FIT-040"):
        Moments.from_frame("y ~ x + (1 | inst)", DATA) + Moments.from_frame("y ~ t + (1 | inst)", DATA)


@pytest.mark.parametrize("method", ["CR2", KenwardRoger])
def test_a_method_that_is_no_value_is_refused_in_words(method):
    frame = pd.DataFrame({"g": np.repeat(np.arange(6), 5), "y": np.random.default_rng(1).normal(size=30)})
    fit = lmm("y ~ 1 + (1 | g)", frame)
    for ask in (lambda: fit.tidy(method=method), lambda: fit.joint_test(["Intercept"], method=method)):
        with pytest.raises(Refusal, match="FIT-006"):
            ask()


def test_a_file_name_in_place_of_data_is_refused_in_words():
    with pytest.raises(Refusal, match=r"FIT-026.*read_csv"):
        lmm("y ~ 1 + (1 | g)", "trial.csv")


def test_an_estimate_that_cannot_be_had_prints_its_reason():
    assert str(Estimate.unavailable("arm", "one group")) == "arm: one group"
    assert str(Estimate.unavailable("arm", "one group", method="CR2", estimate=0.5)) == "arm: estimate 0.5 (CR2); one group"
