"""The coefficient of each group: a fixed effect plus the group's own deviation from it, as lme4's ``coef``, with its error.

With b(beta) the conditional modes, which are linear in beta, G = db / dbeta and V the covariance of the estimated beta,

    Var(beta_j + b_k - estimate) = Var(b_k | y, beta) + (e_j + G_k)' V (e_j + G_k)

(Henderson 1975, Biometrics 31:423), the variances of the random effects taken as known.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from asp_eval.stats.estimate import Array
from asp_eval.stats.mixed.fit import MixedFit
from asp_eval.stats.mixed.random_effects import conditional_modes


def group_coefficients(fit: MixedFit, group: str, term: str, covariance: Array | None = None) -> pd.DataFrame:
    """Return a coefficient that varies at random, group by group.

    Parameters
    ----------
    fit : MixedFit
    group : str
        The grouping factor.
    term : str
        A column with a fixed and a random effect.
    covariance : ndarray (p, p), optional
        Of the coefficients; by default the model's own.

    Returns
    -------
    DataFrame
        level, estimate, std_error.

    Examples
    --------
    >>> from asp_eval import lmm
    >>> frame = pd.DataFrame({"y": [1.0, 2, 4, 2, 4, 9], "x": [0.0, 1, 2] * 2, "g": list("aaabbb")})
    >>> found = group_coefficients(lmm("y ~ x + (0 + x | g)", frame), "g", "x")
    >>> list(found["level"]), bool(found["estimate"][1] > found["estimate"][0])
    (['a', 'b'], True)
    """
    elimination, standard, beta = fit.problem.elimination, fit.problem.standard, fit.found.criterion.beta
    d = elimination.shape.d(fit.found.theta)
    layout = standard.moments.layout
    factor = next(i for i, each in enumerate(layout.factors) if each.name == group)
    effect = [layout.columns[e] for e in layout.factors[factor].effects].index(term)

    def modes(at: Array) -> Array:
        return conditional_modes(elimination, standard, d, at)[factor][:, effect]

    own = modes(beta)
    moved = np.column_stack([modes(beta + step) - own for step in np.eye(len(beta))])  # (groups, p), exact: modes are linear
    rows = moved @ np.linalg.inv(standard.T)
    at = fit.names.index(term)
    rows[:, at] += 1.0
    V = fit.model_covariance if covariance is None else covariance
    table = fit.random_effects()
    mine = table[(table["group"] == group) & (table["term"] == term)]
    variance = mine["std_error"].to_numpy(float) ** 2 + np.einsum("kp,pq,kq->k", rows, V, rows)
    return pd.DataFrame(
        {"level": mine["level"].to_numpy(), "estimate": float(fit.estimate[at]) + own, "std_error": np.sqrt(variance)}
    )
