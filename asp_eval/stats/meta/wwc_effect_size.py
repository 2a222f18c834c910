r"""Hedges' g of a raw difference between arms of clusters, as the What Works Clearinghouse corrects it.

With N children in M clusters, n = N/M and the intraclass correlation :math:`\rho`, S being the pooled standard deviation
within the arms that ignores clustering,

.. math::

    g = \omega \sqrt{\gamma}\, b / S, \qquad \gamma = 1 - \frac{2(n-1)\rho}{N-2}, \qquad \omega = 1 - \frac{3}{4h-1},

    h = \frac{[(N-2) - 2(n-1)\rho]^2}{(N-2)(1-\rho)^2 + n(N-2n)\rho^2 + 2(N-2n)\rho(1-\rho)}

What Works Clearinghouse (2022). Procedures and Standards Handbook, version 5.0, appendix E, equation E.21 for h;
Hedges, L. V. (2007). Journal of Educational and Behavioral Statistics 32:341-370. h is far above the clusters' own degrees of
freedom: it corrects the small-sample bias of g and is never used for a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.meta.effect_size import small_sample_factor

NO_G = Fault(
    "ANA-051",
    "a difference between clusters cannot be standardised: {why}",
    "Report the difference on the measure's own scale.",
)


@dataclass(frozen=True, slots=True)
class ClusteredG:
    """g with the corrections in it: gamma for the clustering, omega for the sample's size by the degrees of freedom h."""

    g: float
    gamma: float
    omega: float
    h: float


def clustered_g(difference: float, pooled_sd: float, *, children: int, clusters: int, icc: float) -> ClusteredG:
    """Return g of a raw difference of means.

    Parameters
    ----------
    difference, pooled_sd : float
        Difference of the arms' means, and the children's pooled standard deviation within the arms.
    children, clusters : int
        N and M, both arms together.
    icc : float
        Intraclass correlation of the measure, 0 or more and below 1.

    Raises
    ------
    Refusal
        ANA-051 if the standard deviation is not positive, or there are too few children or clusters.

    Examples
    --------
    >>> found = clustered_g(0.2, 1.0, children=2323, clusters=59, icc=0.1)
    >>> round(found.gamma, 4), round(found.h, 1)
    (0.9967, 1689.4)
    """
    if not pooled_sd > 0:
        NO_G.refuse(why=Phrase("the measure does not vary"))
    if clusters < 3 or children <= clusters or not 0 <= icc < 1:
        NO_G.refuse(
            why=Phrase(
                "{children} children in {clusters} clusters with an intraclass correlation of {icc:g}",
                children=children,
                clusters=clusters,
                icc=icc,
            )
        )
    n, rho, total = children / clusters, icc, children - 2
    free = total - 2 * (n - 1) * rho
    spread = total * (1 - rho) ** 2 + n * (children - 2 * n) * rho**2 + 2 * (children - 2 * n) * rho * (1 - rho)
    h = free**2 / spread
    gamma, omega = free / total, small_sample_factor(h)
    return ClusteredG(omega * sqrt(gamma) * difference / pooled_sd, gamma, omega, h)
