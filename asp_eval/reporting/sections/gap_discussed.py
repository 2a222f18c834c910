"""When institutions first discussed their GAP-profile, in the chapter on the process."""

from __future__ import annotations

from asp_eval.analysis.process.results import GapDiscussed, ProcessResults, typed
from asp_eval.reporting.blocks import Cell, Column, Row, Table, cell, group_row
from asp_eval.reporting.sections.process_words import shown_count, type_name
from asp_eval.reporting.setting import Setting


def gap_discussed(found: ProcessResults, setting: Setting) -> Table | None:
    """Return how many institutions discussed their profile, and how long after they could; None where no day is told."""
    plan = setting.study.gap
    if not found.gap_discussed or plan is None:
        return None
    say = setting.say
    columns = (
        Column("", numeric=False),
        Column(say("Discussed it on a known day")),
        Column(say("Days after, median")),
        Column(say("Middle half")),
        Column(say("First and last day")),
    )
    of = typed(found.frames)
    rows: list[Row] = []
    for arm in dict.fromkeys(each.arm for each in found.gap_discussed):
        rows.append(group_row(setting.arm_heading(arm), len(columns)))
        for each in (one for one in found.gap_discussed if one.arm == arm):
            name = say("All") if not each.type or of is None else type_name(of.frame, each.type, setting)
            rows.append(Row((cell(name), *_numbers(each, setting))))
    whole = [each for each in found.gap_discussed if not each.type]
    logged, days = (sum(counts) for counts in zip(*((each.from_log, each.institutions.n) for each in whole), strict=True))
    goals = say("The day is the first on which goals were set from the profile.")
    if plan.discussed is not None:
        goals = say(
            "The day is that of the first event of the log that fits “{rule}”, or on which goals were set from the profile, "
            "whichever came first; in {n} of {total} institutions it is the log's.",
            rule=plan.discussed,
            n=setting.show.integer(logged),
            total=setting.show.integer(days),
        )
    notes = (
        say(
            "Days after the last day of the wave that profiles are given after ({waves}); what happened before is not counted.",
            waves=_waves(found, setting),
        ),
        goals,
        say("Without a day is not the same as not discussed. The order of the lines is no ranking."),
    )
    return Table("gap-discussed", say("When the GAP-profile was first discussed"), columns, tuple(rows), notes)


def _numbers(group: GapDiscussed, setting: Setting) -> tuple[Cell, ...]:
    """Return the cells of a group; the days themselves of a whole arm alone, for a type may be a single institution."""
    say, show = setting.say, setting.show
    low, high = group.middle_half or (None, None)
    told = group.first and not group.type
    days = say("{first} to {last}", first=show.day(group.first), last=show.day(group.last)) if told else show.integer(None)
    return (
        shown_count(group.institutions, setting),
        cell(show.decimal(group.median_days, 0)),
        cell(show.interval(low, high, 0)),
        cell(days),
    )


def _waves(found: ProcessResults, setting: Setting) -> str:
    """Return which wave it is for each arm; one name where it is the same for all."""
    plan = setting.study.gap
    assert plan is not None  # asked only then
    arms = dict.fromkeys(each.arm for each in found.gap_discussed)
    waves = {arm: setting.wave(plan.release.get(arm, plan.wave)) for arm in arms}
    if len(set(waves.values())) == 1:
        return next(iter(waves.values()))
    return "; ".join(f"{setting.arm(arm)}: {wave}" for arm, wave in waves.items())
