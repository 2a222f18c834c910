"""Harms, and every outcome's adverse direction: said as plainly as what was wanted."""

from __future__ import annotations

from asp_eval.analysis.results import OutcomeResult, Results, planned_summary
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Column, Row, Section, Table, cell, paragraphs
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.outcomes import by_role
from asp_eval.reporting.sections.shares import POINTS, SHARES, in_points
from asp_eval.reporting.sections.shown_estimate import shown_estimate
from asp_eval.reporting.sections.summary import favourable, no_difference, tone_of
from asp_eval.reporting.setting import Setting


def harms(results: Results, setting: Setting) -> Section:
    """Return which outcomes went against an arm, and how much to its disadvantage the intervals hold."""
    say = setting.say
    words = (
        say(
            "No list of harms or unwanted events is among the study's tables, so that only a worse outcome can be seen here. "
            "What was done to find other harms, and what was found, is for the study team to write."
        ),
        *_told(results, setting),
    )
    table = adverse_table(results.outcomes, setting)
    return Section("harms", say("Harms, and what went the wrong way"), (paragraphs(*words), *((table,) if table else ())))


def _told(results: Results, setting: Setting) -> tuple[str, ...]:
    """Say of which outcomes the difference is to the disadvantage of an arm, told apart or not."""
    say, level = setting.say, setting.study.analysis.level
    pairs = [(result, i) for result in by_role(results.outcomes) for i in range(len(result.effects))]
    worse = [setting.effect_label(r, i, with_wave=True) for r, i in pairs if tone_of(r, i, level) == "worse"]
    leaning = [
        setting.effect_label(r, i, with_wave=True) for r, i in pairs if tone_of(r, i, level) != "worse" and is_adverse(r, i)
    ]
    found = []
    if worse:
        found.append(say("To the disadvantage of the arm compared, and told apart from chance: {list}.", list="; ".join(worse)))
    if leaning:
        found.append(say("To its disadvantage, but not told apart from chance: {list}.", list="; ".join(leaning)))
    if not worse and not leaning:
        found.append(
            say("No estimate is to the disadvantage of the arm compared; the table shows what the intervals leave possible.")
        )
    return tuple(found)


def is_adverse(result: OutcomeResult, i: int) -> bool:
    """Return whether the planned summary of an effect is to the compared arm's disadvantage, however uncertain."""
    effect = planned_summary(result, result.effects[i])
    if isinstance(effect, Unavailable) or effect.estimate is None:
        return False
    apart = effect.estimate - no_difference(result)
    return apart != 0 and not favourable(apart, result.better)


def adverse_table(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table | None:
    """Return every outcome with the end of its interval that is worst for the arm compared; None where there are none."""
    say = setting.say
    rows = tuple(_row(result, i, setting) for result in by_role(outcomes) for i in range(len(result.effects)))
    if not rows:
        return None
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Difference ({level} interval)", level=setting.level)),
        Column(say("The estimate is"), numeric=False),
        Column(say("Worst end of the interval")),
    )
    notes = [say("Worst end: the largest disadvantage of the arm compared that the interval still holds.")]
    if any(result.scale in SHARES for result in outcomes):
        notes.append(say("Differences of shares are in percentage points."))
    return Table("adverse", say("How far each outcome may have gone the wrong way"), columns, rows, tuple(notes))


def _row(result: OutcomeResult, i: int, setting: Setting) -> Row:
    say, show = setting.say, setting.show
    name = cell(setting.effect_label(result, i, with_wave=True))
    found = planned_summary(result, result.effects[i])
    if isinstance(found, Unavailable):
        return Row((name, cell(show.reason(found), wide=3)))
    points = in_points(result)
    factor = POINTS if points else 1.0
    digits = 1 if points else digits_for(found.std_error)
    worst = found.conf_high if result.better == "lower" else found.conf_low
    direction = say("adverse") if is_adverse(result, i) else say("wanted")
    shown = shown_estimate(found, setting, digits, factor)
    return Row((name, shown, cell(direction), cell(show.decimal(None if worst is None else factor * worst, digits))))
