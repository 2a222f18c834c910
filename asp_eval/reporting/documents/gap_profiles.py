"""The GAP-profiles: a document for each institution, its follow-up sheet, and the index that leads to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

from asp_eval.analysis.gap_results import GapProfile, GapResults, Municipality
from asp_eval.analysis.goals import Goal
from asp_eval.reporting.blocks import Document, Link, Section
from asp_eval.reporting.language import Words, words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.gap_caveats import caveats
from asp_eval.reporting.sections.gap_index import index
from asp_eval.reporting.sections.gap_municipality import municipality
from asp_eval.reporting.sections.gap_profile import behind, display_name, picture, reading, short, words
from asp_eval.reporting.sections.goal_follow_up import caution, chosen, in_short, next_steps
from asp_eval.reporting.sections.goals_then import goals_then
from asp_eval.reporting.sections.worksheet import worksheet


def gap_profile(
    results: GapResults, profile: GapProfile, language: str, goals: Sequence[Goal] = (), limit: float | None = None
) -> Document:
    """Return one institution's profile in one language.

    Parameters
    ----------
    results : GapResults
    profile : GapProfile
        One of `results.profiles`.
    language : str
    goals : sequence of Goal
        What the institution has set itself; those of the round before stand beside a second round.
    limit : float, optional
        Of the gap axis that institutions share, where it is known already (`gap_limit`).

    Raises
    ------
    Refusal
        If there is no catalogue for the language.
    """
    show = Numbers(words_for(language, results.languages))
    sections = (
        short(results, profile, show),
        picture(results, profile, show, limit),
        reading(results, profile, show),
        *words(results, profile, show),
        *goals_then(results, goals, show),
        worksheet(results, profile, show),
        behind(results, show),
        caveats(results, profile, show),
    )
    return _document(results, show.words, "gap_profile", display_name(results, profile, show.words), sections)


def goal_follow_up(results: GapResults, profile: GapProfile, goals: Sequence[Goal], language: str) -> Document:
    """Return the follow-up sheet of an institution that set goals, in one language.

    Parameters
    ----------
    results : GapResults
    profile : GapProfile
        One of `results.profiles`: who is given no profile is given no follow-up sheet.
    goals : sequence of Goal
        The institution's.
    language : str

    Raises
    ------
    Refusal
        If there is no catalogue for the language.
    """
    show = Numbers(words_for(language, results.languages))
    sections = (in_short(goals, show), *chosen(results, profile, goals, show), next_steps(show), caution(show))
    title = show.words("Follow-up of goals: {institution}", institution=display_name(results, profile, show.words))
    return _document(results, show.words, "goal_follow_up", title, sections)


def gap_municipality(results: GapResults, sheet: Municipality, language: str) -> Document:
    """Return one municipality's sheet; `sheet` is one of `results.municipalities`."""
    show = Numbers(words_for(language, results.languages))
    return _document(results, show.words, "gap_municipality", sheet.name, municipality(results, sheet, show))


def gap_index(
    results: GapResults,
    links: Sequence[Link],
    language: str,
    follow_ups: Mapping[str, Link] = MappingProxyType({}),
    municipalities: Sequence[Link] = (),
) -> Document:
    """Return the page that leads to all profiles, to the goals' `follow_ups` beside them, and to the `municipalities`' sheets."""
    say = words_for(language, results.languages)
    return _document(
        results, say, "gap_index", say("GAP-profiles"), index(results, links, Numbers(say), follow_ups, municipalities)
    )


def _document(
    results: GapResults,
    say: Words,
    kind: Literal["gap_profile", "gap_index", "gap_municipality", "goal_follow_up"],
    title: str,
    sections: tuple[Section, ...],
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
