"""Every allocation that a lot inside cells can give, where they are few and equally probable."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from asp_eval.trial.randomisation.hash_order import Draws

Counts = tuple[tuple[int, ...], ...]
"""Institutions of each arm, cell by cell."""


def every_allocation(members: Sequence[Sequence[int]], ratio: tuple[int, ...], most: int) -> Draws | None:
    """Return every allocation once, (count, n); None if they are more than `most`, or not equally probable.

    Parameters
    ----------
    members : sequence of sequences of int
        The positions that each cell holds.
    ratio : tuple of int
    most : int
    """
    sizes = [len(held) for held in members]
    patterns = _patterns(sizes, ratio)
    count = sum(math.prod(_ways(size, arms) for size, arms in zip(sizes, p, strict=True)) for p in patterns)
    return _every(members, patterns, count) if 0 < count <= most else None


def _patterns(sizes: list[int], ratio: tuple[int, ...]) -> list[Counts]:
    """Return the possible numbers of institutions per arm in every cell; none if they are not equally probable.

    Where the ratio divides every cell there is one. With two arms of equal ratio an odd cell has one place left
    over; the scheme deals these places alternately, so that half of them (rounded either way) go to the first arm and
    every such choice of cells is equally probable.
    """
    R = sum(ratio)
    odd = [s for s, size in enumerate(sizes) if size % R]
    full = [[part * (size // R) for part in ratio] for size in sizes]
    if not odd:
        return [tuple(tuple(arms) for arms in full)]
    if ratio != (1, 1) or len(odd) > 10:  # more than ten odd cells have far more allocations than anyone goes through
        return []
    halves = {len(odd) // 2, len(odd) - len(odd) // 2}
    chosen = [set(first) for k in sorted(halves) for first in itertools.combinations(odd, k)]
    return [tuple((a + (s in first), b + (s in odd and s not in first)) for s, (a, b) in enumerate(full)) for first in chosen]


def _ways(size: int, arms: tuple[int, ...]) -> int:
    """Return the number of ways to give institutions of one cell their arms."""
    return math.factorial(size) // math.prod(math.factorial(k) for k in arms)


def _every(members: Sequence[Sequence[int]], patterns: list[Counts], count: int) -> Draws:
    """Return every allocation (count, n)."""
    out = np.empty((count, sum(len(held) for held in members)), dtype=np.int8)
    row = 0
    for pattern in patterns:
        for parts in itertools.product(*(list(_arrangements(arms)) for arms in pattern)):
            for held, part in zip(members, parts, strict=True):
                out[row, held] = part
            row += 1
    return out


def _arrangements(arms: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield every sequence that holds arm a `arms[a]` times."""
    if not any(arms):
        yield ()
    for a, left in enumerate(arms):
        if left:
            yield from ((a, *rest) for rest in _arrangements((*arms[:a], left - 1, *arms[a + 1 :])))
