r"""One common factor of several items, and the reliability of their sum that it implies.

Maximum likelihood on a covariance matrix minimises :math:`\log|\Sigma| + \mathrm{tr}(S\Sigma^{-1})` over
:math:`\Sigma = \lambda\lambda' + \Theta`, :math:`\Theta` diagonal; least squares (minres) on a correlation matrix the squares
of what :math:`\lambda\lambda'` leaves off the diagonal. Omega total (McDonald 1999) is

.. math:: \omega = (\sum_i \lambda_i)^2 / \{(\sum_i \lambda_i)^2 + \sum_i \theta_i\}
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array

NO_FACTOR = Unavailable(Phrase("the items have no common factor that can be estimated"))
NO_RESIDUAL = 1e-6  # share of an item's variance below which its residual is at the edge: a Heywood case
FEWEST_ITEMS = 3
LEAST_LOG = -30.0


@dataclass(frozen=True, slots=True, eq=False)
class OneFactor:
    """Loadings and residual variances, each (k,)."""

    loadings: Array
    residuals: Array

    @property
    def omega(self) -> float:
        """Omega total."""
        common = float(self.loadings.sum()) ** 2
        return common / (common + float(self.residuals.sum()))


def one_factor_ml(S: Array) -> OneFactor | Unavailable:
    """Return the factor of a covariance matrix (k, k) by maximum likelihood."""
    k, scale = len(S), np.sqrt(np.diag(S))
    if k < FEWEST_ITEMS or not (scale > 0).all():
        return NO_FACTOR
    R = S / np.outer(scale, scale)  # the fit does not depend on the units

    def criterion(x: Array) -> tuple[float, Array]:
        loading, theta = x[:k], np.exp(np.maximum(x[k:], LEAST_LOG))
        over, common = loading / theta, 1.0 + float(loading @ (loading / theta))
        inverse = np.diag(1.0 / theta) - np.outer(over, over) / common
        slope = inverse - inverse @ R @ inverse
        value = float(np.log(theta).sum() + np.log(common) + np.trace(R @ inverse))
        return value, np.concatenate([2.0 * slope @ loading, np.diag(slope) * theta])

    loading = _start(R)
    start = np.concatenate([loading, np.log(np.maximum(1.0 - loading**2, 0.1))])
    found = optimize.minimize(criterion, start, jac=True, method="BFGS", options={"gtol": 1e-9})
    theta = np.exp(found.x[k:])
    if not np.isfinite(found.fun) or float(np.abs(found.jac).max()) > 1e-4 or float(theta.min()) < NO_RESIDUAL:
        return NO_FACTOR
    return OneFactor(_upright(found.x[:k]) * scale, theta * scale**2)


def one_factor_minres(R: Array) -> OneFactor | Unavailable:
    """Return the factor of a correlation matrix (k, k) by least squares."""
    k = len(R)
    if k < FEWEST_ITEMS:
        return NO_FACTOR
    off = ~np.eye(k, dtype=bool)

    def left(loading: Array) -> Array:
        return np.asarray((R - np.outer(loading, loading))[off])

    found = optimize.least_squares(left, _start(R), xtol=1e-12, ftol=1e-12)
    residuals = 1.0 - found.x**2
    if not found.success or float(residuals.min()) < NO_RESIDUAL:
        return NO_FACTOR
    return OneFactor(_upright(found.x), residuals)


def _start(R: Array) -> Array:
    """Return the first principal component's loadings, shrunk."""
    values, axes = np.linalg.eigh(R)
    return np.asarray(0.8 * axes[:, -1] * np.sqrt(values[-1]))


def _upright(loadings: Array) -> Array:
    return loadings if loadings.sum() >= 0 else -loadings
