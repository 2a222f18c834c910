"""From GAP results to the view of one institution's profile: a picture, a sentence per dimension, a worksheet.

A profile never ranks. It says where an institution's gap can be told from the middle half of all institutions, and
says as plainly where it cannot.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from itertools import groupby

from asp_eval.analysis.profiles import HIDDEN, NO_DIFFERENCES, GapDimension, GapEntry, GapProfile, GapResults
from asp_eval.reporting.figures.dumbbell import GapArea, GapLine, dumbbell
from asp_eval.reporting.language import Words, as_sentence, words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.views import AreaWords, DimensionWords, Fact, GapIndexView, GapView, Link, Page, WorksheetField

STANDS_OUT = ("staff-higher-than-most", "child-higher-than-most")
STEPS = 4


def gap_view(
    results: GapResults, profile: GapProfile, language: str, index: str = "index.html", translations: tuple[Link, ...] = ()
) -> GapView:
    """Return everything one institution's profile shows, in one language.

    Parameters
    ----------
    results : GapResults
    profile : GapProfile
        One of `results.profiles`.
    language : str
    index : str
        Address of the page that leads to all profiles.
    translations : tuple of Link
    """
    show = Numbers(words_for(language, results.languages))
    say = show.words
    pairs = _pairs(results, profile)
    areas = [
        GapArea(say.label(members[0][0].area_label, members[0][0].area), tuple(_line(d, e, show) for d, e in members))
        for members in _by_area(pairs)
    ]
    page = _page(results, say, display_name(results, profile, say), translations)
    wave = say.label(results.wave_label, results.wave)
    return GapView(
        page=page, index=Link(index, say("All institutions"), language), reading=_reading(show, results),
        figure=dumbbell(areas, show, limit=gap_limit(results), title=say("GAP-profile, {wave}", wave=wave)),
        areas=tuple(_area_words(members, show) for members in _by_area(pairs)), in_short=_in_short(pairs, say),
        about=_about(results, show), worksheet=_worksheet(say), steps=tuple(show.integer(i + 1) for i in range(STEPS)),
    )  # fmt: skip


def gap_index_view(
    results: GapResults, links: tuple[Link, ...], language: str, translations: tuple[Link, ...] = ()
) -> GapIndexView:
    """Return the page that leads to all profiles; `links` are the profiles' pages."""
    say = words_for(language, results.languages)
    if not links:
        none = say("There are no profiles: no institution has answers at this round.")
        return GapIndexView(_page(results, say, say("GAP-profiles"), translations), (none,), ())
    ordered = tuple(sorted(links, key=lambda link: alphabetical(link.text)))
    return GapIndexView(_page(results, say, say("GAP-profiles"), translations), (
        say("One profile for each institution, made to be talked about at a staff meeting."),
        say(
            "The list is in alphabetical order. The profiles are not meant for comparing institutions with each other, and "
            "cannot carry it.",
        ),
    ), ordered)  # fmt: skip


def alphabetical(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a name's place in the alphabet: numbers by their size, and the Danish letters last.

    Examples
    --------
    >>> sorted(["Ål", "Øen", "inst-10", "inst-2", "Æblet"], key=alphabetical)
    ['inst-2', 'inst-10', 'Æblet', 'Øen', 'Ål']
    """
    spelled = name.casefold().translate({ord("æ"): "{a", ord("ø"): "{b", ord("å"): "{c"})  # "{" stands behind "z"
    parts = re.findall(r"\d+|\D+", spelled)
    return tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts)


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


def _pairs(results: GapResults, profile: GapProfile) -> list[tuple[GapDimension, GapEntry]]:
    entries = {entry.dimension: entry for entry in profile.entries}
    return [(dimension, entries[dimension.key]) for dimension in results.dimensions if dimension.key in entries]


def _by_area(pairs: list[tuple[GapDimension, GapEntry]]) -> list[list[tuple[GapDimension, GapEntry]]]:
    order = list(dict.fromkeys(dimension.area for dimension, _ in pairs))
    return [list(m) for _, m in groupby(sorted(pairs, key=lambda p: order.index(p[0].area)), key=lambda p: p[0].area)]


def _line(dimension: GapDimension, entry: GapEntry, show: Numbers) -> GapLine:
    differs = bool(dimension.between_sd)
    return GapLine(
        show.words.label(dimension.label, dimension.key), entry.staff, entry.child, entry.gap, entry.conf_low, entry.conf_high,
        dimension.middle_low if differs else None, dimension.middle_high if differs else None, show.words.note(entry.reason),
    )  # fmt: skip


def _area_words(members: list[tuple[GapDimension, GapEntry]], show: Numbers) -> AreaWords:
    first = members[0][0]
    words = tuple(
        DimensionWords(
            show.words.label(d.label, d.key), _sentence(e, show.words), _numbers(e, show), e.verdict in STANDS_OUT,
        )
        for d, e in members
    )  # fmt: skip
    return AreaWords(show.words.label(first.area_label, first.area), words)


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


def _numbers(entry: GapEntry, show: Numbers) -> str:
    """Return the numbers behind a sentence: gap with interval, answers behind it, weight of the institution's own answers."""
    say, parts = show.words, []
    if entry.gap is not None:
        interval = show.interval(entry.conf_low, entry.conf_high, 0)
        parts.append(say("gap {gap} ({interval})", gap=show.decimal(entry.gap, 0), interval=interval))
    if entry.n_staff is not None:
        parts.append(say("{n} staff", n=show.integer(entry.n_staff)))
    if entry.n_children is not None:
        parts.append(say("{n} children", n=show.integer(entry.n_children)))
    if entry.gap is not None and entry.weight is not None:
        parts.append(say("weight {weight}", weight=show.percent(entry.weight)))
    return " · ".join(parts)


def _in_short(pairs: list[tuple[GapDimension, GapEntry]], say: Words) -> tuple[str, ...]:
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
    )  # fmt: skip


def _about(results: GapResults, show: Numbers) -> tuple[Fact, ...]:
    say = show.words
    facts = [
        Fact(say("What it is"), say(
            "A tool for reflection: it lays your view of yourselves beside your view of the children. How the gap is worked out"
            " is this program's own convention, not an established measure.",
        )),
        Fact(say("What it is not"), say(
            "A mark, a ranking or a measure of quality. A gap may have good reasons, and no gap is no proof of good work.",
        )),
        Fact(say("Two scales"), say(
            "The two sides come from different questions and cannot be measured with the same yardstick. A gap of 0 does not "
            "mean \"equally good\"; compare with the grey bar rather than with 0.",
        )),
        Fact(say("The same eyes"), say(
            "The same staff rate themselves and the children. Strict or mild eyes colour both sides.",
        )),
        Fact(say("Few answers"), say(
            "The diamond is drawn towards the average of all institutions, the more so the fewer the answers, so it can differ "
            "from the distance between the two marks. The weight in the text says how much your own answers count.",
        )),
        Fact(say("Next time"), say(
            "A gap that is unusually large once will often be smaller the next time by itself. Do not take that for progress, "
            "or the lack of it for failure.",
        )),
        Fact(say("Protection"), say(
            "Numbers from fewer than {n} people are not shown, nor numbers from which they could be worked out.",
            n=show.integer(results.minimum_cell),
        )),
    ]  # fmt: skip
    if results.covariance_note:
        facts.append(Fact(say("Uncertainty"), as_sentence(say.note(results.covariance_note))))
    return tuple(facts)


def _worksheet(say: Words) -> tuple[WorksheetField, ...]:
    return (
        WorksheetField(say("What surprised us?"), say("What did we expect? What do we know from everyday life?"), (1, 2, 3)),
        WorksheetField(say("Which gap do we choose?"), say("One is enough. Why this one, and for which children?"), (1, 2)),
        WorksheetField(say("Our aim"), say("What will be different for the children, and how will we see it?"), (1, 2)),
    )


def _page(results: GapResults, say: Words, title: str, translations: tuple[Link, ...]) -> Page:
    study, wave = say.label(results.title, results.study_id), say.label(results.wave_label, results.wave)
    return Page(
        language=say.language, title=title, subtitle=say("GAP-profile · {study} · {wave}", study=study, wave=wave),
        banner=say("Synthetic data: simulated, not from real institutions or children") if results.synthetic else "",
        translations=translations, made_with=say("Made with asp_eval {version}.", version=results.package_version),
    )  # fmt: skip
