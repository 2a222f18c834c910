"""The scales on which an ordinal model's means are read, as the emmeans package names them.

With thresholds c_k and the linear predictor eta: ``latent`` is eta less the mean of the thresholds, ``linear.predictor`` is
c_k - eta, ``cum.prob`` its probability P(y <= k), ``prob`` the probability of each category, and ``mean.class`` the mean of
the categories' numbers 1, ..., K.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np

from asp_eval.stats.estimate import Array
from asp_eval.stats.means.model import Curves, OrdinalScale
from asp_eval.stats.ordinal.cumulative_rows import Latent

CUT = "cut"
"""The column that tells the thresholds apart."""


def ordinal_scales(outcome: str, levels: tuple[str, ...], latent: Latent, thresholds: Array) -> dict[str, OrdinalScale]:
    """Return the scales of a cumulative link model by name, the latent one first.

    Parameters
    ----------
    outcome : str
        Name of the outcome.
    levels : tuple of str
        The K categories.
    latent : Latent
    thresholds : ndarray (K - 1,)
    """
    cuts = tuple(f"{a}|{b}" for a, b in itertools.pairwise(levels))
    t = len(thresholds)
    each = np.eye(t)

    def latent_mean(eta: Array) -> Curves:
        by_threshold = np.full((len(eta), 1, t), -1.0 / t)
        return Curves((eta - thresholds.mean())[:, None], by_threshold, np.ones((len(eta), 1)))

    def linear_predictor(eta: Array) -> Curves:
        value = thresholds - eta[:, None]
        return Curves(value, np.broadcast_to(each, (len(eta), t, t)), np.full(value.shape, -1.0))

    def below(eta: Array) -> Curves:
        value = thresholds - eta[:, None]
        density = latent.density(value)[0]
        return Curves(latent.cumulative(value), density[:, :, None] * each, -density)

    def shares(eta: Array) -> Curves:
        return category_curves(latent, thresholds, eta)

    def mean_class(eta: Array) -> Curves:
        found, number = shares(eta), np.arange(1.0, t + 2.0)
        return Curves(
            (found.value @ number)[:, None],
            np.einsum("gkt,k->gt", found.by_threshold, number)[:, None, :],
            (found.by_predictor @ number)[:, None],
        )

    every: dict[str, tuple[str, tuple[str, ...], Callable[[Array], Curves]]] = {
        "latent": ("", (), latent_mean),
        "linear.predictor": (CUT, cuts, linear_predictor),
        "cum.prob": (CUT, cuts, below),
        "prob": (outcome, levels, shares),
        "mean.class": ("", (), mean_class),
    }
    return {name: OrdinalScale(*parts) for name, parts in every.items()}


def category_curves(latent: Latent, thresholds: Array, eta: Array) -> Curves:
    """Return the probability of every category at linear predictors (g,), and its derivatives."""
    t, g = len(thresholds), len(eta)
    bound = thresholds - eta[:, None]
    density = latent.density(bound)[0]
    move = np.zeros((g, t + 1, t))
    move[:, np.arange(t), np.arange(t)] = density
    move[:, np.arange(1, t + 1), np.arange(t)] -= density
    ends = np.zeros((g, 1))
    low, high = np.concatenate([ends - np.inf, bound], axis=1), np.concatenate([bound, ends + np.inf], axis=1)
    return Curves(latent.between(high, low), move, -move.sum(axis=2))
