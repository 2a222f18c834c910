"""Laws of cluster-robust inference that hold for every data set."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from examples import part_of_examples
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.stats.linear.ols import ols
from asp_eval.stats.smallsample.cluster_robust import CR0, CR1, CR2, CR3

SAME = 1e-7
METHODS = (CR0(), CR2(), CR3())
NUMBERS = ["estimate", "std_error", "df"]


@st.composite
def trials(draw: st.DrawFn) -> pd.DataFrame:
    """Between 6 and 12 clusters of 2 to 9 children, both arms in at least two clusters."""
    sizes = draw(st.lists(st.integers(2, 9), min_size=6, max_size=12))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    n = len(cluster)
    arm = np.isin(cluster, [0, 1, *np.flatnonzero(rng.random(len(sizes)) < 0.3)]) & ~np.isin(cluster, [4, 5])
    y = rng.normal(size=n) + rng.normal(size=len(sizes))[cluster] + arm
    return pd.DataFrame({"y": y, "arm": arm * 1.0, "x": rng.normal(size=n), "w": rng.uniform(0.5, 2, n), "g": cluster})


def table(frame: pd.DataFrame, method: object = METHODS[1], weights: str | None = None) -> np.ndarray:
    return ols("y ~ arm + x", frame, cluster="g", weights=weights).tidy(method=method)[NUMBERS].to_numpy()


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
@part_of_examples(0.2)
@given(frame=trials(), seed=st.integers(0, 100))
def test_neither_the_order_of_rows_nor_the_names_of_clusters_matter(
    method: object, weights: str | None, frame: pd.DataFrame, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    names = rng.permutation([f"k{j}" for j in range(frame["g"].max() + 1)])
    other = frame.assign(g=names[frame["g"]]).iloc[rng.permutation(len(frame))]
    np.testing.assert_allclose(table(other, method, weights), table(frame, method, weights), rtol=SAME, atol=1e-9)


@part_of_examples(0.6)
@given(frame=trials(), scale=st.sampled_from([1e-6, 0.1, 50.0, 1e6]), shift=st.sampled_from([-300.0, 0.0, 7.0]))
def test_units_of_the_outcome_scale_estimates_and_errors(frame: pd.DataFrame, scale: float, shift: float) -> None:
    before, after = table(frame), table(frame.assign(y=(frame["y"] + shift) * scale))
    np.testing.assert_allclose(after[1:, :2], before[1:, :2] * scale, rtol=1e-5, atol=1e-9 * scale)
    np.testing.assert_allclose(after[:, 2], before[:, 2], rtol=SAME)


@part_of_examples(0.6)
@given(frame=trials(), scale=st.sampled_from([-1e5, 0.01, 1e5]), shift=st.sampled_from([-1e3, 0.0, 40.0]))
def test_units_of_a_covariate_leave_the_other_coefficients_alone(frame: pd.DataFrame, scale: float, shift: float) -> None:
    before, after = table(frame), table(frame.assign(x=(frame["x"] + shift) * scale))
    np.testing.assert_allclose(after[1], before[1], rtol=1e-5)
    np.testing.assert_allclose(after[2], before[2] * [1 / scale, 1 / abs(scale), 1], rtol=1e-5, atol=1e-9 / abs(scale))


@part_of_examples(0.6)
@given(frame=trials(), factor=st.sampled_from([1e-3, 7.0]))
def test_only_the_ratios_of_weights_matter(frame: pd.DataFrame, factor: float) -> None:
    np.testing.assert_allclose(table(frame.assign(w=frame["w"] * factor), weights="w"), table(frame, weights="w"), rtol=SAME)


@part_of_examples(0.6)
@given(frame=trials())
def test_equal_weights_are_no_weights(frame: pd.DataFrame) -> None:
    np.testing.assert_allclose(table(frame.assign(w=2.0), weights="w"), table(frame), rtol=SAME, atol=1e-12)


@part_of_examples(0.6)
@given(frame=trials())
def test_corrections_are_ordered(frame: pd.DataFrame) -> None:
    """(I - H)^0, ^-1/2, ^-1 in turn; each cluster's score for one coefficient need not grow, the whole matrix does."""
    fit = ols("y ~ 1", frame, cluster="g")
    errors = [fit.tidy(method=m)["std_error"].iloc[0] for m in (CR0(), CR2(), CR3())]
    assert errors[0] < errors[1] < errors[2]
    assert fit.tidy(method=CR1())["std_error"].iloc[0] > errors[0]


@part_of_examples(0.6)
@given(frame=trials())
def test_a_joint_test_does_not_depend_on_how_the_hypothesis_is_written(frame: pd.DataFrame) -> None:
    fit = ols("y ~ arm + x", frame, cluster="g")
    one = fit.joint_test([{"arm": 1.0}, {"x": 1.0}])
    two = fit.joint_test([{"arm": 2.0, "x": -1.0}, {"arm": 1.0, "x": 5.0}])
    assert two.statistic == pytest.approx(one.statistic, rel=SAME)
    assert two.df_denominator == pytest.approx(one.df_denominator, rel=SAME)


@part_of_examples(0.6)
@given(frame=trials(), scale=st.sampled_from([1e-9, 1e7]))
def test_a_joint_test_does_not_depend_on_units(frame: pd.DataFrame, scale: float) -> None:
    one, two = (ols("y ~ arm + x", f, cluster="g").joint_test(["arm", "x"]) for f in (frame, frame.assign(x=frame["x"] * scale)))
    assert two.statistic == pytest.approx(one.statistic, rel=1e-6)
    assert two.df_denominator == pytest.approx(one.df_denominator, rel=1e-6)
