"""The goals that institutions set themselves, in the chapter on the process."""

from __future__ import annotations

from asp_eval.analysis.process.results import GoalsSet, ProcessResults, typed
from asp_eval.reporting.blocks import Block, Column, Row, Section, Table, cell, group_row, paragraphs
from asp_eval.reporting.sections.process_words import shown_count, type_name
from asp_eval.reporting.setting import Setting
from asp_eval.trial.profiles.worksheet import worksheet_of_meetings
from asp_eval.trial.study.profile_dimensions import dimension_names


def goals_set(found: ProcessResults, setting: Setting) -> Section | None:
    """Return which institutions set goals from their profile, on what, and what became of them; None where none were imported."""
    if not found.goals:
        return None
    say, show = setting.say, setting.show
    outcomes = worksheet_of_meetings().outcomes
    columns = (
        Column("", numeric=False),
        Column(say("Institutions with goals")),
        Column(say("Goals")),
        *(Column(say.label(each.title, each.key)) for each in outcomes),
        Column(say("Not told")),
    )
    of = typed(found.frames)
    rows: list[Row] = []
    for arm in setting.study.arms:
        rows.append(group_row(setting.arm_heading(arm), len(columns)))
        mine = [one for one in found.goals if one.arm == arm]
        for each in (one for one in mine if not one.type or any(other.goals for other in mine)):
            name = say("All") if not each.type or of is None else type_name(of.frame, each.type, setting)
            counts = (each.goals, *(each.outcomes.get(one.key, 0) for one in outcomes), each.not_told)
            rows.append(Row((cell(name), shown_count(each.institutions, setting), *(cell(show.integer(n)) for n in counts))))
    notes = (
        say(
            "How many goals an institution sets is its own choice; how it went is what its staff said. Neither is a measure of "
            "quality, and the order of the lines is no ranking."
        ),
    )
    table = Table("goals-set", say("Goals that institutions set, and how it went"), columns, tuple(rows), notes)
    said = [_sentence(each, setting) for each in found.goals if not each.type and each.goals]
    blocks: tuple[Block, ...] = (paragraphs(*said), table) if said else (table,)
    return Section("goals", say("Goals from the GAP-profile"), blocks)


def _sentence(group: GoalsSet, setting: Setting) -> str:
    """Say when goals were set in an arm, and on which dimensions, most often chosen first."""
    say, show = setting.say, setting.show
    arm = setting.arm_heading(group.arm)
    days = say("{first} to {last}", first=show.day(group.first), last=show.day(group.last)) if group.first else ""
    names = dimension_names(setting.study)
    chosen = ", ".join(f"{say.label(names.get(key, {}), key)} ({show.integer(n)})" for key, n in group.dimensions.items())
    if days and chosen:
        return say("{arm}: set {days}; institutions by the dimension they chose: {chosen}.", arm=arm, days=days, chosen=chosen)
    if chosen:
        return say("{arm}: institutions by the dimension they chose: {chosen}.", arm=arm, chosen=chosen)
    return say("{arm}: set {days}.", arm=arm, days=days) if days else say("{arm}: it is not told when or on what.", arm=arm)
