"""What a generalised linear mixed model refuses, in words, and what it says beside a number.

1. Outcomes that their family cannot have.  2. Separation: the empty cell or the column is named.
3. Groups that are all the same.  4. A negative binomial without overdispersion, few events, two categories: notes.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import special

import asp_eval
from asp_eval import Refusal

FORMULA = "y ~ arm + x + (1 | inst)"


def trial():
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(12), 20)
    frame = pd.DataFrame({"inst": g, "arm": np.where(g % 2, "new", "old"), "x": rng.normal(size=240)})
    frame["sex"] = rng.choice(["boy", "girl"], 240)
    frame["y"] = rng.binomial(1, special.expit(-0.5 + 0.5 * rng.normal(size=12)[g]))
    frame["count"] = rng.poisson(1.5, 240)
    frame["size"] = 10
    return frame


@pytest.mark.parametrize(
    ("change", "options", "code"),
    [
        (lambda d: d.assign(y=0), {}, "FIT-089"),
        (lambda d: d.assign(y=1), {}, "FIT-089"),
        (lambda d: d.assign(y=d["count"]), {}, "FIT-084"),
        (lambda d: d.assign(y=np.resize(["a", "b", "c"], 240)), {}, "FIT-084"),
        (lambda d: d.assign(y=1.2), {"weights": "size"}, "FIT-085"),
        (lambda d: d.assign(y=-0.1), {"weights": "size"}, "FIT-085"),
        (lambda d: d.assign(y=0.33), {"weights": "size"}, "FIT-086"),
        (lambda d: d.assign(y=0.5, size=2.5), {"weights": "size"}, "FIT-087"),
        (lambda d: d.assign(y=d["count"] - 1), {"family": "poisson"}, "FIT-088"),
        (lambda d: d.assign(y=d["count"] + 0.5), {"family": "negative-binomial"}, "FIT-088"),
        (lambda d: d.assign(y=0), {"family": "poisson"}, "FIT-089"),
        (lambda d: d, {"family": "gamma"}, "FIT-082"),
        (lambda d: d, {"family": None}, "FIT-082"),
        (lambda d: d, {"family": "poisson", "link": "logit"}, "FIT-083"),
        (lambda d: d, {"n_quadrature": 0}, "FIT-090"),
        (lambda d: d, {"n_quadrature": 2.5}, "FIT-090"),
        (lambda d: d.assign(inst=1), {}, "FIT-044"),
        (lambda d: d.assign(y=(d["inst"] % 3 == 0).astype(int)), {}, "FIT-093"),
        (lambda d: d.assign(inst=np.arange(240)), {}, "FIT-093"),
    ],
)
def test_what_has_no_answer_is_refused(change, options, code):
    with pytest.raises(Refusal) as refused:
        asp_eval.glmm(FORMULA, change(trial()), **options)
    assert refused.value.problems[0].code == code


def test_quadrature_over_several_effects_is_refused():
    with pytest.raises(Refusal, match="FIT-091"):
        asp_eval.glmm("y ~ arm + (1 + x | inst)", trial(), n_quadrature=5)


@pytest.mark.parametrize("family", ["binomial", "poisson", "negative-binomial"])
@pytest.mark.parametrize("nodes", [1, 5])
def test_an_arm_without_events_is_named_with_its_numbers(family, nodes):
    frame = trial()
    column = "y" if family == "binomial" else "count"
    frame.loc[frame["arm"] == "new", column] = 0
    with pytest.raises(Refusal, match=r"0 events of (y|count) in 120 where arm = new"):
        asp_eval.glmm(f"{column} ~ arm + x + (1 | inst)", frame, family=family, n_quadrature=nodes)


def test_a_cell_of_two_factors_without_events_is_named():
    frame = trial()
    frame.loc[(frame["arm"] == "new") & (frame["sex"] == "boy"), "y"] = 1
    with pytest.raises(Refusal, match="arm = new, sex = boy"):
        asp_eval.glmm("y ~ arm * sex + (1 | inst)", frame)


def test_a_covariate_that_separates_is_named_alone():
    frame = trial().assign(y=lambda d: (d["x"] > 0.2).astype(int))
    with pytest.raises(Refusal, match="y follows from x without error"):
        asp_eval.glmm(FORMULA, frame)


def test_grouped_rows_are_separated_like_single_ones():
    frame = trial().assign(share=lambda d: np.where(d["arm"] == "new", 0.0, d["y"] * 0.3))
    with pytest.raises(Refusal, match="0 events of share in 1200 where arm = new"):
        asp_eval.glmm("share ~ arm + (1 | inst)", frame, weights="size")


def test_counts_without_overdispersion_are_poisson_and_say_so():
    frame = trial()
    fit = asp_eval.glmm("count ~ arm + x + (1 | inst)", frame, family="negative-binomial")
    poisson = asp_eval.glmm("count ~ arm + x + (1 | inst)", frame, family="poisson")
    assert fit.dispersion == np.inf
    assert fit.converged
    assert "Poisson" in str(fit.notes[-1])
    np.testing.assert_allclose(fit.estimate, poisson.estimate, atol=1e-6)
    assert fit.log_likelihood == pytest.approx(poisson.log_likelihood, abs=1e-5)


def test_few_events_are_said():
    rng = np.random.default_rng(1)
    frame = trial().assign(y=0)
    frame.loc[rng.choice(240, 6, replace=False), "y"] = 1
    assert "6 events for 2 coefficients" in str(asp_eval.glmm("y ~ arm + (1 | inst)", frame).notes)


def test_two_categories_say_which_is_modelled():
    frame = trial().assign(y=lambda d: np.where(d["y"] == 1, "yes", "no"))
    assert "The probability of yes is modelled." in asp_eval.glmm(FORMULA, frame).notes


def test_a_singular_fit_is_the_model_without_the_effect():
    frame = trial()
    rng = np.random.default_rng(8)
    frame["y"] = rng.binomial(1, 0.4, 240)
    fit = asp_eval.glmm(FORMULA, frame)
    assert fit.singular
    import statsmodels.api as sm

    X = np.column_stack([np.ones(240), frame["arm"] == "old", frame["x"]]).astype(float)
    plain = sm.Logit(frame["y"], X).fit(disp=0)
    np.testing.assert_allclose(fit.estimate, plain.params, atol=1e-6)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.model_covariance)), plain.bse, rtol=1e-5)
