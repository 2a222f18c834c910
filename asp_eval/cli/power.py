"""``asp-eval power``: how likely the trial is to find an effect, and how large it must be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asp_eval.cli.app import HERE, AsJson, Seed, StudyFolder, app
from asp_eval.cli.console import print_json, print_table, progress, say

if TYPE_CHECKING:
    from asp_eval.analysis.study_power import StudyPower


@app.command()
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
    from asp_eval.analysis.power_inputs import Wishes
    from asp_eval.analysis.study_power import study_power
    from asp_eval.core.csv_text import write_csv
    from asp_eval.core.documents import write_whole
    from asp_eval.reporting.documents.power_curves import render_power
    from asp_eval.trial.study.protocol import load_study

    declared = load_study(study)
    wishes = Wishes(tuple(effect or ()), tuple(icc or ()), institutions, size, cv, target, learn)
    with progress("power", steps=2) as step:
        step("formula and simulation" if simulate else "formula")
        found = study_power(declared, wishes, simulate=simulate, seed=seed)
        step("picture")
        language = declared.languages[0]
        title = declared.study.title.get(language, declared.study.id)
        picture = render_power(found, title, language, synthetic=declared.study.synthetic)
    output = declared.folder / "output"
    write_csv(output / "power.csv", found.account_frame())
    write_whole(output / "power.svg", picture)
    if as_json:
        print_json(found.as_dict())
        return
    _print(found)


def _print(found: StudyPower) -> None:
    """Print power over effects and intraclass correlations, then everything that is assumed."""
    planned = found.planned
    labels = found.icc_labels()
    header = ["effect", *labels]
    aim = f"{planned.aim:.0%} power"
    say(f"Power (probability that the effect is found significant at {planned.test.alpha:g}):")
    print_table(header, _rows(found, "power"))
    say()
    say(f"Smallest effect found with {aim}:")
    print_table(["", *labels], [["effect", *(f"{e:.3f}" for e in found.detectable["effect"])]])
    say()
    say(f"Institutions needed for {aim}, in the arms compared:")
    print_table(header, _rows(found, "institutions_needed"))
    if found.trials:
        error = found.table["monte_carlo_error"].max()
        say()
        say(f"Power in {found.trials:,} simulated trials (Monte Carlo standard error at most {error:.4f}):")
        print_table(header, _rows(found, "simulated_power"))
    say()
    say("Assumed:")
    for assumption in found.assumptions():
        say(f"  {assumption}")
    say("Written: output/power.csv, output/power.svg.")


def _rows(found: StudyPower, column: str) -> list[list[str]]:
    """Return a column of the table, effects down and intraclass correlations across."""
    return [[f"{effect:g}", *cells] for effect, cells in found.across(column)]
