"""Generalised linear mixed models: what must hold whatever the data.

1. Row order, names of groups and units of covariates change nothing.
2. Grouped rows equal their single rows.
3. Quadrature with many points equals brute-force integration; Laplace equals it as the information grows.
4. The gradient is the criterion's: the estimate does not depend on where the search begins.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import special

import asp_eval
from asp_eval import Normal


def trial(seed=1, groups=16, size=12, sd=0.6):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    n = len(g)
    frame = pd.DataFrame(
        {
            "inst": [f"i{v:02d}" for v in g],
            "arm": np.where(g % 2, "new", "old"),
            "x": rng.normal(size=n),
            "room": [f"{v}r{k % 3}" for k, v in enumerate(g)],
            "hours": rng.uniform(0.5, 2.0, n),
        }
    )
    frame["eta"] = -0.4 + 0.5 * frame["x"] + 0.3 * (g % 2) + sd * rng.normal(size=groups)[g]
    frame["y"] = rng.binomial(1, special.expit(frame["eta"]))
    frame["count"] = rng.poisson(frame["hours"] * np.exp(frame["eta"]))
    return frame


FORMULA = "y ~ arm + x + (1 | inst)"


def same(a, b, tolerance=1e-6):
    one, other = a.tidy(Normal()), b.tidy(Normal())
    np.testing.assert_allclose(one["estimate"], other["estimate"], atol=tolerance)
    np.testing.assert_allclose(one["std_error"], other["std_error"], rtol=1e-5)
    assert a.log_likelihood == pytest.approx(b.log_likelihood, abs=1e-8)


@pytest.mark.parametrize("nodes", [1, 9])
def test_row_order_and_names_of_groups_change_nothing(nodes):
    frame = trial()
    fit = asp_eval.glmm(FORMULA, frame, n_quadrature=nodes)
    shuffled = frame.sample(frac=1.0, random_state=3)
    same(fit, asp_eval.glmm(FORMULA, shuffled, n_quadrature=nodes))
    renamed = frame.assign(inst=frame["inst"].map({v: f"z{hash(v) % 997}{v[::-1]}" for v in frame["inst"].unique()}))
    same(fit, asp_eval.glmm(FORMULA, renamed, n_quadrature=nodes))
    back = asp_eval.glmm(FORMULA, shuffled, n_quadrature=nodes)
    np.testing.assert_allclose(back.fitted, fit.predict(shuffled), atol=1e-6)


def test_units_and_origin_of_a_covariate_change_only_its_own_coefficient():
    frame = trial()
    fit = asp_eval.glmm(FORMULA, frame)
    moved = asp_eval.glmm(FORMULA, frame.assign(x=1e6 + 1000.0 * frame["x"]))
    assert moved.estimate[2] * 1000.0 == pytest.approx(fit.estimate[2], rel=1e-6)
    assert moved.estimate[1] == pytest.approx(fit.estimate[1], rel=1e-6)
    assert moved.log_likelihood == pytest.approx(fit.log_likelihood, abs=1e-7)
    slope = "y ~ arm + x + (1 + x | inst)"
    one, other = asp_eval.glmm(slope, frame), asp_eval.glmm(slope, frame.assign(x=2007.0 + 5.0 * frame["x"]))
    assert other.log_likelihood == pytest.approx(one.log_likelihood, abs=1e-7)
    variances = [f.variance_components().set_index(["term1", "term2"])["variance"] for f in (one, other)]
    assert variances[1]["x", ""] * 25.0 == pytest.approx(variances[0]["x", ""], rel=1e-4)


@pytest.mark.parametrize("nodes", [1, 7])
def test_grouped_rows_equal_their_single_rows(nodes):
    frame = trial(size=40).assign(x=lambda d: (d["x"] > 0).astype(float))
    grouped = frame.groupby(["inst", "arm", "x"], as_index=False)["y"].agg(["sum", "count"]).reset_index()
    grouped["share"] = grouped["sum"] / grouped["count"]
    single = asp_eval.glmm(FORMULA, frame, n_quadrature=nodes)
    together = asp_eval.glmm("share ~ arm + x + (1 | inst)", grouped, weights="count", n_quadrature=nodes)
    np.testing.assert_allclose(single.estimate, together.estimate, atol=1e-7)
    np.testing.assert_allclose(single.model_covariance, together.model_covariance, rtol=1e-5)
    n, k = grouped["count"], grouped["sum"]
    orders = float((special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)).sum())
    assert together.log_likelihood - orders == pytest.approx(single.log_likelihood, abs=1e-8)


def brute_force(fit, frame, log_row):
    """The log likelihood of a random intercept model at the fit's estimates, by the trapezoidal rule in u."""
    sd = float(np.sqrt(fit.variance_components()["variance"].iloc[0]))
    u = np.linspace(-9, 9, 4001)
    eta = fit.predict(frame, scale="link", random_effects=False)
    total = 0.0
    for _, rows in frame.assign(eta=eta).groupby("inst"):
        height = log_row(rows, rows["eta"].to_numpy()[:, None] + sd * u).sum(axis=0) - u**2 / 2 - 0.5 * np.log(2 * np.pi)
        total += special.logsumexp(height) + np.log(u[1] - u[0])
    return total


def binomial_row(probability):
    def row(rows, eta):
        p = probability(eta)
        return np.where(rows["y"].to_numpy()[:, None] == 1, np.log(p), np.log1p(-p))

    return row


def poisson_row(rows, eta):
    y = rows["count"].to_numpy()[:, None]
    return y * eta - np.exp(eta) - special.gammaln(y + 1)


@pytest.mark.parametrize(
    ("link", "probability"), [("logit", special.expit), ("probit", special.ndtr), ("cloglog", lambda e: -np.expm1(-np.exp(e)))]
)
def test_quadrature_equals_brute_force_integration(link, probability):
    frame = trial(groups=12)
    fit = asp_eval.glmm(FORMULA, frame, link=link, n_quadrature=31)
    assert fit.log_likelihood == pytest.approx(brute_force(fit, frame, binomial_row(probability)), abs=1e-7)
    few = asp_eval.glmm(FORMULA, frame, link=link, n_quadrature=3)
    assert abs(few.log_likelihood - fit.log_likelihood) > 1e-6  # the test can tell


def test_quadrature_equals_brute_force_integration_for_counts_with_an_offset():
    frame = trial(groups=12).assign(log_hours=lambda d: np.log(d["hours"]))
    fit = asp_eval.glmm("count ~ arm + x + offset(log_hours) + (1 | inst)", frame, family="poisson", n_quadrature=31)
    assert fit.log_likelihood == pytest.approx(brute_force(fit, frame, poisson_row), abs=1e-7)
    k = 2.5

    def row(rows, eta):
        y, mu = rows["count"].to_numpy()[:, None], np.exp(eta)
        choose = special.gammaln(y + k) - special.gammaln(k) - special.gammaln(y + 1)
        return choose + k * np.log(k / (k + mu)) + y * np.log(mu / (k + mu))

    rng = np.random.default_rng(4)
    frame["count"] = rng.negative_binomial(1.5, 1.5 / (1.5 + frame["hours"] * np.exp(frame["eta"])))
    fit = asp_eval.glmm("count ~ arm + x + offset(log_hours) + (1 | inst)", frame, family="negative-binomial", n_quadrature=31)
    k = fit.dispersion
    assert fit.log_likelihood == pytest.approx(brute_force(fit, frame, row), abs=1e-7)


MODELS = [
    ("y ~ arm + x + (1 | inst/room)", "binomial", "logit"),
    ("y ~ arm + x + (1 + x | inst) + (1 | room)", "binomial", "probit"),
    ("y ~ arm + x + (1 | inst) + (0 + x | inst)", "binomial", "cloglog"),
    ("y ~ arm + x + (1 | inst) + (1 | rater)", "binomial", "logit"),
    ("count ~ arm + x + (1 | inst) + (1 + x | rater)", "poisson", "log"),
    ("count ~ arm + x + (1 | inst/room)", "negative-binomial", "log"),
]


@pytest.mark.parametrize(("formula", "family", "link"), MODELS)
def test_the_estimate_is_where_the_numerical_slope_is_nil(formula, family, link):
    frame = trial(seed=5, groups=20, size=18, sd=0.8).assign(rater=lambda d: np.arange(len(d)) * 7 % 11)
    fit = asp_eval.glmm(formula, frame, family=family, link=link)
    assert fit.converged
    from asp_eval.stats.integration.laplace import laplace

    model, x = fit.latent.model, fit.latent.maximum.x
    slope = [(laplace(model, x + e).value - laplace(model, x - e).value) / 2e-4 for e in np.eye(len(x)) * 1e-4]
    np.testing.assert_allclose(slope, 0.0, atol=2e-5)


def test_terms_constant_within_groups_have_t_and_the_others_z():
    fit = asp_eval.glmm("y ~ arm + x + (1 | inst)", trial())
    table = fit.tidy().set_index("term")
    assert table.loc["arm[T.old]", "df"] == 16 - 2
    assert table.loc["arm[T.old]", "method"] == "BetweenWithin"
    assert np.isinf(table.loc["x", "df"])
    assert table.loc["x", "method"] == "Normal"
