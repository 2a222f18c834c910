"""Rubin's rules: the answers of m completed data sets as one.

With estimates Q_1, ..., Q_m and their squared standard errors U_1, ..., U_m::

    Qbar = mean Q,  Ubar = mean U,  B = variance of Q (m - 1),  T = Ubar + (1 + 1/m) B                    (Rubin 1987)
    r = (1 + 1/m) B / Ubar,  nu_m = (m - 1) (1 + 1/r)^2
    nu = 1 / (1/nu_m + 1/nu_obs),  nu_obs = (nu_com + 1)/(nu_com + 3) nu_com / (1 + r)             (Barnard & Rubin 1999)
    fmi = (r + 2/(nu + 3)) / (1 + r)

Convention of this package: nu_com is the mean of the degrees of freedom that a small-sample method gives the completed data
sets, and U the square of the standard error of the same method.

References
----------
Rubin (1987), Multiple Imputation for Nonresponse in Surveys. Barnard & Rubin (1999), Biometrika 86:948. Li, Raghunathan &
Rubin (1991), J Am Stat Assoc 86:1065. Reiter (2007), Biometrika 94:502. R: ``mitml::testEstimates``, ``testConstraints``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.contrasts import check_level
from asp_eval.stats.estimate import Array, JointTest, f_tail, t_quantile, t_tail

ONE_IMPUTATION = Fault(
    "IMP-001",
    "one imputation cannot be pooled: it does not show how much the answer varies between imputations",
    "Impute two times or more; 20 to 100 are usual.",
)
UNEQUAL_TABLES = Fault(
    "IMP-002",
    "estimates and standard errors are not of the same shape",
    "Give both as tables with one row per imputation and one column per term.",
)
NOT_POOLABLE = Fault(
    "IMP-003",
    "{what} of imputation {n} is no number that can be pooled",
    "Look at the fit of that imputation; leave the term out, or take a simpler model.",
)
DF_COMPLETE = Fault(
    "IMP-004",
    "the degrees of freedom of the complete data are no positive numbers, one in all or one per term",
    "Give for example df_complete=28, or leave it out.",
)

RUBIN, BARNARD_RUBIN = "Rubin", "Barnard-Rubin"
ESTIMATE, STD_ERROR = Phrase("an estimate"), Phrase("a standard error")
Numbers = pd.DataFrame | npt.NDArray[Any] | Sequence[Sequence[float]]
"""A table of one row per imputation and one column per term."""


@dataclass(frozen=True, slots=True, eq=False)
class PooledNumbers:
    """Rubin's rules for k terms, each array of shape (k,).

    Attributes
    ----------
    estimate, std_error, df : ndarray
        `df` is infinite where the imputations agree exactly and nothing is known of the complete data.
    within, between : ndarray
        Ubar and B.
    riv : ndarray
        Relative increase in variance r.
    fmi : ndarray
        Fraction of missing information.
    mc_error : ndarray
        Monte Carlo error of the estimate, sqrt(B / m): how far it would move with other imputations.
    """

    estimate: Array
    std_error: Array
    df: Array
    within: Array
    between: Array
    riv: Array
    fmi: Array
    mc_error: Array

    @property
    def statistic(self) -> Array:
        """t, estimate over standard error."""
        return self.estimate / self.std_error

    @property
    def p_value(self) -> Array:
        """Two-sided p-values."""
        return 2.0 * t_tail(np.abs(self.statistic), self.df)


def rubin(estimates: Array, variances: Array, df_complete: Array | None = None) -> PooledNumbers:
    """Return k terms pooled.

    Parameters
    ----------
    estimates, variances : ndarray (m, k)
    df_complete : ndarray (k,), optional
        nu_com; infinite entries, like none, give Rubin's degrees of freedom of 1987.

    Examples
    --------
    >>> pooled = rubin(np.array([[0.4], [1.1], [-0.3], [0.9], [0.2]]), np.array([[0.2], [0.25], [0.18], [0.22], [0.21]]))
    >>> pooled.estimate.round(2).tolist(), pooled.std_error.round(4).tolist(), pooled.df.round(2).tolist()
    ([0.46], [0.7666], [9.79])
    """
    m, k = estimates.shape
    within, between = variances.mean(0), estimates.var(0, ddof=1)
    total = within + (1 + 1 / m) * between
    riv = (1 + 1 / m) * between / within
    with np.errstate(divide="ignore"):
        inverse = 1.0 / ((m - 1) * (1 + 1 / riv) ** 2)  # zero where the imputations agree
        complete = np.full(k, np.inf) if df_complete is None else np.asarray(df_complete, float)
        known = np.where(np.isfinite(complete), complete, 1.0)
        observed = (known + 1) / (known + 3) * known / (1 + riv)
        df = 1.0 / (inverse + np.where(np.isfinite(complete), 1.0 / observed, 0.0))
    fmi = (riv + 2 / (df + 3)) / (1 + riv)
    return PooledNumbers(
        estimates.mean(0), np.sqrt(total), df, within, between, riv, fmi, np.asarray(np.sqrt(between / m), float)
    )


def mc_error_of_p(estimates: Array, variances: Array, df_complete: Array | None = None) -> Array:
    """Return the Monte Carlo error of the pooled p-values (k,), by leaving out each imputation in turn.

    NaN with two imputations. Formula: the jackknife's standard error; Royston, Carlin & White (2009), Stata J 9:252.
    """
    m, k = estimates.shape
    if m < 3:
        return np.full(k, np.nan)
    rest = [np.arange(m) != i for i in range(m)]
    p = np.array([rubin(estimates[keep], variances[keep], df_complete).p_value for keep in rest])
    return np.asarray(np.sqrt((m - 1) / m * ((p - p.mean(0)) ** 2).sum(0)), float)


def pool(
    estimates: Numbers,
    std_errors: Numbers,
    df_complete: float | Sequence[float] | Numbers | None = None,
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """Pool the estimates of m imputed data sets by Rubin's rules.

    Parameters
    ----------
    estimates, std_errors : DataFrame or array, shape (m, k)
        One row per imputation, one column per term.
    df_complete : float, sequence (k,) or table (m, k), optional
        Degrees of freedom that the analysis would have with complete data; of a table the mean over imputations is taken.
        Without it, or where infinite, the degrees of freedom are Rubin's of 1987, which can exceed those of complete data.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        term, estimate, std_error, df, statistic, p_value, conf_low, conf_high, method, note, riv (relative increase in
        variance), fmi (fraction of missing information), within, between, mc_error, mc_error_p (Monte Carlo errors of the
        estimate and of the p-value), df_complete.

    Raises
    ------
    Refusal
        If there is one imputation only, the tables differ in shape, or a number is missing or not finite.

    References
    ----------
    Rubin (1987); Barnard & Rubin (1999), Biometrika 86:948. R: ``mitml::testEstimates``.

    Examples
    --------
    >>> table = pool([[0.4], [1.1], [-0.3], [0.9], [0.2]], [[0.45], [0.5], [0.42], [0.47], [0.46]], df_complete=8)
    >>> table[["estimate", "std_error", "df", "p_value"]].round(3).values.tolist()
    [[0.46, 0.767, 1.904, 0.612]]
    """
    check_level(level)
    terms, Q, S = _tables(estimates, std_errors)
    return pooled_table(terms, Q, S, _df_complete(df_complete, len(terms)), level)


def pooled_table(terms: Sequence[str], estimates: Array, std_errors: Array, df: Array | None, level: float) -> pd.DataFrame:
    """Return `pool`'s table from arrays that are in order."""
    if len(estimates) < 2:
        ONE_IMPUTATION.refuse(found=Phrase("{n} imputation", n=len(estimates)))
    found = rubin(estimates, std_errors**2, df)
    half = t_quantile((1 + level) / 2, found.df) * found.std_error
    by_complete = np.zeros(len(terms), bool) if df is None else np.isfinite(df)
    return pd.DataFrame(
        {
            "term": list(terms),
            "estimate": found.estimate,
            "std_error": found.std_error,
            "df": found.df,
            "statistic": found.statistic,
            "p_value": found.p_value,
            "conf_low": found.estimate - half,
            "conf_high": found.estimate + half,
            "method": [BARNARD_RUBIN if known else RUBIN for known in by_complete],
            "note": [NO_NOTE for _ in terms],
            "riv": found.riv,
            "fmi": found.fmi,
            "within": found.within,
            "between": found.between,
            "mc_error": found.mc_error,
            "mc_error_p": mc_error_of_p(estimates, std_errors**2, df),
            "df_complete": np.full(len(terms), np.inf) if df is None else df,
        }
    )


def joint_test(term: str, estimates: Array, covariances: Array, df_complete: float | None = None) -> JointTest:
    """Return the test D1 that q terms are zero together.

    Parameters
    ----------
    term : str
    estimates : ndarray (m, q)
    covariances : ndarray (m, q, q)
    df_complete : float, optional
        Degrees of freedom of the complete data; the denominator is then Reiter's (2007).

    References
    ----------
    Li, Raghunathan & Rubin (1991), J Am Stat Assoc 86:1065; Reiter (2007), Biometrika 94:502.
    """
    m, q = estimates.shape
    if m < 2:
        ONE_IMPUTATION.refuse(found=Phrase("{n} imputation", n=m))
    mean, within = estimates.mean(0), covariances.mean(0)
    centred = estimates - mean
    between = centred.T @ centred / (m - 1)
    r = (1 + 1 / m) * float(np.trace(np.linalg.solve(within, between))) / q
    statistic = float(mean @ np.linalg.solve(within, mean)) / (q * (1 + r))
    t = q * (m - 1)
    finite = df_complete is not None and np.isfinite(df_complete)
    df = _reiter(r, t, float(df_complete or 0.0)) if finite else _li_raghunathan_rubin(r, t, q)
    return JointTest(term, statistic, float(q), df, f_tail(statistic, q, df), "D1 (Reiter)" if finite else "D1")


def _li_raghunathan_rubin(r: float, t: int, q: int) -> float:
    """Return the denominator's degrees of freedom when those of the complete data are infinite."""
    if r == 0:
        return float("inf")
    if t > 4:
        return 4 + (t - 4) * (1 + (1 - 2 / t) / r) ** 2
    return t * (1 + 1 / q) * (1 + 1 / r) ** 2 / 2


def _reiter(r: float, t: int, df: float) -> float:
    """Return the denominator's degrees of freedom when the complete data have few (Reiter 2007, sec. 3)."""
    a = r * t / (t - 2)
    v = (df + 1) / (df + 3) * df
    c0, c1, c2 = 1 / (t - 4), v - 2 * (1 + a), v - 4 * (1 + a)
    z = (
        1 / c2
        + c0 * (a**2 * c1 / ((1 + a) ** 2 * c2))
        + c0 * (8 * a**2 * c1 / ((1 + a) * c2**2) + 4 * a**2 / ((1 + a) * c2))
        + c0 * (4 * a**2 / (c2 * c1) + 16 * a**2 * c1 / c2**3)
        + c0 * (8 * a**2 / c2**2)
    )
    return 4 + 1 / z


def _tables(estimates: Numbers, std_errors: Numbers) -> tuple[list[str], Array, Array]:
    """Return the terms and both tables as arrays (m, k)."""
    Q, S = (np.asarray(table, dtype=np.float64) for table in (estimates, std_errors))
    if Q.ndim != 2 or Q.shape != S.shape:
        UNEQUAL_TABLES.refuse(found=f"{Q.shape}, {S.shape}")
    if isinstance(estimates, pd.DataFrame):
        terms = [str(name) for name in estimates.columns]
        if isinstance(std_errors, pd.DataFrame) and list(std_errors.columns) != list(estimates.columns):
            UNEQUAL_TABLES.refuse(found=", ".join(map(str, std_errors.columns)), expected=", ".join(terms))
    else:
        terms = [f"term {j + 1}" for j in range(Q.shape[1])]
    for what, table, wrong in ((ESTIMATE, Q, ~np.isfinite(Q)), (STD_ERROR, S, ~(np.isfinite(S) & (S > 0)))):
        if wrong.any():
            i, j = (int(v[0]) for v in np.nonzero(wrong))
            NOT_POOLABLE.refuse(terms[j], found=float(table[i, j]), what=what, n=i + 1)
    return terms, Q, S


def _df_complete(given: float | Sequence[float] | Numbers | None, k: int) -> Array | None:
    """Return the degrees of freedom of the complete data, one per term."""
    if given is None:
        return None
    df = np.asarray(given, dtype=np.float64)
    df = df.mean(0) if df.ndim == 2 else df
    if df.shape not in ((), (k,)) or not bool((df > 0).all()):
        DF_COMPLETE.refuse(found=str(given))
    return np.broadcast_to(df, (k,)).astype(np.float64)
