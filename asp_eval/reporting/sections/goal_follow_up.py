"""What an institution chose to work on, what it did, how it went, and what its profile says on that dimension.

Every number is one that the institution's profile prints, so a follow-up sheet tells nothing that the profile hides.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from asp_eval.analysis.gap_results import GapDimension, GapEntry, GapProfile, GapResults
from asp_eval.analysis.gap_rounds import HIDDEN_BEFORE
from asp_eval.analysis.goals import Goal
from asp_eval.reporting.blocks import Block, Column, Field, Fields, Question, Row, Section, Table, cell, listing, paragraphs
from asp_eval.reporting.language import as_sentence
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.gap_profile import gap_pairs
from asp_eval.trial.profiles.worksheet import worksheet_of_meetings

WIDTH = 95  # of a hundred parts, for the columns beside the number


def in_short(goals: Sequence[Goal], show: Numbers) -> Section:
    """Return how many goals were set, when, and what became of them."""
    say = show.words
    days = sorted({goal.date for goal in goals if goal.date})
    sentences = [say("Goals you set: {n}.", n=show.integer(len(goals)))]
    if days:
        sentences.append(say("They were set on: {days}.", days=", ".join(show.day(day) for day in days)))
    counts = [(each, sum(goal.how_it_went == each.key for goal in goals)) for each in worksheet_of_meetings().outcomes]
    known = [f"{say.label(each.title, each.key)}: {show.integer(n)}" for each, n in counts if n]
    if known:
        sentences.append(say("How it went: {counts}.", counts="; ".join(known)))
    open_ = sum(not goal.how_it_went for goal in goals)
    if open_:
        sentences.append(say("Goals not yet followed up: {n}.", n=show.integer(open_)))
    if surprises := list(dict.fromkeys(goal.surprise for goal in goals if goal.surprise)):
        sentences.append(say("What surprised you: {words}", words=" / ".join(surprises)))
    return Section("short", "", (listing(sentences),))


def chosen(results: GapResults, profile: GapProfile, goals: Sequence[Goal], show: Numbers) -> tuple[Section, ...]:
    """Return a section for each dimension that goals were set on, in the order of the goals."""
    pairs = {dimension.key: (dimension, entry) for dimension, entry in gap_pairs(results, profile)}
    order = list(dict.fromkeys(goal.dimension for goal in goals))
    ordered = sorted(goals, key=lambda goal: (order.index(goal.dimension), goal.number))
    return tuple(
        _dimension(number, results, pairs.get(key), key, tuple(members), show)
        for number, (key, members) in enumerate(groupby(ordered, key=lambda goal: goal.dimension), 1)
    )


def next_steps(show: Numbers) -> Section:
    """Return what the staff talk about when they look back."""
    say = show.words
    questions = (
        Question(say("What made it possible?"), say("What did we do, and what had to be there?"), 2),
        Question(say("What stood in the way?"), say("What could we change ourselves?"), 2),
        Question(say("What do we keep, and what is our next step?"), say("Who sees to it, and by when?"), 2),
    )
    return Section("next", say("Looking back at the staff meeting"), questions)


def _dimension(
    number: int,
    results: GapResults,
    pair: tuple[GapDimension, GapEntry] | None,
    key: str,
    goals: Sequence[Goal],
    show: Numbers,
) -> Section:
    say = show.words
    title = say.label(pair[0].label, key) if pair is not None else key or say("Beside the profile")
    fields = [Field(say.label(_text("aim"), "aim"), aim) for aim in dict.fromkeys(goal.aim for goal in goals if goal.aim)]
    if pair is not None:
        fields += _rounds(results, pair[1], show)
    blocks: tuple[Block, ...] = (Fields(tuple(fields)),) if fields else ()
    return Section(f"chosen-{number}", title, (*blocks, _goals(number, goals, show)))


def _rounds(results: GapResults, entry: GapEntry, show: Numbers) -> tuple[Field, ...]:
    """Return what the profile says on a dimension, as it is printed there: last time where there was one, and this time."""
    say = show.words
    now = _in_words(entry.staff, entry.child, say.note(entry.reason), show)
    wave = say.label(results.wave_label, results.wave)
    if not results.earlier_wave or entry.before is None:
        return (Field(say("In your profile, {wave}", wave=wave), now),)
    before, earlier = entry.before, say.label(results.earlier_wave_label, results.earlier_wave)
    then = _in_words(before.staff, before.child, say.note(HIDDEN_BEFORE), show)
    fields = [
        Field(say("In your profile, {wave}", wave=earlier), then),
        Field(say("In your profile, {wave}", wave=wave), now),
    ]
    if before.change is not None:
        change = say(
            "The staff's side less the children's has changed by {n} ({interval}), allowing for chance.",
            n=show.decimal(before.change, 0),
            interval=show.interval(before.low, before.high, 0),
        )
        fields.append(Field(say("Since then"), change))
    return tuple(fields)


def _in_words(staff: int | None, child: int | None, hidden: str, show: Numbers) -> str:
    if staff is None or child is None:
        return as_sentence(hidden)
    return show.words(
        "You rated yourselves {staff} and the children {child}.",
        staff=show.decimal(staff, 0),
        child=show.decimal(child, 0),
    )


def _goals(number: int, goals: Sequence[Goal], show: Numbers) -> Table:
    """Return the goals of a dimension as a table: what is empty can be filled in by hand."""
    say, sheet = show.words, worksheet_of_meetings()
    asked = [each for each in sheet.questions if each.once is None]
    parts = sum(each.width for each in asked)
    columns = (
        Column(say.label(sheet.labels["goal"], ""), numeric=False),
        *(Column(say.label(each.text, each.key), numeric=False, width=round(WIDTH * each.width / parts)) for each in asked),
    )
    rows = tuple(
        Row((cell(show.integer(goal.number)), *(cell(_answer(goal, each.key, each.kind, show)) for each in asked)))
        for goal in goals
    )
    return Table(f"goals-{number}", say.label(sheet.goals_title, ""), columns, rows)


def _answer(goal: Goal, key: str, kind: str, show: Numbers) -> str:
    text = str(getattr(goal, key))
    if kind == "date":
        return show.day(text)
    if kind == "outcome":
        return show.words.label(worksheet_of_meetings().outcome_name(text), text)
    return text


def _text(key: str) -> dict[str, str]:
    return next({**each.text} for each in worksheet_of_meetings().questions if each.key == key)


def caution(show: Numbers) -> Section:
    """Return what a follow-up sheet is not."""
    say = show.words
    return Section(
        "caution",
        say("How to read it"),
        (
            paragraphs(
                say(
                    "A profile of one institution cannot show whether a goal was reached: it has few answers, the same people "
                    "give them, and what was unusual once tends to be less so the next time. What you saw happen counts more."
                )
            ),
        ),
    )
