"""The effect in groups of children, or of institutions: the test of a difference first, then the effect in each."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.declared_results import SubgroupEffect, SubgroupResult
from asp_eval.analysis.results import OutcomeResult
from asp_eval.analysis.subgroups import FEWEST_INSTITUTIONS
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Block, Cell, Column, Row, Table, cell, group_row
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.forest import ForestEntry, ForestFigure, forest
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.outcomes import by_role
from asp_eval.reporting.sections.shares import COUNTS, POINTS, SHARES, points_factor
from asp_eval.reporting.sections.shown_estimate import shown_estimate
from asp_eval.reporting.setting import Setting
from asp_eval.stats.estimate import Estimate

WITHOUT_RATIOS = 4  # columns of the table of measures


def subgroups(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> tuple[Block, ...]:
    """Return the effects by group, in tables and forest plots; nothing where the plan declares none."""
    ordered = tuple(result for result in by_role(outcomes) if result.subgroups)
    measures = tuple(result for result in ordered if result.scale not in (*SHARES, *COUNTS))
    others = tuple(result for result in ordered if result.scale in (*SHARES, *COUNTS))
    tables = [_table(measures, setting)] if measures else []
    if others:
        tables.append(_ratios_table(others, setting))
    return (*tables, *(drawn(figure) for figure in _figures(ordered, setting)))


def _table(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table:
    """Return the groups of measures."""
    say, level = setting.say, setting.level
    columns = (
        Column(say("Group"), numeric=False),
        Column(say("Children (institutions)")),
        Column(say("Difference ({level} interval)", level=level)),
        Column(say("p-value of a difference between groups")),
    )
    groups = [group for result in outcomes for group in result.subgroups]
    notes = list(_notes(setting))
    if any(group.variation for group in groups):
        notes.append(
            say(
                "Many groups: the effect varies at random between them. The effect in a group is drawn towards the average,"
                " and more so the fewer data it has. p: that the effects' standard deviation is zero, by restricted likelihood"
                " ratio (half chi-square on 0, half on 1).",
            )
        )
    if any(group.spread for group in groups):
        notes.append(
            say(
                "Where a group holds one institution of an arm, the standard deviation between institutions of each arm stands in"
                " place of effects: if the intervention worked better in some institutions than in others, those that got it"
                " would differ more. p: that it is the same in all arms, by restricted likelihood ratio.",
            )
        )
    return Table("subgroups", say("The effect in groups"), columns, _all_rows(outcomes, len(columns), setting), tuple(notes))


def _ratios_table(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table:
    """Return the groups of shares, bands and counts."""
    say, level = setting.say, setting.level
    columns = (
        Column(say("Group"), numeric=False),
        Column(say("Children (institutions)")),
        Column(say("Difference ({level} interval)", level=level)),
        Column(say("Odds or rate ratio ({level} interval)", level=level)),
        Column(say("p-value of a difference between groups")),
    )
    notes = [
        *_notes(setting),
        say(
            "p: that the model's ratios of odds, or of rates of a count, are the same in all groups. Differences may differ"
            " between groups although ratios do not, and the reverse.",
        ),
    ]
    if any(result.scale in SHARES for result in outcomes):
        notes.append(say("Differences of shares are in percentage points."))
    if any(result.scale == "ordinal" for result in outcomes):
        notes.append(
            say("Of bands the difference is that of the share above the first band, and the odds ratio that of every boundary.")
        )
    rows = _all_rows(outcomes, len(columns), setting)
    return Table("subgroups-ratios", say("The effect in groups, on shares and counts"), columns, rows, tuple(notes))


def _notes(setting: Setting) -> tuple[str, ...]:
    say = setting.say
    return (
        say(
            "The groups are those that the plan declares. Only the test of a difference between groups says whether the effect"
            " differs: that one group's interval leaves zero out and another's does not says nothing of it.",
        ),
        say(
            "Groups with fewer than {children} children or {institutions} institutions in an arm are not shown.",
            children=setting.show.integer(setting.study.privacy.minimum_cell),
            institutions=setting.show.integer(FEWEST_INSTITUTIONS),
        ),
    )


def _all_rows(outcomes: tuple[OutcomeResult, ...], width: int, setting: Setting) -> tuple[Row, ...]:
    say = setting.say
    rows: list[Row] = []
    for result in outcomes:
        for group in result.subgroups:
            heading = say("{outcome}, by {column}", outcome=setting.outcome_at(result), column=say.name(group.by))
            rows.append(group_row(heading, width))
            rows += _rows(result, group, width, setting)
    return tuple(rows)


def _rows(result: OutcomeResult, group: SubgroupResult, width: int, setting: Setting) -> list[Row]:
    """Return the rows of one column of groups; the test stands in the first."""
    say, show = setting.say, setting.show
    rows = []
    for i, part in enumerate(group.levels):
        numbers = cell(
            say("not shown") if part.children is None else show.integer(part.children),
            show.bracketed(show.integer(part.institutions)),
        )
        test = _test(group, setting) if i == 0 else cell("")
        rows.append(Row((cell(_name(part, setting)), numbers, *_effects(part, result, width, setting), test)))
    rows += _varying(group, setting)
    if isinstance(group.interaction, Unavailable) and not group.variation:
        rows.append(Row((cell(say("all groups")), cell(show.reason(group.interaction), wide=width - 1))))
    rows += _spread(group, setting)
    if group.not_shown:
        count = say.plural("{n} group", "{n} groups", group.not_shown, n=show.integer(group.not_shown))
        rows.append(Row((cell(say("not shown")), cell(count, wide=width - 1))))
    if group.without:
        count = say.plural("{n} child", "{n} children", group.without, n=show.integer(group.without))
        hidden = group.without < setting.study.privacy.minimum_cell
        few = show.count(None, setting.study.privacy.minimum_cell)
        rows.append(Row((cell(say("group not known")), cell(few if hidden else count, wide=width - 1))))
    return rows


def _name(part: SubgroupEffect, setting: Setting) -> str:
    name = setting.say.name(part.level)
    return name if len(setting.study.arms) == 2 else f"{name}, {setting.arm(part.arm)}"


def _effects(part: SubgroupEffect, result: OutcomeResult, width: int, setting: Setting) -> tuple[Cell, ...]:
    """Return the cells between the counts and the test: the effect, and the ratio of what is no measure."""
    show, found = setting.show, part.effect
    if isinstance(found, Unavailable):
        return (cell(show.reason(found), wide=width - 3),)
    factor = points_factor(result)
    effect = shown_estimate(found, setting, 1 if factor == POINTS else None, factor)
    if width == WITHOUT_RATIOS:
        return (effect,)
    ratio = part.ratio
    if not isinstance(ratio, Estimate):
        return effect, cell(show.decimal(None) if ratio is None else show.reason(ratio))
    return effect, shown_estimate(ratio, setting, 2)


def _varying(group: SubgroupResult, setting: Setting) -> list[Row]:
    """Return the average of effects that vary at random, and by how much they do."""
    say, show, rows = setting.say, setting.show, []
    for one in group.variation:
        arm = "" if len(setting.study.arms) == 2 else setting.arm(one.arm)
        average = one.average
        digits = 3 if isinstance(average, Unavailable) else digits_for(average.std_error)
        rows.append(Row((cell(say("a middling group"), arm), cell(""), shown_estimate(average, setting, digits), cell(""))))
        spread = shown_estimate(one.sd, setting, digits)
        test = cell(show.p_value(one.p_value), show.say("ratio {ratio}", ratio=show.decimal(one.ratio)))
        rows.append(Row((cell(say("standard deviation of the effect"), arm), cell(""), spread, test)))
    return rows


def _spread(group: SubgroupResult, setting: Setting) -> list[Row]:
    """Return how much institutions of each arm differ, where no effect by group can be told."""
    say, show, found, rows = setting.say, setting.show, group.spread, []
    for i, sd in enumerate(found.sds if found else ()):
        test = cell("")
        if found and i == 0:
            words = show.say(
                "chi-square = {ratio} on {df}", ratio=show.decimal(found.ratio), df=show.degrees_of_freedom(found.df)
            )
            test = cell(show.p_value(found.p_value), words)
        name = cell(say("standard deviation between institutions"), setting.arm(sd.term))
        rows.append(Row((name, cell(""), shown_estimate(sd, setting, 2), test)))
    return rows


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


def _figures(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Iterator[ForestFigure]:
    """Yield the forest plots of the effects in groups: on the outcomes' own scales, and in percentage points."""
    say, level = setting.say, setting.level
    own = [result for result in outcomes if result.scale not in SHARES]
    shares = [result for result in outcomes if result.scale in SHARES]
    points = say("Difference in percentage points, with {level} interval", level=level)
    scores = say("Difference on the score's own scale, with {level} interval", level=level)
    for key, mine, axis_title, title, digits in (
        ("forest-subgroups", own, scores, say("Effects in groups with their intervals"), 2),
        ("forest-subgroups-shares", shares, points, say("Effects on shares in groups with their intervals"), 1),
    ):
        entries = [_entry(result, part, setting) for result in mine for group in result.subgroups for part in group.levels]
        if entries:
            yield forest(entries, setting.show, arms=setting.favoured, axis_title=axis_title, title=title, key=key, digits=digits)


def _entry(result: OutcomeResult, part: SubgroupEffect, setting: Setting) -> ForestEntry:
    label = setting.say("{outcome}: {group}", outcome=setting.outcome_at(result), group=_name(part, setting))
    found = part.effect
    if isinstance(found, Unavailable):
        return ForestEntry(label, result.better, None, None, None, setting.say.note(found.reason))
    factor = points_factor(result)
    value, low, high = (None if v is None else factor * v for v in (found.estimate, found.conf_low, found.conf_high))
    return ForestEntry(label, result.better, value, low, high)
