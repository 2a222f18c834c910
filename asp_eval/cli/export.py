"""``asp-eval export``: what a study holds, as files for one's own analysis; or the schemas of the files it imports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import print_json, progress, say, spoken
from asp_eval.core.phrases import Phrase, listed


@verb()
def export(
    to: Annotated[
        Path | None, typer.Option("--to", metavar="DIR", help="Where to write; default: output/export in the study folder.")
    ] = None,
    form: Annotated[
        Literal["csv", "excel", "parquet"],
        typer.Option("--format", help="csv, excel (CSV with semicolons and decimal commas), or parquet."),
    ] = "csv",
    schemas: Annotated[
        bool, typer.Option("--schemas", help="Write the schemas of the files to be imported, and no data.")
    ] = False,
    study: StudyFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Write tables, scores, analysis sets and a codebook for your own analysis.

    No names, and no text in people's own words. Small numbers are not hidden in these files: they are not for publication.

    Example: asp-eval export --to analysis-files
    """
    from asp_eval.workflow.export import export as write
    from asp_eval.workflow.export import export_schemas
    from asp_eval.workflow.open_study import open_study

    opened = open_study(study)
    with progress("export") as step:
        written = export_schemas(opened, to) if schemas else write(opened, to, form=form, progress=step)
    if as_json:
        notes = [spoken(note) for note in written.notes]
        print_json({"files": [path.name for path in written.files], "left_out": written.left_out, "notes": notes})
        return
    about = {"n": len(written.files), "folder": written.folder}
    if schemas:
        package = written.files[-1].name
        say(
            Phrase(
                "{n} files written to {folder}. With {package} any Frictionless tool checks a file that lies there.",
                package=package,
                **about,
            )
        )
        return
    told = Phrase(
        "{n} files written to {folder}; the codebook lists their columns. They are for analysis, not for publication.", **about
    )
    say(told)
    if written.left_out:
        say(Phrase("Left out, being names or text in people's own words: {columns}.", columns=listed(written.left_out)))
    for note in written.notes:
        say(note)
