"""The chapter on the process: who the institutions were, what was delivered, how coders agreed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asp_eval.analysis.process.results import (
    CodeAgreement,
    Count,
    ElementDose,
    FrameFindings,
    ProcessResults,
    Turnover,
    typed,
)
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Block, Cell, Column, Reference, Row, Section, Table, Text, cell, listing, paragraphs
from asp_eval.reporting.sections.frame_paragraphs import frame_paragraphs
from asp_eval.reporting.sections.goals_set import goals_set
from asp_eval.reporting.sections.process_and_effect import process_and_effect
from asp_eval.reporting.sections.process_words import level_name, round_name, shown_count, type_name
from asp_eval.reporting.sections.programme import what_became_of_it
from asp_eval.reporting.sections.propositions import propositions
from asp_eval.reporting.sections.staff_answers import staff_answers
from asp_eval.reporting.setting import Setting
from asp_eval.stats.meta.agreement import Agreement
from asp_eval.trial.process.frame import Frame


def process_chapter(found: ProcessResults | None, setting: Setting) -> Section | None:
    """Return the chapter "What happened in the institutions"; None where no process evaluation was made."""
    if found is None:
        return None
    say = setting.say
    parts = [
        part
        for one in found.frames
        for part in (_types(one, setting), _conditions(one, setting), _coders(one, setting))
        if part is not None
    ]
    delivered = _delivered(found, setting)
    staff = staff_answers(found, setting)
    together = process_and_effect(found, setting)
    order = [
        *parts[:1],
        delivered,
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
        Column(say("{arm}, {round}", arm=setting.heading(setting.arm(arm)), round=round_name(round_, setting)))
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
        rows.append(Row((cell(setting.heading(setting.arm(arm)), wide=len(columns)),), group=True))
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
            rows.append(Row((cell(say.label(code.title, code.key), wide=1 + len(setting.study.arms)),), group=True))
            for level in frame.levels(code.key):
                shares = [shown_count(kept[code.key, level, arm], setting) for arm in setting.study.arms]
                rows.append(Row((cell(level_name(frame, code.key, level, setting)), *shares)))
        columns = [Column("", numeric=False), *(Column(setting.heading(setting.arm(arm))) for arm in setting.study.arms)]
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
    return Section(f"{frame.id}-codes", _of_frame(say("What managers told"), frame, setting), told)


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


def _of_frame(title: str, frame: Frame, setting: Setting) -> str:
    """Return a title, with what the frame is called unless it is the one that the types are of."""
    name = setting.say.label(frame.title, frame.id)
    return title if frame.type is not None else setting.say("{title}: {frame}", title=title, frame=name)


def _any(kept: dict[tuple[str, str, str], Count], code: str, arms: Iterable[str]) -> bool:
    return any(count.of for (key, _, arm), count in kept.items() if key == code and arm in set(arms))


def _coders(found: FrameFindings, setting: Setting) -> Section | None:
    """Return the agreement of the coders, code by code."""
    say, show, frame = setting.say, setting.show, found.frame
    agreed = [each for each in found.agreement if each.coefficients]
    if not agreed:
        return None
    columns = (
        Column(say("Code"), numeric=False),
        Column(say("Interviews")),
        Column(say("Alike")),
        Column(say("Krippendorff's alpha")),
        Column(say("Gwet's coefficient")),
    )
    rows = tuple(
        Row(
            (
                cell(say.label(frame.code(each.code).title, each.code)),
                cell(show.integer(_first(each, "percent").units)),
                cell(_percent(_first(each, "percent"), setting)),
                _coefficient(_alpha(each, frame), setting),
                _coefficient(_first(each, "gwet"), setting),
            )
        )
        for each in agreed
    )
    notes = (
        say(
            "Interviews coded by two coders or more. {level} intervals: institutions resampled, as two rounds of one are not "
            "independent.",
            level=setting.level,
        ),
        say("Ordered codes: alpha for ordered codes, and Gwet's coefficient with part credit for near misses (AC2, squared)."),
    )
    words = [
        say(
            "Two coders or more coded {twice} of {n} interviews; {share} were planned.",
            twice=show.integer(sum(each.coded_twice for each in found.interviews)),
            n=show.integer(sum(each.interviewed for each in found.interviews)),
            share=show.percent(found.double_coded),
        )
    ]
    table = Table(f"{frame.id}-agreement", say("Agreement of the coders"), columns, rows, notes)
    title = _of_frame(say("How the coders agreed"), frame, setting)
    return Section(f"{frame.id}-coders", title, (paragraphs(*words), table))


def _first(agreement: CodeAgreement, statistic: str) -> Agreement:
    return next(each for each in agreement.coefficients if each.statistic == statistic)


def _alpha(agreement: CodeAgreement, frame: Frame) -> Agreement:
    return _first(agreement, "krippendorff_ordinal" if frame.is_ordinal(agreement.code) else "krippendorff_nominal")


def _percent(found: Agreement, setting: Setting) -> str:
    return setting.show.integer(None) if found.estimate is None else setting.show.percent(found.estimate)


def _coefficient(found: Agreement, setting: Setting) -> Cell:
    show = setting.show
    if found.estimate is None:
        return cell(show.reason(Unavailable(found.note)))
    return cell(show.decimal(found.estimate), show.interval(found.conf_low, found.conf_high))


def _delivered(found: ProcessResults, setting: Setting) -> Section | None:
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
            rows.append(Row((cell(setting.heading(setting.arm(arm)), wide=len(columns)),), group=True))
            rows += [_dose_row(dose, setting) for dose in found.doses if dose.arm == arm]
        note = say("From the log of the programme; projects of other origin are not counted.")
        blocks.append(Table("elements", say("What was delivered, by element of the programme"), columns, tuple(rows), (note,)))
    if found.delivered:
        blocks.append(_by_type(found, setting))
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
                lines.append(Row((cell(words, wide=len(columns)),), group=True))
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
    limits = dict(setting.study.received.limits) if setting.study.received is not None else {}
    limits = {name: least for name, least in limits.items() if any(name in each.reached for each in found.delivered)}
    columns = (
        Column("", numeric=False),
        Column(say("Institutions")),
        *(Column(say("{element}, hours each", element=setting.heading(say.name(element)))) for element in elements),
        Column(say("With a project of other origin")),
        *(Column(_limit(name, least, setting)) for name, least in limits.items()),
    )
    rows: list[Row] = []
    for arm in setting.study.arms:
        mine = [each for each in found.delivered if each.arm == arm]
        rows.append(Row((cell(setting.heading(setting.arm(arm)), wide=len(columns)),), group=True))
        rows += [
            Row(
                (
                    cell(say("All") if not each.type or of is None else type_name(of.frame, each.type, setting)),
                    cell(show.integer(each.institutions)),
                    *(cell(show.decimal(each.hours.get(element), 1)) for element in elements),
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
        name = setting.heading(setting.arm(one.group))
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
