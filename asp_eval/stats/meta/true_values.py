r"""Each group's true value, given many estimates with known sampling variances, and nothing else taken as known.

The model is that of `asp_eval.stats.meta.shrinkage`. As in `asp_eval.stats.meta.placement`, :math:`\mu` and :math:`\tau` have
flat priors and are integrated. Given :math:`\tau`, with :math:`\lambda_j = \tau^2 / (\tau^2 + v_j)` and
:math:`V_\mu = 1 / \sum_k w_k`, a true value is normal with mean :math:`\lambda_j y_j + (1 - \lambda_j)\hat\mu` and variance
:math:`(1 - \lambda_j)\tau^2 + (1 - \lambda_j)^2 V_\mu`.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from asp_eval.stats.meta.placement import tau_posterior

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class TrueValues:
    """Posterior means, and standard deviations of the groups' values.

    Attributes
    ----------
    mean : float
        Of the mean of all groups.
    estimates, sds : ndarray, shape (m,)
        Of each group's true value.
    """

    mean: float
    estimates: Floats
    sds: Floats

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return the lower and upper ends of each group's interval, two arrays of shape (m,)."""
        half = NormalDist().inv_cdf(0.5 + level / 2) * self.sds
        return self.estimates - half, self.estimates + half


def true_values(estimates: Floats, variances: Floats) -> TrueValues:
    """Return what the estimates say of each group's true value.

    Parameters
    ----------
    estimates, variances : ndarray, shape (m,)
        Each group's estimate and its known sampling variance; three groups or more.

    Examples
    --------
    >>> found = true_values(np.array([-9.0, -1.0, 0.0, 1.0, 9.0]), np.full(5, 1.0))
    >>> found.estimates.round(2).tolist(), found.sds.round(2).tolist()
    ([-8.83, -0.98, -0.0, 0.98, 8.83], [1.0, 0.99, 0.99, 0.99, 1.0])
    """
    y, v = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    tau, share = tau_posterior(y, v)
    tau2 = tau[:, None] ** 2  # (points, 1)
    w = 1 / (tau2 + v)  # (points, m)
    mean_variance = 1 / w.sum(axis=1)[:, None]
    mean = (w * y).sum(axis=1)[:, None] * mean_variance
    own = tau2 * w
    centre = own * y + (1 - own) * mean
    variance = (1 - own) * tau2 + (1 - own) ** 2 * mean_variance
    found = share @ centre
    return TrueValues(
        float(share @ mean[:, 0]),
        found,
        np.sqrt(share @ (variance + centre**2) - found**2),
    )
