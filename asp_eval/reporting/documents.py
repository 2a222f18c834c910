"""Pages: views set by templates, self-contained HTML, written whole.

The templates stand in ``reports/``. They escape everything, stop at a name they do not know, and compute nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from asp_eval.analysis.profiles import GapProfile, GapResults
from asp_eval.analysis.results import Results
from asp_eval.core.documents import write_whole
from asp_eval.core.resources import shipped_folder
from asp_eval.reporting.evaluation import report_view
from asp_eval.reporting.figures.power import PowerFigure
from asp_eval.reporting.language import words_for
from asp_eval.reporting.profile import display_name, gap_index_view, gap_view
from asp_eval.reporting.views import GapIndexView, GapView, Link, ProblemsView, ReportView


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


def render_evaluation(results: Results, language: str, translations: tuple[Link, ...] = ()) -> str:
    """Return the evaluation report as one self-contained HTML page."""
    return _page("evaluation.html.j2", report_view(results, language, translations))


def render_gap_profile(
    results: GapResults, profile: GapProfile, language: str, index: str = "index.html", translations: tuple[Link, ...] = ()
) -> str:
    """Return one institution's GAP-profile as one self-contained HTML page."""
    return _page("gap.html.j2", gap_view(results, profile, language, index, translations))


def render_gap_index(results: GapResults, links: tuple[Link, ...], language: str, translations: tuple[Link, ...] = ()) -> str:
    """Return the page that leads to every institution's profile."""
    return _page("gap_index.html.j2", gap_index_view(results, links, language, translations))


def render_problems(view: ProblemsView) -> str:
    """Return a list of faults as one self-contained HTML page."""
    return _page("problems.html.j2", view)


def render_drawing(figure: PowerFigure) -> str:
    """Return a figure as an SVG file of its own."""
    return _environment().get_template(f"figures/{figure.key}.svg.j2").render(figure=figure)


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
        page_name("evaluation", code, languages): render_evaluation(results, code, translations_of("evaluation", code, languages))
        for code in languages
    }


def _gap_pages(results: GapResults, languages: Sequence[str]) -> dict[str, str]:
    pages = {}
    for code in languages:
        index = page_name("index", code, languages)
        say = words_for(code)
        links = tuple(
            Link(page_name(p.file_stem, code, languages), display_name(results, p, say), code) for p in results.profiles
        )
        pages[f"gap/{index}"] = render_gap_index(results, links, code, translations_of("index", code, languages))
        for profile, link in zip(results.profiles, links, strict=True):
            others = translations_of(profile.file_stem, code, languages)
            pages[f"gap/{link.address}"] = render_gap_profile(results, profile, code, index, others)
    return pages


def translations_of(stem: str, language: str, languages: Sequence[str]) -> tuple[Link, ...]:
    """Return links to a page's other languages, each named in its own language."""
    return tuple(
        Link(page_name(stem, code, languages), str(Locale(code).get_display_name(code)).capitalize(), code)
        for code in languages if code != language
    )  # fmt: skip


def _page(template: str, view: ReportView | GapView | GapIndexView | ProblemsView) -> str:
    return _environment().get_template(template).render(view=view, page=view.page, say=words_for(view.page.language))


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(shipped_folder("reports")), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
