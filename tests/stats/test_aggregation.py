"""Aggregation of staff answers: against R's multilevel and psych (values in the oracle) and hand arithmetic."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.stats.meta.aggregation import aggregation, within_group_agreement

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
