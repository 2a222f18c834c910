"""Shares of variance: the intraclass correlation and Nakagawa's R2.

ICC_f = v_f / (sum of all v + sigma^2), with v_f = mean over rows of z'D_f z (for a random intercept, its variance);
with random slopes it depends on the covariate, so z is taken at stated values, or averaged over the data's rows.

R2 (Nakagawa & Schielzeth 2013, Methods Ecol Evol 4:133; with random slopes Johnson 2014, ibid. 5:944):

    marginal    = v_x / (v_x + v_b + sigma^2),   v_x = var(X beta) with n - 1
    conditional = (v_x + v_b) / (v_x + v_b + sigma^2),   v_b = tr(Z D Z') / n
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.contrasts import check_level
from asp_eval.stats.design.layout import Layout
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.prediction import effect_columns
from asp_eval.stats.engine.estimation import EstimationProblem
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.engine.optimisation import Optimum
from asp_eval.stats.engine.standardisation import Standard
from asp_eval.stats.estimate import Array, Estimate

NEEDS_ROWS = Fault("FIT-049", "weighted moments do not tell this share of variance", "Fit with lmm(formula, frame, weights=...).")
STATED = Fault(
    "FIT-072",
    "an intraclass correlation at stated values needs one for every column that varies at random",
    "Give for example at={{'t': 0}}.",
)
SEVERAL = Phrase("a share of several variances has no standard error or interval here; the variances themselves have intervals")
PROFILE = Phrase("the interval is by profile likelihood, so there is no standard error")


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the variance.

    Attributes
    ----------
    name : str
    part, total : float
    whole : bool
        Whether it is averaged over the rows, so that a single effect's variance ratio is part / sigma^2.
    """

    name: str
    part: float
    total: float
    whole: bool = True


@dataclass(frozen=True, slots=True)
class R2:
    """Nakagawa's R2.

    Attributes
    ----------
    marginal, conditional : float
        Share of variance explained by the fixed part, and by fixed and random effects.
    """

    marginal: float
    conditional: float


def mean_square_effects(moments: Moments, i: int) -> Array:
    """Return the mean over rows of z z' of factor i (k, k), from cross-products of unweighted rows."""
    factor = moments.layout.factors[i]
    effects = list(factor.effects)
    T = np.eye(len(moments.shift))
    T[0, 1:] = moments.shift[1:]
    raw = T.T @ moments.total @ T
    return np.asarray(raw[np.ix_(effects, effects)] / moments.n_obs, float)


def fixed_variance(moments: Moments, kept: tuple[int, ...], beta: Array) -> float:
    """Return the variance of X beta over unweighted rows, with n - 1."""
    columns = [moments.layout.fixed[k] for k in kept]
    b = np.zeros(len(moments.shift))
    b[columns] = beta
    b[0] = 0.0  # the constant does not vary
    n = moments.n_obs
    centred = moments.total - np.outer(moments.total[0], moments.total[0]) / n
    return float(b @ centred @ b) / (n - 1)


def effect_variances(standard: Standard, covariances: Sequence[Array], design: Design | None) -> list[float]:
    """Return tr(Z D Z') / n of each factor.

    Raises
    ------
    Refusal
        If rows are weighted and the fit has none: weighted cross-products do not hold the unweighted ones.
    """
    moments = standard.moments
    out = []
    for i, (factor, D) in enumerate(zip(moments.layout.factors, covariances, strict=True)):
        if factor.effects == (0,):
            out.append(float(D[0, 0]))
        elif moments.weighted:
            Z = effect_columns(_unweighted(design), factor)
            out.append(float(np.einsum("ij,ji->", D, Z.T @ Z / len(Z))))
        else:
            out.append(float(np.einsum("ij,ji->", D, mean_square_effects(moments, i))))
    return out


def variances_at(layout: Layout, covariances: Sequence[Array], at: Mapping[str, float]) -> list[float]:
    """Return z'D z of each factor, with z the effects' columns at stated values; the constant is one.

    Raises
    ------
    Refusal
        If a value is missing, or named for a column that does not vary at random.
    """
    varying = {layout.columns[e] for f in layout.factors for e in f.effects if e}
    numbers = isinstance(at, Mapping) and all(isinstance(v, (int, float, np.number)) for v in at.values())
    if not numbers or varying != set(at):
        found = (", ".join(map(str, at)) or "none") if isinstance(at, Mapping) else type(at).__name__
        STATED.refuse(found=found, expected=", ".join(sorted(varying)) or "none")
    out = []
    for factor, D in zip(layout.factors, covariances, strict=True):
        z = np.array([1.0 if e == 0 else float(at[layout.columns[e]]) for e in factor.effects])
        out.append(float(z @ D @ z))
    return out


def nakagawa(standard: Standard, beta: Array, covariances: Sequence[Array], sigma2: float, design: Design | None) -> R2:
    """Return Nakagawa's R2."""
    if standard.moments.weighted:
        X = _unweighted(design).fixed_matrix()[:, list(standard.kept)]
        fixed = float(np.var(X @ beta, ddof=1))
    else:
        fixed = fixed_variance(standard.moments, standard.kept, beta)
    random = sum(effect_variances(standard, covariances, design))
    total = fixed + random + sigma2
    return R2(fixed / total, (fixed + random) / total)


def intraclass_correlation(problem: EstimationProblem, found: Optimum, share: Share, level: float, *, reml: bool) -> Estimate:
    """Return the ICC, with a profile interval where there is one variance ratio."""
    check_level(level)
    value = share.part / share.total
    term = f"ICC {share.name}"
    if problem.one is None or not share.whole:
        return Estimate(term, value, None, None, None, None, None, None, "model variances", SEVERAL)
    d = problem.elimination.shape.d(found.theta)
    low, high = interval_of_ratio(lambda r: problem.evaluate(np.array([r]), reml=reml).value, float(d[0]), level)
    ends = [1.0 if np.isinf(e) else e / (1.0 + e) for e in (low, high)]  # columns of Z have mean square one here
    return Estimate(term, value, None, None, None, None, ends[0], ends[1], "profile likelihood", PROFILE)


def _unweighted(design: Design | None) -> Design:
    """Return the rows, or refuse."""
    return NEEDS_ROWS.refuse() if design is None else design


def interval_of_ratio(deviance: Callable[[float], float], ratio: float, level: float) -> tuple[float, float]:
    """Return the profile interval of d = tau^2 / sigma^2, where the deviance rises by the chi-square quantile.

    Parameters
    ----------
    deviance : callable
        The profiled criterion at d >= 0.
    ratio : float
        Its minimum.
    level : float

    Returns
    -------
    tuple of float
        The lower end is zero where the deviance at zero is below the quantile.
    """
    limit = deviance(ratio) + float(special.chdtri(1.0, 1.0 - level))

    def excess(log_d: float) -> float:
        return deviance(float(np.exp(log_d))) - limit

    centre = np.log(max(ratio, 1e-8))
    low = 0.0
    if ratio > 0 and deviance(0.0) > limit:
        below = centre - 1.0
        while excess(below) < 0:
            below -= 2.0
        low = float(np.exp(optimize.brentq(excess, below, centre, xtol=1e-12)))
    above = centre + 1.0
    while excess(above) < 0:
        above += 1.0
        if above > 60.0:
            return low, float("inf")
    return low, float(np.exp(optimize.brentq(excess, centre, above, xtol=1e-12)))
