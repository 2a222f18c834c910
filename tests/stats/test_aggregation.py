"""Aggregation of staff answers: against R's multilevel and psych (values in the oracle) and hand arithmetic."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.stats.meta.aggregation import aggregation, shrunken_means, within_group_agreement

HERE = Path(__file__).parents[1] / "oracles" / "aggregation"
MODELS = json.loads((HERE / "oracle.json").read_text(encoding="utf-8"))["models"]
ANSWERS = pd.read_csv(HERE / "data.csv")
ITEMS = ["q1", "q2", "q3", "q4", "q5"]
KEYS = {
    "groups": "groups",
    "answers": "n",
    "ms_between": "MSB",
    "ms_within": "MSW",
    "f": "F",
    "df_between": "df1",
    "df_within": "df2",
    "p_value": "p",
    "n0": "n0",
    "mean_size": "mean_size",
    "icc1": "icc1_n0",
    "icc1_low": "icc1_low_searle_n0",
    "icc1_high": "icc1_high_searle_n0",
    "icc2": "icc2_F",
    "icc2_low": "icc2_low",
    "icc2_high": "icc2_high",
}


@pytest.mark.parametrize("name", ["score", "q1"])
def test_the_analysis_of_variance_is_r_s(name):
    expected = MODELS[name]
    found = aggregation(ANSWERS, expected["variable"], "inst")
    for mine, theirs in KEYS.items():
        assert getattr(found, mine) == pytest.approx(expected[theirs], abs=1e-9), mine
    by_group = expected["reliability_of_each_group_mean"]
    assert found.reliability["inst"].tolist() == by_group["group"]
    assert found.reliability["n"].tolist() == by_group["n"]
    assert found.reliability["reliability"].tolist() == pytest.approx(by_group["value"], abs=1e-9)


def same_groups(found, expected, key):
    mine = found.set_index("inst")["agreement"].reindex(expected["group"])
    np.testing.assert_allclose(mine, np.array(expected[key], dtype=float), atol=1e-9)


def test_within_group_agreement_is_r_s():
    same_groups(within_group_agreement(ANSWERS, ITEMS, "inst", 5), MODELS["rwg_j"], "rwg_j")
    skewed = MODELS["rwg_j_skewed"]
    found = within_group_agreement(ANSWERS, ITEMS, "inst", 5, null_shares=skewed["null_shares"])
    same_groups(found, MODELS["rwg_j"] | skewed, "rwg_j")
    for item in MODELS["rwg_single"]["items"]:
        same_groups(within_group_agreement(ANSWERS, [item["item"]], "inst", 5), item, "rwg")


def test_more_spread_than_chance_is_no_agreement_and_one_answer_is_undefined():
    rows = pd.DataFrame({"house": ["a", "a", "b"], "q": [1, 5, 3]})
    assert within_group_agreement(rows, ["q"], "house", 5)["agreement"].tolist() == pytest.approx([0.0, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("houses", "scores", "fault"),
    [("aaa", [1, 2, 3], "AGR-010"), ("abc", [1, 2, 3], "AGR-011"), ("aabb", [1, 1, 2, 2], "AGR-012")],
)
def test_answers_that_cannot_be_aggregated_are_refused(houses, scores, fault):
    with pytest.raises(Refusal, match=fault):
        aggregation(pd.DataFrame({"house": list(houses), "score": scores}), "score", "house")


def test_shares_at_random_must_add_up():
    with pytest.raises(Refusal, match="AGR-013"):
        within_group_agreement(pd.DataFrame({"house": ["a", "a"], "q": [1, 2]}), ["q"], "house", 5, null_shares=[0.5, 0.5])


@pytest.mark.parametrize("name", ["score", "q1"])
def test_what_else_r_says_of_it_follows_from_what_is_kept(name):
    """Eta squared, the harmonic size and both other formulas of the ICCs: the same sums of squares, arranged otherwise."""
    expected = MODELS[name]
    found = aggregation(ANSWERS, expected["variable"], "inst")
    squares = found.df_between * found.ms_between, found.df_within * found.ms_within
    assert squares[0] / sum(squares) == pytest.approx(expected["eta2"], abs=1e-9)
    sizes = found.reliability["n"].to_numpy()
    assert len(sizes) / (1 / sizes).sum() == pytest.approx(expected["harmonic_size"], abs=1e-9)
    at_mean = (found.ms_between - found.ms_within) / (found.ms_between + (found.mean_size - 1) * found.ms_within)
    assert at_mean == pytest.approx(expected["icc1_mean_size"], abs=1e-9)
    stepped = found.mean_size * found.icc1 / (1 + (found.mean_size - 1) * found.icc1)
    assert stepped == pytest.approx(expected["icc2_from_icc1_n0_mean_size"], abs=1e-9)


def test_the_mean_and_the_median_of_the_agreement_are_r_s():
    expected = MODELS["rwg_j"]
    found = within_group_agreement(ANSWERS, ITEMS, "inst", 5)["agreement"].dropna()
    assert (found.mean(), found.median()) == pytest.approx((expected["mean"], expected["median"]), abs=1e-9)


def test_shrunken_means_lie_where_their_reliability_puts_them():
    found = aggregation(ANSWERS, "score", "inst")
    means = ANSWERS.dropna(subset=["score"]).groupby("inst")["score"].mean()
    weights = pd.Series(MODELS["score"]["reliability_of_each_group_mean"]["value"], index=means.index)
    by_hand = means.mean() + weights * (means - means.mean())
    pd.testing.assert_series_equal(shrunken_means(found), by_hand, check_names=False, check_index_type=False)
    noise = pd.DataFrame({"house": list("aabb"), "score": [1.0, 5.0, 5.0, 1.1]})
    assert shrunken_means(aggregation(noise, "score", "house")).tolist() == pytest.approx([3.025, 3.025])  # of a negative ICC(1)
