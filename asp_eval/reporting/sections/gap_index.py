"""The page that leads to every institution's GAP-profile."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from asp_eval.analysis.gap_results import GapResults
from asp_eval.analysis.profiles import NO_ANSWERS
from asp_eval.reporting.blocks import Inline, Link, Section, listing, paragraphs
from asp_eval.reporting.numbers import Numbers


def index(
    results: GapResults,
    links: Sequence[Link],
    show: Numbers,
    follow_ups: Mapping[str, Link] = MappingProxyType({}),
    municipalities: Sequence[Link] = (),
) -> tuple[Section, ...]:
    """Return the list of profiles, in the order of their names, and who is given none.

    Parameters
    ----------
    results : GapResults
    links : sequence of Link
        To the profiles.
    show : Numbers
    follow_ups : mapping of str to Link
        Follow-up sheets of goals, by the address of the institution's profile.
    municipalities : sequence of Link
        Sheets of the municipalities.
    """
    say, not_made = show.words, (*_not_made(results, show), *_in_one_round(results, show))
    if not links:
        none = say("There are no profiles: no institution has answers at this round.")
        return (Section("short", "", (paragraphs(*(not_made or (none,))),)),)
    ordered = sorted(links, key=lambda link: alphabetical(link.text))
    words = paragraphs(
        say("One profile for each institution, made to be talked about at a staff meeting."),
        say(
            "The list is in alphabetical order. The profiles are not meant for comparing institutions with each other, and "
            "cannot carry it.",
        ),
        *not_made,
    )
    profiles = Section("profiles", "", (listing(_entry(link, follow_ups) for link in ordered),))
    if not municipalities:
        return Section("short", "", (words,)), profiles
    sheets = Section("municipalities", say("For the municipality"), (listing((link,) for link in municipalities),))
    return Section("short", "", (words,)), profiles, sheets


def _entry(link: Link, follow_ups: Mapping[str, Link]) -> tuple[Inline, ...]:
    sheet = follow_ups.get(link.address)
    return (link,) if sheet is None else (link, " · ", sheet)


def _not_made(results: GapResults, show: Numbers) -> tuple[str, ...]:
    """Say of each arm how many institutions are given no profile, and until when."""
    say, sentences = show.words, []
    counts = Counter((one.arm, one.until) for one in results.withheld)
    called = {(one.arm, one.until): one for one in results.withheld}
    for key, count in sorted(counts.items()):
        n, one = show.integer(count), called[key]
        arm, until = say.label(one.arm_label, say.name(one.arm)), say.label(one.until_label, one.until)
        if not arm:
            sentences.append(say("Institutions without a profile because they were not drawn: {n}.", n=n))
        elif until:
            sentences.append(
                say(
                    "Institutions of the arm “{arm}” that are given theirs once the round “{wave}” has ended: {n}.",
                    n=n,
                    arm=arm,
                    wave=until,
                )
            )
        else:
            sentences.append(say("Institutions of the arm “{arm}” that no profile is made for: {n}.", n=n, arm=arm))
    if sentences:
        sentences.append(say("Their answers have a part in what is typical."))
    return tuple(sentences)


def _in_one_round(results: GapResults, show: Numbers) -> tuple[str, ...]:
    """Say of a second round how many institutions have answers of one round alone."""
    if not results.earlier_wave:
        return ()
    alone = sum(all(e.before is None for e in p.entries) for p in results.profiles)
    alone += sum(all(e.reason == NO_ANSWERS and e.before is not None for e in p.entries) for p in results.profiles)
    if not alone:
        return ()
    said = show.words(
        "Institutions with answers of one round alone: {n}. One that is known by another id than last time counts twice here: "
        "give it the same id in both rounds.",
        n=show.integer(alone),
    )
    return (said,)


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
