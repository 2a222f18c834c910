"""Linear mixed models: `lmm` fits from a frame, `lmm_from_moments` from cross-products."""

from __future__ import annotations

import pandas as pd

from asp_eval.stats.design.model_frame import read_design
from asp_eval.stats.design.tables import Given, one_of, truth
from asp_eval.stats.engine.estimation import pose
from asp_eval.stats.engine.moments import NOT_MOMENTS, Moments
from asp_eval.stats.mixed.result import MixedFit

__all__ = ["MixedFit", "lmm", "lmm_from_moments"]


def lmm(
    formula: str,
    frame: pd.DataFrame | None = None,
    reml: bool = True,
    weights: Given | None = None,
    *,
    data: pd.DataFrame | None = None,
    REML: bool | None = None,
) -> MixedFit:
    """Fit a linear mixed model.

    y = X beta + Z b + e,  b ~ N(0, sigma^2 D),  e ~ N(0, sigma^2 W^-1), by the profiled (REML) criterion of Bates,
    Maechler, Bolker & Walker (2015), J Stat Soft 67:1.

    Parameters
    ----------
    formula : str
        lme4's syntax: ``y ~ arm * x + (1 + t | a/b) + (0 + t || g) + offset(o)``.
    frame : pandas.DataFrame, or anything with ``to_pandas``
        Rows with a missing value in any column of the model are left out and counted.
    reml : bool
        Restricted maximum likelihood, or maximum likelihood.
    weights : str or array (n,), optional
        Prior weights, as a column's name or values: the residual variance of a row is sigma^2 / weight.
    data, REML : optional
        Other programs' names for `frame` and `reml`.

    Returns
    -------
    MixedFit

    Raises
    ------
    Refusal
        If no number would be right: the likelihood is flat or unbounded, the outcome does not vary, a column is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(1)
    >>> g = np.repeat(np.arange(12), 10)
    >>> frame = pd.DataFrame({"g": g, "arm": np.where(g % 2, "new", "old"), "x": rng.normal(size=120)})
    >>> frame["y"] = 2 + 0.5 * frame["x"] + rng.normal(size=12)[g] + rng.normal(size=120)
    >>> fit = lmm("y ~ arm + x + (1 | g)", frame)
    >>> fit.tidy()["term"].tolist()
    ['Intercept', 'arm[T.old]', 'x']
    """
    reml = truth("reml", reml if REML is None else REML)
    design = read_design(formula, one_of(frame, data), weights=weights)
    problem = pose(Moments.from_design(design))
    return MixedFit(problem, problem.optimum(reml=reml), reml, design, design.fixed.absent)


def lmm_from_moments(moments: Moments, reml: bool = True) -> MixedFit:
    """Fit a linear mixed model from its cross-products; the rows are not needed.

    Examples
    --------
    >>> import numpy as np
    >>> g = np.repeat(np.arange(6), 4)
    >>> y = np.random.default_rng(2).normal(size=24) + g
    >>> lmm_from_moments(Moments.from_arrays(np.ones((24, 1)), y, {"g": g})).n_groups
    {'g': 6}
    """
    if not isinstance(moments, Moments):
        NOT_MOMENTS.refuse(found=type(moments).__name__)
    problem = pose(moments)
    return MixedFit(problem, problem.optimum(reml=truth("reml", reml)), reml)
