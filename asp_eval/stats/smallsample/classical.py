"""Classical least squares: one residual variance, independent rows, exact t and F when the errors are normal.

Cov(beta) = s^2 (X'WX)^-1 with s^2 = sum w e^2 / (n - p). Right only where rows are independent: in a trial whose unit
of assignment is a group of children it is far too small, and `CR2` or a mixed model is the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.method import ContrastErrors, Fit, FTest, Method


@runtime_checkable
class LeastSquares(Protocol):
    """A fit whose rows are taken to be independent with one variance."""

    def classical_covariance(self) -> tuple[Array, int] | Unavailable:
        """Return s^2 (X'WX)^-1, shape (p, p), and n - p."""


@dataclass(frozen=True, slots=True)
class Classical(Method):
    """t and F of ordinary or weighted least squares on n - p degrees of freedom."""

    def covariance(self, fit: Fit) -> Array | Unavailable:
        """Return s^2 (X'WX)^-1."""
        found = _found(fit)
        return found if isinstance(found, Unavailable) else found[0]

    def errors(self, fit: Fit, contrasts: Array) -> ContrastErrors | Unavailable:
        """Return classical standard errors with n - p degrees of freedom."""
        found = _found(fit)
        if isinstance(found, Unavailable):
            return found
        V, df = found
        variance = np.einsum("kp,pq,kq->k", contrasts, V, contrasts)
        return ContrastErrors(np.sqrt(variance), np.full(len(contrasts), float(df)), self.name)

    def f_test(self, fit: Fit, contrasts: Array) -> FTest | Unavailable:
        """Return F = (L beta)'(L V L')^-1 (L beta) / q on q and n - p degrees of freedom."""
        found = _found(fit)
        if isinstance(found, Unavailable):
            return found
        V, df = found
        value, q = contrasts @ fit.estimate, len(contrasts)
        statistic = float(value @ np.linalg.solve(contrasts @ V @ contrasts.T, value)) / q
        return FTest(statistic, float(q), float(df), self.name)


def _found(fit: Fit) -> tuple[Array, int] | Unavailable:
    """Return the classical covariance of a fit that has one."""
    if isinstance(fit, LeastSquares):
        return fit.classical_covariance()
    return Unavailable(Phrase("classical least-squares inference is defined for linear models without random effects only"))
