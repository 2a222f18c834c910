"""``asp-eval power``: how likely the trial is to find an effect, and how large it must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asp_eval.cli.app import HERE, AsJson, Seed, StudyFolder, verb
from asp_eval.cli.console import print_json, print_table, progress, say, spoken
from asp_eval.core.phrases import Phrase

if TYPE_CHECKING:
    from asp_eval.workflow.power import StudyPower


@verb()
def power(
    effect: Annotated[
        list[float] | None, typer.Option(metavar="D", help="Effect in standard deviations; may be repeated.")
    ] = None,
    icc: Annotated[list[float] | None, typer.Option(metavar="R", help="Intraclass correlation; may be repeated.")] = None,
    size: Annotated[float | None, typer.Option(metavar="N", help="Children in an institution, on average.")] = None,
    cv: Annotated[float | None, typer.Option(metavar="V", help="How unequal: standard deviation of sizes over mean.")] = None,
    institutions: Annotated[int | None, typer.Option(metavar="J", help="Institutions in all arms.")] = None,
    target: Annotated[float | None, typer.Option(metavar="P", help="Power aimed at, such as 0.80.")] = None,
    learn: Annotated[str, typer.Option(metavar="OUTCOME@WAVE", help="Learn the correlation from a stored wave.")] = "",
    simulate: Annotated[int, typer.Option(metavar="N", help="Simulate N trials besides, with the study's own lot.")] = 0,
    seed: Seed = 1,
    study: StudyFolder = HERE,
    as_json: AsJson = False,
) -> None:
    """Show how likely the trial is to find an effect.

    Needs study.yaml alone: arms, ratio, strata and the planning values under 'power'. Writes output/power.csv and
    output/power.svg.

    Example: asp-eval power --effect 0.15 --effect 0.25 --icc 0.05 --icc 0.10 --size 50 --simulate 10000
    """
    from asp_eval.workflow.open_study import open_study
    from asp_eval.workflow.power import planned_power

    with progress("power") as step:
        found = planned_power(
            open_study(study),
            effects=tuple(effect or ()),
            iccs=tuple(icc or ()),
            institutions=institutions,
            size=size,
            cv=cv,
            target=target,
            learn=learn,
            simulate=simulate,
            seed=seed,
            progress=step,
        ).power
    if as_json:
        print_json(found.as_dict())
    else:
        show(found)


def show(found: StudyPower) -> None:
    """Print power over effects and intraclass correlations, then everything that is assumed."""
    planned = found.planned
    labels = found.icc_labels()
    header = [Phrase("effect"), *labels]
    say(Phrase("Power (probability that the effect is found significant at {alpha:g}):", alpha=planned.test.alpha))
    print_table(header, _rows(found, "power"))
    say()
    say(Phrase("Smallest effect found with {aim:.0%} power:", aim=planned.aim))
    print_table(["", *labels], [[Phrase("effect"), *(f"{e:.3f}" for e in found.detectable["effect"])]])
    say()
    say(Phrase("Institutions needed for {aim:.0%} power, in the arms compared:", aim=planned.aim))
    print_table(header, _rows(found, "institutions_needed"))
    if found.trials:
        error = found.table["monte_carlo_error"].max()
        say()
        say(
            Phrase(
                "Power in {n:,} simulated trials (Monte Carlo standard error at most {error:.4f}):", n=found.trials, error=error
            )
        )
        print_table(header, _rows(found, "simulated_power"))
    say()
    say(Phrase("Assumed:"))
    for assumption in found.assumptions():
        say(f"  {spoken(assumption)}")
    say(Phrase("Written: {files}", files="output/power.csv, output/power.svg"))


def _rows(found: StudyPower, column: str) -> list[list[str]]:
    """Return a column of the table, effects down and intraclass correlations across."""
    return [[f"{effect:g}", *cells] for effect, cells in found.across(column)]
