"""The verbs, in the order in which ``asp-eval --help`` lists them. Each one parses, calls the house, and prints."""

from __future__ import annotations

from typing import Any

from asp_eval.cli.app import app

# A module registers its verbs when it is imported; help lists them in this order.
# isort: off
from asp_eval.cli import starting as starting
from asp_eval.cli import randomise as randomise
from asp_eval.cli import power as power
from asp_eval.cli import import_file as import_file
from asp_eval.cli import evaluating as evaluating
from asp_eval.cli import export as export
from asp_eval.cli.instruments import instruments_app

# isort: on

__all__ = ["app", "verbs"]

app.add_typer(instruments_app, name="instruments")


def verbs() -> list[Any]:
    """Return every registered command, for the tests of completeness."""
    return [*app.registered_commands, *instruments_app.registered_commands]
