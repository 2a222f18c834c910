"""``asp-eval export``: what a study holds, as files for one's own analysis; or the schemas of the files it imports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from asp_eval.cli.app import HERE, AsJson, StudyFolder, app
from asp_eval.cli.console import print_json, progress, say
from asp_eval.core.errors import Fault

NOT_A_FOLDER = Fault("CLI-011", "the export cannot be written there: it is not a folder", "Name a folder after --to.")
NOT_OURS = Fault(
    "CLI-012", "the folder holds a datapackage.json that no export of this study wrote, and it will not be overwritten",
    "Name another folder after --to.",
)  # fmt: skip
NOTHING = Fault("CLI-013", "there is nothing to export: no file was imported yet", "Give 'asp-eval import' first.")


@app.command()
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
    from asp_eval.trial.study.protocol import load_study
    from asp_eval.workflow.export import analysis_files
    from asp_eval.workflow.export_files import write_analysis_files, write_schemas

    declared = load_study(study)
    folder = to or declared.folder / "output" / ("schemas" if schemas else "export")
    _refuse_foreign(folder, f"{declared.study.id}-{'import' if schemas else 'export'}".lower())
    if schemas:
        paths = write_schemas(declared, folder)
        if as_json:
            print_json({"files": [path.name for path in paths], "left_out": [], "notes": []})
            return
        say(f"{len(paths)} files written to {folder}. With {paths[-1].name} any Frictionless tool checks a file that lies there.")
        return
    with progress("export", steps=2) as step:
        step("reading")
        found = analysis_files(declared)
        if len(found.files) == 1:  # the codebook
            NOTHING.refuse(declared.folder.name)
        step("writing")
        paths = write_analysis_files(declared, found.files, folder, form)
    if as_json:
        print_json({"files": [path.name for path in paths], "left_out": found.left_out, "notes": found.notes})
        return
    say(f"{len(paths)} files written to {folder}; the codebook lists their columns. They are for analysis, not for publication.")
    if found.left_out:
        say(f"Left out, being names or text in people's own words: {', '.join(found.left_out)}.")
    for note in found.notes:
        say(note)


def _refuse_foreign(folder: Path, name: str) -> None:
    """Refuse what is not a folder, or holds the data package of something else."""
    import json

    if folder.exists() and not folder.is_dir():
        NOT_A_FOLDER.refuse(str(folder))
    package = folder / "datapackage.json"
    if package.exists():
        try:
            found = json.loads(package.read_text(encoding="utf-8")).get("name")
        except (ValueError, AttributeError):
            found = None
        if found != name:
            NOT_OURS.refuse(str(package), found=found, expected=name)
