"""``asp-eval process``: what happened in the institutions, computed and written down."""

from __future__ import annotations

from collections.abc import Mapping

from asp_eval.analysis.process.evaluating import lists_by_institution, process_results
from asp_eval.analysis.process.results import ProcessResults
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.store import write_for_people
from asp_eval.store.ledger import ProcessBody
from asp_eval.store.result_files import as_json, save
from asp_eval.store.sealed_files import sealed_files
from asp_eval.workflow.study_folder import PROCESS, AnyStudy, current_plan

__all__ = ["ProcessResults", "as_json", "process"]


def process(study: AnyStudy, *, progress: Progress = unheard, cancel: Cancel = never) -> ProcessResults:
    """Evaluate the process from interviews, log, staff and staff questionnaires, and write ``output/process.json``.

    Beside it ``open-codes.csv`` lists the codes that coders still have to decide, ``institution-types.csv`` the type of every
    interview, by coders or rule, and ``gap-discussed.csv`` when each institution first discussed its GAP-profile; they are for
    people to work with, and hold ids.

    Parameters
    ----------
    study : Study or StudyFolder
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    Refusal
        STU-040 if study.yaml was changed after the study was loaded; PRO-001 if there is nothing to tell; STO-040 if a table is
        not what was stored; STO-047 if the data were changed meanwhile.
    """
    plan = current_plan(study)
    step = stoppable(progress, cancel)
    step(Phrase("interviews"), 0)
    results, lists = process_results(plan), lists_by_institution(plan)
    step(Phrase("writing"), 0.9)
    state = results.state

    def entry(files: Mapping[str, str]) -> ProcessBody:
        return ProcessBody(state=state, files={PROCESS: files[PROCESS]})

    with sealed_files(plan, state, entry, scope="process") as new:
        save(new.path(PROCESS), results)
        write_for_people(new, lists)
        new.remove(*(f"{name}.csv" for name, rows in lists.items() if rows.empty))
    return results
