"""The page that leads to every institution's GAP-profile."""

from __future__ import annotations

import re
from collections.abc import Sequence

from asp_eval.reporting.blocks import Link, Section, listing, paragraphs
from asp_eval.reporting.language import Words


def index(links: Sequence[Link], say: Words) -> tuple[Section, ...]:
    """Return the list of profiles, in the order of their names."""
    if not links:
        none = say("There are no profiles: no institution has answers at this round.")
        return (Section("short", "", (paragraphs(none),)),)
    ordered = sorted(links, key=lambda link: alphabetical(link.text))
    words = paragraphs(
        say("One profile for each institution, made to be talked about at a staff meeting."),
        say(
            "The list is in alphabetical order. The profiles are not meant for comparing institutions with each other, and "
            "cannot carry it.",
        ),
    )
    return Section("short", "", (words,)), Section("profiles", "", (listing((link,) for link in ordered),))


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
