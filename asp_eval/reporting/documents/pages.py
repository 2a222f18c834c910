"""The files of a report: which documents there are, in which languages, under which names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from babel import Locale

from asp_eval.analysis.profiles import GapResults
from asp_eval.analysis.results import Results
from asp_eval.core.documents import write_whole
from asp_eval.reporting.blocks import Link
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.documents.gap_profiles import gap_index, gap_profile
from asp_eval.reporting.language import words_for
from asp_eval.reporting.sections.gap_profile import display_name
from asp_eval.reporting.writers.html import html


def render(results: Results | GapResults, folder: str | Path, languages: Sequence[str] | None = None) -> tuple[Path, ...]:
    """Write the reports of some results as HTML pages.

    Parameters
    ----------
    results : Results or GapResults
        What `analyse` or `gap_profiles` returned.
    folder : str or Path
        Where to write, usually the study's ``output/``.
    languages : sequence of str, optional
        By default the study's languages. The first one's pages have the plain names.

    Returns
    -------
    tuple of Path
        The pages written. `Results` gives ``evaluation.html`` and ``evaluation.<language>.html``; `GapResults` gives
        ``gap/index.html`` and ``gap/<institution>.html``, and the same in the other languages.

    Raises
    ------
    Refusal
        If there is no catalogue for a language.
    """
    declared = results.languages if isinstance(results, GapResults) else results.study.languages
    wanted = tuple(languages or declared)
    for code in wanted:
        words_for(code)  # refuses an unknown language before anything is written
    pages = _gap_pages(results, wanted) if isinstance(results, GapResults) else _evaluation_pages(results, wanted)
    written = []
    for name, page in pages.items():
        path = Path(folder) / name
        write_whole(path, page)
        written.append(path)
    return tuple(written)


def page_name(stem: str, language: str, languages: Sequence[str]) -> str:
    """Return a page's file name: plain in the first language, with the language's code in the others.

    Examples
    --------
    >>> page_name("evaluation", "da", ["da", "en"]), page_name("evaluation", "en", ["da", "en"])
    ('evaluation.html', 'evaluation.en.html')
    """
    return f"{stem}.html" if language == languages[0] else f"{stem}.{language}.html"


def _evaluation_pages(results: Results, languages: Sequence[str]) -> dict[str, str]:
    return {
        page_name("evaluation", code, languages): html(evaluation(results, code), translations_of("evaluation", code, languages))
        for code in languages
    }


def _gap_pages(results: GapResults, languages: Sequence[str]) -> dict[str, str]:
    pages = {}
    for code in languages:
        say = words_for(code, results.languages)
        home = Link(page_name("index", code, languages), say("All institutions"), code)
        links = tuple(
            Link(page_name(p.file_stem, code, languages), display_name(results, p, say), code) for p in results.profiles
        )
        pages[f"gap/{home.address}"] = html(gap_index(results, links, code), translations_of("index", code, languages))
        for profile, link in zip(results.profiles, links, strict=True):
            others = translations_of(profile.file_stem, code, languages)
            pages[f"gap/{link.address}"] = html(gap_profile(results, profile, code), others, home)
    return pages


def translations_of(stem: str, language: str, languages: Sequence[str]) -> tuple[Link, ...]:
    """Return links to a page's other languages, each named in its own language."""
    return tuple(
        Link(page_name(stem, code, languages), str(Locale(code).get_display_name(code)).capitalize(), code)
        for code in languages if code != language
    )  # fmt: skip
