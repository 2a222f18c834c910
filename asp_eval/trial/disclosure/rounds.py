r"""Whether the mean of a second round may be shown beside that of the first: what subtracting one from the other would tell.

Each mean is judged by itself first (`asp_eval.trial.disclosure.means`). Where one to four people answered in one round alone,
somebody who knows who they are, and takes it that the others answered the same both times, can subtract: the joiners' answers
are then known but for the rounding. So answers are counted under that assumption, in three parts, those who stayed, those who
left and those who came, whose sums have to fit both printed means. The second mean may be shown if at least `Limits.answer_sets`
triples of multisets fit, and the answers that another may have given reach over `Limits.share_of_grid` of the grid, whichever
respondent of either round reads both; or if nothing fits, since then the assumption is seen to be wrong. Answers that may have
changed freely between the rounds have nothing to subtract.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TypeVar

import numpy as np
import pandas as pd

from asp_eval.trial.disclosure.bands import CountBand, count_band
from asp_eval.trial.disclosure.limits import USUAL, Limits
from asp_eval.trial.disclosure.means import HIGHEST, as_printed, multisets, sums_printed_as, values_of_one

T = TypeVar("T")
Pair = tuple[T, T]

MOST_DIFFERING = 4  # people who answered in one of two rounds alone; of more, subtracting tells too little


@dataclass(frozen=True, slots=True)
class PrintedMean:
    """A mean as it is printed, and how many it is of."""

    mean: int
    count: int


@dataclass(frozen=True, slots=True)
class Members:
    """How many answered in both rounds, in the first alone, and in the second alone."""

    stayed: int
    left: int
    came: int


def second_may_be_shown(first: pd.Series, second: pd.Series, steps: int, limits: Limits = USUAL) -> bool:
    """Return whether the mean of a second round may be shown to those who have seen the first.

    Parameters
    ----------
    first, second : Series
        Everybody's score, 0 to 100, by the id of the person.
    steps : int
        Steps of the form's grid.
    limits : Limits
        The study's.

    Examples
    --------
    Six answered, and one more the second time: the newcomer's answer is the difference of the sums.

    >>> first = pd.Series([50, 75, 25, 50, 75, 75.0], list("abcdef"))
    >>> second_may_be_shown(first, pd.concat([first, pd.Series({"g": 25.0})]), 12)
    False
    >>> second_may_be_shown(first, first, 12)
    True
    """
    bands = [count_band(len(side), limits) for side in (first, second)]
    if bands[0] is None or bands[1] is None:
        return True
    everyone = _members(first, second)
    if not 1 <= everyone.left + everyone.came <= MOST_DIFFERING:
        return True
    printed = [PrintedMean(as_printed(float(np.mean(side))), len(side)) for side in (first, second)]
    return all(
        _reads_enough_apart(own, (printed[0], printed[1]), (bands[0], bands[1]), everyone, steps, limits)
        for own in _readers(first, second, everyone, steps)
    )


def _members(first: pd.Series, second: pd.Series) -> Members:
    """Return who answered when; where nobody is recognised from round to round, by how many more there are."""
    stayed = len(first.index.intersection(second.index)) or min(len(first), len(second))
    return Members(stayed, len(first) - stayed, len(second) - stayed)


def _readers(first: pd.Series, second: pd.Series, everyone: Members, steps: int) -> set[Pair[int | None]]:
    """Return the own answers, of each round, that those who read both printed means have given."""
    answers = [{person: round(score * steps / HIGHEST) for person, score in side.items()} for side in (first, second)]
    if answers[0].keys() & answers[1].keys():
        return {(answers[0].get(person), answers[1].get(person)) for person in answers[0] | answers[1]}
    found: set[Pair[int | None]] = set(product(answers[0].values(), answers[1].values()))
    found |= {(answer, None) for answer in answers[0].values()} if everyone.left else set()
    return found | ({(None, answer) for answer in answers[1].values()} if everyone.came else set())


def _reads_enough_apart(
    own: Pair[int | None], printed: Pair[PrintedMean], bands: Pair[CountBand], everyone: Members, steps: int, limits: Limits
) -> bool:
    """Return whether the reader who gave `own` answers learns too little of each of the others by subtracting."""
    anything, sets = False, 0
    possible: dict[str, set[int]] = {}
    for parts in _sums_that_fit(own, printed, bands, everyone, steps):
        anything = True
        sets += prod(multisets(people, steps, total, limits.answer_sets) for people, total in parts.values())
        for key, (people, total) in parts.items():
            possible.setdefault(key, set()).update(values_of_one(people, total, steps))
        if sets >= limits.answer_sets and all(len(v) >= limits.share_of_grid * (steps + 1) for v in possible.values()):
            return True
    return not anything


def _sums_that_fit(
    own: Pair[int | None], printed: Pair[PrintedMean], bands: Pair[CountBand], everyone: Members, steps: int
) -> Iterator[dict[str, tuple[int, int]]]:
    """Yield how many others stayed, left and came, and the sums of their answers, with which both means are as printed."""
    left, came = everyone.left - (own[1] is None), everyone.came - (own[0] is None)
    reads_both = own[0] is not None and own[1] is not None
    for size in bands[0].sizes(printed[0].count):
        later = size - everyone.left + everyone.came
        stayed = size - everyone.left - reads_both
        if stayed < 0 or later not in bands[1].sizes(max(printed[1].count, later)):
            continue
        seconds = sums_printed_as(printed[1].mean, later, own[1] or 0, stayed + came, steps)
        for both in sums_printed_as(printed[0].mean, size, own[0] or 0, stayed + left, steps):
            for of_left in range(max(0, both - stayed * steps), min(both, left * steps) + 1):
                of_stayed = both - of_left
                for total in seconds:
                    if 0 <= total - of_stayed <= came * steps:
                        parts = {"stayed": (stayed, of_stayed), "left": (left, of_left), "came": (came, total - of_stayed)}
                        yield {key: part for key, part in parts.items() if part[0]}
