"""Intervals that hold together within a family of outcomes."""

from __future__ import annotations

from asp_eval.analysis.results import OutcomeResult
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Column, Row, Table, cell
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.outcomes import by_role
from asp_eval.reporting.sections.shares import POINTS, SHARES, summary_words
from asp_eval.reporting.setting import Setting


def simultaneous(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> tuple[Table, ...]:
    """Return the table of intervals that hold together; nothing where the plan asks for none."""
    say, level = setting.say, setting.show.level(setting.study.analysis.level)
    rows = tuple(row for result in by_role(outcomes) for row in _rows(result, setting))
    if not rows:
        return ()
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Family"), numeric=False),
        Column(say("Difference ({level} interval, together)", level=level)),
        Column(say("by"), numeric=False),
    )
    notes = (
        say(
            "Together: in {level} of trials all intervals of a family hold their effects at once. They are of one step, and the"
            " adjusted p-values step down, so that an interval may hold zero although its p-value rejects.",
            level=level,
        ),
    )
    return (Table("simultaneous", say("Intervals that hold together"), columns, rows, notes),)


def _rows(result: OutcomeResult, setting: Setting) -> list[Row]:
    show, say = setting.show, setting.say
    factor, rows = POINTS if result.scale in SHARES and result.summary == "difference" else 1.0, []
    kind = summary_words(setting).get(result.summary)
    for i, effect in enumerate(result.effects):
        found = effect.simultaneous
        if found is None:
            continue
        head = (
            cell(setting.effect_label(result, i, with_wave=True), *([kind] if kind else [])),
            cell(result.adjustment.family if result.adjustment else ""),
        )
        if isinstance(found, Unavailable):
            rows.append(Row((*head, cell(show.reason(found), wide=2))))
            continue
        digits = 1 if factor == POINTS else digits_for(found.std_error)
        value, low, high = (None if v is None else factor * v for v in (found.estimate, found.conf_low, found.conf_high))
        interval = show.interval(low, high, digits)
        rows.append(Row((*head, cell(show.decimal(value, digits), interval), cell(say.note(found.note)))))
    return rows
