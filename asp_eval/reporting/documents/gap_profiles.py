"""The GAP-profiles: a document for each institution, and the index that leads to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from asp_eval.analysis.gap_results import GapProfile, GapResults
from asp_eval.analysis.goals import Goal
from asp_eval.reporting.blocks import Document, Link, Section
from asp_eval.reporting.language import Words, words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.gap_caveats import caveats
from asp_eval.reporting.sections.gap_index import index
from asp_eval.reporting.sections.gap_profile import behind, display_name, picture, reading, short, words
from asp_eval.reporting.sections.goals_then import goals_then
from asp_eval.reporting.sections.worksheet import worksheet


def gap_profile(results: GapResults, profile: GapProfile, language: str, goals: Sequence[Goal] = ()) -> Document:
    """Return one institution's profile in one language.

    Parameters
    ----------
    results : GapResults
    profile : GapProfile
        One of `results.profiles`.
    language : str
    goals : sequence of Goal
        What the institution has set itself; those of the round before stand beside a second round.

    Raises
    ------
    Refusal
        If there is no catalogue for the language.
    """
    show = Numbers(words_for(language, results.languages))
    sections = (
        short(results, profile, show),
        picture(results, profile, show),
        reading(results, show),
        words(results, profile, show),
        *goals_then(results, goals, show),
        worksheet(results, profile, show),
        behind(results, show),
        caveats(results, profile, show),
    )
    return _document(results, show.words, "gap_profile", display_name(results, profile, show.words), sections)


def gap_index(results: GapResults, links: Sequence[Link], language: str) -> Document:
    """Return the page that leads to all profiles; `links` are the profiles' pages."""
    say = words_for(language, results.languages)
    return _document(results, say, "gap_index", say("GAP-profiles"), index(results, links, Numbers(say)))


def _document(
    results: GapResults, say: Words, kind: Literal["gap_profile", "gap_index"], title: str, sections: tuple[Section, ...]
) -> Document:
    study, wave = say.label(results.title, results.study_id), say.label(results.wave_label, results.wave)
    return Document(
        kind=kind,
        language=say.language,
        title=title,
        subtitle=say("GAP-profile · {study} · {wave}", study=study, wave=wave),
        banner=say("Synthetic data: simulated, not from real institutions or children") if results.synthetic else "",
        made_with=say("Made with asp_eval {version}.", version=results.package_version),
        sections=sections,
    )
