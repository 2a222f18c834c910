"""The verbs on coding frames: list them, show one, hand one to coders and interviewers."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from asp_eval.cli.app import verb
from asp_eval.cli.console import plain_problems, print_json, print_problems, print_table, say
from asp_eval.cli.help import SpokenGroup
from asp_eval.cli.language import language as spoken_language
from asp_eval.core.phrases import Phrase

frames_app = typer.Typer(
    cls=SpokenGroup,
    help="The coding frames of interviews: see them, hand them to coders.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="ID", help="As 'asp-eval frames list' shows it.")]
Study = Annotated[Path | None, typer.Option("--study", metavar="DIR", help="A study folder: frames of its own.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@verb("list", of=frames_app)
def list_frames(study: Study = None, as_json: AsJson = False) -> None:
    """List the shipped coding frames; with a study, its own too.

    Example: asp-eval frames list
    """
    from asp_eval.workflow.coding_frames import list_frames as listed

    found = [dataclasses.asdict(each) for each in listed(study)]
    if as_json:
        print_json(found)
        return
    header = (Phrase("id"), Phrase("version"), Phrase("codes"), Phrase("guides"))
    print_table(header, [[str(value) for value in each.values()] for each in found])


@verb("show", of=frames_app)
def show_frame(name: Name, study: Study = None, as_json: AsJson = False) -> None:
    """Show the codebook of one frame: its codes, when to use each, and what it can say.

    Example: asp-eval frames show asp-process
    """
    from asp_eval.workflow.coding_frames import show_frame as text_of

    text = text_of(name, spoken_language(), study)
    if as_json:
        print_json({"frame": name, "codebook": text})
        return
    for line in text.splitlines():
        print(line)


@verb("export", of=frames_app)
def export_frame(
    name: Name,
    to: Annotated[str, typer.Option("--to", metavar="FORMAT", help="refi (.qdc), codebook, guides, print or xlsform.")],
    study: Study = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Default: named after the frame, where you stand.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write a frame for QualCoder, NVivo, MAXQDA or ATLAS.ti, as a codebook, or its interview guides.

    Example: asp-eval frames export asp-process --to refi --language da
    """
    from asp_eval.workflow.coding_frames import export_frame as export

    found = export(name, to, language=spoken_language(), study=study, out=out)
    if as_json:
        print_json(dataclasses.asdict(found) | {"file": str(found.file)})
        return
    say(Phrase("Written: {files}", files=found.file))


@verb("compare", of=frames_app)
def compare_frame(
    file: Annotated[Path, typer.Argument(metavar="CODEBOOK", help="A REFI-QDA codebook (.qdc) of other software.")],
    name: Name,
    study: Study = None,
    as_json: AsJson = False,
) -> None:
    """Say which codes of a codebook are those of a frame, which are missing, and which it does not have.

    Example: asp-eval frames compare codebook.qdc asp-process
    """
    from asp_eval.workflow.codebooks import compare_codebook

    found = compare_codebook(file, name, study=study)
    if as_json:
        print_json(dataclasses.asdict(found) | {"notes": plain_problems(found.notes)})
        return
    n = len(found.matched)
    say(
        Phrase(
            "{n} of {all} levels of {frame} version {v} stand in {file}.",
            n=n,
            all=found.levels,
            frame=found.frame,
            v=found.version,
            file=found.file,
        )
    )
    for each in found.missing:
        say(Phrase("  missing: {code}", code=each))
    for one in found.unknown:
        if one.meant:
            say(Phrase("  not in the frame: {code}: {level} (perhaps {meant})", code=one.code, level=one.level, meant=one.meant))
        else:
            say(Phrase("  not in the frame: {code}: {level}", code=one.code, level=one.level))
    for each in found.twice:
        say(Phrase("  more than once: {code}", code=each))
    print_problems(found.notes)
