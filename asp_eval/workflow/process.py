"""``asp-eval process``: what happened in the institutions, computed and written down."""

from __future__ import annotations

from asp_eval.analysis.process.evaluating import process_results
from asp_eval.analysis.process.results import ProcessResults
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.store.ledger import ProcessBody
from asp_eval.store.result_files import as_json, save
from asp_eval.store.sealed_files import sealed_files
from asp_eval.workflow.study_folder import PROCESS, AnyStudy, current_plan

__all__ = ["ProcessResults", "as_json", "process"]


def process(study: AnyStudy, *, progress: Progress = unheard, cancel: Cancel = never) -> ProcessResults:
    """Evaluate the process from interviews, log, staff and staff questionnaires, and write ``output/process.json``.

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
    results = process_results(plan)
    step(Phrase("writing"), 0.9)
    state = results.state
    with sealed_files(plan, state, lambda files: ProcessBody(state=state, files=files), scope="process") as new:
        save(new.path(PROCESS), results)
    return results
