"""Marginal models by generalised estimating equations.

1. estimates are statsmodels', for every family and correlation; 2. each correction is what its paper writes, with dense
n_i-by-n_i matrices; 3. with one row per cluster and the identity link, Mancl-DeRouen is HC3; 4. row order and the
clusters' names do not matter; 5. what has no number is refused or said.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import linalg, special

import asp_eval as asp

ESTIMATE = 1e-8  # statsmodels stops its iterations at a step of this size
METHODS = (asp.Robust(), asp.KauermannCarroll(), asp.ManclDeRouen(), asp.FayGraubard())


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    inst = rng.permutation(np.repeat(np.arange(14), rng.integers(5, 25, 14)))
    n = len(inst)
    out = pd.DataFrame({"inst": inst, "arm": np.where(inst % 2, "new", "old"), "x": rng.normal(100, 3, n)})
    eta = -0.3 + 0.2 * (out["x"] - 100) + 0.6 * rng.normal(size=14)[inst]
    out["y"], out["yes"], out["count"] = eta + rng.normal(size=n), rng.binomial(1, special.expit(eta)), rng.poisson(np.exp(eta))
    return out


CASES = [
    (o, f, link, c)
    for o, f, link in [
        ("y", "gaussian", None),
        ("yes", "binomial", None),
        ("yes", "binomial", "probit"),
        ("count", "poisson", None),
    ]
    for c in ("independence", "exchangeable")
]


@pytest.mark.parametrize(("outcome", "family", "link", "correlation"), CASES)
def test_estimates_are_those_of_statsmodels(frame, outcome, family, link, correlation):
    import statsmodels.api as sm

    families = {"gaussian": sm.families.Gaussian(), "binomial": sm.families.Binomial(), "poisson": sm.families.Poisson()}
    chosen = sm.families.Binomial(sm.families.links.Probit()) if link == "probit" else families[family]
    structure = sm.cov_struct.Exchangeable() if correlation == "exchangeable" else sm.cov_struct.Independence()
    rows = frame.sort_values("inst")
    X = np.column_stack([np.ones(len(rows)), rows["arm"] == "old", rows["x"] - 100]).astype(float)
    theirs = sm.GEE(rows[outcome], X, groups=rows["inst"], family=chosen, cov_struct=structure).fit(maxiter=200, ctol=1e-12)
    fit = asp.gee(f"{outcome} ~ arm + I(x - 100)", frame, cluster="inst", family=family, link=link, correlation=correlation)
    np.testing.assert_allclose(fit.estimate, theirs.params, atol=ESTIMATE)
    np.testing.assert_allclose(fit.tidy(method=asp.Robust())["std_error"], theirs.bse, rtol=1e-6)
    known = theirs.cov_naive * fit.dispersion / theirs.scale  # statsmodels takes the dispersion of shares and counts as one
    np.testing.assert_allclose(fit.vcov(), known, rtol=1e-6)


@pytest.mark.parametrize("correlation", ["independence", "exchangeable"])
def test_corrections_are_what_their_papers_write(frame, correlation):
    fit = asp.gee("yes ~ arm + x", frame, cluster="inst", family="binomial", correlation=correlation)
    X = np.column_stack([np.ones(len(frame)), frame["arm"] == "old", frame["x"]]).astype(float)
    mu = special.expit(X @ fit.estimate)
    parts = []
    for i in range(14):
        own = (frame["inst"] == i).to_numpy()
        n, sd = own.sum(), np.sqrt(mu[own] * (1 - mu[own]))
        R = (1 - fit.working_correlation) * np.eye(n) + fit.working_correlation * np.ones((n, n))
        parts.append((X[own] * (sd**2)[:, None], np.linalg.inv(fit.dispersion * R * np.outer(sd, sd)), (frame["yes"] - mu)[own]))
    B = sum(D.T @ W @ D for D, W, _ in parts)
    for method in METHODS:
        scores = []
        for D, W, e in parts:
            H = D @ np.linalg.inv(B) @ D.T @ W
            left = np.eye(len(e)) - H
            if method.name == "KauermannCarroll":
                e = np.linalg.solve(linalg.sqrtm(left).real, e)
            if method.name == "ManclDeRouen":
                e = np.linalg.solve(left, e)
            U = D.T @ W @ e
            if method.name == "FayGraubard":
                U = U / np.sqrt(1 - np.minimum(0.75, np.diag(D.T @ W @ D @ np.linalg.inv(B))))
            scores.append(U)
        by_hand = np.linalg.inv(B) @ sum(np.outer(u, u) for u in scores) @ np.linalg.inv(B)
        np.testing.assert_allclose(fit.tidy(method=method)["std_error"], np.sqrt(np.diag(by_hand)), rtol=1e-6)
        assert (fit.tidy(method=method)["df"] == 14 - 3).all()


def test_one_row_per_cluster_is_hc3(frame):
    rows = frame.head(40).assign(own=np.arange(40))
    fit = asp.gee("y ~ arm + x", rows, cluster="own")
    X = np.column_stack([np.ones(40), rows["arm"] == "old", rows["x"]]).astype(float)
    Q = np.linalg.inv(X.T @ X)
    e = rows["y"] - X @ Q @ X.T @ rows["y"]
    S = X.T @ np.diag((e / (1 - np.diag(X @ Q @ X.T))) ** 2) @ X
    np.testing.assert_allclose(fit.tidy()["std_error"], np.sqrt(np.diag(Q @ S @ Q)), rtol=1e-7)


def test_order_and_names_do_not_matter(frame):
    ask = {"cluster": "inst", "family": "binomial", "correlation": "exchangeable"}
    names = frame["inst"].map(lambda i: f"institution {99 - i}")
    one = asp.gee("yes ~ arm + x", frame, **ask).tidy()
    two = asp.gee("yes ~ arm + x", frame.assign(inst=names).sample(frac=1, random_state=1), **ask).tidy()
    pd.testing.assert_frame_equal(one, two, rtol=1e-8)


def test_joint_test_and_default(frame):
    fit = asp.gee("count ~ arm + x", frame, cluster="inst", family="poisson")
    t = fit.tidy().iloc[1]
    f = fit.joint_test(["arm[T.old]"])
    assert (f.statistic, f.df_denominator) == (pytest.approx(t["statistic"] ** 2), 11) and f.p_value == pytest.approx(
        t["p_value"]
    )
    assert set(fit.tidy()["method"]) == {"ManclDeRouen"} and "exchangeable" not in str(fit)


def test_a_cluster_that_determines_a_coefficient_has_no_correction(frame):
    rows = frame.assign(only=(frame["inst"] == 3) * 1.0)
    fit = asp.gee("y ~ arm + only", rows, cluster="inst")
    tidy = fit.tidy()
    assert tidy["std_error"].isna().all() and "alone" in tidy["note"].iloc[0]
    assert fit.tidy(method=asp.FayGraubard())["std_error"].notna().all()


def test_corrections_are_for_marginal_models(frame):
    assert "estimating equations" in asp.ols("y ~ arm", frame).tidy(method=asp.ManclDeRouen())["note"].iloc[0]


@pytest.mark.parametrize(
    ("formula", "more", "code"),
    [
        ("y ~ arm", {"correlation": "ar1"}, "FIT-131"),
        ("y ~ arm", {"family": "gamma"}, "FIT-082"),
        ("y ~ arm", {"link": "log"}, "FIT-083"),
        ("count ~ arm", {"family": "binomial"}, "FIT-084"),
        ("y ~ arm", {"family": "poisson"}, "FIT-088"),
        ("y ~ arm", {"cluster": "town"}, "FIT-134"),
        ("y ~ arm + (1 | inst)", {}, "FIT-0"),
        ("none ~ arm", {"family": "binomial"}, "FIT-089"),
        ("told ~ arm + x", {"family": "binomial"}, "FIT-09"),
    ],
)
def test_what_has_no_answer_is_refused(frame, formula, more, code):
    rows = frame.assign(town="one", none=0, told=(frame["arm"] == "new") * 1)
    with pytest.raises(asp.Refusal, match=code):
        asp.gee(formula, rows, **{"cluster": "inst", **more})


def test_a_bound_outside_its_range_is_refused():
    with pytest.raises(asp.Refusal, match="FIT-130"):
        asp.FayGraubard(bound=1.5)
