"""``asp-eval import``: one export into the study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asp_eval.cli.app import HERE, AsJson, StudyFolder, app
from asp_eval.cli.console import print_json, print_problems, say
from asp_eval.core.errors import Fault

NO_WAVE = Fault("CLI-002", "the table {table} needs a wave", "Add --wave with one of: {waves}.")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    table: Annotated[
        str, typer.Option("--table", metavar="T", help="institutions, children, screening, staff_survey, staff, interviews, ...")
    ],
    wave: Annotated[str | None, typer.Option("--wave", metavar="W", help="The wave the file belongs to.")] = None,
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", metavar="M", help="Which columns and labels are ours; default: FILE.mapping.yaml, if there."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The file is the whole: what the one before had and this one has not, vanishes.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, store nothing.")] = False,
    study: StudyFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Bring one export into the study.

    Every row is in the study afterwards, or in quarantine with the reason and the cure: output/quarantine holds those rows to
    correct and to import again.

    Example: asp-eval import wave1.csv --table screening --wave w1
    """
    from asp_eval.trial.importing import import_file
    from asp_eval.trial.study.protocol import load_study

    declared = load_study(study)
    collection = getattr(declared.collect, table, None)
    if collection is not None and wave is None:
        NO_WAVE.refuse(table=table, waves=", ".join(collection.waves))
    report = import_file(declared, file, table, wave=wave, mapping=mapping, replace=replace, dry_run=dry_run)
    if as_json:
        print_json(report.as_dict())
    else:
        print_problems(report.problems)
        say(str(report))
    if report.quarantined or report.waiting:
        raise typer.Exit(1)
