"""``asp-eval report --shell``: the report before the data, every table and figure of the plan with marks for the numbers."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path

from asp_eval.analysis.results_to_come import results_to_come
from asp_eval.reporting.documents.report_shell import report_shell
from asp_eval.workflow.standalone_report import usable_formats, write_standalone
from asp_eval.workflow.study_folder import AnyStudy, plan_of

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
    plan, kinds = plan_of(study), usable_formats(formats)
    return write_standalone(plan, SHELL, partial(report_shell, results_to_come(plan)), kinds)
