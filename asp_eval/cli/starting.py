"""``asp-eval demo`` and ``asp-eval init``: a study folder to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asp_eval.cli.app import Seed, app
from asp_eval.cli.console import say
from asp_eval.core.errors import Fault

NOT_EMPTY = Fault(
    "CLI-001", "the folder is not empty, and nothing in it will be overwritten", "Name another folder, or remove this one."
)


@app.command()
def demo(folder: Annotated[Path, typer.Argument(metavar="DIR")], seed: Seed = 2006) -> None:
    """Run a complete synthetic trial, from exports to reports.

    Example: asp-eval demo demo-study
    """
    from asp_eval.cli.demo import run_demo

    refuse_unless_empty(folder)
    run_demo(folder, seed, lambda arguments: app(arguments, standalone_mode=False))


@app.command()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Start an empty study: a commented study.yaml and the folders.

    Also makes the key of the study's pseudonyms, outside the folder.

    Example: asp-eval init my-study
    """
    from asp_eval.core.documents import write_whole
    from asp_eval.intake.privacy.keys import create_key
    from asp_eval.trial.study.protocol import study_template, write_study_schema

    refuse_unless_empty(folder)
    key, file = create_key(folder)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    (folder / "output").mkdir(exist_ok=True)
    write_study_schema(folder)
    write_whole(folder / "study.yaml", study_template(key.id))
    say(f"A study was started in {folder}.")
    say(f"The key of its pseudonyms is {file}. Keep a copy of it in a safe place, and never one in the study folder.")
    say("Next:")
    say(f"  1. Open {folder / 'study.yaml'} and describe your trial; every key is explained there.")
    say(f"  2. cd {folder}")
    say("  3. asp-eval check")
    say("  4. asp-eval import institutions.csv --table institutions")


def refuse_unless_empty(folder: Path) -> None:
    """Refuse a folder that holds anything."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        NOT_EMPTY.refuse(str(folder))
