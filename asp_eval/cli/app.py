"""The command line's root, and the options that many verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="asp-eval",
    help="Evaluate a cluster-randomised trial, from raw exports to printed reports.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

StudyFolder = Annotated[Path, typer.Option("--study", metavar="DIR", help="The study folder; default: where you stand.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Whole number; the same seed gives the same result.")]
HERE = Path()
