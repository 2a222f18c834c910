"""The rows of a cumulative link model: ordered categories cut from a latent scale by thresholds.

    P(y <= k) = F(c_k - eta),   c = J tau

with F logistic, normal, or 1 - exp(-exp) (proportional hazards). Flexible thresholds are free (J the identity),
equidistant ones a first threshold and a step. A row of category y has the probability F(A) - F(B), A = c_y - eta and
B = c_{y-1} - eta, whose logarithm is concave in eta. Columns may act on each threshold in their own way (a nominal effect):
c_k then less w' Gamma_k, Gamma being zero at the first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy import special

from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.cells import Index
from asp_eval.stats.integration.rows import RowTerms

Density = tuple[Array, Array, Array]
"""f, f' and f''."""


@dataclass(frozen=True, slots=True)
class Latent:
    """The distribution of the latent scale.

    Attributes
    ----------
    name : str
        The link's name.
    variance : float
    cumulative, quantile : callable
    between : callable
        F(A) - F(B) without cancellation.
    density : callable
        f, f' and f''.
    """

    name: str
    variance: float
    cumulative: Callable[[Array], Array]
    quantile: Callable[[Array], Array]
    between: Callable[[Array, Array], Array]
    density: Callable[[Array], Density]


def _logistic(x: Array) -> Density:
    e = np.exp(-np.abs(x))
    f = e / (1.0 + e) ** 2
    return f, f * np.sign(-x) * (1.0 - e) / (1.0 + e), f * (1.0 - 6.0 * f)


def _normal(x: Array) -> Density:
    inside = np.where(np.isfinite(x), x, 0.0)
    f = np.where(np.isfinite(x), np.exp(-0.5 * inside**2) / np.sqrt(2.0 * np.pi), 0.0)
    return f, -inside * f, (inside**2 - 1.0) * f


def _smallest(x: Array) -> Density:
    inside = np.clip(x, -700.0, 700.0)
    t = np.exp(inside)
    f = np.where(np.isfinite(x), np.exp(inside - t), 0.0)
    return f, f * (1.0 - np.minimum(t, 1e100)), f * ((1.0 - np.minimum(t, 1e100)) ** 2 - np.minimum(t, 1e100))


def _mirrored_difference(cumulative: Callable[[Array], Array], A: Array, B: Array) -> Array:
    """Return F(A) - F(B) of a symmetric distribution, from its lower tail."""
    upper = B > 0
    return np.asarray(cumulative(np.where(upper, -B, A)) - cumulative(np.where(upper, -A, B)))


def _smallest_cumulative(x: Array) -> Array:
    return np.asarray(-np.expm1(-np.exp(x)))


def _smallest_quantile(p: Array) -> Array:
    return np.asarray(np.log(-np.log1p(-p)))


def _smallest_difference(A: Array, B: Array) -> Array:
    high, low = np.exp(np.minimum(A, 700.0)), np.exp(np.minimum(B, 700.0))
    return np.asarray(np.exp(-low) * -np.expm1(low - high))


LATENT: dict[str, Latent] = {
    latent.name: latent
    for latent in (
        Latent("logit", np.pi**2 / 3.0, special.expit, special.logit, partial(_mirrored_difference, special.expit), _logistic),
        Latent("probit", 1.0, special.ndtr, special.ndtri, partial(_mirrored_difference, special.ndtr), _normal),
        Latent(
            "cloglog",
            np.pi**2 / 6.0,
            _smallest_cumulative,
            _smallest_quantile,
            _smallest_difference,
            _smallest,
        ),
    )
}


@dataclass(frozen=True, slots=True, eq=False)
class CumulativeRows:
    """Ordered categories y = 0, ..., K - 1.

    Attributes
    ----------
    y : ndarray of int (n,)
    J : ndarray (K - 1, t)
        c = J tau.
    latent : Latent
    nominal : ndarray (n, q)
        Columns that act on each threshold in their own way; usually none.
    """

    y: Index
    J: Array
    latent: Latent
    nominal: Array

    @property
    def n_shared(self) -> int:
        """Parameters of the thresholds, and (K - 2) q nominal effects."""
        return int(self.J.shape[1] + (len(self.J) - 1) * self.nominal.shape[1])

    def thresholds(self, psi: Array) -> Array:
        """Return c (K - 1,) of rows whose nominal columns are zero."""
        return np.asarray(self.J @ psi[: self.J.shape[1]], float)

    def terms(self, eta: Array, psi: Array, *, third: bool = False) -> RowTerms:
        """Return l, l', l'' and l'''."""
        A, B = self._bounds(eta, psi)
        P = self.latent.between(A, B)
        (fa, fa1, fa2), (fb, fb1, fb2) = self.latent.density(A), self.latent.density(B)
        first, second = (fb - fa) / P, (fa1 - fb1) / P
        value = np.log(np.where(P > 0, P, np.nan))
        three = (fb2 - fa2) / P - 3.0 * first * second + 2.0 * first**3 if third else None
        return RowTerms(value, first, second - first**2, three)

    def value_and_slope(self, eta: Array, psi: Array) -> tuple[Array, Array]:
        """Return l and l'."""
        A, B = self._bounds(eta, psi)
        P = self.latent.between(A, B)
        return np.log(np.where(P > 0, P, np.nan)), (self.latent.density(B)[0] - self.latent.density(A)[0]) / P

    def shared_gradient(self, eta: Array, psi: Array, a: Array, b: Array, c: Array) -> Array:
        """Return the gradient in the thresholds' parameters and the nominal effects."""
        A, B = self._bounds(eta, psi)
        P = self.latent.between(A, B)
        (fa, fa1, fa2), (fb, fb1, fb2) = self.latent.density(A), self.latent.density(B)
        first, second = (fb - fa) / P, (fa1 - fb1) / P

        def moved(p: Array, p1: Array, p2: Array) -> Array:
            d1 = (p1 - first * p) / P
            d2 = (p2 - second * p) / P - 2.0 * first * d1
            return np.asarray(a * p / P + b * d1 + c * d2)

        k = len(self.J)
        above, below = moved(fa, -fa1, fa2), moved(-fb, fb1, -fb2)
        has_above, has_below = self.y < k, self.y > 0
        by_threshold = np.bincount(self.y[has_above], above[has_above], k)
        by_threshold = by_threshold + np.bincount(self.y[has_below] - 1, below[has_below], k)
        parts = [np.asarray(self.J.T @ by_threshold, float)]
        for w in self.nominal.T:
            own = np.bincount(self.y[has_above], (w * above)[has_above], k)
            own = own + np.bincount(self.y[has_below] - 1, (w * below)[has_below], k)
            parts.append(np.asarray(-own[1:], float))
        return np.concatenate(parts)

    def expected_information(self, eta: Array, psi: Array) -> tuple[Array, Array] | None:  # noqa: ARG002
        """Return None: the observed information is used, as in ordinal."""
        return None

    def subset(self, order: Index) -> CumulativeRows:
        """Return the rows in another order."""
        return replace(self, y=self.y[order], nominal=self.nominal[order])

    def probabilities(self, eta: Array, psi: Array) -> Array:
        """Return the probability of every category (n, K), nominal columns being zero."""
        below = self.latent.cumulative(self.thresholds(psi) - eta[:, None])
        ends = np.ones((len(eta), 1))
        return np.diff(np.concatenate([0.0 * ends, below, ends], axis=1), axis=1)

    def _bounds(self, eta: Array, psi: Array) -> tuple[Array, Array]:
        """Return A and B of each row."""
        t, k = self.J.shape[1], len(self.J)
        c = np.concatenate([[-np.inf], self.thresholds(psi), [np.inf]])
        high, low = c[self.y + 1], c[self.y]
        for j, w in enumerate(self.nominal.T):
            gamma = np.concatenate([[0.0, 0.0], psi[t + j * (k - 1) : t + (j + 1) * (k - 1)], [0.0]])
            high, low = high - w * gamma[self.y + 1], low - w * gamma[self.y]
        return high - eta, low - eta
