"""The chapter on the process: who the institutions were, what managers told, and how far it all reaches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asp_eval.analysis.process.results import Count, FrameFindings, ProcessResults
from asp_eval.reporting.blocks import Block, Column, Reference, Row, Section, Table, Text, cell, group_row, listing, paragraphs
from asp_eval.reporting.sections.coders import coders
from asp_eval.reporting.sections.delivery import delivery
from asp_eval.reporting.sections.frame_paragraphs import frame_paragraphs
from asp_eval.reporting.sections.goals_set import goals_set
from asp_eval.reporting.sections.process_and_effect import process_and_effect
from asp_eval.reporting.sections.process_words import level_name, of_frame, round_name, shown_count, type_name
from asp_eval.reporting.sections.propositions import propositions
from asp_eval.reporting.sections.staff_answers import staff_answers
from asp_eval.reporting.setting import Setting


def process_chapter(found: ProcessResults | None, setting: Setting) -> Section | None:
    """Return the chapter "What happened in the institutions"; None where no process evaluation was made."""
    if found is None:
        return None
    say = setting.say
    parts = [
        part
        for one in found.frames
        for part in (_types(one, setting), _conditions(one, setting), coders(one, setting))
        if part is not None
    ]
    staff = staff_answers(found, setting)
    together = process_and_effect(found, setting)
    order = [
        *parts[:1],
        delivery(found, setting),
        goals_set(found, setting),
        *parts[1:],
        staff,
        propositions(found, setting),
        together,
        _reach(found, setting),
    ]
    written = tuple(part for part in order if part is not None)
    source = paragraphs(say("From interviews, the log of the programme, the list of staff and staff's own answers."))
    return Section("process", say("What happened in the institutions"), (source, *_components(written, setting)), written)


def _components(parts: Sequence[Section], setting: Setting) -> tuple[Block, ...]:
    """Return where each component of a process evaluation stands.

    The order is that of Moore and others 2015 (BMJ 350:h1258), with Grant and others 2013 (Trials 14:15) for trials of clusters.
    """
    say = setting.say
    codes = [part.anchor for part in parts if part.anchor.endswith("-codes")]
    wanted = {
        say("Who the institutions were, and how they responded"): ["process-types"],
        say("What was delivered to them: dose, reach and fidelity"): ["delivered", "goals"],
        say("Context and mechanisms, as managers and staff tell of them"): [*codes, "staff-answers", "propositions"],
        say("How they go together with the outcome"): ["together"],
        say("How far all this reaches"): ["reach"],
    }
    titles = {part.anchor: part.title for part in parts}
    items: list[Text] = []
    for what, anchors in wanted.items():
        links = [Reference(titles[anchor], anchor) for anchor in anchors if anchor in titles]
        if links:
            parted = [piece for link in links for piece in (link, "; ")][:-1]
            items.append((what, ": ", *parted, "."))
    intro = say("In the order of process evaluations of trials of whole institutions (MRC guidance; Grant and others 2013):")
    return (paragraphs(intro, introduces=True), listing(items))


def _types(found: FrameFindings, setting: Setting) -> Section | None:
    """Return the types of institution by round and arm, and how they changed."""
    say, show, frame = setting.say, setting.show, found.frame
    if frame.type is None:
        return None
    heading = [Column(say("Type"), numeric=False)]
    heading += [
        Column(say("{arm}, {round}", arm=setting.arm_heading(arm), round=round_name(round_, setting)))
        for round_ in found.rounds
        for arm in setting.study.arms
    ]
    counts = {(each.level, each.round, each.arm): each.count for each in found.types}
    rows = tuple(
        Row(
            (
                cell(type_name(frame, level, setting)),
                *(shown_count(counts[level, round_, arm], setting) for round_ in found.rounds for arm in setting.study.arms),
            )
        )
        for level in frame.levels(frame.type.code)
    )
    notes = [say("Number of institutions with a type, and the {level} interval of the share (Wilson).", level=setting.level)]
    table = Table("types", say("Types of institution"), tuple(heading), rows, tuple(notes))
    words = [
        say(
            "{n} interviews were coded, {twice} of them by two coders or more; {coders} coders took part.",
            n=show.integer(sum(each.interviewed for each in found.interviews)),
            twice=show.integer(sum(each.coded_twice for each in found.interviews)),
            coders=show.integer(found.coders),
        ),
        say(
            "The type follows from the rule of the frame in {rule} interviews; the coders' own word differs from the rule in "
            "{overridden}. The rule is doubtful in {doubtful}, and {undecided} interviews have no type.",
            rule=show.integer(found.by_rule),
            overridden=show.integer(found.overridden),
            doubtful=show.integer(found.doubtful),
            undecided=show.integer(found.undecided),
        ),
    ]
    if found.unused_lines:
        words.append(say("Lines of the rule that no interview fell on: {n}.", n=show.integer(found.unused_lines)))
    changes = _changes(found, setting)
    return Section(
        "process-types",
        say("Types of institution, and how they changed"),
        (listing(words), table, *((changes,) if changes else ())),
    )


def _changes(found: FrameFindings, setting: Setting) -> Table | None:
    """Return the change of type from the first round to the last, by arm."""
    say, show, frame = setting.say, setting.show, found.frame
    if not found.changes or frame.type is None:
        return None
    levels = frame.levels(frame.type.code)
    counts = {(each.arm, each.first, each.last): each.n for each in found.changes}
    columns = [Column(say("From"), numeric=False), *(Column(type_name(frame, level, setting)) for level in levels)]
    rows: list[Row] = []
    for arm in setting.study.arms:
        rows.append(group_row(setting.arm_heading(arm), len(columns)))
        for first in levels:
            numbers = [cell(show.integer(counts[arm, first, last])) for last in levels]
            rows.append(Row((cell(type_name(frame, first, setting)), *numbers)))
    first, last = round_name(found.rounds[0], setting), round_name(found.rounds[-1], setting)
    caption = say("Type in the first round ({first}, lines) and in the last ({last}, columns)", first=first, last=last)
    return Table("type-changes", caption, tuple(columns), tuple(rows), (say("Institutions with a type in both rounds."),))


def _conditions(found: FrameFindings, setting: Setting) -> Section | None:
    """Return every other code, heading by heading, as it stood in the last round."""
    say, frame = setting.say, found.frame
    kept = {(each.code, each.level, each.arm): each.count for each in found.levels if each.round == found.rounds[-1]}
    tables = []
    for theme in frame.themes:
        codes = [code for code in frame.codes if code.theme == theme.key and _any(kept, code.key, setting.study.arms)]
        codes = [code for code in codes if frame.type is None or code.key != frame.type.code]
        if not codes:
            continue
        rows: list[Row] = []
        for code in codes:
            rows.append(group_row(say.label(code.title, code.key), 1 + len(setting.study.arms)))
            for level in frame.levels(code.key):
                shares = [shown_count(kept[code.key, level, arm], setting) for arm in setting.study.arms]
                rows.append(Row((cell(level_name(frame, code.key, level, setting)), *shares)))
        columns = [Column("", numeric=False), *(Column(setting.arm_heading(arm)) for arm in setting.study.arms)]
        tables.append(
            Table(f"{frame.id}-{theme.key}", say.label(theme.title, theme.key), tuple(columns), tuple(rows), breaks=True)
        )
    if not tables:
        return None
    intro = say(
        "What coders found in the last round ({round}): the number of institutions, and the {level} interval of the share. A "
        "code on which coders differ and nobody has decided counts nowhere; there are {open} of them.",
        round=round_name(found.rounds[-1], setting),
        level=setting.level,
        open=setting.show.integer(found.open_codes),
    )
    in_words = frame_paragraphs(found, setting)
    quoted = _excerpts(found, setting)
    told = (paragraphs(intro), *((in_words,) if in_words else ()), *tables, *quoted)
    return Section(f"{frame.id}-codes", of_frame(say("What managers told"), frame, setting), told)


def _excerpts(found: FrameFindings, setting: Setting) -> tuple[Block, ...]:
    """Return what managers said in their own words, where excerpts are marked to be printed."""
    say, frame = setting.say, found.frame
    if not found.excerpts:
        return ()
    quotes: list[Text] = []
    for each in found.excerpts:
        code = say.label(frame.code(each.code).title, each.code) if each.code in frame.keys else ""
        level = level_name(frame, each.code, each.level, setting) if code and each.level else ""
        about = ", ".join(part for part in (code, level, round_name(each.round, setting)) if part)
        quotes.append(say("“{text}” ({about})", text=each.text, about=about))
    intro = say("In the managers' own words. The excerpts were chosen for the report; how many said what stands in the tables.")
    return paragraphs(intro, introduces=True), listing(quotes)


def _any(kept: dict[tuple[str, str, str], Count], code: str, arms: Iterable[str]) -> bool:
    return any(count.of for (key, _, arm), count in kept.items() if key == code and arm in set(arms))


def _reach(found: ProcessResults, setting: Setting) -> Section:
    """Return what the design can say about the process, and what it cannot."""
    say = setting.say
    words = [
        say(
            "The lot was drawn between institutions, so the difference of the arms is an effect; nothing else in this chapter is."
        ),
        say(
            "Types, doses and conditions that come about after the lot describe institutions; they may be causes or consequences."
        ),
        say("An institution has one arm. Its mean is no effect of its own, and the table that holds it is no ranking."),
    ]
    if found.frames:
        words.append(say("What managers told is what they told: coders judged interviews, not institutions."))
    return Section("reach", say("What this chapter can say, and what it cannot"), (listing(words),))
