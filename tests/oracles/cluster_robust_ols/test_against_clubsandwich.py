"""Linear models against clubSandwich 0.5.8 under R 4.2.2 (make_reference.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.stats.linear.ols import OlsFit, ols
from asp_eval.stats.smallsample import cluster_robust

HERE = Path(__file__).parent
DIGITS = 1e-9
"""R's results have 16 digits; the dummies' columns lose some in R's normal equations, see LOST."""
LOST = 1e-6

MODELS = {
    "plain": ("y ~ arm + x", None),
    "interaction": ("y ~ arm * x + band", None),
    "weighted": ("y ~ arm + x + band", "w"),
    "dummies": ("y ~ z + x + cluster", None),
    "dummies_c": ("y ~ z + xc + cluster", None),
    "dummies_w": ("y ~ z + xc + cluster", "w"),
    "mean": ("y ~ 1", None),
}
NAMES = {"(Intercept)": "Intercept", "armb": "arm[T.b]", "bandmiddle": "band[T.middle]", "bandhigh": "band[T.high]"}


def named(term: str) -> str:
    parts = [NAMES.get(t, f"cluster[T.{t[7:]}]" if t.startswith("cluster") else t) for t in term.split(":")]
    return ":".join(parts)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    data = pd.read_csv(HERE / "data.csv")
    return data.assign(xc=(data["x"] - 100) / 15, band=pd.Categorical(data["band"], categories=["low", "middle", "high"]))


def digits(model: str) -> float:
    return LOST if model.startswith("dummies") else DIGITS


def fitted(model: str, frame: pd.DataFrame) -> OlsFit:
    formula, weights = MODELS[model]
    return ols(formula, frame, cluster="cluster", weights=weights)


REFERENCE = pd.read_csv(HERE / "reference.csv")
JOINT = pd.read_csv(HERE / "reference_joint.csv")


@pytest.mark.parametrize(("model", "kind"), sorted(set(zip(REFERENCE["model"], REFERENCE["kind"], strict=True))))
def test_every_coefficient(model: str, kind: str, frame: pd.DataFrame) -> None:
    want = REFERENCE.query("model == @model and kind == @kind").assign(term=lambda d: d["term"].map(named)).set_index("term")
    got = fitted(model, frame).tidy(method=getattr(cluster_robust, kind)()).set_index("term").loc[want.index]
    if model == "dummies":  # the df of the dummies themselves are rounding noise in R, see the test below
        want, got = want.loc[["z", "x"]], got.loc[["z", "x"]]
    for column in ("estimate", "std_error", "df"):
        np.testing.assert_allclose(got[column], want[column], rtol=digits(model))
    np.testing.assert_allclose(got["p_value"], want["p_value"], rtol=100 * digits(model))


@pytest.mark.parametrize("row", list(JOINT.itertuples(index=False)), ids=lambda r: f"{r.model}-{r.kind}")
def test_joint_hypotheses(row: object, frame: pd.DataFrame) -> None:
    terms = [named(t) for t in row.terms.split("|")]
    got = fitted(row.model, frame).joint_test(terms, method=getattr(cluster_robust, row.kind)())
    rtol = digits(row.model)
    assert got.df_numerator == row.df_numerator
    assert got.statistic == pytest.approx(row.statistic, rel=rtol)
    assert got.df_denominator == pytest.approx(row.df_denominator, rel=rtol)
    assert got.p_value == pytest.approx(row.p_value, rel=100 * rtol)


def test_with_cluster_dummies_the_jackknife_leaves_out_one_cluster_at_a_time(frame: pd.DataFrame) -> None:
    fit = fitted("dummies", frame)
    slopes = [fit.names.index("z"), fit.names.index("x")]
    left_out = []
    for one in frame["cluster"].unique():
        rest = ols("y ~ z + x + cluster", frame[frame["cluster"] != one], cluster="cluster")
        left_out.append([rest.estimate[rest.names.index("z")], rest.estimate[rest.names.index("x")]])
    moved = np.array(left_out) - fit.estimate[slopes]
    table = fit.tidy(method=cluster_robust.CR3())
    np.testing.assert_allclose(table["std_error"].iloc[slopes], np.sqrt((moved**2).sum(axis=0)), rtol=DIGITS)
    assert (table["note"].iloc[slopes] == "").all()
    assert table["note"].iloc[3:].str.contains("clusters that alone determine a coefficient hide").all()


def test_a_dummy_of_its_own_cluster_inherits_the_uncertainty_of_the_slopes(frame: pd.DataFrame) -> None:
    """Its residuals sum to zero, so c[T.k] = mean differences minus slopes times differences of means, nothing else."""
    data = frame.assign(x=frame["x"] - frame["x"].mean())
    fit = ols("y ~ x + cluster", data, cluster="cluster")
    means = data.groupby("cluster")["x"].mean()
    got = fit.tidy(method=cluster_robust.CR2()).set_index("term")
    for level in ("c03", "c09", "c14"):
        factor = abs(means[level] - means["c00"])
        assert got.loc[f"cluster[T.{level}]", "std_error"] == pytest.approx(factor * got.loc["x", "std_error"], rel=1e-8)
        assert got.loc[f"cluster[T.{level}]", "df"] == pytest.approx(got.loc["x", "df"], rel=1e-8)
