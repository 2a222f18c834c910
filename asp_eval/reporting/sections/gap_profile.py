"""One institution's GAP-profile in a picture, and in a sentence for each dimension.

A profile never ranks. It begins with what the institution itself said, then says where its gap lies among those of all
institutions: clear, perhaps, like most, or cannot tell. What is hidden is not spoken for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby
from math import ceil

from asp_eval.analysis.gap_results import GapDimension, GapEntry, GapProfile, GapResults
from asp_eval.analysis.gap_words import CLEAR, PERHAPS
from asp_eval.analysis.profiles import HIDDEN, NO_DIFFERENCES
from asp_eval.reporting.blocks import Field, Fields, Section, paragraphs
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.dumbbell import DumbbellFigure, GapArea, GapLine, LastTime, dumbbell
from asp_eval.reporting.language import Words, as_sentence
from asp_eval.reporting.numbers import Numbers, Shown, joined
from asp_eval.reporting.sections.gap_since import since_in_short, since_numbers, since_sentence
from asp_eval.trial.disclosure.bands import CountBand

STANDS_OUT = ("clearly-staff-higher", "clearly-child-higher")
STAFF_MARK, CHILD_MARK = "●", "□"  # of the two sides, as they are drawn
COMMON = 0.95  # share of the institutions whose gaps the common axis holds; beyond, an institution has a longer axis of its own


def short(results: GapResults, profile: GapProfile, show: Numbers) -> Section:
    """Return the profile in a few sentences."""
    return Section("short", "", (paragraphs(*in_short(results, profile, show)),))


def picture(results: GapResults, profile: GapProfile, show: Numbers, limit: float | None = None) -> Section:
    """Return the picture of the profile; `limit` is that of the gap axis that institutions share."""
    return Section("picture", "", (drawn(gap_figure(results, profile, show, limit)),))


def reading(results: GapResults, profile: GapProfile, show: Numbers) -> Section:
    """Return how the picture is read, and the words where there are any."""
    fields = (*_reading(show, results), *(() if is_hidden(profile) else (_meaning_of_words(show),)), *_outline(results, show))
    return Section("reading", show.words("How to read it"), (Fields(fields, "run-in"),))


def words(results: GapResults, profile: GapProfile, show: Numbers) -> tuple[Section, ...]:
    """Return a sentence for each dimension, area by area; nothing where all are hidden, which is said once at the top."""
    if is_hidden(profile):
        return ()
    areas = tuple(_area_words(members, show) for members in _by_area(gap_pairs(results, profile)))
    return (Section("words", show.words("In words"), (), areas),)


def is_hidden(profile: GapProfile) -> bool:
    """Return whether no dimension may be shown with both its sides, to protect those who answered."""
    return all(entry.reason == HIDDEN for entry in profile.entries)


def gap_figure(results: GapResults, profile: GapProfile, show: Numbers, limit: float | None = None) -> DumbbellFigure:
    """Return the picture of a profile; institutions share a scale (to `gap_limit`), but for the few that it cannot hold."""
    say = show.words
    shared = gap_limit(results) if limit is None else limit
    areas = [
        GapArea(say.label(members[0][0].area_label, members[0][0].area), tuple(_line(d, e, show) for d, e in members))
        for members in _by_area(gap_pairs(results, profile))
    ]
    wave = say.label(results.wave_label, results.wave)
    return dumbbell(areas, show, limit=max(shared, _reach(profile)), title=say("GAP-profile, {wave}", wave=wave))


def display_name(results: GapResults, profile: GapProfile, say: Words) -> str:
    """Return what an institution is called on its page: its name where the study allows it, else its identifier."""
    if results.show_names and profile.name:
        return profile.name
    return say("Institution {id}", id=profile.institution_id)


def gap_limit(results: GapResults) -> float:
    """Return a limit for the gap axis that holds nearly every institution's intervals, so that their pages share one scale.

    One institution far from the others does not make theirs unreadable: it has a longer axis of its own.
    """
    bounds = [abs(b) for d in results.dimensions for b in (d.middle_low, d.middle_high) if b is not None]
    reaches = sorted(_reach(profile) for profile in results.profiles)
    common = reaches[ceil(COMMON * len(reaches)) - 1] if reaches else 0.0
    return max([common, *bounds], default=10.0) or 10.0


def _reach(profile: GapProfile) -> float:
    """Return how far from 0 an institution's gaps and their intervals lie."""
    drawn = [b for e in profile.entries for b in (e.gap, e.conf_low, e.conf_high, e.before.gap if e.before else None)]
    return float(max((abs(b) for b in drawn if b is not None), default=0))


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
        dimension.mean_staff,
        dimension.mean_child,
        None if entry.before is None else LastTime(entry.before.staff, entry.before.child, entry.before.gap),
    )


def _area_words(members: list[tuple[GapDimension, GapEntry]], show: Numbers) -> Section:
    say, first = show.words, members[0][0]
    fields = tuple(
        Field(
            say.label(d.label, d.key),
            _sentence(e, say) + since_sentence(e, say),
            _numbers(e, show),
            strong=e.verdict in STANDS_OUT,
        )
        for d, e in members
    )
    return Section("", say.label(first.area_label, first.area), (Fields(fields, "under"),))


def _sentence(entry: GapEntry, say: Words) -> str:
    if entry.gap is None:
        return as_sentence(say.note(entry.reason))
    sentences = {
        "clearly-staff-higher": say(
            "Clear: seen against the children's side, the staff side lies higher than in most institutions.",
        ),
        "clearly-child-higher": say(
            "Clear: seen against the staff side, the children's side lies higher than in most institutions.",
        ),
        "perhaps-staff-higher": say(
            "Perhaps: seen against the children's side, the staff side seems to lie higher than in most institutions.",
        ),
        "perhaps-child-higher": say(
            "Perhaps: seen against the staff side, the children's side seems to lie higher than in most institutions.",
        ),
        "as-most": say("Like most: the gap lies among the middle half of the institutions."),
        "not-distinguishable": say("Cannot tell: the answers do not show where your gap lies among the institutions."),
    }
    return sentences[entry.verdict or "not-distinguishable"]


def _numbers(entry: GapEntry, show: Numbers) -> Shown:
    """Return the numbers behind a sentence: gap with interval, and the weight of the institution's own answers."""
    say, parts = show.say, []
    if entry.gap is not None:
        interval = show.interval(entry.conf_low, entry.conf_high, 0)
        parts.append(say("gap {gap} ({interval})", gap=show.decimal(entry.gap, 0), interval=interval))
    elif entry.staff is None and entry.child is not None:
        parts.append(say("the children alone: {child}", child=show.decimal(entry.child, 0)))
    if entry.gap is not None and entry.weight is not None:
        parts.append(say("weight {weight}", weight=show.percent(entry.weight)))
    return joined(" · ", [*parts, *since_numbers(entry, show)])


def in_short(results: GapResults, profile: GapProfile, show: Numbers) -> tuple[str, ...]:
    """Return the profile in a few sentences: their own numbers first, then how they lie among the institutions'."""
    pairs, say = gap_pairs(results, profile), show.words
    own = _own_distances(pairs, show)
    if not any(entry.gap is not None for _, entry in pairs):
        compared = _nothing_to_compare({entry.reason for _, entry in pairs}, say)
        return *own, compared, *_children_alone(pairs, show), *since_in_short(results, pairs, show)
    return *own, *_among_institutions(profile, pairs, say), *since_in_short(results, pairs, show)


def _own_distances(pairs: Sequence[tuple[GapDimension, GapEntry]], show: Numbers) -> tuple[str, ...]:
    """Say an institution's widest and narrowest distance between its two printed numbers, without any test."""
    say = show.words
    shown = [(d, e.staff, e.child) for d, e in pairs if e.staff is not None and e.child is not None]
    if not shown:
        return ()
    ordered = sorted(shown, key=lambda each: -abs(each[1] - each[2]))
    sentences = [
        say(
            "You rate your own support of “{dimension}” {staff} and the children {child}{typical}.",
            **_distance(*ordered[0], show),
        )
        if len(ordered) == 1
        else say(
            "You rate your own support of “{dimension}” {staff} and the children {child}: the widest distance of "
            "{which}{typical}.",
            **_distance(*ordered[0], show),
            which=_which(len(shown), len(pairs), show),
        )
    ]
    if len(ordered) > 1:
        sentences.append(
            say(
                "The narrowest is on “{dimension}”: {staff} and {child}{typical}.",
                **_distance(*ordered[-1], show),
            )
        )
    return tuple(sentences)


def _which(shown: int, of: int, show: Numbers) -> str:
    """Say of how many dimensions a distance is the widest; those that are hidden are not spoken for."""
    if shown == of:
        return show.words("your {n}", n=show.integer(of))
    return show.words("the {n} that can be shown", n=show.integer(shown))


def _distance(dimension: GapDimension, staff: int, child: int, show: Numbers) -> dict[str, str]:
    say, typical = show.words, ""
    if dimension.mean_gap is not None:
        size = show.decimal(abs(dimension.mean_gap), 0)
        opposite = dimension.mean_gap * (staff - child) < 0
        typical = say("; typically it is {n}, the other way round", n=size) if opposite else say("; typically it is {n}", n=size)
    return {
        "dimension": say.label(dimension.label, dimension.key),
        "staff": show.decimal(staff, 0),
        "child": show.decimal(child, 0),
        "typical": typical,
    }


def _among_institutions(profile: GapProfile, pairs: Sequence[tuple[GapDimension, GapEntry]], say: Words) -> tuple[str, ...]:
    """Say on what an institution departs most from the typical, and where its gaps are clearly unlike most institutions'."""
    labels = {d.key: say.label(d.label, d.key) for d, _ in pairs}
    sentences = []
    if profile.departure in labels:
        sentences.append(
            say(
                "Allowing for chance, you differ most from the typical institution on “{dimension}”.",
                dimension=labels[profile.departure],
            )
        )
    else:
        sentences.append(say("No dimension sets you apart from the typical institution more than the others: several are alike."))
    named = {word: ", ".join(labels[d.key] for d, e in pairs if e.verdict == word) for word in STANDS_OUT}
    if named["clearly-staff-higher"]:
        sentences.append(
            say(
                "Compared with most institutions the staff side clearly lies high against the children's side on: {list}.",
                list=named["clearly-staff-higher"],
            )
        )
    if named["clearly-child-higher"]:
        sentences.append(
            say(
                "Compared with most institutions the children's side clearly lies high against the staff side on: {list}.",
                list=named["clearly-child-higher"],
            )
        )
    return tuple(sentences)


def _children_alone(pairs: Sequence[tuple[GapDimension, GapEntry]], show: Numbers) -> tuple[str, ...]:
    """Say the children's side where it alone may be shown, and that the worksheet serves without numbers."""
    say = show.words
    alone = [
        say("{dimension} {n}", dimension=say.label(d.label, d.key), n=show.decimal(e.child, 0))
        for d, e in pairs
        if e.staff is None and e.child is not None
    ]
    worksheet = say("The worksheet can be used all the same.")
    if not alone:
        return (worksheet,)
    return say("The children's side alone, 0 to 100: {list}.", list=", ".join(alone)), worksheet


def _nothing_to_compare(reasons: AbstractSet[str], say: Words) -> str:
    """Say why a profile has no gap on any dimension."""
    if NO_DIFFERENCES in reasons:
        return say("The institutions' gaps differ no more than chance makes them differ, so nothing can be said about yours.")
    if reasons <= {HIDDEN}:
        return say("To protect those who answered, no distance between the two sides is shown for your institution.")
    return say("Your gap cannot be compared with that of other institutions; why not is said at each dimension below.")


def _reading(show: Numbers, results: GapResults) -> tuple[Field, ...]:
    say, level = show.words, show.level(results.level)
    return (
        Field(
            say("On the left"),
            say(
                "The round mark (●) is how you, the staff, rate your own competence to support the children; the square (□) is "
                "how you rate the children's competences. Both run from 0 to 100. The two short strokes are the typical "
                "institution: above the line staff, below it the children.",
            ),
        ),
        Field(
            say("On the right"),
            say(
                "The diamond (◆) is the gap, staff less children, and the line how uncertain it is ({level} interval). The grey "
                "bar is the middle half of all institutions.",
                level=level,
            ),
        ),
    )


def _meaning_of_words(show: Numbers) -> Field:
    say = show.words
    return Field(
        say("The words"),
        say(
            "“Clear” is said where it is at least {clear} likely that your gap lies in the outer quarter of the institutions "
            "on that side, “perhaps” from {perhaps}; “like most” where it is at least {perhaps} likely that it lies in their "
            "middle half.",
            clear=show.percent(CLEAR, 0),
            perhaps=show.percent(PERHAPS, 0),
        ),
    )


def _outline(results: GapResults, show: Numbers) -> tuple[Field, ...]:
    if not results.earlier_wave:
        return ()
    say = show.words
    last = say("Last time, {wave}.", wave=say.label(results.earlier_wave_label, results.earlier_wave))
    return (Field(say("In outline"), last),)


def who_answered(profile: GapProfile, show: Numbers) -> tuple[str, ...]:
    """Return how many staff answered, and of how many children, in bands."""
    say = show.words
    return (
        say("Staff who answered: {n}", n=_band(profile.staff_band, show)),
        say("Children who were rated: {n}", n=_band(profile.children_band, show)),
    )


def _band(band: CountBand | None, show: Numbers) -> str:
    return show.words("too few to be shown") if band is None else band_words(band, show)


def band_words(band: CountBand, show: Numbers) -> Shown:
    """Return a band of counts in words."""
    if band.high is None:
        return show.say("{n} or more", n=show.integer(band.low))
    return show.say("{low} to {high}", low=show.integer(band.low), high=show.integer(band.high))


def behind(results: GapResults, show: Numbers) -> Section:
    """Return what staff were asked on each dimension, in the two forms' own words, and a question to talk about."""
    say = show.words
    fields = tuple(
        Field(
            say.label(d.label, d.key),
            " ".join((*_asked(STAFF_MARK, d.staff_questions, d.key, say), *_asked(CHILD_MARK, d.child_questions, d.key, say))),
            say("To talk about: {question}", question=say.label(d.open_question, d.key)) if d.open_question else "",
        )
        for d in results.dimensions
        if d.staff_questions or d.child_questions or d.open_question
    )
    title = say("What you were asked: about yourselves ({own}) and about each child ({child})", own=STAFF_MARK, child=CHILD_MARK)
    return Section("behind", title, (Fields(fields, "run-in"),) if fields else ())


def _asked(mark: str, questions: Sequence[Mapping[str, str]], key: str, say: Words) -> tuple[str, ...]:
    """Return the questions of one side behind its mark; nothing where the wording is not the package's to print."""
    return (mark, *(say.label(question, key) for question in questions)) if questions else ()
