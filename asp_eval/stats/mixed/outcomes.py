"""New outcomes of a fitted mixed model, row by row: what ``fit.simulate`` returns.

y = X beta + offset + Z b + e with b and e drawn anew, so that the outcomes of a group belong together as the model says.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asp_eval.core.randomness import stream
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.prediction import effect_columns
from asp_eval.stats.engine.covariance import semidefinite_cholesky
from asp_eval.stats.estimate import Array


def simulate_outcomes(
    design: Design, marginal: Array, covariances: Sequence[Array], sigma2: float, draws: int, seed: int
) -> Array:
    """Return new outcomes (n, draws).

    Parameters
    ----------
    design : Design
    marginal : ndarray (n,)
        X beta + offset.
    covariances : sequence of ndarray (k, k)
        Of each factor's effects.
    sigma2 : float
        Residual variance of a row of weight one.
    draws, seed : int
        The same seed gives the same outcomes.
    """
    rng = stream(seed, "outcomes of a mixed model")
    out = np.repeat(marginal[:, None], draws, axis=1)
    for layout, groups, covariance in zip(design.layout.factors, design.groups, covariances, strict=True):
        Z, root = effect_columns(design, layout), semidefinite_cholesky(covariance)
        for r in range(draws):
            b = rng.standard_normal((len(groups.levels), len(root))) @ root.T
            out[:, r] += (Z * b[groups.codes]).sum(axis=1)
    sd = np.sqrt(sigma2) if design.weights is None else np.sqrt(sigma2 / design.weights)[:, None]
    return np.asarray(out + sd * rng.standard_normal(out.shape), float)
