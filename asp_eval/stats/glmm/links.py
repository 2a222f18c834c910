"""Links of a binomial outcome, as the log probabilities of an event and of none.

A link brings log mu(eta) and log(1 - mu(eta)), each with three derivatives in eta, so that no probability near zero or one
is ever subtracted from one. Where the link leaves the unit interval the values are not finite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from asp_eval.stats.estimate import Array

Curve = tuple[Array, Array, Array, Array]


@dataclass(frozen=True, slots=True)
class Link:
    """A link of probabilities.

    Attributes
    ----------
    name : str
    inverse : callable
        mu(eta).
    slope : callable
        d mu / d eta.
    forward : callable
        eta(mu).
    event, no_event : callable
        log mu and log(1 - mu) with three derivatives.
    """

    name: str
    inverse: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    forward: Callable[[Array], Array]
    event: Callable[[Array], Curve]
    no_event: Callable[[Array], Curve]


def _logit_event(eta: Array) -> Curve:
    e = np.exp(-np.abs(eta))
    mu = np.where(eta > 0, 1.0, e) / (1.0 + e)
    w = e / (1.0 + e) ** 2
    return np.minimum(eta, 0.0) - np.log1p(e), 1.0 - mu, -w, -w * (1.0 - 2.0 * mu)


def _logit_no_event(eta: Array) -> Curve:
    return mirrored(_logit_event, eta)


def _probit_event(eta: Array) -> Curve:
    log_p = special.log_ndtr(eta)
    r = np.exp(-0.5 * eta * eta - 0.5 * np.log(2 * np.pi) - log_p)
    return log_p, r, -r * (eta + r), r * ((eta + r) * (eta + 2.0 * r) - 1.0)


def _probit_no_event(eta: Array) -> Curve:
    return mirrored(_probit_event, eta)


def _cloglog_event(eta: Array) -> Curve:
    t = np.exp(eta)
    q = np.where(t > 0, t / np.expm1(t), 1.0)
    second = q * (1.0 - t - q)
    log_p = np.where(t > 1e-8, np.log(-np.expm1(-t)), eta - t / 2)
    return log_p, q, second, second * (1.0 - t - q) - q * (t + second)


def _cloglog_no_event(eta: Array) -> Curve:
    t = -np.exp(eta)
    return t, t, t, t


def _log_event(eta: Array) -> Curve:
    zero = np.zeros_like(eta)
    return np.where(eta <= 0, eta, -np.inf), zero + 1.0, zero, zero


def _log_no_event(eta: Array) -> Curve:
    mu = np.exp(eta)
    odds = np.where(eta < 0, mu / -np.expm1(eta), np.nan)
    second = -odds * (1.0 + odds)
    return np.where(eta < 0, np.log(-np.expm1(eta)), -np.inf), -odds, second, second * (1.0 + 2.0 * odds)


def _identity_event(eta: Array) -> Curve:
    inside = (eta > 0) & (eta <= 1)
    x = np.where(inside, eta, np.nan)
    return np.where(inside, np.log(x), -np.inf), 1.0 / x, -1.0 / x**2, 2.0 / x**3


def _identity_no_event(eta: Array) -> Curve:
    return mirrored(_identity_event, eta, centre=1.0)


def mirrored(event: Callable[[Array], Curve], eta: Array, centre: float = 0.0) -> Curve:
    """Return a curve at `centre` - eta, differentiated in eta."""
    value, first, second, third = event(centre - eta)
    return value, -first, second, -third


def _logistic_slope(eta: Array) -> Array:
    mu = special.expit(eta)
    return np.asarray(mu * (1.0 - mu))


LINKS: dict[str, Link] = {
    link.name: link
    for link in (
        Link("logit", special.expit, _logistic_slope, special.logit, _logit_event, _logit_no_event),
        Link(
            "probit",
            special.ndtr,
            lambda e: np.exp(-0.5 * e * e) / np.sqrt(2 * np.pi),
            special.ndtri,
            _probit_event,
            _probit_no_event,
        ),
        Link(
            "cloglog",
            lambda e: -np.expm1(-np.exp(e)),
            lambda e: np.exp(e - np.exp(e)),
            lambda m: np.log(-np.log1p(-m)),
            _cloglog_event,
            _cloglog_no_event,
        ),
        Link("log", np.exp, np.exp, np.log, _log_event, _log_no_event),
        Link("identity", lambda e: e, np.ones_like, lambda m: m, _identity_event, _identity_no_event),
    )
}
