"""The files of a report: which documents there are, in which languages and formats, under which names."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from babel import Locale

from asp_eval.analysis.gap_results import GapResults
from asp_eval.analysis.goals import Goal
from asp_eval.analysis.process.results import ProcessResults
from asp_eval.analysis.results import Results
from asp_eval.core.errors import AspError, Problem, Refusal
from asp_eval.core.file_sets import file_set
from asp_eval.reporting.blocks import Document, Link
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.documents.gap_profiles import gap_index, gap_municipality, gap_profile, goal_follow_up
from asp_eval.reporting.language import words_for
from asp_eval.reporting.sections.gap_profile import display_name
from asp_eval.reporting.theme import PLAIN, Theme
from asp_eval.reporting.writers.docx import docx
from asp_eval.reporting.writers.formats import Format, known_formats, missing, software_of
from asp_eval.reporting.writers.html import html
from asp_eval.reporting.writers.pdf import pdf
from asp_eval.reporting.writers.xlsx import xlsx

EVALUATION, FOLLOW_UP = "evaluation", "follow-up"
SHOWN_DIGITS = 16  # of the digest of the data, at the head of a page


@dataclass(frozen=True, slots=True)
class Page:
    """A file of a report that is not made yet.

    Attributes
    ----------
    name : str
        From the folder of the report, with slashes.
    format : {"html", "pdf", "docx", "xlsx"}
    document : Document
    theme : Theme
    translations : tuple of Link
        The same in other languages.
    """

    name: str
    format: Format
    document: Document
    theme: Theme
    translations: tuple[Link, ...] = ()

    def made(self) -> bytes:
        """Return the content of the file; the same page always has the same bytes.

        Raises
        ------
        Refusal
            REP-011 if the font of a PDF lacks a letter; REP-012 if it cannot be set for another reason.
        """
        match self.format:
            case "html":
                return html(self.document, self.translations, self.theme).encode()
            case "pdf":
                return pdf(self.document, self.theme)
            case "docx":
                return docx(self.document, self.theme)
            case "xlsx":
                return xlsx(self.document)

    @property
    def made_from(self) -> str:
        """Digest of everything that the file is made from: another one means that its content may be another."""
        parts = (self.document, self.theme, self.translations, software_of(self.format))
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def pages_of(
    results: Results | GapResults,
    languages: Sequence[str] | None = None,
    formats: Collection[str] = ("html",),
    theme: Theme = PLAIN,
    day: date | None = None,
    process: ProcessResults | None = None,
    goals: Mapping[str, Sequence[Goal]] | None = None,
) -> tuple[Page, ...]:
    """Return the files that the reports of some results are, in the order of reading.

    Parameters
    ----------
    results : Results or GapResults
        What `analyse` or `gap_profiles` returned.
    languages : sequence of str, optional
        By default the study's languages. The first one's files have the plain names.
    formats : collection of {"html", "pdf", "docx", "xlsx"}
    theme : Theme
    day : date, optional
        Of which day the data are.
    process : ProcessResults, optional
        What the process evaluation found: a chapter of the evaluation.
    goals : mapping of str to sequence of Goal, optional
        What each institution has set itself: beside the second round of its profile, and on a follow-up sheet.

    Raises
    ------
    Refusal
        REP-001 if there is no catalogue for a language; REP-016 if there is no such format.
    """
    declared = results.languages if isinstance(results, GapResults) else results.study.languages
    wanted, kinds = tuple(languages or declared), known_formats(formats)
    for code in wanted:
        words_for(code)  # refuses an unknown language before anything is written
    if isinstance(results, GapResults):
        return _gap_pages(results, wanted, kinds, theme, day, goals or {})
    return _evaluation_pages(results, wanted, kinds, theme, day, process)


def render(
    results: Results | GapResults,
    folder: str | Path,
    languages: Sequence[str] | None = None,
    formats: Collection[str] = ("html",),
) -> tuple[Path, ...]:
    """Write the reports of some results.

    Parameters
    ----------
    results : Results or GapResults
        What `analyse` or `gap_profiles` returned.
    folder : str or Path
        Where to write, usually the study's ``output/``.
    languages : sequence of str, optional
        By default the study's languages. The first one's files have the plain names.
    formats : collection of {"html", "pdf", "docx", "xlsx"}

    Returns
    -------
    tuple of Path
        The files written. `Results` gives ``evaluation.html`` and ``evaluation.<language>.html``; `GapResults` gives
        ``gap/index.html`` and ``gap/<institution>.html``; and the same in the other languages and formats.

    Raises
    ------
    Refusal
        REP-001 if there is no catalogue for a language, REP-010 if a format needs a package that is not installed, REP-011 if
        the font of a PDF lacks a letter, REP-016 if there is no such format. Nothing is written then.
    """
    pages = pages_of(results, languages, formats)
    problems = missing(known_formats(formats))
    if problems:
        raise Refusal(problems)
    with file_set(Path(folder)) as new:
        for page in pages:
            new.path(page.name).write_bytes(page.made())
    return tuple(Path(folder) / page.name for page in pages)


def made_or_refused(page: Page) -> tuple[bytes | None, tuple[Problem, ...]]:
    """Return the content of a page; or None, and why it cannot be made."""
    try:
        return page.made(), ()
    except AspError as error:
        return None, error.problems


def page_name(stem: str, language: str, languages: Sequence[str], ending: str = "html") -> str:
    """Return a page's file name: plain in the first language, with the language's code in the others.

    Examples
    --------
    >>> page_name("evaluation", "da", ["da", "en"]), page_name("evaluation", "en", ["da", "en"], "pdf")
    ('evaluation.html', 'evaluation.en.pdf')
    """
    return f"{stem}.{ending}" if language == languages[0] else f"{stem}.{language}.{ending}"


def _evaluation_pages(
    results: Results,
    languages: Sequence[str],
    formats: Sequence[Format],
    theme: Theme,
    day: date | None,
    process: ProcessResults | None,
) -> tuple[Page, ...]:
    return tuple(
        Page(
            page_name("evaluation", code, languages, kind), kind, document, theme, translations_of("evaluation", code, languages)
        )
        for code in languages
        for document in (_dated(evaluation(results, code, process), results, day),)
        for kind in formats
    )


def _gap_pages(
    results: GapResults,
    languages: Sequence[str],
    formats: Sequence[Format],
    theme: Theme,
    day: date | None,
    goals: Mapping[str, Sequence[Goal]],
) -> tuple[Page, ...]:
    """Return the index, the profiles, and a follow-up sheet for each institution with a profile that set goals."""
    pages = []
    following = [profile for profile in results.profiles if goals.get(profile.institution_id)]
    for code in languages:
        say = words_for(code, results.languages)
        links = tuple(
            Link(page_name(p.file_stem, code, languages), display_name(results, p, say), code) for p in results.profiles
        )
        sheets = {
            page_name(p.file_stem, code, languages): Link(
                f"{FOLLOW_UP}/{page_name(p.file_stem, code, languages)}", say("follow-up of goals"), code
            )
            for p in following
        }
        if "html" in formats:  # it is for clicking
            of_all = [Link(page_name(m.file_stem, code, languages), m.name, code) for m in results.municipalities]
            index = _dated(gap_index(results, links, code, sheets, of_all), results, day)
            pages.append(
                Page(
                    f"gap/{page_name('index', code, languages)}", "html", index, theme, translations_of("index", code, languages)
                )
            )
        for sheet in results.municipalities:
            document = _dated(gap_municipality(results, sheet, code), results, day)
            others = translations_of(sheet.file_stem, code, languages)
            pages += [
                Page(f"gap/{page_name(sheet.file_stem, code, languages, kind)}", kind, document, theme, others)
                for kind in formats
            ]
        for profile in results.profiles:
            others = translations_of(profile.file_stem, code, languages)
            document = _dated(gap_profile(results, profile, code, goals.get(profile.institution_id, ())), results, day)
            pages += [
                Page(f"gap/{page_name(profile.file_stem, code, languages, kind)}", kind, document, theme, others)
                for kind in formats
            ]
        for profile in following:
            others = translations_of(profile.file_stem, code, languages)
            document = _dated(goal_follow_up(results, profile, goals[profile.institution_id], code), results, day)
            pages += [
                Page(f"gap/{FOLLOW_UP}/{page_name(profile.file_stem, code, languages, kind)}", kind, document, theme, others)
                for kind in formats
            ]
    return tuple(pages)


def _dated(document: Document, results: Results | GapResults, day: date | None) -> Document:
    """Return a document that says of which data it is."""
    return replace(document, day=day, digest=results.state[:SHOWN_DIGITS])


def translations_of(stem: str, language: str, languages: Sequence[str]) -> tuple[Link, ...]:
    """Return links to a page's other languages, each named in its own language."""
    return tuple(
        Link(page_name(stem, code, languages), str(Locale(code).get_display_name(code)).capitalize(), code)
        for code in languages
        if code != language
    )
