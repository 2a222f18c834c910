"""What is wrong with the rows of a file, as pages: one for each institution with rows to correct, and one of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version

from asp_eval.core.filenames import safe_stems
from asp_eval.reporting.blocks import Document, Link, Section
from asp_eval.reporting.documents.pages import page_name, translations_of
from asp_eval.reporting.language import Words, languages_with_words, words_for
from asp_eval.reporting.sections.problems import Batch, Line, by_language, for_evaluator, for_institution
from asp_eval.reporting.writers.html import html

OF_ALL, FAULTS = "all", "faults"  # names that no institution's page may have


@dataclass(frozen=True, slots=True)
class Recipient:
    """An institution that can be sent a page.

    Attributes
    ----------
    id : str
    name : str
        Empty where it must not be shown.
    stored : int
        How many of its rows are in the study.
    """

    id: str
    name: str = ""
    stored: int = 0


def problem_pages(batch: Batch, institutions: Sequence[Recipient]) -> dict[str, str]:
    """Return the pages by file name, in every language of the study that there are words for.

    Parameters
    ----------
    batch : Batch
    institutions : sequence of Recipient
        All institutions of the study: rows of any other are on the page of all alone.
    """
    languages = languages_with_words(batch.study.languages)
    stems = dict(
        zip((one.id for one in institutions), safe_stems([OF_ALL, FAULTS, *(i.id for i in institutions)])[2:], strict=True)
    )
    lines: dict[str | None, list[Line]] = {}
    for line in batch.lines:
        lines.setdefault(line.institution, []).append(line)
    at_fault = sorted((one for one in institutions if _is_asked(lines.get(one.id, ()))), key=lambda one: one.id)
    own = {one.id: replace(batch, lines=tuple(lines[one.id])) for one in at_fault}
    pages: dict[str, str] = {}
    for code in languages:
        links = [Link(page_name(stems[one.id], code, languages), one.id, code) for one in at_fault]
        for one, link in zip(at_fault, links, strict=True):
            pages[link.address] = html(institution_page(own[one.id], one, code), translations_of(stems[one.id], code, languages))
        every = html(evaluator_page(batch, links, code), translations_of(OF_ALL, code, languages))
        pages[page_name(OF_ALL, code, languages)] = every
    return pages


def _is_asked(lines: Iterable[Line]) -> bool:
    """Whether an institution has anything to correct: a warning alone asks nothing."""
    return any(line.is_for_institutions and line.problem.is_error for line in lines)


def institution_page(batch: Batch, institution: Recipient, language: str) -> Document:
    """Return the page that an institution is sent."""
    say = words_for(language, batch.study.languages)
    title = institution.name or say("Institution {id}", id=institution.id)
    return _document(batch, title, for_institution(batch, institution.id, institution.stored, say), say)


def evaluator_page(batch: Batch, links: Sequence[Link], language: str) -> Document:
    """Return the page of everything; `links` lead to the institutions' pages."""
    say = words_for(language, batch.study.languages)
    return _document(batch, say("Faults of all institutions"), for_evaluator(batch, links, say), say)


def _document(batch: Batch, title: str, sections: tuple[Section, ...], say: Words) -> Document:
    study = batch.study.study
    return Document(
        kind="problems",
        language=say.language,
        title=title,
        subtitle=say("Corrections · {study}", study=say.label(by_language(study.title), study.id)),
        banner=say("Synthetic data: simulated, not from real institutions or children") if study.synthetic else "",
        made_with=say("Made with asp_eval {version}.", version=version("asp-eval")),
        sections=sections,
    )
