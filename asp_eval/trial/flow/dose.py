"""How much of the intervention each institution had by the implementation log, and which received it by the declared rule."""

from __future__ import annotations

import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.trial.study.design import ReceivedRule

EXTERNAL = "external_project"  # a project that others started: never a part of the intervention

NO_SUCH_COLUMN = Fault(
    "FLO-008",
    "the rule 'received' sums {column!r}, which is no column of numbers in the table {table}",
    "Name a column of numbers, such as 'hours', under 'received' in study.yaml.",
)


def doses(rule: ReceivedRule | None, log: pd.DataFrame, institutions: pd.Series) -> pd.Series:
    """Return what each institution had: the sum of a column of the log, over all events but external projects.

    Parameters
    ----------
    rule : ReceivedRule or None
        Its column is summed; without a rule, ``hours``.
    log : DataFrame
        institution_id, kind and the column; one row per event.
    institutions : Series of str
        Identifiers. One without an event had 0.

    Returns
    -------
    Series of float, indexed by institution
        An event without a value adds nothing.

    Raises
    ------
    Refusal
        FLO-008 if the log has no such column of numbers.
    """
    column = rule.sum if rule else "hours"
    if column not in log.columns or not pd.api.types.is_numeric_dtype(log[column].dtype):
        NO_SUCH_COLUMN.refuse("study.yaml, received", column=column, table="implementation")
    own = own_events(log)
    totals = own[column].astype("float64").fillna(0.0).groupby(own["institution_id"].astype("str").to_numpy()).sum()
    return totals.reindex(pd.Index(institutions.astype("str"), name="institution")).fillna(0.0)


def own_events(log: pd.DataFrame) -> pd.DataFrame:
    """Return the events that are no external projects."""
    return log.loc[log["kind"].astype("str") != EXTERNAL] if "kind" in log.columns else log


def reached(rule: ReceivedRule, log: pd.DataFrame, institutions: pd.Series) -> pd.DataFrame:
    """Return which limits of the rule each institution reaches.

    Parameters
    ----------
    rule : ReceivedRule
    log : DataFrame
        As of `doses`, with ``element`` where the rule names elements.
    institutions : Series of str

    Returns
    -------
    DataFrame of bool, indexed by institution
        A column for each of `ReceivedRule.limits`: an element, or the empty name for all together.

    Raises
    ------
    Refusal
        FLO-008 as `doses`.
    """
    element = log["element"].astype("str") if "element" in log.columns else pd.Series("", index=log.index, dtype="str")
    parts = {name: log if not name else log.loc[(element == name).to_numpy(dtype=bool)] for name in rule.limits}
    return pd.DataFrame({name: doses(rule, parts[name], institutions) >= least for name, least in rule.limits.items()})


def receivers(rule: ReceivedRule | None, log: pd.DataFrame, institutions: pd.Series) -> frozenset[str] | None:
    """Return the institutions that received the intervention by the rule; None where no rule is declared or no log was kept.

    Raises
    ------
    Refusal
        FLO-008 as `doses`.
    """
    if rule is None or log.empty:
        return None
    whole = reached(rule, log, institutions).all(axis=1)
    return frozenset(whole.index[whole])
