"""Intervals, simulation, intraclass correlations and permutation of generalised and ordinal mixed models.

1. A profile interval ends where the refitted likelihood has fallen by the chi-square quantile.
2. The bootstrap's standard errors are near the model's, and the same seed gives the same numbers.
3. Simulated outcomes have the model's mean and correlation within groups.
4. The permutation test's p-values are uniform over all allocations of one data set: exact.
5. The type III test of a term is the square of the one contrast it holds, an average over the other factor's categories.
6. What cannot be compared is refused: other likelihoods, rows, kinds of fit and of residuals.
7. Residuals squared add up to Pearson's statistic and to the deviance, row by row by hand.
"""

import itertools

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import special

import asp_eval
from asp_eval import Allocations, Permutation
from asp_eval.core.errors import Refusal

FORMULA = "y ~ arm + x + (1 | inst)"


def trial(seed=1, groups=16, size=20, sd=0.8):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    frame = pd.DataFrame({"inst": [f"i{v:02d}" for v in g], "arm": np.where(g % 2, "new", "old"), "x": rng.normal(size=len(g))})
    eta = -0.4 + 0.5 * frame["x"] + sd * rng.normal(size=groups)[g]
    frame["y"] = rng.binomial(1, special.expit(eta))
    frame["band"] = pd.cut(eta + rng.logistic(size=len(g)), [-np.inf, -1, 0.5, np.inf], labels=["low", "middle", "high"])
    return frame


def test_a_profile_interval_ends_where_the_likelihood_has_fallen():
    frame = trial()
    fit = asp_eval.glmm(FORMULA, frame, n_quadrature=9)
    table = fit.profile_intervals().set_index(["quantity", "term1"])
    for end in ("conf_low", "conf_high"):
        value = table.loc[("coefficient", "arm[T.old]"), end]
        held = frame.assign(o=value * (frame["arm"] == "old"))
        refitted = asp_eval.glmm("y ~ x + offset(o) + (1 | inst)", held, n_quadrature=9)
        assert 2 * (fit.log_likelihood - refitted.log_likelihood) == pytest.approx(special.chdtri(1, 0.05), abs=1e-4)
    low, high = table.loc[("sd", "Intercept"), ["conf_low", "conf_high"]].astype(float)
    assert low < np.sqrt(fit.variance_components()["variance"].iloc[0]) < high


def test_a_profile_of_a_standard_deviation_reaches_zero_where_the_data_allow_it():
    table = asp_eval.glmm(FORMULA, trial(sd=0.0, seed=3)).profile_intervals().set_index("quantity")
    assert table.loc["sd", "conf_low"] == 0.0
    assert table.loc["sd", "conf_high"] > 0.1


@pytest.mark.parametrize("kind", ["glmm", "clmm"])
def test_the_bootstrap_is_near_the_model_and_repeats(kind):
    fit = asp_eval.glmm(FORMULA, trial()) if kind == "glmm" else asp_eval.clmm("band ~ arm + x + (1 | inst)", trial())
    many = fit.bootstrap(draws=30, seed=4)
    table = many.tidy()
    own = table[table["quantity"] == "coefficient"]
    np.testing.assert_allclose(own["std_error"], np.sqrt(np.diag(fit.model_covariance)), rtol=0.35)
    again = fit.bootstrap(draws=2, seed=4)
    np.testing.assert_array_equal(again.replicates, fit.bootstrap(draws=2, seed=4).replicates)
    with joblib.parallel_config(backend="threading"):  # whatever the back end and the number of workers, the same bits
        np.testing.assert_array_equal(fit.bootstrap(draws=30, seed=4, workers=2).replicates, many.replicates)
    with pytest.raises(Refusal):
        fit.bootstrap(draws=2, workers=0)


@pytest.mark.slow
def test_processes_give_the_same_bits():
    fit = asp_eval.glmm(FORMULA, trial())
    alone = fit.bootstrap(draws=45, seed=4).replicates
    for workers in (2, 3):
        np.testing.assert_array_equal(fit.bootstrap(draws=45, seed=4, workers=workers).replicates, alone)


def test_simulated_outcomes_have_the_models_mean_and_correlation():
    frame = trial(groups=20, size=10)
    fit = asp_eval.glmm("y ~ 1 + (1 | inst)", frame)
    drawn = fit.simulate(draws=1500, seed=2).reshape(1500, 20, 10)
    sd = float(np.sqrt(fit.variance_components()["variance"].iloc[0]))
    u, w = np.polynomial.hermite_e.hermegauss(40)
    p = special.expit(fit.estimate[0] + sd * u) @ (w / w.sum())
    assert drawn.mean() == pytest.approx(p, abs=0.01)
    centred = drawn - p
    pairs = (centred.sum(axis=2) ** 2 - (centred**2).sum(axis=2)).mean() / 90
    assert pairs / (p * (1 - p)) == pytest.approx(fit.icc(scale="observed").estimate, abs=0.01)


def test_intraclass_correlations_by_their_formulas():
    fit = asp_eval.glmm(FORMULA, trial(), link="probit")
    variance = float(fit.variance_components()["variance"].iloc[0])
    found = fit.icc()
    assert found.estimate == pytest.approx(variance / (variance + 1.0))
    assert found.conf_low < found.estimate < found.conf_high
    assert fit.icc(scale="observed").estimate < found.estimate
    ordinal = asp_eval.clmm("band ~ arm + x + (1 | inst)", trial())
    variance = float(ordinal.variance_components()["variance"].iloc[0])
    assert ordinal.icc().estimate == pytest.approx(variance / (variance + np.pi**2 / 3))
    assert asp_eval.glmm(FORMULA, trial(), link="log").icc().estimate is None


@pytest.mark.parametrize(
    ("formula", "nodes"), [("y ~ arm + x + (1 | inst)", 1), ("y ~ arm + x + (1 | inst)", 5), ("band ~ arm + x + (1 | inst)", 1)]
)
def test_permutation_is_exact(formula, nodes):
    frame = trial(groups=6, size=16, seed=2)
    g = np.repeat(np.arange(6), 16)
    every = np.array([[i in chosen for i in range(6)] for chosen in itertools.combinations(range(6), 3)])
    method = Permutation("arm", Allocations(tuple(sorted(frame["inst"].unique())), every, enumerated=True))
    fit = asp_eval.clmm if formula.startswith("band") else asp_eval.glmm
    found = []
    for allocation in every[: len(every) // 2]:  # the other half mirrors it
        arms = frame.assign(arm=np.where(allocation[g], "new", "old"))
        found.append(fit(formula, arms, n_quadrature=nodes).contrast("arm[T.old]", method).p_value)
    np.testing.assert_allclose(np.sort(found), np.arange(2, 21, 2) / 20, atol=1e-12)


def test_permutation_keeps_the_estimate_and_says_what_it_cannot():
    frame = trial(groups=8)
    every = np.array([[i in chosen for i in range(8)] for chosen in itertools.combinations(range(8), 4)])
    method = Permutation("arm", Allocations(tuple(sorted(frame["inst"].unique())), every, enumerated=True))
    fit = asp_eval.glmm(FORMULA, frame)
    table = fit.tidy(method).set_index("term")
    assert table.loc["arm[T.old]", "estimate"] == pytest.approx(fit.estimate[1])
    assert "score" in table.loc["arm[T.old]", "note"]
    assert np.isnan(table.loc["x", "p_value"])
    assert table.loc["x", "note"]
    assert asp_eval.glmm("y ~ arm * x + (1 | inst)", frame).contrast("arm[T.old]", method).p_value is None


def test_methods_of_linear_models_say_why_they_have_no_answer():
    fit = asp_eval.glmm(FORMULA, trial())
    for method in (asp_eval.KenwardRoger(), asp_eval.Satterthwaite(), asp_eval.CR2()):
        row = fit.contrast("arm[T.old]", method)
        assert row.p_value is None
        assert row.note


@pytest.mark.parametrize("kind", ["glmm", "clmm"])
def test_a_fit_prints_like_a_summary(kind):
    fit = asp_eval.glmm(FORMULA, trial()) if kind == "glmm" else asp_eval.clmm("band ~ arm + x + (1 | inst)", trial())
    shown = str(fit)
    assert "Random effects:" in shown
    assert "groups: inst, 16" in shown
    assert ("low|middle" in shown) == (kind == "clmm")


def test_few_groups_are_said_with_the_way_out():
    assert any("permutation" in n for n in asp_eval.glmm(FORMULA, trial(groups=19)).notes)
    assert not any("permutation" in n for n in asp_eval.glmm(FORMULA, trial(groups=20)).notes)


@pytest.mark.parametrize(("outcome", "fit"), [("y", asp_eval.glmm), ("band", asp_eval.clmm)])
def test_a_term_is_the_average_over_the_other_factor(outcome, fit):  # 5
    frame = trial().assign(sex=np.resize(["boy", "girl", "girl"], 320))
    found = fit(f"{outcome} ~ arm * sex + x + (1 | inst)", frame)
    table = found.anova().set_index("term")
    for term in ("arm", "sex"):
        (row,) = found.marginal_contrasts(term).to_dict("records")
        assert table.loc[term, "statistic"] == pytest.approx(row["statistic"] ** 2, rel=1e-9)
        assert table.loc[term, "p_value"] == pytest.approx(row["p_value"], rel=1e-9)
    assert table.loc["arm", "df_denominator"] == found.contrast("arm[T.old]").df and np.isinf(table.loc["x", "df_denominator"])
    again = fit(f"{outcome} ~ C(arm, Sum) * C(sex, Sum) + x + (1 | inst)", frame).anova()
    assert again["statistic"].to_numpy() == pytest.approx(table["statistic"].to_numpy(), rel=1e-3)


def test_what_cannot_be_compared_is_refused():  # 6
    frame = trial()
    fit = asp_eval.glmm(FORMULA, frame)
    small = "y ~ arm + (1 | inst)"
    others = {
        "FIT-151": (asp_eval.lmm(FORMULA, frame), asp_eval.clmm("band ~ x + (1 | inst)", frame), "y ~ x"),
        "FIT-152": (asp_eval.glmm(small, frame, link="probit"), asp_eval.glmm(small, frame, n_quadrature=9)),
        "FIT-057": (asp_eval.glmm(small, frame[:300]),),
        "FIT-038": (asp_eval.glmm(small, frame.assign(y=1 - frame["y"])),),
        "FIT-058": (asp_eval.glmm(FORMULA, frame),),
    }
    for code, fits in others.items():
        for other in fits:
            with pytest.raises(asp_eval.Refusal, match=code):
                fit.anova(other)
    for kind in ("working", None, ["pearson"]):
        with pytest.raises(asp_eval.Refusal, match="FIT-153"):
            fit.residuals_by(kind)
    no_constant = asp_eval.clmm("band ~ 0 + arm + x + (1 | inst)", frame).anova()
    assert no_constant["statistic"].isna().all() and no_constant["note"].str.contains("intercept").all()


def test_residuals_add_up():  # 7
    frame = trial().assign(falls=np.random.default_rng(2).binomial(3, 0.5, 320))
    fit = asp_eval.glmm(FORMULA, frame)
    p, y = fit.fitted, frame["y"].to_numpy()
    assert fit.residuals_by("pearson") == pytest.approx((y - p) / np.sqrt(p * (1 - p)))
    assert fit.residuals_by("deviance") == pytest.approx(np.where(y, 1, -1) * np.sqrt(-2 * np.log(np.where(y, p, 1 - p))))
    many = asp_eval.glmm("falls ~ arm + (1 | inst)", frame, family="negative-binomial")
    few = asp_eval.glmm("falls ~ arm + (1 | inst)", frame, family="poisson")
    assert many.dispersion == np.inf and many.residuals_by("deviance") == pytest.approx(few.residuals_by("deviance"), abs=1e-4)
