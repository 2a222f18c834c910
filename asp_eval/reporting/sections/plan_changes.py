"""Whether the plan was locked before the data, and every field that is another now."""

from __future__ import annotations

from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Block, Column, Row, Section, Table, cell, paragraphs
from asp_eval.reporting.setting import Setting
from asp_eval.trial.study.plan_fields import PlanLock


def plan_changes(results: Results, setting: Setting) -> Section:
    """Return whether and when the plan was locked, what data there were then, and what was changed since."""
    say, lock = setting.say, results.provenance.plan_lock
    title = say("Changes to the plan")
    if lock is None:
        unlocked = say(
            "The plan was not locked. Whether it was changed after the outcomes were seen cannot be shown; 'asp-eval plan lock' "
            "seals a plan in the ledger."
        )
        return Section("changes", title, (paragraphs(unlocked),))
    blocks: list[Block] = [paragraphs(_locked(lock, setting))]
    if lock.changes:
        blocks.append(changes_table(lock, setting))
    else:
        blocks.append(paragraphs(say("Nothing of what decides the numbers has been changed since.")))
    return Section("changes", title, tuple(blocks))


def unlocked_words(results: Results, setting: Setting) -> str:
    """Return what every page says of a plan that was not locked, or was changed since; empty where neither is so."""
    lock = results.provenance.plan_lock
    if lock is None:
        return setting.say("The plan was not locked")
    return setting.say("The plan was changed after it was locked") if lock.changes else ""


def locked_words(results: Results, setting: Setting) -> str:
    """Return of which day the plan is, as every page says it beside the data; empty of a plan that was not locked."""
    lock = results.provenance.plan_lock
    return "" if lock is None else setting.say("plan of {day}", day=setting.show.day(lock.day))


def _locked(lock: PlanLock, setting: Setting) -> str:
    say, show = setting.say, setting.show
    stored = "; ".join(f"{_table(name, setting)}: {show.integer(rows)}" for name, rows in lock.data.items())
    day = show.day(lock.day)
    if not stored:
        return say("The plan was locked on {day}, before any data were stored.", day=day)
    return say("The plan was locked on {day}. Rows that were stored then: {stored}.", day=day, stored=stored)


def _table(name: str, setting: Setting) -> str:
    table, _, wave = name.partition(" ")
    say = setting.say
    called = {
        "institutions": say("institutions"),
        "allocation": say("arms of institutions"),
        "children": say("children"),
        "screening": say("screenings"),
        "staff_survey": say("answers of staff"),
    }.get(table, table)
    return f"{called} ({setting.wave(wave)})" if wave else called


def changes_table(lock: PlanLock, setting: Setting) -> Table:
    """Return every field of the plan that is another than when it was locked."""
    say = setting.say
    columns = (
        Column(say("Field of the plan"), numeric=False),
        Column(say("When it was locked"), numeric=False),
        Column(say("In this analysis"), numeric=False),
        Column(say("Analysed so since"), numeric=False),
    )
    rows = tuple(
        Row(
            (
                cell(change.field),
                cell(change.locked),
                cell(change.now),
                cell(setting.show.day(change.since) if change.since else setting.show.decimal(None)),
            )
        )
        for change in lock.changes
    )
    note = say("Every field of study.yaml that decides the numbers is compared, and the digests of instruments and lot.")
    return Table("plan-changes", say("What is another than when the plan was locked"), columns, rows, (note,))
