r"""Model-robust standardisation of a cluster-randomised trial, with its jackknife.

For cluster i of n_i rows, with mean outcome :math:`\bar Y_i`, arm :math:`A_i` that it had with probability
:math:`\pi_{ia}`, and the mean :math:`\hat m_{ia}` that a working model predicts of its rows under arm a,

.. math:: \hat\mu_{ia} = \hat m_{ia} + \frac{I(A_i = a)}{\pi_{ia}} (\bar Y_i - \hat m_{ia}), \qquad
   \hat\mu_a^C = \frac1J \sum_i \hat\mu_{ia}, \quad \hat\mu_a^P = \frac{\sum_i n_i \hat\mu_{ia}}{\sum_i n_i}

Means of clusters (C) and of participants (P) are those of the trial's own clusters whatever the working model, and whether or
not the effect depends on the size. The standard error of a function f of the means is that of the jackknife over clusters,

.. math:: SE^2 = \frac{(J-1)^2}{J} \widehat{\mathrm{Var}}\{ f(\hat\mu^{(-i)}) \}

(Li, Tong, Fang, Cheng, Kahan & Wang 2025, Statistics in Medicine 44, "Model-robust standardization in cluster-randomized
trials"; their R package MRStdCRT calls it jackknife 1). t has the clusters less the rank of the columns that do not vary within
clusters as degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.engine.least_squares import independent_columns, triangular_factor
from asp_eval.stats.estimands.working_models import LINKS, Family, Working, coefficients
from asp_eval.stats.estimate import Array, Estimate, t_quantile, t_tail
from asp_eval.stats.smallsample.cluster_blocks import cluster_sums

CLUSTER, PARTICIPANT = 0, 1
CONSTANT_WITHIN = 1e-10
"""Share of a column's mean square below which what varies within clusters is rounding."""

HALF = 0.5
"""Size of what a unit takes from orthonormal columns up to which the others determine them well."""
SINGULAR = 1e-9
"""Share of the largest below which a direction of orthonormal columns is one that only the cluster left out has."""
LINEAR = ("lm", "gee_ind")
GAUSSIAN = ("lm", "lmm")
"""Working models whose predictions are linear whatever the outcome."""

ROUNDING = 1e-12  # of the means: what differs by less does not differ
ONE_CLUSTER = Unavailable(
    Phrase("an arm has one institution only: what institutions differ by cannot be told from what the arms differ by")
)
NO_FREEDOM = Unavailable(Phrase("there are too few institutions for the terms that differ between institutions"))


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """The rows of a cluster-randomised trial.

    Attributes
    ----------
    y : ndarray (n,)
    X : ndarray (n, p)
        Constant and covariates, without the arms.
    clusters : ndarray of int (n,)
        0, ..., J - 1.
    arms : ndarray of int (J,)
        Position of each cluster's arm.
    probabilities : ndarray (J, arms)
        Of each arm, by the lot.
    units : ndarray of int (J,), optional
        0, ..., U - 1: pairs within which the lot was drawn, so that a pair is left out as a whole.
    """

    y: Array
    X: Array
    clusters: Codes
    arms: Codes
    probabilities: Array
    units: Codes | None = None

    @property
    def left_out_together(self) -> Codes:
        """Which clusters the jackknife leaves out together, (J,): each alone, or each pair."""
        return np.arange(len(self.arms)) if self.units is None else self.units

    @property
    def n_arms(self) -> int:
        """How many arms there are."""
        return int(self.probabilities.shape[1])

    def without(self, unit: int) -> Trial:
        """Return the trial without the clusters of a unit."""
        others = self.left_out_together != unit
        rows = others[self.clusters]
        codes = (np.cumsum(others) - 1)[self.clusters[rows]]
        return Trial(self.y[rows], self.X[rows], codes, self.arms[others], self.probabilities[others])

    def of_means(self) -> tuple[Trial, Array]:
        """Return the trial with one row per cluster, its means; and the cluster sizes."""
        sizes, J = np.bincount(self.clusters).astype(float), len(self.arms)
        means = np.column_stack([np.bincount(self.clusters, column, J) for column in self.X.T]) / sizes[:, None]
        y = np.bincount(self.clusters, self.y, J) / sizes
        return Trial(y, means, np.arange(J), self.arms, self.probabilities, self.units), sizes


@dataclass(frozen=True, slots=True, eq=False)
class MarginalMeans:
    """Mean outcomes under each arm, averaged over clusters (row 0) and over participants (row 1).

    Attributes
    ----------
    means : ndarray (2, arms)
    left_out : ndarray (U, 2, arms)
        The same without each cluster, or each pair.
    df : int
        Clusters less the rank of the columns that do not vary within clusters; of pairs, their number less one and less the
        covariates that do not vary within clusters.
    """

    means: Array
    left_out: Array
    df: int

    def estimate(self, term: str, contrast: Callable[[Array], Array], level: float, null: float = 0.0) -> Estimate:
        """Return a function of the means, with the jackknife's standard error.

        Parameters
        ----------
        term : str
        contrast : callable
            From means (..., 2, arms) to numbers (...).
        level : float
        null : float
            The value that is tested.
        """
        found, J = float(contrast(self.means)), len(self.left_out)
        se = float(np.sqrt((J - 1) ** 2 / J * np.var(contrast(self.left_out), ddof=1)))
        rounding = ROUNDING * float(np.abs(self.left_out).max())
        if not np.isfinite(found) or not np.isfinite(se) or se <= rounding:
            return Estimate.unavailable(term, Phrase("the standardised means do not vary, or one of them is not possible"))
        df = np.asarray(float(self.df))
        statistic, half = (found - null) / se, float(t_quantile(0.5 + level / 2, df)) * se
        p = 2 * float(t_tail(np.asarray(abs(statistic)), df))
        return Estimate(term, found, se, float(self.df), statistic, p, found - half, found + half, "Jackknife", NO_NOTE)


def marginal_means(trial: Trial, working: Working, family: Family) -> MarginalMeans | Unavailable:
    """Return the mean outcome under each arm of both averages, and the same without each cluster in turn.

    Parameters
    ----------
    trial : Trial
    working : {"lm", "lmm", "gee_ind", "gee_exch"}
    family : {"gaussian", "binomial", "poisson"}

    Returns
    -------
    MarginalMeans or Unavailable
        Unavailable where an arm has fewer than two clusters, or no degrees of freedom are left.

    Raises
    ------
    Refusal
        FIT-160 if the working model has no solution.
    """
    J, units = len(trial.arms), int(trial.left_out_together.max()) + 1
    if np.bincount(trial.arms, minlength=trial.n_arms).min() < 2:
        return ONE_CLUSTER
    df = J - _rank_between(trial) if units == J else units - 1 - (_rank_between(trial) - trial.n_arms)
    if df < 1:
        return NO_FREEDOM
    kind: Family = "gaussian" if working in GAUSSIAN else family
    all_rows = _standardised(trial, _coefficients(trial, working, kind), kind)
    if working in LINEAR and kind == "gaussian":
        left_out = _without_each(trial, working)
    else:
        parts = [trial.without(unit) for unit in range(units)]
        left_out = np.array([_standardised(part, _coefficients(part, working, kind), kind) for part in parts])
    return MarginalMeans(all_rows, left_out, df)


def _columns(trial: Trial) -> Array:
    """Return the columns of the working model: constant, covariates and arms after the first."""
    return np.column_stack([trial.X, np.eye(trial.n_arms)[:, 1:][trial.arms[trial.clusters]]])


def _coefficients(trial: Trial, working: Working, family: Family) -> Array:
    """Return the coefficients of the working model of a trial's rows."""
    rows = trial.of_means()[0] if working == "lm" else trial
    return coefficients(_columns(rows), rows.y, rows.clusters, working, family)


def _standardised(trial: Trial, beta: Array, family: Family) -> Array:
    """Return the means of both averages under each arm, (2, arms), from the working model's coefficients."""
    means, sizes = trial.of_means()
    indicators, p, J = np.eye(trial.n_arms)[:, 1:], trial.X.shape[1], len(trial.arms)
    predictor = (trial.X @ beta[:p])[:, None] + (indicators @ beta[p:])[None, :]
    predicted = LINKS[family].moments.inverse(predictor)
    fitted = np.column_stack([np.bincount(trial.clusters, column, J) for column in predicted.T]) / sizes[:, None]
    return _averaged(trial, means.y, fitted, sizes)


def _averaged(trial: Trial, y: Array, fitted: Array, sizes: Array) -> Array:
    """Return both averages of the clusters' predictions with their own residuals put back, (2, arms).

    Parameters
    ----------
    trial : Trial
    y, sizes : ndarray (J,)
    fitted : ndarray (J, arms)
    """
    had = np.eye(trial.n_arms)[trial.arms] / trial.probabilities
    own = fitted + had * (y[:, None] - fitted)
    return np.stack([own.mean(axis=0), sizes / sizes.sum() @ own])


def _without_each(trial: Trial, working: Working) -> Array:
    """Return the means without each cluster of a least-squares working model, (J, 2, arms), from cross-products of clusters."""
    means, sizes = trial.of_means()
    rows, J = (means if working == "lm" else trial), len(trial.arms)
    X = _columns(rows)
    kept = independent_columns(triangular_factor(X), constant_first=True)
    Q, R = np.linalg.qr(X[:, kept])
    order = np.argsort(rows.clusters, kind="stable")
    sums = cluster_sums(Q[order], rows.clusters[order], J, np.column_stack([Q, rows.y])[order])
    together = _by_unit(trial, sums)
    beta = np.zeros((len(together), X.shape[1]))
    beta[:, kept] = np.linalg.solve(R, _solved_without_each(together).T).T
    weights = np.stack([np.ones(J), sizes])
    return np.stack([_averaged_without_each(trial, means, beta, weight) for weight in weights], axis=1)


def _by_unit(trial: Trial, of_clusters: Array) -> Array:
    """Return sums over the clusters that are left out together, (U, ...), of values by cluster (J, ...)."""
    units = trial.left_out_together
    sums = np.zeros((int(units.max()) + 1, *of_clusters.shape[1:]))
    np.add.at(sums, units, of_clusters)
    return sums


def _solved_without_each(together: Array) -> Array:
    """Return the solutions (U, k) of the normal equations without each unit, from the units' own [Q'Q, Q'y], (U, k, k + 1).

    Q is orthonormal, so what is left of Q'Q is the identity less the unit's own: it can only be singular where that is large.
    """
    others = together.sum(axis=0) - together
    solved = np.empty(others.shape[:2])
    large = np.linalg.norm(together[..., :-1], axis=(1, 2)) > HALF
    solved[~large] = np.linalg.solve(others[~large, :, :-1], others[~large, :, -1:])[..., 0]
    solved[large] = (np.linalg.pinv(others[large, :, :-1], rcond=SINGULAR, hermitian=True) @ others[large, :, -1:])[..., 0]
    return solved


def _averaged_without_each(trial: Trial, means: Trial, beta: Array, weight: Array) -> Array:
    """Return one average of the clusters' predictions with their own residuals put back, without each unit, (U, arms).

    It is that of `_averaged`: predictions are linear in the coefficients, so that their sum over the other clusters is that of
    all less the unit's own.
    """
    had = np.eye(trial.n_arms)[trial.arms] / trial.probabilities
    predicted, own = weight[:, None] * (1.0 - had), weight[:, None] * had * means.y[:, None]
    by_cluster = np.concatenate([predicted[:, :, None] * means.X[:, None, :], predicted[:, :, None], own[:, :, None]], axis=2)
    by_unit = _by_unit(trial, by_cluster)
    columns, arm, outcome = np.split(by_unit.sum(axis=0) - by_unit, [means.X.shape[1], means.X.shape[1] + 1], axis=2)
    p = means.X.shape[1]
    of_arms = np.column_stack([np.zeros(len(beta)), beta[:, p:]])
    total = np.einsum("uap,up->ua", columns, beta[:, :p]) + arm[..., 0] * of_arms + outcome[..., 0]
    return np.asarray(total / (weight.sum() - _by_unit(trial, weight))[:, None])


def _rank_between(trial: Trial) -> int:
    """Return the rank of the arms and the columns that do not vary within clusters."""
    means, _ = trial.of_means()
    within = ((trial.X - means.X[trial.clusters]) ** 2).mean(axis=0)
    constant = within <= CONSTANT_WITHIN * np.maximum((trial.X**2).mean(axis=0), np.finfo(float).tiny)
    between = np.column_stack([means.X[:, constant], np.eye(trial.n_arms)[:, 1:][trial.arms]])
    return int(independent_columns(triangular_factor(between), constant_first=True).sum())
