"""The effect in groups of children, or of institutions: the test of a difference first, then the effect in each."""

from __future__ import annotations

from asp_eval.analysis.declared_results import SubgroupEffect, SubgroupResult
from asp_eval.analysis.results import OutcomeResult
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Block, Cell, Column, Row, Table, cell
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.forest import ForestEntry, ForestFigure, forest
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.outcomes import by_role
from asp_eval.reporting.setting import Setting


def subgroups(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> tuple[Block, ...]:
    """Return the effects by group, in a table and a forest plot; nothing where the plan declares none."""
    ordered = tuple(result for result in by_role(outcomes) if result.subgroups)
    if not ordered:
        return ()
    figure = _figure(ordered, setting)
    return (_table(ordered, setting), *((drawn(figure),) if figure else ()))


def _table(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table:
    say, level = setting.say, setting.show.level(setting.study.analysis.level)
    columns = (
        Column(say("Group"), numeric=False),
        Column(say("Children (institutions)")),
        Column(say("Difference ({level} interval)", level=level)),
        Column(say("p-value of a difference between groups")),
    )
    rows: list[Row] = []
    for result in outcomes:
        for group in result.subgroups:
            heading = say("{outcome}, by {column}", outcome=setting.outcome_at(result), column=say.name(group.by))
            rows.append(Row((cell(heading, wide=len(columns)),), group=True))
            rows += _rows(group, setting)
    notes = (
        say(
            "The groups are those that the plan declares. Only the test of a difference between groups says whether the effect"
            " differs: that one group's interval leaves zero out and another's does not says nothing of it.",
        ),
        say(
            "Groups with fewer than {children} children or {institutions} institutions in an arm are not shown.",
            children=setting.show.integer(setting.study.privacy.minimum_cell),
            institutions=setting.show.integer(2),
        ),
    )
    return Table("subgroups", say("The effect in groups"), columns, tuple(rows), notes)


def _rows(group: SubgroupResult, setting: Setting) -> list[Row]:
    """Return the rows of one column of groups; the test stands in the first."""
    say, show = setting.say, setting.show
    rows = []
    for i, part in enumerate(group.levels):
        numbers = cell(show.integer(part.children), show.bracketed(show.integer(part.institutions)))
        test = _test(group, setting) if i == 0 else cell("")
        rows.append(Row((cell(_name(part, setting)), numbers, *_effect(part, setting), test)))
    if isinstance(group.interaction, Unavailable):
        rows.append(Row((cell(say("all groups")), cell(show.reason(group.interaction), wide=3))))
    if group.not_shown:
        count = say.plural("{n} group", "{n} groups", group.not_shown, n=show.integer(group.not_shown))
        rows.append(Row((cell(say("not shown")), cell(count, wide=3))))
    if group.without:
        count = say.plural("{n} child", "{n} children", group.without, n=show.integer(group.without))
        hidden = group.without < setting.study.privacy.minimum_cell
        few = show.count(None, setting.study.privacy.minimum_cell)
        rows.append(Row((cell(say("group not known")), cell(few if hidden else count, wide=3))))
    return rows


def _name(part: SubgroupEffect, setting: Setting) -> str:
    name = setting.say.name(part.level)
    return name if len(setting.study.arms) == 2 else f"{name}, {setting.arm(part.arm)}"


def _effect(part: SubgroupEffect, setting: Setting) -> tuple[Cell, ...]:
    show, found = setting.show, part.effect
    if isinstance(found, Unavailable):
        return (cell(show.reason(found)),)
    digits = digits_for(found.std_error)
    return (cell(show.decimal(found.estimate, digits), show.interval(found.conf_low, found.conf_high, digits)),)


def _test(group: SubgroupResult, setting: Setting) -> Cell:
    """Return the test that the effects are the same."""
    show, test = setting.show, group.interaction
    if isinstance(test, Unavailable):
        return cell("")
    words = show.say(
        "F = {f} on {one} and {other}",
        f=show.decimal(test.statistic),
        one=show.degrees_of_freedom(test.df_numerator),
        other=show.degrees_of_freedom(test.df_denominator),
    )
    return cell(show.p_value(test.p_value), words)


def _figure(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> ForestFigure | None:
    """Return the forest plot of the effects in groups, on the scores' own scales."""
    entries = [_entry(result, part, setting) for result in outcomes for group in result.subgroups for part in group.levels]
    if not entries:
        return None
    say, level = setting.say, setting.show.level(setting.study.analysis.level)
    compared = setting.group(setting.compared[0]) if len(setting.compared) == 1 else say("the other arm")
    title = say("Difference on the score's own scale, with {level} interval", level=level)
    arms = (setting.group(setting.reference), compared)
    return forest(entries, setting.show, arms=arms, axis_title=title, key="forest-subgroups")


def _entry(result: OutcomeResult, part: SubgroupEffect, setting: Setting) -> ForestEntry:
    label = setting.say("{outcome}: {group}", outcome=setting.outcome_at(result), group=_name(part, setting))
    found = part.effect
    if isinstance(found, Unavailable):
        return ForestEntry(label, result.better, None, None, None, setting.say.note(found.reason))
    return ForestEntry(label, result.better, found.estimate, found.conf_low, found.conf_high)
