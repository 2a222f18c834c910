"""The command line's root, how a verb is registered, and the options that many verbs share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from asp_eval.cli.help import SpokenCommand, SpokenGroup
from asp_eval.cli.language import VARIABLE, choose

Language = Annotated[
    str | None,
    typer.Option("--language", metavar="L", help=f"Language of what is said, such as da or en; default: {VARIABLE}, else en."),
]
StudyFolder = Annotated[Path, typer.Option("--study", metavar="DIR", help="The study folder; default: where you stand.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Whole number; the same seed gives the same result.")]
HERE = Path()

app = typer.Typer(
    name="asp-eval",
    cls=SpokenGroup,
    help="Evaluate a cluster-randomised trial, from raw exports to printed reports.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def root(language: Language = None) -> None:
    """Evaluate a cluster-randomised trial, from raw exports to printed reports."""
    choose(language)


def verb(name: str | None = None, of: typer.Typer = app) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that registers a function as a verb, with the option ``--language`` besides its own."""

    def register(function: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(function, eval_str=True)
        option = inspect.Parameter("language", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Language)

        @wraps(function)
        def in_language(*given: Any, language: str | None = None, **options: Any) -> None:
            choose(language)
            function(*given, **options)

        declared = own.replace(parameters=[*own.parameters.values(), option])
        vars(in_language)["__signature__"] = declared
        in_language.__annotations__ = {each.name: each.annotation for each in declared.parameters.values()}
        of.command(name, cls=SpokenCommand)(in_language)
        return in_language

    return register
