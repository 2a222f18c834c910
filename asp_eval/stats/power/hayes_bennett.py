"""Clusters needed by Hayes and Bennett's formulae, which state the variation between clusters as a coefficient k.

Hayes, R. J. & Bennett, S. (1999). Simple sample size calculation for cluster-randomized trials. Int J Epidemiol 28:319. With m
individuals in a cluster, and k the coefficient of variation of the clusters' true proportions or means within an arm,

    c = 1 + (z_{1-alpha/2} + z_{power})^2 [ v_0 / m + v_1 / m + k^2 (mu_0^2 + mu_1^2) ] / (mu_0 - mu_1)^2

clusters in each arm, v being p (1 - p) or the squared standard deviation. The added one stands for the t distribution, which
`asp_eval.sample_size` uses itself; in its terms the intraclass correlation of a proportion is k^2 p / (1 - p).
"""

from __future__ import annotations

from scipy import special

from asp_eval.core.errors import Fault
from asp_eval.stats.power.nested_design import check_inside, check_least

SAME = Fault("PWR-036", "the two arms have the same proportion or mean", "Give the value that the trial is to tell apart.")


def clusters_for_proportions(p0: float, p1: float, size: float, k: float, *, alpha: float = 0.05, power: float = 0.80) -> float:
    """Return the clusters needed in each arm to tell two proportions apart, unrounded.

    Examples
    --------
    >>> round(clusters_for_proportions(0.30, 0.20, size=50, k=0.25), 2)
    13.19
    """
    check_inside(p0=p0, p1=p1)
    return _clusters(p0, p1, (p0 * (1.0 - p0), p1 * (1.0 - p1)), size, k, alpha, power)


def clusters_for_means(
    mean0: float, mean1: float, sd: float, size: float, k: float, *, alpha: float = 0.05, power: float = 0.80
) -> float:
    """Return the clusters needed in each arm to tell two means apart, unrounded; `sd` is that within clusters.

    Examples
    --------
    >>> round(clusters_for_means(100, 105, sd=15, size=20, k=0.05, power=0.90), 2)
    32.55
    """
    check_least(0.0, sd=sd)
    return _clusters(mean0, mean1, (sd**2, sd**2), size, k, alpha, power)


def _clusters(
    mean0: float, mean1: float, variances: tuple[float, float], size: float, k: float, alpha: float, power: float
) -> float:
    check_least(1.0, size=size)
    check_least(0.0, k=k)
    check_inside(alpha=alpha, power=power)
    if mean0 == mean1:
        SAME.refuse("effect")
    z = float(special.ndtri(1.0 - alpha / 2.0) + special.ndtri(power))
    spread = sum(variances) / size + k**2 * (mean0**2 + mean1**2)
    return float(1.0 + z**2 * spread / (mean0 - mean1) ** 2)
