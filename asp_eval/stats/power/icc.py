"""An intraclass correlation that is not known: values that carry its uncertainty into power.

Each gives quantiles. Expected power is the integral of power over them (Gauss and Legendre's rule; no random numbers), and
because power falls as the intraclass correlation rises, its quantiles are the powers at the quantiles of the correlation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array

BAD_DISTRIBUTION = Fault(
    "PWR-004", "this is no distribution of an intraclass correlation: {why}", "Give values between 0 and 1, in order."
)
NODES = 48


class IccDistribution(Protocol):
    """What can stand for an intraclass correlation."""

    def quantiles(self, probabilities: Array) -> Array:
        """Return quantiles, within 0 and 1."""


@dataclass(frozen=True, slots=True)
class IccEstimate:
    """An estimate with its standard error: the beta distribution with that mean and standard deviation.

    Attributes
    ----------
    estimate, std_error : float

    Examples
    --------
    >>> IccEstimate(0.10, 0.04).quantiles(np.array([0.05, 0.5, 0.95])).round(3)
    array([0.043, 0.095, 0.173])
    """

    estimate: float
    std_error: float

    def __post_init__(self) -> None:
        if not 0 < self.estimate < 1 or not self.std_error > 0:
            BAD_DISTRIBUTION.refuse(str(self), why=Phrase("the estimate must lie between 0 and 1, with a standard error above 0"))
        if self.std_error**2 >= self.estimate * (1 - self.estimate):
            BAD_DISTRIBUTION.refuse(
                str(self), why=Phrase("the standard error is larger than any quantity between 0 and 1 can have")
            )

    def quantiles(self, probabilities: Array) -> Array:
        """Return quantiles of the beta distribution."""
        m = self.estimate
        n = m * (1.0 - m) / self.std_error**2 - 1.0
        return np.asarray(special.betaincinv(m * n, (1.0 - m) * n, probabilities))

    def __str__(self) -> str:
        return f"ICC {self.estimate:g} with standard error {self.std_error:g} (beta distribution)"


@dataclass(frozen=True, slots=True)
class IccInterval:
    """An estimate with its interval, which may lie unevenly around it, as a profile interval does.

    The estimate is the median; each half is that half of a normal distribution which puts its end of the interval at the
    right quantile. What would fall below 0 is 0.

    Attributes
    ----------
    estimate, low, high : float
    level : float
        Of the interval.
    """

    estimate: float
    low: float
    high: float
    level: float = 0.95

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.estimate <= self.high < 1 or self.low == self.high:
            BAD_DISTRIBUTION.refuse(str(self), why=Phrase("the interval must hold the estimate and lie between 0 and 1"))
        if not 0 < self.level < 1:
            BAD_DISTRIBUTION.refuse(str(self), why=Phrase("the level must lie between 0 and 1"))

    def quantiles(self, probabilities: Array) -> Array:
        """Return quantiles of the two half normal distributions."""
        z = special.ndtri(probabilities) / special.ndtri((1.0 + self.level) / 2.0)
        spread = np.where(z < 0, self.estimate - self.low, self.high - self.estimate)
        return np.asarray(np.clip(self.estimate + z * spread, 0.0, 0.999))

    def __str__(self) -> str:
        return f"ICC {self.estimate:.3g}, {100 * self.level:g} % interval {self.low:.3g} to {self.high:.3g}"


@dataclass(frozen=True, slots=True)
class IccTriangular:
    """The triangular distribution: what experts can say of an intraclass correlation.

    Attributes
    ----------
    low, mode, high : float
    """

    low: float
    mode: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.mode <= self.high <= 1 or self.low == self.high:
            BAD_DISTRIBUTION.refuse(str(self), why=Phrase("it needs 0 <= low <= mode <= high <= 1"))

    def quantiles(self, probabilities: Array) -> Array:
        """Return quantiles of the triangular distribution."""
        a, c, b = self.low, self.mode, self.high
        left = a + np.sqrt(probabilities * (b - a) * (c - a))
        right = b - np.sqrt((1.0 - probabilities) * (b - a) * (b - c))
        return np.asarray(np.where(probabilities < (c - a) / (b - a), left, right))

    def __str__(self) -> str:
        return f"ICC from {self.low:g} to {self.high:g}, most likely {self.mode:g} (triangular distribution)"


@dataclass(frozen=True, slots=True)
class IccDraws:
    """Equally probable values: of a posterior, of a parametric bootstrap, or of published trials.

    Attributes
    ----------
    draws : tuple of float
    source : str
        Where they come from, for the account.
    """

    draws: tuple[float, ...]
    source: str = "draws"

    @classmethod
    def of(cls, draws: Sequence[float] | Array, source: str = "draws") -> IccDraws:
        """Take any sequence of numbers."""
        return cls(tuple(float(x) for x in draws), source)

    def __post_init__(self) -> None:
        if len(self.draws) < 2 or not all(0 <= x < 1 for x in self.draws):
            BAD_DISTRIBUTION.refuse("IccDraws", why=Phrase("it needs two or more values, each 0 or more and below 1"))

    def quantiles(self, probabilities: Array) -> Array:
        """Return quantiles of the draws, linear between them."""
        return np.asarray(np.quantile(np.array(self.draws), probabilities))

    def __str__(self) -> str:
        low, middle, high = np.quantile(np.array(self.draws), [0.05, 0.5, 0.95])
        return f"ICC from {self.source}: median {middle:.3g}, middle 90 % {low:.3g} to {high:.3g}"


def nodes(distribution: IccDistribution) -> tuple[Array, Array]:
    """Return values of a distribution and their weights, over which a mean is taken."""
    x, w = np.polynomial.legendre.leggauss(NODES)
    return distribution.quantiles((1.0 + x) / 2.0), w / 2.0
