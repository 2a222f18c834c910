"""One simulated trial through the package's own fits and methods: what the study's numbers are held to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from asp_eval.stats import contrasts
from asp_eval.stats.design.layout import FactorLayout, Layout
from asp_eval.stats.engine.accumulate import Sums
from asp_eval.stats.engine.least_squares import least_squares
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.mixed.fit import MixedFit, lmm_from_moments
from asp_eval.stats.smallsample.between_within import BetweenWithin
from asp_eval.stats.smallsample.classical import Classical
from asp_eval.stats.smallsample.cluster_blocks import ClusterBlocks, ordinary_blocks
from asp_eval.stats.smallsample.cluster_robust import CR1, CR2
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.stats.smallsample.method import Fit, Method
from asp_eval.stats.smallsample.normal import Normal
from asp_eval.stats.smallsample.satterthwaite import Satterthwaite

NAMES = ("Intercept", "arm", "x")
OF_MIXED = {"z": Normal(), "between-within": BetweenWithin(), "Satterthwaite": Satterthwaite(), "Kenward-Roger": KenwardRoger()}
OF_LEAST_SQUARES = {"OLS + CR1": CR1(), "OLS + CR2": CR2()}


def moments(cross: Array) -> Moments:
    """Return the moments of y ~ arm + x + (1 | cluster) from cross-products (m, c, c) within clusters."""
    m, c, _ = cross.shape
    names = (*NAMES[: c - 1], "y")
    layout = Layout("y ~ arm + x + (1 | cluster)", names, tuple(range(c - 1)), (FactorLayout("cluster", ("cluster",), ((0,),)),))
    sums = Sums(np.zeros(c), cross.sum(axis=0), (cross[:, :1],), {})
    return Moments.of_pass(layout, sums, [pd.RangeIndex(m)], int(cross[:, 0, 0].sum()))


def mixed(cross: Array) -> MixedFit:
    """Fit the mixed model."""
    return lmm_from_moments(moments(cross))


class OrdinaryFit:
    """Least squares of y on [1, arm, x] from cross-products within clusters."""

    dropped = ()

    def __init__(self, cross: Array) -> None:
        p = cross.shape[-1] - 1
        total = cross.sum(axis=0)
        self.names = NAMES[:p]
        self.estimate = np.linalg.solve(total[:p, :p], total[:p, p])
        self._cross = cross

    def orthonormal(self) -> tuple[Array, Array, Array]:
        """Return X_j'X_j (m, p, p) and X_j'e_j (m, p) in orthonormal columns, and the way back (p, p)."""
        p = len(self.estimate)
        gram, right = self._cross[:, :p, :p], self._cross[:, :p, p]
        back = np.linalg.inv(np.linalg.cholesky(gram.sum(axis=0)).T)
        return back.T @ gram @ back, (right - gram @ self.estimate) @ back, back

    def cluster_blocks(self) -> ClusterBlocks:
        """Return the pseudo-rows of every cluster."""
        return ordinary_blocks(*self.orthonormal(), int(self._cross[:, 0, 0].sum()))


class MeansFit:
    """Least squares of the clusters' means of y on [1, arm]: one row per cluster."""

    names = NAMES[:2]
    dropped = ()

    def __init__(self, cross: Array) -> None:
        rows = cross[:, 0] / cross[:, :1, 0]
        self.solution = least_squares(rows[:, :2], rows[:, -1])
        self.estimate = self.solution.estimate

    def classical_covariance(self) -> tuple[Array, int]:
        """Return s^2 (X'X)^-1 and m - 2."""
        df = len(self.solution.residuals) - 2
        return self.solution.rss / df * (self.solution.back @ self.solution.back.T), df


def closed_form(cross: Array) -> dict[str, Estimate]:
    """Return the arm's effect by every closed-form method, from cross-products (m, c, c)."""
    fits: list[tuple[Callable[[Array], Fit], dict[str, Method]]] = [
        (mixed, OF_MIXED),
        (OrdinaryFit, OF_LEAST_SQUARES),
        (MeansFit, {"cluster means": Classical()}),
    ]
    found: dict[str, Estimate] = {}
    for make, methods in fits:
        fit = make(cross)
        found |= {name: contrasts.contrast(fit, {"arm": 1.0}, method) for name, method in methods.items()}
    return found
