"""Double programming: the same model fitted by statsmodels, which shares no code with this engine.

Its search for the variances begins at this engine's: it ends there at once, if its likelihood has its maximum there (of one
variance its slope tells, and no search is begun), and goes elsewhere, if not. The coefficients, the residual variance and the
standard errors are its own from the rows. (Begun elsewhere, its optimisers stop short on models of this very kind, or are right
to three or four digits after thirty times the work.)
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.prediction import effect_columns
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.estimate import Array

AGREES = 1e-2
"""Two fits agree if they differ by less than this share of the standard error (coefficients) or of the value (variances)."""
ERRORS_AGREE = 5e-2
"""For standard errors: statsmodels takes them from the joint observed Hessian of coefficients and variances, a close but
different estimate of the same thing."""

LEAST = 1e-8
"""Added to variances: statsmodels inverts them, and its likelihood must exist where one is zero."""
STILL = 1e-6
"""Slope of its log-likelihood a row, in the root of a variance ratio, below which its search has arrived."""
TOGETHER = 8
"""Groups that one matrix holds: statsmodels goes through its matrices one by one, in Python."""


def agreement(
    design: Design,
    kept: tuple[int, ...],
    names: tuple[str, ...],
    estimate: Array,
    covariance: Array,
    effects: Sequence[Array],
    sigma2: float,
    *,
    reml: bool,
) -> pd.DataFrame | Unavailable:
    """Refit by statsmodels and return both values of every quantity, their difference, and whether they agree.

    Parameters
    ----------
    design : Design
    kept : tuple of int
        Columns of X that were estimated.
    names : tuple of str
        Theirs, length p.
    estimate, covariance : ndarray (p,), (p, p)
    effects : sequence of ndarray (k, k)
        Covariance of each factor's effects.
    sigma2 : float
    reml : bool

    Returns
    -------
    DataFrame or Unavailable
        quantity, engine, statsmodels, difference (over the standard error or the variance), tolerance, agrees.
    """
    other = refit_elsewhere(design, kept, effects[0] / sigma2, reml=reml)
    if isinstance(other, Unavailable):
        return other
    errors, D = np.sqrt(np.diag(covariance)), effects[0]
    lower, size = np.tril_indices(len(D)), np.sqrt(np.outer(np.diag(D), np.diag(D)))
    pairs = [f"covariance {i + 1},{j + 1} of {design.layout.factors[0].name}" for i, j in zip(*lower, strict=True)]
    ours = np.concatenate([estimate, errors, D[lower], [sigma2]])
    theirs = np.concatenate([other.beta, other.errors, other.D[lower], [other.sigma2]])
    scale = np.concatenate([errors, errors, size[lower], [sigma2]])
    tolerance = np.full(len(ours), AGREES)
    tolerance[len(names) : 2 * len(names)] = ERRORS_AGREE
    difference = np.abs(ours - theirs) / np.where(scale > 0, scale, 1.0)
    return pd.DataFrame(
        {
            "quantity": [*names, *(f"std_error {n}" for n in names), *pairs, "residual variance"],
            "engine": ours,
            "statsmodels": theirs,
            "difference": difference,
            "tolerance": tolerance,
            "agrees": difference < tolerance,
        }
    )


@dataclass(frozen=True, slots=True, eq=False)
class Elsewhere:
    """What statsmodels found.

    Attributes
    ----------
    beta, errors : ndarray (p,)
    D : ndarray (k, k)
    sigma2 : float
    """

    beta: Array
    errors: Array
    D: Array
    sigma2: float


def refit_elsewhere(design: Design, kept: tuple[int, ...], start: Array, *, reml: bool) -> Elsewhere | Unavailable:
    """Return statsmodels' fit of the same columns, if it can fit the model.

    Parameters
    ----------
    design : Design
    kept : tuple of int
        Columns of X.
    start : ndarray (k, k)
        D, in units of the residual variance, where its search begins.
    reml : bool
    """
    if len(design.layout.factors) != 1 or len(design.layout.factors[0].blocks) != 1:
        return Unavailable(
            Phrase("statsmodels fits one grouping factor with correlated effects; this model has another structure")
        )
    if design.weights is not None:
        return Unavailable(Phrase("statsmodels' mixed model takes no weights"))
    X, codes = design.fixed_matrix()[:, list(kept)], design.groups[0].codes
    Z = effect_columns(design, design.layout.factors[0])
    import_module("statsmodels.regression.mixed_linear_model")  # which sets filters of its own when it is loaded
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of boundaries and of its own Hessian
        fit = _one_variance if Z.shape[1] == 1 else _covariances
        return fit(design.response, X, codes, Z, start + LEAST * np.eye(len(start)), reml=reml)


def _one_variance(y: Array, X: Array, codes: Codes, Z: Array, start: Array, *, reml: bool) -> Elsewhere:
    """Fit one effect of every group as a variance component of statsmodels, several groups in a matrix: the same model."""
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams, VCSpec

    matrices = codes // TOGETHER
    component = [np.where(codes[rows, None] == np.unique(codes[rows]), Z[rows], 0.0) for rows in _rows_of(matrices)]
    names = [[str(k) for k in range(matrix.shape[1])] for matrix in component]
    ours = MixedLMParams.from_components(fe_params=np.zeros(X.shape[1]), vcomp=start[0])
    model = MixedLM(y, X, groups=matrices.tolist(), exog_vc=VCSpec(["group"], [names], [component]))
    model.reml, model.cov_pen = reml, None
    ours.fe_params, _ = model.get_fe_params(ours.cov_re, ours.vcomp)
    slope = model.score_sqrt(ours, calc_fe=False)[2] / len(y)
    if not np.abs(slope).max() <= STILL:
        found = model.fit(start_params=ours, reml=reml, method="bfgs", gtol=STILL)
        return _found(found, X.shape[1], np.atleast_2d(found.vcomp))
    # its search would end where it begins: what it says there is had without the search, which takes two more likelihoods
    scale, (hessian, _) = model.get_scale(ours.fe_params, ours.cov_re, ours.vcomp), model.hessian(ours)
    errors = np.sqrt(np.diag(np.linalg.inv(-hessian)))[: X.shape[1]]
    return Elsewhere(np.asarray(ours.fe_params, float), errors, scale * np.atleast_2d(ours.vcomp), float(scale))


def _rows_of(matrices: Codes) -> list[Codes]:
    """Return the rows of every matrix, in their order."""
    order = np.argsort(matrices, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(matrices[order])) + 1)


def _covariances(y: Array, X: Array, codes: Codes, Z: Array, start: Array, *, reml: bool) -> Elsewhere:
    """Fit several effects of every group, with their covariances."""
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

    ours = MixedLMParams.from_components(fe_params=np.zeros(X.shape[1]), cov_re=start)
    found = MixedLM(y, X, groups=codes, exog_re=Z).fit(start_params=ours, reml=reml, method="bfgs", gtol=STILL)
    return _found(found, X.shape[1], np.atleast_2d(found.cov_re))


def _found(found: Any, p: int, D: Array) -> Elsewhere:
    """Return what a fit of statsmodels says of p coefficients."""
    beta, errors = np.asarray(found.params, float)[:p], np.asarray(found.bse, float)[:p]
    return Elsewhere(beta, errors, np.asarray(D, float), float(found.scale))
