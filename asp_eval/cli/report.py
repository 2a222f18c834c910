"""``asp-eval report``: results as pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import print_json, progress, say
from asp_eval.core.phrases import Phrase

if TYPE_CHECKING:
    from asp_eval.workflow.report import Report


@verb()
def report(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Write the evaluation report and the GAP-profiles as HTML.

    In every language of the study.

    Example: asp-eval report
    """
    from asp_eval.workflow.open_study import open_study
    from asp_eval.workflow.report import report as write

    with progress("report") as step:
        written = write(open_study(study), progress=step)
    if as_json:
        print_json([str(path.relative_to(written.folder)) for path in written.pages])
    else:
        show(written)


def show(written: Report) -> None:
    """Print how many pages there are, and which to open."""
    first = written.pages[0]
    shown = first.relative_to(Path.cwd()) if first.is_relative_to(Path.cwd()) else first
    say(Phrase("{n} pages written. Open {page} in a browser; it prints on A4.", n=len(written.pages), page=shown))
