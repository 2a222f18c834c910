"""Where the trial took place, and the box of enrolment: from the list of institutions to the cohort."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Column, Field, Fields, Row, Section, Table, cell
from asp_eval.reporting.setting import Setting
from asp_eval.trial.flow.counts import FlowCounts


def place(results: Results, setting: Setting) -> Section:
    """Return where the trial took place, and who was enrolled."""
    fields = tuple(_fields(results, setting))
    blocks = (*((Fields(fields),) if fields else ()), enrolment_table(results.flow, setting))
    return Section("place", setting.say("Where it took place, and who was enrolled"), blocks)


def enrolment_table(flow: FlowCounts, setting: Setting) -> Table:
    """Return the box of enrolment: the institutions assessed, those left out with the reason, and those drawn."""
    say, show = setting.say, setting.show

    def row(label: str, institutions: int | None, children: int | None, *details: str) -> Row:
        return Row((cell(label, *details), cell(show.integer(institutions)), cell(show.integer(children))))

    drawn = flow.institutions - flow.not_drawn
    listed = sum(arm.listed for arm in flow.arms)
    rows = [
        row(say("In the list: assessed for the trial"), flow.institutions, listed + flow.children_not_drawn),
        *([row(say("– not drawn"), flow.not_drawn, flow.children_not_drawn)] if flow.not_drawn else []),
        *(row(say("– – left out: {institution}", institution=o.institution), 1, None, say.note(o.reason)) for o in flow.left_out),
        row(say("Drawn"), drawn, listed),
        *(row(f"– {setting.arm(arm.arm)}", arm.institutions, arm.listed) for arm in flow.arms),
        row(say("– not eligible"), None, sum(arm.not_eligible for arm in flow.arms)),
        row(say("– joined after the first round"), None, sum(arm.joined_later for arm in flow.arms)),
        row(say("Children in the cohort"), None, sum(arm.cohort for arm in flow.arms)),
    ]
    columns = (Column("", numeric=False), Column(say("Institutions")), Column(say("Children")))
    note = say(
        "How many institutions were asked before the list was made, and how many said no, is not in the data of the study."
    )
    return Table("enrolment", say("From the list to the cohort"), columns, tuple(rows), (note,))


def _fields(results: Results, setting: Setting) -> Iterator[Field]:
    """Yield the strata with their institutions, and when they were visited."""
    say, show = setting.say, setting.show
    for stratum in setting.study.strata:
        found = [row for row in results.baseline if row.unit == "institution" and row.variable == stratum and row.level]
        counts = [(say.name(row.level), sum(arm.count or 0 for arm in row.arms)) for row in found]
        if counts:
            words = "; ".join(f"{name} {show.integer(n)}" for name, n in counts)
            yield Field(say("Institutions by {stratum}", stratum=say.name(stratum)), words)
    days = [day for wave in setting.study.waves for day in (wave.start, wave.end) if day]
    if days:
        first, last = (show.day(day.isoformat()) for day in (min(days), max(days)))
        yield Field(say("When"), say("{first} to {last}", first=first, last=last))
