r"""Shrinkage of many estimates, each with a known sampling variance, toward their common mean.

Normal-normal model, for groups :math:`j = 1 \ldots m`:

.. math:: y_j = \theta_j + e_j, \quad e_j \sim N(0, v_j), \quad \theta_j \sim N(\mu, \tau^2)

:math:`\tau^2` by restricted maximum likelihood (Viechtbauer 2005, Journal of Educational and Behavioral Statistics 30:261-293),
:math:`\mu` by weighted least squares. With :math:`\lambda_j = \tau^2 / (\tau^2 + v_j)`,

.. math::

    \hat\theta_j = \lambda_j y_j + (1 - \lambda_j)\hat\mu, \qquad
    SE_j^2 = (1 - \lambda_j)\tau^2 + (1 - \lambda_j)^2 \mathrm{Var}(\hat\mu)

the posterior mean and variance under a flat prior for :math:`\mu` (Raudenbush & Bryk 1985, Journal of Educational Statistics
10:75-98). The uncertainty of :math:`\hat\tau^2` is not in the variance.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from asp_eval.core.errors import Fault

Floats = NDArray[np.float64]

GRID = 400  # points at which the score is looked at for changes of sign; its maxima are far fewer

FEW_GROUPS = Fault("INF-040", "estimates cannot be shrunken toward each other: there are too few", "Show them as they are.")
BAD_VARIANCE = Fault(
    "INF-041", "a sampling variance is not positive and finite", "Leave out estimates whose sampling variance is unknown or zero."
)
BAD_ESTIMATE = Fault("INF-042", "an estimate is not finite", "Leave out groups without an estimate.")


@dataclass(frozen=True, slots=True, eq=False)
class Shrinkage:
    """Estimates shrunken toward their mean.

    Attributes
    ----------
    mean, mean_variance : float
        The mean and its variance.
    tau2 : float
        Variance of the true values between groups; 0 where the estimates differ no more than their errors do.
    mean_weights : ndarray, shape (m,)
        Share of each group in the mean; they sum to 1.
    weights : ndarray, shape (m,)
        lambda, the share of each group's own estimate in its shrunken one.
    estimates, std_errors : ndarray, shape (m,)
    """

    mean: float
    mean_variance: float
    tau2: float
    mean_weights: Floats
    weights: Floats
    estimates: Floats
    std_errors: Floats

    @property
    def tau(self) -> float:
        """Standard deviation of the true values between groups."""
        return float(np.sqrt(self.tau2))

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return the lower and upper ends of each group's interval, two arrays of shape (m,)."""
        half = NormalDist().inv_cdf(0.5 + level / 2) * self.std_errors
        return self.estimates - half, self.estimates + half

    def middle(self, share: float = 0.5) -> tuple[float, float]:
        """Return the range that holds the middle `share` of all true values: ``mean -/+ 0.674 tau`` for a half."""
        half = NormalDist().inv_cdf(0.5 + share / 2) * self.tau
        return self.mean - half, self.mean + half


def shrink(estimates: Floats, variances: Floats) -> Shrinkage:
    """Shrink estimates toward their precision-weighted mean.

    Parameters
    ----------
    estimates, variances : ndarray, shape (m,)
        Each group's estimate and its known sampling variance.

    Returns
    -------
    Shrinkage

    Raises
    ------
    Refusal
        With fewer than three groups, or an estimate or variance that is not usable.

    Notes
    -----
    In R: ``fit <- metafor::rma(y, v, method = "REML"); metafor::blup(fit)``.

    Examples
    --------
    With equal variances v the estimate of tau2 is the variance of the estimates less v:

    >>> found = shrink(np.array([0.0, 4.0, 8.0]), np.array([4.0, 4.0, 4.0]))
    >>> round(found.tau2, 6), found.estimates.round(6).tolist()
    (12.0, [1.0, 4.0, 7.0])
    """
    y, v = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if len(y) < 3:
        FEW_GROUPS.refuse(found=len(y), expected="3 or more")
    if not np.isfinite(y).all():
        BAD_ESTIMATE.refuse()
    if v.shape != y.shape or not (np.isfinite(v).all() and (v > 0).all()):
        BAD_VARIANCE.refuse()
    tau2 = restricted_tau2(y, v)
    w = 1 / (tau2 + v)
    mean_variance = float(1 / w.sum())
    mean = float((w * y).sum() * mean_variance)
    weights = tau2 / (tau2 + v)
    shrunken = weights * y + (1 - weights) * mean
    std_errors = np.sqrt((1 - weights) * tau2 + (1 - weights) ** 2 * mean_variance)
    return Shrinkage(mean, mean_variance, tau2, w * mean_variance, weights, shrunken, std_errors)


def restricted_tau2(y: Floats, v: Floats) -> float:
    r"""Return the restricted maximum likelihood estimate of :math:`\tau^2`, 0 or more.

    The restricted likelihood can have more than one maximum. So every maximum is found, by the change of sign of the score on a
    grid from a hundred-thousandth of the smallest variance to beyond the range of the estimates, and the highest is taken;
    0 is one of the candidates.

    Parameters
    ----------
    y, v : ndarray, shape (m,)
    """
    spread = float(np.ptp(y)) ** 2
    if spread == 0:
        return 0.0
    grid = np.concatenate([[0.0], np.geomspace(min(v.min(), spread) * 1e-5, 4 * spread, GRID)])
    scores = np.array([_score(t, y, v) for t in grid])
    peaks = np.flatnonzero((scores[:-1] > 0) & (scores[1:] <= 0))
    precision = 1e-14 * float(grid[-1])
    from scipy.optimize import brentq  # slow to load, and who only reads profiles needs none

    candidates = [0.0] + [brentq(_score, grid[i], grid[i + 1], args=(y, v), xtol=precision, rtol=1e-14) for i in peaks]
    return float(max(candidates, key=lambda t: _log_likelihood(t, y, v)))


def _log_likelihood(tau2: float, y: Floats, v: Floats) -> float:
    """Restricted log-likelihood less its constant (Viechtbauer 2005, eq. 14)."""
    w = 1 / (tau2 + v)
    residual = y - (w * y).sum() / w.sum()
    return float(0.5 * (np.log(w).sum() - np.log(w.sum()) - (w * residual**2).sum()))


def _score(tau2: float, y: Floats, v: Floats) -> float:
    """Twice the derivative of the restricted log-likelihood: ``-tr P + y'PPy``."""
    w = 1 / (tau2 + v)
    residual = y - (w * y).sum() / w.sum()
    return float((w**2 * residual**2).sum() - w.sum() + (w**2).sum() / w.sum())
