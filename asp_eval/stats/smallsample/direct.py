"""Methods whose p-values and intervals do not come from t: they make the rows of a table themselves."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.smallsample.method import ContrastErrors, Fit, FTest, Method


@dataclass(frozen=True, slots=True)
class DirectMethod(Method):
    """A method of inference by resampling: p-values and intervals, but no degrees of freedom and no covariance matrix."""

    @abstractmethod
    def rows(self, fit: Fit, contrasts: Array, terms: Sequence[str], level: float) -> list[Estimate]:
        """Return one row per contrast (k, p)."""

    def covariance(self, fit: Fit) -> Array | Unavailable:  # noqa: ARG002
        """Return the reason why there is no covariance matrix."""
        return Unavailable(Phrase("{method} gives p-values and intervals, not a covariance matrix", method=self.name))

    def errors(self, fit: Fit, contrasts: Array) -> ContrastErrors | Unavailable:  # noqa: ARG002
        """Return the reason why there is no t."""
        return Unavailable(Phrase("{method} has no t and no degrees of freedom", method=self.name))

    def f_test(self, fit: Fit, contrasts: Array) -> FTest | Unavailable:  # noqa: ARG002
        """Return the reason why there is no F."""
        return Unavailable(Phrase("{method} tests one contrast at a time", method=self.name))
