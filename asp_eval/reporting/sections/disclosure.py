"""Which counts of children may be shown, and how exactly.

A category of one to four children says something of a few; so does a total less the other counts, and a percentage from which
a count can be worked out. How many answers are missing is not protected, here or in the flow: it tells that a child was absent
or an answer left out, and nothing of what anyone answered, and CONSORT asks for it. So the number who answered is taken as known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Protection:
    """How the counts of one variable in one arm are shown.

    Attributes
    ----------
    form : {"exact", "share"}
        Counts with percentages; whole percentages alone.
    hidden : frozenset of int
        Positions of the categories that are not shown.
    """

    form: Literal["exact", "share"]
    hidden: frozenset[int]


def protect(counts: list[int], unlisted: int, minimum: int) -> Protection:
    """Return how the counts of one variable in one arm may be shown.

    Where no category is small, counts stand with their percentages. Where one is, and a whole percentage leaves at least
    `minimum` children open, percentages stand alone. In a smaller arm `hidden_cells` are left out.

    Parameters
    ----------
    counts : list of int
        Children in each listed category.
    unlisted : int
        Children who answered with no listed category.
    minimum : int

    Examples
    --------
    >>> protect([700, 690, 3], 0, 5)
    Protection(form='share', hidden=frozenset({2}))
    """
    if not any(0 < n < minimum for n in (*counts, unlisted)):
        return Protection("exact", frozenset())
    if sum(counts) >= 100 * minimum:
        return Protection("share", frozenset(i for i, n in enumerate(counts) if 0 < n < minimum))
    return Protection("exact", frozenset(hidden_cells(counts, unlisted, minimum)))


def hidden_cells(counts: list[int], unlisted: int, minimum: int) -> set[int]:
    """Return which of the listed counts must not be shown where the number who answered is known.

    Those of 1 to ``minimum - 1``; and where only one cell would be hidden, the smallest listed other as well, or the total would
    reveal it.

    Examples
    --------
    >>> hidden_cells([3, 40, 61], 0, 5) == {0, 1}
    True
    >>> hidden_cells([30, 40], 0, 5)
    set()
    """
    small = {i for i, n in enumerate(counts) if 0 < n < minimum}
    if len(small) + (0 < unlisted < minimum) == 1:
        rest = [i for i, n in enumerate(counts) if n >= minimum]
        small |= set(sorted(rest, key=lambda i: counts[i])[:1])
    return small
