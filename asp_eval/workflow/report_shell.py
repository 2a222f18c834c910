"""``asp-eval report --shell``: the report before the data, every table and figure of the plan with marks for the numbers."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from asp_eval.analysis.results_to_come import results_to_come
from asp_eval.core.errors import Refusal
from asp_eval.core.file_sets import file_set
from asp_eval.reporting.documents.pages import Page, page_name, translations_of
from asp_eval.reporting.documents.report_shell import report_shell
from asp_eval.reporting.theme import PLAIN
from asp_eval.reporting.writers.formats import known_formats, missing
from asp_eval.workflow.study_folder import AnyStudy, output_of, plan_of

SHELL = "shell"


def write_shell(study: AnyStudy, formats: Collection[str] = ("html",)) -> tuple[Path, ...]:
    """Write the report before the data as ``output/shell.html`` and the like, in every language of the study.

    Parameters
    ----------
    study : Study or StudyFolder
        Its data, if there are any, are not looked at.
    formats : collection of {"html", "pdf", "docx", "xlsx"}

    Raises
    ------
    Refusal
        REP-010 if a format needs a package that is not installed, REP-016 if there is no such format.
    """
    plan, kinds = plan_of(study), known_formats(formats)
    if problems := missing(kinds):
        raise Refusal(problems)
    results, languages = results_to_come(plan), plan.languages
    with file_set(output_of(plan)) as new:
        for code in languages:
            document = report_shell(results, code)
            for kind in kinds:
                page = Page(
                    page_name(SHELL, code, languages, kind), kind, document, PLAIN, translations_of(SHELL, code, languages)
                )
                new.path(page.name).write_bytes(page.made())
        return tuple(new.place(name) for name in new.names)
