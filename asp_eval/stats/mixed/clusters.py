"""The outermost groups of a mixed model as clusters, for cluster-robust inference: by their cross-products, or by their rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.stats.design.columns import build_column
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.engine.covariance import semidefinite_cholesky
from asp_eval.stats.engine.estimation import EstimationProblem
from asp_eval.stats.engine.standardisation import Standard
from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.cluster_blocks import ClusterBlocks, cluster_sums
from asp_eval.stats.smallsample.nested_clusters import RandomFactor, clusters_of_model
from asp_eval.stats.smallsample.nested_sandwich import NestedClusters, NestedStage


def nested_products(problem: EstimationProblem, theta: Array, beta: Array, root: Array) -> NestedClusters:
    """Return the clusters of nested random effects by the cross-products that the model was fitted from.

    Parameters
    ----------
    problem : EstimationProblem
        Of nested factors.
    theta : ndarray (s,)
    beta : ndarray (p,)
        In standard units.
    root : ndarray (J, p + 1, p + 1)
        [X~ e~]'W[X~ e~] within the outermost groups, in the moments' order.
    """
    elimination, p = problem.elimination, problem.standard.p
    d = elimination.shape.d(theta)
    stages = []
    for stage in elimination.stages:
        products = stage.products.copy()
        products[:, :, -1] -= products[:, :, -1 - p : -1] @ beta
        stages.append(NestedStage(stage.expand(elimination.shape, d), products, stage.starts[0] if stage.starts else None))
    order = elimination.stages[-1].order[0]
    return NestedClusters(tuple(stages), root[order], problem.standard.T, problem.n)


def products_of_moments(standard: Standard, beta: Array, outermost: int) -> Array | None:
    """Return what `products_of_rows` returns, or None where the moments do not hold it."""
    layout, sums = standard.factors[outermost].layout, standard.moments.sums[outermost]
    if not layout.every:
        return None
    basis = standard.basis.copy()
    basis[:, -1] -= basis[:, :-1] @ beta
    return np.asarray(basis.T @ sums[:, np.argsort(layout.needed)] @ basis)


def products_of_rows(design: Design, standard: Standard, beta: Array, outermost: int) -> Array:
    """Return [X~ e~]'W[X~ e~] (J, p + 1, p + 1) within the groups of a factor of the design, in standard units.

    Parameters
    ----------
    design : Design
    standard : Standard
    beta : ndarray (p,)
        In standard units.
    outermost : int
        Position of the factor.
    """
    X = design.fixed_matrix()[:, list(standard.kept)]
    columns = np.empty((len(X), standard.p + 1))
    np.matmul(X, standard.T / standard.y_scale, out=columns[:, :-1])
    columns[:, -1] = (design.response - X @ standard.origin) / standard.y_scale - columns[:, :-1] @ beta
    if design.weights is not None:
        columns *= np.sqrt(design.weights)[:, None]
    group = design.groups[outermost]
    order = None if bool((np.diff(group.codes) >= 0).all()) else np.argsort(group.codes, kind="stable")
    codes = group.codes if order is None else group.codes[order]
    return cluster_sums(columns if order is None else columns[order], codes, len(group.levels))


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
