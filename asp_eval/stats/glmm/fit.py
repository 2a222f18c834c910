"""Generalised linear mixed models: `glmm` fits from a frame."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.model_frame import Design, read_design
from asp_eval.stats.estimate import Array
from asp_eval.stats.glmm.families import Rows, family_rows
from asp_eval.stats.glmm.outcome import Outcome, check_family, read_outcome
from asp_eval.stats.glmm.result import GlmmFit
from asp_eval.stats.integration.checks import SEPARATED, UNBOUNDED, check_groups, check_nodes
from asp_eval.stats.integration.fitted import LatentFit, settle
from asp_eval.stats.integration.model import LatentModel, build_model
from asp_eval.stats.integration.optimum import maximise
from asp_eval.stats.integration.separation import Counts, separated_in_words, separating_direction
from asp_eval.stats.integration.standard import StandardColumns, standard_columns, standard_effects
from asp_eval.stats.integration.start import fixed_effects_fit

PURE_GROUPS = Fault(
    "FIT-093",
    "within every group of {group} all outcomes are the same, so the variance between groups has no largest value",
    "Report the share of groups; analyse the groups' own outcomes instead.",
)
DOMAIN = Fault(
    "FIT-095", "the {link} link is not defined for the values that this model needs", "Use the family's own link: {canonical}."
)
LARGE_SIZE = 1e5
"""Size of a negative binomial from which the search is taken to run to the Poisson model."""
ENDLESS = float(np.log(1e9))
"""log k of a negative binomial that is a Poisson model to ten digits."""
START_SD = {"logit": 0.5, "probit": 0.3, "cloglog": 0.4, "log": 0.4}
"""Standard deviation of a random effect at which the search begins."""


def glmm(
    formula: str,
    frame: pd.DataFrame,
    family: str = "binomial",
    link: str | None = None,
    n_quadrature: int = 1,
    weights: str | None = None,
) -> GlmmFit:
    """Fit a generalised linear mixed model by maximum likelihood.

    g(E(y | b)) = X beta + Z b + offset, b ~ N(0, D); the likelihood is integrated over b by Laplace's approximation or by
    adaptive Gauss-Hermite quadrature, and maximised over all parameters together.

    Parameters
    ----------
    formula : str
        lme4's syntax: ``y ~ arm * x + (1 + t | a/b) + offset(log_hours)``.
    frame : pandas.DataFrame
        Rows with a missing value in any column of the model are left out and counted.
    family : {"binomial", "poisson", "negative-binomial"}
        A binomial outcome holds zeros and ones (or two categories, of which the second is the event), or with `weights` the
        proportion of successes.
    link : str, optional
        binomial: logit, probit, cloglog, log, identity. poisson: log, identity. negative-binomial: log.
    n_quadrature : int
        Points of the quadrature; 1 is Laplace's approximation. More than one need one grouping factor with one effect.
    weights : str, optional
        Column of the number of trials (binomial), or of how many rows a row stands for.

    Returns
    -------
    GlmmFit

    Raises
    ------
    Refusal
        If no number would be right: an outcome the family cannot have, one that is the same everywhere, columns that
        separate it, an unknown family or link.

    References
    ----------
    Bates, Maechler, Bolker & Walker (2015), J Stat Soft 67:1. Pinheiro & Bates (1995), J Comput Graph Stat 4:12.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> g = np.repeat(np.arange(20), 15)
    >>> frame = pd.DataFrame({"inst": g, "arm": np.where(g % 2, "new", "old"), "x": rng.normal(size=300)})
    >>> eta = -0.5 + 0.5 * frame["x"] + 0.7 * rng.normal(size=20)[g]
    >>> frame["y"] = rng.binomial(1, 1 / (1 + np.exp(-eta)))
    >>> fit = glmm("y ~ arm + x + (1 | inst)", frame, n_quadrature=7)
    >>> fit.tidy()[["term", "df"]].values.tolist()
    [['Intercept', 18.0], ['arm[T.old]', 18.0], ['x', inf]]
    """
    family, link = check_family(family, link)
    nodes = check_nodes(n_quadrature)
    design = read_design(formula, frame, weights=weights, categories=True)
    check_groups(design, nodes)
    outcome = read_outcome(design, family, design.formula.response)
    again = partial(glmm, formula, family=family, link=link, n_quadrature=nodes, weights=weights)
    return replace(fit_outcome(design, family, link, nodes, outcome), refit=again)


def fit_outcome(design: Design, family: str, link: str, nodes: int, outcome: Outcome, start: Array | None = None) -> GlmmFit:
    """Fit a design to an outcome that has been checked; `start` are parameters in standard units."""
    rows = family_rows(family, link, outcome.y, outcome.weights)
    columns = standard_columns(design.fixed_matrix())
    effects = standard_effects(design)
    model = build_model(columns.X, design.offset, rows, [e.factor for e in effects])
    if start is None:
        start = _start(design, family, link, outcome, columns, model, rows)
    found = maximise(model, nodes, start)
    if family == "binomial":
        _refuse_pure(design, outcome)
    free = np.ones(model.n_parameters, bool)
    if rows.n_shared and found.x[-1] > np.log(LARGE_SIZE):
        free[-1] = False
        found = maximise(model, nodes, np.append(found.x[:-1], ENDLESS), free=free)
    found, free = settle(model, nodes, found, free)
    every = design.layout.fixed_names
    names = tuple(every[k] for k in columns.kept)
    dropped = tuple(n for k, n in enumerate(every) if k not in columns.kept) + design.fixed.absent
    back = np.eye(model.n_parameters)
    back[: model.p, : model.p] = columns.T
    latent = LatentFit(design, model, columns, effects, found, nodes, back, free, names, dropped)
    _refuse_unbounded(latent, family)
    return GlmmFit(latent, family, rows.link, outcome)


def _start(
    design: Design, family: str, link: str, outcome: Outcome, columns: StandardColumns, model: LatentModel, rows: Rows
) -> Array:
    """Return where the search begins: the fit without random effects, and a moderate standard deviation."""
    offset = 0.0 if design.offset is None else design.offset
    weights = np.ones_like(outcome.y) if outcome.weights is None else outcome.weights
    mean = float(outcome.y.sum() / weights.sum()) if family == "binomial" else float(np.average(outcome.y, weights=weights))
    if family != "binomial" and design.offset is not None and link == "log":
        mean = float((outcome.y * weights).sum() / (np.exp(design.offset) * weights).sum())
        target = np.full(len(outcome.y), np.log(mean))
    else:
        target = rows.link.forward(np.full(len(outcome.y), mean)) - offset
    psi = np.zeros(rows.n_shared)
    constant = columns.X.T @ np.broadcast_to(target, outcome.y.shape) / len(outcome.y)
    with np.errstate(all="ignore"):
        if not np.isfinite(rows.terms(columns.X @ constant + offset, psi).value).all():
            DOMAIN.refuse(design.formula.text, link=link, canonical="logit" if family == "binomial" else "log")
    beta, reached = fixed_effects_fit(columns.X, offset, rows, constant, psi)
    eta = columns.X @ beta + offset
    if not reached or _extreme(rows, eta, psi):
        refuse_separated(
            design, outcome.y, outcome.weights if family == "binomial" else None, columns, counts=family != "binomial"
        )
    sd = START_SD.get(link, 0.0) or 0.2 * min(mean, 1.0 - mean if family == "binomial" else mean)
    theta = np.array([sd if e.row == e.column else 0.0 for e in model.elements])
    return np.concatenate([beta, theta, psi])


def _extreme(rows: Rows, eta: Array, psi: Array) -> bool:
    """Whether a fitted probability or mean is all but at its bound."""
    mean = rows.mean(eta, psi)
    return bool((mean < 1e-5).any() or (getattr(rows, "trials", None) is not None and (mean > 1 - 1e-5).any()))


def refuse_separated(design: Design, y: Array, trials: Array | None, columns: StandardColumns, *, counts: bool) -> None:
    """Refuse an outcome that columns of the fixed part separate, naming them."""
    X = columns.X
    if counts:
        rising, fixed = -X[y == 0], X[y > 0]
    else:
        n = np.ones_like(y) if trials is None else trials
        rising = np.concatenate([X[y == n], -X[y == 0]])
        fixed = X[(y > 0) & (y < n)]
    direction = separating_direction(rising, fixed)
    if direction is None:
        return
    total = np.full_like(y, np.inf) if counts else np.ones_like(y) if trials is None else trials
    SEPARATED.refuse(design.formula.text, cells=separated_in_words(design, columns, direction, Counts(y, total)))


def _refuse_pure(design: Design, outcome: Outcome) -> None:
    """Refuse a factor within each of whose groups all outcomes are the same."""
    n = np.ones_like(outcome.y) if outcome.weights is None else outcome.weights
    for factor, groups in zip(design.layout.factors, design.groups, strict=True):
        if factor.effects != (0,):
            continue
        m = len(groups.levels)
        events, total = np.bincount(groups.codes, outcome.y, m), np.bincount(groups.codes, n, m)
        if bool(((events == 0) | (events == total)).all()):
            PURE_GROUPS.refuse(design.formula.text, group=factor.name)


def _refuse_unbounded(fit: LatentFit, family: str) -> None:
    """Refuse what the search could not bring to an end because it has none."""
    if fit.maximum.converged:
        return
    theta = np.abs(fit.theta)
    if len(theta) and float(theta.max()) > 15.0:
        element = fit.model.elements[int(theta.argmax())]
        what = Phrase("the standard deviation of {group}", group=fit.model.factors[element.factor].name)
        UNBOUNDED.refuse(fit.design.formula.text, what=what)
    if float(np.abs(fit.maximum.x[: fit.model.p]).max(initial=0.0)) > 15.0 and family == "binomial":
        UNBOUNDED.refuse(fit.design.formula.text, what=Phrase("a coefficient"))
