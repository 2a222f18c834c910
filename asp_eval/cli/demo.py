"""``asp-eval demo``: a complete synthetic trial, every verb shown as it is done."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asp_eval.cli.app import Seed, verb
from asp_eval.cli.console import print_table, progress, say
from asp_eval.cli.language import language
from asp_eval.core.phrases import Phrase

if TYPE_CHECKING:
    from asp_eval.workflow.demo import DemoStep, DemoStudy


@verb()
def demo(folder: Annotated[Path, typer.Argument(metavar="DIR")], seed: Seed = 2006) -> None:
    """Run a complete synthetic trial, from exports to reports.

    Example: asp-eval demo demo-study
    """
    from asp_eval.workflow.demo import demo as run

    started = time.perf_counter()
    with progress("demo") as step:
        made = run(folder, seed, announce=announce, progress=step)
    show(made, time.perf_counter() - started)


def announce(step: DemoStep | Phrase) -> None:
    """Print what a verb did, under the command that does it; or a sentence between the verbs."""
    from asp_eval.cli import analyse, check, gap, goals, import_file, process, randomise, report, score

    say()
    if isinstance(step, Phrase):
        say(step)
        return
    printers: dict[str, Any] = {
        "import": import_file.show,
        "randomise": randomise.show,
        "check": check.show,
        "score": score.show,
        "analyse": analyse.show,
        "gap": gap.show,
        "goals": goals.show,
        "process": process.show,
        "report": report.show,
    }
    print("$", "asp-eval", *step.command)
    printers[step.command[0]](step.done)


def show(made: DemoStudy, seconds: float) -> None:
    """Put every estimate beside the value the synthetic population has, and say where the reports are."""
    say()
    say(
        Phrase("What the analysis found, beside what the synthetic population holds (score points; intervention less reference):")
    )
    header = (
        Phrase("outcome"),
        Phrase("at"),
        Phrase("estimate"),
        Phrase("95 % interval"),
        Phrase("population"),
        Phrase("inside"),
    )
    print_table(header, made.rows(language()))
    say(Phrase("One interval in twenty misses the population value by chance, and outcomes of the same children miss together."))
    say()
    say(Phrase("Done in {seconds:.0f} seconds. All data are synthetic. Open in a browser:", seconds=seconds))
    for page in made.pages:
        say(f"  {page}")
