"""Intraclass correlations of a generalised linear mixed model, on the latent and on the observed scale.

Latent: tau^2 / (tau^2 + v), with v the variance of the link's own distribution (pi^2/3 for the logit, 1 for the probit,
pi^2/6 for the complementary log-log) or, for counts with a log link, log(1 + 1/m + 1/k) at the mean m (Nakagawa, Johnson &
Schielzeth 2017, J R Soc Interface 14:20170213).

Observed: the correlation of two outcomes of one group, Var(mu_b) / (Var(mu_b) + E Var(y | b)), averaged over the rows' fixed
parts; the random effects are integrated out by quadrature (Goldstein, Browne & Rasbash 2002). It is what a sample-size
formula for proportions needs, and is smaller than the latent one.
"""

from __future__ import annotations

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array
from asp_eval.stats.glmm.links import Link

LINK_VARIANCE = {"logit": np.pi**2 / 3.0, "probit": 1.0, "cloglog": np.pi**2 / 6.0}
POINTS, WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


def latent_icc(variance: float, link: str) -> float | Unavailable:
    """Return the share of a probability's latent variance that lies between groups."""
    if link in LINK_VARIANCE:
        return variance / (variance + LINK_VARIANCE[link])
    return Unavailable(Phrase("a probability with the {link} link has no latent scale, only the one observed", link=link))


def count_latent_icc(variance: float, mean: float, dispersion: float | None) -> float:
    """Return the share between groups of the variance of log counts."""
    extra = 0.0 if dispersion is None else 1.0 / dispersion
    return float(variance / (variance + np.log1p(1.0 / mean + extra)))


def observed_icc(eta: Array, variance: Array, link: Link, family: str, dispersion: float | None) -> float:
    """Return the correlation of two outcomes of one group.

    Parameters
    ----------
    eta : ndarray (n,)
        Fixed part of each row.
    variance : ndarray (n,)
        Variance of the random effects that act on it.
    link : Link
    family : str
    dispersion : float or None
    """
    w = WEIGHTS / WEIGHTS.sum()
    mu = link.inverse(eta[:, None] + np.sqrt(variance)[:, None] * POINTS)
    first, second = mu @ w, (mu**2) @ w
    between = second - first**2
    if family == "binomial":
        return float(between.sum() / (first * (1.0 - first)).sum())
    extra = 0.0 if dispersion is None else second / dispersion
    return float(between.sum() / (between + first + extra).sum())
