"""Results as analysis results data: one row per statistic, in the columns of CDISC's ARD as R's cards and gtsummary read them.

=================  =====================================================================================
column             holds
=================  =====================================================================================
``group1``         what rows are grouped by: ``ARM``, or empty
``group1_level``   the arm
``group2``         ``UNIT``, of a summary of an arm
``group2_level``   what is counted: ``child``, ``institution``, or ``institution_mean`` (institutions by their children's mean)
``group3``         ``SET``, of a summary of an arm
``group3_level``   whom it is of: the ``cohort`` of the baseline table, or the ``analysed`` of an outcome, at its own wave
``variable``       the outcome, or the variable of the baseline table
``variable_level`` a category, or the term of a model
``context``        what was computed: ``summary`` of a measure, ``tabulate`` of a category and ``missing`` values, by arm;
                   ``effect`` of an arm; ``regression``
``stat_name``      ``N``, ``mean``, ``sd``, ``n``, ``p``, ``estimate``, ``std.error``, ``conf.low`` and so on
``stat_label``     the same in words
``stat``           the number
``warning``        why there is no number
``error``          empty: what fails is refused, and gives no file
``method``         what really produced it
=================  =====================================================================================

The columns are those of the ARD standard's draft (CDISC 2024), the contexts those of cards 0.7; `method` is this package's own.
No two rows have the same groups, variable, context and statistic. `stat` of another type than a number does not occur. What a
file of text cannot hold, the formatting functions of `fmt_fun`, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from asp_eval.analysis.rare_categories import FEW
from asp_eval.analysis.results import ArmSummary, Estimated, OutcomeResult, Results
from asp_eval.core.errors import Unavailable

COLUMNS = (
    "group1",
    "group1_level",
    "group2",
    "group2_level",
    "group3",
    "group3_level",
    "variable",
    "variable_level",
    "context",
    "stat_name",
    "stat_label",
    "stat",
    "warning",
    "error",
    "method",
)
ARM, UNIT, SET = "ARM", "UNIT", "SET"
LABELS = {
    "N": "Units with a value",
    "N_miss": "Units without a value",
    "n": "Count",
    "p": "Share",
    "mean": "Mean",
    "sd": "SD",
    "estimate": "Estimate",
    "std.error": "Standard error",
    "parameter": "Degrees of freedom",
    "statistic": "Test statistic",
    "p.value": "p-value",
    "p.value.adjusted": "p-value adjusted within the family",
    "conf.low": "CI lower bound",
    "conf.high": "CI upper bound",
    "effect.size": "Standardised effect",
    "icc": "Intraclass correlation",
}
OF_ESTIMATES = {
    "estimate": "estimate",
    "std.error": "std_error",
    "parameter": "df",
    "statistic": "statistic",
    "p.value": "p_value",
    "conf.low": "conf_low",
    "conf.high": "conf_high",
}


def result_records(results: Results) -> pd.DataFrame:
    """Return baseline, outcomes by arm, effects and coefficients, one row per statistic.

    Parameters
    ----------
    results : Results
    """
    rows: list[dict[str, Any]] = []
    for line in results.baseline:
        rows += [row for arm in line.arms for row in _summary(arm, line.variable, line.level, line.unit, "cohort")]
    for outcome in results.outcomes:
        rows += _outcome(outcome)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _outcome(outcome: OutcomeResult) -> Iterator[dict[str, Any]]:
    name = outcome.outcome
    for arm in outcome.arms:
        yield from _summary(arm, name, "", "child", "analysed")
    for effect in outcome.effects:
        yield from _estimate(
            effect.difference, {"group1": ARM, "group1_level": effect.arm, "variable": name, "context": "effect"}
        )
        place = {"group1": ARM, "group1_level": effect.arm, "variable": name, "context": "effect"}
        yield _row("effect.size", _number(effect.effect_size), _method(effect.effect_size), place, _why(effect.effect_size))
        if not isinstance(effect.adjusted_p, Unavailable):
            adjusted = "" if outcome.adjustment is None else outcome.adjustment.method
            yield _row("p.value.adjusted", effect.adjusted_p, adjusted, place, "")
    yield _row("icc", _number(outcome.icc), _method(outcome.icc), {"variable": name, "context": "regression"}, _why(outcome.icc))
    for coefficient in outcome.coefficients:
        yield from _estimate(coefficient, {"variable": name, "variable_level": coefficient.term, "context": "regression"})


def _summary(arm: ArmSummary, variable: str, level: str, unit: str, of: str) -> Iterator[dict[str, Any]]:
    place = {"group1": ARM, "group1_level": arm.arm, "group2": UNIT, "group2_level": unit}
    place |= {"group3": SET, "group3_level": of, "variable": variable, "variable_level": level}
    yield _row("N_miss", arm.missing, "", place | {"context": "missing"}, "")
    counted, measured = place | {"context": "tabulate"}, place | {"context": "summary"}
    if arm.count is not None:
        share = arm.count / arm.n if arm.n else None
        yield from (_row(stat, value, "", counted, "") for stat, value in {"n": arm.count, "N": arm.n, "p": share}.items())
    elif arm.hidden or arm.share is not None:
        yield _row("N", arm.n, "", counted, "")
        yield _row("p", arm.share, "", counted, str(FEW) if arm.hidden else "")
    else:
        numbers = {"N": arm.n, "mean": arm.mean, "sd": arm.sd}
        yield from (_row(stat, value, "", measured, "") for stat, value in numbers.items())


def _estimate(found: Estimated, place: dict[str, str]) -> Iterator[dict[str, Any]]:
    if isinstance(found, Unavailable):
        yield _row("estimate", None, "", place, str(found.reason))
        return
    for stat, name in OF_ESTIMATES.items():
        yield _row(stat, getattr(found, name), found.method, place, str(found.note) if getattr(found, name) is None else "")


def _row(stat: str, value: float | None, method: str, place: dict[str, str], warning: str) -> dict[str, Any]:
    told = {"stat_name": stat, "stat_label": LABELS[stat], "stat": value, "warning": warning, "error": "", "method": method}
    return place | told


def _number(found: Estimated) -> float | None:
    return None if isinstance(found, Unavailable) else found.estimate


def _method(found: Estimated) -> str:
    return "" if isinstance(found, Unavailable) else found.method


def _why(found: Estimated) -> str:
    return str(found.reason) if isinstance(found, Unavailable) else ""
