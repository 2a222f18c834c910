"""Intervals that hold together within a family of outcomes."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.results import OutcomeResult
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Column, Row, Table, cell
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.outcomes import by_role
from asp_eval.reporting.sections.shares import POINTS, in_points, summary_words
from asp_eval.reporting.setting import Setting


def simultaneous(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> tuple[Table, ...]:
    """Return the table of intervals that hold together; nothing where the plan asks for none."""
    say, level = setting.say, setting.level
    own = tuple(result for result in by_role(outcomes) if any(effect.simultaneous is not None for effect in result.effects))
    rows = tuple(row for result in own for row in _rows(result, setting))
    if not rows:
        return ()
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Family"), numeric=False),
        Column(say("Effect ({level} interval, together)", level=level)),
        Column(say("by"), numeric=False),
    )
    return (Table("simultaneous", say("Intervals that hold together"), columns, rows, tuple(_notes(own, setting))),)


def _notes(own: tuple[OutcomeResult, ...], setting: Setting) -> Iterator[str]:
    """Yield what the intervals say, and why a p-value of the same family may say otherwise."""
    say, level = setting.say, setting.level
    yield say("Together: in {level} of trials all intervals of a family hold their effects at once.", level=level)
    methods = {result.adjustment.method for result in own if result.adjustment is not None}
    if methods & {"holm", "westfall-young"}:
        yield say(
            "The intervals are of one step, and the adjusted p-values step down: an interval may hold no effect (a difference of"
            " zero, a ratio of one) although its p-value rejects.",
        )
    if "benjamini-hochberg" in methods:
        yield say(
            "Benjamini and Hochberg's p-values limit the share of false findings, and not the chance of any: an interval may hold"
            " no effect (a difference of zero, a ratio of one) although its p-value rejects.",
        )
    if any(in_points(result) for result in own):
        yield say("Differences of shares are in percentage points.")


def _rows(result: OutcomeResult, setting: Setting) -> list[Row]:
    show, say = setting.show, setting.say
    factor, rows = POINTS if in_points(result) else 1.0, []
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
