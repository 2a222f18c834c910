"""The normal approximation: variance parameters taken as known, so z and chi-square.

Right with hundreds of groups; with few it promises too much. It is what programs without degrees of freedom print.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.method import ContrastErrors, Fit, FTest, Method
from asp_eval.stats.smallsample.variance import contrast_variances, wald_f


@dataclass(frozen=True, slots=True)
class Normal(Method):
    """z for each contrast, chi-square for several, from the model's own covariance matrix."""

    def covariance(self, fit: Fit) -> Array | Unavailable:
        """Return (X'V^-1 X)^-1."""
        return model_covariance(fit, self.name)

    def errors(self, fit: Fit, contrasts: Array) -> ContrastErrors | Unavailable:
        """Return standard errors with infinite degrees of freedom."""
        V = self.covariance(fit)
        if isinstance(V, Unavailable):
            return V
        return ContrastErrors(np.sqrt(contrast_variances(contrasts, V)), np.full(len(contrasts), np.inf), self.name)

    def f_test(self, fit: Fit, contrasts: Array) -> FTest | Unavailable:
        """Return Wald's chi-square over q."""
        V = self.covariance(fit)
        if isinstance(V, Unavailable):
            return V
        return FTest(wald_f(contrasts @ fit.estimate, contrasts @ V @ contrasts.T), len(contrasts), np.inf, self.name)


def model_covariance(fit: Fit, method: str) -> Array | Unavailable:
    """Return the covariance matrix that the model itself gives its coefficients (p, p)."""
    found = getattr(fit, "model_covariance", None)
    if not isinstance(found, np.ndarray):
        return Unavailable(Phrase("{method} needs a fit with a model covariance matrix", method=method))
    return found
