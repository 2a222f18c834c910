"""One institution's GAP-profile in a picture, and in a sentence for each dimension.

A profile never ranks. It says where an institution's gap can be told from the middle half of all institutions, and
says as plainly where it cannot.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from itertools import groupby

from asp_eval.analysis.profiles import HIDDEN, NO_DIFFERENCES, GapDimension, GapEntry, GapProfile, GapResults
from asp_eval.reporting.blocks import Field, Fields, Section, listing, paragraphs
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.dumbbell import DumbbellFigure, GapArea, GapLine, dumbbell
from asp_eval.reporting.language import Words, as_sentence
from asp_eval.reporting.numbers import Numbers, Shown, joined

STANDS_OUT = ("staff-higher-than-most", "child-higher-than-most")


def short(results: GapResults, profile: GapProfile, show: Numbers) -> Section:
    """Return the profile in a few sentences."""
    return Section("short", "", (paragraphs(*in_short(gap_pairs(results, profile), show.words)),))


def picture(results: GapResults, profile: GapProfile, show: Numbers) -> Section:
    """Return the picture of the profile."""
    return Section("picture", "", (drawn(gap_figure(results, profile, show)),))


def reading(results: GapResults, show: Numbers) -> Section:
    """Return how the picture is read."""
    return Section("reading", show.words("How to read it"), (listing(_reading(show, results)),))


def words(results: GapResults, profile: GapProfile, show: Numbers) -> Section:
    """Return a sentence for each dimension, area by area."""
    areas = tuple(_area_words(members, show) for members in _by_area(gap_pairs(results, profile)))
    return Section("words", show.words("In words"), (), areas)


def gap_figure(results: GapResults, profile: GapProfile, show: Numbers) -> DumbbellFigure:
    """Return the picture of a profile; every institution's has the same scale."""
    say = show.words
    areas = [
        GapArea(say.label(members[0][0].area_label, members[0][0].area), tuple(_line(d, e, show) for d, e in members))
        for members in _by_area(gap_pairs(results, profile))
    ]
    wave = say.label(results.wave_label, results.wave)
    return dumbbell(areas, show, limit=gap_limit(results), title=say("GAP-profile, {wave}", wave=wave))


def display_name(results: GapResults, profile: GapProfile, say: Words) -> str:
    """Return what an institution is called on its page: its name where the study allows it, else its identifier."""
    if results.show_names and profile.name:
        return profile.name
    return say("Institution {id}", id=profile.institution_id)


def gap_limit(results: GapResults) -> float:
    """Return a limit for the gap axis that holds every institution's interval, so that all pages share one scale."""
    bounds = [b for p in results.profiles for e in p.entries for b in (e.gap, e.conf_low, e.conf_high) if b is not None]
    bounds += [b for d in results.dimensions for b in (d.middle_low, d.middle_high) if b is not None]
    return max((abs(b) for b in bounds), default=10.0) or 10.0


def gap_pairs(results: GapResults, profile: GapProfile) -> list[tuple[GapDimension, GapEntry]]:
    """Return the dimensions that a profile has, each with its entry."""
    entries = {entry.dimension: entry for entry in profile.entries}
    return [(dimension, entries[dimension.key]) for dimension in results.dimensions if dimension.key in entries]


def _by_area(pairs: list[tuple[GapDimension, GapEntry]]) -> list[list[tuple[GapDimension, GapEntry]]]:
    order = list(dict.fromkeys(dimension.area for dimension, _ in pairs))
    return [list(m) for _, m in groupby(sorted(pairs, key=lambda p: order.index(p[0].area)), key=lambda p: p[0].area)]


def _line(dimension: GapDimension, entry: GapEntry, show: Numbers) -> GapLine:
    differs = bool(dimension.between_sd)
    return GapLine(
        show.words.label(dimension.label, dimension.key),
        entry.staff,
        entry.child,
        entry.gap,
        entry.conf_low,
        entry.conf_high,
        dimension.middle_low if differs else None,
        dimension.middle_high if differs else None,
        show.words.note(entry.reason),
    )


def _area_words(members: list[tuple[GapDimension, GapEntry]], show: Numbers) -> Section:
    say, first = show.words, members[0][0]
    fields = tuple(
        Field(say.label(d.label, d.key), _sentence(e, say), _numbers(e, show), strong=e.verdict in STANDS_OUT) for d, e in members
    )
    return Section("", say.label(first.area_label, first.area), (Fields(fields, "under"),))


def _sentence(entry: GapEntry, say: Words) -> str:
    if entry.gap is None:
        return as_sentence(say.note(entry.reason))
    sentences = {
        "staff-higher-than-most": say("Seen against the children's side, the staff side lies higher than in most institutions."),
        "child-higher-than-most": say("Seen against the staff side, the children's side lies higher than in most institutions."),
        "as-most": say("The gap is much like that of most institutions."),
        "not-distinguishable": say("Your gap cannot be told apart from the other institutions'."),
    }
    return sentences[entry.verdict or "not-distinguishable"]


def _numbers(entry: GapEntry, show: Numbers) -> Shown:
    """Return the numbers behind a sentence: gap with interval, answers behind it, weight of the institution's own answers."""
    say, parts = show.say, []
    if entry.gap is not None:
        interval = show.interval(entry.conf_low, entry.conf_high, 0)
        parts.append(say("gap {gap} ({interval})", gap=show.decimal(entry.gap, 0), interval=interval))
    if entry.n_staff is not None:
        parts.append(say("{n} staff", n=show.integer(entry.n_staff)))
    if entry.n_children is not None:
        parts.append(say("{n} children", n=show.integer(entry.n_children)))
    if entry.gap is not None and entry.weight is not None:
        parts.append(say("weight {weight}", weight=show.percent(entry.weight)))
    return joined(" · ", parts)


def in_short(pairs: list[tuple[GapDimension, GapEntry]], say: Words) -> tuple[str, ...]:
    """Return the profile in a few sentences."""
    named = {verdict: [say.label(d.label, d.key) for d, e in pairs if e.verdict == verdict] for verdict in STANDS_OUT}
    sentences = []
    if named["staff-higher-than-most"]:
        sentences.append(
            say(
                "Compared with most institutions the staff side lies high against the children's side on: {list}.",
                list=", ".join(named["staff-higher-than-most"]),
            )
        )
    if named["child-higher-than-most"]:
        sentences.append(
            say(
                "Compared with most institutions the children's side lies high against the staff side on: {list}.",
                list=", ".join(named["child-higher-than-most"]),
            )
        )
    shown = [entry for _, entry in pairs if entry.gap is not None]
    if not shown:
        reasons = {entry.reason for _, entry in pairs}
        return _nothing_to_compare(reasons, say), say("The worksheet can be used all the same.")
    if not sentences:
        return (
            say(
                "On none of the dimensions does your gap differ from that of most institutions by more than chance can explain.",
            ),
        )
    if len(shown) > sum(map(len, named.values())):
        sentences.append(say("On the other dimensions your gap cannot be told apart from that of most institutions."))
    return tuple(sentences)


def _nothing_to_compare(reasons: AbstractSet[str], say: Words) -> str:
    """Say why a profile has no gap on any dimension."""
    if NO_DIFFERENCES in reasons:
        return say("The institutions' gaps differ no more than chance makes them differ, so nothing can be said about yours.")
    if reasons <= {HIDDEN}:
        return say("To protect those who answered, no numbers are shown for your institution.")
    return say("Your gap cannot be compared with that of other institutions; why not is said at each dimension below.")


def _reading(show: Numbers, results: GapResults) -> tuple[str, ...]:
    say, level = show.words, show.level(results.level)
    return (
        say(
            "Left: the round mark (●) is how you, the staff, rate your own competence to support the children; the square (□) "
            "is how you rate the children's competences. Both run from 0 to 100.",
        ),
        say(
            "Right: the diamond (◆) is the gap, staff less children, and the line how uncertain it is ({level} interval). The "
            "grey bar is the middle half of all institutions.",
            level=level,
        ),
        say(
            "If the line touches the bar, your gap cannot be told apart from the others'. If it lies clear of the bar, there is"
            " something to talk about.",
        ),
    )
