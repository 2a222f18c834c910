"""The verbs, in the order in which ``asp-eval --help`` lists them. Each one parses, calls one workflow function, and prints."""

from __future__ import annotations

from typing import Any

from asp_eval.cli.app import app

# A module registers its verb when it is imported; help lists them in this order.
# isort: off
from asp_eval.cli import demo as demo
from asp_eval.cli import init as init
from asp_eval.cli import power as power
from asp_eval.cli import randomise as randomise
from asp_eval.cli import import_file as import_file
from asp_eval.cli import check as check
from asp_eval.cli import score as score
from asp_eval.cli import analyse as analyse
from asp_eval.cli import gap as gap
from asp_eval.cli import process as process
from asp_eval.cli import report as report
from asp_eval.cli import export as export
from asp_eval.cli import forget as forget
from asp_eval.cli import moments as moments
from asp_eval.cli.instruments import instruments_app
from asp_eval.cli.frames import frames_app
from asp_eval.cli.goals import goals_app
from asp_eval.cli.plan import plan_app

# isort: on

__all__ = ["app", "verbs"]

app.add_typer(instruments_app, name="instruments")
app.add_typer(frames_app, name="frames")
app.add_typer(goals_app, name="goals")
app.add_typer(plan_app, name="plan")


def verbs() -> list[Any]:
    """Return every registered command, for the tests of completeness."""
    groups = (app, instruments_app, frames_app, goals_app, plan_app)
    return [command for group in groups for command in group.registered_commands]
