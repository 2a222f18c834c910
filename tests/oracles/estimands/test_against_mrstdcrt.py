"""Participant and cluster averages against R: MRStdCRT 0.1.0 (jackknife 1), clubSandwich 0.5.8; simulated data.

1. all working models, scales and averages are MRStdCRT's; 2. independence weights with CR2 are clubSandwich's; 3. the jackknife
is that of refits without each institution; 4. with sizes 10 and 70 and effects .4 and 0, the truth of both averages is found,
and the mixed model is near neither.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import asp_eval

HERE = Path(__file__).parent
EXACT = 1e-9  # least squares, and Fisher scoring to the end
STOPPED = 1e-6  # nlme and geepack stop earlier
ORACLE = json.loads((HERE / "oracle.json").read_text(encoding="utf-8"))["models"]
MRS = {name: part for name, part in ORACLE["mrs"].items() if isinstance(part, dict)}


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return pd.read_csv(HERE / "data.csv")


@pytest.mark.parametrize("name", MRS)
def test_every_working_model_is_that_of_mrstdcrt(data, name):
    theirs = MRS[name]
    working = {"LM": "lm", "LMM": "lmm"}.get(theirs["method"])
    working = working or {"independence": "gee_ind", "exchangeable": "gee_exch"}[theirs["corstr"]]
    ours = asp_eval.standardised_effects(
        theirs["formula"], data, cluster="inst", arm="arm", working=working, scale=theirs["scale"], df=theirs["df"]
    ).set_index("average")
    tolerance = STOPPED if working in ("lmm", "gee_exch") else EXACT
    for average, key in (("cluster", "cluster_average"), ("participant", "participant_average"), ("difference", "difference")):
        for number, value in theirs["jackknife_1"][key].items():
            assert ours.loc[average, number] == pytest.approx(value, rel=tolerance, abs=tolerance), (average, number)


@pytest.mark.parametrize("model", ["unadjusted", "adjusted"])
def test_independence_weights_are_those_of_clubsandwich(data, model):
    weighted = data.assign(w=1 / data.groupby("inst")["inst"].transform("size"))
    for part, key, weights in (
        ("participant_average", "ols_cr", None),
        ("cluster_average", "weighted_1_over_n_cr", "w"),
    ):
        theirs = ORACLE[model][part][key]
        fit = asp_eval.ols(ORACLE[model]["formula"], weighted, cluster="inst", weights=weights)
        ours = fit.tidy(method=asp_eval.CR2()).set_index("term").loc["arm"]
        assert ours["estimate"] == pytest.approx(theirs["estimate"], rel=1e-8)
        for number in ("std_error", "df", "conf_low", "conf_high"):
            assert ours[number] == pytest.approx(theirs["CR2"][number], rel=1e-5), (part, number)


def test_the_jackknife_of_independence_weights_is_that_of_refits(data):
    """Without probabilities that vary, the participant average of equations is least squares' own coefficient."""
    ours = asp_eval.standardised_effects(
        "y ~ x + girl", data, cluster="inst", arm="arm", working="gee_ind", decomposed=False
    ).set_index("average")
    theirs = ORACLE["adjusted"]["participant_average"]["jackknife"]
    assert ours.loc["participant", "estimate"] == pytest.approx(theirs["estimate"], rel=1e-9)
    assert ours.loc["participant", "std_error"] == pytest.approx(theirs["std_error"], rel=1e-9)
    assert ours.loc["participant", "df"] == 24 - 2  # the constant and the arm


def test_informative_sizes_have_two_truths_and_the_mixed_model_neither():
    """Institutions of 10 gain .4, those of 70 nothing: .20 for institutions, .05 for participants; mixed about .147."""
    J, found = 4000, {}
    rng = np.random.default_rng(5)
    size = np.tile([10, 10, 70, 70], J // 4)
    arm = np.tile([0, 1, 0, 1], J // 4)
    u = rng.normal(0, np.sqrt(0.06), J)
    g = np.repeat(np.arange(J), size)
    y = u[g] + np.where(size == 10, 0.4, 0.0)[g] * arm[g] + rng.normal(0, np.sqrt(0.94), len(g))
    frame = pd.DataFrame({"inst": g, "arm": arm[g], "y": y})
    mixed = asp_eval.lmm("y ~ arm + (1 | inst)", frame).contrast({"arm": 1.0}, method=asp_eval.Normal()).estimate
    small = frame[frame["inst"] < 400]
    ours = asp_eval.standardised_effects("y ~ 1", small, cluster="inst", arm="arm", working="gee_ind").set_index("average")
    cells = frame.groupby(["inst", "arm"])["y"].agg(["mean", "size"]).reset_index()
    for average, weights in (("cluster", np.ones(J)), ("participant", cells["size"].to_numpy(float))):
        one, other = (np.average(cells["mean"][cells["arm"] == a], weights=weights[cells["arm"] == a]) for a in (1, 0))
        found[average] = one - other
    assert found["cluster"] == pytest.approx(0.20, abs=0.03)
    assert found["participant"] == pytest.approx(0.05, abs=0.03)
    assert mixed == pytest.approx(0.147, abs=0.03)
    for average, truth in (("cluster", 0.20), ("participant", 0.05)):
        assert ours.loc[average, "conf_low"] < truth < ours.loc[average, "conf_high"]
    assert ours.loc["difference", "p_value"] < 0.05


def test_an_arm_of_one_cluster_has_no_effect(data):
    few = data[(data["arm"] == 0) | (data["inst"] == data.loc[data["arm"] == 1, "inst"].iloc[0])]
    ours = asp_eval.standardised_effects("y ~ 1", few, cluster="inst", arm="arm")
    assert ours["estimate"].isna().all()
    assert "one institution only" in ours["note"].iloc[0]
