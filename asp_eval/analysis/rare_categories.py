"""What results may tell of a category of few children: decided once for its variable, and hidden wherever it would show.

A count need not be printed to be known. In a linear model the standard error of a category's coefficient goes with the root
of its count, so that a coefficient, the intercept where the reference is the rare category, and a mean of institutions'
shares all give it back. So a variable with a rare category has no coefficients in any model of the results, no means of
institutions, and no number of children in its groups; its baseline rows are what `asp_eval.trial.disclosure.categories` lets
stand. Categories of an outcome itself are hidden in the same way (`asp_eval.analysis.rare_outcomes`). The results hold no more
than the pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import groupby
from typing import Any, TypeVar

import pandas as pd

from asp_eval.analysis.declared_results import SubgroupResult
from asp_eval.analysis.rare_outcomes import without_rare_categories
from asp_eval.analysis.results import ArmSummary, BaselineRow, Results
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate
from asp_eval.trial.disclosure.categories import ArmCounts, Protection, protect
from asp_eval.trial.study.design import Study

T = TypeVar("T")

FEW = Phrase("not shown: a category of the variable has too few children")
HIDDEN = Unavailable(FEW)
INTERCEPT = "Intercept"


def rare_variables(study: Study, frames: Iterable[pd.DataFrame], names: Iterable[str]) -> frozenset[str]:
    """Return the variables that have a category of fewer children than may be shown, in an arm or over all, in any of the frames.

    Parameters
    ----------
    study : Study
        Its arms and ``privacy.minimum_cell``.
    frames : iterable of DataFrame
        The cohort, and the children of each analysis: arm, and the columns of `names` as far as they are there.
    names : iterable of str
        Columns of children; measures among them are passed over.
    """
    minimum, wanted, found = study.privacy.minimum_cell, tuple(names), set[str]()
    for frame in frames:
        for name in wanted:
            if name in frame.columns and not pd.api.types.is_numeric_dtype(frame[name].dtype):
                counts = [frame[name], *(frame.loc[frame["arm"] == arm, name] for arm in study.arms)]
                if any(0 < n < minimum for each in counts for n in each.value_counts()):
                    found.add(name)
    return frozenset(found)


def without_rare(results: Results, rare: frozenset[str]) -> Results:
    """Return the results without what tells how many children a rare category has."""
    minimum = results.study.privacy.minimum_cell
    outcomes = tuple(without_rare_categories(outcome, minimum) for outcome in results.outcomes)
    shown = replace(results, baseline=printed_rows(results.baseline, minimum, rare), outcomes=outcomes)
    return _hidden(shown, rare) if rare else shown


def printed_rows(rows: tuple[BaselineRow, ...], minimum: int, rare: frozenset[str] = frozenset()) -> tuple[BaselineRow, ...]:
    """Return the rows of the baseline table as they may be shown.

    Parameters
    ----------
    rows : tuple of BaselineRow
    minimum : int
        Fewest children of a category.
    rare : frozenset of str
        Variables that are known to have a rare category in another set of children.
    """
    shown: list[BaselineRow] = []
    for (unit, variable), members in groupby(rows, key=lambda row: (row.unit, row.variable)):
        group = list(members)
        if unit == "child" and all(arm.count is not None for row in group for arm in row.arms):
            how = _protection(group, minimum)
            rare = rare | {variable} if how != Protection("exact", frozenset()) else rare
            shown += [_row(row, i, how) for i, row in enumerate(group)]
        elif unit == "institution_mean" and variable in rare and any(row.level for row in group):
            continue
        else:
            shown += group
    return tuple(shown)


def _protection(group: list[BaselineRow], minimum: int) -> Protection:
    arms = []
    for k, first in enumerate(group[0].arms):
        counts = tuple(row.arms[k].count or 0 for row in group)
        arms.append(ArmCounts(counts, first.n - sum(counts)))
    return protect(arms, minimum)


def _row(row: BaselineRow, i: int, how: Protection) -> BaselineRow:
    """Return one category's row as it may be shown."""
    if i in how.hidden:
        differences = tuple(HIDDEN for _ in row.differences)
        return replace(row, arms=tuple(replace(arm, count=None, hidden=True) for arm in row.arms), differences=differences)
    if how.form == "exact":
        return row
    return replace(
        row,
        arms=tuple(_as_share(arm) for arm in row.arms),
        differences=tuple(each if isinstance(each, Unavailable) else round(each, 1) for each in row.differences),
    )


def _as_share(arm: ArmSummary) -> ArmSummary:
    """Return a count as a share in whole percent."""
    return replace(arm, count=None, share=None if arm.count is None or not arm.n else round(arm.count / arm.n, 2))


def _hidden(value: T, rare: frozenset[str]) -> T:
    """Return a value without the estimates and counts of rare variables, however deep they lie."""
    found: Any = value
    if isinstance(value, SubgroupResult) and value.by in rare:
        found = replace(value, levels=tuple(replace(level, children=None) for level in value.levels))
    if isinstance(value, tuple):
        inner = tuple(_hidden(each, rare) for each in value)
        terms = any(isinstance(each, Estimate) and _of_rare(each.term, rare) for each in value)
        found = tuple(_blank(each) if terms and isinstance(each, Estimate) and each.term == INTERCEPT else each for each in inner)
    elif isinstance(value, Estimate):
        found = _blank(value) if _of_rare(value.term, rare) else value
    elif isinstance(value, Mapping):
        found = {key: _hidden(each, rare) for key, each in value.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        inside = {f.name: getattr(found, f.name) for f in fields(found) if f.init}
        changed = {name: new for name, old in inside.items() if (new := _hidden(old, rare)) is not old}
        found = replace(found, **changed) if changed else found
    return found  # type: ignore[no-any-return]


def _of_rare(term: str, rare: frozenset[str]) -> bool:
    """Return whether a coefficient belongs to a rare variable, by itself or in a product."""
    return any(part.split("[")[0] in rare for part in term.split(":"))


def _blank(estimate: Estimate) -> Estimate:
    return Estimate.unavailable(estimate.term, FEW)
