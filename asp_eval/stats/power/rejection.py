"""How often a test rejects: the noncentral t distribution, both tails, and the effect or precision that gives a power.

With delta = effect / SE, the test statistic is noncentral t on the design's degrees of freedom, and

    power = P(T > t_crit | df, delta) + P(T < -t_crit | df, delta),        t_crit the 1 - alpha/2 quantile of central t.

The shortcut  effect = (t_{1-alpha/2} + t_{power}) SE  by central t (Bloom 1995, Evaluation Review 19:547; PowerUpR) is
returned beside the exact number, never instead of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from asp_eval.core.errors import Fault
from asp_eval.stats.estimate import Array

BAD_ALPHA = Fault("PWR-001", "the level of the test must lie between 0 and 1", "Give alpha=0.05, for example.")
BAD_SIDES = Fault("PWR-002", "a test has one side or two", "Give sides=2, or sides=1.")
BAD_POWER = Fault(
    "PWR-003", "the power aimed at must lie above the level of the test and below 1", "Give power=0.80, for example."
)

FAR = 8.0
"""Beyond this noncentrality the wrong tail is below 1e-15."""
NODES = 200


@dataclass(frozen=True, slots=True)
class TTest:
    """A t test on the degrees of freedom of the clusters.

    Attributes
    ----------
    alpha : float
        Level of the test; for a family of m tests judged by Bonferroni or the first step of Holm, alpha / m.
    sides : int
        2, or 1 for a test against one direction.
    both_tails : bool
        Whether a rejection in the wrong direction counts as well, as the exact power of a two-sided test has it. Without it the
        number is that of R's ``power.t.test`` and of clusterPower.
    """

    alpha: float = 0.05
    sides: int = 2
    both_tails: bool = True

    def df(self, df: float) -> float:
        """Return the degrees of freedom the test uses when the design has `df`."""
        return df

    def __str__(self) -> str:
        return f"{_sided(self.sides, self.both_tails)} t test at {self.alpha:g}, by the noncentral t distribution"


@dataclass(frozen=True, slots=True)
class ZTest:
    """A test by the normal distribution: what t becomes with very many clusters, and too hopeful with few.

    Attributes
    ----------
    alpha, sides, both_tails
        As in `TTest`.
    """

    alpha: float = 0.05
    sides: int = 2
    both_tails: bool = True

    def df(self, df: float) -> float:  # noqa: ARG002
        """Return infinity."""
        return float("inf")

    def __str__(self) -> str:
        return (
            f"{_sided(self.sides, self.both_tails)} z test at {self.alpha:g} (normal distribution; too hopeful with few clusters)"
        )


Test = TTest | ZTest


def _sided(sides: int, both_tails: bool) -> str:
    name = "two-sided" if sides == 2 else "one-sided"
    return name if both_tails or sides == 1 else f"{name} (right direction only)"


def check_test(test: Test) -> None:
    """Refuse a level or a number of sides that cannot be."""
    if not 0 < test.alpha < 1:
        BAD_ALPHA.refuse("alpha", found=test.alpha)
    if test.sides not in (1, 2):
        BAD_SIDES.refuse("sides", found=test.sides)


def check_power(power: float, test: Test) -> None:
    """Refuse a power that no effect has."""
    if not test.alpha < power < 1:
        BAD_POWER.refuse("power", found=power, expected=f"between {test.alpha:g} and 1")


def critical(test: Test, df: float) -> float:
    """Return the value that |t| (or t, of a one-sided test) must exceed."""
    tail = test.alpha / test.sides
    return float(-special.ndtri(tail)) if np.isinf(df) else float(-special.stdtrit(df, tail))


def rejection(delta: Array, df: float, test: Test, null: Array | float = 1.0) -> Array:
    """Return the probability of rejecting at noncentrality delta.

    Parameters
    ----------
    delta : ndarray
        Effect over standard error; its sign is the expected direction's.
    df : float
        Of the design; a z test takes no notice of it.
    test : TTest or ZTest
    null : ndarray or float
        The standard error under the hypothesis of no effect, which the test divides by, over the true one.

    Examples
    --------
    >>> rejection(np.array([0.0, 2.8]), 57, TTest()).round(4)
    array([0.05 , 0.786])
    """
    df, size = test.df(df), np.abs(np.asarray(delta, float))
    crit = critical(test, df) * np.asarray(null, float)
    upper = noncentral_tail(crit, df, size)
    if test.sides == 1 or not test.both_tails:
        return upper
    wrong = np.where(size < FAR, noncentral_tail(crit, df, -np.minimum(size, FAR)), 0.0)
    return np.asarray(upper + wrong)


def noncentral_tail(crit: Array, df: float, delta: Array) -> Array:
    """Return P(T > crit) of noncentral t; infinite `df` is the normal distribution shifted by delta."""
    if np.isinf(df):
        return np.asarray(special.ndtr(delta - crit))
    found = np.asarray(1.0 - special.nctdtr(df, delta, crit), float)
    lost = ~np.isfinite(found)
    if lost.any():  # the series gives up in far tails
        at, shifted = (np.broadcast_to(x, found.shape)[lost] for x in (crit, delta))
        found[lost] = tail_by_quadrature(at, df, shifted)
    return np.asarray(np.clip(found, 0.0, 1.0), float)


def tail_by_quadrature(crit: Array, df: float, delta: Array) -> Array:
    """Return P(T > crit) as the mean of Phi(delta - crit s) over s = sqrt(chi-square / df)."""
    low, high = np.sqrt(2.0 / df * special.gammaincinv(df / 2.0, np.array([1e-17, 1.0 - 1e-16])))
    x, w = np.polynomial.legendre.leggauss(NODES)
    s = 0.5 * (high - low) * x + 0.5 * (high + low)
    log_density = np.log(2.0) + df / 2.0 * np.log(df / 2.0) - special.gammaln(df / 2.0) + (df - 1.0) * np.log(s) - df * s**2 / 2.0
    weights = 0.5 * (high - low) * w * np.exp(log_density)
    return np.asarray(special.ndtr(delta[..., None] - crit[..., None] * s) @ weights)


def central_t_delta(power: float, df: float, test: Test) -> float:
    """Return the approximation (t_{1-alpha/2} + t_{power}) by central t."""
    df = test.df(df)
    upper = special.ndtri(power) if np.isinf(df) else special.stdtrit(df, power)
    return critical(test, df) + float(upper)
