"""Marginal models by generalised estimating equations: `gee` fits from a frame."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.stats.design.formula import RANDOM_IN_FIXED
from asp_eval.stats.design.model_frame import Design, read_design
from asp_eval.stats.estimate import Array
from asp_eval.stats.glmm.families import FAMILIES, family_rows
from asp_eval.stats.glmm.fit import DOMAIN, refuse_separated
from asp_eval.stats.glmm.links import LINKS, Link
from asp_eval.stats.glmm.outcome import FAMILY, LINK, Outcome, check_family, read_outcome
from asp_eval.stats.integration.standard import StandardColumns, standard_columns
from asp_eval.stats.integration.start import fixed_effects_fit
from asp_eval.stats.linear.ols import CONSTANT_OUTCOME, NO_COLUMNS, read_clusters
from asp_eval.stats.marginal.equations import Moments, Solution, solve
from asp_eval.stats.marginal.result import GeeFit

CORRELATION = Fault("FIT-131", "there is no working correlation {name!r}", "Use one of: {known}.")
NOT_SOLVED = Fault(
    "FIT-132",
    "the estimating equations have no solution that could be found",
    "Use correlation='independence', or fewer columns.",
)
NOT_A_CORRELATION = Fault(
    "FIT-133",
    "the working correlation is estimated as {alpha:.3f}, which clusters of {size} rows cannot have",
    "Use correlation='independence'.",
)
ONE_CLUSTER = Fault("FIT-134", "all rows are in one cluster", "Name the column of the clusters: two or more are needed.")
CORRELATIONS = ("independence", "exchangeable")
MARGINAL = ("gaussian", "binomial", "poisson")
EXTREME = 1e-6
"""A fitted probability nearer to its bound means that columns separate the outcome."""


def gee(
    formula: str,
    frame: pd.DataFrame,
    *,
    cluster: str,
    family: str = "gaussian",
    link: str | None = None,
    correlation: str = "independence",
) -> GeeFit:
    """Fit a marginal model by generalised estimating equations.

    g(E y) = X beta + offset; rows of a cluster are correlated, rows of different clusters are not. The coefficients are
    those of the population average, not those of a cluster as in `glmm`.

    Parameters
    ----------
    formula : str
        Such as ``"y ~ arm + x"``; no random terms.
    frame : pandas.DataFrame
        Rows with a missing value in a column of the model are left out and counted.
    cluster : str
        Column of the clusters. A row of the model without a cluster is refused.
    family : {"gaussian", "binomial", "poisson"}
        A binomial outcome holds zeros and ones, or two categories of which the second is the event.
    link : str, optional
        gaussian: identity. binomial: logit, probit, cloglog, log, identity. poisson: log, identity.
    correlation : {"independence", "exchangeable"}
        Of the rows of a cluster, as the equations assume it; the robust standard errors do not rely on it.

    Returns
    -------
    GeeFit
        ``tidy()`` uses `ManclDeRouen`; `Robust`, `KauermannCarroll` and `FayGraubard` may be asked for.

    Raises
    ------
    Refusal
        If the outcome is none of the family's, columns separate it, or the equations have no solution.

    References
    ----------
    Liang & Zeger (1986), Biometrika 73:13. R: ``geepack::geeglm``, ``gee::gee``.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> g = np.repeat(np.arange(20), 15)
    >>> frame = pd.DataFrame({"inst": g, "arm": np.where(g % 2, "new", "old"), "y": rng.binomial(1, 0.4, 300)})
    >>> fit = gee("y ~ arm", frame, cluster="inst", family="binomial", correlation="exchangeable")
    >>> fit.tidy()[["term", "df", "method"]].values.tolist()
    [['Intercept', 18.0, 'ManclDeRouen'], ['arm[T.old]', 18.0, 'ManclDeRouen']]
    """
    family, link = _family(family, link)
    if correlation not in CORRELATIONS:
        CORRELATION.refuse(name=correlation, known=", ".join(CORRELATIONS))
    design = read_design(formula, frame, random=False, categories=family == "binomial", besides=(cluster,))
    if design.formula.blocks:
        RANDOM_IN_FIXED.refuse(formula)
    clusters = read_clusters(frame, cluster, design)
    if len(clusters.levels) < 2:
        ONE_CLUSTER.refuse(cluster)
    columns = standard_columns(design.fixed_matrix())
    if not columns.kept:
        NO_COLUMNS.refuse(formula)
    outcome = _gaussian(design) if family == "gaussian" else read_outcome(design, family, design.formula.response)
    offset = np.zeros(design.data.n) if design.offset is None or family == "gaussian" else design.offset
    start = _start(design, family, link, outcome, columns, offset)
    with np.errstate(all="ignore"):
        found = solve(
            columns.X,
            outcome.y,
            offset,
            clusters.codes,
            _moments(family, LINKS[link]),
            start,
            exchangeable=correlation == "exchangeable",
        )
    _check(found, int(np.bincount(clusters.codes).max()))
    names = design.layout.fixed_names
    kept = tuple(names[k] for k in columns.kept)
    dropped = tuple(n for k, n in enumerate(names) if k not in columns.kept) + design.fixed.absent
    return GeeFit(kept, dropped, design, columns, clusters, found, family, LINKS[link], correlation, outcome)


def _family(family: object, link: object) -> tuple[str, str]:
    """Return the family's and the link's names."""
    if family == "gaussian":
        if link not in (None, "identity"):
            LINK.refuse(family=family, link=link, known="identity")
        return "gaussian", "identity"
    if family not in MARGINAL:
        FAMILY.refuse(family=family, known=", ".join(MARGINAL))
    return check_family(family, link)


def _gaussian(design: Design) -> Outcome:
    """Return an outcome of numbers less its offset."""
    y = design.response
    if np.ptp(y) == 0:
        CONSTANT_OUTCOME.refuse(design.formula.response, found=f"{y[0]:g} in {len(y)} rows")
    return Outcome(y, None)


def _moments(family: str, link: Link) -> Moments:
    """Return how mean and variance follow from the linear predictor."""
    variance: dict[str, Callable[[Array], Array]] = {
        "gaussian": np.ones_like,
        "binomial": lambda mu: mu * (1.0 - mu),
        "poisson": lambda mu: mu,
    }
    return Moments(link.inverse, link.slope, variance[family])


def _start(design: Design, family: str, link: str, outcome: Outcome, columns: StandardColumns, offset: Array) -> Array:
    """Return the coefficients of independent rows, or refuse what they cannot be had for."""
    X, y = columns.X, outcome.y
    if family == "gaussian":
        return np.asarray(X.T @ y / len(y), float)
    rows = family_rows(family, link, y, None)
    mean = float(y.sum() / np.exp(offset).sum()) if link == "log" and family == "poisson" else float(y.mean())
    eta = LINKS[link].forward(np.full(len(y), mean))
    constant = X.T @ (eta if link == "log" and family == "poisson" else eta - offset) / len(y)
    with np.errstate(all="ignore"):
        if not np.isfinite(rows.terms(X @ constant + offset, np.zeros(0)).value).all():
            DOMAIN.refuse(design.formula.text, link=link, canonical=FAMILIES[family][0])
    beta, reached = fixed_effects_fit(X, offset, rows, constant, np.zeros(0))
    fitted = rows.mean(X @ beta + offset, np.zeros(0))
    if not reached or bool((fitted < EXTREME).any()) or (family == "binomial" and bool((fitted > 1 - EXTREME).any())):
        refuse_separated(design, y, None, columns, counts=family != "binomial")
    return beta


def _check(found: Solution, largest: int) -> None:
    """Refuse what is no solution."""
    if found.alpha <= -1.0 / max(largest - 1, 1) or found.alpha >= 1.0:
        NOT_A_CORRELATION.refuse(alpha=found.alpha, size=largest)
    if not found.converged:
        NOT_SOLVED.refuse()
