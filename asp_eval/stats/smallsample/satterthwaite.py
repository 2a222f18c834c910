"""Satterthwaite's degrees of freedom, as in lmerTest (Kuznetsova, Brockhoff & Christensen 2017, J Stat Soft 82:13).

For a contrast l with variance f(phi) = l' Phi(phi) l,

    df = 2 f^2 / (g' A g),    g = df/dphi,    A = 2 H^-1,

with H the Hessian of the deviance (or REML criterion) in phi. For q contrasts: the eigenvectors of L Phi L' give q
independent t statistics with nu_m degrees of freedom each, and F has 2E / (E - q), E = sum nu_m / (nu_m - 2).

On the boundary of the parameter space H is not that of a minimum in the interior: there the approximation has no
ground (programs give 7 or 358 for the same fit), and this method is unavailable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.method import ContrastErrors, Fit, FTest, Method
from asp_eval.stats.smallsample.normal import model_covariance
from asp_eval.stats.smallsample.variance import VarianceDerivatives, mixed_model

SINGULAR = Phrase(
    "a variance of the random effects is estimated as zero (or a correlation as one), where Satterthwaite's approximation "
    "has no ground; Kenward and Roger's can be had"
)
DETERMINED = 1e-10
"""Eigenvalues of the Hessian (scaled to a unit diagonal) below this are directions along which the likelihood is flat."""
FLAT = Phrase(
    "the likelihood does not determine the variance parameters, so there is no Satterthwaite approximation; "
    "Kenward and Roger's can be had"
)


@dataclass(frozen=True, slots=True)
class Satterthwaite(Method):
    """t and F with degrees of freedom matched to the variance of the estimated variance."""

    def covariance(self, fit: Fit) -> Array | Unavailable:
        """Return (X'V^-1 X)^-1."""
        return model_covariance(fit, self.name)

    def errors(self, fit: Fit, contrasts: Array) -> ContrastErrors | Unavailable:
        """Return the model's standard errors with Satterthwaite's degrees of freedom."""
        found = _ground(fit, self.name)
        if isinstance(found, Unavailable):
            return found
        variance, df = satterthwaite_df(found, found.standard(contrasts))
        return ContrastErrors(np.sqrt(variance), df, self.name)

    def f_test(self, fit: Fit, contrasts: Array) -> FTest | Unavailable:
        """Return F with the denominator that matches its mean."""
        found = _ground(fit, self.name)
        if isinstance(found, Unavailable):
            return found
        values, vectors = np.linalg.eigh(contrasts @ found.covariance @ contrasts.T)
        rotated = vectors.T @ contrasts
        t2 = (rotated @ fit.estimate) ** 2 / values
        _, nu = satterthwaite_df(found, found.standard(rotated))
        return FTest(float(t2.mean()), len(contrasts), denominator_df(nu), self.name)


def satterthwaite_df(model: VarianceDerivatives, contrasts: Array) -> tuple[Array, Array]:
    """Return variances (k,) and degrees of freedom (k,) of contrasts in standard units."""
    size = np.abs(contrasts).max(axis=1, keepdims=True)
    unit = contrasts / np.where(size > 0, size, 1.0)
    along = unit @ model.Phi  # (k, p)
    f = (along * unit).sum(axis=1)
    g = -((along @ model.P) * along).sum(axis=2).T  # d Phi / d phi_r = -Phi P_r Phi
    A = 2.0 * _inverse(model.hessian)
    spread = ((g @ A) * g).sum(axis=1)
    df = np.divide(2.0 * f**2, spread, out=np.full_like(f, np.inf), where=spread > 0)
    return f * size[:, 0] ** 2, np.asarray(df, float)


def _inverse(hessian: Array) -> Array:
    """Return the inverse; where variances are not told apart by the data, that of the directions the data determine.

    Along such a direction the covariance matrix of the coefficients does not change either, so nothing is lost.
    """
    scale = np.sqrt(np.diag(hessian))
    scaled = hessian / np.outer(scale, scale)
    inverse = np.linalg.pinv(scaled, rcond=DETERMINED, hermitian=True)
    return np.asarray(inverse / np.outer(scale, scale), float)


def denominator_df(nu: Array) -> float:
    """Return the denominator degrees of freedom of a mean of squared t statistics, as lmerTest does."""
    if len(nu) == 1 or bool((np.abs(np.diff(nu)) < 1e-8).all()):
        return float(nu.mean())
    if not bool((nu > 2).all()):
        return 2.0
    E = float((nu / (nu - 2.0)).sum())
    return 2.0 * E / (E - len(nu))


def _ground(fit: Fit, method: str) -> VarianceDerivatives | Unavailable:
    """Return the derivatives if the approximation has a ground."""
    model = mixed_model(fit, method)
    if isinstance(model, Unavailable):
        return model
    if model.singular:
        return Unavailable(SINGULAR)
    found = model.variance_derivatives()
    scale = np.sqrt(np.maximum(np.diag(found.hessian), 1e-300))
    if np.linalg.eigvalsh(found.hessian / np.outer(scale, scale))[0] < -DETERMINED:
        return Unavailable(FLAT)
    return found
