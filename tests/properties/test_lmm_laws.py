"""Laws of linear mixed models: what must not matter does not, and balanced designs have their closed form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from examples import part_of_examples
from hypothesis import given, settings
from hypothesis import strategies as st

from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.mixed.fit import MixedFit, lmm, lmm_from_moments
from asp_eval.stats.smallsample.between_within import BetweenWithin
from asp_eval.stats.smallsample.satterthwaite import Satterthwaite

SAME = 1e-6
"""Relative: two searches for one optimum, in other units or another order."""
FORMULAS = st.sampled_from(
    ["y ~ arm + x + (1 | g)", "y ~ arm * t + (1 + t | g)", "y ~ arm + x + (1 | g/room)", "y ~ x + (1 | g) + (1 | r)"]
)
EXAMPLES = settings(part_of_examples(0.2), derandomize=True)


@st.composite
def trials(draw: st.DrawFn) -> pd.DataFrame:
    """A small unbalanced trial; variances differ by draw, zero included."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    m, n = draw(st.integers(6, 16)), draw(st.integers(90, 200))
    tau = draw(st.sampled_from([0.3, 0.7, 2.0]))
    g = rng.permutation(np.arange(n) % m)
    d = pd.DataFrame(
        {"g": g, "room": g * 2 + rng.integers(0, 2, n), "r": rng.integers(0, 7, n), "arm": np.where(g % 2, "b", "a")}
    )
    d["x"], d["t"] = rng.normal(size=n), rng.integers(0, 4, n).astype(float)
    effects = tau * (rng.normal(size=m)[g] + 0.5 * rng.normal(size=m)[g] * d["t"] + 0.5 * rng.normal(size=2 * m)[d["room"]])
    d["y"] = 1 + 0.5 * d["x"] + effects + 0.6 * rng.normal(size=7)[d["r"]] + rng.normal(size=n)
    return d


def numbers(fit: MixedFit) -> np.ndarray:
    """Criterion, table and residual variance in one array."""
    table = fit.tidy().drop(columns=["term", "method", "note"]).to_numpy(float)
    return np.concatenate([[fit.deviance, fit.sigma2], table[:, :4].ravel()])


def agree(a: np.ndarray, b: np.ndarray, tolerance: float = SAME) -> None:
    np.testing.assert_allclose(a, b, rtol=30 * tolerance, atol=tolerance)
    assert a[0] == pytest.approx(b[0], rel=1e-9, abs=1e-8)


@EXAMPLES
@given(trials(), FORMULAS, st.integers(0, 1000))
def test_the_order_of_rows_does_not_matter(d: pd.DataFrame, formula: str, seed: int) -> None:
    agree(numbers(lmm(formula, d)), numbers(lmm(formula, d.sample(frac=1.0, random_state=seed))))


@EXAMPLES
@given(trials(), FORMULAS)
def test_names_of_groups_do_not_matter(d: pd.DataFrame, formula: str) -> None:
    names = {c: d[c].map(lambda v, c=c: f"{c}-{(v * 7919) % 1009:04d}") for c in ("g", "room", "r")}
    agree(numbers(lmm(formula, d)), numbers(lmm(formula, d.assign(**names))))


@EXAMPLES
@given(trials(), FORMULAS, st.floats(0.01, 1e6), st.floats(-1e4, 1e4))
def test_units_of_the_outcome_do_not_matter(d: pd.DataFrame, formula: str, scale: float, move: float) -> None:
    a, b = lmm(formula, d), lmm(formula, d.assign(y=d["y"] * scale + move))
    A, B = a.tidy(), b.tidy()
    np.testing.assert_allclose(B["std_error"], A["std_error"] * scale, rtol=SAME)
    np.testing.assert_allclose(B["df"], A["df"], rtol=30 * SAME)
    np.testing.assert_allclose(B["estimate"][1:], A["estimate"][1:] * scale, rtol=1e-5, atol=1e-6 * scale)
    assert b.singular == a.singular


@EXAMPLES
@given(trials(), st.floats(0.001, 1e4), st.floats(-1e6, 1e6))
def test_units_of_a_covariate_do_not_matter(d: pd.DataFrame, scale: float, move: float) -> None:
    formula = "y ~ arm * t + x + (1 + t | g)"
    a, b = lmm(formula, d), lmm(formula, d.assign(x=d["x"] * scale + move, t=d["t"] * 3))
    A, B = a.tidy().set_index("term"), b.tidy().set_index("term")
    np.testing.assert_allclose(
        B.loc["arm[T.b]", ["estimate", "std_error", "df"]].to_list(),
        A.loc["arm[T.b]", ["estimate", "std_error", "df"]].to_list(),
        rtol=1e-4,
        atol=1e-6,
    )
    np.testing.assert_allclose(B.loc["x", "std_error"] * scale, A.loc["x", "std_error"], rtol=1e-5)
    np.testing.assert_allclose(B.loc["arm[T.b]:t", "estimate"] * 3, A.loc["arm[T.b]:t", "estimate"], rtol=1e-4, atol=1e-6)


@EXAMPLES
@given(trials(), st.floats(-50, 50))
def test_the_origin_of_a_random_slope_does_not_matter(d: pd.DataFrame, move: float) -> None:
    a, b = lmm("y ~ t + (1 + t | g)", d), lmm("y ~ t + (1 + t | g)", d.assign(t=d["t"] + move))
    assert b.deviance == pytest.approx(a.deviance, abs=1e-7)
    assert b.tidy()["std_error"][1] == pytest.approx(a.tidy()["std_error"][1], rel=1e-5)
    np.testing.assert_allclose(b.fitted, a.fitted, atol=1e-4)


@EXAMPLES
@given(trials(), FORMULAS, st.integers(1, 80))
def test_moments_add(d: pd.DataFrame, formula: str, cut: int) -> None:
    d = d.assign(arm=pd.Categorical(d["arm"], categories=["a", "b"]))
    parts = [Moments.from_frame(formula, d[:cut]), Moments.from_frame(formula, d[cut:])]
    whole = lmm(formula, d)
    agree(numbers(lmm_from_moments(parts[0] + parts[1])), numbers(whole))
    agree(numbers(lmm_from_moments(parts[1] + parts[0])), numbers(whole))


@EXAMPLES
@given(trials(), st.sampled_from(["y ~ arm + x + (1 | g)", "y ~ arm * t + (1 + t | g)"]))
def test_duplicated_rows_equal_weights(d: pd.DataFrame, formula: str) -> None:
    """Two copies of a row and one row of weight two have the same cross-products; only n differs."""
    twice = np.arange(len(d)) % 3 == 0
    copies = Moments.from_frame(formula, pd.concat([d, d[twice]]))
    weighted = Moments.from_frame(formula, d.assign(w=np.where(twice, 2.0, 1.0)), weights="w").shifted(copies.shift)
    np.testing.assert_allclose(weighted.total, copies.total, rtol=1e-9, atol=1e-8)
    order = weighted.levels[0].get_indexer(copies.levels[0])
    np.testing.assert_allclose(weighted.sums[0][order], copies.sums[0], rtol=1e-9, atol=1e-8)


@EXAMPLES
@given(st.integers(3, 10), st.integers(2, 8), st.integers(0, 2**32))
def test_a_balanced_trial_has_the_exact_f_test(pairs: int, size: int, seed: int) -> None:
    """With equal groups the arm is tested by the t test of the groups' means on m - 2 degrees of freedom."""
    rng, m = np.random.default_rng(seed), 2 * pairs
    g = np.repeat(np.arange(m), size)
    y = rng.normal(size=m)[g] * 1.5 + rng.normal(size=m * size)
    fit = lmm("y ~ arm + (1 | g)", pd.DataFrame({"g": g, "arm": g % 2, "y": y}))
    means = y.reshape(m, size).mean(axis=1)
    a, b = means[::2], means[1::2]
    within = y.reshape(m, size).var(axis=1, ddof=1).mean()
    pooled = ((a.var(ddof=1) + b.var(ddof=1)) / 2) * 2 / pairs
    if (a.var(ddof=1) + b.var(ddof=1)) / 2 <= 1.001 * within / size:  # the variance between groups is estimated as zero
        return
    for method in (None, Satterthwaite(), BetweenWithin()):
        row = fit.tidy(method).iloc[1]
        assert row["estimate"] == pytest.approx(b.mean() - a.mean(), rel=1e-9)
        assert row["std_error"] == pytest.approx(np.sqrt(pooled), rel=1e-6)
        assert row["df"] == pytest.approx(m - 2, rel=1e-5)
    assert fit.sigma2 == pytest.approx(within, rel=1e-7)
    between = fit.covariances[0][0, 0]
    assert between == pytest.approx((a.var(ddof=1) + b.var(ddof=1)) / 2 - within / size, rel=1e-6)


@EXAMPLES
@given(trials())
def test_nested_groups_may_be_written_in_two_ways(d: pd.DataFrame) -> None:
    agree(numbers(lmm("y ~ arm + (1 | g/room)", d)), numbers(lmm("y ~ arm + (1 | room) + (1 | g)", d)))


@EXAMPLES
@given(trials())
def test_type_three_tests_do_not_depend_on_the_reference(d: pd.DataFrame) -> None:
    other = d.assign(arm=pd.Categorical(d["arm"], categories=["b", "a"]))
    a, b = lmm("y ~ arm * t + (1 | g)", d).anova(), lmm("y ~ arm * t + (1 | g)", other).anova()
    np.testing.assert_allclose(b["statistic"].to_numpy(float), a["statistic"].to_numpy(float), rtol=1e-4, atol=1e-8)
    np.testing.assert_allclose(b["df_denominator"].to_numpy(float), a["df_denominator"].to_numpy(float), rtol=1e-4)
