"""How every number of a report is computed again."""

from __future__ import annotations

from asp_eval.reporting.blocks import Code, Field, Fields, Section, paragraphs
from asp_eval.reporting.setting import Setting
from asp_eval.trial.tables.schema import BY_WAVE

SHOWN_DIGITS = 16  # of the ledger's head: enough that no other entry has them


def reproduction(setting: Setting) -> Section:
    """Return how the numbers are computed again."""
    say = setting.say
    files = say("Everything on these pages is made from files in the study folder. In that folder:")
    manifest = say(
        "The file manifest.json holds the digests of the data, the versions of the programs and the seed; with the same data the "
        "numbers must come out the same."
    )
    blocks = (paragraphs(files), Fields(commands(setting)), paragraphs(manifest))
    return Section("again", say("Data and code"), blocks)


def commands(setting: Setting) -> tuple[Field, ...]:
    """Return the commands that make every number again."""
    say = setting.say
    return (
        *_scores(setting),
        Field((Code("asp-eval analyse"),), say("fits every model again and writes results.json and results.csv")),
        *_profiles(setting),
        Field((Code("asp-eval report"),), say("prints these pages again from those files alone")),
        *_ledger(setting),
    )


def _scores(setting: Setting) -> tuple[Field, ...]:
    """Return the command that scores the answers, where the study has any that are scored."""
    if not any(map(setting.study.collected_instruments, BY_WAVE)):
        return ()
    return (Field((Code("asp-eval score"),), setting.say("scores the answers again from the validated tables")),)


def _profiles(setting: Setting) -> tuple[Field, ...]:
    """Return the command that makes the profiles, where the study has any."""
    if setting.study.gap is None:
        return ()
    return (Field((Code("asp-eval gap"),), setting.say("makes the GAP-profiles again and writes gap.json")),)


def _ledger(setting: Setting) -> tuple[Field, ...]:
    """Return the command that checks the ledger against the head that is printed with it."""
    head = setting.results.provenance.ledger_head[:SHOWN_DIGITS]
    if not head:
        return ()
    said = setting.say(
        "shows whether anything done to the data before these numbers was changed since: the head of the sealed ledger was "
        "{head}, and all its 64 digits stand in manifest.json",
        head=head,
    )
    return (Field((Code(f"asp-eval check --ledger --head {head}"),), said),)
