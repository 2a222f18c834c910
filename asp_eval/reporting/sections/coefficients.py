"""Every coefficient of every model, for the appendix."""

from __future__ import annotations

from asp_eval.analysis.results import OutcomeResult, Results
from asp_eval.reporting.blocks import Column, Row, Section, Table, cell
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.outcomes import by_role
from asp_eval.reporting.setting import Setting
from asp_eval.stats.estimate import Estimate


def coefficients(results: Results, setting: Setting) -> Section:
    """Return the fixed effects of each outcome's model."""
    tables = (coefficient_table(result, i, setting) for i, result in enumerate(by_role(results.outcomes), start=1))
    return Section("appendix", setting.say("Appendix: every coefficient"), tuple(tables))


def coefficient_table(result: OutcomeResult, position: int, setting: Setting) -> Table:
    """Return every fixed effect of one outcome's model."""
    say, level = setting.say, setting.level
    name = setting.outcome_at(result)
    columns = (
        Column(say("Term"), numeric=False),
        Column(say("Estimate")),
        Column(say("Standard error")),
        Column(say("df")),
        Column("t"),
        Column(say("p-value")),
        Column(say("{level} interval", level=level)),
    )
    rows = tuple(_coefficient(estimate, setting) for estimate in result.coefficients)
    return Table(f"coefficients-{position}", name, columns, rows, (say("Model: {model}", model=result.model),))


def _coefficient(e: Estimate, setting: Setting) -> Row:
    show, note = setting.show, setting.say.note(e.note)
    if e.estimate is None:
        return Row((cell(setting.term(e.term)), cell(setting.say("not available: {reason}", reason=note), wide=6)))
    digits = digits_for(e.std_error) + 1
    return Row(
        (
            cell(setting.term(e.term), note),
            cell(show.decimal(e.estimate, digits)),
            cell(show.decimal(e.std_error, digits)),
            cell(show.degrees_of_freedom(e.df)),
            cell(show.decimal(e.statistic)),
            cell(show.p_value(e.p_value)),
            cell(show.interval(e.conf_low, e.conf_high, digits)),
        )
    )
