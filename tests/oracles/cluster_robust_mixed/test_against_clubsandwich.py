"""Mixed models against clubSandwich 0.5.8 on lme4 1.1-31 under R 4.2.2 (make_reference.R)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.stats.mixed.fit import MixedFit, lmm
from asp_eval.stats.smallsample import cluster_robust

HERE = Path(__file__).parent
OPTIMUM = 2e-5
"""lme4 stops when the criterion no longer changes in its last digits: the variance ratios have five or six."""

FORMULAS = {
    "intercept": "y ~ arm + x + (1 | cluster)",
    "no_span": "y ~ 0 + x + t + (1 | cluster)",
    "nested": "y ~ arm + x + (1 | cluster/room)",
    "slope": "g ~ arm * t + (1 + t | cluster)",
    "slope_out": "g ~ arm + x + (1 + t | cluster)",
    "separate": "g ~ arm * t + (1 + t || cluster)",
}
NAMES = {"(Intercept)": "Intercept", "armb": "arm[T.b]", "armb:t": "arm[T.b]:t"}
REFERENCE = pd.read_csv(HERE / "reference.csv")
JOINT = pd.read_csv(HERE / "reference_joint.csv")


@cache
def fitted(model: str) -> MixedFit:
    return lmm(FORMULAS[model], pd.read_csv(HERE / "data.csv"))


@pytest.mark.parametrize(("model", "kind"), sorted(set(zip(REFERENCE["model"], REFERENCE["kind"], strict=True))))
def test_every_coefficient(model: str, kind: str) -> None:
    want = REFERENCE.query("model == @model and kind == @kind").assign(term=lambda d: d["term"].replace(NAMES)).set_index("term")
    got = fitted(model).tidy(method=getattr(cluster_robust, kind)()).set_index("term").loc[want.index]
    for column in ("estimate", "std_error", "df"):
        np.testing.assert_allclose(got[column], want[column], rtol=OPTIMUM)
    np.testing.assert_allclose(got["p_value"], want["p_value"], rtol=20 * OPTIMUM)
    assert (got["method"] == kind).all()


@pytest.mark.parametrize("row", list(JOINT.itertuples(index=False)), ids=lambda r: f"{r.model}-{r.kind}")
def test_joint_hypotheses(row: object) -> None:
    terms = [NAMES.get(t, t) for t in row.terms.split("|")]
    got = fitted(row.model).joint_test(terms, method=getattr(cluster_robust, row.kind)())
    assert got.statistic == pytest.approx(row.statistic, rel=10 * OPTIMUM)
    assert got.df_denominator == pytest.approx(row.df_denominator, rel=OPTIMUM)
    assert got.p_value == pytest.approx(row.p_value, rel=40 * OPTIMUM)
