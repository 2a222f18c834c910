"""Which measurements are compared: the end alone, the end given the start, change, and the mean of several follow-ups.

Of one individual in one cluster, the outcome and the baseline have the variances tau^2 between and sigma^2 within clusters,
and correlate r_c between clusters (the cluster autocorrelation) and r_i within (0 if other individuals are measured at
each wave). With k follow-ups, any two of which correlate alike (Frison & Pocock 1992, Stat Med 11:1685),

    Var(mean of k)  = v (1 + (k - 1) r) / k         at each level, v = tau^2 or sigma^2, r = r_c or r_i
    outcome - b baseline has                        v (1 + (k - 1) r) / k - 2 b v r + b^2 v

and an analysis is a choice of b: 0 (end), 1 (change), the cluster means' own slope (analysis of covariance of means:
variance times 1 - r^2, r the correlation of the cluster means, Teerenstra et al. 2012, Stat Med 31:2169), or the one
slope that a mixed model with an individual's baseline as covariate settles on, which minimises the expected criterion

    sum over strata of error of (their number) log(variance at b).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy import optimize

from asp_eval.core.errors import Fault
from asp_eval.stats.estimate import Array
from asp_eval.stats.power.nested_design import Level, check_least
from asp_eval.stats.power.values import Values, single

CORRELATION = Fault(
    "PWR-018", "the correlation between waves must lie between -1 and 1", "Give for example Ancova(cluster=0.7, individual=0.5)."
)
NO_SUBCLUSTER = Fault(
    "PWR-019", "the design has subclusters, and their correlation between waves is not given", "Give subcluster=0.6, for example."
)


@dataclass(frozen=True, slots=True, eq=False)
class EndOnly:
    """The outcome at the end, without a baseline.

    Attributes
    ----------
    followups : float
        Waves whose mean is the outcome.
    cluster, individual, subcluster : float
        Correlations of any two waves at each level; of no consequence with one follow-up.
    """

    followups: Values = 1
    cluster: Values = 1.0
    individual: Values = 1.0
    subcluster: Values | None = None

    def __str__(self) -> str:
        k = single(self.followups)
        return "outcome at the end, no baseline" if k == 1 else f"mean of {k:g} follow-ups, no baseline; {_correlations(self)}"


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Change from the baseline to the end (or to the mean of several follow-ups).

    Attributes
    ----------
    cluster, individual, subcluster : float
        Correlations of any two waves at each level.
    followups : float
    """

    cluster: Values
    individual: Values
    subcluster: Values | None = None
    followups: Values = 1

    def __str__(self) -> str:
        return f"change from the baseline{_mean_of(self)}; {_correlations(self)}"


@dataclass(frozen=True, slots=True, eq=False)
class Ancova:
    """The end with the baseline as covariate.

    Attributes
    ----------
    cluster, individual, subcluster : float
        Correlations of any two waves at each level.
    followups : float
    cluster_means : bool
        True: the clusters' mean baseline is a covariate of its own, which costs a degree of freedom. False: the model has one
        slope for the individuals' baseline. The two agree when the correlations are the same at both levels.
    """

    cluster: Values
    individual: Values
    subcluster: Values | None = None
    followups: Values = 1
    cluster_means: bool = False

    def __str__(self) -> str:
        how = "individual baselines and their cluster means" if self.cluster_means else "individual baselines, one slope"
        return f"end{_mean_of(self)} with the baseline as covariate ({how}); {_correlations(self)}"


Waves = EndOnly | Change | Ancova


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The variances that a choice of waves leaves.

    Attributes
    ----------
    levels : tuple of Level
        With shares of the outcome's variance at one wave.
    df_lost : float
        Degrees of freedom that the baseline's cluster mean costs.
    slope : float
        b.
    """

    levels: tuple[Level, ...]
    df_lost: float
    slope: float


def adjusted(levels: Sequence[Level], waves: Waves) -> Adjusted:
    """Return the levels' variances after the choice of waves.

    Parameters
    ----------
    levels : sequence of Level
    waves : EndOnly, Change or Ancova
    """
    k = single(waves.followups)
    check_least(1.0, followups=k)
    r = np.array(correlations(levels, waves))
    v = np.array([level.share for level in levels])
    outcome, joint = v * (1.0 + (k - 1.0) * r) / k, v * r
    if isinstance(waves, EndOnly):
        b = np.zeros_like(v)
    elif isinstance(waves, Change):
        b = np.ones_like(v)
    else:
        counts = np.array([level.count for level in levels])
        alike = bool(np.ptp(r) == 0.0)
        table = tuple(zip(outcome.tolist(), joint.tolist(), v.tolist(), counts.tolist(), strict=True))
        b = np.full_like(v, r[0] if alike else _common_slope(table))
        if waves.cluster_means and len(levels) > 1:
            return _with_means(levels, outcome, joint, v, counts)
    left = outcome - 2.0 * b * joint + b**2 * v
    return Adjusted(_with_shares(levels, left), 0.0, float(b[0]))


def correlations(levels: Sequence[Level], waves: Waves) -> list[float]:
    """Return how two waves correlate at each level."""
    return [_correlation(level.name, waves) for level in levels]


def _with_means(levels: Sequence[Level], outcome: Array, joint: Array, v: Array, counts: Array) -> Adjusted:
    """Return the variances with slopes of their own within clusters and for the cluster means."""
    per_unit = 1.0 / np.cumprod(counts)
    of_means = [float(x @ per_unit) for x in (outcome, joint, v)]
    slope = of_means[1] / of_means[2]
    within = np.where(v > 0, joint / np.where(v > 0, v, 1.0), 0.0)
    left = outcome - within * joint
    left[0] = of_means[0] - slope * of_means[1] - float(left[1:] @ per_unit[1:])
    return Adjusted(_with_shares(levels, left), 1.0, slope)


@lru_cache(maxsize=4096)  # the same at every step of a search for a number of clusters
def _common_slope(levels: tuple[tuple[float, float, float, float], ...]) -> float:
    """Return the slope of a mixed model with one slope: least expected criterion.

    Parameters
    ----------
    levels : tuple
        Of each level the outcome's variance, its covariance with the baseline, the baseline's variance, and the count.
    """
    outcome, joint, v, counts = np.array(levels).T
    members = np.cumprod(counts)
    many = np.append(members[0], np.diff(members))  # error strata: clusters, subclusters within, individuals within
    shares = [1.0 / np.cumprod(np.append(1.0, counts[a + 1 :])) for a in range(len(v))]
    sums = [np.array([float(x[a:] @ share) for a, share in enumerate(shares)]) for x in (outcome, joint, v)]

    def criterion(b: float) -> float:
        left = sums[0] - 2.0 * b * sums[1] + b**2 * sums[2]
        return float((many * np.log(np.maximum(left, 1e-300))).sum())

    return float(optimize.minimize_scalar(criterion, bounds=(-1.0, 1.0), method="bounded", options={"xatol": 1e-12}).x)


def _with_shares(levels: Sequence[Level], shares: Array) -> tuple[Level, ...]:
    return tuple(replace(level, share=max(float(share), 0.0)) for level, share in zip(levels, shares, strict=True))


def _correlation(level: str, waves: Waves) -> float:
    value = {"cluster": waves.cluster, "individual": waves.individual, "subcluster": waves.subcluster}[level]
    if value is None:
        if single(waves.followups) == 1 and isinstance(waves, EndOnly):
            return 1.0
        NO_SUBCLUSTER.refuse("subcluster")
    if not -1 <= single(value) <= 1:
        CORRELATION.refuse(level, found=value)
    return single(value)


def _correlations(waves: Waves) -> str:
    parts = {"clusters": waves.cluster, "subclusters": waves.subcluster, "individuals": waves.individual}
    return "waves correlate " + ", ".join(f"{single(r):g} ({name})" for name, r in parts.items() if r is not None)


def _mean_of(waves: Waves) -> str:
    k = single(waves.followups)
    return "" if k == 1 else f" (mean of {k:g} follow-ups)"
