"""``asp-eval randomise``: the draw of the lot."""

from __future__ import annotations

from asp_eval.cli.app import HERE, AsJson, Seed, StudyFolder, app
from asp_eval.cli.console import print_json, print_table, say
from asp_eval.core.errors import Fault

DRAWN = Fault(
    "CLI-003", "the lot was drawn before, with seed {seed}",
    "It is drawn once: go on with output/allocation.csv. If that draw was a mere trial, move study.duckdb away and begin again.",
)  # fmt: skip


@app.command()
def randomise(seed: Seed, study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Draw the lot for the imported institutions, once.

    The draw is written to the allocation ledger and to output/allocation.csv.

    Example: asp-eval randomise --seed 2006
    """
    from asp_eval.trial.randomisation.conduct import randomise as draw
    from asp_eval.trial.store import table, write_allocation
    from asp_eval.trial.study.protocol import load_study

    declared = load_study(study)
    for before in sorted(set(table(declared, "allocation")["seed"].dropna()) - {str(seed)}):
        DRAWN.refuse("allocation", seed=before)
    allocation = draw(declared, table(declared, "institutions"), seed=seed)
    write_allocation(declared, allocation.frame())
    if as_json:
        print_json(allocation.frame().to_dict("records"))
        return
    counts = allocation.counts()
    strata = "stratum" if declared.strata else ""
    say(f"{len(allocation.frame())} institutions drawn with seed {seed}; the draw is in output/allocation.csv.")
    print_table([strata, *counts.columns], [[str(i), *map(str, row)] for i, row in counts.iterrows()])
