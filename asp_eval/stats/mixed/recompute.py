"""Double programming: the same model fitted by statsmodels, which shares no code with this engine.

statsmodels' default optimiser stops short on models of this very kind; with ``method="powell"`` it is right to three or
four digits, and that is what is used here.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.stats.estimate import Array
from asp_eval.stats.mixed.design import Design
from asp_eval.stats.mixed.rows import effect_columns

AGREES = 1e-2
"""Two fits agree if they differ by less than this share of the standard error (coefficients) or of the value (variances)."""
ERRORS_AGREE = 5e-2
"""For standard errors: statsmodels takes them from the joint observed Hessian of coefficients and variances, a close but
different estimate of the same thing."""


def refit_elsewhere(design: Design, kept: tuple[int, ...], *, reml: bool) -> tuple[Array, Array, Array, float] | Unavailable:
    """Return statsmodels' coefficients (p,), standard errors (p,), covariance of the effects (k, k) and sigma^2."""
    if len(design.layout.factors) != 1 or len(design.layout.factors[0].blocks) != 1:
        return Unavailable("statsmodels fits one grouping factor with correlated effects; this model has another structure")
    if design.weights is not None:
        return Unavailable("statsmodels' mixed model takes no weights")
    from statsmodels.regression.mixed_linear_model import MixedLM

    X = design.fixed_matrix()[:, list(kept)]
    Z = effect_columns(design, design.layout.factors[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of boundaries and of its own Hessian
        found = MixedLM(design.response, X, groups=design.groups[0].codes, exog_re=Z).fit(reml=reml, method="powell")
    p = X.shape[1]
    beta, errors = np.asarray(found.params, float)[:p], np.asarray(found.bse, float)[:p]
    return beta, errors, np.atleast_2d(np.asarray(found.cov_re, float)), float(found.scale)


def agreement_table(names: list[str], ours: Array, theirs: Array, scale: Array, tolerance: Array) -> pd.DataFrame:
    """Return both values of every quantity, their difference over `scale`, the tolerance, and whether they agree."""
    difference = np.abs(ours - theirs) / np.where(scale > 0, scale, 1.0)
    return pd.DataFrame({
        "quantity": names, "engine": ours, "statsmodels": theirs, "difference": difference, "tolerance": tolerance,
        "agrees": difference < tolerance,
    })  # fmt: skip
