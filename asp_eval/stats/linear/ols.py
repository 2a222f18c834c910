"""Linear models by ordinary or weighted least squares, with classical or cluster-robust inference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats import contrasts
from asp_eval.stats.design.formula import RANDOM_IN_FIXED
from asp_eval.stats.design.model_frame import Design, read_design
from asp_eval.stats.design.prediction import predict_rows
from asp_eval.stats.design.variables import Categories, Codes, read_categories, read_variable
from asp_eval.stats.engine.least_squares import LeastSquaresFit, least_squares
from asp_eval.stats.estimate import Array, Estimate, JointTest
from asp_eval.stats.smallsample.classical import Classical
from asp_eval.stats.smallsample.cluster_blocks import (
    ClusterBlocks,
    cluster_sums,
    ordinary_blocks,
    ordinary_blocks_of_rows,
    padded_rows,
    weighted_blocks,
)
from asp_eval.stats.smallsample.cluster_robust import CR2
from asp_eval.stats.smallsample.method import Method

CONSTANT_OUTCOME = Fault("FIT-060", "the outcome has the same value in every row", "There is nothing to explain: check it.")
MISSING_CLUSTER = Fault(
    "FIT-061", "rows of the model have no cluster", "Fill in the cluster of these rows, or leave the rows out yourself."
)  # fmt: skip
NO_COLUMNS = Fault("FIT-062", "the formula has no column to estimate", "Add a term, or leave out the 0 at its start.")

NO_ICC = Phrase("a model without random effects has no variance between groups")
EXACT_FIT = Phrase("the columns reproduce the outcome exactly, so there is no residual variation to judge by")


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """The clusters of the rows.

    Attributes
    ----------
    name : str
        The column they come from.
    codes : ndarray of int, shape (n,)
    levels : pandas.Index
        J of them.
    """

    name: str
    codes: Codes
    levels: pd.Index


@dataclass(frozen=True, slots=True, eq=False)
class OlsFit:
    """A fitted linear model; make one with `ols`.

    Attributes
    ----------
    names, dropped : tuple of str
        The p estimated coefficients, and those whose column is a linear combination of earlier ones.
    estimate : ndarray, shape (p,)
    solution : LeastSquaresFit
    model : Design
        The formula's columns and the rows used.
    clusters : Clusters or None
    """

    names: tuple[str, ...]
    dropped: tuple[str, ...]
    estimate: Array
    solution: LeastSquaresFit
    model: Design
    clusters: Clusters | None

    @property
    def n_obs(self) -> int:
        """Rows used."""
        return self.model.data.n

    @property
    def n_dropped(self) -> int:
        """Rows left out because a value was missing."""
        return self.model.data.n_dropped

    @property
    def n_groups(self) -> dict[str, int]:
        """Clusters in the rows used; empty without clusters."""
        return {} if self.clusters is None else {self.clusters.name: len(self.clusters.levels)}

    @property
    def notes(self) -> tuple[Phrase, ...]:
        """What a reader of any result of this fit must know."""
        out = []
        if self.n_dropped:
            out.append(Phrase("{n} rows with missing values were left out.", n=self.n_dropped))
        if self.dropped:
            names = ", ".join(self.dropped)
            out.append(Phrase("Dropped, because the data do not determine them: {names}.", names=names))
        return tuple(out)

    @property
    def fitted(self) -> Array:
        """Fitted values of the rows used, shape (n,)."""
        return self.solution.fitted if self.model.offset is None else self.solution.fitted + self.model.offset

    @property
    def residuals(self) -> Array:
        """Outcome less fitted value, shape (n,)."""
        return self.solution.residuals

    @property
    def outcome(self) -> Array:
        """Outcome of the rows used, less its offset, shape (n,)."""
        return self.model.response

    @property
    def design(self) -> Array:
        """Columns of the estimated coefficients, shape (n, p)."""
        return self.model.fixed_matrix()[:, self.solution.kept]

    @property
    def cluster_codes(self) -> Codes | None:
        """Cluster of the rows used as numbers from 0, shape (n,), or None without clusters."""
        return None if self.clusters is None else self.clusters.codes

    def tidy(self, method: Method | None = None, level: float = 0.95) -> pd.DataFrame:
        """Return one row per coefficient.

        Parameters
        ----------
        method : Method, optional
            By default `CR2` where clusters were given, else classical t.
        level : float
            Of the confidence intervals.
        """
        return contrasts.tidy(self, self._method(method), level)

    def contrast(self, weights: contrasts.Weights, method: Method | None = None, level: float = 0.95) -> Estimate:
        """Return the estimate of one linear combination of coefficients: by names, weights, or one name."""
        return contrasts.contrast(self, weights, self._method(method), level)

    def joint_test(self, contrast: contrasts.Rows, method: Method | None = None) -> JointTest:
        """Return the test that several contrasts are zero together: F, or the Hotelling test of a cluster-robust method."""
        return contrasts.joint_test(self, contrast, self._method(method))

    def vcov(self, method: Method | None = None) -> pd.DataFrame | Unavailable:
        """Return the covariance matrix of the coefficients, named: the model's own, or a method's, as ``CR2()``."""
        return contrasts.covariance(self, method, lambda: Classical().covariance(self))

    def glance(self) -> pd.DataFrame:
        """Return the fit in one row; the criteria are R's for `lm`, with sigma counted as a parameter."""
        n, p, s = self.n_obs, len(self.names), self.solution
        total = _total_squares(self)
        w = self.model.weights
        log_likelihood = -0.5 * n * (np.log(2 * np.pi * s.rss / n) + 1) + (0.0 if w is None else 0.5 * float(np.log(w).sum()))
        r_squared = 1 - s.rss / total
        intercept = int(self.model.layout.has_intercept)
        adjusted = 1 - (1 - r_squared) * (n - intercept) / (n - p) if n > p else np.nan
        row = {
            "n_obs": n, "n_clusters": None if self.clusters is None else len(self.clusters.levels), "df_residual": n - p,
            "sigma": float(np.sqrt(s.rss / (n - p))) if n > p else np.nan, "r_squared": r_squared, "adj_r_squared": adjusted,
            "log_likelihood": log_likelihood, "aic": -2 * log_likelihood + 2 * (p + 1),
            "bic": -2 * log_likelihood + np.log(n) * (p + 1),
        }  # fmt: skip
        return pd.DataFrame([row])

    def predict(self, frame: pd.DataFrame) -> Array:
        """Return the linear predictor of new rows, shape (rows of `frame`,), with the offset, as R's predict.

        Raises
        ------
        Refusal
            If a column is missing, a category is new, or a row is incomplete.
        """
        kept = np.flatnonzero(self.solution.kept).tolist()
        return predict_rows(self.model, kept, self.estimate, (), frame, random=False, new_groups=False)

    def icc(self, level: float = 0.95) -> Estimate:  # noqa: ARG002 - every fit is asked for it in the same way
        """Return that there is none: the model has no variance between groups."""
        return Estimate.unavailable("icc", NO_ICC)

    def classical_covariance(self) -> tuple[Array, int] | Unavailable:
        """Return s^2 (X'WX)^-1, shape (p, p), and n - p."""
        df = self.n_obs - len(self.names)
        if df < 1:
            return Unavailable(Phrase("there are as many coefficients as rows"))
        if self.solution.exact:
            return Unavailable(EXACT_FIT)
        back = self.solution.back
        return self.solution.rss / df * (back @ back.T), df

    def cluster_blocks(self) -> ClusterBlocks | Unavailable:
        """Return the pseudo-rows of every cluster, for cluster-robust inference."""
        if self.clusters is None:
            return Unavailable(Phrase("cluster-robust inference needs the clusters: give ols(..., cluster=) their column"))
        if self.solution.exact:
            return Unavailable(EXACT_FIT)
        return _blocks(self.solution, self.clusters, self.model.weights)

    def _method(self, method: Method | None) -> Method:
        """Return the method asked for, or the default."""
        if method is not None:
            return method
        return Classical() if self.clusters is None else CR2()

    def __str__(self) -> str:
        return _summary(self)


def ols(formula: str, frame: pd.DataFrame, *, cluster: str | None = None, weights: str | None = None) -> OlsFit:
    """Fit a linear model.

    Parameters
    ----------
    formula : str
        Such as ``"y ~ arm * x"``; no random terms.
    frame : pandas.DataFrame
        Rows with a missing value in a column of the model are left out and counted.
    cluster : str, optional
        Column of the clusters, for cluster-robust inference. A row of the model without a cluster is refused.
    weights : str, optional
        Column of positive weights. Classical inference takes them for inverse variances, cluster-robust inference for
        sampling weights of rows with one variance, as clubSandwich does.

    Returns
    -------
    OlsFit

    Raises
    ------
    Refusal
        If a column is unknown or of the wrong kind, the outcome is constant, or a cluster is missing.

    Notes
    -----
    Collinear columns are dropped as R drops them, and stay in ``tidy()`` as rows that say so. R: ``lm`` with
    ``clubSandwich::coef_test(fit, vcov = "CR2", cluster = ...)``.

    Examples
    --------
    >>> frame = pd.DataFrame({"y": [1.0, 2, 4, 3, 5, 7], "arm": list("aabbbb"), "g": [1, 2, 3, 3, 4, 4]})
    >>> ols("y ~ arm", frame, cluster="g").tidy()[["term", "estimate", "df", "method"]]
            term  estimate   df method
    0  Intercept      1.50  1.0    CR2
    1   arm[T.b]      3.25  1.8    CR2
    """
    design = read_design(formula, frame, weights=weights, random=False)
    if design.formula.blocks:
        RANDOM_IN_FIXED.refuse(formula)
    clusters = None if cluster is None else _clusters(frame, cluster, design)
    outcome = design.response if design.offset is None else design.response + design.offset
    if np.ptp(outcome) == 0:
        CONSTANT_OUTCOME.refuse(design.formula.response, found=f"{outcome[0]:g} in {len(outcome)} rows")
    names = design.layout.fixed_names
    solution = least_squares(design.fixed_matrix(), design.response, design.weights)
    if not solution.kept.any():
        NO_COLUMNS.refuse(formula)
    kept = tuple(n for n, k in zip(names, solution.kept, strict=True) if k)
    dropped = tuple(n for n in (*names, *design.fixed.absent) if n not in kept)
    return OlsFit(kept, dropped, solution.estimate, solution, design, clusters)


def _clusters(frame: pd.DataFrame, name: str, design: Design) -> Clusters:
    """Return the clusters of the rows used."""
    read_variable(frame, name)  # refuses an unknown column
    found = read_categories(frame[name])
    found = found if design.data.keep is None else found.take(design.data.keep)
    missing = int(found.missing.sum())
    if missing:
        MISSING_CLUSTER.refuse(name, found=f"{missing} of {design.data.n} rows")
    used: Categories = found.observed()
    return Clusters(name, used.codes, used.levels)


def _blocks(solution: LeastSquaresFit, clusters: Clusters, weights: Array | None) -> ClusterBlocks:
    """Sum the cross-products of the orthonormal columns over clusters."""
    codes, J, n = clusters.codes, len(clusters.levels), len(clusters.codes)
    columns, residuals = solution.columns, solution.residuals
    if not bool((np.diff(codes) >= 0).all()):
        order = np.argsort(codes, kind="stable")
        codes, columns, residuals = codes[order], columns[order], residuals[order]
        weights = None if weights is None else weights[order]
    if weights is None and int(np.bincount(codes).max()) < columns.shape[1]:
        rows = padded_rows(np.column_stack([columns, residuals]), codes, J)
        return ordinary_blocks_of_rows(rows[..., :-1], rows[..., -1], solution.back, n)
    if weights is not None:
        columns = np.hstack([columns, weights[:, None] * columns])
    gram, scores = cluster_sums(columns, codes, J), cluster_sums(columns, codes, J, residuals[:, None])[..., 0]
    build = ordinary_blocks if weights is None else weighted_blocks
    return build(gram, scores, solution.back, n)


def _total_squares(fit: OlsFit) -> float:
    """Return the weighted total sum of squares: about the mean if there is an intercept, else about zero."""
    y, w = fit.model.response, fit.model.weights
    w = np.ones_like(y) if w is None else w
    centre = float(w @ y / w.sum()) if fit.model.layout.has_intercept else 0.0
    return float(w @ (y - centre) ** 2)


def _summary(fit: OlsFit) -> str:
    """Return the fit as text, in the order of R's summary."""
    g = fit.glance().iloc[0]
    table = fit.tidy()
    method = table["method"].iloc[0]
    lines = [f"Linear model by {'ordinary' if fit.model.weights is None else 'weighted'} least squares"]
    lines += [f"Formula: {fit.model.formula.text}", f"Rows: {fit.n_obs} ({fit.n_dropped} left out because a value is missing)"]
    if fit.clusters is not None:
        lines.append(f"Clusters: {len(fit.clusters.levels)} of {fit.clusters.name}")
    shown = table[["term", "estimate", "std_error", "df", "statistic", "p_value"]].to_string(index=False, na_rep="")
    lines += ["", f"Coefficients (standard errors and df: {method})", shown, ""]
    if fit.dropped:
        lines.append(f"Dropped, being linear combinations of others: {', '.join(fit.dropped)}")
    lines.append(f"Residual SD {g['sigma']:.6g} on {g['df_residual']} df, R-squared {g['r_squared']:.4f}")
    return "\n".join(lines)
