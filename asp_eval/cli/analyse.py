"""``asp-eval analyse``: the planned models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import print_table, progress, say
from asp_eval.cli.language import language
from asp_eval.core.phrases import Phrase

if TYPE_CHECKING:
    from asp_eval.workflow.analyse import Results


@verb()
def analyse(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Fit the planned models.

    Writes output/results.json and output/results.csv.

    Example: asp-eval analyse
    """
    from asp_eval.workflow.analyse import analyse as run
    from asp_eval.workflow.analyse import as_json as as_text
    from asp_eval.workflow.open_study import open_study

    with progress("analyse") as step:
        results = run(open_study(study), progress=step)
    if as_json:
        print(as_text(results))
    else:
        show(results)
    if not all(outcome.n_children for outcome in results.outcomes):  # its reason stands among the notes
        raise typer.Exit(1)


def show(results: Results) -> None:
    """Print the effect on every outcome, and what must be known of it."""
    from asp_eval.workflow.result_tables import result_rows

    header = (
        Phrase("outcome"),
        Phrase("at"),
        Phrase("estimate"),
        Phrase("interval"),
        "p",
        "df",
        "ICC",
        Phrase("children"),
    )
    print_table(header, result_rows(results, language()))
    for wave, rows in results.provenance.quarantined.items():
        say(
            Phrase(
                "{wave}: rows of the screening in quarantine, and so not in these numbers: {n}; 'asp-eval check' says more.",
                wave=wave,
                n=rows,
            )
        )
    for outcome in results.outcomes:
        for note in outcome.notes:
            say(Phrase("{what}: {note}", what=outcome.outcome, note=note))
