"""What can be asked of a fit beside its coefficients, against brute force and closed forms.

1. Likelihood ratios are refused between models that cannot be compared; nested by their columns, not by their names.
2. The estimates without a cluster are those of a fit without its rows, the variances held; Cook's distances follow.
3. Simulated outcomes have the model's mean and covariance; the same seed gives the same.
4. Intervals of predictions are those of the contrasts, with the variances of a new row of a new group added.
5. Profile intervals are where the deviance of the fit with the coefficient held crosses its limit.
6. Two-way clusters are statsmodels'.
7. Updated formulas give the fit of the formula written out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special

from asp_eval import CR0, AspError, KenwardRoger, Moments, Normal, lmm, lmm_from_moments, ols

RNG = np.random.default_rng(21)
SIZES = RNG.integers(5, 14, 14)
G = np.repeat(np.arange(14), SIZES)
N = len(G)
D = pd.DataFrame({"g": G, "arm": np.where(G % 2, "new", "old"), "x": RNG.normal(size=N), "z": RNG.normal(size=N)})
D = D.assign(f=RNG.choice(list("ABC"), N), t=RNG.normal(size=N), w=RNG.uniform(0.5, 2, N), h=RNG.integers(0, 8, N))
D["y"] = 1 + D["x"] + RNG.normal(0, 0.8, 14)[G] + RNG.normal(0, 0.4, 14)[G] * D["t"] + RNG.normal(size=N)
FIT = lmm("y ~ arm + x + (1 + t | g)", D, weights="w")


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("FIT-038", lmm("I(2 * y) ~ arm + x + f + (1 | g)", D)),
        ("FIT-039", lmm("y ~ arm + x + f + offset(z) + (1 | g)", D)),
        ("FIT-054", lmm("y ~ arm + x + f + (1 | g)", D, weights="w")),
        ("FIT-057", lmm("y ~ arm + x + f + (1 | g)", D[:-1])),
        ("FIT-063", lmm("y ~ arm + x + f + (1 | h)", D)),
        ("FIT-063", lmm("y ~ arm + x + f + (0 + t | g)", D)),
        ("FIT-064", lmm("y ~ z + f + t + (1 | g)", D)),
        ("FIT-058", lmm("y ~ x + arm + (1 | g)", D)),
    ],
)
def test_models_that_cannot_be_compared_are_refused(code: str, other: object) -> None:  # 1
    with pytest.raises(AspError, match=code):
        lmm("y ~ arm + x + (1 | g)", D).likelihood_ratio(other)  # type: ignore[arg-type]


def test_models_are_nested_by_their_columns() -> None:  # 1
    small = lmm("y ~ arm + I(x + z) + (1 | g)", D)
    large = lmm("y ~ relevel(arm, ref='old') + x + z + (1 | k)", D.assign(k=D["g"].map(lambda v: f"group {40 - v}")))
    found = small.likelihood_ratio(large)
    assert (found.df, found.method) == (1, "likelihood") and "refitted" in found.note
    assert found.statistic == pytest.approx(small.refit(reml=False).deviance - large.refit(reml=False).deviance)
    assert lmm("y ~ x + (1 | g) + (0 + t | g)", D).likelihood_ratio(lmm("y ~ x + (1 + t | g)", D)).df == 1


def test_moments_are_compared_as_far_as_they_tell() -> None:  # 1
    def fitted(formula: str, **more: str) -> object:
        return lmm_from_moments(Moments.from_frame(formula, D, **more))  # type: ignore[arg-type]

    small = fitted("y ~ x + (1 | g)")
    assert small.likelihood_ratio(fitted("y ~ x + z + (1 | g)")).df == 1  # type: ignore[attr-defined]
    others: dict[str, dict[str, str]] = {"I(2*y) ~ x + z + (1 | g)": {}, "y ~ z + t + (1 | g)": {}, "y ~ x + z + (1 | h)": {}}
    others["y ~ x + z + (1 | g)"] = {"weights": "w"}
    for formula, more in others.items():
        with pytest.raises(AspError, match=r"FIT-0(38|54|6[34])"):
            small.likelihood_ratio(fitted(formula, **more))  # type: ignore[attr-defined]


def dense(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X, V and y of FIT's model on some rows, written out."""
    X = np.column_stack([np.ones(len(rows)), rows["arm"] == "old", rows["x"]]).astype(float)
    Z = np.column_stack([np.ones(len(rows)), rows["t"]])
    same = rows["g"].to_numpy()[:, None] == rows["g"].to_numpy()
    V = same * (Z @ FIT.covariances[0] @ Z.T) + np.diag(FIT.sigma2 / rows["w"])
    return X, V, rows["y"].to_numpy()


def test_estimates_without_a_group_are_those_of_a_fit_without_it() -> None:  # 2
    table = FIT.influence()
    X, V, _ = dense(D)
    precision = X.T @ np.linalg.solve(V, X)
    for j, row in enumerate(table.itertuples()):
        A, W, y = dense(D[D["g"] != j])
        b = np.linalg.solve(A.T @ np.linalg.solve(W, A), A.T @ np.linalg.solve(W, y))
        np.testing.assert_allclose(table.loc[j, list(FIT.names)].to_numpy(float), b, rtol=1e-7)
        change = b - FIT.estimate
        assert row.cooks_distance == pytest.approx(change @ precision @ change / 3, rel=1e-6)
        assert (row.cluster, row.n_obs, row.note) == (j, SIZES[j], "")


def test_estimates_without_a_cluster_of_least_squares_are_refits() -> None:  # 2
    fit = ols("y ~ arm + x + f", D, cluster="g", weights="w")
    table = fit.influence()
    for j in (0, 5, 13):
        again = ols("y ~ arm + x + f", D[D["g"] != j], weights="w").estimate
        np.testing.assert_allclose(table.loc[j, list(fit.names)].to_numpy(float), again, rtol=1e-8)


def test_a_cluster_that_alone_determines_a_coefficient_says_so() -> None:  # 2
    table = ols("y ~ x + alone", D.assign(alone=(D["g"] == 3) * 1.0), cluster="g").influence()
    assert np.isnan(table["cooks_distance"][3]) and "do not determine" in table["note"][3]
    assert table["cooks_distance"].drop(3).gt(0).all()


def test_simulated_outcomes_have_the_models_mean_and_covariance() -> None:  # 3
    draws = 4000
    y = FIT.simulate(draws, seed=5)
    X, V, _ = dense(D)
    sd = np.sqrt(np.diag(V))
    assert (np.abs(y.mean(axis=1) - X @ FIT.estimate) < 5 * sd / np.sqrt(draws)).all()
    seen = np.cov(y) / np.outer(sd, sd)
    assert np.abs(seen - V / np.outer(sd, sd)).max() < 6 / np.sqrt(draws)
    np.testing.assert_array_equal(y[:, 0], FIT.simulate(draws, seed=5)[:, 0])
    assert not np.array_equal(y[:, 0], FIT.simulate(1, seed=6)[:, 0])
    linear = ols("y ~ x + offset(z)", D, weights="w")
    sigma = linear.glance()["sigma"][0] / np.sqrt(D["w"])
    assert np.abs((linear.simulate(draws, seed=5).std(axis=1) / sigma) - 1).max() < 6 / np.sqrt(2 * draws)


def test_intervals_of_predictions_are_contrasts_with_variances_added() -> None:  # 4
    new = D.iloc[[2, 30]]
    X, V, _ = dense(new.assign(g=[1, 2]))
    for method in (None, Normal()):
        mean, one = FIT.predict_intervals(new, 0.9, method=method), FIT.predict_intervals(new, 0.9, "prediction", method)
        for k in range(2):
            row = FIT.contrast(X[k], method, 0.9)
            assert mean.loc[k, "estimate"] == pytest.approx(row.estimate)
            assert mean.loc[k, "conf_low"] == pytest.approx(row.conf_low)
            added = V[k, k] - FIT.sigma2 / new["w"].iloc[k] + FIT.sigma2  # a new row has weight one
            assert one.loc[k, "std_error"] == pytest.approx(np.sqrt(row.std_error**2 + added))  # type: ignore[operator]
    assert mean["method"].tolist() == ["Normal", "Normal"]


def test_profile_intervals_are_where_the_deviance_crosses() -> None:  # 5
    table = FIT.coefficient_intervals(0.9).set_index("term")
    best = FIT.refit(reml=False).deviance
    for end in ("conf_low", "conf_high"):
        held = lmm(f"y ~ arm + offset({float(table.loc['x', end])!r} * x) + (1 + t | g)", D, weights="w", reml=False)
        assert held.deviance - best == pytest.approx(special.chdtri(1, 0.1), abs=1e-4)
        at = (D["arm"] == "old") * float(table.loc["arm[T.old]", end])
        held = lmm("y ~ x + offset(at) + (1 + t | g)", D.assign(at=at), weights="w", reml=False)
        assert held.deviance - best == pytest.approx(special.chdtri(1, 0.1), abs=1e-4)


def test_two_way_clusters_are_those_of_statsmodels() -> None:  # 6
    import statsmodels.formula.api as smf

    groups = np.column_stack([D["g"], D["h"]])
    theirs = smf.ols("y ~ arm + x", D).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    ours = ols("y ~ arm + x", D, cluster=["g", "h"])
    np.testing.assert_allclose(ours.vcov(CR0()), theirs.cov_params(), rtol=1e-9)
    assert ours.joint_test(["arm[T.old]", "x"], CR0()).statistic == pytest.approx(
        theirs.f_test("arm[T.old] = x = 0").fvalue, rel=1e-9
    )
    assert ours.tidy()["std_error"].isna().all()


@pytest.mark.parametrize(
    ("change", "whole"),
    [
        ("~ . + z", "y ~ arm + x + z + (1 + t | g)"),
        ("~ . - x", "y ~ arm + (1 + t | g)"),
        ("~ . - (1 + t | g) + (1 | g)", "y ~ arm + x + (1 | g)"),
        ("exp(. / 9) ~ .:f", None),
        ("I(y - z) ~ . + arm:x", "I(y - z) ~ arm * x + (1 + t | g)"),
    ],
)
def test_an_updated_formula_is_the_formula_written_out(change: str, whole: str | None) -> None:  # 7
    if whole is None:
        with pytest.raises(AspError, match="FIT-010"):
            FIT.update(change)
        return
    np.testing.assert_allclose(FIT.update(change).deviance, lmm(whole, D, weights="w").deviance, rtol=1e-9)
    fewer = FIT.update(change, D[D["g"] > 2])
    assert fewer.n_obs == (D["g"] > 2).sum() and fewer.tidy(KenwardRoger())["std_error"].notna().all()


def test_profile_intervals_without_an_intercept() -> None:  # 5
    d = D.assign(x=D["x"] + 5)
    fit = lmm("y ~ 0 + x + z + (1 | g)", d, reml=False)
    low = float(fit.coefficient_intervals(0.9).set_index("term").loc["x", "conf_low"])
    held = lmm(f"y ~ 0 + z + offset({low!r} * x) + (1 | g)", d, reml=False)
    assert held.deviance - fit.deviance == pytest.approx(special.chdtri(1, 0.1), abs=1e-4)
