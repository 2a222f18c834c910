r"""Hedges' g of an adjusted difference between arms of clusters, in its three forms, each with its degrees of freedom.

With :math:`b` the adjusted difference, :math:`J(m) = 1 - 3 / (4m - 1)`, N children in M clusters, and the variances between and
within clusters :math:`\tau^2, \sigma^2` of a model with arm and strata only,

.. math::

    g_W = J(N - M)\, b / \sigma, \qquad g_T = J(h)\, b / \sqrt{\tau^2 + \sigma^2}, \qquad g = J(h) \sqrt{\gamma}\, b / S

with h and :math:`\gamma` of the What Works Clearinghouse (`wwc_effect_size`) and S the children's pooled standard deviation
within the arms, which ignores clustering. Hedges, L. V. (2007). Journal of Educational and Behavioral Statistics 32:341-370.

The standard error holds that of b, and the standard deviation's own by its degrees of freedom m (N - M, or h):

.. math:: SE_g^2 = (g\, SE_b / b)^2 + g^2 / (2 m)
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from asp_eval.stats.meta.effect_size import NO_VARIATION, small_sample_factor
from asp_eval.stats.meta.wwc_effect_size import clustered_g


@dataclass(frozen=True, slots=True)
class HedgesForms:
    """g by the standard deviation within clusters, by the total one, and by the pooled one of the children.

    Attributes
    ----------
    within, total, pooled : float
    df_within : float
        N - M.
    df_total : float
        h, of the total and the pooled form.
    within_error, total_error, pooled_error : float
        Standard errors.
    """

    within: float
    total: float
    pooled: float
    df_within: float
    df_total: float
    within_error: float
    total_error: float
    pooled_error: float


def hedges_forms(
    difference: float,
    std_error: float,
    *,
    between_variance: float,
    within_variance: float,
    pooled_sd: float,
    children: int,
    clusters: int,
) -> HedgesForms:
    """Return the three forms of g.

    Parameters
    ----------
    difference, std_error : float
        Adjusted, on the outcome's scale.
    between_variance, within_variance : float
        Of a model with arm and strata only.
    pooled_sd : float
        Of the children within the arms.
    children, clusters : int
        N and M.

    Raises
    ------
    Refusal
        INF-020 or ANA-051 if a standard deviation is not positive, or there are too few children or clusters.

    Examples
    --------
    >>> forms = hedges_forms(
    ...     2.0, 1.0, between_variance=10.0, within_variance=90.0, pooled_sd=10.0, children=400, clusters=20
    ... )
    >>> round(forms.within, 4), round(forms.total, 4), forms.df_within
    (0.2104, 0.1996, 380)
    """
    total = between_variance + within_variance
    if not (within_variance > 0 and total > 0):
        NO_VARIATION.refuse()
    clustered = clustered_g(difference, pooled_sd, children=children, clusters=clusters, icc=between_variance / total)
    df = children - clusters

    def form(factor: float, m: float) -> tuple[float, float]:
        g = factor * difference
        return g, sqrt((factor * std_error) ** 2 + g**2 / (2 * m))

    own, own_error = form(small_sample_factor(df) / sqrt(within_variance), df)
    whole, whole_error = form(clustered.omega / sqrt(total), clustered.h)
    pooled, pooled_error = form(clustered.omega * sqrt(clustered.gamma) / pooled_sd, clustered.h)
    return HedgesForms(own, whole, pooled, df, clustered.h, own_error, whole_error, pooled_error)
