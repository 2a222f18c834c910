"""Who stands behind the report, where the trial is registered, who paid: what study.yaml says under ``report``."""

from __future__ import annotations

from asp_eval.reporting.blocks import Field, Fields, Section, paragraphs
from asp_eval.reporting.setting import Setting


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
