"""What has changed in a GAP-profile since last time, and what would have changed by itself."""

from __future__ import annotations

from collections.abc import Sequence

from asp_eval.analysis.gap_results import GapDimension, GapEntry, GapResults
from asp_eval.reporting.blocks import Field
from asp_eval.reporting.language import Words, as_sentence
from asp_eval.reporting.numbers import Numbers, Shown

Pairs = Sequence[tuple[GapDimension, GapEntry]]

WORDS = ("staff-higher", "child-higher", "no-change")
LEAST_RETURN = 2  # points; less is not worth a sentence


def since_fields(results: GapResults, pairs: Pairs, show: Numbers) -> tuple[Field, ...]:
    """Return how a second round is read beside the first; nothing in a first round."""
    if not results.earlier_wave or not any(entry.before for _, entry in pairs):
        return ()
    say = show.words
    by_itself = say(
        "What was unusual once tends to be less so the next time, also where nothing was done: part of it was chance, such as "
        "who answered and on what kind of day, and chance does not repeat itself (regression to the mean).",
    )
    named = say(
        "So a change is named only where its interval ({level}) lies on one side of 0. In simulated rounds in which nothing had "
        "changed, one was named for fewer than 1 in 100 institutions, also among those far out the first time.",
        level=show.level(results.level),
    )
    fields = [Field(say("By itself"), by_itself + _own_return(pairs, show)), Field(say("Change"), named)]
    if results.change_note:
        fields.append(Field(say("Who answered twice"), as_sentence(say.note(results.change_note))))
    return tuple(fields)


def _own_return(pairs: Pairs, show: Numbers) -> str:
    """Say by how much the institution's own most unusual distance was expected to come back."""
    known = [(d, e.before) for d, e in pairs if e.before is not None and e.before.returns is not None]
    if not known:
        return ""
    dimension, before = max(known, key=lambda each: each[1].returns or 0)
    if before.returns is None or before.returns < LEAST_RETURN:
        return ""
    return " " + show.words(
        "Your distance on “{dimension}” was expected to come {n} points nearer to the typical by itself.",
        dimension=show.words.label(dimension.label, dimension.key),
        n=show.integer(before.returns),
    )


def since_in_short(results: GapResults, pairs: Pairs, show: Numbers) -> tuple[str, ...]:
    """Say on which dimensions an institution has changed since last time; nothing in a first round."""
    if not results.earlier_wave:
        return ()
    say = show.words
    wave = say.label(results.earlier_wave_label, results.earlier_wave)
    if not any(entry.before for _, entry in pairs):
        return (
            say(
                "No answers of last time ({wave}) stand under your institution's id. If it had another id then, the two rounds "
                "can be laid side by side once the id is the same in both.",
                wave=wave,
            ),
        )
    found = {word: [d for d, e in pairs if e.before is not None and e.before.word == word] for word in WORDS}
    named = {word: ", ".join(say.label(d.label, d.key) for d in members) for word, members in found.items()}
    sentences = []
    if named["staff-higher"]:
        sentences.append(
            say(
                "Since last time ({wave}) the staff side has come to lie higher against the children's side on: {list}.",
                wave=wave,
                list=named["staff-higher"],
            )
        )
    if named["child-higher"]:
        sentences.append(
            say(
                "Since last time ({wave}) the children's side has come to lie higher against the staff side on: {list}.",
                wave=wave,
                list=named["child-higher"],
            )
        )
    if not sentences and found["no-change"]:
        sentences.append(
            say("Since last time ({wave}) no gap that can be compared has changed by more than chance would make it.", wave=wave)
        )
    return tuple(sentences) or (say("A change since last time ({wave}) cannot be shown.", wave=wave),)


def since_sentence(entry: GapEntry, say: Words) -> str:
    """Return what is said of a dimension's change, to stand after what is said of its gap; empty where nothing is."""
    if entry.before is None or entry.gap is None:
        return ""
    if entry.before.reason:
        return " " + as_sentence(say.note(entry.before.reason))
    if entry.before.word == "staff-higher":
        return " " + say("Since last time the staff side has come to lie higher.")
    return " " + say("Since last time the children's side has come to lie higher.") if entry.before.word == "child-higher" else ""


def since_numbers(entry: GapEntry, show: Numbers) -> list[Shown]:
    """Return the numbers behind it: the change with its interval."""
    say, before, parts = show.say, entry.before, []
    if before is not None and before.change is not None:
        interval = show.interval(before.low, before.high, 0)
        parts.append(say("change {change} ({interval})", change=show.decimal(before.change, 0), interval=interval))
    return parts
