"""Covariates as whole numbers, so that distances and balance are compared exactly, on every computer alike.

A covariate is read as the decimal number that is written, not as the binary one nearest to it. Standardising divides by the
variance over the whole list, s2 = (n * sum(x^2) - sum(x)^2) / (n (n - 1)), a fraction. Everything that is compared is
a sum of fractions; it is multiplied once by their common denominator, and what is compared are whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from asp_eval.trial.randomisation.roster import Roster


@dataclass(frozen=True, slots=True)
class Standardised:
    """A covariate in whole numbers: ``weight * (x_i - x_j)^2 / s2`` is ``factor * (values_i - values_j)^2``.

    Attributes
    ----------
    values : tuple of int, length n
        The covariate, multiplied by a power of ten.
    factor : Fraction
    """

    values: tuple[int, ...]
    factor: Fraction


def standardised(roster: Roster, weights: Mapping[str, Fraction]) -> list[Standardised]:
    """Return the covariates of the list in whole numbers."""
    return [_standardised(roster.numbers(name), weight) for name, weight in weights.items()]


def _standardised(numbers: Sequence[Fraction], weight: Fraction) -> Standardised:
    scale = common_denominator(numbers)
    values = tuple(int(number * scale) for number in numbers)
    n = len(values)
    spread = n * sum(value * value for value in values) - sum(values) ** 2
    return Standardised(values, weight * n * (n - 1) / spread)


def squared_distances(roster: Roster, weights: Mapping[str, Fraction], positions: Sequence[int]) -> list[list[int]]:
    """Return ``sum over covariates of weight * (x_i - x_j)^2 / s2`` between institutions, times one common denominator.

    Parameters
    ----------
    roster : Roster
        Its whole list gives the variances.
    weights : mapping of str to Fraction
    positions : sequence of int, length m
        The institutions wanted.

    Returns
    -------
    list of list of int, (m, m)
    """
    columns = standardised(roster, weights)
    scale = common_denominator(column.factor for column in columns)
    factors = [int(column.factor * scale) for column in columns]
    return [
        [sum(f * (c.values[i] - c.values[j]) ** 2 for f, c in zip(factors, columns, strict=True)) for j in positions]
        for i in positions
    ]


def exact(number: float) -> Fraction:
    """Return a declared number as the decimal fraction that is written.

    Examples
    --------
    >>> exact(0.1)
    Fraction(1, 10)
    """
    return Fraction(repr(number))


def common_denominator(numbers: Iterable[Fraction]) -> int:
    """Return the smallest whole number that makes all of them whole."""
    return math.lcm(*(number.denominator for number in numbers))
