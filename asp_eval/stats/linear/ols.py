"""Linear models by ordinary or weighted least squares, with classical or cluster-robust inference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.core.randomness import stream
from asp_eval.stats import contrasts
from asp_eval.stats.coefficients import Coefficients
from asp_eval.stats.design.formula import RANDOM_IN_FIXED, parse_formula
from asp_eval.stats.design.model_frame import Design, read_design
from asp_eval.stats.design.prediction import mean_rows, predict_rows
from asp_eval.stats.design.tables import Given, as_frame, one_of, with_column
from asp_eval.stats.design.updating import updated_formula
from asp_eval.stats.design.variables import Categories, Codes, read_categories, read_variable
from asp_eval.stats.engine.least_squares import LeastSquaresFit, least_squares
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.familiar_names import Summary
from asp_eval.stats.means.model import MeansModel
from asp_eval.stats.means.questions import MarginalQuestions
from asp_eval.stats.prediction_table import prediction_table
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
from asp_eval.stats.smallsample.influence import influence_table
from asp_eval.stats.smallsample.method import Method

CONSTANT_OUTCOME = Fault("FIT-060", "the outcome has the same value in every row", "There is nothing to explain: check it.")
RESIDUALS = Fault("FIT-017", "there are no residuals of this kind", 'Use "response", "pearson" or "standardised".')
NO_INFLUENCE = Fault("FIT-018", "the influence of clusters cannot be had", "Give ols(..., cluster=) the column of the clusters.")
MANY_CLUSTERINGS = Fault("FIT-019", "clusters are one clustering, or two different ones that cross", "Give one or two columns.")
TWO_WAY = " and "
TWO_CLUSTERINGS = Phrase("clusters that cross have no single set of clusters: use CR0, CR1 or CR1S")
MISSING_CLUSTER = Fault(
    "FIT-061", "rows of the model have no cluster", "Fill in the cluster of these rows, or leave the rows out yourself."
)
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
class OlsFit(Coefficients, MarginalQuestions):
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
        With two clusterings, their combinations.
    crossed : tuple of Clusters or None
        The two clusterings and their combinations, if two were given.
    """

    names: tuple[str, ...]
    dropped: tuple[str, ...]
    estimate: Array
    solution: LeastSquaresFit
    model: Design
    clusters: Clusters | None
    crossed: tuple[Clusters, Clusters, Clusters] | None = None

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
        return (*self.model.layout.notes, *out)

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
    def means_model(self) -> MeansModel:
        """What the fit brings to its marginal means."""
        kept = tuple(np.flatnonzero(self.solution.kept).tolist())
        return MeansModel(self, self.model, kept, self.usual_method, weights=self.model.weights)

    @property
    def cluster_codes(self) -> Codes | None:
        """Cluster of the rows used as numbers from 0, shape (n,), or None without clusters."""
        return None if self.clusters is None else self.clusters.codes

    @property
    def usual_method(self) -> Method:
        """`CR2` where clusters were given, else classical t."""
        return Classical() if self.clusters is None else CR2()

    @property
    def own_covariance(self) -> Array | Unavailable:
        """Covariance matrix (p, p) of the coefficients by the model itself."""
        return Classical().covariance(self)

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
            "n_obs": n,
            "n_clusters": None if self.clusters is None else len(self.clusters.levels),
            "df_residual": n - p,
            "sigma": float(np.sqrt(s.rss / (n - p))) if n > p else np.nan,
            "r_squared": r_squared,
            "adj_r_squared": adjusted,
            "log_likelihood": log_likelihood,
            "aic": -2 * log_likelihood + 2 * (p + 1),
            "bic": -2 * log_likelihood + np.log(n) * (p + 1),
        }
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

    def predict_intervals(
        self, frame: pd.DataFrame, level: float = 0.95, kind: str = "confidence", method: Method | None = None
    ) -> pd.DataFrame:
        """Return predictions of new rows with their uncertainty: estimate, std_error, df, conf_low, conf_high, method, note.

        Parameters
        ----------
        frame : pandas.DataFrame
        level : float
        kind : {"confidence", "prediction"}
            Of the mean; or of one new row, which adds the residual variance. As R's ``predict(interval = ...)`` with
            ``method=Classical()``.
        method : Method, optional
            Of the mean's standard error and the degrees of freedom.
        """
        mean = mean_rows(self.model, np.flatnonzero(self.solution.kept).tolist(), frame)
        new = isinstance(kind, str) and kind == "prediction"
        added = np.full(len(mean.X), self._residual_variance()) if new else None
        return prediction_table(self, mean, self.method_or_usual(method), level, kind, added)

    def residuals_by(self, kind: str = "response") -> Array:
        """Return residuals (n,) of one kind.

        Parameters
        ----------
        kind : {"response", "pearson", "standardised"}
            Outcome less fitted value; times the root of the weight, as R's; over sigma as well, as statsmodels'.
        """
        root = 1.0 if self.model.weights is None else np.sqrt(self.model.weights)
        if not isinstance(kind, str):
            RESIDUALS.refuse(found=kind)
        if kind == "response":
            return self.residuals
        if kind in ("pearson", "standardised"):
            return np.asarray(self.residuals * root / (1.0 if kind == "pearson" else np.sqrt(self._residual_variance())), float)
        return RESIDUALS.refuse(found=kind)

    def simulate(self, n: int = 1, seed: int = 1) -> Array:
        """Return `n` new outcomes of the rows used (rows, n), with independent normal residuals; one seed, one answer."""
        draws, seed = contrasts.whole_number("n", n, 1), contrasts.whole_number("seed", seed, 0)
        sd = np.sqrt(self._residual_variance() / (np.ones(self.n_obs) if self.model.weights is None else self.model.weights))
        noise = stream(seed, "outcomes of a linear model").standard_normal((self.n_obs, draws))
        return np.asarray(self.fitted[:, None] + sd[:, None] * noise, float)

    def update(self, formula: str, frame: pd.DataFrame | None = None) -> OlsFit:
        """Return the model of another formula, in which dots stand for this one's sides: ``"~ . + x"``."""
        text = updated_formula(self.model.formula.text, formula)
        table = self.model.frame if frame is None else frame
        names = [c.name for c in self.crossed[:2]] if self.crossed else [c.name for c in (self.clusters,) if c is not None]
        return ols(text, table, cluster=names or None, weights=self.model.weights_name)

    def influence(self) -> pd.DataFrame:
        """Return what each cluster does: its rows, Cook's distance and the estimates without it, in one pass.

        Returns
        -------
        DataFrame
            cluster, n_obs, cooks_distance, one column per coefficient, note.
        """
        blocks = self.cluster_blocks()
        if isinstance(blocks, Unavailable) or self.clusters is None:
            return NO_INFLUENCE.refuse(found=blocks.reason if isinstance(blocks, Unavailable) else None)
        sizes = np.bincount(self.clusters.codes, minlength=len(self.clusters.levels))
        variance = self._residual_variance()
        return influence_table(blocks, variance, self.names, self.estimate, self.clusters.levels, sizes)

    def summary(self, method: Method | None = None) -> Summary:
        """Return the fit as text, with a method's standard errors, degrees of freedom and p-values."""
        return Summary(_summary(self, method))

    def crossed_blocks(self) -> tuple[ClusterBlocks, ClusterBlocks, ClusterBlocks] | None:
        """Return the pseudo-rows of two clusterings and of their combinations, or None without a second one."""
        if self.crossed is None or self.clusters is None:
            return None
        one, other, both = (blocks_of(self.solution, c, self.model.weights) for c in self.crossed)
        return one, other, both

    def _residual_variance(self) -> float:
        """Return s^2 of a row of weight one."""
        df = self.n_obs - len(self.names)
        return self.solution.rss / df if df > 0 else np.nan

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
            return Unavailable(Phrase("cluster-robust inference needs the clusters, which the fit was not given"))
        if self.solution.exact:
            return Unavailable(EXACT_FIT)
        if self.crossed is not None:
            return Unavailable(TWO_CLUSTERINGS)
        return blocks_of(self.solution, self.clusters, self.model.weights)

    def __str__(self) -> str:
        return _summary(self)


def ols(
    formula: str,
    frame: pd.DataFrame | None = None,
    *,
    cluster: Given | Sequence[str] | None = None,
    weights: Given | None = None,
    data: pd.DataFrame | None = None,
) -> OlsFit:
    """Fit a linear model.

    Parameters
    ----------
    formula : str
        Such as ``"y ~ arm * x"``; no random terms.
    frame : pandas.DataFrame, or anything with ``to_pandas``
        Rows with a missing value in a column of the model are left out and counted.
    cluster : str, array (n,), or two names, optional
        The clusters, for cluster-robust inference, as a column's name or values; two names for clusters that cross. A row of
        the model without a cluster is refused.
    data : optional
        Another name for `frame`.
    weights : str or array (n,), optional
        Positive weights, as a column's name or values. Classical inference takes them for inverse variances, cluster-robust
        inference for sampling weights of rows with one variance, as clubSandwich does.

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
    table, names_of_clusters = _with_clusters(parse_formula(formula).text, one_of(frame, data), cluster)
    design = read_design(formula, table, weights=weights, random=False, besides=names_of_clusters)
    if design.formula.blocks:
        RANDOM_IN_FIXED.refuse(formula)
    found = [read_clusters(design.frame, name, design) for name in names_of_clusters]
    crossed = None if len(found) < 2 else (found[0], found[1], _combined(found[0], found[1]))
    clusters = crossed[2] if crossed is not None else found[0] if found else None
    outcome = design.response if design.offset is None else design.response + design.offset
    if np.ptp(outcome) == 0:
        CONSTANT_OUTCOME.refuse(design.formula.response, found=f"{outcome[0]:g} in {len(outcome)} rows")
    names = design.layout.fixed_names
    solution = least_squares(design.fixed_matrix(), design.response, design.weights)
    if not solution.kept.any():
        NO_COLUMNS.refuse(formula)
    kept = tuple(n for n, k in zip(names, solution.kept, strict=True) if k)
    dropped = tuple(n for n in (*names, *design.fixed.absent) if n not in kept)
    return OlsFit(kept, dropped, solution.estimate, solution, design, clusters, crossed)


def _with_clusters(formula: str, frame: object, cluster: Given | Sequence[str] | None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the data with the clusters among their columns, and the names of these: none, one or two."""
    table = as_frame(frame)
    if cluster is None:
        return table, ()
    if isinstance(cluster, (list, tuple)) and cluster and all(isinstance(c, str) and c in table.columns for c in cluster):
        if len(cluster) > 2 or len(set(cluster)) < len(cluster):
            MANY_CLUSTERINGS.refuse(formula, found=", ".join(cluster))
        return table, tuple(cluster)
    table, name = with_column(table, cluster, "cluster")
    return table, (name,)


def _combined(one: Clusters, other: Clusters) -> Clusters:
    """Return the combinations of two clusterings that occur."""
    joint = one.codes * len(other.levels) + other.codes
    codes, distinct = pd.factorize(joint, sort=True)
    first, second = np.divmod(distinct, len(other.levels))
    levels = pd.MultiIndex.from_arrays([one.levels.take(first), other.levels.take(second)], names=[one.name, other.name])
    return Clusters(f"{one.name}{TWO_WAY}{other.name}", codes.astype(np.intp), levels)


def read_clusters(frame: pd.DataFrame, name: str, design: Design) -> Clusters:
    """Return the clusters of the rows used."""
    read_variable(frame, name)  # refuses an unknown column
    found = read_categories(frame[name])
    found = found if design.data.keep is None else found.take(design.data.keep)
    missing = int(found.missing.sum())
    if missing:
        MISSING_CLUSTER.refuse(name, found=f"{missing} of {design.data.n} rows")
    used: Categories = found.observed()
    return Clusters(name, used.codes, used.levels)


def blocks_of(solution: LeastSquaresFit, clusters: Clusters, weights: Array | None) -> ClusterBlocks:
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
    """Return the weighted sum of squares of the fitted values, offset included, about their mean, and of the residuals.

    Without an intercept it is about zero. Without an offset it is the outcome's; with one it is R's, in which the offset is
    explained variation.
    """
    f, w = fit.fitted, fit.model.weights
    w = np.ones_like(f) if w is None else w
    centre = float(w @ f / w.sum()) if fit.model.layout.has_intercept else 0.0
    return float(w @ (f - centre) ** 2) + fit.solution.rss


def _summary(fit: OlsFit, asked: Method | None = None) -> str:
    """Return the fit as text, in the order of R's summary."""
    g = fit.glance().iloc[0]
    table = fit.tidy(asked)
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
