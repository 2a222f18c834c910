"""Institutions as the chapter on the process compares them: arm by arm all of them, and those of each type in the last round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """Institutions of one arm; `type` is empty for all of them."""

    arm: str
    type: str
    institutions: tuple[str, ...]


def groups(order: Sequence[str], arms: Mapping[str, str], types: Mapping[str, str], levels: Sequence[str]) -> Iterator[Group]:
    """Yield the groups, those without an institution too.

    Parameters
    ----------
    order : sequence of str
        The arms.
    arms : mapping of str to str
        The arm of each institution that was drawn.
    types : mapping of str to str
        The type of each institution that has one.
    levels : sequence of str
        The types, in their order.

    Examples
    --------
    >>> [each.institutions for each in groups(("r", "i"), {"A": "r", "B": "i", "C": "i"}, {"C": "II"}, ("I", "II"))]
    [('A',), (), (), ('B', 'C'), (), ('C',)]
    """
    for arm in order:
        mine = tuple(name for name, of in arms.items() if of == arm)
        yield Group(arm, "", mine)
        for level in levels:
            yield Group(arm, level, tuple(name for name in mine if types.get(name) == level))
