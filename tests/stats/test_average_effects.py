"""Average effects.

1. averages are by brute force those of predictions with random effects drawn by quadrature; standard errors are the delta
method by numerical derivatives of a refitted likelihood's parameters; 2. differences, ratios and odds ratios follow from
the averages; 3. linear models give the coefficient; 4. shares of bands add up; 5. a filter, and what is refused;
6. resampled clusters are those of a loop that is written out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

import asp_eval as asp
from asp_eval.core.randomness import stream
from asp_eval.stats.means.averages import _percentiles


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    inst = np.repeat(np.arange(16), 20)
    n = len(inst)
    out = pd.DataFrame(
        {"inst": inst, "arm": np.where(inst % 2, "b", "a"), "x": rng.normal(size=n), "sex": rng.choice(["f", "m"], n)}
    )
    eta = -0.5 + 0.5 * (inst % 2) + 0.6 * out["x"] + 0.9 * rng.normal(size=16)[inst]
    out["yes"], out["count"], out["y"] = rng.binomial(1, special.expit(eta)), rng.poisson(np.exp(eta)), eta + rng.normal(size=n)
    out["band"] = pd.cut(eta + rng.logistic(size=n), [-np.inf, 0, 1.5, np.inf], labels=["low", "mid", "high"], ordered=True)
    return out


def integrated(eta: np.ndarray, sd: float) -> np.ndarray:
    """E expit(eta + sd u) by adaptive quadrature, for each of eta."""
    density = 1 / np.sqrt(2 * np.pi)
    return integrate.quad_vec(lambda u: special.expit(eta + sd * u) * density * np.exp(-u * u / 2), -10, 10, epsabs=1e-12)[0]


def test_risks_are_integrated_over_the_random_effects(frame):
    fit = asp.glmm("yes ~ arm + x + (1 | inst)", frame, n_quadrature=9)
    table = fit.average_effects("arm")
    sd = np.sqrt(fit.variance_components()["variance"].iloc[0])
    risks = table[table["kind"] == "risk"].set_index("arm")["estimate"]
    for arm in "ab":
        eta = fit.predict(frame.assign(arm=arm), scale="link", random_effects=False)
        assert risks[arm] == pytest.approx(np.mean(integrated(eta, sd)), abs=1e-9)
    found = table.set_index("kind")["estimate"]
    assert found["difference"] == pytest.approx(risks["b"] - risks["a"])
    assert found["ratio"] == pytest.approx(risks["b"] / risks["a"])
    assert found["odds_ratio"] == pytest.approx(risks["b"] / (1 - risks["b"]) / (risks["a"] / (1 - risks["a"])))
    conditional = fit.average_effects("arm", population="conditional").set_index("kind")["estimate"]
    by_hand = [special.expit(fit.predict(frame.assign(arm=arm), scale="link", random_effects=False)).mean() for arm in "ab"]
    assert conditional["difference"] == pytest.approx(by_hand[1] - by_hand[0], abs=1e-12)


def test_standard_errors_are_the_delta_methods(frame):
    fit = asp.glmm("yes ~ arm + x + (1 | inst)", frame, n_quadrature=9)
    at, covariance = fit.latent.parameters, fit.latent.covariance
    x, points = frame["x"].to_numpy(), np.polynomial.hermite_e.hermegauss(40)
    w = points[1] / points[1].sum()

    def difference(p):
        eta = p[0] + p[2] * x
        mean = [(special.expit((eta + p[1] * arm)[:, None] + p[3] * points[0]) @ w).mean() for arm in (0, 1)]
        return mean[1] - mean[0]

    h = 1e-5
    gradient = np.array([(difference(at + h * e) - difference(at - h * e)) / (2 * h) for e in np.eye(4)])
    row = fit.average_effects("arm").set_index("kind").loc["difference"]
    assert row["estimate"] == pytest.approx(difference(at), abs=1e-10)
    assert row["std_error"] == pytest.approx(np.sqrt(gradient @ covariance @ gradient), rel=1e-6)
    assert np.isinf(row["df"]) and "between-within" in row["note"]
    counted = fit.average_effects("arm", method=asp.BetweenWithin()).set_index("kind").loc["difference"]
    assert counted["df"] == 14 and counted["note"] == "" and counted["std_error"] == pytest.approx(row["std_error"])
    half = stats.t.ppf(0.975, 14) * counted["std_error"]
    assert counted["conf_high"] - counted["estimate"] == pytest.approx(half)


def test_a_random_slope_spreads_rows_by_their_own_values(frame):
    fit = asp.glmm("count ~ arm + x + (1 + x | inst)", frame, family="poisson")
    V = fit.latent.covariances[0]
    z = np.column_stack([np.ones(len(frame)), frame["x"]])
    half = 0.5 * np.einsum("ni,ij,nj->n", z, V, z)
    by_hand = [np.exp(fit.predict(frame.assign(arm=a), scale="link", random_effects=False) + half).mean() for a in "ab"]
    table = fit.average_effects("arm")
    np.testing.assert_allclose(table.loc[table["kind"] == "risk", "estimate"], by_hand, rtol=1e-9)
    assert table["kind"].tolist() == ["risk", "risk", "difference", "ratio"]


def test_the_rate_ratio_of_a_log_link_is_its_coefficient(frame):
    fit = asp.glmm("count ~ arm + x + (1 | inst)", frame, family="poisson")
    ratio = fit.average_effects("arm").set_index("kind").loc["ratio"]
    row = fit.tidy().set_index("term").loc["arm[T.b]"]
    assert ratio["estimate"] == pytest.approx(np.exp(row["estimate"])) and ratio["std_error"] == pytest.approx(
        np.exp(row["estimate"]) * row["std_error"]
    )


@pytest.mark.parametrize(
    "fit", [lambda d: asp.lmm("y ~ arm + x + (1 | inst)", d), lambda d: asp.ols("y ~ arm + x", d, cluster="inst")]
)
def test_of_a_linear_model_the_difference_is_the_coefficient(frame, fit):
    made = fit(frame)
    row, coefficient = made.average_effects("arm").set_index("kind").loc["difference"], made.contrast("arm[T.b]")
    for name in ("estimate", "std_error", "df", "p_value"):
        assert row[name] == pytest.approx(getattr(coefficient, name))


def test_bands_change_in_shares_that_add_up_to_nothing(frame):
    fit = asp.clmm("band ~ arm + x + (1 | inst)", frame)
    table = fit.average_effects("arm")
    shares = table[table["kind"] == "risk"]
    np.testing.assert_allclose(shares.groupby("arm")["estimate"].sum(), 1.0, atol=1e-10)
    change = table[table["kind"] == "difference"]
    assert change["band"].tolist() == ["low", "mid", "high"] and change["estimate"].sum() == pytest.approx(0, abs=1e-10)
    sd, c = np.sqrt(fit.variance_components()["variance"].iloc[0]), fit.threshold_estimates
    eta = fit.predict(frame.assign(arm="b"), scale="link", random_effects=False)
    by_hand = np.mean(integrated(c[0] - eta, sd))
    assert shares.set_index(["arm", "band"])["estimate"]["b", "low"] == pytest.approx(by_hand, abs=1e-9)


def test_shares_have_the_delta_methods_standard_errors_too(frame):
    fit = asp.clmm("band ~ arm + x + (1 | inst)", frame)
    at, covariance = fit.latent.parameters, fit.latent.covariance
    points = np.polynomial.hermite_e.hermegauss(40)
    w, x = points[1] / points[1].sum(), frame["x"].to_numpy()

    def change(p):
        low = [(special.expit((p[3] - p[1] * x - p[0] * arm)[:, None] + p[2] * points[0]) @ w).mean() for arm in (0, 1)]
        return low[1] - low[0]

    h = 1e-5
    gradient = np.array([(change(at + h * e) - change(at - h * e)) / (2 * h) for e in np.eye(len(at))])
    row = fit.average_effects("arm").query("kind == 'difference' and band == 'low'").iloc[0]
    assert row["estimate"] == pytest.approx(change(at), abs=1e-10)
    assert row["std_error"] == pytest.approx(np.sqrt(gradient @ covariance @ gradient), rel=1e-6)


def test_trials_count_as_children(frame):
    grouped = frame.groupby(["inst", "arm", "sex"], as_index=False)["yes"].agg(["mean", "size"])
    grouped["inst"] = grouped["inst"].astype(int)
    rows = asp.glmm("yes ~ arm + sex + (1 | inst)", frame).average_effects("arm")
    sums = asp.glmm("mean ~ arm + sex + (1 | inst)", grouped, weights="size").average_effects("arm")
    np.testing.assert_allclose(rows["estimate"], sums["estimate"], rtol=1e-5)
    np.testing.assert_allclose(rows["std_error"], sums["std_error"], rtol=1e-4)


def test_a_marginal_model_is_averaged_as_it_is(frame):
    fit = asp.gee("yes ~ arm + x", frame, cluster="inst", family="binomial")
    row = fit.average_effects("arm").set_index("kind").loc["difference"]
    by_hand = fit.predict(frame.assign(arm="b")).mean() - fit.predict(frame.assign(arm="a")).mean()
    assert row["estimate"] == pytest.approx(by_hand) and row["df"] == 13 and row["method"] == "ManclDeRouen"


def test_over_some_rows(frame):
    fit = asp.glmm("yes ~ arm * sex + x + (1 | inst)", frame)
    boys = frame[frame["sex"] == "m"]
    got = fit.average_effects("arm", over="sex == 'm'", population="conditional").set_index("kind")["estimate"]
    by_hand = [fit.predict(boys.assign(arm=a), random_effects=False).mean() for a in "ab"]
    assert got["difference"] == pytest.approx(by_hand[1] - by_hand[0])


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda f: f.average_effects("x"), "FIT-113"),
        (lambda f: f.average_effects("arm", population="all"), "FIT-114"),
        (lambda f: f.average_effects("arm", over="sex == 'none'"), "FIT-115"),
        (lambda f: f.average_effects("town"), "FIT-120"),
        (lambda f: f.average_effects("arm", over="sex in f"), "DOC-021"),
        (lambda f: f.average_effects("arm", method="t"), "FIT-006"),
    ],
)
def test_what_cannot_be_averaged_is_refused(frame, ask, code):
    with pytest.raises(asp.Refusal, match=code):
        ask(asp.glmm("yes ~ arm + x + (1 | inst)", frame))


def test_a_category_without_rows_in_an_interaction_has_no_average(frame):
    rows = frame[(frame["arm"] != "b") | (frame["sex"] != "m")]
    table = asp.lmm("y ~ arm * sex + (1 | inst)", rows).average_effects("arm").set_index("kind")
    assert np.isnan(table.loc["difference", "estimate"]) and "not estimable" in table.loc["difference", "note"]


@pytest.fixture(scope="module")
def twenty(frame) -> pd.DataFrame:
    more = frame[frame["inst"] < 5].assign(inst=lambda f: f["inst"] + 16)
    return pd.concat([frame, more], ignore_index=True).groupby("inst").head(8)


def test_resampled_clusters_are_those_of_a_loop(twenty):  # 6
    formula, B, level = "yes ~ arm + x + (1 | inst)", 20, 0.8
    method = asp.ResampledClusters(draws=B, seed=4)
    table = asp.glmm(formula, twenty, n_quadrature=1).average_effects("arm", method=method, level=level).set_index("kind")
    of = twenty.groupby("inst")["arm"].first()
    found = []
    for r in range(B):
        random = stream(4, "clusters", r)
        picked = [i for arm in "ab" for i in random.choice(of.index[of == arm].to_numpy(), int((of == arm).sum()))]
        parts = [twenty[twenty["inst"] == i].assign(inst=k) for k, i in enumerate(picked)]
        again = asp.glmm(formula, pd.concat(parts), n_quadrature=1)
        sd = np.sqrt(again.variance_components()["variance"].iloc[0])
        z, w = np.polynomial.hermite_e.hermegauss(40)
        risk = {}
        for arm in "ab":
            eta = again.predict(pd.concat(parts).assign(arm=arm), scale="link", random_effects=False)
            risk[arm] = (special.expit(eta[:, None] + sd * z) @ (w / w.sum())).mean()
        found.append((risk["b"] - risk["a"], np.log(risk["b"] / risk["a"]), *again.params))
    difference, log_ratio, *coefficients = np.array(found).T
    tidy = asp.glmm(formula, twenty, n_quadrature=1).tidy(method, level)
    for own, (_, line) in zip(coefficients, tidy.iterrows(), strict=True):
        assert line["std_error"] == pytest.approx(own.std(ddof=1), rel=1e-6) and line["method"] == "ResampledClusters"
        assert (line["conf_low"], line["conf_high"]) == pytest.approx(tuple(np.quantile(own, [0.1, 0.9])), rel=1e-6)
        assert line["p_value"] == pytest.approx(min(1.0, 2 * (1 + min((own <= 0).sum(), (own >= 0).sum())) / (1 + B)))
    row = table.loc["difference"]
    assert row["std_error"] == pytest.approx(difference.std(ddof=1), rel=1e-6)
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(tuple(np.quantile(difference, [0.1, 0.9])), rel=1e-6)
    side = min((difference <= 0).sum(), (difference >= 0).sum())
    assert row["p_value"] == pytest.approx(min(1.0, 2 * (1 + side) / (1 + B)))
    ratio = table.loc["ratio"]
    assert (ratio["conf_low"], ratio["conf_high"]) == pytest.approx(tuple(np.exp(np.quantile(log_ratio, [0.1, 0.9]))), rel=1e-6)
    assert ratio["std_error"] == pytest.approx(ratio["estimate"] * log_ratio.std(ddof=1), rel=1e-6)
    assert table["note"].str.contains("20 draws of 21 clusters").all() and set(table["method"]) == {"ResampledClusters"}


def test_too_few_draws_that_could_be_fitted_give_no_interval():  # 6
    draws = np.random.default_rng(1).normal(size=(19, 2))
    found = _percentiles(np.zeros(2), draws, 0.95, None, tested=True)
    assert all(np.isnan(found[name]).all() for name in ("std_error", "conf_low", "conf_high", "p_value"))
    enough = _percentiles(np.zeros(2), np.vstack([draws, draws[:1]]), 0.95, None, tested=True)
    assert not np.isnan(enough["conf_low"]).any()


def test_clusters_are_resampled_of_bands_and_refused_where_too_few(frame, twenty):  # 6
    method = asp.ResampledClusters(draws=20)
    rows = asp.clmm("band ~ arm + (1 | inst)", twenty).average_effects("arm", method=method).query("kind == 'difference'")
    assert rows["estimate"].sum() == pytest.approx(0, abs=1e-9) and (rows["conf_low"] < rows["conf_high"]).all()
    with pytest.raises(asp.Refusal, match="FIT-135"):
        asp.glmm("yes ~ arm + (1 | inst)", frame).average_effects("arm", method=method)
    with pytest.raises(asp.Refusal, match="FIT-136"):
        asp.ResampledClusters(draws=5)
    with pytest.raises(asp.Refusal, match="FIT-137"):
        asp.lmm("y ~ arm + (1 | inst)", twenty).average_effects("arm", method=method)
    with pytest.raises(asp.Refusal, match="FIT-137"):
        asp.lmm("y ~ arm + (1 | inst)", twenty).contrast("arm[T.b]", method)


@pytest.mark.slow  # a coefficient of a share is tested in the loop above
def test_clusters_are_resampled_of_a_coefficient_of_bands(twenty):  # 6
    row = asp.clmm("band ~ arm + (1 | inst)", twenty).contrast("arm[T.b]", asp.ResampledClusters(draws=20))
    assert row.conf_low < row.estimate < row.conf_high and "20 draws of 21 clusters" in row.note
