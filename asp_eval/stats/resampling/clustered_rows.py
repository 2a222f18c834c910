"""The rows of a fit as permutation needs them: design, estimated columns, and the clusters that were drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.estimate import Array
from asp_eval.stats.glmm.result import GlmmFit
from asp_eval.stats.linear.ols import OlsFit
from asp_eval.stats.mixed.fit import MixedFit
from asp_eval.stats.ordinal.result import ClmmFit
from asp_eval.stats.resampling.arm_columns import ArmColumns, arm_columns
from asp_eval.stats.smallsample.method import Fit

NO_ROWS = Phrase("a fit from moments has no rows to give to another arm")
NO_CLUSTERS = Phrase("the clusters that were drawn are unknown to the fit")
OTHER_FITS = Phrase("permutation is defined for linear and for mixed models")
NOT_NESTED = Phrase("no grouping factor of the model holds all others, so there are no clusters that could have been drawn")


@dataclass(frozen=True, slots=True, eq=False)
class ClusteredRows:
    """Rows of a fit with their clusters.

    Attributes
    ----------
    design : Design
    kept : list of int
        Positions of the p estimated columns.
    codes : ndarray of int, shape (n,)
        Cluster of each row.
    levels : pandas.Index
        The J clusters.
    """

    design: Design
    kept: list[int]
    codes: Codes
    levels: pd.Index

    def under_arms(self, treatment: str) -> ArmColumns:
        """Return the estimated columns under every arm."""
        return arm_columns(self.design, treatment, self.kept, self.codes, len(self.levels))


def clustered_rows(fit: Fit) -> ClusteredRows | Unavailable:
    """Return a fit's rows and clusters: of a mixed model those of the factor that holds all others."""
    if isinstance(fit, OlsFit):
        if fit.clusters is None:
            return Unavailable(NO_CLUSTERS)
        return ClusteredRows(fit.model, np.flatnonzero(fit.solution.kept).tolist(), fit.clusters.codes, fit.clusters.levels)
    if not isinstance(fit, MixedFit | GlmmFit | ClmmFit):
        return Unavailable(OTHER_FITS)
    if fit.design is None:
        return Unavailable(NO_ROWS)
    outer = min(fit.design.groups, key=lambda g: len(g.levels))
    for group in fit.design.groups:
        parent = np.zeros(len(group.levels), dtype=np.intp)
        parent[group.codes] = outer.codes
        if not bool((parent[group.codes] == outer.codes).all()):
            return Unavailable(NOT_NESTED)
    kept = fit.problem.standard.kept if isinstance(fit, MixedFit) else fit.kept
    return ClusteredRows(fit.design, list(kept), outer.codes, outer.levels)


def cluster_means(rows: ClusteredRows, columns: ArmColumns) -> tuple[ArmColumns, Array]:
    """Return the columns under every arm and the outcome, each averaged over its cluster: one row per cluster."""
    J, w = len(rows.levels), rows.design.weights
    weight = np.ones(len(rows.codes)) if w is None else w
    size = np.bincount(rows.codes, weights=weight, minlength=J)

    def mean(values: Array) -> Array:
        return np.asarray(np.bincount(rows.codes, weights=weight * values, minlength=J) / size)

    X = np.stack([np.column_stack([mean(column) for column in x.T]) for x in columns.X])
    return ArmColumns(columns.arms, X, columns.observed), mean(rows.design.response)
