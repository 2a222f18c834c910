"""One contrast under every draw: its p-value, its distribution and its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.resampling.inversion import Inversion, at_least
from asp_eval.stats.resampling.refits import Refits

Index = npt.NDArray[np.intp]
RefitAt = Callable[[float, Index], Refits]
"""Refits of the outcome less a constant effect, under the draws asked for."""

NO_DEGREES = Phrase("no degrees of freedom are used")
FLAT = Phrase("the observed allocation leaves the effect inestimable")


@dataclass(frozen=True, slots=True, eq=False)
class PermutationDistribution:
    """The statistic of one contrast under every draw.

    Attributes
    ----------
    estimate, std_error, statistic : float
        Of the observed allocation; `statistic` is b / se.
    estimates, statistics : ndarray, shape (B,)
        b and |b / se| of every draw, in the order of the allocations, so that the distributions of several outcomes
        belong together draw by draw. Where a draw leaves the effect inestimable they are NaN and infinite.
    p_value : float
    smallest_p : float
        The smallest p-value that these draws can give, however large the effect; zero if it is not known.
    enumerated : bool
    """

    estimate: float
    std_error: float
    statistic: float
    estimates: Array
    statistics: Array
    p_value: float
    smallest_p: float
    enumerated: bool


def gone_through(draws: int, *, enumerated: bool) -> Phrase:
    """Return from how many allocations a p-value is."""
    if enumerated:
        return Phrase("p-value from all {n:,} possible allocations", n=draws)
    return Phrase("p-value from {n:,} draws of the lot", n=draws)


@dataclass(frozen=True, slots=True, eq=False)
class PermutationTest:
    """A contrast refitted under every draw.

    Attributes
    ----------
    refits : Refits
        Of B + 1 allocations, the observed one first.
    enumerated : bool
    undecided : ndarray of bool, shape (B,), or None
        Draws that compare as large as the observed one whatever the effect.
    refit_at : callable or None
        Refits at other hypotheses; None where there is no interval.
    why_not : Phrase
        Why there is no interval.
    """

    refits: Refits
    enumerated: bool
    undecided: npt.NDArray[np.bool_] | None
    refit_at: RefitAt | None
    why_not: Phrase = NO_NOTE

    @property
    def draws(self) -> int:
        """B."""
        return len(self.refits.estimate) - 1

    def distribution(self) -> PermutationDistribution | Unavailable:
        """Return the statistic under every draw."""
        b, se, t = self.refits.estimate, self.refits.std_error, self.refits.statistic
        if not se[0] > 0:
            return Unavailable(FLAT)
        least = 0.0 if self.undecided is None else self._share(int(self.undecided.sum()))
        p = self._share(int(at_least(t[1:], float(t[0])).sum()))
        return PermutationDistribution(float(b[0]), float(se[0]), float(b[0] / se[0]), b[1:], t[1:], p, least, self.enumerated)

    def row(self, term: str, level: float, method: str, statistic: Phrase) -> Estimate:
        """Return the row of a table; its note opens with what the statistic is, unless that goes without saying."""
        found = self.distribution()
        if isinstance(found, Unavailable):
            return Estimate.unavailable(term, found.reason, method=method)
        ends = self.interval(level, found)
        lost = int(np.isnan(found.estimates).sum())
        note = notes_in_one(
            [
                statistic,
                gone_through(self.draws, enumerated=self.enumerated),
                NO_DEGREES,
                Phrase("{n:,} draws leave the effect inestimable and count against it", n=lost) if lost else NO_NOTE,
                ends.reason if isinstance(ends, Unavailable) else NO_NOTE,
            ]
        )
        low, high = (None, None) if isinstance(ends, Unavailable) else ends
        b, se, t = found.estimate, found.std_error, found.statistic
        return Estimate(term, b, se, None, t, found.p_value, low, high, method, note)

    def interval(self, level: float, found: PermutationDistribution) -> tuple[float, float] | Unavailable:
        """Return the constant effects whose p-value is not below 1 - level."""
        alpha = 1.0 - level
        if found.smallest_p >= alpha * (1.0 - 1e-9):
            return Unavailable(
                Phrase(
                    "no interval: the smallest p-value that these allocations can give, {least:.3g}, is not below {alpha:.3g}",
                    least=found.smallest_p,
                    alpha=alpha,
                )
            )
        if self.refit_at is None:
            return Unavailable(self.why_not)
        refit_at = self.refit_at
        extra = 0 if self.enumerated else 1
        least = alpha * (self.draws + extra) * (1.0 - 1e-9) - extra
        test = Inversion(lambda e, which: refit_at(e, which).statistic, self.draws, least, found.estimate, found.std_error)
        ends = [test.endpoint(side) for side in (-1.0, 1.0)]
        if isinstance(ends[0], Unavailable) or isinstance(ends[1], Unavailable):
            return next(e for e in ends if isinstance(e, Unavailable))
        return ends[0], ends[1]

    def _share(self, count: int) -> float:
        """Return the p-value of a count of draws at least as large."""
        return count / self.draws if self.enumerated else (1 + count) / (1 + self.draws)
