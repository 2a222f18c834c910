"""``asp-eval analyse``: the planned models, fitted and written down."""

from __future__ import annotations

from itertools import count
from typing import Any

from asp_eval.analysis.outcomes import analyse as planned_analysis
from asp_eval.analysis.result_records import result_records
from asp_eval.analysis.results import Results, tidy
from asp_eval.core.csv_text import write_csv
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.store.ledger import ResultsBody
from asp_eval.store.plan_locks import record_changed_plan
from asp_eval.store.result_files import as_json, json_schema, save
from asp_eval.store.sealed_files import sealed_files
from asp_eval.workflow.study_folder import RECORDS, RESULTS, TIDY, AnyStudy, current_plan

__all__ = ["Results", "analyse", "as_json"]

BESIDE_OUTCOMES = 3  # the flow, the baseline table and the reliabilities are steps of their own


def analyse(study: AnyStudy, *, progress: Progress = unheard, cancel: Cancel = never) -> Results:
    """Analyse a study as its plan declares, and write ``output/results.json``, ``results.csv`` and ``results.ard.csv``.

    Parameters
    ----------
    study : Study or StudyFolder
        With imported, scored data in its folder.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Returns
    -------
    Results
        Everything the evaluation report shows. A model that cannot be fitted is in it with its reason.

    Raises
    ------
    Refusal
        STU-040 if study.yaml was changed after the study was loaded; if no lot is drawn, no child is in the cohort, an
        outcome's source has no values at all, or no child is left to analyse in any outcome (ANA-017); nothing is then written.
    DataProblems
        What `check` says against the declaration, and against the direction of stored answers (KEY-001 to KEY-007).
    """
    plan = current_plan(study)
    step, steps, done = stoppable(progress, cancel), len(plan.outcomes) + BESIDE_OUTCOMES, count()
    record_changed_plan(plan)
    results = planned_analysis(plan, lambda name: step(name, next(done) / steps))
    step("", 1)
    with sealed_files(plan, results.state, lambda files: ResultsBody(state=results.state, files=files)) as new:
        save(new.path(RESULTS), results)
        write_csv(new.path(TIDY), tidy(results))
        write_csv(new.path(RECORDS), result_records(results))
    return results


def results_schema() -> dict[str, Any]:
    """Return the JSON Schema of ``results.json``, as it is published in ``data_schema/results.schema.json``."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **json_schema(Results)}
