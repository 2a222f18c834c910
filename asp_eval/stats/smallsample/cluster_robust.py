"""Cluster-robust inference as methods: CR0, CR1, CR1S, CR2, CR3 with Bell-McCaffrey t and Hotelling F.

They believe the fitted coefficients but not the model's covariance: clusters are independent, and inside them anything
may happen. CR2 is the one to use; CR0, CR1 and CR1S are too small with few clusters, CR3 is a little too large. All use
the working model for the degrees of freedom, which keeps a nominal 5 % near 5 % with ten or so clusters; below four
degrees of freedom even these p-values are not to be trusted (Pustejovsky & Tipton 2018, J Bus Econ Stat 36:672).

On a linear model the clusters are those given to `ols`; on a mixed model they are the outermost group, and the working
model is the fitted one. The mathematics stands in `sandwich` and `cluster_blocks`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast, runtime_checkable

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.core.threads import one_blas_thread
from asp_eval.stats.smallsample.cluster_blocks import Array, ClusterBlocks
from asp_eval.stats.smallsample.method import ContrastErrors, Fit, FTest, Method
from asp_eval.stats.smallsample.nested_sandwich import NestedClusters, nested_sandwich
from asp_eval.stats.smallsample.sandwich import Kind, Robust, hotelling_df, invisible_share, sandwich, satterthwaite_df
from asp_eval.stats.smallsample.two_way import NOT_POSITIVE, TwoWay, two_way
from asp_eval.stats.smallsample.variance import contrast_variances, wald_f

NO_VARIANCE = 1e-10
"""Share of the model's variance of a contrast below which its expected robust variance is rounding."""

WORTH_SAYING = 0.005
"""Share of the model's variance of a contrast that single clusters determine, from which on the reader is told."""


@runtime_checkable
class Clustered(Protocol):
    """A fit that can hand out its clusters, or say why it has none."""

    def cluster_blocks(self) -> ClusterBlocks | Unavailable:
        """Return the pseudo-rows of every cluster."""


@runtime_checkable
class Nested(Protocol):
    """A fit whose clusters may be had as cross-products of nested random effects."""

    def nested_clusters(self) -> NestedClusters | None:
        """Return them, or None where the pseudo-rows are to be asked for."""


@dataclass(frozen=True, slots=True)
class ClusterRobustVariance(Method):
    """What CR0 to CR3 share; use one of those."""

    @one_blas_thread
    def covariance(self, fit: Fit) -> Array | Unavailable:
        """Return the cluster-robust covariance matrix (p, p)."""
        crossed = two_way(fit, self.name)
        if crossed is not None:
            return crossed if isinstance(crossed, Unavailable) else crossed.covariance
        robust = self._sandwich(fit)
        return robust if isinstance(robust, Unavailable) else robust.covariance()

    @one_blas_thread
    def errors(self, fit: Fit, contrasts: Array) -> ContrastErrors | Unavailable:
        """Return cluster-robust standard errors and Bell-McCaffrey degrees of freedom; of two clusterings min(J) - 1."""
        crossed = two_way(fit, self.name)
        if crossed is not None:
            return crossed if isinstance(crossed, Unavailable) else _crossed_errors(crossed, contrasts, self.name)
        robust = self._sandwich(fit)
        if isinstance(robust, Unavailable):
            return robust
        variance = np.einsum("kp,pq,kq->k", contrasts, robust.covariance(), contrasts)
        df, expected = satterthwaite_df(robust, contrasts)
        nothing = expected <= NO_VARIANCE * np.sum((contrasts @ robust.back) ** 2, axis=1)
        std_error = np.where(nothing, 0.0, np.sqrt(np.maximum(variance, 0.0)))
        reasons = tuple(_NO_INFORMATION if empty else NO_NOTE for empty in nothing) if nothing.any() else ()
        notes = tuple(_note(s) for s in invisible_share(robust, contrasts))
        return ContrastErrors(std_error, df, self.name, reasons=reasons, notes=notes if any(notes) else ())

    @one_blas_thread
    def f_test(self, fit: Fit, contrasts: Array) -> FTest | Unavailable:
        """Return the approximate Hotelling test HTZ: F = (eta-q+1)/(eta q) Q on q and eta-q+1 degrees of freedom.

        Of two clusterings it is Wald's F.
        """
        crossed = two_way(fit, self.name)
        if crossed is not None:
            return crossed if isinstance(crossed, Unavailable) else _crossed_f(crossed, fit, contrasts, self.name)
        robust = self._sandwich(fit)
        if isinstance(robust, Unavailable):
            return robust
        q = contrasts.shape[0]
        triangle = np.asarray(np.linalg.qr((contrasts @ robust.back).T, mode="r"))
        scaled = np.linalg.solve(triangle.T, contrasts)  # uncorrelated under the model, so that units play no role
        values, vectors = np.linalg.eigh(scaled @ robust.covariance() @ scaled.T)
        if values[0] <= NO_VARIANCE * values[-1]:
            return Unavailable(
                Phrase("the clusters do not determine the joint variance of {q} contrasts; test fewer together", q=q)
            )
        eta = hotelling_df(robust, scaled)
        if eta <= q - 1:
            return Unavailable(
                Phrase("too few clusters to test {q} contrasts together (eta = {eta:.2f}); test fewer together", q=q, eta=eta)
            )
        wald = float(np.sum((vectors.T @ (scaled @ fit.estimate)) ** 2 / values))
        note = _note(float(invisible_share(robust, contrasts).max()))
        return FTest((eta - q + 1) / eta * wald / q, float(q), eta - q + 1, self.name, note)

    def _sandwich(self, fit: Fit) -> Robust | Unavailable:
        """Return the cluster-robust covariance of this fit with what its degrees of freedom need."""
        kind = cast("Kind", self.name)
        nested = fit.nested_clusters() if isinstance(fit, Nested) else None
        if nested is not None and len(nested.root) > 1 and (kind != "CR1S" or nested.n_obs > len(nested.back)):
            found = nested_sandwich(nested, kind)
            if found is not None:
                return found
        blocks = _blocks(fit)
        if isinstance(blocks, Unavailable):
            return blocks
        if blocks.n_clusters < 2:
            return Unavailable(Phrase("cluster-robust inference needs at least two clusters, and there is one"))
        if self.name == "CR1S" and blocks.n_obs <= blocks.n_coefficients:
            return Unavailable(Phrase("CR1S divides by the number of rows minus coefficients, which is zero"))
        return sandwich(blocks, kind)


@dataclass(frozen=True, slots=True)
class CR0(ClusterRobustVariance):
    """The plain sandwich (Liang & Zeger 1986): no correction, too small with few clusters."""


@dataclass(frozen=True, slots=True)
class CR1(ClusterRobustVariance):
    """CR0 times J / (J-1): the correction of a mean, still too small with few clusters."""


@dataclass(frozen=True, slots=True)
class CR1S(ClusterRobustVariance):
    """CR0 times J (n-1) / ((J-1) (n-p)): what Stata prints."""


@dataclass(frozen=True, slots=True)
class CR2(ClusterRobustVariance):
    """Bias-reduced linearisation (Bell & McCaffrey 2002): unbiased if the working model is right."""


@dataclass(frozen=True, slots=True)
class CR3(ClusterRobustVariance):
    """The jackknife over clusters without its factor (J-1)/J: on the safe side."""


_NO_INFORMATION = Phrase("the residuals say nothing about it: one cluster alone determines this contrast")


def _crossed_errors(crossed: TwoWay, contrasts: Array, name: str) -> ContrastErrors:
    """Return standard errors by two clusterings."""
    variance = contrast_variances(contrasts, crossed.covariance)
    reasons = tuple(NO_NOTE if v > 0 else NOT_POSITIVE for v in variance)
    std_error = np.sqrt(np.maximum(variance, 0.0))
    return ContrastErrors(std_error, np.full(len(variance), crossed.df), name, reasons=reasons if any(reasons) else ())


def _crossed_f(crossed: TwoWay, fit: Fit, contrasts: Array, name: str) -> FTest | Unavailable:
    """Return Wald's F by two clusterings, on q and min(J) - 1 degrees of freedom."""
    V = contrasts @ crossed.covariance @ contrasts.T
    size = np.sqrt(np.maximum(np.diag(V), 1e-300))
    if np.linalg.eigvalsh(V / np.outer(size, size))[0] <= NO_VARIANCE:
        return Unavailable(NOT_POSITIVE)
    return FTest(wald_f(contrasts @ fit.estimate, V), float(len(contrasts)), crossed.df, name)


def _blocks(fit: Fit) -> ClusterBlocks | Unavailable:
    """Return the clusters of a fit that has them."""
    if isinstance(fit, Clustered):
        return fit.cluster_blocks()
    return Unavailable(Phrase("cluster-robust inference is defined for linear and for linear mixed models only"))


def _note(share: float) -> Phrase:
    """Say what a reader must know of a contrast that single clusters determine in part."""
    if share < WORTH_SAYING:
        return NO_NOTE
    return Phrase(
        "too small a standard error: clusters that alone determine a coefficient hide {share:.0%} of the variance", share=share
    )
