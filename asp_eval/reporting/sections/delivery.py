"""What was delivered, and to whom: by element of the programme, by type of institution, and staff who left."""

from __future__ import annotations

from asp_eval.analysis.process.results import ElementDose, ProcessResults, Turnover, typed
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Block, Cell, Column, Row, Section, Table, cell, group_row, listing, paragraphs
from asp_eval.reporting.sections.flow import goals_in_words
from asp_eval.reporting.sections.gap_discussed import gap_discussed
from asp_eval.reporting.sections.process_words import shown_count, type_name
from asp_eval.reporting.sections.programme import what_became_of_it
from asp_eval.reporting.setting import Setting
from asp_eval.trial.flow.dose import GOALS


def delivery(found: ProcessResults, setting: Setting) -> Section | None:
    """Return what was delivered, element by element, and who left."""
    say, show = setting.say, setting.show
    became = what_became_of_it(setting)
    blocks: list[Block] = [listing(became)] if became else []
    if found.doses:
        columns = (
            Column(say("Element"), numeric=False),
            Column(say("Institutions with any")),
            Column(say("Events")),
            Column(say("Hours offered")),
            Column(say("Hours times those who took part")),
            Column(say("First and last day"), numeric=False),
        )
        rows: list[Row] = []
        for arm in setting.study.arms:
            rows.append(group_row(setting.arm_heading(arm), len(columns)))
            rows += [_dose_row(dose, setting) for dose in found.doses if dose.arm == arm]
        note = say("From the log of the programme; projects of other origin are not counted.")
        blocks.append(Table("elements", say("What was delivered, by element of the programme"), columns, tuple(rows), (note,)))
    if found.delivered:
        blocks.append(_by_type(found, setting))
    discussed = gap_discussed(found, setting)
    if discussed is not None:
        blocks.append(discussed)
    if not isinstance(found.turnover, Unavailable):
        columns = (
            Column("", numeric=False),
            Column(say("Institutions")),
            Column(say("Staff")),
            Column(say("Left")),
            Column(say("Years worked")),
            Column(say("Left a year, of 100")),
        )
        kinds = {"arm": say("By arm"), "type": say("By type in the last round"), "period": say("By period, from wave to wave")}
        lines: list[Row] = []
        for kind, words in kinds.items():
            mine = [each for each in found.turnover if each.kind == kind]
            if mine:
                lines.append(group_row(words, len(columns)))
                lines += [_turnover_row(each, found, setting) for each in mine]
        note = say(
            "From first and last days in the list of staff, between the first and the last wave; exact Poisson {level} "
            "intervals.",
            level=setting.level,
        )
        blocks.append(Table("turnover", say("Staff who left"), columns, tuple(lines), (note,)))
    elif found.doses:
        blocks.append(paragraphs(say("Staff turnover: {reason}.", reason=show.reason(found.turnover))))
    return Section("delivered", say("What was delivered, and to whom"), tuple(blocks)) if blocks else None


def _by_type(found: ProcessResults, setting: Setting) -> Table:
    """Return what institutions had, by arm and type: hours, projects of other origin, and the limits of the rule reached."""
    say, show = setting.say, setting.show
    of = typed(found.frames)
    elements = list(dict.fromkeys(element for each in found.delivered for element in each.hours))
    limits = _limits(found, setting)
    columns = (
        Column("", numeric=False),
        Column(say("Institutions")),
        *(Column(say("{element}, hours each", element=setting.heading(say.name(element)))) for element in elements),
        Column(say("Hours times those who took part, each")),
        Column(say("With a project of other origin")),
        *(Column(heading) for heading in limits.values()),
    )
    rows: list[Row] = []
    for arm in setting.study.arms:
        mine = [each for each in found.delivered if each.arm == arm]
        rows.append(group_row(setting.arm_heading(arm), len(columns)))
        rows += [
            Row(
                (
                    cell(say("All") if not each.type or of is None else type_name(of.frame, each.type, setting)),
                    cell(show.integer(each.institutions)),
                    *(cell(show.decimal(each.hours.get(element), 1)) for element in elements),
                    cell(show.decimal(each.taken_up, 0)),
                    shown_count(each.projects, setting),
                    *(shown_count(each.reached[name], setting) for name in limits),
                )
            )
            for each in mine
        ]
    notes = [say("Hours are means over institutions; those without an event had none. Types are those of the last round.")]
    if limits:
        notes.append(say("The limits are those that study.yaml declares for having received the intervention ('received')."))
    notes.append(say("Types and what was delivered may each have led to the other; the order of the lines is no ranking."))
    return Table(
        "delivered-by-type", say("What was delivered, by type of institution"), columns, tuple(rows), tuple(notes), breaks=True
    )


def _limits(found: ProcessResults, setting: Setting) -> dict[str, str]:
    """Return the limits of the rule that were judged, with what each is called."""
    rule = setting.study.received
    if rule is None:
        return {}
    judged = {name for each in found.delivered for name in each.reached}
    named = {name: _limit(name, least, setting) for name, least in rule.limits.items()}
    if rule.goals is not None:
        named[GOALS] = setting.heading(goals_in_words(rule.goals, setting))
    return {name: heading for name, heading in named.items() if name in judged}


def _limit(name: str, least: float, setting: Setting) -> str:
    say, number = setting.say, setting.show.decimal(least, 0 if least % 1 == 0 else 1)
    if not name:
        return setting.heading(say("{least} or more in all", least=number))
    return setting.heading(say("{element} {least} or more", element=say.name(name), least=number))


def _dose_row(dose: ElementDose, setting: Setting) -> Row:
    say, show = setting.say, setting.show
    days = say("{first} to {last}", first=show.day(dose.first), last=show.day(dose.last)) if dose.first else show.integer(None)
    return Row(
        (
            cell(setting.heading(say.name(dose.element))),
            cell(show.say("{n} of {total}", n=show.integer(dose.with_any), total=show.integer(dose.institutions))),
            cell(show.integer(dose.events)),
            cell(show.decimal(dose.hours, 1)),
            cell(show.decimal(dose.taken_up, 0)),
            cell(days),
        )
    )


def _turnover_row(one: Turnover, found: ProcessResults, setting: Setting) -> Row:
    show = setting.show
    of = typed(found.frames)
    if one.kind == "period":
        begin, _, end = one.group.partition(" ")
        name = setting.heading(setting.say("{first} to {last}", first=setting.wave(begin), last=setting.wave(end)))
    elif one.kind == "arm" or of is None:
        name = setting.arm_heading(one.group)
    else:
        name = type_name(of.frame, one.group, setting)
    return Row(
        (
            cell(name),
            cell(show.integer(one.institutions)),
            cell(show.integer(one.staff)),
            cell(show.integer(one.left)),
            cell(show.decimal(one.person_years, 1)),
            _rate(one, setting),
        )
    )


def _rate(one: Turnover, setting: Setting) -> Cell:
    show = setting.show
    if isinstance(one.rate, Unavailable) or isinstance(one.low, Unavailable) or isinstance(one.high, Unavailable):
        return cell(show.decimal(None))
    return cell(show.decimal(100 * one.rate, 1), show.interval(100 * one.low, 100 * one.high, 1))
