"""What a row contributes to the likelihood, as the integration over random effects needs it.

A row's log likelihood is a function l(eta; psi) of its linear predictor eta and of parameters psi that all rows share
(thresholds, a dispersion; there may be none). Laplace's approximation needs three derivatives in eta, and how l, l' and
l'' move with psi.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from asp_eval.stats.estimate import Array


@dataclass(frozen=True, slots=True, eq=False)
class RowTerms:
    """The log likelihood of rows and its derivatives in the linear predictor.

    Attributes
    ----------
    value, first, second : ndarray (..., n)
    third : ndarray (..., n) or None
        Where it was asked for.
    """

    value: Array
    first: Array
    second: Array
    third: Array | None = None


class RowLikelihood(Protocol):
    """The rows of a model given their linear predictors.

    Every method takes linear predictors of shape (..., n): the last axis is the rows. Outside the range in which the
    model is defined (a log link's probability above one) the value is minus infinity or not a number.
    """

    @property
    def n_shared(self) -> int:
        """Number of parameters psi that the rows share."""

    def terms(self, eta: Array, psi: Array, *, third: bool = False) -> RowTerms:
        """Return l, l', l'' and, if asked for, l'''."""

    def value_and_slope(self, eta: Array, psi: Array) -> tuple[Array, Array]:
        """Return l and l' alone."""

    def shared_gradient(self, eta: Array, psi: Array, a: Array, b: Array, c: Array) -> Array:
        """Return the sum over rows of a dl/dpsi + b dl'/dpsi + c dl''/dpsi (n_shared,)."""

    def expected_information(self, eta: Array, psi: Array) -> tuple[Array, Array] | None:
        """Return the expected information of eta and its derivative, or None where the observed one is to be used."""

    def subset(self, order: npt.NDArray[np.intp]) -> RowLikelihood:
        """Return the same rows in another order."""
