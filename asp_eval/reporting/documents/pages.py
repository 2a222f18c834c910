"""The files of a report: which documents there are, in which languages and formats, under which names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path

from babel import Locale

from asp_eval.analysis.gap_results import GapProfile, GapResults
from asp_eval.analysis.goals import Goal
from asp_eval.analysis.process.results import ProcessResults
from asp_eval.analysis.results import Results
from asp_eval.core.errors import AspError, Problem, Refusal
from asp_eval.core.file_sets import file_set
from asp_eval.reporting.blocks import Document, Link
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.documents.gap_profiles import gap_index, gap_municipality, gap_profile, goal_follow_up
from asp_eval.reporting.language import words_for
from asp_eval.reporting.sections.gap_profile import display_name, gap_limit
from asp_eval.reporting.theme import PLAIN, Theme
from asp_eval.reporting.writers.docx import docx
from asp_eval.reporting.writers.formats import Format, known_formats, missing, software_of
from asp_eval.reporting.writers.html import html
from asp_eval.reporting.writers.pdf import pdf
from asp_eval.reporting.writers.xlsx import xlsx

EVALUATION, FOLLOW_UP = "evaluation", "follow-up"
SHOWN_DIGITS = 16  # of the digest of the data, at the head of a page


class Draft:
    """A document that is composed when one of its files is made: of thousands, one is held at a time."""

    __slots__ = ("_compose", "_desk")

    def __init__(self, compose: Callable[[], Document], desk: list[tuple[Draft, Document]]) -> None:
        self._compose, self._desk = compose, desk

    def __call__(self) -> Document:
        """Return the document; the last one that was asked for lies on the desk that its set shares."""
        if not self._desk or self._desk[0][0] is not self:
            self._desk[:] = [(self, self._compose())]
        return self._desk[0][1]


@dataclass(frozen=True, slots=True)
class Page:
    """A file of a report that is not made yet.

    Attributes
    ----------
    name : str
        From the folder of the report, with slashes.
    format : {"html", "pdf", "docx", "xlsx"}
    draft : callable
        Gives the document.
    theme : Theme
    translations : tuple of Link
        The same in other languages.
    shows : str
        Digest of what it shows beside its results: goals of institutions, the process evaluation. Empty if nothing.
    """

    name: str
    format: Format
    draft: Callable[[], Document]
    theme: Theme
    translations: tuple[Link, ...] = ()
    shows: str = ""

    @property
    def document(self) -> Document:
        """What the file holds."""
        return self.draft()

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
    """Return the files that the reports of some results are, in the order of reading; each is composed when it is made.

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
    printing = _Printing(results, wanted, kinds, theme, day)
    if isinstance(results, GapResults):
        return _gap_pages(printing, results, goals or {})
    return _evaluation_pages(printing, results, process)


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


@dataclass(frozen=True, slots=True)
class _Printing:
    """What the files of one report have in common; `desk` holds the document that was composed last."""

    results: Results | GapResults
    languages: Sequence[str]
    formats: Sequence[Format]
    theme: Theme
    day: date | None
    desk: list[tuple[Draft, Document]] = field(default_factory=list)

    def files(
        self,
        stem: str,
        code: str,
        compose: Callable[[], Document],
        formats: Sequence[Format] | None = None,
        beside: object = None,
    ) -> list[Page]:
        """Return the files of one document: `stem` with its folder, in each format; `beside` is what it shows beside results."""
        draft = Draft(lambda: replace(compose(), day=self.day, digest=self.results.state[:SHOWN_DIGITS]), self.desk)
        others = translations_of(stem.rsplit("/", 1)[-1], code, self.languages)
        shows = hashlib.sha256(repr(beside).encode()).hexdigest() if beside else ""
        return [
            Page(page_name(stem, code, self.languages, kind), kind, draft, self.theme, others, shows)
            for kind in (self.formats if formats is None else formats)
        ]


def _evaluation_pages(printing: _Printing, results: Results, process: ProcessResults | None) -> tuple[Page, ...]:
    return tuple(
        page
        for code in printing.languages
        for page in printing.files(
            EVALUATION,
            code,
            partial(evaluation, results, code, process, day=printing.day),
            beside=process and process.state,
        )
    )


def _gap_pages(printing: _Printing, results: GapResults, goals: Mapping[str, Sequence[Goal]]) -> tuple[Page, ...]:
    """Return the index, the profiles, and a follow-up sheet for each institution with a profile that set goals."""
    pages: list[Page] = []
    limit = gap_limit(results)
    following = [profile for profile in results.profiles if goals.get(profile.institution_id)]
    for code in printing.languages:
        if "html" in printing.formats:  # it is for clicking
            leads_to = [profile.institution_id for profile in following]
            pages += printing.files("gap/index", code, partial(_index, printing, results, following, code), ("html",), leads_to)
        for sheet in results.municipalities:
            pages += printing.files(f"gap/{sheet.file_stem}", code, partial(gap_municipality, results, sheet, code))
        for profile in results.profiles:
            own = goals.get(profile.institution_id, ())
            compose = partial(gap_profile, results, profile, code, own, limit)
            of_then = own if results.earlier_wave else None  # a first round shows no goals
            pages += printing.files(f"gap/{profile.file_stem}", code, compose, beside=of_then)
        for profile in following:
            own = goals[profile.institution_id]
            compose = partial(goal_follow_up, results, profile, own, code)
            pages += printing.files(f"gap/{FOLLOW_UP}/{profile.file_stem}", code, compose, beside=own)
    return tuple(pages)


def _index(printing: _Printing, results: GapResults, following: Sequence[GapProfile], code: str) -> Document:
    """Return the page that leads to the others of its language."""
    say, languages = words_for(code, results.languages), printing.languages
    names = {p.institution_id: page_name(p.file_stem, code, languages) for p in results.profiles}
    links = [Link(names[p.institution_id], display_name(results, p, say), code) for p in results.profiles]
    sheets = [names[p.institution_id] for p in following]
    follow_ups = {name: Link(f"{FOLLOW_UP}/{name}", say("follow-up of goals"), code) for name in sheets}
    of_all = [Link(page_name(m.file_stem, code, languages), m.name, code) for m in results.municipalities]
    return gap_index(results, links, code, follow_ups, of_all)


def translations_of(stem: str, language: str, languages: Sequence[str]) -> tuple[Link, ...]:
    """Return links to a page's other languages, each named in its own language."""
    return tuple(
        Link(page_name(stem, code, languages), str(Locale(code).get_display_name(code)).capitalize(), code)
        for code in languages
        if code != language
    )
