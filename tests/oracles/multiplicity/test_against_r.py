"""Adjustment within a family over every allocation of a stratified lot, against R and by counting.

1. Statistics of all 400 allocations, made here, give R's adjusted p-values: cluster means exactly.  2. lme4's give them within
two allocations' worth, and our own refits as well.  3. Holm and Benjamini-Hochberg.  4. A sample: the observed one is one more.
5. The critical value of simultaneous intervals rejects what the single-step p-values reject.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import asp_eval
from asp_eval.core.errors import Refusal
from asp_eval.stats.linear.ols import ols
from asp_eval.stats.meta.multiplicity import benjamini_hochberg, holm, largest_quantile, single_step, step_down
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.resampling.allocations import Allocations
from asp_eval.stats.resampling.permutation import Permutation

HERE = Path(__file__).parent
MODELS = json.loads((HERE / "reference.json").read_text(encoding="utf-8"))["models"]
OUTCOMES = MODELS["cluster_means_t"]["outcomes"]


@pytest.fixture(scope="module")
def family():
    """Statistics of all allocations by cluster means and by the mixed model, and which row was observed."""
    frame, design = pd.read_csv(HERE / "data.csv"), MODELS["design"]
    strata = np.array(design["stratum_of_institution"])
    halves = [list(itertools.combinations(np.flatnonzero(strata == s), int((strata == s).sum()) // 2)) for s in design["strata"]]
    draws = np.zeros((len(halves[0]) * len(halves[1]), len(strata)), int)
    for row, chosen in zip(draws, itertools.product(*halves), strict=True):
        row[[*chosen[0], *chosen[1]]] = 1
    lot = Allocations(tuple(design["institutions"]), draws, True)
    observed = int(np.flatnonzero((draws == design["arm_of_institution"]).all(axis=1))[0])
    frame["arm"] = frame["arm"].astype(float)
    means = [ols(f"{y} ~ arm + stratum", frame, cluster="inst") for y in OUTCOMES]
    mixed = [lmm(f"{y} ~ arm + stratum + (1 | inst)", frame) for y in OUTCOMES]
    tables = []
    for fits, statistic in ((means, "cluster-means"), (mixed, "model")):
        method = Permutation("arm", lot, statistic, interval=False)
        tables.append(np.column_stack([method.distribution(fit, {"arm": 1.0}).statistics for fit in fits]))
    return tables[0], tables[1], observed


def test_cluster_means_are_exact(family):  # 1
    t, _, observed = family
    own = MODELS["cluster_means_t"]
    np.testing.assert_allclose(t[observed], own["statistic_abs"], rtol=1e-8)
    np.testing.assert_allclose(step_down(t, observed), own["p_step_down_maxT"], atol=1e-12)
    np.testing.assert_allclose(single_step(t, observed), own["p_single_step_maxT"], atol=1e-12)
    np.testing.assert_allclose((t >= t[observed] - 1e-9).mean(axis=0), own["p_raw"], atol=1e-12)


@pytest.mark.parametrize("whose", ["ours", "lme4"])
def test_mixed_models(family, whose):  # 2
    own = MODELS["lmer_t"]
    theirs = pd.read_csv(HERE / "statistics.csv").filter(like="T2_").to_numpy()
    t = family[1] if whose == "ours" else theirs
    observed = int(np.argmin(np.abs(t - np.array(own["statistic_abs"])).max(axis=1)))
    np.testing.assert_allclose(t[observed], own["statistic_abs"], rtol=1e-4)
    worth = 2.01 / len(t)
    np.testing.assert_allclose(step_down(t, observed), own["p_step_down_maxT"], atol=worth)
    np.testing.assert_allclose(single_step(t, observed), own["p_single_step_maxT"], atol=worth)


def test_by_p_values_alone():  # 3
    for own in (MODELS["cluster_means_t"], MODELS["lmer_t"]):
        np.testing.assert_allclose(holm(own["p_raw"]), own["p_holm_of_raw"], atol=1e-12)
        np.testing.assert_allclose(benjamini_hochberg(own["p_raw"]), own["p_BH_of_raw"], atol=1e-12)
    assert benjamini_hochberg([0.01, None]) == (0.02, None)  # one that failed still counts


def test_a_sample_by_counting():  # 4
    t = np.array([[0.5, 3.0], [2.5, 0.1], [0.2, 0.4], [np.nan, 0.3]])
    own = np.array([2.0, 1.0])
    # the largest of both: 3, 2.5, 0.4, missing (never smaller), and the observed 2: four of five are at least 2
    assert step_down(t, own).tolist() == [4 / 5, 4 / 5]  # alone, the second is reached twice in five: the order holds 4/5
    assert single_step(t, own).tolist() == [4 / 5, 4 / 5]
    assert step_down([[3.0, 1.0], [1.0, 2.0], [0.5, 0.2], [0.1, 0.3]], 0).tolist() == [0.25, 0.5]


def test_simultaneous_critical_value(family):  # 5
    t, _, observed = family
    for level in (0.95, 0.9, 0.5):
        c = largest_quantile(t, observed, level)
        rejected = single_step(t, observed) <= 1 - level + 1e-12
        np.testing.assert_array_equal(t[observed] >= c - 1e-9, rejected)
    assert np.isinf(largest_quantile(t[:10], 0, 0.95))


@pytest.mark.parametrize(("statistics", "observed"), [([1.0, 2.0], 0), ([[1.0, 2.0]], 5), ([[1.0, 2.0]], [1.0]), ([], 0)])
def test_what_is_no_family(statistics, observed):
    with pytest.raises(Refusal, match="INF-080"):
        asp_eval.step_down(statistics, observed)
