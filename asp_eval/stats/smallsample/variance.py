"""What a mixed model tells the small-sample methods about its variance parameters.

V = sum_r phi_r G_r, with phi the variances and covariances of the random effects and, last, the residual variance. All
methods here need Phi = (X'V^-1 X)^-1 and, at the estimate of phi,

    P_r  = d(X'V^-1 X)/d phi_r            = -X'V^-1 G_r V^-1 X                      (Kenward & Roger 1997, eq. 3)
    2Q_rs = d2(X'V^-1 X)/d phi_r d phi_s  = X'V^-1 (G_r V^-1 G_s + G_s V^-1 G_r) V^-1 X
    tr(V^-1 G_r V^-1 G_s)                 = -d2 log|V| / d phi_r d phi_s

Everything is in units in which the residual variance is one and the columns of X are standardised; `back` leads to the
data's units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.method import Fit


@dataclass(frozen=True, slots=True, eq=False)
class VarianceDerivatives:
    """The model's covariance matrix of the coefficients, and how it depends on the variance parameters.

    Attributes
    ----------
    Phi : ndarray (p, p)
        (X'V^-1 X)^-1 in standard units.
    P : ndarray (r, p, p)
    Q : ndarray (r, r, p, p)
        The part of Q_rs that is symmetric in r and s.
    trace : ndarray (r, r)
        tr(V^-1 G_r V^-1 G_s).
    hessian : ndarray (r, r)
        Of the deviance or REML criterion that was minimised, in phi.
    back : ndarray (p, p)
        Coefficients in the data's units = `back` times those in standard units.
    """

    Phi: Array
    P: Array
    Q: Array
    trace: Array
    hessian: Array
    back: Array

    @property
    def covariance(self) -> Array:
        """Phi in the data's units (p, p)."""
        return self.back @ self.Phi @ self.back.T

    def standard(self, contrasts: Array) -> Array:
        """Return contrasts of the data's coefficients as contrasts of the standard ones (k, p)."""
        return contrasts @ self.back


class MixedModelFit(Fit, Protocol):
    """A fitted linear mixed model, as far as the methods look into it."""

    @property
    def reml(self) -> bool: ...  # noqa: D102

    @property
    def singular(self) -> bool: ...  # noqa: D102

    def variance_derivatives(self) -> VarianceDerivatives: ...  # noqa: D102

    def refit(self, *, reml: bool) -> MixedModelFit: ...  # noqa: D102


def mixed_model(fit: Fit, method: str) -> MixedModelFit | Unavailable:
    """Return the fit if it is a linear mixed model."""
    if hasattr(fit, "variance_derivatives"):  # a look at the protocol's every property would compute them all
        return cast(MixedModelFit, fit)
    return Unavailable(Phrase("{method} is defined for linear mixed models only", method=method))


def wald_f(value: Array, variance: Array) -> float:
    """Return value' variance^-1 value / q."""
    return float(value @ np.linalg.solve(variance, value)) / len(value)


def contrast_variances(contrasts: Array, covariance: Array) -> Array:
    """Return the variance of each contrast (k,)."""
    return np.asarray(((contrasts @ covariance) * contrasts).sum(axis=1), float)
