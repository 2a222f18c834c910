"""Pooling equals mitml on given imputations, every number; the fits of the imputed sets equal lme4's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import asp_eval
from asp_eval.stats.imputation.pooling import joint_test

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "reference.json").read_text())
EXACT = 1e-9  # pooling of given numbers
REFITTED = 1e-5  # lme4's optimiser stops there
COLUMNS = ("estimate", "std_error", "statistic", "df", "p_value", "riv", "fmi")
MODELS = sorted(REFERENCE)


@pytest.fixture(scope="module")
def imputed():
    frame, values = pd.read_csv(HERE / "data.csv"), pd.read_csv(HERE / "imputed.csv")
    frames = []
    for k in [c for c in values if c.startswith("m")]:
        done = frame.copy()
        for (variable, level), own in values.groupby(["variable", "level"]):
            new = done[level].map(own.set_index("id")[k])
            done[variable] = done[variable].fillna(new)
        frames.append(done)
    return asp_eval.Imputations.from_frames(frames)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("key", "df"), [("none", None), ("by_25", 25)])
def test_pooled_numbers_are_those_of_mitml(model, key, df):
    own = REFERENCE[model]
    estimates = pd.DataFrame(own["estimate"], columns=own["terms"])
    errors = pd.DataFrame(own["std_error"], columns=own["terms"])
    table = asp_eval.pool(estimates, errors, df_complete=df)
    for column in COLUMNS:
        np.testing.assert_allclose(table[column], own["pooled"][key][column], rtol=EXACT, atol=1e-14, err_msg=column)


@pytest.mark.parametrize("model", MODELS)
def test_degrees_of_freedom_of_the_completed_fits_are_averaged(model):
    """Against mice::pool.scalar with the mean of pbkrtest's degrees of freedom."""
    own = REFERENCE[model]
    table = asp_eval.pool(own["estimate"], own["kr_se"], df_complete=own["kr_df"])
    expected = np.array(own["pooled_kr"])
    for j, column in enumerate(("estimate", "std_error", "df", "riv", "fmi")):
        np.testing.assert_allclose(table[column], expected[:, j], rtol=EXACT, err_msg=column)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("key", "df"), [("none", None), ("by_25", 25.0)])
def test_joint_test_is_d1(model, key, df):
    own = REFERENCE[model]
    places = [own["terms"].index(term) for term in own["tested"]]
    found = joint_test("both", np.array(own["estimate"])[:, places], np.array(own["covariance"]), df)
    expected = own["D1"][key]
    got = (found.statistic, found.df_numerator, found.df_denominator, found.p_value)
    np.testing.assert_allclose(got[:3], [expected[c] for c in ("F.value", "df1", "df2")], rtol=EXACT)
    assert got[3] == pytest.approx(expected["P(>F)"], rel=1e-8)  # from input of 15 digits


@pytest.mark.parametrize("model", MODELS)
def test_fits_of_imputed_sets_pool_to_the_same(model, imputed):
    own = REFERENCE[model]
    analyses = imputed.fit(lambda frame: asp_eval.lmm(own["formula"], frame))
    table = analyses.pool()  # Kenward-Roger
    expected = np.array(own["pooled_kr"])
    np.testing.assert_allclose(table["estimate"], expected[:, 0], rtol=REFITTED)
    np.testing.assert_allclose(table["std_error"], expected[:, 1], rtol=REFITTED)
    np.testing.assert_allclose(table["df"], expected[:, 2], rtol=1e-3)
    assert (table["df_low"] <= table["df_complete"]).all()
    assert (table["df_complete"] <= table["df_high"]).all()
    names = [t.replace("`", "") for t in own["tested"]]
    joint = analyses.joint_test(names, method=asp_eval.Normal())
    np.testing.assert_allclose(joint.statistic, own["D1"]["none"]["F.value"], rtol=1e-4)
    np.testing.assert_allclose(joint.df_denominator, own["D1"]["none"]["df2"], rtol=1e-3)


def test_agreeing_imputations_keep_the_degrees_of_freedom_of_the_complete_data():
    """B = 0: the Barnard-Rubin limit 25 * 26 / 28; infinite without degrees of freedom of the complete data."""
    table = asp_eval.pool([[1.2]] * 5, [[0.3]] * 5, df_complete=25)
    assert table["df"].item() == pytest.approx(25 * 26 / 28)
    assert (table["riv"].item(), table["fmi"].item()) == (0.0, pytest.approx(0.07629427792915532))
    alone = asp_eval.pool([[1.2]] * 5, [[0.3]] * 5)
    assert np.isinf(alone["df"].item())
    assert alone["p_value"].item() == pytest.approx(6.334248366623996e-05)


@pytest.mark.parametrize(("df", "expected"), [(None, 9.789767965149972), (8, 1.902582648940659), (1, 0.17713085830320385)])
def test_five_imputations(df, expected):
    table = asp_eval.pool([[0.4], [1.1], [-0.3], [0.9], [0.2]], np.sqrt([[0.2], [0.25], [0.18], [0.22], [0.21]]), df_complete=df)
    assert table["df"].item() == pytest.approx(expected, rel=EXACT)
    assert table["std_error"].item() == pytest.approx(0.766550715869472, rel=EXACT)


def test_monte_carlo_errors_are_the_jackknife_s():
    """By hand: each imputation left out in turn."""
    Q, U = np.array([0.4, 1.1, -0.3, 0.9, 0.2]), np.array([0.2, 0.25, 0.18, 0.22, 0.21])
    table = asp_eval.pool(Q[:, None], np.sqrt(U)[:, None], df_complete=8)
    assert table["mc_error"].item() == pytest.approx(Q.std(ddof=1) / np.sqrt(5))
    without = [asp_eval.pool(np.delete(Q, i)[:, None], np.sqrt(np.delete(U, i))[:, None], 8)["p_value"].item() for i in range(5)]
    assert table["mc_error_p"].item() == pytest.approx(np.std(without) * np.sqrt(4))
