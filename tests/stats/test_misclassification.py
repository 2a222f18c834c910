"""Moderation by a type coded with errors: against exact algebra and R (values in the oracle), and simulated trials."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import Refusal, Unavailable
from asp_eval.core.randomness import stream
from asp_eval.stats.meta.misclassification import (
    CodingErrors,
    corrected_effects,
    effects_by_code,
    errors_against_consensus,
    errors_of_two_coders,
    posterior_types,
    type_given_code,
)

HERE = Path(__file__).parents[1] / "oracles" / "misclassified_type"
MODELS = json.loads((HERE / "oracle.json").read_text(encoding="utf-8"))["models"]
TRIAL = pd.read_csv(HERE / "data.csv")
SIMEX = pd.read_csv(HERE / "simex.csv")
TYPES = ["I", "II", "III"]
TRUTH = MODELS["truth"]
FIRST, SECOND = (np.array(TRUTH[f"confusion_coder{i}"]["values"]) for i in (1, 2))
SHARES = np.array([TRUTH["type_shares"][t] for t in TYPES])
EFFECTS = np.array([TRUTH["effect_by_true_type"][t] for t in TYPES])
CODES = [TRIAL[f"coder{i}"].map(TYPES.index).to_numpy() for i in (1, 2)]
OUTCOME, ARM = TRIAL["y"].to_numpy(), TRIAL["arm"].to_numpy(dtype=float)


def drawn(seed, n, confusion):
    """Return n true types and one coder's codes of them."""
    random = stream(seed, "types")
    types = random.choice(3, size=n, p=SHARES)
    return types, lambda: (random.random(n)[:, None] > confusion[types].cumsum(axis=1)).sum(axis=1)


def test_types_given_a_code_and_the_effects_seen_are_the_exact_ones():
    mixing = type_given_code(CodingErrors(FIRST, SHARES))
    limits = MODELS["exact_limits"]
    np.testing.assert_allclose(mixing, limits["P_true_given_coder1"]["values"], atol=1e-10)
    np.testing.assert_allclose(mixing.T @ EFFECTS, [limits["naive_effect_by_coder1"][t] for t in TYPES], atol=1e-10)


def test_the_matrix_method_is_r_s():
    seen = effects_by_code(OUTCOME, ARM, np.eye(3)[CODES[0]])
    expected = MODELS["this_data"]
    np.testing.assert_allclose(seen.estimate, expected["naive_coder1"]["estimate"], atol=1e-8)
    np.testing.assert_allclose(seen.std_error, expected["naive_coder1"]["se"], atol=1e-8)
    found = corrected_effects(seen, CodingErrors(FIRST, SHARES))
    np.testing.assert_allclose(found.estimate, expected["corrected_matrix_method"]["estimate"], atol=1e-8)
    np.testing.assert_allclose(found.vcov, expected["corrected_matrix_method"]["vcov"]["values"], atol=1e-8)


@pytest.mark.parametrize(("coder", "confusion"), [(1, FIRST), (2, SECOND)])
def test_the_matrix_method_finds_what_mcsimex_finds(coder, confusion):
    """R's simex adds errors and extrapolates to none, by a parabola: near the exact answer, by a way that shares no formula."""
    expected = SIMEX[SIMEX["coder"] == f"coder{coder}"]
    seen = effects_by_code(OUTCOME, ARM, np.eye(3)[CODES[coder - 1]])
    np.testing.assert_allclose(seen.estimate, expected["naive"], atol=1e-8)
    found = corrected_effects(seen, CodingErrors(confusion, SHARES))
    apart = np.abs(found.estimate - expected["estimate"].to_numpy())
    assert (apart < 0.3 * expected["std_error"].to_numpy()).all(), apart
    np.testing.assert_allclose(found.std_error, expected["std_error"], rtol=0.35)


def test_posterior_weights_of_two_coders_are_r_s():
    found = effects_by_code(OUTCOME, ARM, posterior_types(CODES, [FIRST, SECOND], SHARES))
    expected = MODELS["this_data"]["posterior_weights_two_coders"]
    np.testing.assert_allclose(found.estimate, expected["estimate"], atol=1e-8)
    np.testing.assert_allclose(found.std_error, expected["se"], atol=1e-8)


def test_codes_without_errors_change_nothing():
    seen = effects_by_code(OUTCOME, ARM, np.eye(3)[CODES[0]])
    found = corrected_effects(seen, CodingErrors(np.eye(3), SHARES))
    np.testing.assert_allclose(found.estimate, seen.estimate)
    np.testing.assert_allclose(found.vcov, seen.vcov)


def test_a_missing_code_leaves_the_other_coder_s_word():
    none = np.array([-1, 0])
    found = posterior_types([none, np.array([2, -1])], [FIRST, SECOND], SHARES)
    np.testing.assert_allclose(found[0], SHARES * SECOND[:, 2] / (SHARES @ SECOND[:, 2]))
    np.testing.assert_allclose(found[1], SHARES * FIRST[:, 0] / (SHARES @ FIRST[:, 0]))


def test_over_simulated_trials_the_correction_finds_the_true_effects():
    n, trials, found, seen = 120, 400, [], []
    for trial in range(trials):
        types, coder = drawn(trial, n, FIRST)
        code = coder()
        random = stream(trial, "outcomes")
        arm = random.permutation(np.repeat([0.0, 1.0], n // 2))
        outcome = EFFECTS[types] * arm + random.normal(0, 0.45, n)
        by_code = effects_by_code(outcome, arm, np.eye(3)[code])
        seen.append(by_code.estimate)
        found.append(corrected_effects(by_code, CodingErrors(FIRST, SHARES)).estimate)
    error = np.std(found, axis=0) / np.sqrt(trials)
    assert (np.abs(np.mean(found, axis=0) - EFFECTS) < 4 * error + 0.02).all()  # unbiased to O(1/n) only
    naive = np.array([MODELS["exact_limits"]["naive_effect_by_coder1"][t] for t in TYPES])
    assert (np.abs(np.mean(seen, axis=0) - naive) < 4 * error + 0.01).all()


def test_errors_counted_against_a_consensus_by_hand():
    found = errors_against_consensus(np.array([0, 0, 1, 1, 1, -1]), np.array([0, 0, 0, 1, 1, 1]), 2)
    np.testing.assert_allclose(found.confusion, [[2 / 3, 1 / 3], [0, 1]])
    np.testing.assert_allclose(found.shares, [0.6, 0.4])
    assert isinstance(errors_against_consensus(np.array([0, 0]), np.array([0, 0]), 2), Unavailable)


def test_two_coders_alone_give_the_errors_they_were_drawn_with():
    right = np.array([[0.8, 0.1, 0.1], [0.12, 0.76, 0.12], [0.05, 0.05, 0.9]])
    _, coder = drawn(3, 200_000, right)
    found = errors_of_two_coders(coder(), coder(), 3)
    np.testing.assert_allclose(found.confusion, right, atol=0.01)
    np.testing.assert_allclose(found.shares, SHARES, atol=0.01)


def test_what_two_coders_cannot_tell_is_said():
    assert "two types" in errors_of_two_coders(np.array([0, 1]), np.array([0, 1]), 2).reason
    assert "nearly singular" in errors_of_two_coders(np.array([0, 1]), np.array([0, 1]), 3).reason


def test_codes_that_tell_nothing_give_no_effect():
    blind = CodingErrors(np.full((3, 3), 1 / 3) + np.eye(3) * 0.01 - 0.01 / 3, np.full(3, 1 / 3))
    seen = effects_by_code(OUTCOME, ARM, np.eye(3)[CODES[0]])
    assert "nearly singular" in corrected_effects(seen, blind).reason


@pytest.mark.parametrize("confusion", [np.array([[0.9, 0.2], [0.1, 0.9]]), np.array([[1.1, -0.1], [0, 1]]), np.eye(3)])
def test_rows_that_are_no_probabilities_are_refused(confusion):
    with pytest.raises(Refusal, match="AGR-020"):
        type_given_code(CodingErrors(confusion, np.array([0.5, 0.5])))
