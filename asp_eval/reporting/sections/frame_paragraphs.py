"""What interviews coded with a frame say, in a few sentences: heading by heading, before the tables that hold every count."""

from __future__ import annotations

from collections.abc import Sequence

from asp_eval.analysis.process.results import ALL_ARMS, Count, FrameFindings
from asp_eval.reporting.blocks import Prose, Strong, Text, listing
from asp_eval.reporting.numbers import Shown, joined
from asp_eval.reporting.sections.process_words import level_name
from asp_eval.reporting.setting import Setting
from asp_eval.trial.process.frame import Frame
from asp_eval.trial.process.parts import Code

ABSENT_OR_PRESENT = ("absent", "present")
MOST_NAMED = 4  # of codes that are there or not, under one heading
Counts = dict[tuple[str, str, str], Count]  # by code, level and round, over all arms


def frame_paragraphs(found: FrameFindings, setting: Setting) -> Prose | None:
    """Return an item for each heading of the frame under which something was coded; None where nothing was.

    Of codes that are there or not, those found in most institutions are named; of every other code, what most institutions said
    in the last round, and in the first where that was something else.
    """
    frame = found.frame
    counts: Counts = {(each.code, each.level, each.round): each.count for each in found.levels if each.arm == ALL_ARMS}
    items: list[Text] = []
    for theme in frame.themes:
        codes = [code for code in frame.codes if code.theme == theme.key and _coded(counts, frame, code, found.rounds[-1])]
        if codes:
            said = joined(" ", (*_present(counts, frame, codes, found, setting), *_others(counts, frame, codes, found, setting)))
            title = setting.say.label(theme.title, theme.key)
            alone = [setting.say.label(code.title, code.key) for code in codes] == [title]
            items.append(said if alone else (Strong(setting.show.say("{heading}.", heading=title)), " ", said))
    return listing(items) if items else None


def _coded(counts: Counts, frame: Frame, code: Code, round_: str) -> bool:
    return any((one := counts.get((code.key, level, round_))) and one.n for level in frame.levels(code.key))


def _present(counts: Counts, frame: Frame, codes: Sequence[Code], found: FrameFindings, setting: Setting) -> tuple[Shown, ...]:
    """Return which of the codes that are there or not were found in most institutions."""
    show, last = setting.show, found.rounds[-1]
    there = [(counts[code.key, "present", last], code) for code in codes if frame.levels(code.key) == ABSENT_OR_PRESENT]
    if not there:
        return ()
    ranked = sorted(((count, code) for count, code in there if count.n), key=lambda each: -each[0].n / each[0].of)
    if not ranked:
        return (show.say("None of them was found in any institution."),)
    named = joined("; ", (_told(setting.say.label(code.title, code.key), count, setting) for count, code in ranked[:MOST_NAMED]))
    return (show.say("Found in most institutions: {codes}.", codes=named),)


def _others(counts: Counts, frame: Frame, codes: Sequence[Code], found: FrameFindings, setting: Setting) -> tuple[Shown, ...]:
    """Return what most institutions said of each other code, and what they said first if that was something else."""
    show, first, last = setting.show, found.rounds[0], found.rounds[-1]
    sentences = []
    for code in (each for each in codes if frame.levels(each.key) != ABSENT_OR_PRESENT):
        title = setting.say.label(code.title, code.key)
        now, before = (_usual(counts, frame, code, round_) for round_ in (last, first))
        told = _quoted(level_name(frame, code.key, now, setting), counts[code.key, now, last], setting)
        if not before or before == now:
            sentences.append(show.say("{code}: {level}.", code=title, level=told))
            continue
        earlier = _quoted(level_name(frame, code.key, before, setting), counts[code.key, before, first], setting)
        sentences.append(show.say("{code}: {level}; in the first round {earlier}.", code=title, level=told, earlier=earlier))
    return tuple(sentences)


def _usual(counts: Counts, frame: Frame, code: Code, round_: str) -> str:
    """Return the level that most institutions have in a round, the first of several; empty where it was not coded."""
    known = [(counts[code.key, level, round_].n, level) for level in frame.levels(code.key)]
    most = max(n for n, _ in known)
    return next(level for n, level in known if n == most) if most else ""


def _told(what: str, count: Count, setting: Setting) -> Shown:
    show = setting.show
    return show.say("{what} ({n} of {total})", what=what, n=show.integer(count.n), total=show.integer(count.of))


def _quoted(what: str, count: Count, setting: Setting) -> Shown:
    """Return what a code says in quotation marks, for its words may hold a colon themselves."""
    return _told(setting.say("“{level}”", level=what), count, setting)
