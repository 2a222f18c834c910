"""Linear models: closed forms, refusals, what is dropped, and what a fit prints."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from asp_eval.core.errors import Refusal, Unavailable
from asp_eval.stats.engine.least_squares import least_squares, triangular_factor
from asp_eval.stats.estimate import ESTIMATE_COLUMNS
from asp_eval.stats.linear.ols import ols
from asp_eval.stats.smallsample.classical import Classical
from asp_eval.stats.smallsample.cluster_robust import CR0, CR1, CR1S, CR2, CR3

ROUNDING = 1e-9


def trial(sizes: list[int], treated: list[int], seed: int = 1) -> pd.DataFrame:
    """One row per child; `treated` are the treated clusters."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    arm = np.isin(cluster, treated)
    y = 0.5 * arm + rng.normal(size=len(sizes))[cluster] + rng.normal(size=len(cluster))
    return pd.DataFrame({"y": y, "arm": np.where(arm, "b", "a"), "x": rng.normal(size=len(cluster)), "g": cluster})


def row(frame: pd.DataFrame, term: str) -> pd.Series:
    return frame.set_index("term").loc[term]


def refused(code: str, formula: str, frame: pd.DataFrame, **options: str) -> None:
    with pytest.raises(Refusal) as caught:
        ols(formula, frame, **options)
    assert [p.code for p in caught.value.problems] == [code]


# closed forms


def test_a_balanced_trial_gives_the_t_test_of_cluster_means() -> None:
    frame = trial([7] * 10, [0, 3, 4, 6, 9])
    means = frame.groupby(["g", "arm"])["y"].mean().reset_index()
    exact = stats.ttest_ind(means.loc[means["arm"] == "b", "y"], means.loc[means["arm"] == "a", "y"])
    got = row(ols("y ~ arm", frame, cluster="g").tidy(), "arm[T.b]")
    assert got["method"] == "CR2"
    assert got["df"] == pytest.approx(8, rel=ROUNDING)
    assert got["statistic"] == pytest.approx(exact.statistic, rel=ROUNDING)
    assert got["p_value"] == pytest.approx(exact.pvalue, rel=ROUNDING)


def test_unequal_arms_give_welch_with_the_degrees_of_freedom_under_equal_variances() -> None:
    frame = trial([5] * 11, [1, 4, 8])
    means = frame.groupby(["g", "arm"])["y"].mean().reset_index()
    b, a = means.loc[means["arm"] == "b", "y"], means.loc[means["arm"] == "a", "y"]
    got = row(ols("y ~ arm", frame, cluster="g").tidy(), "arm[T.b]")
    assert got["std_error"] == pytest.approx(np.sqrt(b.var() / 3 + a.var() / 8), rel=ROUNDING)
    assert got["df"] == pytest.approx((1 / 3 + 1 / 8) ** 2 / (1 / 3**2 / 2 + 1 / 8**2 / 7), rel=ROUNDING)


def test_the_mean_of_equal_clusters() -> None:
    frame = trial([4] * 9, [])
    means = frame.groupby("g")["y"].mean()
    got = ols("y ~ 1", frame, cluster="g").tidy().iloc[0]
    assert got["std_error"] == pytest.approx(means.std() / 3, rel=ROUNDING)
    assert got["df"] == pytest.approx(8, rel=ROUNDING)


def test_stata_factor_and_plain_factor() -> None:
    frame = trial([3, 8, 5, 9, 4, 7], [0, 2, 4])
    fit = ols("y ~ arm + x", frame, cluster="g")
    plain, one, stata = (fit.tidy(method=m)["std_error"] for m in (CR0(), CR1(), CR1S()))
    np.testing.assert_allclose(one / plain, np.sqrt(6 / 5))
    np.testing.assert_allclose(stata / plain, np.sqrt(6 / 5 * 35 / 33))


def test_clusters_of_one_child_give_the_robust_errors_of_independent_rows() -> None:
    frame = trial([1] * 20, [*range(0, 20, 3)])
    b, a = frame.loc[frame["arm"] == "b", "y"], frame.loc[frame["arm"] == "a", "y"]
    got = row(ols("y ~ arm", frame, cluster="g").tidy(), "arm[T.b]")
    assert got["std_error"] == pytest.approx(np.sqrt(b.var() / len(b) + a.var() / len(a)), rel=ROUNDING)  # HC2 = Welch


def test_without_clusters_the_t_test_with_pooled_variance() -> None:
    frame = trial([6] * 8, [0, 1, 2])
    exact = stats.ttest_ind(frame.loc[frame["arm"] == "b", "y"], frame.loc[frame["arm"] == "a", "y"])
    fit = ols("y ~ arm", frame)
    got = row(fit.tidy(), "arm[T.b]")
    assert (got["method"], got["df"]) == ("Classical", 46)
    assert got["statistic"] == pytest.approx(exact.statistic, rel=ROUNDING)
    assert (got["conf_low"], got["conf_high"]) == pytest.approx(exact.confidence_interval(0.95), rel=ROUNDING)
    test = fit.joint_test(["arm[T.b]"])
    assert test.statistic == pytest.approx(exact.statistic**2, rel=ROUNDING)
    assert test.p_value == pytest.approx(exact.pvalue, rel=ROUNDING)


def test_one_way_analysis_of_variance_by_the_joint_test() -> None:
    frame = trial([8] * 3, [])
    frame["band"] = pd.Categorical(frame["g"].map({0: "low", 1: "middle", 2: "high"}), categories=["low", "middle", "high"])
    exact = stats.f_oneway(*(part["y"] for _, part in frame.groupby("band", observed=True)))
    test = ols("y ~ band", frame).joint_test(["band[T.middle]", "band[T.high]"])
    assert test.statistic == pytest.approx(exact.statistic, rel=ROUNDING)
    assert (test.df_numerator, test.df_denominator) == (2, 21)


def test_weights_of_whole_numbers_give_the_estimates_of_repeated_rows() -> None:
    frame = trial([3, 4, 5, 6], [0, 2]).assign(w=lambda d: 1 + np.arange(len(d)) % 3)
    repeated = frame.loc[frame.index.repeat(frame["w"])]
    fit, again = ols("y ~ arm + x", frame, weights="w", cluster="g"), ols("y ~ arm + x", repeated, cluster="g")
    np.testing.assert_allclose(fit.estimate, again.estimate, rtol=ROUNDING)
    np.testing.assert_allclose(fit.vcov(CR0()), again.vcov(CR0()), rtol=ROUNDING)


# what is dropped, refused or unavailable


def test_collinear_columns_are_dropped_and_named() -> None:
    frame = trial([5] * 6, [0, 1, 2]).assign(twice=lambda d: 2 * d["x"] - 3, constant=4.0)
    fit = ols("y ~ x + twice + constant + arm", frame, cluster="g")
    assert (fit.names, fit.dropped) == (("Intercept", "x", "arm[T.b]"), ("twice", "constant"))
    table = fit.tidy()
    assert list(table.columns) == list(ESTIMATE_COLUMNS)
    assert "dropped" in row(table, "twice")["note"]
    assert np.isnan(row(table, "twice")["estimate"])
    np.testing.assert_allclose(fit.estimate, ols("y ~ x + arm", frame).estimate)
    assert "twice, constant" in str(fit)


def test_a_constant_outcome_is_refused() -> None:
    refused("FIT-060", "y ~ arm", trial([3] * 4, [0, 1]).assign(y=2.0), cluster="g")


def test_a_row_without_cluster_is_refused_unless_the_row_is_not_used() -> None:
    frame = trial([3] * 4, [0, 1]).astype({"g": "float"})
    frame.loc[2, "g"] = np.nan
    refused("FIT-061", "y ~ arm", frame, cluster="g")
    frame.loc[2, "y"] = np.nan
    fit = ols("y ~ arm", frame, cluster="g")
    assert (fit.n_obs, fit.n_dropped) == (11, 1)


def test_an_unknown_cluster_column_is_refused() -> None:
    refused("FIT-020", "y ~ arm", trial([3] * 4, [0, 1]), cluster="institution")


def test_random_terms_are_refused() -> None:
    refused("FIT-012", "y ~ arm + (1 | g)", trial([3] * 4, [0, 1]))


def test_a_formula_without_columns_is_refused() -> None:
    refused("FIT-062", "y ~ 0 + zero", trial([3] * 4, [0, 1]).assign(zero=0.0))


def test_negative_weights_are_refused() -> None:
    refused("FIT-041", "y ~ arm", trial([3] * 4, [0, 1]).assign(w=-1.0), weights="w")


def test_one_cluster_says_why_there_is_no_answer() -> None:
    frame = trial([12], [])
    table = ols("y ~ x", frame, cluster="g").tidy()
    assert table["std_error"].isna().all()
    assert table["note"].str.contains("at least two clusters").all()


def test_cluster_robust_inference_without_clusters_says_so() -> None:
    fit = ols("y ~ x", trial([4] * 5, []))
    assert "needs the clusters" in fit.tidy(method=CR2())["note"].iloc[0]
    assert isinstance(fit.vcov(CR3()), Unavailable)


def test_an_exact_fit_has_estimates_and_no_uncertainty() -> None:
    frame = trial([4] * 5, []).assign(y=lambda d: 1e8 + 3 * d["x"])
    for method in (CR2(), Classical()):
        table = ols("y ~ x", frame, cluster="g").tidy(method=method)
        assert table["estimate"].iloc[1] == pytest.approx(3, rel=1e-6)
        assert table["std_error"].isna().all()
        assert table["note"].str.contains("exactly").all()


def test_as_many_coefficients_as_rows() -> None:
    frame = trial([1] * 4, [])
    fit = ols("y ~ x + I(x**2) + I(x**3)", frame, cluster="g")
    assert fit.tidy(method=Classical())["std_error"].isna().all()
    assert fit.tidy()["note"].ne("").all()


def test_a_contrast_that_one_cluster_determines_has_no_robust_error() -> None:
    frame = trial([4] * 6, []).assign(only=lambda d: (d["g"] == 2) * 1.0)
    table = ols("y ~ only", frame, cluster="g").tidy()
    assert "one cluster alone" not in row(table, "Intercept")["note"]
    fit = ols("y ~ 0 + C(g)", frame, cluster="g").tidy()
    assert fit["std_error"].isna().all()
    assert fit["note"].str.contains("one cluster alone").all()


def test_too_many_contrasts_for_the_clusters_cannot_be_tested_together() -> None:
    frame = trial([6] * 4, [0, 1]).assign(u=lambda d: np.sin(np.arange(len(d))), v=lambda d: np.cos(np.arange(len(d))))
    test = ols("y ~ arm + x + u + v", frame, cluster="g").joint_test(["arm[T.b]", "x", "u", "v"])
    assert test.statistic is None
    assert "test fewer together" in test.note


def test_a_treatment_without_variation_is_dropped() -> None:
    fit = ols("y ~ arm + x", trial([4] * 5, []).assign(arm="a"), cluster="g")
    assert fit.names == ("Intercept", "x")
    assert any(t.startswith("arm") for t in fit.dropped)


@pytest.mark.parametrize("factor", [1e8, 1e-8])
def test_the_unit_of_the_outcome_does_not_matter(factor: float) -> None:
    frame = trial([3, 6, 4, 8, 5, 9], [0, 2, 4])
    here, there = (ols("y ~ arm + x", f, cluster="g").tidy() for f in (frame, frame.assign(y=frame["y"] * factor)))
    for column in ("df", "statistic", "p_value"):
        np.testing.assert_allclose(there[column], here[column], rtol=1e-7)


def test_a_covariate_around_a_million() -> None:
    frame = trial([3, 6, 4, 8, 5, 9], [0, 2, 4])
    here, there = (ols("y ~ arm + x", f, cluster="g").tidy() for f in (frame, frame.assign(x=frame["x"] + 1e6)))
    for column in ("estimate", "std_error", "df"):
        np.testing.assert_allclose(there[column].iloc[1:], here[column].iloc[1:], rtol=1e-7)


@pytest.mark.parametrize("dtype", ["Int64", "int8", "string", "category", "Float64", "int64[pyarrow]"])
def test_clusters_of_any_dtype(dtype: str) -> None:
    frame = trial([3, 6, 4, 8], [0, 2])
    want = ols("y ~ arm", frame, cluster="g").tidy()
    pd.testing.assert_frame_equal(ols("y ~ arm", frame.astype({"g": dtype}), cluster="g").tidy(), want)


# the rest of the fit


def test_fitted_residuals_and_prediction_agree() -> None:
    frame = trial([5] * 6, [0, 1, 2]).assign(o=1.5)
    fit = ols("y ~ arm + x + offset(o)", frame, cluster="g")
    np.testing.assert_allclose(fit.fitted + fit.residuals, frame["y"])
    np.testing.assert_allclose(fit.predict(frame.iloc[::-1]), fit.fitted[::-1])
    with pytest.raises(Refusal, match="FIT-031"):
        fit.predict(frame.assign(arm="c"))
    with pytest.raises(Refusal, match="FIT-048"):
        fit.predict(frame.assign(x=np.where(frame.index == 0, np.nan, 1.0)))


def test_a_difference_of_coefficients() -> None:
    fit = ols("y ~ arm + x", trial([5] * 6, [0, 1, 2]), cluster="g")
    V = fit.vcov(CR2())
    got = fit.contrast({"arm[T.b]": 1.0, "x": -2.0})
    variance = V.loc["arm[T.b]", "arm[T.b]"] - 4 * V.loc["arm[T.b]", "x"] + 4 * V.loc["x", "x"]
    assert got.std_error == pytest.approx(np.sqrt(variance), rel=ROUNDING)
    with pytest.raises(Refusal, match="FIT-001"):
        fit.contrast({"arm": 1.0})


def test_glance_has_the_criteria_of_r() -> None:
    """By hand: -2 log likelihood at the maximum-likelihood variance, sigma counted."""
    frame = trial([5] * 6, [0, 1, 2])
    g = ols("y ~ x", frame, cluster="g").glance().iloc[0]
    slope, intercept, r, _, _ = stats.linregress(frame["x"], frame["y"])
    rss = float(((frame["y"] - intercept - slope * frame["x"]) ** 2).sum())
    log_likelihood = stats.norm.logpdf(frame["y"], intercept + slope * frame["x"], np.sqrt(rss / 30)).sum()
    assert (g["n_obs"], g["n_clusters"], g["df_residual"]) == (30, 6, 28)
    assert g["r_squared"] == pytest.approx(r**2)
    assert g["log_likelihood"] == pytest.approx(log_likelihood)
    assert g["aic"] == pytest.approx(-2 * log_likelihood + 6)
    assert g["bic"] == pytest.approx(-2 * log_likelihood + 3 * np.log(30))


def test_printing_reads_like_a_summary() -> None:
    text = str(ols("y ~ arm + x", trial([5] * 6, [0, 1, 2]), cluster="g"))
    for words in ("Linear model by ordinary least squares", "Clusters: 6 of g", "df: CR2", "arm[T.b]", "R-squared"):
        assert words in text


def test_a_date_is_not_taken_for_a_constant() -> None:
    frame = trial([5] * 6, [0, 1, 2]).assign(day=lambda d: 1.2e9 + 10 * d["x"])
    fit = ols("y ~ arm + day", frame, cluster="g")
    assert fit.dropped == ()
    want = ols("y ~ arm + x", frame, cluster="g").tidy()
    np.testing.assert_allclose(fit.tidy()["statistic"].iloc[1:], want["statistic"].iloc[1:], rtol=1e-5)


def test_many_rows_are_decomposed_in_blocks() -> None:
    rng = np.random.default_rng(8)
    X = np.column_stack([np.ones(50_000), 1e4 + rng.normal(size=50_000), rng.normal(size=50_000)])
    y = rng.normal(size=50_000)
    found = least_squares(X, y)
    np.testing.assert_allclose(found.columns.T @ found.columns, np.eye(3), atol=1e-13)
    np.testing.assert_allclose(found.columns @ np.linalg.inv(found.back), X, rtol=1e-10, atol=1e-9)
    np.testing.assert_allclose(found.estimate, np.linalg.lstsq(X, y, rcond=None)[0], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(np.abs(triangular_factor(X)), np.abs(np.linalg.qr(X, mode="r")), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("expression", ["poly(x, 2)", "x + I(x**2)", "bs(x, df=2, degree=2)"])
def test_functions_of_a_column(expression: str) -> None:
    """The three span the same quadratics."""
    frame = trial([5] * 6, [0, 1, 2])
    fit = ols(f"y ~ {expression}", frame, cluster="g")
    want = np.polyval(np.polyfit(frame["x"], frame["y"], 2), frame["x"])
    np.testing.assert_allclose(fit.fitted, want, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(fit.predict(frame.iloc[:3]), want[:3], rtol=1e-7, atol=1e-9)


def test_stata_errors_are_those_of_statsmodels() -> None:
    import statsmodels.formula.api as smf

    frame = trial([3, 8, 5, 9, 4, 7, 6], [0, 2, 4])
    want = smf.ols("y ~ arm + x", frame).fit(cov_type="cluster", cov_kwds={"groups": frame["g"]})
    got = ols("y ~ arm + x", frame, cluster="g").tidy(method=CR1S())
    np.testing.assert_allclose(got["estimate"], want.params, rtol=ROUNDING)
    np.testing.assert_allclose(got["std_error"], want.bse, rtol=ROUNDING)


def test_a_joint_test_of_what_single_clusters_determine_is_unavailable() -> None:
    frame = trial([4] * 6, [0, 1, 2])
    test = ols("y ~ 0 + C(g)", frame, cluster="g").joint_test(["C(g)[1]", "C(g)[2]"])
    assert test.statistic is None
    assert test.note


def test_a_linear_model_says_its_rows_clusters_and_that_it_has_no_intraclass_correlation():
    frame = pd.DataFrame({"y": [1.0, 2.0, 4.0, 3.0, np.nan], "x": [0.0, 1.0, 0.0, 1.0, 1.0], "z": [2.0] * 5, "g": list("aabbb")})
    fit = ols("y ~ x + z", frame, cluster="g")
    assert (fit.n_obs, fit.n_groups) == (4, {"g": 2})
    assert [str(note) for note in fit.notes] == [
        "1 rows with missing values were left out.",
        "Dropped, because the data do not determine them: z.",
    ]
    assert fit.icc().estimate is None
    assert fit.icc().note == "a model without random effects has no variance between groups"
    assert ols("y ~ x", frame).n_groups == {}
