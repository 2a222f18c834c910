"""The command line's root, and the options that many verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asp_eval.core.phrases import Translation

LANGUAGE_VARIABLE = "ASP_EVAL_LANGUAGE"

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
Language = Annotated[
    str | None,
    typer.Option(
        "--language", metavar="L", envvar=LANGUAGE_VARIABLE, show_envvar=False,
        help=f"Of what is said on screen: en or da; default: {LANGUAGE_VARIABLE}, else en.",
    ),
]  # fmt: skip
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Whole number; the same seed gives the same result.")]
HERE = Path()


def words_of(language: str | None) -> Translation:
    """Return how the screen speaks in a language; English if none is named.

    Raises
    ------
    Refusal
        REP-001 if there is no catalogue for it.
    """
    from asp_eval.reporting.language import fault_words

    return fault_words(language or "en")
