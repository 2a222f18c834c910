"""``asp-eval process``: what happened in the institutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asp_eval.cli.app import HERE, AsJson, StudyFolder, verb
from asp_eval.cli.console import progress, say
from asp_eval.core.phrases import Phrase

if TYPE_CHECKING:
    from asp_eval.workflow.process import ProcessResults


@verb()
def process(study: StudyFolder = HERE, as_json: AsJson = False) -> None:
    """Evaluate the process: interviews, what was delivered, staff.

    Writes output/process.json, which the report has a chapter of; and beside it
    open-codes.csv and institution-types.csv, for the coders, and gap-discussed.csv.

    Example: asp-eval process
    """
    from asp_eval.workflow.open_study import open_study
    from asp_eval.workflow.process import as_json as as_text
    from asp_eval.workflow.process import process as evaluate

    with progress("process") as step:
        results = evaluate(open_study(study), progress=step)
    if as_json:
        print(as_text(results))
    else:
        show(results)


def show(results: ProcessResults) -> None:
    """Print what was found of each kind, and what coders still have to decide."""
    for found in results.frames:
        interviews = sum(count.interviewed for count in found.interviews)
        say(Phrase("{frame}: {n} interviews, {coders} coders.", frame=found.frame.id, n=interviews, coders=found.coders))
        if found.open_codes:
            say(Phrase("Codes on which coders differ and nobody has decided: {n}.", n=found.open_codes))
    if results.goals:
        whole = [each for each in results.goals if not each.type]
        told = {"n": sum(each.goals for each in whole), "institutions": sum(each.institutions.n for each in whole)}
        say(Phrase("Goals: {n}, set by {institutions} institutions.", **told))
    events = sum(dose.events for dose in results.doses)
    say(
        Phrase(
            "Events of the programme: {n}. Scales of staff questionnaires: {scales}.", n=events, scales=len(results.staff_scales)
        )
    )
