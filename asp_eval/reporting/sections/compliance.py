"""The effect among those who took the intervention because it was offered."""

from __future__ import annotations

import math

from asp_eval.analysis.declared_results import ComplierResult
from asp_eval.analysis.results import OutcomeResult
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Block, Cell, Column, Row, Table, cell, paragraphs
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.outcomes import by_role
from asp_eval.reporting.sections.shares import POINTS, SHARES, points_factor
from asp_eval.reporting.setting import Setting


def compliance(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> tuple[Block, ...]:
    """Return the effects among compliers, in a table and what they rest on; nothing where the plan asks for none."""
    rows = tuple(row for result in by_role(outcomes) for row in _rows(result, setting))
    if not rows:
        return ()
    say, level = setting.say, setting.level
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Took it: offered, not offered")),
        Column(say("First stage F")),
        Column(say("Effect ({level} interval)", level=level)),
        Column(say("p-value")),
        Column(say("Anderson-Rubin set")),
    )
    about = say(
        "The offer was drawn by lot, and not every institution took it. The effect among those who took it because it was offered"
        " is that of the lot on the outcome, divided by that of the lot on taking. It rests on two assumptions that no data show:"
        " the offer changes the outcome through what is taken alone (exclusion), and it makes nobody take less (monotonicity).",
    )
    notes = [
        say(
            "Two-stage least squares with cluster-robust CR2. Where F of the first stage is below 10 the estimate and its"
            " interval are not to be trusted, and the Anderson-Rubin set, which is right however weak the first stage is,"
            " stands alone.",
        ),
        say("Children are not compared by what their institution took (as-treated): the lot does not protect that comparison."),
    ]
    if any(one.taken == "dose" for result in outcomes for one in result.compliers):
        notes.append(
            say(
                "The effect of a dose is an average per unit, weighted by how much the offer moved the dose there; it is no"
                " curve."
            )
        )
    if any(result.compliers and result.scale in SHARES for result in outcomes):
        notes.append(say("Differences of shares are in percentage points."))
    table = Table("compliers", say("The effect among those who took the intervention"), columns, rows, tuple(notes))
    return (paragraphs(about, introduces=True), table)


def _rows(result: OutcomeResult, setting: Setting) -> list[Row]:
    return [_row(result, i, one, setting) for i, one in enumerate(result.compliers)]


def _row(result: OutcomeResult, i: int, one: ComplierResult, setting: Setting) -> Row:
    show, say = setting.show, setting.say
    factor = points_factor(result)
    unit = say("per unit of {column}", column=say.name(one.unit)) if one.unit else ""
    took = (show.decimal(one.offered_mean, 1), show.decimal(one.other_mean, 1))
    shown = took if one.unit else (show.percent(one.offered_mean), show.percent(one.other_mean))
    head = (
        cell(setting.effect_label(result, i, with_wave=True), unit),
        cell(show.say("{one}; {other}", one=shown[0], other=shown[1])),
    )
    if isinstance(one.first_stage, Unavailable):
        return Row((*head, cell(show.reason(one.first_stage), wide=4)))
    first = cell(show.decimal(one.first_stage.F, 1), show.say("df {df}", df=show.degrees_of_freedom(one.first_stage.df)))
    found = one.effect
    if isinstance(found, Unavailable):
        return Row((*head, first, cell(show.reason(found), wide=2), _set(one, factor, 2, setting)))
    digits = (1 if factor == POINTS else digits_for(found.std_error)) + (1 if one.unit else 0)
    value, low, high = (None if v is None else factor * v for v in (found.estimate, found.conf_low, found.conf_high))
    effect = cell(show.decimal(value, digits), show.interval(low, high, digits))
    return Row((*head, first, effect, cell(show.p_value(found.p_value)), _set(one, factor, digits, setting)))


def _set(one: ComplierResult, factor: float, digits: int, setting: Setting) -> Cell:
    """Return the Anderson-Rubin set in words."""
    say, show = setting.say, setting.show
    if one.kind == "line" or one.low is None or one.high is None:
        return cell(say("every effect") if one.kind == "line" else show.decimal(None))
    low, high = (show.decimal(factor * end, digits) if math.isfinite(end) else "" for end in (one.low, one.high))
    if one.kind == "interval":
        return cell(show.interval(factor * one.low, factor * one.high, digits))
    return cell(say("below {low}, or above {high}", low=low, high=high))
