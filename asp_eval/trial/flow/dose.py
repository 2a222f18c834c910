"""How much of the intervention each institution had by the implementation log, and which received it by the declared rule.

The rule may ask for goals as well, which stand in a table of their own: an institution received the intervention if it reaches
every limit that is declared.
"""

from __future__ import annotations

import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.trial.study.collection import ReceivedRule

GOALS = "goals"  # the limit on goals, beside those on elements
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
    return log[log["kind"].astype("str") != EXTERNAL] if "kind" in log.columns else log


def reached(rule: ReceivedRule, log: pd.DataFrame, institutions: pd.Series, goals: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return which limits of the rule each institution reaches.

    Parameters
    ----------
    rule : ReceivedRule
    log : DataFrame
        As of `doses`, with ``element`` where the rule names elements.
    institutions : Series of str
    goals : DataFrame, optional
        institution_id, a row for each goal; an institution that has none set none.

    Returns
    -------
    DataFrame of bool, indexed by institution
        A column for each of `ReceivedRule.limits`, an element, or the empty name for all together; and ``goals`` where the rule
        asks for them.

    Raises
    ------
    Refusal
        FLO-008 as `doses`.

    Examples
    --------
    >>> log = pd.DataFrame({"institution_id": ["A", "B"], "kind": "course", "hours": [21.0, 30.0]})
    >>> goals = pd.DataFrame({"institution_id": ["A", "A"], "goal": ["1", "2"]})
    >>> rule = ReceivedRule(at_least=20, goals=2)
    >>> reached(rule, log, pd.Series(["A", "B"]), goals).all(axis=1).to_dict()
    {'A': True, 'B': False}
    """
    element = log["element"].astype("str") if "element" in log.columns else pd.Series("", index=log.index, dtype="str")
    parts = {name: log if not name else log[(element == name).to_numpy(dtype=bool)] for name in rule.limits}
    found = {name: doses(rule, parts[name], institutions) >= least for name, least in rule.limits.items()}
    if rule.goals is not None:
        names = pd.Index(institutions.astype("str"), name="institution")
        set_by = pd.Series(dtype="int64") if goals is None else goals["institution_id"].astype("str").value_counts()
        found[GOALS] = set_by.reindex(names).fillna(0) >= rule.goals
    return pd.DataFrame(found)


def is_known(rule: ReceivedRule, log: pd.DataFrame, goals: pd.DataFrame | None = None) -> bool:
    """Return whether what the rule asks for was imported: a log where it sums one, goals where it counts them."""
    return not (rule.limits and log.empty) and not (rule.goals is not None and (goals is None or goals.empty))


def receivers(
    rule: ReceivedRule | None, log: pd.DataFrame, institutions: pd.Series, goals: pd.DataFrame | None = None
) -> frozenset[str] | None:
    """Return the institutions that received the intervention by the rule; None where no rule is declared, or it is not known.

    Parameters
    ----------
    rule, log, institutions, goals
        As of `reached`.

    Raises
    ------
    Refusal
        FLO-008 as `doses`.
    """
    if rule is None or not is_known(rule, log, goals):
        return None
    whole = reached(rule, log, institutions, goals).all(axis=1)
    return frozenset(whole.index[whole])
