"""Marginal means, contrasts and slopes.

1. means are by hand the averages of predictions over the reference grid, and contrasts their differences, for every fit;
2. a number with two values stands for both, others for their mean; 3. an empty cell has no mean, says which it is, and is
averaged into none; 4. adjusted p-values are the closed forms; 5. what cannot be answered is refused.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

import asp_eval as asp


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    n, m = 480, 24
    inst = np.repeat(np.arange(m), n // m)
    out = pd.DataFrame(
        {
            "inst": inst,
            "arm": np.array(["usual", "light", "strong"])[inst % 3],
            "sex": rng.choice(["boy", "girl"], n, p=[0.3, 0.7]),
            "flag": rng.choice([0, 1], n, p=[0.8, 0.2]),
            "x": rng.normal(10, 2, n),
        }
    )
    out["arm"] = pd.Categorical(out["arm"], ["usual", "light", "strong"])
    eta = 0.3 * (out["arm"] == "strong") + 0.4 * (out["sex"] == "girl") + 0.1 * (out["x"] - 10) + rng.normal(0, 0.5, m)[inst]
    out["y"] = 10 + eta + rng.normal(size=n)
    out["yes"] = rng.binomial(1, special.expit(eta - 0.5))
    out["count"] = rng.poisson(np.exp(eta))
    out["band"] = pd.cut(eta + rng.logistic(size=n), [-np.inf, -0.5, 1, np.inf], labels=["low", "mid", "high"], ordered=True)
    return out


def grid_of(frame, arm, **other):
    """Return a frame of the reference grid by hand: sex and flag at each value, x at its mean."""
    rows = [{"arm": arm, "sex": s, "flag": f, "x": frame["x"].mean(), "inst": 0} for s in ("boy", "girl") for f in (0, 1)]
    out = pd.DataFrame(rows).assign(**other)
    out["arm"] = pd.Categorical(out["arm"], frame["arm"].cat.categories)
    return out


FITS = {
    "ols": lambda d: asp.ols("y ~ arm * sex + flag + x", d, cluster="inst"),
    "lmm": lambda d: asp.lmm("y ~ arm * sex + flag + x + (1 | inst)", d),
    "glmm": lambda d: asp.glmm("yes ~ arm * sex + flag + x + (1 | inst)", d),
    "gee": lambda d: asp.gee("yes ~ arm * sex + flag + x", d, cluster="inst", family="binomial", correlation="exchangeable"),
    "clmm": lambda d: asp.clmm("band ~ arm * sex + flag + x + (1 | inst)", d),
}


def linear(name, fit, rows):
    if name in ("glmm", "clmm"):
        return fit.predict(rows, scale="link", random_effects=False)
    return (
        fit.predict(rows, scale="link")
        if name == "gee"
        else fit.predict(rows, **({"random_effects": False} if name == "lmm" else {}))
    )


@pytest.mark.parametrize("name", FITS)
def test_a_mean_is_the_average_prediction_over_the_grid(frame, name):
    fit = FITS[name](frame)
    by_hand = {arm: linear(name, fit, grid_of(frame, arm)).mean() for arm in frame["arm"].cat.categories}
    shift = fit.threshold_estimates.mean() if name == "clmm" else 0.0
    found = fit.marginal_means("arm")
    assert found["arm"].tolist() == ["usual", "light", "strong"]
    np.testing.assert_allclose(found["estimate"], [v - shift for v in by_hand.values()], atol=1e-10)
    pair = fit.marginal_contrasts("arm").set_index("contrast")["estimate"]
    assert pair["usual - strong"] == pytest.approx(by_hand["usual"] - by_hand["strong"], abs=1e-10)
    assert set(found["method"]) <= {"CR2", "KenwardRoger", "BetweenWithin", "ManclDeRouen"}
    assert np.isfinite(found[["std_error", "df", "conf_low", "conf_high"]]).all(axis=None)


def test_proportional_weights_are_the_shares_of_the_rows(frame):
    fit = FITS["lmm"](frame)
    share = frame.value_counts(["sex", "flag"], normalize=True)
    for arm, got in fit.marginal_means("arm", weights="proportional").set_index("arm")["estimate"].items():
        rows = grid_of(frame, arm)
        w = [share[(s, f)] for s, f in zip(rows["sex"], rows["flag"], strict=True)]
        assert got == pytest.approx(np.average(fit.predict(rows, random_effects=False), weights=w), abs=1e-10)


def test_kenward_roger_goes_through_to_the_means(frame):
    fit = asp.lmm("y ~ arm + x + (1 | inst)", frame)
    contrast = fit.contrast({"arm[T.strong]": 1.0})
    row = fit.marginal_contrasts("arm").set_index("contrast").loc["usual - strong"]
    assert row["df"] == pytest.approx(contrast.df) and row["std_error"] == pytest.approx(contrast.std_error)
    assert row["p_value"] == pytest.approx(contrast.p_value)


def test_response_scale_turns_back_and_ratios_are_odds_ratios(frame):
    fit = FITS["glmm"](frame)
    link, response = fit.marginal_means("arm"), fit.marginal_means("arm", scale="response")
    np.testing.assert_allclose(response["estimate"], special.expit(link["estimate"]), rtol=1e-12)
    np.testing.assert_allclose(response["conf_high"], special.expit(link["conf_high"]), rtol=1e-12)
    p = special.expit(link["estimate"])
    np.testing.assert_allclose(response["std_error"], p * (1 - p) * link["std_error"], rtol=1e-10)
    ratio, difference = fit.marginal_contrasts("arm", scale="response"), fit.marginal_contrasts("arm")
    np.testing.assert_allclose(ratio["estimate"], np.exp(difference["estimate"]), rtol=1e-12)
    assert ratio["contrast"].tolist()[0] == "usual / light"


def test_shares_of_the_bands_add_up_to_one(frame):
    fit = FITS["clmm"](frame)
    shares = fit.marginal_means("arm", scale="prob")
    assert shares.columns[:2].tolist() == ["arm", "band"]
    np.testing.assert_allclose(shares.groupby("arm", observed=True)["estimate"].sum(), 1.0, atol=1e-12)
    by_hand = fit.predict(grid_of(frame, "light"), random_effects=False).mean(axis=0)
    np.testing.assert_allclose(shares.loc[shares["arm"] == "light", "estimate"], by_hand, atol=1e-12)
    mean_class = fit.marginal_means("arm", scale="mean.class").set_index("arm")["estimate"]
    assert mean_class["light"] == pytest.approx(by_hand @ [1, 2, 3])


def test_probabilities_have_the_delta_methods_standard_errors(frame):
    fit = FITS["clmm"](frame)
    rows = grid_of(frame, "strong")
    joint, at = fit.joint_covariance, np.concatenate([fit.threshold_estimates, fit.estimate])
    X = np.array([linear("clmm", _with(fit, e), rows) for e in np.eye(len(fit.estimate))]).T

    def share(b):
        eta = X @ b[2:]
        return (special.expit(b[1] - eta) - special.expit(b[0] - eta)).mean()

    h = 1e-5
    gradient = np.array([(share(at + h * e) - share(at - h * e)) / (2 * h) for e in np.eye(len(at))])
    got = fit.marginal_means("arm", by="band", scale="prob").query("arm == 'strong' and band == 'mid'").iloc[0]
    assert got["estimate"] == pytest.approx(share(at), abs=1e-12)
    assert got["std_error"] == pytest.approx(np.sqrt(gradient @ joint @ gradient), rel=1e-6)


def _with(fit, beta):
    """Return something that predicts with other coefficients."""
    from asp_eval.stats.design.prediction import predict_rows

    class Other:
        def predict(self, rows, **_):
            return predict_rows(fit.design, fit.kept, beta, (), rows, random=False, new_groups=False)

    return Other()


def test_slopes_are_derivatives(frame):
    fit = asp.lmm("y ~ arm * x + I(x**2) + (1 | inst)", frame)
    beta = fit.tidy().set_index("term")["estimate"]
    got = fit.marginal_slopes("x", "arm", at={"x": 12}).set_index("arm")["estimate"]
    assert got["strong"] == pytest.approx(beta["x"] + beta["arm[T.strong]:x"] + 24 * beta["I(x ** 2)"], abs=1e-9)
    pair = fit.marginal_contrasts("arm", slope="x").set_index("contrast")["estimate"]
    assert pair["usual - strong"] == pytest.approx(-beta["arm[T.strong]:x"], abs=1e-9)


def test_interactions_are_differences_of_differences(frame):
    fit = FITS["ols"](frame)
    cells = fit.marginal_means(["arm", "sex"]).set_index(["arm", "sex"])["estimate"]
    got = fit.marginal_contrasts(["arm", "sex"], kind="interaction").set_index(["arm_pairwise", "sex_pairwise"])["estimate"]
    by_hand = cells["usual", "boy"] - cells["strong", "boy"] - cells["usual", "girl"] + cells["strong", "girl"]
    assert got["usual - strong", "boy - girl"] == pytest.approx(by_hand, abs=1e-10)


def test_an_empty_cell_is_said_and_never_averaged_over(frame):
    rows = frame[(frame["arm"] != "strong") | (frame["sex"] != "girl")]
    fit = asp.lmm("y ~ arm * sex + x + (1 | inst)", rows)
    cells = fit.marginal_means(["arm", "sex"]).set_index(["arm", "sex"])
    assert np.isnan(cells.loc[("strong", "girl"), "estimate"]) and cells["estimate"].notna().sum() == 5
    assert "arm = strong, sex = girl" in cells.loc[("strong", "girl"), "note"]
    means = fit.marginal_means("arm").set_index("arm")
    assert np.isnan(means.loc["strong", "estimate"]) and "arm = strong, sex = girl" in means.loc["strong", "note"]
    pairs = fit.marginal_contrasts("arm").set_index("contrast")
    assert pairs["estimate"].notna().tolist() == [True, False, False] and pairs["note"].iloc[1]
    main = asp.lmm("y ~ arm + sex + x + (1 | inst)", rows).marginal_means("arm")
    assert main["estimate"].notna().all()  # without the interaction the data determine it


def test_adjustments_are_their_closed_forms(frame):
    fit = asp.ols("y ~ arm + x", frame)
    plain = fit.marginal_contrasts("arm")
    p, t, df = plain["p_value"].to_numpy(), np.abs(plain["statistic"]), plain["df"].iloc[0]
    bonferroni = fit.marginal_contrasts("arm", adjust="bonferroni")
    np.testing.assert_allclose(bonferroni["p_value"], np.minimum(3 * p, 1))
    reach = stats.t.ppf(1 - 0.05 / 6, df)
    np.testing.assert_allclose(bonferroni["conf_high"], plain["estimate"] + reach * plain["std_error"])
    order = np.argsort(p)
    holm = np.minimum(np.maximum.accumulate(p[order] * [3, 2, 1]), 1)
    np.testing.assert_allclose(fit.marginal_contrasts("arm", adjust="holm")["p_value"].to_numpy()[order], holm)
    tukey = fit.marginal_contrasts("arm", adjust="tukey")
    np.testing.assert_allclose(tukey["p_value"], stats.studentized_range.sf(t * np.sqrt(2), 3, df), rtol=1e-8)


def test_tukey_on_two_means_changes_nothing(frame):
    fit = asp.ols("y ~ sex + x", frame)
    pd.testing.assert_frame_equal(fit.marginal_contrasts("sex"), fit.marginal_contrasts("sex", adjust="tukey"))


@pytest.mark.parametrize(
    ("ask", "code"),
    [
        (lambda f: f.marginal_means("arms"), "FIT-120"),
        (lambda f: f.marginal_means("arm", at={"sex": "man"}), "FIT-121"),
        (lambda f: f.marginal_means("arm", at={"x": "ten"}), "FIT-122"),
        (lambda f: f.marginal_means("arm", at={"x": np.arange(300_000)}), "FIT-123"),
        (lambda f: f.marginal_means("arm", weights="cells"), "FIT-124"),
        (lambda f: f.marginal_slopes("sex", "arm"), "FIT-125"),
        (lambda f: f.marginal_contrasts("arm", adjust="scheffe"), "FIT-126"),
        (lambda f: f.marginal_contrasts("arm", kind="trt.vs.ctrl", adjust="tukey"), "FIT-127"),
        (lambda f: f.marginal_contrasts("arm", kind="polynomial"), "FIT-128"),
        (lambda f: f.marginal_contrasts("arm", at={"arm": "light"}), "FIT-129"),
        (lambda f: f.marginal_means("arm", scale="prob"), "FIT-110"),
        (lambda f: f.marginal_means("arm", by="arm"), "FIT-111"),
        (lambda f: f.marginal_means([]), "FIT-112"),
        (lambda f: f.marginal_means("arm", method="KR"), "FIT-006"),
        (lambda f: f.marginal_means("arm", level=95), "FIT-002"),
    ],
)
def test_what_cannot_be_answered_is_refused(frame, ask, code):
    with pytest.raises(asp.Refusal) as refused:
        ask(FITS["ols"](frame))
    assert code in str(refused.value)


def test_a_method_without_standard_errors_leaves_the_estimate_and_says_so(frame):
    row = asp.ols("y ~ arm + x", frame).marginal_means("arm", method=asp.KenwardRoger()).iloc[0]
    assert np.isfinite(row["estimate"]) and np.isnan(row["std_error"]) and row["note"]
