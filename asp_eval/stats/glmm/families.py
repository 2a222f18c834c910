"""The rows of a generalised linear mixed model: binomial, Poisson and negative binomial log likelihoods.

All constants are included, so a log likelihood can be compared with other programs' and between families.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from asp_eval.stats.estimate import Array
from asp_eval.stats.glmm.links import LINKS, Link
from asp_eval.stats.integration.cells import Index
from asp_eval.stats.integration.rows import RowTerms

NOTHING = np.zeros(0)


@dataclass(frozen=True, slots=True, eq=False)
class BinomialRows:
    """Successes y in trials n: l = y log mu + (n - y) log(1 - mu) + log C(n, y).

    Attributes
    ----------
    y : ndarray (n,)
    trials : ndarray (n,) or float
    link : Link
    constant : ndarray (n,) or float
        log C(n, y).
    """

    y: Array
    trials: Array | float
    link: Link
    constant: Array | float = 0.0
    n_shared: int = 0

    def terms(self, eta: Array, psi: Array, *, third: bool = False) -> RowTerms:  # noqa: ARG002
        """Return l, l', l'' and l'''."""
        if self.link.name == "logit":
            return self._logistic(eta, third=third)
        a, b, none = self.link.event(eta), self.link.no_event(eta), self.trials - self.y
        made = [_weighted(self.y, u) + _weighted(none, v) for u, v in zip(a, b, strict=True)]
        return RowTerms(made[0] + self.constant, *made[1:])

    def _logistic(self, eta: Array, *, third: bool) -> RowTerms:
        """Return the same for the canonical link: y eta - n log(1 + exp eta); in place, for making arrays is most of the time."""
        d = np.negative(np.abs(eta))
        small = np.exp(d)  # of exp(-|eta|), then the smaller of mu and 1 - mu
        np.divide(1.0, np.add(small, 1.0, out=d), out=d)
        small *= d
        mu = np.where(eta > 0, d, small)
        second = small * d
        second *= -self.trials
        value = np.log(d, out=d)
        value -= np.maximum(eta, 0.0, out=small)
        value *= self.trials
        value += np.multiply(self.y, eta, out=small)
        value += self.constant
        if not third:
            return RowTerms(value, self.y - self.trials * mu, second, None)
        slope = mu * -2.0
        slope += 1.0
        slope *= second
        return RowTerms(value, self.y - self.trials * mu, second, slope)

    def value_and_slope(self, eta: Array, psi: Array) -> tuple[Array, Array]:  # noqa: ARG002
        """Return l and l'."""
        if self.link.name == "logit":
            e = np.exp(-np.abs(eta))
            d = 1.0 / (1.0 + e)
            value = self.y * eta - self.trials * (np.maximum(eta, 0.0) - np.log(d)) + self.constant
            return value, self.y - self.trials * np.where(eta > 0, d, e * d)
        a, b, none = self.link.event(eta), self.link.no_event(eta), self.trials - self.y
        return _weighted(self.y, a[0]) + _weighted(none, b[0]) + self.constant, _weighted(self.y, a[1]) + _weighted(none, b[1])

    def shared_gradient(self, eta: Array, psi: Array, a: Array, b: Array, c: Array) -> Array:  # noqa: ARG002
        """Return nothing: there are no shared parameters."""
        return NOTHING

    def expected_information(self, eta: Array, psi: Array) -> tuple[Array, Array] | None:  # noqa: ARG002
        """Return n mu'^2 / (mu (1 - mu)) and its derivative."""
        if self.link.name == "logit":
            return None  # the expected information is the observed one
        a, b = self.link.event(eta), self.link.no_event(eta)
        return -self.trials * a[1] * b[1], -self.trials * (a[2] * b[1] + a[1] * b[2])

    def subset(self, order: Index) -> BinomialRows:
        """Return the rows in another order."""
        return replace(self, y=self.y[order], trials=_taken(self.trials, order), constant=_taken(self.constant, order))

    def mean(self, eta: Array, psi: Array) -> Array:  # noqa: ARG002
        """Return the expected proportion."""
        return self.link.inverse(eta)


@dataclass(frozen=True, slots=True, eq=False)
class PoissonRows:
    """Counts y with mean mu: l = w (y log mu - mu - log y!).

    Attributes
    ----------
    y, weights : ndarray (n,)
        A row of weight w counts as w rows.
    link : Link
        Log or identity.
    """

    y: Array
    weights: Array | float
    link: Link
    n_shared: int = 0

    def terms(self, eta: Array, psi: Array, *, third: bool = False) -> RowTerms:  # noqa: ARG002
        """Return l, l', l'' and l'''."""
        y, w, constant = self.y, self.weights, special.gammaln(self.y + 1)
        if self.link.name == "log":
            mu = np.exp(eta)
            return RowTerms(w * (y * eta - mu - constant), w * (y - mu), -w * mu, -w * mu)
        x = np.where(eta > 0, eta, np.nan)
        value = np.where(eta > 0, special.xlogy(y, x) - x - constant, -np.inf)
        return RowTerms(w * value, w * (y / x - 1.0), -w * y / x**2, w * 2.0 * y / x**3)

    def value_and_slope(self, eta: Array, psi: Array) -> tuple[Array, Array]:
        """Return l and l'."""
        found = self.terms(eta, psi)
        return found.value, found.first

    def shared_gradient(self, eta: Array, psi: Array, a: Array, b: Array, c: Array) -> Array:  # noqa: ARG002
        """Return nothing: there are no shared parameters."""
        return NOTHING

    def expected_information(self, eta: Array, psi: Array) -> tuple[Array, Array] | None:  # noqa: ARG002
        """Return the expected information where it is not the observed one."""
        if self.link.name == "log":
            return None
        return self.weights / eta, -self.weights / eta**2

    def subset(self, order: Index) -> PoissonRows:
        """Return the rows in another order."""
        return replace(self, y=self.y[order], weights=_taken(self.weights, order))

    def mean(self, eta: Array, psi: Array) -> Array:  # noqa: ARG002
        """Return the expected count."""
        return self.link.inverse(eta)


@dataclass(frozen=True, slots=True, eq=False)
class NegativeBinomialRows:
    """Counts y with mean mu and variance mu + mu^2 / k, log link; psi = log k.

    Attributes
    ----------
    y, weights : ndarray (n,)
    link : Link
    """

    y: Array
    weights: Array | float
    link: Link
    n_shared: int = 1

    def terms(self, eta: Array, psi: Array, *, third: bool = False) -> RowTerms:  # noqa: ARG002
        """Return l, l', l'' and l'''."""
        y, w, k = self.y, self.weights, np.exp(psi[0])
        p = special.expit(eta - psi[0])  # mu / (mu + k)
        both = (y + k) * p * (1.0 - p)
        value = y * (eta - psi[0]) - (y + k) * np.logaddexp(0.0, eta - psi[0]) + self._log_count(k)
        return RowTerms(w * value, w * (y - (y + k) * p), -w * both, -w * both * (1.0 - 2.0 * p))

    def value_and_slope(self, eta: Array, psi: Array) -> tuple[Array, Array]:
        """Return l and l'."""
        found = self.terms(eta, psi)
        return found.value, found.first

    def shared_gradient(self, eta: Array, psi: Array, a: Array, b: Array, c: Array) -> Array:
        """Return the gradient in log k."""
        y, w, k = self.y, self.weights, np.exp(psi[0])
        p = special.expit(eta - psi[0])
        v = p * (1.0 - p)
        value = k * (special.digamma(y + k) - special.digamma(k) - np.logaddexp(0.0, eta - psi[0])) - y + (y + k) * p
        first = (y + k) * v - k * p
        second = (y + k) * v * (1.0 - 2.0 * p) - k * v
        return np.array([float((w * (a * value + b * first + c * second)).sum())])

    def expected_information(self, eta: Array, psi: Array) -> tuple[Array, Array] | None:  # noqa: ARG002
        """Return None: the observed information places the nodes."""
        return None

    def subset(self, order: Index) -> NegativeBinomialRows:
        """Return the rows in another order."""
        return replace(self, y=self.y[order], weights=_taken(self.weights, order))

    def mean(self, eta: Array, psi: Array) -> Array:  # noqa: ARG002
        """Return the expected count."""
        return np.exp(eta)

    def _log_count(self, k: float) -> Array:
        """Return log of Gamma(y + k) / (Gamma(k) y!)."""
        if k > 1e6:  # the difference of two large numbers, by its series
            y = self.y
            return np.asarray(y * np.log(k) + y * (y - 1) / (2 * k) - special.gammaln(y + 1))
        return np.asarray(special.gammaln(self.y + k) - special.gammaln(k) - special.gammaln(self.y + 1))


Rows = BinomialRows | PoissonRows | NegativeBinomialRows

FAMILIES: dict[str, tuple[str, ...]] = {
    "binomial": ("logit", "probit", "cloglog", "log", "identity"),
    "poisson": ("log", "identity"),
    "negative-binomial": ("log",),
}
"""Each family's links, the default first."""


def family_rows(family: str, link: str, y: Array, weights: Array | None) -> Rows:
    """Return the rows of a family that is known, of outcomes that have been checked.

    Parameters
    ----------
    family, link : str
    y : ndarray (n,)
        Successes, or counts.
    weights : ndarray (n,) or None
        Trials, or how often a row counts.
    """
    if family == "binomial":
        if weights is None:
            return BinomialRows(y, 1.0, LINKS[link])
        orders = special.gammaln(weights + 1) - special.gammaln(y + 1) - special.gammaln(weights - y + 1)
        return BinomialRows(y, weights, LINKS[link], orders)
    kind = PoissonRows if family == "poisson" else NegativeBinomialRows
    return kind(y, 1.0 if weights is None else weights, LINKS[link])


def _weighted(weight: Array, value: Array) -> Array:
    """Return weight times value; zero where the weight is zero and the value is minus infinity."""
    return np.where(weight > 0, weight * value, 0.0)


def _taken(weights: Array | float, order: Index) -> Array | float:
    """Return weights in another order."""
    return weights[order] if isinstance(weights, np.ndarray) else weights
