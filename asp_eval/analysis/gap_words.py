"""What a GAP-profile says of an institution: a word for each gap, and the dimension on which it departs most from the typical.

The words, clear, perhaps, like most or cannot tell, go by the posterior probability of where the true gap lies among those of all
institutions (`stats.meta.placement`), with nothing taken as known. How often each is right, and how often it is said, is measured
in ``benchmarks/gap_words.csv``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Verdict = Literal[
    "clearly-staff-higher",
    "clearly-child-higher",
    "perhaps-staff-higher",
    "perhaps-child-higher",
    "as-most",
    "not-distinguishable",
]

CLEAR, PERHAPS, AS_MOST = 0.9, 0.7, 0.7  # least posterior probability of each word


@dataclass(frozen=True, slots=True)
class Departure:
    """How far an institution departs from the typical gap on a dimension: posterior mean and standard deviation, in points."""

    dimension: str
    points: float
    sd: float


def verdict(below: float, middle: float, above: float, middle_cautious: float) -> Verdict:
    """Return the word for a gap.

    Parameters
    ----------
    below, middle, above : float
        Posterior probability that the true gap lies in the lower quarter, the middle half, the upper quarter of institutions.
    middle_cautious : float
        That it lies in the middle half, given a spread between institutions at the lower fifth of what it may be.

    Examples
    --------
    >>> verdict(0.0, 0.08, 0.92, 0.1), verdict(0.0, 0.8, 0.2, 0.75), verdict(0.0, 0.8, 0.2, 0.6)
    ('clearly-staff-higher', 'as-most', 'not-distinguishable')
    """
    if above >= PERHAPS:
        return "clearly-staff-higher" if above >= CLEAR else "perhaps-staff-higher"
    if below >= PERHAPS:
        return "clearly-child-higher" if below >= CLEAR else "perhaps-child-higher"
    return "as-most" if min(middle, middle_cautious) >= AS_MOST else "not-distinguishable"


def leading_departure(departures: Sequence[Departure]) -> str:
    """Return the dimension that departs most, if it leads the next by its posterior standard deviation; empty otherwise.

    Examples
    --------
    >>> leading_departure([Departure("play", -9.0, 3.0), Departure("empathy", 5.0, 3.0)])
    'play'
    >>> leading_departure([Departure("play", -7.0, 3.0), Departure("empathy", 5.0, 3.0)])
    ''
    """
    ordered = sorted(departures, key=lambda each: -abs(each.points))
    if len(ordered) < 2:
        return ""
    first, second = ordered[:2]
    return first.dimension if abs(first.points) - abs(second.points) >= first.sd else ""
