"""The verbs on goals: hand the worksheets of staff meetings out, and take them in when they come back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import plain_problems, print_json, print_problems, progress, say
from asp_eval.cli.help import SpokenCommand, SpokenGroup
from asp_eval.core.phrases import Phrase, listed

if TYPE_CHECKING:
    from asp_eval.workflow.goals import GoalsImport

goals_app = typer.Typer(
    cls=SpokenGroup,
    help="The goals that institutions set themselves: worksheets out, and in again.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@goals_app.command("export", cls=SpokenCommand)
def export_worksheets(
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="xlsx or xlsform.")] = "xlsx",
    wave: Annotated[str | None, typer.Option("--wave", metavar="W", help="Of the profile; default: that of study.yaml.")] = None,
    language: Annotated[
        str | None, typer.Option("--language", metavar="L", help="Language of the sheet, da or en; default: the study's first.")
    ] = None,
    together: Annotated[bool, typer.Option("--together", help="One workbook with a sheet for each institution.")] = False,
    study: StudyFolder = HERE,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Default: output/forms of the study.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the worksheet of the staff meeting for each institution that is given a GAP-profile, its id filled in.

    Example: asp-eval goals export --to xlsx --language da
    """
    from asp_eval.workflow.goal_worksheets import export_worksheets as export
    from asp_eval.workflow.open_study import open_study

    found = export(open_study(study), to, wave=wave, language=language, folder=out, together=together)
    if as_json:
        told = {"format": found.format, "wave": found.wave, "institutions": found.institutions, "withheld": found.withheld}
        print_json({**told, "files": [str(path) for path in found.files]})
        return
    if together:
        files = [path.name for path in found.files]
        say(
            Phrase(
                "Written: {n} worksheets in {files}, in {folder}.",
                n=found.institutions,
                files=listed(files),
                folder=found.files[0].parent,
            )
        )
    else:
        say(Phrase("Written: {n} worksheets in {folder}.", n=len(found.files), folder=found.files[0].parent))
    if found.withheld:
        say(Phrase("Institutions without one, as they are given no profile, or not yet: {n}.", n=found.withheld))


@verb("import", of=goals_app)
def import_goals(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Worksheets, exports of the form, or tables of goals.")],
    replace: Annotated[bool, typer.Option("--replace", help="Goals that a sheet had before, and has no more, vanish.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")] = False,
    study: StudyFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Take in worksheets that came back: each goal is in, or listed with its reason and its cure.

    Example: asp-eval goals import returned/*.xlsx
    """
    from asp_eval.workflow.goals import import_goals as take_in
    from asp_eval.workflow.open_study import open_study

    with progress("import") as step:
        found = take_in(open_study(study), files, replace=replace, dry_run=dry_run, progress=step)
    if as_json:
        print_json(_told(found))
    else:
        show(found)
    if found.refused or any(each.report is not None and each.report.quarantined for each in found.files):
        raise typer.Exit(1)


def show(found: GoalsImport) -> None:
    """Print what became of each file, and of all."""
    for each in found.files:
        print_problems(each.problems)
        if each.report is not None:
            say(each.report.account)
    say(found.account)


def _told(found: GoalsImport) -> dict[str, object]:
    return {
        "files": [
            {
                "file": each.file,
                "in": each.report is not None,
                "goals": each.report.accepted if each.report is not None else 0,
                "problems": plain_problems(each.problems),
            }
            for each in found.files
        ]
    }
