"""The rows of a mixed model as clusters, for cluster-robust inference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.stats.design.columns import build_column
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.engine.covariance import semidefinite_cholesky
from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.cluster_blocks import ClusterBlocks
from asp_eval.stats.smallsample.nested_clusters import RandomFactor, clusters_of_model


def model_clusters(design: Design, kept: Sequence[int], beta: Array, relative: Sequence[Array]) -> ClusterBlocks | Unavailable:
    """Return the pseudo-rows of the outermost groups at a fit, or why there are none.

    Parameters
    ----------
    design : Design
    kept : sequence of int
        Positions, among the columns of X, of those that were estimated.
    beta : ndarray (p,)
    relative : sequence of ndarray (k, k)
        D of each factor in the design's order: covariances of its effects over the residual variance.
    """
    X = design.fixed_matrix()[:, list(kept)]
    factors = []
    for layout, group, D in zip(design.layout.factors, design.groups, relative, strict=True):
        Z = np.empty((design.data.n, len(layout.effects)))
        for k, j in enumerate(layout.effects):
            Z[:, k] = build_column(design.columns[j], design.data.columns, slice(None))
        factors.append(RandomFactor(layout.name, group.codes, len(group.levels), Z @ semidefinite_cholesky(D)))
    return clusters_of_model(X, design.response - X @ beta, factors, design.weights)
