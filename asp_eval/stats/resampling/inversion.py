"""Interval by inversion of a permutation test: the constant effects that the test does not reject.

For an effect delta the outcome less delta times the observed arm is tested with the same draws; delta is in the interval
if its p-value is not below 1 - level. The p-value is a step function, so each endpoint is found by bisection. Once a
draw compares the same with the observed statistic at both ends of a bracket it is not refitted inside it; the
endpoint found is then checked with the draws that were left out, and sought again with all of them should the check fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array

Index = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]

TIE = 1e-9
"""Statistics this close (relative, once above one) are equal."""
PRECISION = 1e-6
"""Width of the last bracket, in standard errors."""
DOUBLINGS = 50
UNBOUNDED = Phrase("the permutation test rejects no effect on that side, however large, so the interval has no end")


@dataclass(frozen=True, slots=True, eq=False)
class Bracket:
    """The last bracket of a bisection.

    Attributes
    ----------
    middle : float
        An effect between the one inside and the one outside.
    active : ndarray of int
        Draws that were still compared at every step.
    fixed : int
        How many of the others compare at least as large, as they did at both ends of an earlier bracket.
    """

    middle: float
    active: Index
    fixed: int


@dataclass(frozen=True, slots=True, eq=False)
class Inversion:
    """A test to invert.

    Attributes
    ----------
    statistics : callable
        |b / se| under the draws asked for (k,), at an effect; draw 0 is the observed allocation.
    draws : int
        Draws B, not counting draw 0.
    least : float
        Number of draws that must compare at least as large for an effect to stay in the interval.
    centre, unit : float
        The estimate and its standard error.
    """

    statistics: Callable[[float, Index], Array]
    draws: int
    least: float
    centre: float
    unit: float

    def endpoint(self, side: float) -> float | Unavailable:
        """Return the endpoint below (side -1) or above (side 1) the estimate."""
        outside, step = self.centre + side * 2.0 * self.unit, 2.0 * self.unit
        inside, everyone = self.centre, np.arange(1, self.draws + 1)
        at_inside = np.ones(self.draws, dtype=bool)  # at the estimate the observed statistic is zero
        for _ in range(DOUBLINGS):
            at_outside = self.exceeds(outside, everyone)
            if at_outside.sum() < self.least:
                break
            inside, at_inside = outside, at_outside
            step *= 2.0
            outside += side * step
        else:
            return Unavailable(UNBOUNDED)
        last = self._bisect(inside, outside, at_inside, at_outside)
        settled = np.ones(self.draws, dtype=bool)
        settled[last.active - 1] = False
        if int((self.exceeds(last.middle, everyone) & settled).sum()) == last.fixed:
            return last.middle
        return self._bisect(inside, outside, None, None).middle

    def exceeds(self, effect: float, which: Index) -> Mask:
        """Return which draws are at least as large as the observed one at an effect (k,)."""
        found = self.statistics(effect, np.append(0, which))
        return at_least(found[1:], float(found[0]))

    def _bisect(self, inside: float, outside: float, at_inside: Mask | None, at_outside: Mask | None) -> Bracket:
        """Return the last bracket; without comparisons, refit every draw every time."""
        active, fixed = np.arange(1, self.draws + 1), 0
        while abs(outside - inside) > PRECISION * self.unit:
            if at_inside is not None and at_outside is not None:
                same = at_inside == at_outside
                fixed += int((same & at_inside).sum())
                active, at_inside, at_outside = active[~same], at_inside[~same], at_outside[~same]
            middle = 0.5 * (inside + outside)
            if middle in (inside, outside):  # no number lies between them
                break
            at_middle = self.exceeds(middle, active)
            if fixed + at_middle.sum() >= self.least:
                inside, at_inside = middle, None if at_inside is None else at_middle
            else:
                outside, at_outside = middle, None if at_outside is None else at_middle
        return Bracket(0.5 * (inside + outside), active, fixed)


def at_least(statistics: Array, observed: float) -> Mask:
    """Return which statistics are at least as large as the observed one, ties included."""
    return np.asarray(statistics >= observed - TIE * max(1.0, abs(observed)))
