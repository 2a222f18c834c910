"""``asp-eval score``: every imported answer, scored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import print_json, print_table, progress, say
from asp_eval.core.phrases import Phrase

if TYPE_CHECKING:
    from asp_eval.workflow.score import Scored


@verb()
def score(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Score every imported answer.

    Example: asp-eval score
    """
    from asp_eval.workflow.open_study import open_study
    from asp_eval.workflow.score import score_study

    with progress("score") as step:
        scored = score_study(open_study(study), progress=step)
    if as_json:
        print_json(scored.counts.to_dict("records"))
    else:
        show(scored)


def show(scored: Scored) -> None:
    """Print how many scores there are of each instrument and wave."""
    if scored.counts.empty:
        say(Phrase("The study declares no instruments; its outcomes are imported columns, and there is nothing to score."))
        return
    header = [Phrase("instrument"), Phrase("wave"), Phrase("units"), Phrase("scores"), Phrase("prorated"), Phrase("missing")]
    print_table(header, [[str(cell) for cell in row] for row in scored.counts.itertuples(index=False)])
    for note in scored.notes:
        say(note)
