"""Which counts of children may be shown, and how exactly: decided once for a variable, for all arms and everywhere.

A category of one to four children says something of a few; so does a total less the other counts, and a percentage or a
standard error from which a count can be worked out. How many answers are missing is not protected, here or in the flow: it
tells that a child was absent or an answer left out, and nothing of what anyone answered, and CONSORT asks for it. So the
number who answered is taken as known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Protection:
    """How the counts of one variable are shown.

    Attributes
    ----------
    form : {"exact", "share"}
        Counts with percentages; whole percentages alone.
    hidden : frozenset of int
        Positions of the categories that are shown in no arm.
    """

    form: Literal["exact", "share"]
    hidden: frozenset[int]


@dataclass(frozen=True, slots=True)
class ArmCounts:
    """The counts of one variable's categories in one arm, and how many answered with none of them."""

    counts: tuple[int, ...]
    unlisted: int = 0

    def has_small(self, minimum: int) -> bool:
        """Return whether a category is of fewer children than may be shown."""
        return any(0 < n < minimum for n in (*self.counts, self.unlisted))


def protect(arms: Sequence[ArmCounts], minimum: int) -> Protection:
    """Return how the counts of one variable may be shown.

    Where no category is small in any arm, counts stand with their percentages. Where one is, and a whole percentage leaves at
    least `minimum` children open in every arm, percentages stand alone. With a smaller arm `hidden_cells` are left out. What
    is hidden in one arm is hidden in all: the arms together, or a model of both, would tell it.

    Parameters
    ----------
    arms : sequence of ArmCounts
    minimum : int

    Examples
    --------
    >>> protect([ArmCounts((700, 690, 3)), ArmCounts((650, 700, 40))], 5)
    Protection(form='share', hidden=frozenset({2}))
    """
    if not any(arm.has_small(minimum) for arm in arms):
        return Protection("exact", frozenset())
    if all(sum(arm.counts) >= 100 * minimum for arm in arms):
        return Protection("share", frozenset(i for arm in arms for i, n in enumerate(arm.counts) if 0 < n < minimum))
    return Protection("exact", frozenset(i for arm in arms for i in hidden_cells(list(arm.counts), arm.unlisted, minimum)))


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
