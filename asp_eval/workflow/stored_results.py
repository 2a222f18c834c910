"""The results and the profiles that are in a study's ``output``, if they are of the data and the study.yaml that stand now."""

from __future__ import annotations

from asp_eval.analysis.childless import refuse_childless
from asp_eval.analysis.gap_results import GapResults
from asp_eval.analysis.process.results import ProcessResults
from asp_eval.analysis.profiles import refuse_without_gaps
from asp_eval.analysis.results import Results
from asp_eval.core.errors import Fault
from asp_eval.store import Store
from asp_eval.store.ledger import GapBody, ProcessBody, ResultsBody
from asp_eval.store.provenance import refuse_stale
from asp_eval.store.result_files import load
from asp_eval.store.sealed_files import refuse_unsealed
from asp_eval.workflow.study_folder import (
    PROCESS,
    PROFILES,
    RESULTS,
    AnyStudy,
    plan_of,
    process_file,
    profiles_file,
    results_file,
)

STALE_PROCESS = Fault(
    "PRO-002",
    "the process evaluation is older than the data, the coding frames, study.yaml or this version of asp-eval",
    "Give 'asp-eval process' again, then the report.",
)


def current_results(study: AnyStudy) -> Results:
    """Return the results that `analyse` wrote.

    Raises
    ------
    DataProblems
        ANA-001 if there are none, ANA-002 if the file is damaged.
    Refusal
        ANA-006 if they are older than the data or study.yaml; STO-048 if the file is not the one that was written; ANA-017 if
        they are of no child.
    """
    plan = plan_of(study)
    with Store.of(plan).reading():
        results = load(results_file(plan), Results, verb="analyse")
        refuse_stale(plan, results.state, "output")
        refuse_unsealed(plan, RESULTS, ResultsBody)
    refuse_childless(outcome.analysed for outcome in results.outcomes)
    return results


def current_profiles(study: AnyStudy) -> GapResults:
    """Return the profiles that `gap_profiles` wrote; refuses as `current_results`, and CLI-004 if there is none."""
    plan = plan_of(study)
    with Store.of(plan).reading():
        results = load(profiles_file(plan), GapResults, verb="gap")
        refuse_stale(plan, results.state, "output")
        refuse_unsealed(plan, PROFILES, GapBody)
    refuse_without_gaps(results)
    return results


def current_process(study: AnyStudy) -> ProcessResults | None:
    """Return the process evaluation that `process` wrote, None if none was made; refuses as `current_results`."""
    plan = plan_of(study)
    if not process_file(plan).is_file():
        return None
    with Store.of(plan).reading():
        results = load(process_file(plan), ProcessResults, verb="process")
        refuse_stale(plan, results.state, PROCESS, STALE_PROCESS, "process")
        refuse_unsealed(plan, PROCESS, ProcessBody)
    return results
