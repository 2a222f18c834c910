r"""Complier effects: two-stage least squares with one instrument, and inference that a weak instrument does not break.

With an offer z drawn by lot for whole clusters, what was taken d, covariates x,

    y = b d + x'g + e,        d = p z + x'h + u

b is estimated by two-stage least squares (linearmodels). It is the average effect of taking among those whom the offer makes take
(Imbens & Angrist 1994, Econometrica 62:467), and of a dose an average effect per unit, weighted by how much the offer moves the
dose there (Angrist & Imbens 1995, JASA 90:431); both only if the offer acts through d alone and makes nobody take less.

Cluster-robust inference is that of least squares on the fitted regressors with the residuals y - bd - x'g: CR2 with
Satterthwaite's degrees of freedom (as clubSandwich on ``ivreg``). The Anderson-Rubin set holds the b for which z explains
nothing of y - bd, by CR1 and t on J - 1: with s_y, s_d the clusters' scores of z in the reduced form and the first stage it is
a quadratic inequality in b, and keeps its level however weak the instrument is (Anderson & Rubin 1949, Ann Math Stat 20:46).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.stats import contrasts
from asp_eval.stats.design.formula import parse_formula
from asp_eval.stats.design.model_frame import read_design
from asp_eval.stats.engine.least_squares import LeastSquaresFit, least_squares
from asp_eval.stats.estimate import Array, Estimate, f_tail, t_quantile
from asp_eval.stats.linear.ols import EXACT_FIT, Clusters, OlsFit, blocks_of, ols
from asp_eval.stats.smallsample.cluster_blocks import ClusterBlocks, cluster_sums
from asp_eval.stats.smallsample.cluster_robust import CR2
from asp_eval.stats.smallsample.method import Method

TWO_STAGES = Fault(
    "FIT-140",
    "a complier effect needs both stages: outcome, what was taken, and what was offered",
    "Write it as 'y ~ taken + x | offered + x'.",
)
ONE_INSTRUMENT = Fault(
    "FIT-141",
    "a complier effect needs one variable that was taken and one that was offered; beside the covariates there are {taken} and"
    " {offered}",
    "Name the covariates on both sides of the |, what was taken on its left and what was offered on its right.",
)
NO_FIRST_STAGE = Fault(
    "FIT-142",
    "what was offered says nothing of what was taken in these rows",
    "Check both columns: somebody must have taken what they were offered, and somebody not.",
)
WEAK = 10.0
"""First-stage F below which the estimate's own interval is not to be trusted (Staiger & Stock 1997, Econometrica 65:557)."""


@dataclass(frozen=True, slots=True)
class FirstStage:
    """How strongly the offer moves what is taken: F of one instrument by CR2.

    Attributes
    ----------
    estimate, std_error : float
        Of the offer's coefficient.
    F, df1, df2, p_value : float
    """

    estimate: float
    std_error: float
    F: float
    df1: float
    df2: float
    p_value: float

    @property
    def weak(self) -> bool:
        """Whether F is below 10."""
        return self.F < WEAK


@dataclass(frozen=True, slots=True)
class AndersonRubin:
    """The effects that the offer does not contradict.

    Attributes
    ----------
    low, high : float
        Of an interval; of two rays the ends of the gap between them; infinite where there is no end.
    kind : {"interval", "rays", "line"}
        All between the ends; all but what lies between them; every effect.
    """

    low: float
    high: float
    kind: Literal["interval", "rays", "line"]


@dataclass(frozen=True, slots=True, eq=False)
class ComplierFit:
    """A fitted complier effect; make one with `complier_effect`.

    Attributes
    ----------
    names, dropped : tuple of str
    estimate : ndarray, shape (p,)
        By two-stage least squares.
    taken, offered : str
        The coefficients of what was taken and of what was offered.
    residuals : ndarray, shape (n,)
        y - X b, with what was taken as it was.
    solution : LeastSquaresFit
        Of the fitted regressors.
    clusters : Clusters
    reduced, first : OlsFit
        Outcome, and what was taken, on the offer and the covariates.
    """

    names: tuple[str, ...]
    dropped: tuple[str, ...]
    estimate: Array
    taken: str
    offered: str
    residuals: Array
    solution: LeastSquaresFit
    clusters: Clusters
    reduced: OlsFit
    first: OlsFit

    @property
    def n_obs(self) -> int:
        """Rows used."""
        return len(self.residuals)

    @property
    def n_groups(self) -> dict[str, int]:
        """Clusters in the rows used."""
        return {self.clusters.name: len(self.clusters.levels)}

    def tidy(self, method: Method | None = None, level: float = 0.95) -> pd.DataFrame:
        """Return one row per coefficient of the second stage; by default with `CR2`."""
        return contrasts.tidy(self, method or CR2(), level)

    def contrast(self, weights: contrasts.Weights, method: Method | None = None, level: float = 0.95) -> Estimate:
        """Return the estimate of one linear combination of the second stage's coefficients; by default with `CR2`."""
        return contrasts.contrast(self, weights, method or CR2(), level)

    def effect(self, level: float = 0.95) -> Estimate:
        """Return the effect of what was taken, by CR2."""
        return self.contrast({self.taken: 1.0}, level=level)

    @property
    def first_stage(self) -> FirstStage:
        """How strongly the offer moves what is taken."""
        row = self.first.contrast({self.offered: 1.0}, CR2())
        if row.estimate is None or row.std_error is None or row.df is None or not row.std_error > 0:
            return NO_FIRST_STAGE.refuse(found=row.note or None)
        f = (row.estimate / row.std_error) ** 2
        return FirstStage(row.estimate, row.std_error, f, 1.0, row.df, f_tail(f, 1.0, row.df))

    @property
    def anderson_rubin(self) -> AndersonRubin:
        """The 95 % Anderson-Rubin set."""
        return self.anderson_rubin_set()

    def anderson_rubin_set(self, level: float = 0.95) -> AndersonRubin:
        """Return the effects that the offer does not contradict, by CR1 and t on J - 1."""
        at = self.reduced.names.index(self.offered)
        a = self.reduced.solution.back.T @ np.eye(len(self.reduced.names))[at]
        s = np.column_stack([_scores(fit, self.clusters) @ a for fit in (self.reduced, self.first)])
        J = len(s)
        V = J / (J - 1) * (s.T @ s)
        c = float(t_quantile((1 + level) / 2, np.array(float(J - 1)))) ** 2
        y, d = float(self.reduced.estimate[at]), float(self.first.estimate[at])
        return _solved(d * d - c * V[1, 1], -2 * (y * d - c * V[0, 1]), y * y - c * V[0, 0])

    def cluster_blocks(self) -> ClusterBlocks | Unavailable:
        """Return the pseudo-rows of the fitted regressors and the structural residuals, for cluster-robust inference."""
        if self.solution.exact:
            return Unavailable(EXACT_FIT)
        return blocks_of(replace(self.solution, residuals=self.residuals), self.clusters, None)


def complier_effect(formula: str, frame: pd.DataFrame, *, cluster: str) -> ComplierFit:
    """Fit the effect of what was taken, with what was offered as its instrument.

    Parameters
    ----------
    formula : str
        Such as ``"y ~ taken + x | offered + x"``: the covariates stand on both sides.
    frame : pandas.DataFrame
        Rows with a missing value in a column of the model are left out.
    cluster : str
        Column of the clusters, for which the offer was drawn.

    Returns
    -------
    ComplierFit
        ``tidy()`` uses `CR2`; ``first_stage`` and ``anderson_rubin`` say whether to believe it.

    Raises
    ------
    Refusal
        FIT-140 if the formula has no two stages, FIT-141 if there is not one instrument for one variable, FIT-142 if the offer
        moves nothing.

    Notes
    -----
    R: ``AER::ivreg`` with ``clubSandwich::coef_test(fit, vcov = "CR2", cluster = ...)``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> g = np.repeat(np.arange(20), 15)
    >>> took = (g % 2) * (g % 5 > 0)
    >>> frame = pd.DataFrame({"g": g, "offered": g % 2, "taken": took, "y": took - rng.normal(size=300)})
    >>> fit = complier_effect("y ~ taken | offered", frame, cluster="g")
    >>> round(fit.first_stage.F), fit.anderson_rubin.kind
    (36, 'interval')
    """
    left, divided, first = formula.partition("|")
    response, tilde, second = left.partition("~")
    if not (divided and tilde and first.strip()) or "|" in first or "~" in first:
        TWO_STAGES.refuse(formula)
    response = parse_formula(left).response
    design = read_design(f"{left} + {first}", frame, random=False, besides=(cluster,))
    rows = frame if design.data.keep is None else frame.loc[np.asarray(design.data.keep)]
    structural, reduced = (
        ols(f"{response} ~ {second}", rows, cluster=cluster),
        ols(f"{response} ~ {first}", rows, cluster=cluster),
    )
    taken = [name for name in structural.names if name not in reduced.names]
    offered = [name for name in reduced.names if name not in structural.names]
    if not taken and structural.dropped:
        NO_FIRST_STAGE.refuse(formula, found=f"{', '.join(structural.dropped)} does not vary beside the others")
    if len(taken) != 1 or len(offered) != 1 or structural.clusters is None:
        return ONE_INSTRUMENT.refuse(formula, taken=len(taken), offered=len(offered))
    at = structural.names.index(taken[0])
    first_stage = _first_stage(rows, structural.design[:, at], cluster, first)
    return _second_stage(structural, reduced, first_stage, taken[0], offered[0])


def _first_stage(rows: pd.DataFrame, taken: Array, cluster: str, first: str) -> OlsFit:
    """Return what was taken on the offer and the covariates."""
    name = "taken__"
    return ols(f"{name} ~ {first}", rows.assign(**{name: taken}), cluster=cluster)


def _second_stage(structural: OlsFit, reduced: OlsFit, first: OlsFit, taken: str, offered: str) -> ComplierFit:
    """Estimate both stages together by linearmodels, and keep what cluster-robust inference needs."""
    from linearmodels.iv import IV2SLS

    p = first.estimate[first.names.index(offered)]
    if abs(p) * np.ptp(reduced.design[:, reduced.names.index(offered)]) < 1e-10 * np.ptp(first.outcome):
        NO_FIRST_STAGE.refuse()
    X, at = structural.design, structural.names.index(taken)
    rest = np.delete(np.arange(X.shape[1]), at)
    z = reduced.design[:, [reduced.names.index(offered)]]
    fit = IV2SLS(structural.outcome, X[:, rest] if len(rest) else None, X[:, [at]], z).fit(cov_type="unadjusted")
    estimate = np.empty(X.shape[1])
    estimate[np.append(rest, at)] = fit.params.to_numpy()
    fitted = X.copy()
    fitted[:, at] = first.fitted
    assert structural.clusters is not None
    return ComplierFit(
        structural.names,
        structural.dropped,
        estimate,
        taken,
        offered,
        np.asarray(structural.outcome - X @ estimate),
        least_squares(fitted, structural.outcome, None),
        structural.clusters,
        reduced,
        first,
    )


def _scores(fit: OlsFit, clusters: Clusters) -> Array:
    """Return X_j'e_j of every cluster, in orthonormal columns (J, p)."""
    order = np.argsort(clusters.codes, kind="stable")
    Q, e = fit.solution.columns[order], fit.residuals[order, None]
    return cluster_sums(Q, clusters.codes[order], len(clusters.levels), e)[..., 0]


def _solved(a: float, b: float, c: float) -> AndersonRubin:
    """Return where a x^2 + b x + c <= 0."""
    gap = b * b - 4 * a * c
    if a > 0:  # then c <= 0 or the estimate itself lies inside, so there are two roots
        root = np.sqrt(max(gap, 0.0))
        return AndersonRubin((-b - root) / (2 * a), (-b + root) / (2 * a), "interval")
    if gap <= 0 or a == 0:
        return AndersonRubin(-np.inf, np.inf, "line")
    root = np.sqrt(gap)
    return AndersonRubin((-b + root) / (2 * a), (-b - root) / (2 * a), "rays")
