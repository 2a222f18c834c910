"""What two printed means of two rounds tell together.

1. The attacker, who takes it that who answered twice answered the same, tries every set of answers of those who stayed, left and
came, and is left with enough of them exactly where the rule says so.  2. What it must and must not hide.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from examples import part_of_examples
from gap_trials import attack_on_two_rounds
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.trial.disclosure.limits import USUAL
from asp_eval.trial.disclosure.means import as_printed
from asp_eval.trial.disclosure.rounds import second_may_be_shown

STEPS = 4  # of a small grid, so that the attacker can try everything


def as_scores(answers: dict[str, int], steps: int = STEPS) -> pd.Series:
    return pd.Series(answers, dtype=float) * 100 / steps


@part_of_examples(0.1)
@given(st.lists(st.integers(0, STEPS), min_size=6, max_size=6), st.integers(0, 1), st.integers(0, 2), st.data())
def test_the_attacker_is_left_with_enough(answers: list[int], left: int, came: int, data: st.DataObject) -> None:  # 1
    first = {f"p{i}": answer for i, answer in enumerate(answers)}
    second = {person: answer for person, answer in first.items() if person != "p0" or not left}
    second |= {f"n{i}": data.draw(st.integers(0, STEPS)) for i in range(came)}
    shown = second_may_be_shown(as_scores(first), as_scores(second), STEPS)
    if not left + came:
        assert shown
        return
    printed = tuple(as_printed(100 * sum(side.values()) / (STEPS * len(side))) for side in (first, second))
    fewest, least = attack_on_two_rounds(printed, first, second, STEPS)
    assert shown == (fewest >= USUAL.answer_sets and least >= USUAL.share_of_grid)


def test_a_newcomer_is_not_told_by_subtracting() -> None:  # 2
    first = {f"p{i}": 6 for i in range(6)} | {"p0": 9, "p1": 3}
    assert not second_may_be_shown(as_scores(first, 12), as_scores(first | {"new": 2}, 12), 12)
    fewer = {person: answer for person, answer in first.items() if person != "p1"}
    assert not second_may_be_shown(as_scores(first, 12), as_scores(fewer, 12), 12)


def test_one_more_counts_even_where_nobody_is_recognised() -> None:  # 2
    first = {f"p{i}": 6 for i in range(6)} | {"p0": 9, "p1": 3}
    others = {f"q{i}": answer for i, answer in enumerate(first.values())}
    assert second_may_be_shown(as_scores(first, 12), as_scores(others, 12), 12)
    assert not second_may_be_shown(as_scores(first, 12), as_scores(others | {"new": 2}, 12), 12)


@pytest.mark.parametrize("came", [0, 5, 8])
def test_the_same_people_or_many_others_tell_nothing_by_subtracting(came: int) -> None:  # 2
    rng = np.random.default_rng(came)
    first = {f"p{i}": int(a) for i, a in enumerate(rng.integers(3, 10, 9))}
    second = {person: int(rng.integers(3, 10)) for person in first} | {f"n{i}": 6 for i in range(came)}
    assert second_may_be_shown(as_scores(first, 12), as_scores(second, 12), 12)


def test_answers_that_cannot_have_stayed_the_same_have_nothing_to_subtract() -> None:  # 2
    first = {f"p{i}": answer for i, answer in enumerate((2, 3, 1, 2, 4, 3))}
    second = {f"p{i}": answer for i, answer in enumerate((9, 8, 10, 9, 11, 8))} | {"new": 9}
    assert second_may_be_shown(as_scores(first, 12), as_scores(second, 12), 12)
