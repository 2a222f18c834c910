"""Fits of one model to every imputed data set, and their pooled answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one
from asp_eval.stats.contrasts import check_level
from asp_eval.stats.estimate import Array, JointTest
from asp_eval.stats.imputation.joint_model import Marks
from asp_eval.stats.imputation.pooling import joint_test, pooled_table
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.stats.smallsample.method import Method

OTHER_TERMS = Fault(
    "IMP-050",
    "the fit of imputation {n} has other coefficients than the first",
    "Declare the categories of every factor, so that each data set has the same; or leave out categories that are rare.",
)
NO_TABLE = Fault(
    "IMP-051",
    "what the model gave is no fit that can be pooled",
    "Give a fit of this package or of statsmodels, or a table with term, estimate and std_error.",
)
NO_POOLED_PERMUTATION = Phrase(
    "a permutation test has no pooled p-value, because it counts allocations within one data set; "
    "the mixed model's own is pooled instead"
)
NO_DF = Phrase("the numbers of one imputation cannot be had")
WIDE = 1.5
"""Ratio of the most to the fewest degrees of freedom from which their range is said."""


@dataclass(frozen=True, slots=True, eq=False)
class Analyses:
    """Fits to each of n imputed data sets; ``pool()`` makes them one answer.

    Attributes
    ----------
    fits : tuple
        One for each data set; only one where nothing was imputed.
    n : int
        Imputed data sets.
    notes : tuple of Phrase
    """

    fits: tuple[Any, ...]
    n: int
    notes: tuple[Phrase, ...] = ()

    def pool(self, method: Method | None = None, *, level: float = 0.95, df_complete: float | None = None) -> pd.DataFrame:
        """Pool the coefficients by Rubin's rules.

        Parameters
        ----------
        method : Method, optional
            How each fit's standard errors and degrees of freedom come about; a fit's usual one if none is given.
        level : float
            Of the intervals.
        df_complete : float, optional
            Degrees of freedom with complete data, for all terms. Without it, the mean over the data sets of those that the
            method gives each term.

        Returns
        -------
        DataFrame
            As `asp_eval.pool`. A term without a standard error in some data set is an empty row with the reason in `note`. Where
            nothing was imputed, the rows are those of the fit itself.

        Examples
        --------
        >>> table = pd.DataFrame({"term": ["x"], "estimate": [1.0], "std_error": [0.5], "df": [20.0]})
        >>> Analyses((table, table.assign(estimate=1.4)), 2).pool()[["estimate", "std_error", "df"]].round(3).values.tolist()
        [[1.2, 0.608, 5.37]]
        """
        check_level(level)
        if isinstance(method, Permutation):
            table = self.pool(None, level=level, df_complete=df_complete)
            return table.assign(note=[notes_in_one(n for n in (note, NO_POOLED_PERMUTATION) if n) for note in table["note"]])
        tables = [_table(fit, method, level) for fit in self.fits]
        terms = [str(term) for term in tables[0]["term"]]
        for k, table in enumerate(tables[1:], 2):
            if [str(term) for term in table["term"]] != terms:
                OTHER_TERMS.refuse(found=", ".join(map(str, table["term"])), expected=", ".join(terms), n=k)
        if len(tables) == 1:
            return _as_pooled(tables[0])
        Q, S, D = (np.array([table[c].to_numpy(float) for table in tables]) for c in ("estimate", "std_error", "df"))
        good = (np.isfinite(Q) & (S > 0) & ~np.isnan(D)).all(axis=0)
        df = D.mean(0) if df_complete is None else np.full(len(terms), float(df_complete))
        kept = [t for t, fine in zip(terms, good, strict=True) if fine]
        pooled = pooled_table(kept, Q[:, good], S[:, good], df[good], level) if kept else _as_pooled(tables[0].iloc[:0])
        if df_complete is None:
            pooled["note"] = [_range_of_df(D[:, j]) for j in np.flatnonzero(good)]
        pooled["df_low"], pooled["df_high"] = D[:, good].min(0), D[:, good].max(0)
        return _with_absent(pooled, terms, Q, [_reason(tables, j) for j in range(len(terms))], good)

    def joint_test(self, terms: Sequence[str], method: Method | None = None) -> JointTest:
        """Return the test that several coefficients are zero together: D1 of Li, Raghunathan & Rubin (1991), with Reiter's (2007)
        degrees of freedom where the fits' own test has few.
        """  # noqa: D205
        own = [fit.joint_test(list(terms), **({} if method is None else {"method": method})) for fit in self.fits]
        if len(self.fits) == 1 or any(test.statistic is None for test in own):
            return next((test for test in own if test.statistic is None), own[0])  # type: ignore[no-any-return]
        covariances = [fit.vcov(method) for fit in self.fits]
        reason = next((c for c in covariances if isinstance(c, Unavailable)), None)
        if isinstance(reason, Unavailable):
            return JointTest(", ".join(terms), None, None, None, None, "D1", reason.reason)
        places = [self.fits[0].names.index(term) for term in terms]
        Q = np.array([fit.estimate[places] for fit in self.fits])
        U = np.array([c.loc[list(terms), list(terms)].to_numpy() for c in covariances])
        return joint_test(", ".join(terms), Q, U, float(np.mean([test.df_denominator for test in own])))


def _table(fit: Any, method: Method | None, level: float) -> pd.DataFrame:
    """Return term, estimate, std_error, df and note of a fit."""
    if isinstance(fit, pd.DataFrame):
        table = fit
    elif callable(getattr(fit, "tidy", None)):
        table = fit.tidy(level=level) if method is None else fit.tidy(method=method, level=level)
    elif hasattr(fit, "params") and hasattr(fit, "bse"):  # statsmodels
        df = float(fit.df_resid) if getattr(fit, "use_t", False) else np.inf
        names = list(getattr(fit.params, "index", fit.model.exog_names))
        table = pd.DataFrame({"term": names, "estimate": np.asarray(fit.params), "std_error": np.asarray(fit.bse), "df": df})
    else:
        return NO_TABLE.refuse(found=type(fit).__name__)
    if not {"term", "estimate", "std_error"} <= set(table.columns):
        NO_TABLE.refuse(found=", ".join(map(str, table.columns)))
    out = pd.DataFrame(table.copy())
    for name, value in (("df", np.inf), ("method", ""), ("note", NO_NOTE)):
        if name not in out:
            out[name] = [value] * len(out)
    return out


def _range_of_df(df: Array) -> Phrase:
    """Say the range of the degrees of freedom, where it is wide."""
    low, high = float(df.min()), float(df.max())
    if not (np.isfinite(high) and high > WIDE * low):
        return NO_NOTE
    return Phrase(
        "The imputed data sets have {low:.1f} to {high:.1f} degrees of freedom for it; their mean is used.", low=low, high=high
    )


def _as_pooled(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a fit to data of which nothing was missing."""
    df = table["df"].to_numpy(float)
    nothing = np.zeros(len(table))
    within = table["std_error"].to_numpy(float) ** 2
    added = {"riv": nothing, "fmi": nothing, "within": within, "between": nothing, "mc_error": nothing, "mc_error_p": nothing}
    return table.assign(**added, df_complete=df, df_low=df, df_high=df)


def _reason(tables: list[pd.DataFrame], j: int) -> Phrase:
    """Return why a term has no pooled number."""
    for k, table in enumerate(tables, 1):
        row = table.iloc[j]
        if not np.isfinite([row["estimate"], row["std_error"]]).all() or np.isnan(float(row["df"])):
            reason = row["note"] if row.get("note") else NO_DF
            return Phrase("imputation {n} has no standard error or no degrees of freedom for it: {reason}", n=k, reason=reason)
    return NO_NOTE


def _with_absent(pooled: pd.DataFrame, terms: list[str], Q: Array, reasons: list[Phrase], good: Marks) -> pd.DataFrame:
    """Return the pooled rows with empty ones for the terms that have none, in the order of the terms."""
    if good.all():
        return pooled
    rows = pooled.set_index("term").reindex(terms).reset_index()
    rows["note"] = [reason if not fine else note for reason, fine, note in zip(reasons, good, rows["note"], strict=True)]
    rows["method"] = rows["method"].fillna("")
    rows["estimate"] = np.where(good, rows["estimate"], Q.mean(0))
    return rows
