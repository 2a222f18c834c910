"""``asp-eval report``: results as pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import plain_problems, print_json, print_problems, progress, say
from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase

if TYPE_CHECKING:
    from asp_eval.workflow.report import Report

NOT_TOGETHER = Fault(
    "REP-022",
    "the option does nothing beside --{asked}, which writes one report before the data, without a look of its own",
    "Leave it out, or give the command once for each report.",
)

Formats = Annotated[str, typer.Option("--format", metavar="F", help="One or more of html, pdf, docx, xlsx, with commas between.")]
Parts = Annotated[
    str | None, typer.Option("--part", metavar="P", help="results (the evaluation) or gap (the GAP-profiles); default: both.")
]
Shell = Annotated[
    bool, typer.Option("--shell", help="The report before the data: every table and figure of the plan, no number.")
]
Mock = Annotated[
    bool,
    typer.Option("--mock", help="The report of a trial drawn at random from the plan, without effect; marked on every page."),
]
ThemeFile = Annotated[
    Path | None, typer.Option("--theme", metavar="FILE", help="A YAML file with an organisation's colour, logo and font.")
]
Workers = Annotated[
    int,
    typer.Option(
        "--workers", metavar="N", min=1, help="Processes that make the pages side by side; the same files for any number."
    ),
]


@verb()
def report(
    study: StudyFolder = HERE,
    formats: Formats = "html",
    part: Parts = None,
    theme: ThemeFile = None,
    shell: Shell = False,
    mock: Mock = False,
    workers: Workers = 1,
    as_json: AsJson = False,
) -> None:
    """Write the evaluation report and the GAP-profiles.

    In every language of the study. PDF and DOCX need: pip install 'asp-eval[pdf,docx]'.

    Example: asp-eval report --format html,pdf,docx,xlsx
    """
    from asp_eval.workflow.open_study import open_study
    from asp_eval.workflow.report import report as write

    if shell or mock:
        passed_over = {
            "--part": part,
            "--theme": theme,
            "--workers": workers if workers > 1 else None,
            "--mock": "" if shell and mock else None,
        }
        _refuse_passed_over(passed_over, "shell" if shell else "mock")
        _write_before(study, _names(formats), mock=mock, as_json=as_json)
        return
    with progress("report") as step:
        parts = None if part is None else _names(part)
        written = write(open_study(study), _names(formats), parts, theme=theme, workers=workers, progress=step)
    if as_json:
        print_json(
            {
                "pages": [path.relative_to(written.folder).as_posix() for path in written.pages],
                "written": written.written,
                "problems": plain_problems(written.problems),
            }
        )
    else:
        show(written)
    if any(problem.is_error for problem in written.problems):
        raise typer.Exit(1)


def _refuse_passed_over(options: Mapping[str, object], asked: str) -> None:
    """Refuse options that a report before the data would pass over; None of one that was not given."""
    for name, value in options.items():
        if value is not None:
            NOT_TOGETHER.refuse(name, asked=asked)


def _write_before(study: Path, formats: list[str], *, mock: bool, as_json: bool) -> None:
    """Write a report before the data, and say where it is."""
    from asp_eval.workflow.open_study import open_study
    from asp_eval.workflow.report_mock import write_mock
    from asp_eval.workflow.report_shell import write_shell

    if mock:
        with progress("report") as step:
            pages = write_mock(open_study(study), formats, progress=step)
    else:
        pages = write_shell(open_study(study), formats)
    if as_json:
        print_json({"pages": [path.name for path in pages]})
    else:
        say(Phrase("Written: {files}", files=", ".join(f"output/{path.name}" for path in pages)))


def _names(option: str) -> list[str]:
    """Return the names in an option that takes several."""
    return [name for name in option.replace(",", " ").split() if name]


def show(written: Report) -> None:
    """Print how many pages there are, which to open, and why one that was asked for is not there."""
    if written.pages:
        first = written.pages[0]
        shown = first.relative_to(Path.cwd()) if first.is_relative_to(Path.cwd()) else first
        say(
            Phrase(
                "Pages: {n}, of these written now: {new}. Open {page}; it prints on A4.",
                n=len(written.pages),
                new=written.written,
                page=shown,
            )
        )
    print_problems(written.problems)
