"""``asp-eval init``: an empty study folder to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asp_eval.cli.app import verb
from asp_eval.cli.console import say
from asp_eval.core.phrases import Phrase


@verb()
def init(folder: Annotated[Path, typer.Argument(metavar="DIR")]) -> None:
    """Start an empty study: a commented study.yaml and the folders.

    Also makes the key of the study's pseudonyms, outside the folder.

    Example: asp-eval init my-study
    """
    from asp_eval.workflow.init import init_study

    started = init_study(folder)
    say(Phrase("A study was started in {folder}.", folder=started.folder))
    say(
        Phrase(
            "The key of its pseudonyms is {file}. Keep a copy of it in a safe place, and never one in the study folder.",
            file=started.key_file,
        )
    )
    say(Phrase("Next:"))
    say(Phrase("  1. Open {file} and describe your trial; every key is explained there.", file=started.folder / "study.yaml"))
    say(f"  2. cd {started.folder}")
    say("  3. asp-eval check")
    say("  4. asp-eval import institutions.csv --table institutions")
