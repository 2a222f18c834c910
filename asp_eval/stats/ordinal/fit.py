"""Cumulative link mixed models: `clmm` fits from a frame."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.model_frame import Design, read_design
from asp_eval.stats.design.variables import Categories
from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.cells import Index
from asp_eval.stats.integration.checks import SEPARATED, UNBOUNDED, check_groups, check_nodes
from asp_eval.stats.integration.fitted import LatentFit, settle
from asp_eval.stats.integration.model import build_model
from asp_eval.stats.integration.optimum import maximise
from asp_eval.stats.integration.separation import separated_in_words, separating_direction
from asp_eval.stats.integration.standard import StandardColumns, standard_columns, standard_effects
from asp_eval.stats.ordinal.cumulative_rows import LATENT, CumulativeRows
from asp_eval.stats.ordinal.result import ClmmFit

ORDINAL_LINK = Fault("FIT-100", "an ordinal model has no link {link!r}", "Use one of: {known}.")
THRESHOLDS = Fault(
    "FIT-101", "there are no thresholds of the kind {kind!r}", "Use thresholds='flexible' or thresholds='equidistant'."
)
UNORDERED = Fault(
    "FIT-102",
    "the order of the categories is not declared",
    "Declare it, lowest first: pandas.Categorical(values, categories=[...], ordered=True).",
)
NOT_BANDS = Fault(
    "FIT-103", "an ordinal outcome is categories in order, or whole numbers", "Cut the values into bands, or use a linear model."
)
ONE_CATEGORY = Fault(
    "FIT-104",
    "the outcome holds one category only, so there is nothing to model",
    "Report the number itself; a difference between arms cannot be estimated.",
)
MOST_CATEGORIES = 30
FAR = 12.0
"""Size of a standard coefficient or threshold at which separation is looked for."""


def clmm(
    formula: str,
    frame: pd.DataFrame,
    link: str = "logit",
    n_quadrature: int = 1,
    thresholds: Literal["flexible", "equidistant"] = "flexible",
) -> ClmmFit:
    """Fit a cumulative link mixed model (proportional odds with random effects) by maximum likelihood.

    P(y <= k | b) = F(c_k - X beta - Z b - offset), b ~ N(0, D); the likelihood is integrated over b by Laplace's
    approximation or by adaptive Gauss-Hermite quadrature. A positive coefficient means higher categories.

    Parameters
    ----------
    formula : str
        lme4's syntax: ``band ~ arm + x + (1 | institution)``. The thresholds stand for the intercept.
    frame : pandas.DataFrame
        The outcome is a categorical, lowest category first, or whole numbers; text has no order and is refused. Rows with
        a missing value are left out and counted; categories that no row holds are left out and named.
    link : {"logit", "probit", "cloglog"}
    n_quadrature : int
        Points of the quadrature; 1 is Laplace's approximation.
    thresholds : {"flexible", "equidistant"}

    Returns
    -------
    ClmmFit

    Raises
    ------
    Refusal
        If the order of the categories is not known, only one occurs, or columns separate them.

    References
    ----------
    Agresti (2010), Analysis of Ordinal Categorical Data, 2nd ed., chapters 3 and 10.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> g = np.repeat(np.arange(20), 15)
    >>> latent = 0.8 * (g % 2) + 0.6 * rng.normal(size=20)[g] + rng.logistic(size=300)
    >>> bands = pd.cut(latent, [-np.inf, 0, 1.5, np.inf], labels=["low", "middle", "high"])
    >>> fit = clmm("band ~ arm + (1 | inst)", pd.DataFrame({"inst": g, "arm": g % 2, "band": bands}))
    >>> fit.thresholds()["term"].tolist()
    ['low|middle', 'middle|high']
    """
    if link not in LATENT:
        ORDINAL_LINK.refuse(link=link, known=", ".join(LATENT))
    if thresholds not in ("flexible", "equidistant"):
        THRESHOLDS.refuse(kind=thresholds)
    nodes = check_nodes(n_quadrature)
    design = read_design(formula, frame, categories=True)
    check_groups(design, nodes)
    y, levels = ordered_outcome(design, frame)
    dtype = frame[design.formula.response].dtype if design.formula.response in frame.columns else None
    declared = not isinstance(dtype, pd.CategoricalDtype) or bool(dtype.ordered)
    rows = CumulativeRows(y, threshold_design(len(levels), thresholds), LATENT[link], np.zeros((len(y), 0)))
    again = partial(clmm, formula, link=link, n_quadrature=nodes, thresholds=thresholds)
    return replace(fit_rows(design, rows, levels, nodes, declared=declared), refit=again)


def fit_rows(
    design: Design,
    rows: CumulativeRows,
    levels: tuple[str, ...],
    nodes: int,
    start: Array | None = None,
    *,
    declared: bool = True,
) -> ClmmFit:
    """Fit a design to rows that have been checked.

    Parameters
    ----------
    design : Design
    rows : CumulativeRows
    levels : tuple of str
    nodes : int
    start : ndarray, optional
        Parameters in standard units.
    declared : bool
        Whether the order of the categories was declared.
    """
    every = design.layout.fixed_names
    without = [k for k, n in enumerate(every) if n != "Intercept"]
    columns = standard_columns(design.fixed_matrix()[:, without], centred=True)
    columns = replace(columns, kept=tuple(without[k] for k in columns.kept))
    effects = standard_effects(design)
    model = build_model(columns.X, design.offset, rows, [e.factor for e in effects])
    p, q, t = model.p, len(model.elements), rows.J.shape[1]
    if start is None:
        sd = 0.3 * np.sqrt(rows.latent.variance)
        theta = np.array([sd if e.row == e.column else 0.0 for e in model.elements])
        start = np.concatenate([np.zeros(p), theta, _start_thresholds(rows, design), np.zeros(rows.n_shared - t)])
    found = maximise(model, nodes, start)
    if not found.converged or float(np.abs(found.x).max()) > FAR:
        _refuse_separated(design, rows, columns)
        if float(np.abs(found.x[p : p + q]).max(initial=0.0)) > 15.0:
            UNBOUNDED.refuse(design.formula.text, what=Phrase("the standard deviation of {group}", group=model.factors[0].name))
    found, free = settle(model, nodes, found)
    back = np.eye(model.n_parameters)
    back[:p, :p] = columns.T
    shift = np.linalg.lstsq(rows.J, np.ones(len(rows.J)), rcond=None)[0]
    back[p + q : p + q + t, :p] = np.outer(shift, columns.centre @ columns.T)
    names = tuple(every[k] for k in columns.kept)
    dropped = tuple(every[k] for k in without if k not in columns.kept) + design.fixed.absent
    return ClmmFit(LatentFit(design, model, columns, effects, found, nodes, back, free, names, dropped), rows, levels, declared)


def threshold_design(categories: int, kind: str) -> Array:
    """Return J (K - 1, t): the identity, or a first threshold and equal steps."""
    if kind == "flexible":
        return np.eye(categories - 1)
    steps = np.arange(categories - 1, dtype=float)
    return np.column_stack([np.ones(categories - 1), steps]) if categories > 2 else np.ones((1, 1))


def ordered_outcome(design: Design, frame: pd.DataFrame) -> tuple[Index, tuple[str, ...]]:
    """Return the positions of the categories (n,) and the categories, lowest first.

    Raises
    ------
    Refusal
        If their order is not known, if the outcome is a measurement, or if one category alone occurs.
    """
    name, outcome = design.formula.response, design.outcome
    if isinstance(outcome, Categories):
        dtype = frame[name].dtype if name in frame.columns else None
        if not isinstance(dtype, pd.CategoricalDtype):
            UNORDERED.refuse(name, found=", ".join(str(v) for v in outcome.levels[:6]))
        y, levels = outcome.codes, [str(v) for v in outcome.levels]
    else:
        numbers = outcome.numbers
        distinct = np.unique(numbers)
        if bool((distinct != np.floor(distinct)).any()) or len(distinct) > MOST_CATEGORIES:
            NOT_BANDS.refuse(name, found=f"{distinct[0]:g}, {distinct[min(1, len(distinct) - 1)]:g}, ...")
        y, levels = np.searchsorted(distinct, numbers).astype(np.intp), [f"{v:g}" for v in distinct]
    if len(levels) < 2:
        ONE_CATEGORY.refuse(name, found=levels[0])
    return y, tuple(levels)


def _start_thresholds(rows: CumulativeRows, design: Design) -> Array:
    """Return the thresholds' parameters that give the observed shares."""
    K = len(rows.J) + 1
    shares = np.cumsum(np.bincount(rows.y, minlength=K))[:-1] / len(rows.y)
    offset = 0.0 if design.offset is None else float(design.offset.mean())
    tau = np.linalg.lstsq(rows.J, rows.latent.quantile(shares) + offset, rcond=None)[0]
    if rows.J.shape[1] == 2 and K > 3:
        tau[1] = max(tau[1], 1e-2)
    return np.asarray(tau, float)


def _refuse_separated(design: Design, rows: CumulativeRows, columns: StandardColumns) -> None:
    """Refuse categories that columns of the fixed part separate, naming the columns."""
    K, t = len(rows.J) + 1, rows.J.shape[1]
    parts = []
    for k in range(K):
        here = columns.X[rows.y == k]
        if k < K - 1:
            parts.append(np.column_stack([-here, np.broadcast_to(rows.J[k], (len(here), t))]))
        if k > 0:
            parts.append(np.column_stack([here, np.broadcast_to(-rows.J[k - 1], (len(here), t))]))
    direction = separating_direction(np.concatenate(parts), np.zeros((0, len(columns.T) + t)))
    if direction is None:
        return
    cells = separated_in_words(design, columns, direction[: len(columns.T)], None)
    SEPARATED.refuse(design.formula.text, cells=cells)
