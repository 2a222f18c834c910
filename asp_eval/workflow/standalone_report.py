"""Reports that rest on no stored data, the shell and the mock: their pages in every language and format, all or none."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

from asp_eval.core.errors import Refusal
from asp_eval.core.file_sets import file_set
from asp_eval.reporting.blocks import Document
from asp_eval.reporting.documents.pages import Draft, Page, page_name, translations_of
from asp_eval.reporting.theme import PLAIN
from asp_eval.reporting.writers.formats import Format, known_formats, missing
from asp_eval.trial.study.design import Study
from asp_eval.workflow.study_folder import output_of


def usable_formats(formats: Collection[str]) -> tuple[Format, ...]:
    """Return the formats in their order.

    Raises
    ------
    Refusal
        REP-010 if one needs a package that is not installed, REP-016 if there is no such format.
    """
    kinds = known_formats(formats)
    if problems := missing(kinds):
        raise Refusal(problems)
    return kinds


def write_standalone(plan: Study, name: str, document_in: Callable[[str], Document], kinds: Sequence[Format]) -> tuple[Path, ...]:
    """Write a document as ``output/<name>.html`` and the like, in every language of the study, and return the files."""
    languages = plan.languages
    with file_set(output_of(plan)) as new:
        for code in languages:
            draft = Draft(partial(document_in, code), [])
            for kind in kinds:
                page = Page(page_name(name, code, languages, kind), kind, draft, PLAIN, translations_of(name, code, languages))
                new.path(page.name).write_bytes(page.made())
        return tuple(new.place(each) for each in new.names)
