"""The allocations a study's scheme could have given, for a permutation test: all of them if they are few, else draws."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np

from asp_eval.stats.resampling.allocations import MOST_ENUMERATED, Allocations, Draws
from asp_eval.trial.randomisation.scheme import Scheme, scheme_of
from asp_eval.trial.store import table
from asp_eval.trial.study.design import Study

Counts = tuple[tuple[int, ...], ...]
"""Institutions of each arm, stratum by stratum."""


def allocations(study: Study, draws: int = 10_000, seed: int = 1) -> Allocations:
    """Return the allocations that a study's randomisation could have given.

    Up to 20,000 possible allocations that are all equally probable are returned whole; of more, `draws` are drawn by
    the scheme's own rule.

    Parameters
    ----------
    study : Study
        With its institutions imported.
    draws : int
    seed : int
        Of the draws for the test, not of the lot itself.

    Raises
    ------
    Refusal, DataProblems
        If the lot was drawn elsewhere, or something is wrong with the list of institutions.
    """
    return scheme_allocations(scheme_of(study, table(study, "institutions")), draws, seed)


def scheme_allocations(scheme: Scheme, draws: int, seed: int) -> Allocations:
    """Return the allocations of a scheme: every one if they are few and equally probable, else a sample."""
    patterns = _patterns(scheme)
    sizes = [len(held) for held in scheme.members().values()]
    count = sum(math.prod(_ways(size, arms) for size, arms in zip(sizes, p, strict=True)) for p in patterns)
    if 0 < count <= MOST_ENUMERATED:
        return Allocations(scheme.institution_ids, _every(scheme, patterns, count), True, scheme.arms)
    return Allocations(scheme.institution_ids, scheme.allocations(draws, seed), False, scheme.arms)


def _patterns(scheme: Scheme) -> list[Counts]:
    """Return the possible numbers of institutions per arm in every stratum; none if they are not equally probable.

    Where the ratio divides every stratum there is one. With two arms of equal ratio an odd stratum has one place left
    over; the scheme deals these places alternately, so that half of them (rounded either way) go to the first arm and
    every such choice of strata is equally probable.
    """
    sizes, R = [len(held) for held in scheme.members().values()], sum(scheme.ratio)
    odd = [s for s, size in enumerate(sizes) if size % R]
    full = [[part * (size // R) for part in scheme.ratio] for size in sizes]
    if not odd:
        return [tuple(tuple(arms) for arms in full)]
    if tuple(scheme.ratio) != (1, 1) or len(odd) > 10:  # of more than ten odd strata there are far more than 20,000
        return []
    halves = {len(odd) // 2, len(odd) - len(odd) // 2}
    chosen = [set(first) for k in sorted(halves) for first in itertools.combinations(odd, k)]
    return [tuple((a + (s in first), b + (s in odd and s not in first)) for s, (a, b) in enumerate(full)) for first in chosen]


def _ways(size: int, arms: tuple[int, ...]) -> int:
    """Return the number of ways to give institutions of one stratum their arms."""
    return math.factorial(size) // math.prod(math.factorial(k) for k in arms)


def _every(scheme: Scheme, patterns: list[Counts], count: int) -> Draws:
    """Return every allocation (count, n)."""
    out = np.empty((count, len(scheme.institution_ids)), dtype=np.int8)
    members = list(scheme.members().values())
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
