"""The table of intervals for standard deviations and correlations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.contrasts import check_level
from asp_eval.stats.engine.estimation import EstimationProblem
from asp_eval.stats.engine.optimisation import Optimum
from asp_eval.stats.estimate import Array
from asp_eval.stats.mixed.derivatives import variance_derivatives
from asp_eval.stats.mixed.intervals import Surface, Target, profile_interval, wald_interval

KIND = Fault("FIT-070", "there is no interval of this kind", "Ask for kind='profile' or kind='wald'.")
NO_PROFILE = Phrase("the profile of the likelihood could not be followed from the estimate; the sample is too small for it")
ON_BOUNDARY = Phrase(
    "the estimate lies on the edge of its range, where Wald's approximation has no ground; the profile of the likelihood has"
)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What the intervals need of a fit.

    Attributes
    ----------
    problem : EstimationProblem
    found : Optimum
    covariances : tuple of ndarray (k, k)
        In the formula's order of factors, in the data's units.
    sigma2 : float
    reml : bool
    """

    problem: EstimationProblem
    found: Optimum
    covariances: tuple[Array, ...]
    sigma2: float
    reml: bool


def interval_table(model: Fitted, components: pd.DataFrame, level: float, kind: Literal["profile", "wald"]) -> pd.DataFrame:
    """Return one row per standard deviation and correlation; see `MixedFit.variance_intervals`."""
    check_level(level)
    if not isinstance(kind, str) or kind not in ("profile", "wald"):
        KIND.refuse(found=kind)
    errors = _wald_errors(model) if kind == "wald" and not model.found.singular else None
    surface = _surface(model)
    rows = []
    estimates = np.where(components["term2"] == "", np.sqrt(np.abs(components["variance"])), components["correlation"])
    labels = zip(components["group"], components["term1"], components["term2"], strict=True)
    for label, estimate, target in zip(labels, estimates.tolist(), _targets(model), strict=True):
        correlation = target.second is not None
        low, high, note = np.nan, np.nan, NO_NOTE
        if not np.isfinite(estimate):
            note = Phrase("a standard deviation of zero has no correlations")
        elif kind == "profile":
            scale = 1.0 if correlation else model.problem.standard.y_scale
            ends = profile_interval(surface, target, estimate / scale, level)
            low, high, note = (np.nan, np.nan, NO_PROFILE) if ends is None else (ends[0] * scale, ends[1] * scale, NO_NOTE)
        elif errors is None:
            note = ON_BOUNDARY
        else:
            low, high = wald_interval(estimate, errors[target], level, correlation=correlation)
        quantity = "correlation" if correlation else "sd"
        rows.append((*label, quantity, estimate, low, high, kind, note))
    names = ["group", "term1", "term2", "quantity", "estimate", "conf_low", "conf_high", "method", "note"]
    return pd.DataFrame(rows, columns=names)


def _targets(model: Fitted) -> list[Target]:
    """Return the parameters in the order of the table of components."""
    out = []
    for i, factor in enumerate(model.problem.standard.factors):
        f, at = model.problem.elimination.ordering.index(i), 0
        for block in factor.layout.blocks:
            out += [Target(f, at + a) for a in range(len(block))]
            out += [Target(f, at + a, at + b) for a in range(len(block)) for b in range(a)]
            at += len(block)
    return [*out, Target()]


def _surface(model: Fitted) -> Surface:
    """Return the criterion in standard units with the data's covariances over the scale of y."""
    problem = model.problem
    ordering, s2 = problem.elimination.ordering, problem.standard.y_scale**2
    return Surface(
        problem.elimination.shape,
        lambda d: problem.evaluate(d, reml=model.reml, order=1),
        tuple(problem.standard.factors[i].transform for i in ordering),
        tuple(model.covariances[i] / s2 for i in ordering),
        model.sigma2 / s2,
        model.found.criterion.value,
    )


def _wald_errors(model: Fitted) -> dict[Target, float]:
    """Return standard errors of standard deviations and correlations, by the delta method from the observed information."""
    problem, found = model.problem, model.found
    shape, ordering = problem.elimination.shape, problem.elimination.ordering
    information = variance_derivatives(found.criterion, shape.d(found.theta), problem.n, problem.standard.T).hessian
    A = 2.0 * np.linalg.inv(information)  # of phi / sigma^2 and sigma^2 / sigma^2, in standard units
    s = len(shape.elements)
    out = {Target(): float(np.sqrt(model.sigma2 * A[s, s]) / 2.0)}
    for f, i in enumerate(ordering):
        B, D = problem.standard.factors[i].transform, model.covariances[i]
        pushed = [B @ shape.matrix(f, unit) @ B.T * model.sigma2 for unit in np.eye(s)]

        def variance(gradient: Array, pushed: list[Array] = pushed) -> float:
            g = np.array([float((gradient * p).sum()) for p in pushed])
            return float(g @ A[:s, :s] @ g)

        for a in range(len(D)):
            unit = np.zeros_like(D)
            unit[a, a] = 0.5 / np.sqrt(D[a, a])
            out[Target(f, a)] = float(np.sqrt(variance(unit)))
            for b in range(a):
                product = float(np.sqrt(D[a, a] * D[b, b]))
                rho, unit = D[a, b] / product, np.zeros_like(D)
                unit[a, b] = 1.0 / product
                unit[a, a], unit[b, b] = -0.5 * rho / D[a, a], -0.5 * rho / D[b, b]
                out[Target(f, a, b)] = float(np.sqrt(variance(unit)))
    return out
