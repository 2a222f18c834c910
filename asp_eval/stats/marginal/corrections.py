"""Robust covariance matrices of a marginal model, and their corrections for few clusters.

    V = B^-1 (sum_i U~_i U~_i') B^-1,   U_i = D_i' V_i^-1 e_i,   A_i = D_i' V_i^-1 D_i,   H_i = D_i B^-1 D_i' V_i^-1

Residuals understate the errors, because a cluster pulls the fit towards itself. Mancl & DeRouen (2001, Biometrics 57:126)
divide them by I - H_i, Kauermann & Carroll (2001, JASA 96:1387) by its root, Fay & Graubard (2001, Biometrics 57:1198)
scale the scores. Since D_i' V_i^-1 f(I - H_i) = f(I - A_i B^-1) D_i' V_i^-1, all need p-by-p matrices only; with
M_i = B^-1/2 A_i B^-1/2 the matrix I - A_i B^-1 is B^1/2 (I - M_i) B^-1/2.

t on J - p degrees of freedom, J clusters.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.method import ContrastErrors, Fit, FTest, Method
from asp_eval.stats.smallsample.variance import contrast_variances, wald_f

BOUND = Fault("FIT-130", "the bound of Fay and Graubard lies between 0 and 1", "Give for example FayGraubard(bound=0.75).")
NONE_LEFT = Phrase("there are no more clusters than coefficients, so no degrees of freedom are left")
ALONE = Phrase("one cluster alone determines a coefficient, so its residuals say nothing of the error")
SATURATED = 1e-10
"""Eigenvalue of I - M_i below which a cluster determines a coefficient alone."""


class EstimatingFit(Fit, Protocol):
    """A fit of estimating equations."""

    @property
    def cluster_information(self) -> Array: ...  # noqa: D102

    @property
    def cluster_scores(self) -> Array: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class RobustMethod(Method):
    """A robust covariance matrix with t on clusters less coefficients."""

    @abstractmethod
    def corrected(self, information: Array, scores: Array) -> Array | Unavailable:
        """Return the clusters' scores (J, p), corrected."""

    def covariance(self, fit: Fit) -> Array | Unavailable:
        """Return B^-1 (sum U~ U~') B^-1."""
        if not hasattr(fit, "cluster_scores"):
            reason = Phrase("{method} is defined for marginal models, fitted by estimating equations", method=self.name)
            return Unavailable(reason)
        own = cast(EstimatingFit, fit)
        information, scores = own.cluster_information, own.cluster_scores
        scores_now = self.corrected(information, scores)
        if isinstance(scores_now, Unavailable):
            return scores_now
        back = np.linalg.solve(information.sum(axis=0), scores_now.T)
        return np.asarray(back @ back.T, float)

    def errors(self, fit: Fit, contrasts: Array) -> ContrastErrors | Unavailable:
        """Return standard errors, and clusters less coefficients as degrees of freedom."""
        V = self.covariance(fit)
        if isinstance(V, Unavailable):
            return V
        df = _df(fit)
        reasons = () if df > 0 else (NONE_LEFT,) * len(contrasts)
        return ContrastErrors(
            np.sqrt(contrast_variances(contrasts, V)),
            np.full(len(contrasts), df if df > 0 else np.nan),
            self.name,
            NO_NOTE,
            reasons,
        )

    def f_test(self, fit: Fit, contrasts: Array) -> FTest | Unavailable:
        """Return Wald's F on clusters less coefficients."""
        V = self.covariance(fit)
        if isinstance(V, Unavailable):
            return V
        df = _df(fit)
        if df <= 0:
            return Unavailable(NONE_LEFT)
        return FTest(wald_f(contrasts @ fit.estimate, contrasts @ V @ contrasts.T), len(contrasts), df, self.name)


@dataclass(frozen=True, slots=True)
class Robust(RobustMethod):
    """The robust (sandwich) covariance matrix of Liang & Zeger (1986), uncorrected: too small with few clusters.

    Examples
    --------
    >>> Robust().name
    'Robust'
    """

    def corrected(self, information: Array, scores: Array) -> Array | Unavailable:  # noqa: ARG002
        """Return the scores as they are."""
        return scores


@dataclass(frozen=True, slots=True)
class KauermannCarroll(RobustMethod):
    """Residuals divided by the principal square root of I - H_i (Kauermann & Carroll 2001).

    Examples
    --------
    >>> KauermannCarroll().name
    'KauermannCarroll'
    """

    def corrected(self, information: Array, scores: Array) -> Array | Unavailable:
        """Return (I - A_i B^-1)^-1/2 U_i."""
        return _divided(information, scores, 0.5)


@dataclass(frozen=True, slots=True)
class ManclDeRouen(RobustMethod):
    """Residuals divided by I - H_i (Mancl & DeRouen 2001): errs on the side of too large a standard error.

    Examples
    --------
    >>> ManclDeRouen().name
    'ManclDeRouen'
    """

    def corrected(self, information: Array, scores: Array) -> Array | Unavailable:
        """Return (I - A_i B^-1)^-1 U_i."""
        return _divided(information, scores, 1.0)


@dataclass(frozen=True, slots=True)
class FayGraubard(RobustMethod):
    """Scores divided by the root of 1 - min(bound, diag(A_i B^-1)) (Fay & Graubard 2001).

    Attributes
    ----------
    bound : float

    Examples
    --------
    >>> FayGraubard()
    FayGraubard(bound=0.75)
    """

    bound: float = 0.75

    def __post_init__(self) -> None:
        """Check the bound.

        Raises
        ------
        Refusal
            If it does not lie between 0 and 1.
        """
        if not isinstance(self.bound, (int, float)) or not 0 <= self.bound < 1:
            BOUND.refuse(found=self.bound)

    def corrected(self, information: Array, scores: Array) -> Array | Unavailable:
        """Return the scores, each coordinate by its own factor."""
        B = information.sum(axis=0)
        own = np.einsum("jab,ba->ja", information, np.linalg.inv(B))
        return np.asarray(scores / np.sqrt(1.0 - np.minimum(self.bound, own)), float)


def _divided(information: Array, scores: Array, power: float) -> Array | Unavailable:
    """Return (I - A_i B^-1)^-power U_i."""
    value, vector = np.linalg.eigh(information.sum(axis=0))
    root, inverse_root = (vector * np.sqrt(value)) @ vector.T, (vector / np.sqrt(value)) @ vector.T
    own, turn = np.linalg.eigh(inverse_root @ information @ inverse_root)
    left = 1.0 - own
    if bool((left < SATURATED).any()):
        return Unavailable(ALONE)
    turned = np.einsum("jab,ja->jb", turn, scores @ inverse_root) * left**-power
    return np.asarray(np.einsum("jab,jb->ja", turn, turned) @ root, float)


def _df(fit: Fit) -> float:
    """Return clusters less coefficients."""
    return float(len(cast(EstimatingFit, fit).cluster_scores) - len(fit.estimate))
