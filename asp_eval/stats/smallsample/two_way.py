"""Clusters of two kinds that cross, such as schools and neighbourhoods: V = V_1 + V_2 - V_12.

V_1 and V_2 are the cluster-robust matrices of each clustering, V_12 that of their combinations, each with its own correction
(Cameron, Gelbach & Miller 2011, J Bus Econ Stat 29:238; ``sandwich::vcovCL(cadjust = TRUE)``); t and F on min(J_1, J_2) - 1
degrees of freedom. CR2 and CR3 adjust for one covariance of the residuals of each cluster, which crossing clusters have not.
The difference need not be positive definite; where it gives a contrast no positive variance there is none to report.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast, runtime_checkable

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.cluster_blocks import ClusterBlocks
from asp_eval.stats.smallsample.sandwich import Kind, sandwich

NOT_DEFINED = Phrase("it is not defined for clusters that cross: use CR0, CR1 or CR1S")
ONE_CLUSTER = Phrase("each of two clusterings needs at least two clusters")
NOT_POSITIVE = Phrase("the variance by two crossing clusterings is not positive for this contrast")


@runtime_checkable
class Crossed(Protocol):
    """A fit that may have clusters of two kinds."""

    def crossed_blocks(self) -> tuple[ClusterBlocks, ClusterBlocks, ClusterBlocks] | None:
        """Return the pseudo-rows of both clusterings and of their combinations."""


@dataclass(frozen=True, slots=True, eq=False)
class TwoWay:
    """A covariance matrix by two clusterings.

    Attributes
    ----------
    covariance : ndarray (p, p)
    df : float
        min(J_1, J_2) - 1.
    """

    covariance: Array
    df: float


def two_way(fit: object, kind: str) -> TwoWay | Unavailable | None:
    """Return the covariance by two clusterings, why there is none, or None where the fit has not two."""
    blocks = fit.crossed_blocks() if isinstance(fit, Crossed) else None
    if blocks is None:
        return None
    if kind not in ("CR0", "CR1", "CR1S"):
        return Unavailable(NOT_DEFINED)
    counts = [b.n_clusters for b in blocks[:2]]
    if min(counts) < 2:
        return Unavailable(ONE_CLUSTER)
    one, other, both = (sandwich(b, cast("Kind", kind)).covariance() for b in blocks)
    return TwoWay(np.asarray(one + other - both, float), float(min(counts) - 1))
