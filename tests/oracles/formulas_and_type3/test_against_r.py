"""Formulas mean what they mean in R, and a fit answers what R answers (`make_reference.R`).

1. Left sides, offsets and functions are arithmetic: residual sum of squares, rank, R-squared and fitted values of ``lm``.
2. Type III tests are lmerTest's: booleans, transformed terms, nesting, no intercept, an empty cell, sum coding.
3. Profile intervals of coefficients, the comparison of several fits, predictions, two-way clusters and Cook's distances.
4. Cluster-robust errors of a weighted mixed model are those of ``nlme::lme(varFixed)`` with clubSandwich, except for CR2, whose
   symmetric root is taken of rows multiplied by the root of their weights, and there of the rows as they are. Both numbers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval import CR0, CR1, CR1S, CR2, CR3, KenwardRoger, MixedFit, Satterthwaite, lmm, ols
from asp_eval.stats.smallsample.classical import Classical

HERE = Path(__file__).parent
FRAME = pd.read_csv(HERE / "data.csv")
WANT = pd.read_csv(HERE / "reference.csv", dtype={"term": str})
ROUNDING = 1e-9
OPTIMUM = 1e-4
"""lme4 stops its search there; relative, of tests."""
SCALED = 1e-2
"""Satterthwaite's df of several contrasts depend on how lmerTest scales them; here they do not."""


def reference(question: str, entry: str) -> pd.DataFrame:
    return WANT[(WANT["question"] == question) & (WANT["entry"] == entry)]


@pytest.mark.parametrize("formula", WANT.loc[WANT["question"] == "linear", "entry"].unique())
def test_a_formula_is_read_as_r_reads_it(formula: str) -> None:  # 1
    fit, want = ols(formula, FRAME), reference("linear", formula).set_index(["quantity", "term"])["value"]
    assert fit.solution.rss == pytest.approx(want["rss"].iloc[0], rel=ROUNDING)
    assert len(fit.names) == want["rank"].iloc[0]
    assert fit.glance()["r_squared"][0] == pytest.approx(want["r2"].iloc[0], rel=ROUNDING)
    if "fitted" in want:
        np.testing.assert_allclose(fit.fitted[:3], want["fitted"], rtol=ROUNDING)
    if "coefficient" in want:
        np.testing.assert_allclose(fit.estimate, want["coefficient"], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("entry", WANT.loc[WANT["question"] == "type3", "entry"].unique())
def test_type_three_is_lmertests(entry: str) -> None:  # 2
    name, formula = entry.split(" ", 1)
    method = Satterthwaite() if name == "Satterthwaite" else KenwardRoger()
    table, want = lmm(formula, FRAME).anova(method), reference("type3", entry)
    assert len(table) == want["term"].nunique()
    for (_, rows), got in zip(want.groupby("term", sort=False), table.itertuples(), strict=True):
        F, q, df = rows.set_index("quantity")["value"][["F", "q", "df"]]
        assert got.df_numerator == q, rows
        assert got.statistic == pytest.approx(F, rel=OPTIMUM, abs=1e-6), rows
        assert got.df_denominator == pytest.approx(df, rel=SCALED if name == "Satterthwaite" and q > 1 else 2e-3), rows


def test_type_three_says_where_it_is_at_a_reference() -> None:  # 2
    nested = lmm("y ~ f / h + (1 | inst)", FRAME).anova()
    assert "first category of h" in nested["note"][0] and nested["note"][1] == ""
    assert "no intercept" in lmm("y ~ 0 + f * h + (1 | inst)", FRAME).anova()["note"][0]
    assert "do not occur" in lmm("y ~ f * k + (1 | inst)", FRAME).anova()["note"][0]


def test_profile_intervals_of_coefficients_are_lme4s() -> None:  # 3
    table = lmm("y ~ arm + x + (1 + x | inst)", FRAME).coefficient_intervals()
    want = reference("profile", "slope")["value"].to_numpy().reshape(-1, 2)
    width = want[:, 1] - want[:, 0]
    assert (np.abs(table[["conf_low", "conf_high"]].to_numpy() - want) < 2e-3 * width[:, None]).all()


def test_several_fits_are_compared_as_by_rs_anova() -> None:  # 3
    small, middle, large = (lmm(f"y ~ arm + {rest}", FRAME) for rest in ("(1 | inst)", "x + (1 | inst)", "x + (1 + x | inst)"))
    table, want = small.anova(large, middle), reference("comparison", "three")
    names = {
        "npar": "n_parameters",
        "AIC": "aic",
        "BIC": "bic",
        "logLik": "log_likelihood",
        "deviance": "deviance",
        "Chisq": "statistic",
        "Df": "df",
        "Pr(>Chisq)": "p_value",
    }
    for row in want.itertuples():
        assert table[names[row.quantity]][int(row.term) - 1] == pytest.approx(row.value, rel=1e-5, abs=1e-5), row


@pytest.mark.parametrize("kind", ["prediction", "confidence"])
def test_intervals_of_predictions_are_rs(kind: str) -> None:  # 3
    table = ols("y ~ arm + x + offset(o)", FRAME).predict_intervals(FRAME[:4], kind=kind, method=Classical())
    want = reference("predict", kind)["value"].to_numpy().reshape(4, 3)
    np.testing.assert_allclose(table[["estimate", "conf_low", "conf_high"]], want, rtol=ROUNDING)


def test_two_way_clusters_are_those_of_sandwich() -> None:  # 3
    fit = ols("y ~ arm + x", FRAME.assign(arm=pd.Categorical(FRAME["arm"])), cluster=["inst", "room"])
    for method, entry in ((CR0(), "HC0 FALSE"), (CR1(), "HC0 TRUE"), (CR1S(), "HC1 TRUE")):
        np.testing.assert_allclose(fit.tidy(method)["std_error"], reference("two-way", entry)["value"], rtol=ROUNDING)
    assert fit.tidy(CR1())["df"].tolist() == [4.0] * 3


def test_cooks_distances_of_rows_are_rs() -> None:  # 3
    fit = ols("y ~ arm + x", FRAME, weights="w", cluster=np.arange(len(FRAME)))
    np.testing.assert_allclose(fit.influence()["cooks_distance"][:4], reference("influence", "rows")["value"], rtol=ROUNDING)


def test_a_weighted_mixed_model_is_clubsandwichs_but_for_the_root_of_cr2() -> None:  # 4
    fit = lmm("y ~ arm + x + (1 | inst)", FRAME, weights="w")
    for method in (CR0(), CR1(), CR2(), CR3()):
        table, want = fit.tidy(method), reference("weighted", method.name)
        df, se = (want.loc[want["quantity"] == quantity, "value"] for quantity in ("df", "se"))
        np.testing.assert_allclose(table["df"], df, rtol=1e-4 if method.name == "CR2" else 1e-5)
        np.testing.assert_allclose(table["std_error"], se, rtol=5e-3 if method.name == "CR2" else 1e-6)
    ours, theirs = fit.tidy(CR2())["std_error"], reference("weighted", "CR2").query("quantity == 'se'")["value"]
    np.testing.assert_allclose(cr2_written_out(fit, scaled=True), ours, rtol=1e-7)
    np.testing.assert_allclose(cr2_written_out(fit, scaled=False), theirs, rtol=1e-6)
    np.testing.assert_allclose([ours[0], theirs.iloc[0]], [0.330710, 0.331357], atol=1e-6)  # as docs/engine.md says


def cr2_written_out(fit: MixedFit, *, scaled: bool) -> np.ndarray:
    """CR2 with explicit matrices: A Psi A = Phi with A symmetric, in rows multiplied by the root of their weights or not."""
    X = np.column_stack([np.ones(len(FRAME)), FRAME["arm"] == "usual", FRAME["x"]]).astype(float)
    residual, tau2 = FRAME["y"].to_numpy() - X @ fit.estimate, fit.covariances[0][0, 0]
    parts, bread = [], np.zeros((3, 3))
    for inst in FRAME["inst"].unique():
        rows = (FRAME["inst"] == inst).to_numpy()
        root = np.sqrt(FRAME["w"].to_numpy()[rows]) if scaled else np.ones(rows.sum())
        phi = np.outer(root, root) * (tau2 + np.diag(fit.sigma2 / FRAME["w"].to_numpy()[rows]))
        x, e = root[:, None] * X[rows], root * residual[rows]
        parts.append((x, e, phi))
        bread += x.T @ np.linalg.solve(phi, x)
    M, meat = np.linalg.inv(bread), np.zeros((3, 3))
    for x, e, phi in parts:
        D = np.linalg.cholesky(phi).T
        values, vectors = np.linalg.eigh(D @ (phi - x @ M @ x.T) @ D.T)
        score = x.T @ np.linalg.solve(phi, D.T @ (vectors / np.sqrt(values)) @ vectors.T @ D @ e)
        meat += np.outer(score, score)
    return np.sqrt(np.diag(M @ meat @ M))
