r"""Where each group's true value lies among those of all groups: in the lower quarter, the middle half, or the upper quarter.

The model is that of `asp_eval.stats.meta.shrinkage`. Nothing is taken as known: :math:`\mu` has a flat prior and is integrated in
closed form; :math:`\tau` has a flat prior (Gelman 2006, Bayesian Analysis 1:515-534) and is integrated numerically, so that
its density is

.. math:: p(\tau \mid y) \propto \prod_j (\tau^2 + v_j)^{-1/2} \Big(\sum_j w_j\Big)^{-1/2}
          \exp\Big(-\tfrac12 \sum_j w_j (y_j - \hat\mu)^2\Big), \quad w_j = 1 / (\tau^2 + v_j)

Given :math:`\tau`, with :math:`\lambda_j = \tau^2 / (\tau^2 + v_j)`, the departure :math:`\theta_j - \mu` is normal with mean
:math:`\lambda_j (y_j - \hat\mu)` and variance :math:`(1 - \lambda_j)\tau^2 + \lambda_j^2 / \sum_k w_k`, and the upper quarter is
:math:`\theta_j - \mu > 0.674\,\tau`. That a value lies in the middle half is easily said where :math:`\tau` may be small and
everything is drawn to the middle; so its probability is also given at the lower fifth of :math:`\tau`.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

POINTS = 400  # of the integral over tau: the probabilities are then right to four decimals
CAUTIOUS = 0.2  # the quantile of tau at which the middle half is asked for again
QUARTILE = NormalDist().inv_cdf(0.75)


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Posterior probabilities of where each group's true value lies among all, and how far it departs from their mean.

    Attributes
    ----------
    below, middle, above : ndarray, shape (m,)
        Lower quarter, middle half, upper quarter; they sum to 1.
    middle_cautious : ndarray, shape (m,)
        The middle half again, given that tau is at its lower fifth.
    departure, departure_sd : ndarray, shape (m,)
        Mean and standard deviation of the true value less the mean of all.
    """

    below: Floats
    middle: Floats
    above: Floats
    middle_cautious: Floats
    departure: Floats
    departure_sd: Floats


def placement(estimates: Floats, variances: Floats) -> Placement:
    """Place each group's true value among those of all groups.

    Parameters
    ----------
    estimates, variances : ndarray, shape (m,)
        Each group's estimate and its known sampling variance; three groups or more.

    Returns
    -------
    Placement

    Examples
    --------
    >>> found = placement(np.array([-9.0, -1.0, 0.0, 1.0, 9.0]), np.full(5, 1.0))
    >>> found.above.round(2).tolist()
    [0.0, 0.04, 0.07, 0.12, 0.74]
    """
    y, v = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    tau, share = tau_posterior(y, v)
    tau2 = tau[:, None] ** 2  # (points, 1)
    w = 1 / (tau2 + v)  # (points, m)
    mean = ((w * y).sum(axis=1) / w.sum(axis=1))[:, None]
    own = tau2 * w
    centre = own * (y - mean)
    variance = (1 - own) * tau2 + own**2 / w.sum(axis=1)[:, None]
    spread, edge = np.sqrt(variance), QUARTILE * tau[:, None]
    from scipy.special import ndtr  # slow to load, and who only reads profiles needs none

    above_each, below_each = ndtr((centre - edge) / spread), ndtr((-centre - edge) / spread)  # (points, m)
    above, below = share @ above_each, share @ below_each
    at = int(np.searchsorted(np.cumsum(share), CAUTIOUS))
    departure = share @ centre
    squares = share @ (variance + centre**2)
    cautious = 1 - above_each[at] - below_each[at]
    return Placement(below, 1 - below - above, above, cautious, departure, np.sqrt(squares - departure**2))


def tau_posterior(y: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Return values of tau and the posterior share of each, two arrays of shape (POINTS,).

    They lie denser where tau is small and reach without end: tau = s t / (1 - t), with t in the middle of equal steps from 0 to 1
    and s the scale of the estimates.
    """
    scale = float(np.sqrt(max(np.var(y), np.median(v) / 4)))
    t = (np.arange(POINTS) + 0.5) / POINTS
    tau = scale * t / (1 - t)
    w = 1 / (tau[:, None] ** 2 + v)
    residual = y - ((w * y).sum(axis=1) / w.sum(axis=1))[:, None]
    log_density = 0.5 * (np.log(w).sum(axis=1) - np.log(w.sum(axis=1)) - (w * residual**2).sum(axis=1))
    log_density -= 2 * np.log1p(-t)  # the step of tau for a step of t
    share = np.exp(log_density - log_density.max())
    return tau, share / share.sum()
