"""Laws that scoring must obey whatever the answers are."""

import numpy as np
import pandas as pd
from examples import part_of_examples
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.trial.instruments.computing import scale_scores
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.instruments.parts import Rule
from asp_eval.trial.instruments.scoring import score, score_long

SDQ, CHILD = instrument("sdq-teacher-4-17"), instrument("gap-competences-child")
SDQ_RULE = SDQ.scales[0].rule
CODE = st.integers(0, 2)
MAYBE = st.none() | CODE
POMP = Rule(method="pomp", minimum_answered=1)


def of(answers, rule=SDQ_RULE, low=0, high=2):
    columns = [np.array([np.nan if answer is None else float(answer)]) for answer in answers]
    return scale_scores(columns, rule, low, high)[0][0]


def a_child(questionnaire, answer):
    return st.fixed_dictionaries(dict.fromkeys(questionnaire.item_keys, answer)).map(
        lambda row: pd.DataFrame([row], dtype="float64", columns=list(questionnaire.item_keys))
    )


@part_of_examples(0.25)
@given(a_child(SDQ, CODE))
def test_complete_answers_give_the_plain_sum(child):
    scores = score(SDQ, child).iloc[0]
    turned = {item.key: 2 - child[item.key].iloc[0] if item.reverse else child[item.key].iloc[0] for item in SDQ.items}
    for scale in SDQ.scales:
        assert scores[scale.key] == sum(turned[key] for key in scale.items)
    assert scores["total"] == scores["internalising"] + scores["externalising"]


@part_of_examples(0.25)
@given(a_child(SDQ, MAYBE))
def test_turning_every_answer_turns_every_sdq_score_up_to_rounding(child):
    """Half-up rounding is not symmetric: x.5 goes up on both sides, so the two add up to 10 or, at a half, to 11."""
    there, back = score(SDQ, child).iloc[0], score(SDQ, 2 - child).iloc[0]
    for scale in SDQ.scales:
        total = there[scale.key] + back[scale.key]
        assert np.isnan(total) or total == 10 or (total == 11 and child[list(scale.items)].notna().sum(axis=1).iloc[0] == 4)


@part_of_examples(0.25)
@given(a_child(CHILD, st.none() | st.integers(1, 5)))
def test_turning_every_answer_turns_percent_scores(child):
    there, back = score(CHILD, child), score(CHILD, 6 - child)
    np.testing.assert_allclose(there + back, np.where(there.isna(), np.nan, 100), rtol=1e-12)


@part_of_examples(0.25)
@given(a_child(SDQ, MAYBE), a_child(CHILD, st.none() | st.integers(1, 5)))
def test_scores_keep_to_their_range_or_are_missing(sdq, child):
    for questionnaire, frame in ((SDQ, sdq), (CHILD, child)):
        scores = score(questionnaire, frame).iloc[0]
        for scale in questionnaire.all_scales:
            value = scores[scale.key]
            assert np.isnan(value) or scale.range.from_ <= value <= scale.range.to


@part_of_examples(0.25)
@given(a_child(SDQ, MAYBE))
def test_a_score_is_missing_exactly_below_the_minimum(child):
    long = score_long(SDQ, child).set_index("scale")
    for scale in SDQ.scales:
        n = int(child[list(scale.items)].notna().sum(axis=1).iloc[0])
        assert long.loc[scale.key, "n_answered"] == n
        assert pd.isna(long.loc[scale.key, "score"]) == (n < 3)
        assert long.loc[scale.key, "prorated"] == (3 <= n < 5)
    assert pd.isna(long.loc["total", "score"]) == long.loc[["emotion", "conduct", "hyper", "peer"], "score"].isna().any()


@given(st.lists(MAYBE, min_size=5, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_items_within_a_scale_makes_no_difference(answers, random):
    shuffled = random.sample(answers, len(answers))
    assert of(answers) == of(shuffled) or (np.isnan(of(answers)) and np.isnan(of(shuffled)))


@part_of_examples(0.25)
@given(st.lists(a_child(SDQ, MAYBE), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_the_order_of_children_makes_no_difference(children, random):
    frame = pd.concat(children, ignore_index=True)
    order = random.sample(range(len(frame)), len(frame))
    pd.testing.assert_frame_equal(score(SDQ, frame.iloc[order]), score(SDQ, frame).iloc[order])


@given(st.lists(CODE, min_size=3, max_size=5), st.integers(0, 4))
def test_a_higher_answer_never_lowers_the_score(answers, position):
    position %= len(answers)
    padded = [*answers, *[None] * (5 - len(answers))]
    if answers[position] < 2:
        raised = [*padded]
        raised[position] += 1
        assert of(raised) >= of(padded)


@given(st.lists(CODE, min_size=3, max_size=4), CODE)
def test_one_more_answer_pulls_the_unrounded_score_towards_itself(answers, extra):
    """Prorating replaces the unanswered by the mean of the answered: an answer above it raises the score, and back."""
    plain = Rule(method="mean-times-n", minimum_answered=3)
    padded = [*answers, *[None] * (5 - len(answers))]
    more = [*answers, extra, *[None] * (4 - len(answers))]
    moved, distance = of(more, plain) - of(padded, plain), extra - np.mean(answers)
    assert abs(moved) < 1e-9 if abs(distance) < 1e-9 else moved * distance > 0


@given(st.lists(CODE, min_size=3, max_size=5))
def test_half_up_rounding_is_within_a_half_and_never_to_even(answers):
    padded = [*answers, *[None] * (5 - len(answers))]
    exact = 5 * sum(answers) / len(answers)
    assert -0.5 <= exact - of(padded) < 0.5


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.integers(1, 6))
def test_equal_answers_give_the_same_percent_however_many(answers, n):
    assert of([answers[0]] * n, POMP, 1, 5) == 25 * (answers[0] - 1)
