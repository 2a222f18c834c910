r"""Whether a printed mean may be shown: what somebody who answered could work out about the others.

The reader knows what is printed, a mean in whole points and a band of counts, and one respondent's own answer. A score takes one
of the values 0, 1, ..., g of the form's grid (100 k / g points). Of the others' answers the reader then knows that, for some
count n of the band, their sum is one for which the mean is printed as it is. The mean may be shown if

- at least `Limits.answer_sets` multisets of the others' answers fit, and
- the values that another respondent may have given reach over at least `Limits.share_of_grid` of the grid,

whichever respondent reads it. The multisets are counted exactly: those of n values from 0 to g with sum s are the partitions of s
into at most n parts of at most g, with :math:`p(n, g, s) = p(n - 1, g, s) + p(n, g - 1, s - n)` (Andrews 1976, The Theory of
Partitions, ch. 3). Whether few people answered, or all alike, has no rule of its own: only what can be worked out matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from asp_eval.trial.disclosure.bands import count_band
from asp_eval.trial.disclosure.limits import USUAL, Limits

HIGHEST = 100.0  # percent of maximum possible


def as_printed(value: float) -> int:
    """Return a number of a profile in the whole points in which it is printed: halves go up.

    Examples
    --------
    >>> as_printed(62.5), as_printed(-0.4)
    (63, 0)
    """
    return floor(value + 0.5)


def mean_may_be_shown(scores: NDArray[np.float64], steps: int, limits: Limits = USUAL) -> bool:
    """Return whether the mean of a cell may be shown, with the band of its count.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        Everybody's score, 0 to 100.
    steps : int
        Steps of the form's grid: 12 for three answers from 1 to 5.
    limits : Limits
        The study's.

    Examples
    --------
    >>> mean_may_be_shown(np.array([50, 75, 25, 50, 100, 75.0]), 12)
    True

    98 of five people fits one set of answers, four times the highest and once the one below:

    >>> mean_may_be_shown(np.array([100, 100, 100, 100, 1100 / 12]), 12)
    False
    """
    band = count_band(len(scores), limits)
    if band is None:
        return False
    printed = as_printed(float(np.mean(scores)))
    own = {round(float(score) * steps / HIGHEST) for score in scores}
    return all(reads_enough_apart(answer, printed, band.sizes(len(scores)), steps, limits) for answer in own)


@cache
def reads_enough_apart(own: int, printed: int, sizes: range, steps: int, limits: Limits) -> bool:
    """Return whether a respondent who answered `own` learns too little of the others, from the printed mean and the band."""
    sets, possible = 0, set[int]()
    for others, total in sums_that_fit(own, printed, reversed(sizes), steps):
        sets += multisets(others, steps, total, limits.answer_sets)
        possible.update(values_of_one(others, total, steps))
        if sets >= limits.answer_sets and len(possible) >= limits.share_of_grid * (steps + 1):
            return True
    return False


def sums_that_fit(own: int, printed: int, sizes: Iterable[int], steps: int) -> Iterator[tuple[int, int]]:
    """Yield every number of others, and sum of their answers, with which the mean is printed as it is."""
    for size in sizes:
        for total in sums_printed_as(printed, size, own, size - 1, steps):
            yield size - 1, total


def sums_printed_as(printed: int, size: int, own: int, people: int, steps: int) -> range:
    """Return the sums of some people's answers with which the mean of `size` answers, among them `own`, is printed as it is."""
    first = ceil((printed - 0.5) * size * steps / HIGHEST - own - 1e-9)
    last = ceil((printed + 0.5) * size * steps / HIGHEST - own - 1e-9) - 1
    return range(max(0, first), min(last, people * steps) + 1)


def values_of_one(people: int, total: int, steps: int) -> range:
    """Return the answers that one of some people may have given, whose answers have a sum: the rest lies with the others."""
    return range(max(0, total - (people - 1) * steps), min(steps, total) + 1)


@cache
def multisets(people: int, steps: int, total: int, enough: int = USUAL.answer_sets) -> int:
    """Return how many multisets of answers from 0 to `steps` have a sum, counted no further than `enough`.

    Of many people, far enough from either end, there are enough: with answers of 0, 1 and 2 alone, as many as numbers of twos.

    Examples
    --------
    >>> multisets(2, 12, 4), multisets(4, 12, 47), multisets(30, 12, 180), multisets(30, 12, 180, 25)
    (3, 1, 10, 25)
    """
    if total < 0 or total > people * steps:
        return 0
    if total in (0, people * steps):
        return 1
    if people >= 2 * enough and steps > 1 and 2 * enough <= total <= people * steps - 2 * enough:
        return enough
    fewer = multisets(people - 1, steps, total, enough)  # one of them answered 0
    if fewer >= enough:
        return enough
    return min(enough, fewer + multisets(people, steps - 1, total - people, enough))
