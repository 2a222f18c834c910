"""Marginal means against emmeans 1.8.4-1, and gee against geepack 1.3.9, under R 4.2.2 (make_reference.R)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import asp_eval as asp

HERE = Path(__file__).parent
LINEAR_IN_SE, LATENT_IN_SE = 1e-5, 1e-3  # glmer and clmm stop that far from their own optimum
STD_ERROR = {"linear": 1e-5, "latent": 2e-3}  # glmer's are from finite differences
DF, P = 2e-3, 5e-3  # pbkrtest's numerical derivatives


@pytest.fixture(scope="module")
def tables() -> dict[str, tuple[str, pd.DataFrame]]:
    d = pd.read_csv(HERE.parent / "trial_shares" / "data.csv")
    inst = d["institution_id"].str[1:].astype(int) + 1
    d["third"] = np.array(["a", "b", "c"])[inst % 3]
    d["band"] = pd.cut(d["points"], [-np.inf, 2.5, 4.5, 6.5, np.inf], labels=list("1234"), ordered=True)
    z = {"method": asp.Normal()}
    linear = asp.lmm("points ~ third * sex + pre + (1 | institution_id)", d)
    slopes = asp.lmm("points ~ third * pre + sex + (1 | institution_id)", d)
    yes = asp.glmm("asks ~ third * sex + pre + (1 | institution_id)", d, n_quadrature=15)
    bands = asp.clmm("band ~ third + pre + (1 | institution_id)", d, n_quadrature=15)
    return {
        "means": ("linear", linear.marginal_means("third")),
        "proportional": ("linear", linear.marginal_means("third", weights="proportional")),
        "by sex": ("linear", linear.marginal_means("third", by="sex")),
        "tukey": ("linear", linear.marginal_contrasts("third", adjust="tukey")),
        "holm": ("linear", linear.marginal_contrasts("third", adjust="holm")),
        "interaction": ("linear", linear.marginal_contrasts(["third", "sex"], kind="interaction")),
        "slopes": ("linear", slopes.marginal_slopes("pre", "third")),
        "response": ("latent", yes.marginal_means("third", scale="response", **z)),
        "odds ratios": ("latent", yes.marginal_contrasts("third", scale="response", **z)),
        "shares": ("latent", bands.marginal_means("third", by="band", scale="prob", **z)),
        "mean class": ("latent", bands.marginal_means("third", scale="mean.class", **z)),
    }


REFERENCE = pd.read_csv(HERE / "means.csv")


@pytest.mark.parametrize("name", REFERENCE["name"].unique())
def test_means(tables, name):
    kind, table = tables[name]
    reference = REFERENCE[REFERENCE["name"] == name]
    labels = table.loc[:, :"estimate"].iloc[:, :-1].astype(str).agg(", ".join, axis=1)
    assert labels.tolist() == reference["label"].tolist()
    away = LINEAR_IN_SE if kind == "linear" else LATENT_IN_SE
    for column in ("estimate", "conf_low", "conf_high"):
        distance = np.abs(table[column].to_numpy() - reference[column].to_numpy()) / reference["std_error"].to_numpy()
        assert (distance < (away if column == "estimate" else max(away, 2e-3))).all(), column
    np.testing.assert_allclose(table["std_error"], reference["std_error"], rtol=STD_ERROR[kind])
    np.testing.assert_allclose(table["df"], reference["df"], rtol=DF)
    if "mean" not in name and name not in ("response", "shares"):  # a test that a mean is zero says little
        np.testing.assert_allclose(table["p_value"], reference["p_value"], rtol=P, atol=1e-8)


def test_equations():
    d = pd.read_csv(HERE.parent / "trial_shares" / "data.csv")
    d["arm"] = pd.Categorical(d["arm"], ["reference", "intervention"])
    found = asp.gee("asks ~ arm + pre + sex", d, cluster="institution_id", family="binomial").tidy(method=asp.Robust())
    reference = pd.read_csv(HERE / "equations.csv")
    np.testing.assert_allclose(found["estimate"], reference["estimate"], rtol=1e-7)
    np.testing.assert_allclose(found["std_error"], reference["std_error"], rtol=1e-6)
