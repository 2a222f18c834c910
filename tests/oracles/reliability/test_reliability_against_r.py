"""Reliability of a short scale with children in institutions, against R: psych 2.2.9, lavaan 0.6.14, polycor 0.8.1; simulated.

1. every number of the mapping is R's; 2. the interval that knows the institutions is that of their bootstrap, and wider than one
that takes children for independent; 3. with fewer institutions it is the jackknife's, and below five there is none.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import asp_eval
from asp_eval.core.errors import Unavailable
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.meta.reliability import clustered_alpha

HERE = Path(__file__).parent
ORACLE = json.loads((HERE / "oracle.json").read_text(encoding="utf-8"))["models"]
SCALE, ITEMS = ORACLE["scale"], ORACLE["scale"]["items"]
FORMULA, ML, POLYCHORIC, MINRES = 1e-9, 1e-5, 2e-4, 2e-3  # lavaan, polycor and psych stop there


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return pd.read_csv(HERE / "data.csv")


@pytest.fixture(scope="module")
def found(data):
    return asp_eval.reliability(data, ITEMS, "inst")


NUMBERS = "n_all n_complete alpha alpha_feldt_low alpha_feldt_high average_r alpha_standardised alpha_within alpha_between"
BY_ITEM = "item_rest alpha_if_dropped floor ceiling"


@pytest.mark.parametrize("name", [*NUMBERS.split(), *BY_ITEM.split()])
def test_the_alpha_family_is_that_of_psych(found, name):
    assert found[name] == pytest.approx(SCALE[name], rel=FORMULA)


def test_omega_is_that_of_lavaan(found):
    assert found["omega_total"] == pytest.approx(SCALE["omega_total_lavaan_cov"], rel=ML)
    key = "omega_total_over_observed_variance"
    assert found[key] == pytest.approx(SCALE[key], rel=5e-3)  # lavaan divides by n - 1, and by n in the model
    shrunk = np.sqrt((SCALE["n_complete"] - 1) / SCALE["n_complete"])
    assert np.array(found["loadings"]) * shrunk == pytest.approx(SCALE["loadings_cov"], rel=1e-4)


def test_polychoric_correlations_are_those_of_polycor(found):
    theirs = np.array(SCALE["polychoric_two_step_polycor"]["values"])
    assert found["polychoric"].to_numpy() == pytest.approx(theirs, abs=POLYCHORIC)
    assert found["ordinal_alpha"] == pytest.approx(SCALE["ordinal_alpha"], abs=POLYCHORIC)
    assert found["ordinal_omega"] == pytest.approx(SCALE["ordinal_omega_minres"], abs=MINRES)


def test_the_interval_knows_the_institutions(data):
    whole = data.dropna()
    ours, theirs = clustered_alpha(whole[ITEMS], whole["inst"]), ORACLE["bootstrap"]
    assert isinstance(ours, Estimate) and ours.method == "ClusterBootstrap"
    assert ours.std_error == pytest.approx(theirs["clustered_se"], rel=0.08)
    for bound, value, error in zip(
        (ours.conf_low, ours.conf_high), theirs["clustered_percentile"], theirs["mc_error_of_bounds"], strict=True
    ):
        assert bound == pytest.approx(value, abs=4 * np.sqrt(2) * error)
    assert ours.std_error > 1.15 * theirs["children_as_if_independent_se"]


def test_few_institutions_are_left_out_in_turn(data):
    whole = data.dropna()
    few = whole[whole["inst"].isin(sorted(whole["inst"].unique())[:8])]
    ours = clustered_alpha(few[ITEMS], few["inst"])
    loo = [asp_eval.reliability(few[few["inst"] != one], ITEMS)["alpha"] for one in few["inst"].unique()]
    assert (ours.method, ours.df) == ("Jackknife", 7)
    assert ours.std_error == pytest.approx(np.sqrt(7 / 8 * ((np.array(loo) - np.mean(loo)) ** 2).sum()), rel=1e-9)
    four = whole[whole["inst"].isin(sorted(whole["inst"].unique())[:4])]
    assert clustered_alpha(four[ITEMS], four["inst"]).conf_low is None
    assert isinstance(clustered_alpha(whole[ITEMS].iloc[:10], whole["inst"].iloc[:10]), Unavailable)
