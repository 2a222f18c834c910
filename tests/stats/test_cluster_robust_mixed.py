"""Cluster-robust inference on mixed models: closed forms, scale, and where there is no answer."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from asp_eval.core.errors import Unavailable
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.linear.ols import ols
from asp_eval.stats.mixed.fit import lmm, lmm_from_moments
from asp_eval.stats.smallsample.cluster_robust import CR0, CR2, CR3
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger

MODEL = "y ~ arm + (1 | g)"


def trial(clusters: int, children: int, seed: int = 3, between: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(clusters), children)
    y = between * rng.normal(size=clusters)[g] + rng.normal(size=len(g)) + 0.4 * (g % 2)
    return pd.DataFrame({"y": y, "arm": np.where(g % 2, "b", "a"), "x": rng.normal(size=len(g)), "g": g})


def effect(table: pd.DataFrame) -> pd.Series:
    return table.set_index("term").loc["arm[T.b]"]


def test_in_a_balanced_trial_kenward_roger_cr2_and_the_t_test_of_means_agree() -> None:
    frame = trial(12, 6)
    fit = lmm(MODEL, frame)
    means = frame.groupby(["g", "arm"])["y"].mean().reset_index()
    exact = stats.ttest_ind(means.loc[means["arm"] == "b", "y"], means.loc[means["arm"] == "a", "y"])
    for method in (CR2(), KenwardRoger()):
        got = effect(fit.tidy(method=method))
        assert got["statistic"] == pytest.approx(exact.statistic, rel=1e-7)
        assert got["df"] == pytest.approx(10, rel=1e-6)
        assert got["p_value"] == pytest.approx(exact.pvalue, rel=1e-5)


def test_without_variance_between_groups_the_answers_are_those_of_least_squares() -> None:
    frame = trial(10, 5, seed=2, between=0.0)
    fit = lmm("y ~ arm + x + (1 | g)", frame)
    assert fit.singular
    for method in (CR0(), CR2(), CR3()):
        want = ols("y ~ arm + x", frame, cluster="g").tidy(method=method)
        got = fit.tidy(method=method)
        for column in ("estimate", "std_error", "df"):
            np.testing.assert_allclose(got[column], want[column], rtol=1e-6)


def test_clusters_are_the_outermost_group_whatever_the_order_of_terms() -> None:
    frame = trial(10, 12).assign(room=lambda d: d["g"] * 3 + np.arange(len(d)) % 3)
    one, two = (lmm(f"y ~ arm + x + {t}", frame) for t in ("(1 | g/room)", "(1 | room) + (1 | g)"))
    np.testing.assert_allclose(one.vcov(CR2()), two.vcov(CR2()), rtol=1e-5)
    assert effect(one.tidy(method=CR2()))["df"] < 9


def test_crossed_factors_have_no_cluster_robust_answer() -> None:
    frame = trial(8, 10).assign(rater=lambda d: np.arange(len(d)) % 7)
    table = lmm("y ~ arm + (1 | g) + (1 | rater)", frame).tidy(method=CR2())
    assert table["std_error"].isna().all()
    assert table["note"].str.contains("no grouping factor holds all others").all()


def test_a_fit_from_moments_says_that_it_has_no_rows() -> None:
    fit = lmm_from_moments(Moments.from_frame(MODEL, trial(8, 10)))
    assert isinstance(fit.vcov(CR2()), Unavailable)
    assert "moments" in fit.tidy(method=CR2())["note"].iloc[0]


def test_collinear_columns_change_nothing() -> None:
    frame = trial(9, 7).assign(twice=lambda d: 2 * d["x"] + 1)
    want, got = (lmm(f"y ~ arm + x {t} + (1 | g)", frame).tidy(method=CR2()) for t in ("", "+ twice"))
    np.testing.assert_allclose(got["std_error"].iloc[:3], want["std_error"], rtol=1e-7)
    assert "dropped" in got["note"].iloc[3]


def test_two_hundred_groups_of_two_with_random_slopes() -> None:
    frame = trial(200, 2).assign(t=lambda d: np.arange(len(d)) % 2 + 0.1 * d["x"])
    table = lmm("y ~ arm + t + (0 + t | g)", frame).tidy(method=CR2())
    assert table["std_error"].gt(0).all()
    assert table["df"].between(20, 200).all()


def test_memory_does_not_grow_with_the_square_of_the_cluster() -> None:
    """A cluster of 20,000 would need a matrix of 3.2 GB; twenty columns of the rows are 13 MB."""
    fit = lmm("y ~ arm + x + (1 | g)", trial(4, 20_000))
    tracemalloc.start()
    try:
        fit.tidy(method=CR2())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 60e6


@pytest.mark.parametrize("factor", [1e8, 1e-8])
def test_the_unit_of_the_outcome_does_not_matter(factor: float) -> None:
    frame = trial(9, 7)
    here, there = (lmm(MODEL, f).tidy(method=CR2()) for f in (frame, frame.assign(y=frame["y"] * factor)))
    for column in ("df", "statistic", "p_value"):
        np.testing.assert_allclose(there[column], here[column], rtol=1e-5)


def test_an_icc_near_one_leaves_the_within_cluster_effect_to_the_rows() -> None:
    """Then the mixed model's slope is that of cluster dummies, and so is its cluster-robust error."""
    rng = np.random.default_rng(4)
    frame = trial(12, 8).assign(y=lambda d: rng.normal(size=12)[d["g"]] + 1e-5 * (d["x"] + rng.normal(size=96)))
    got = lmm("y ~ arm + x + (1 | g)", frame).tidy(method=CR2()).set_index("term").loc["x"]
    want = ols("y ~ x + C(g)", frame, cluster="g").tidy(method=CR2()).set_index("term").loc["x"]
    for column in ("estimate", "std_error", "df"):
        assert got[column] == pytest.approx(want[column], rel=1e-4)


def test_an_arm_of_one_cluster_has_no_robust_error() -> None:
    frame = trial(6, 8).assign(arm=lambda d: np.where(d["g"] == 2, "b", "a"))
    row = effect(ols("y ~ arm", frame, cluster="g").tidy())
    assert "hide 83% of the variance" in row["note"]  # 1/8 of 1/8 + 1/40
    alone = ols("y ~ arm", frame[frame["g"].isin([1, 2])], cluster="g").tidy()
    assert alone["std_error"].isna().all()
    assert alone["note"].str.contains("one cluster alone determines").all()
