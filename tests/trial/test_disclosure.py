"""What may be printed about a few people.

1. Counts in bands.  2. Multisets counted exactly.  3. The attacker: whoever answered reads what is printed, tries every set of
answers that the others may have given, and is left with enough of them.  4. What was shown once and must not be.  5. Limits that
a study declares.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asp_eval.trial.disclosure.bands import CountBand, count_band
from asp_eval.trial.disclosure.limits import USUAL, Limits
from asp_eval.trial.disclosure.means import as_printed, mean_may_be_shown, multisets

STEPS = 6  # of a small grid, so that the attacker can try everything
OTHERS = (Limits(answer_sets=25), Limits(answer_sets=3, share_of_grid=0.2), Limits(share_of_grid=0.9, count_bands=(7,)))


@pytest.mark.parametrize(
    ("count", "band"),
    [(4, None), (5, (5, 9)), (9, (5, 9)), (10, (10, 14)), (14, (10, 14)), (15, (15, None)), (200, (15, None))],
)
def test_counts_in_bands(count: int, band: tuple[int, int | None] | None) -> None:  # 1
    assert count_band(count) == (None if band is None else CountBand(*band))


def test_a_higher_minimum_leaves_fewer_bands() -> None:  # 1
    assert count_band(12, Limits(minimum_cell=12)) == CountBand(12, 14)
    assert count_band(30, Limits(minimum_cell=20)) == CountBand(20, None)


@pytest.mark.parametrize(("people", "steps"), [(1, 4), (3, 4), (4, 6), (6, 3)])
def test_multisets_are_counted_as_by_listing_them(people: int, steps: int) -> None:  # 2
    listed = [sum(one) for one in combinations_with_replacement(range(steps + 1), people)]
    for total in range(-1, people * steps + 2):
        for enough in (2, USUAL.answer_sets, 25):
            assert multisets(people, steps, total, enough) == min(enough, listed.count(total))


@given(st.integers(20, 24), st.integers(2, 13), st.data())
def test_many_people_have_many_sets(people: int, steps: int, data: st.DataObject) -> None:  # 2
    # The shortcut for many people, against the recurrence without it.
    total = data.draw(st.integers(20, people * steps - 20))
    ways = np.zeros((people + 1, total + 1), dtype=object)  # by number of answers above 0, and their sum
    ways[0, 0] = 1
    for part in range(1, steps + 1):
        for used in range(1, people + 1):
            for reached in range(part, total + 1):
                ways[used, reached] += ways[used - 1, reached - part]
    assert sum(ways[:, total]) >= USUAL.answer_sets == multisets(people, steps, total)


def attack(scores: list[int], limits: Limits = USUAL) -> tuple[int, float]:
    """Return the fewest sets of the others' answers, and the least share of the grid that another's answer may have, that any
    of those who answered is left with, by listing every set."""
    printed = as_printed(100 * sum(scores) / (STEPS * len(scores)))
    band = count_band(len(scores), limits)
    assert band is not None
    assert band.high is not None
    fewest, least = limits.answer_sets + 1, 1.0
    for own in set(scores):
        fits = [
            others
            for size in range(band.low, band.high + 1)
            for others in combinations_with_replacement(range(STEPS + 1), size - 1)
            if as_printed(100 * (own + sum(others)) / (STEPS * size)) == printed
        ]
        fewest = min(fewest, len(fits))
        least = min(least, len({answer for others in fits for answer in others}) / (STEPS + 1))
    return fewest, least


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, STEPS), min_size=5, max_size=6), st.sampled_from([USUAL, USUAL, *OTHERS]))
def test_the_attacker_is_left_with_enough(answers: list[int], limits: Limits) -> None:  # 3
    shown = mean_may_be_shown(np.array(answers) * 100 / STEPS, STEPS, limits)
    fewest, least = attack(answers, limits)
    assert shown == (fewest >= limits.answer_sets and least >= limits.share_of_grid)


@pytest.mark.parametrize(
    ("answers", "stricter"),
    [([0, 0, 0, 2, 4], Limits(answer_sets=20)), ([0, 0, 0, 1, 4], Limits(share_of_grid=0.9)), ([3] * 6, Limits(minimum_cell=7))],
)
def test_a_stricter_limit_hides_what_the_usual_ones_show(answers: list[int], stricter: Limits) -> None:  # 5
    scores = np.array(answers) * 100 / STEPS
    assert mean_may_be_shown(scores, STEPS)
    assert not mean_may_be_shown(scores, STEPS, stricter)
    assert not stricter.looser


@pytest.mark.parametrize("looser", [Limits(answer_sets=2), Limits(answer_sets=2, share_of_grid=0.2)])
def test_a_looser_limit_shows_what_the_usual_ones_hide_and_says_so(looser: Limits) -> None:  # 5
    scores = np.array([0, 0, 0, 0, 4]) * 100 / STEPS
    assert mean_may_be_shown(scores, STEPS, looser)
    assert not mean_may_be_shown(scores, STEPS)
    assert looser.looser


@pytest.mark.parametrize(
    ("bands", "narrower"), [((), False), ((15,), False), ((10, 20), False), ((8,), True), ((10, 12), True), ((10, 15, 20), False)]
)
def test_bands_that_hold_fewer_counts_are_looser(bands: tuple[int, ...], narrower: bool) -> None:  # 5
    assert bool(Limits(count_bands=bands).looser) == narrower


@pytest.mark.parametrize("answers", [[6, 6, 6, 6, 5], [6] * 6, [0] * 5, [0, 0, 0, 0, 1], [6, 6, 6, 5, 5]])
def test_the_attacker_would_have_found_out(answers: list[int]) -> None:  # 3
    fewest, least = attack(answers)
    assert fewest < USUAL.answer_sets or least < USUAL.share_of_grid
    assert not mean_may_be_shown(np.array(answers) * 100 / STEPS, STEPS)


def test_98_of_five_people_is_not_shown() -> None:  # 4
    assert not mean_may_be_shown(np.array([100, 100, 100, 100, 1100 / 12]), 12)


def test_all_alike_in_the_middle_is_shown_and_so_told_to_nobody() -> None:  # 4
    assert mean_may_be_shown(np.full(6, 50.0), 12)


def test_too_few_are_never_shown() -> None:  # 4
    assert not mean_may_be_shown(np.array([25.0, 50.0, 75.0, 50.0]), 12)
