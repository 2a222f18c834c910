"""Who stands behind the report, where the trial is registered, who paid: what study.yaml says under ``report``."""

from __future__ import annotations

from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Field, Fields, Section, paragraphs
from asp_eval.reporting.setting import Setting

SHOWN_DIGITS = 16  # of the digest of the data


def about(setting: Setting) -> Section:
    """Return what study.yaml says of the study's openness; what it does not say is named as missing."""
    say, told = setting.say, setting.study.report
    known = (
        (say("Authors"), ", ".join(told.authors)),
        (say("Contact"), told.contact),
        (say("Registration"), told.registration),
        (say("Protocol"), told.protocol),
        (say("Funding"), told.funding),
        (say("Conflicts of interest"), told.conflicts),
        (say("Access to data"), told.data_access),
    )
    given = tuple(Field(label, value) for label, value in known if value)
    missing = [label for label, value in known if not value]
    blocks = (Fields(given),) if given else ()
    if missing:
        words = say(
            "Not said in study.yaml, under 'report': {names}.", names=", ".join(name[:1].lower() + name[1:] for name in missing)
        )
        return Section("open", say("Who stands behind the report"), (*blocks, paragraphs(words)))
    return Section("open", say("Who stands behind the report"), blocks)


def made_by(results: Results, setting: Setting) -> Fields:
    """Return who made the report, from data of which day, and by which plan."""
    say, provenance, lock = setting.say, results.provenance, results.provenance.plan_lock
    authors = ", ".join(setting.study.report.authors) or say("not said in study.yaml")
    data, digest = say("not known"), results.state[:SHOWN_DIGITS]
    if digest and setting.day is not None:
        data = say("of {day}, digest {digest}", day=setting.show.day(setting.day.isoformat()), digest=digest)
    elif digest:
        data = say("digest {digest}", digest=digest)
    if lock is None:
        plan = say("not locked")
    else:
        day = setting.show.day(lock.day)
        plan = say("locked on {day}, changed since", day=day) if lock.changes else say("locked on {day}, unchanged", day=day)
    return Fields(
        (
            Field(say("Made by"), authors),
            Field(say("From the data"), data),
            Field(say("By the plan"), plan),
            Field(say("With"), f"asp_eval {provenance.package_version}"),
        ),
        "run-in",
    )
