"""Laws of permutation: what must not matter does not, and what must move moves along."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from examples import part_of_examples
from hypothesis import given, settings
from hypothesis import strategies as st

from asp_eval.stats.estimate import Estimate
from asp_eval.stats.linear.ols import ols
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.resampling.allocations import Allocations
from asp_eval.stats.resampling.permutation import Permutation
from tests.stats.permutation_trials import names, stratified, trial

EXAMPLES = settings(part_of_examples(0.1), derandomize=True)
MODELS = st.sampled_from(
    [
        (lmm, "y ~ arm + x + (1 | g)", {}),
        (lmm, "y ~ arm * x + muni + (1 | g)", {}),
        (ols, "y ~ arm + x", {"cluster": "g"}),
    ]
)
TRIALS = st.builds(trial, clusters=st.sampled_from([12, 14]), icc=st.sampled_from([0.0, 0.2]), seed=st.integers(0, 10**6))


def row(model: tuple, frame: pd.DataFrame, allocations: Allocations) -> Estimate:
    fit, formula, options = model
    return fit(formula, frame, **options).contrast({"arm[T.arm1]": 1.0}, Permutation("arm", allocations))


def drawn(frame: pd.DataFrame) -> Allocations:
    return Allocations(names(frame), stratified(frame, 99))


@EXAMPLES
@given(TRIALS, MODELS, st.floats(0.01, 1e4), st.floats(-1e3, 1e3), st.floats(-2.0, 2.0))
def test_units_and_effects_of_the_outcome(frame, model, scale, move, effect):
    a = row(model, frame, drawn(frame))
    b = row(model, frame.assign(y=scale * (frame["y"] + effect * (frame["arm"] == "arm1")) + move), drawn(frame))
    tolerance = 1e-5 * a.std_error
    assert b.conf_low / scale == pytest.approx(a.conf_low + effect, abs=tolerance)
    assert b.conf_high / scale == pytest.approx(a.conf_high + effect, abs=tolerance)
    if effect == 0:
        assert a.p_value == b.p_value


@EXAMPLES
@given(TRIALS, MODELS, st.integers(0, 1000))
def test_order_of_rows_and_names_of_clusters(frame, model, seed):
    a = row(model, frame, drawn(frame))
    renamed = {g: f"{(k * 7919) % 1009}" for k, g in enumerate(names(frame))}
    other = frame.assign(g=frame["g"].map(renamed)).sample(frac=1.0, random_state=seed)
    b = row(model, other, Allocations(tuple(renamed.values()), stratified(frame, 99)))
    assert a.p_value == b.p_value
    assert (b.conf_low, b.conf_high) == pytest.approx((a.conf_low, a.conf_high), abs=1e-5 * a.std_error)


@EXAMPLES
@given(TRIALS, st.sampled_from(["y ~ arm + x + (1 | g)", "y ~ arm + muni + (1 | g)"]))
def test_exchanging_the_arms_turns_the_interval_round(frame, formula):
    model = (lmm, formula, {})
    a = row(model, frame, drawn(frame))
    swapped = frame.assign(arm=pd.Categorical.from_codes(1 - frame["arm"].cat.codes, ["arm0", "arm1"]))
    b = row(model, swapped, Allocations(names(frame), 1 - stratified(frame, 99)))
    assert a.p_value == b.p_value
    assert (-b.conf_high, -b.conf_low) == pytest.approx((a.conf_low, a.conf_high), abs=1e-5 * a.std_error)


@EXAMPLES
@given(TRIALS, MODELS)
def test_the_interval_agrees_with_the_test(frame, model):
    a = row(model, frame, drawn(frame))
    if abs(a.p_value - 0.05) > 1e-9:
        assert (a.p_value >= 0.05) == (a.conf_low <= 0 <= a.conf_high)


@EXAMPLES
@given(TRIALS)
def test_a_test_under_the_null_is_uniform_over_the_draws(frame):
    """The p-values of all allocations of one outcome, each taken as the observed one, never fall below their rank."""
    draws = stratified(frame, 24)
    p = []
    for draw in draws:
        d = frame.assign(arm=pd.Categorical.from_codes(draw[frame["cluster"]], ["arm0", "arm1"]))
        method = Permutation("arm", Allocations(names(frame), draws, enumerated=True), interval=False)
        p.append(method.distribution(ols("y ~ arm + x", d, cluster="g"), {"arm[T.arm1]": 1.0}).p_value)
    for level in (0.05, 0.2, 0.5):
        assert np.mean(np.array(p) <= level) <= level + 1e-12
