"""Cumulative link mixed models: what must hold whatever the data.

1. Row order, names of groups and units of covariates change nothing; categories in reverse change the signs alone.
2. Two categories are a binomial model.  3. Quadrature with many points equals brute-force integration.
4. Equidistant thresholds lie at equal steps and are the flexible ones' model with fewer parameters.
5. What has no answer is refused in words.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import special

import asp_eval
from asp_eval import Normal, Refusal
from asp_eval.stats.integration.laplace import laplace
from asp_eval.stats.integration.quadrature import quadrature
from tests.products import each_value

FORMULA = "band ~ arm + x + (1 | inst)"
BANDS = ["low", "middle", "high", "top"]


def trial(seed=1, groups=14, size=15, sd=0.7):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    frame = pd.DataFrame({"inst": [f"i{v:02d}" for v in g], "arm": np.where(g % 2, "old", "new"), "x": rng.normal(size=len(g))})
    latent = 0.6 * (g % 2) + 0.4 * frame["x"] + sd * rng.normal(size=groups)[g] + rng.logistic(size=len(g))
    frame["band"] = pd.cut(latent, [-np.inf, -0.8, 0.5, 2.0, np.inf], labels=BANDS)
    frame["rater"] = np.arange(len(g)) * 7 % 9
    return frame


@pytest.mark.parametrize("nodes", [1, 9])
def test_row_order_and_units_change_nothing(nodes):
    frame = trial()
    fit = asp_eval.clmm(FORMULA, frame, n_quadrature=nodes)
    other = asp_eval.clmm(
        FORMULA, frame.sample(frac=1.0, random_state=2).assign(x=lambda d: 1e5 + 10 * d["x"]), n_quadrature=nodes
    )
    np.testing.assert_allclose(other.estimate * [1, 10], fit.estimate, atol=1e-6)
    np.testing.assert_allclose(other.threshold_estimates - 1e5 * other.estimate[1], fit.threshold_estimates, atol=1e-4)
    np.testing.assert_allclose(other.predict(frame.assign(x=1e5 + 10 * frame["x"])), fit.predict(frame), atol=1e-6)


@pytest.mark.parametrize("link", ["logit", "probit"])
def test_categories_in_reverse_change_the_signs_alone(link):
    frame = trial()
    fit = asp_eval.clmm(FORMULA, frame, link=link)
    turned = asp_eval.clmm(FORMULA, frame.assign(band=frame["band"].cat.reorder_categories(BANDS[::-1], ordered=True)), link=link)
    np.testing.assert_allclose(turned.estimate, -fit.estimate, atol=1e-6)
    np.testing.assert_allclose(turned.threshold_estimates, -fit.threshold_estimates[::-1], atol=1e-6)
    np.testing.assert_allclose(turned.model_covariance, fit.model_covariance, rtol=1e-5)


@pytest.mark.parametrize(("link", "nodes"), [("logit", 1), ("logit", 9), ("probit", 9), ("cloglog", 25)])
def test_two_categories_are_a_binomial_model(link, nodes):
    frame = trial().assign(band=lambda d: (d["band"].cat.codes > 1).astype(int))
    fit = asp_eval.clmm(FORMULA, frame, link=link, n_quadrature=nodes)
    upside = frame if link != "cloglog" else frame.assign(band=1 - frame["band"])  # P(y <= 0) is what F speaks of
    binary = asp_eval.glmm(FORMULA, upside, link=link, n_quadrature=nodes)
    sign = -1.0 if link == "cloglog" else 1.0
    assert fit.log_likelihood == pytest.approx(binary.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(fit.estimate, sign * binary.estimate[1:], atol=1e-6)
    np.testing.assert_allclose(fit.threshold_estimates, -sign * binary.estimate[:1], atol=1e-6)
    np.testing.assert_allclose(fit.tidy(Normal())["std_error"], binary.tidy(Normal())["std_error"][1:], rtol=3e-5)


@pytest.mark.parametrize(("link", "F"), [("logit", special.expit), ("probit", special.ndtr)])
def test_quadrature_equals_brute_force_integration(link, F):
    frame = trial()
    fit = asp_eval.clmm(FORMULA, frame, link=link, n_quadrature=31)
    sd = float(np.sqrt(fit.variance_components()["variance"].iloc[0]))
    u = np.linspace(-9, 9, 3001)
    cuts = np.concatenate([[-np.inf], fit.threshold_estimates, [np.inf]])
    total = 0.0
    for _, rows in frame.assign(eta=fit.predict(frame, scale="link", random_effects=False)).groupby("inst"):
        eta, y = rows["eta"].to_numpy()[:, None] + sd * u, rows["band"].cat.codes.to_numpy()
        p = F(cuts[y + 1][:, None] - eta) - F(cuts[y][:, None] - eta)
        total += special.logsumexp(np.log(p).sum(axis=0) - u**2 / 2 - 0.5 * np.log(2 * np.pi)) + np.log(u[1] - u[0])
    assert fit.log_likelihood == pytest.approx(total, abs=1e-7)
    assert abs(asp_eval.clmm(FORMULA, frame, link=link).log_likelihood - total) > 1e-4  # the test can tell


def test_equidistant_thresholds_lie_at_equal_steps():
    frame = trial()
    fit = asp_eval.clmm(FORMULA, frame, thresholds="equidistant")
    steps = np.diff(fit.threshold_estimates)
    assert steps[0] == pytest.approx(steps[1])
    flexible = asp_eval.clmm(FORMULA, frame)
    assert fit.n_parameters == flexible.n_parameters - 1
    assert flexible.log_likelihood > fit.log_likelihood
    three = frame.assign(
        band=frame["band"].astype(str).replace("top", "high").astype(pd.CategoricalDtype(BANDS[:3], ordered=True))
    )
    one, other = (asp_eval.clmm(FORMULA, three, thresholds=kind) for kind in ("flexible", "equidistant"))
    assert one.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-8)
    np.testing.assert_allclose(one.joint_covariance, other.joint_covariance, atol=1e-6)


@pytest.mark.parametrize(
    ("link", "formula"),
    each_value(["logit", "probit", "cloglog"], ["band ~ arm + x + (1 + x | inst)", "band ~ arm + x + (1 | inst) + (1 | rater)"]),
)
def test_the_estimate_is_where_the_numerical_slope_is_nil(formula, link):
    fit = asp_eval.clmm(formula, trial(groups=20, sd=0.9), link=link)
    assert fit.converged
    model, x = fit.latent.model, fit.latent.maximum.x
    slope = [(laplace(model, x + e).value - laplace(model, x - e).value) / 2e-4 for e in np.eye(len(x)) * 1e-4]
    np.testing.assert_allclose(slope, 0.0, atol=2e-5)


def test_the_gradient_of_quadrature_is_the_criterions():
    fit = asp_eval.clmm(FORMULA, trial(), link="probit", n_quadrature=5)
    model, x = fit.latent.model, fit.latent.maximum.x + 0.1
    slope = [(quadrature(model, x + e, 5).value - quadrature(model, x - e, 5).value) / 2e-5 for e in np.eye(len(x)) * 1e-5]
    np.testing.assert_allclose(quadrature(model, x, 5).gradient, slope, atol=1e-5)


def test_degrees_of_freedom_count_the_thresholds_as_the_constant():
    table = asp_eval.clmm(FORMULA, trial()).tidy().set_index("term")
    assert table["df"].tolist() == [14 - 2, np.inf]
    assert table["method"].tolist() == ["BetweenWithin", "Normal"]


def test_categories_that_no_row_holds_are_left_out_and_named():
    frame = trial()
    wider = frame.assign(band=frame["band"].cat.add_categories("never"))
    fit = asp_eval.clmm(FORMULA, wider)
    assert fit.levels == tuple(BANDS)
    assert "never" in str(fit.notes[-1])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d.assign(band=d["band"].astype(str)), "FIT-102"),
        (lambda d: d.assign(band=d["x"]), "FIT-103"),
        (lambda d: d.assign(band=2), "FIT-104"),
        (lambda d: d.assign(band=pd.Categorical(np.where(d["arm"] == "new", "b", "a"), ordered=True)), "FIT-092"),
    ],
)
def test_what_has_no_answer_is_refused(change, code):
    with pytest.raises(Refusal) as refused:
        asp_eval.clmm(FORMULA, change(trial()))
    assert refused.value.problems[0].code == code


def test_unknown_links_and_thresholds_are_refused():
    with pytest.raises(Refusal, match="FIT-100"):
        asp_eval.clmm(FORMULA, trial(), link="cauchit")
    with pytest.raises(Refusal, match="FIT-101"):
        asp_eval.clmm(FORMULA, trial(), thresholds="symmetric")


def test_an_order_that_was_not_declared_is_said():
    frame = trial().assign(band=lambda d: pd.Categorical(d["band"].astype(str), categories=BANDS))
    assert "low < middle < high < top" in str(asp_eval.clmm(FORMULA, frame).notes)


def test_proportional_odds_is_tested_against_an_effect_at_each_threshold():
    frame = trial(groups=30, size=20)
    fit = asp_eval.clmm(FORMULA, frame)
    found = fit.proportional_odds_test("arm")
    assert found.df_numerator == 2
    assert found.p_value > 0.01  # the data were made so
    for name, columns in (("x", 2), ("arm[T.old]", 2)):
        assert fit.proportional_odds_test(name).df_numerator == columns
    high = frame["band"].cat.codes.to_numpy().copy()
    rng = np.random.default_rng(3)
    spread = (frame["arm"] == "old").to_numpy() & (rng.random(len(frame)) < 0.7)
    high[spread] = rng.choice([0, 3], spread.sum())  # the arm pulls to both ends: no single shift
    other = asp_eval.clmm(FORMULA, frame.assign(band=pd.Categorical.from_codes(high, BANDS, ordered=True)))
    assert other.proportional_odds_test("arm").p_value < 1e-4
    two = asp_eval.clmm(FORMULA, frame.assign(band=(frame["band"].cat.codes > 1).astype(int)))
    assert two.proportional_odds_test("arm").note
    with pytest.raises(Refusal, match="FIT-105"):
        fit.proportional_odds_test("sex")


def test_an_effect_at_each_threshold_has_the_criterions_gradient():
    from dataclasses import replace

    fit = asp_eval.clmm(FORMULA, trial())
    rows = replace(fit.rows, nominal=trial()[["x"]].to_numpy())
    model = replace(fit.latent.model, rows=rows.subset(fit.latent.model.cells.order))
    x = np.append(fit.latent.maximum.x, [0.1, -0.1])
    slope = [(laplace(model, x + e).value - laplace(model, x - e).value) / 2e-5 for e in np.eye(len(x)) * 1e-5]
    np.testing.assert_allclose(laplace(model, x).gradient, slope, atol=1e-5)
