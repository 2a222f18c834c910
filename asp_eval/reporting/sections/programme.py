"""What was to be delivered: the items of TIDieR, as study.yaml tells them under ``programme``; what it does not tell is named."""

from __future__ import annotations

from asp_eval.reporting.blocks import Field, Fields, Reference, Section, Text, paragraphs
from asp_eval.reporting.setting import Setting

ANCHOR = "programme"


def programme(setting: Setting) -> Section:
    """Return the description of the intervention, item by item."""
    say, told = setting.say, _told(setting)
    title = say("What was to be delivered")
    given = tuple(Field(label, text) for label, text in told.values() if text)
    if not given:
        return Section(ANCHOR, title, (paragraphs(say("study.yaml does not describe the intervention, under 'programme'.")),))
    missing = [label for label, text in told.values() if not text]
    source = say("The items are those of TIDieR, in this report's own words.")
    if missing:
        names = "; ".join(name[:1].lower() + name[1:] for name in missing)
        source = " ".join((source, say("Not said in study.yaml, under 'programme': {names}.", names=names)))
    return Section(ANCHOR, title, (Fields(given), paragraphs(source)))


def what_became_of_it(setting: Setting) -> tuple[Text, ...]:
    """Return what the description says of the delivery itself, for the chapter on the process; nothing where it says nothing."""
    told = _told(setting)
    kept = [told[key] for key in ("tailoring", "modifications", "planned_fidelity", "actual_fidelity") if told[key][1]]
    if not kept:
        return ()
    points: list[Text] = [setting.say("{what}: {text}", what=label, text=text) for label, text in kept]
    link = Reference(setting.say("What was to be delivered"), ANCHOR)
    return (*points, (setting.say("The whole description stands in another section:"), " ", link, "."))


def _told(setting: Setting) -> dict[str, tuple[str, str]]:
    """Return each item with its name and what study.yaml says of it."""
    say = setting.say
    names = {
        "name": say("Short name"),
        "why": say("Why: reasons and aims"),
        "materials": say("What: materials"),
        "procedures": say("What: activities"),
        "who": say("Who delivered it"),
        "how": say("How it was delivered"),
        "where": say("Where"),
        "when_and_how_much": say("When and how much"),
        "tailoring": say("Fitted to each institution"),
        "modifications": say("Changed on the way"),
        "planned_fidelity": say("How it was watched that it was delivered as meant"),
        "actual_fidelity": say("How far it was delivered as meant"),
    }
    declared = setting.study.programme
    texts = {key: getattr(declared, key) for key in names}
    return {key: (label, text if isinstance(text := texts[key], str) else say.label(text)) for key, label in names.items()}
