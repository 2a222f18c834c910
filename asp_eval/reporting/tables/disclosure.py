"""Which counts of children may be shown, and how exactly.

A count of one to four says something of a few children; so does a total less the other counts, and a percentage from which the
total can be worked out. Missing answers are a count like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Protection:
    """How the counts of one variable in one arm are shown.

    Attributes
    ----------
    form : {"exact", "share", "count"}
        Counts with percentages; whole percentages alone; counts alone.
    hidden : frozenset of int
        Positions of the categories that are not shown.
    """

    form: Literal["exact", "share", "count"]
    hidden: frozenset[int]


def protect(counts: list[int], others: list[int], minimum: int) -> Protection:
    """Return how the counts of one variable in one arm may be shown.

    Where nothing is small, counts stand with their percentages. Where something is, and a whole percentage leaves at least
    `minimum` children open, percentages stand alone. In a smaller arm counts stand alone, with `hidden_cells` left out.

    Parameters
    ----------
    counts : list of int
        Children in each listed category.
    others : list of int
        Children in no listed category, and children without an answer.
    minimum : int

    Examples
    --------
    >>> protect([700, 690], [0, 1], 5)
    Protection(form='share', hidden=frozenset())
    """
    if not any(0 < n < minimum for n in (*counts, *others)):
        return Protection("exact", frozenset())
    if sum(counts) >= 100 * minimum:
        return Protection("share", frozenset(i for i, n in enumerate(counts) if 0 < n < minimum))
    return Protection("count", frozenset(hidden_cells(counts, others, minimum)))


def hidden_cells(counts: list[int], others: list[int], minimum: int) -> set[int]:
    """Return which of the listed counts must not be shown where the total is known.

    Those of 1 to ``minimum - 1``; and where only one cell would be hidden, the smallest listed other as well, or the total would
    reveal it.

    Examples
    --------
    >>> hidden_cells([3, 40, 61], [0, 0], 5) == {0, 1}
    True
    >>> hidden_cells([30, 40], [0, 0], 5)
    set()
    """
    small = {i for i, n in enumerate(counts) if 0 < n < minimum}
    small_others = sum(0 < n < minimum for n in others)
    if len(small) + small_others == 1:
        rest = [i for i, n in enumerate(counts) if n >= minimum]
        small |= set(sorted(rest, key=lambda i: counts[i])[:1])
    return small
