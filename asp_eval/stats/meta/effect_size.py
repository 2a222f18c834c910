r"""Standardised effects in cluster-randomised trials.

Hedges, L. V. (2007). Effect sizes in cluster-randomized designs. Journal of Educational and Behavioral Statistics
32:341-370. In the paper's letters, with :math:`b` an adjusted difference of the arms and
:math:`\sigma_T^2 = \tau^2 + \sigma^2` the total variance of a model with arm and strata only,

.. math:: d_T = b / \sigma_T

No further factor belongs to it: the factor of the paper corrects the pooled total SD, which model variances are not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from asp_eval.core.errors import Fault
from asp_eval.stats.estimate import t_quantile

Sizes = NDArray[np.integer[Any]]

NO_VARIATION = Fault("INF-020", "an effect cannot be standardised: the total variance is not positive", "Check the outcome.")
ONE_CLUSTER_ARM = Fault(
    "INF-021",
    "an effect cannot be standardised: an arm has fewer than two clusters",
    "Report the effect on the outcome's own scale.",
)


@dataclass(frozen=True, slots=True)
class EffectSize:
    """A standardised difference: estimate, standard error and interval."""

    estimate: float
    std_error: float
    conf_low: float
    conf_high: float


def small_sample_factor(df: float) -> float:
    """Return J(df) = 1 - 3 / (4 df - 1), which takes the bias of a few degrees of freedom out of a standardised difference.

    Examples
    --------
    >>> small_sample_factor(10.0)
    0.9230769230769231
    """
    return 1.0 - 3.0 / (4.0 * df - 1.0)


def total_effect_size(
    difference: float,
    std_error: float,
    df: float,
    *,
    between_variance: float,
    within_variance: float,
    sizes_treated: Sizes,
    sizes_control: Sizes,
    level: float = 0.95,
) -> EffectSize:
    r"""Return the difference in total standard deviations.

    .. math::

        SE^2 = (SE_b / \sigma_T)^2 + d_T^2\,
        \frac{(N-2)(1-\rho)^2 + A\rho^2 + 2B\rho(1-\rho)}{2(N-2)\,[(N-2) - \rho(N-2-B)]}

    the second term being Hedges' (2007) for the estimated :math:`\sigma_T` with unequal cluster sizes.

    Parameters
    ----------
    difference, std_error, df : float
        The adjusted difference, on the outcome's scale, with its standard error and degrees of freedom.
    between_variance, within_variance : float
        Of a model with arm and strata only.
    sizes_treated, sizes_control : array of int, shapes (m_t,) and (m_c,)
        Children in each cluster analysed.
    level : float
        Of the interval, which uses Student's t with `df`.

    Examples
    --------
    >>> sizes = np.full(10, 20)
    >>> d = total_effect_size(2.0, 1.0, 18, between_variance=10, within_variance=90, sizes_treated=sizes, sizes_control=sizes)
    >>> round(d.estimate, 3)
    0.2
    """
    total = between_variance + within_variance
    if not total > 0:
        NO_VARIATION.refuse()
    if min(len(sizes_treated), len(sizes_control)) < 2:
        ONE_CLUSTER_ARM.refuse()
    rho = between_variance / total
    d = difference / np.sqrt(total)
    n = float(sizes_treated.sum() + sizes_control.sum()) - 2
    a, b = _a(sizes_treated) + _a(sizes_control), _b(sizes_treated) + _b(sizes_control)
    spread = (n * (1 - rho) ** 2 + a * rho**2 + 2 * b * rho * (1 - rho)) / (2 * n * (n - rho * (n - b)))
    se = float(np.sqrt(std_error**2 / total + d**2 * spread))
    half = float(t_quantile((1 + level) / 2, np.array(df))) * se
    return EffectSize(float(d), se, float(d - half), float(d + half))


def _a(sizes: Sizes) -> float:
    """Return one arm's part of A: (N^2 S2 + S2^2 - 2 N S3) / N^2."""
    total, squares, cubes = (float((sizes.astype(float) ** k).sum()) for k in (1, 2, 3))
    return (total**2 * squares + squares**2 - 2 * total * cubes) / total**2


def _b(sizes: Sizes) -> float:
    """Return one arm's part of B: n_u (m - 1), with n_u = (N^2 - S2) / (N (m - 1))."""
    total = float(sizes.sum())
    return (total**2 - float((sizes.astype(float) ** 2).sum())) / total
