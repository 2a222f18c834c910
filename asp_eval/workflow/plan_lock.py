"""``asp-eval plan``: lock the plan in the ledger, show the lock, and list what has been changed since."""

from __future__ import annotations

from asp_eval.analysis.plan_problems import plan_problems
from asp_eval.core.errors import DataProblems, Fault
from asp_eval.store import Store
from asp_eval.store.ledger import PlanBody
from asp_eval.store.plan_locks import NOT_LOCKED, plan_lock, plan_now, record_plan, refuse_locked
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.plan_fields import PlanLock
from asp_eval.workflow.late_baselines import late_baselines
from asp_eval.workflow.study_folder import AnyStudy, current_plan, plan_of

__all__ = ["PlanLock", "lock_plan", "locked_plan"]

BASELINE_AFTER_LOT = Fault(
    "STU-052",
    "the baseline of {outcome!r} was measured from {start} on, after the lot of {drawn}: what an arm does can already be in it",
    "Take a baseline from before the lot, or leave 'baseline' out.",
)


def lock_plan(study: AnyStudy) -> PlanLock:
    """Lock a study's plan: what decides its numbers is sealed in the ledger, with what data were stored then.

    Parameters
    ----------
    study : Study or StudyFolder

    Returns
    -------
    PlanLock

    Raises
    ------
    Refusal
        STU-050 if it is locked already.
    DataProblems
        Everything that 'asp-eval check' says against the declaration; STU-052 for a baseline from after the lot.
    """
    plan = current_plan(study)
    with Store.of(plan).reading():  # a refusal makes no database
        _fit_to_lock(plan)
    record_plan(plan, lambda: _fit_to_lock(plan))
    return locked_plan(plan)


def _fit_to_lock(plan: Study) -> PlanBody:
    """Return the plan as it is; refuse one that is locked, at fault, or with a baseline from after the lot."""
    refuse_locked(plan)
    problems = [problem for problem in plan_problems(plan) if problem.is_error]
    problems += late_baselines(plan, BASELINE_AFTER_LOT)
    if problems:
        raise DataProblems(problems)
    return plan_now(plan)


def locked_plan(study: AnyStudy) -> PlanLock:
    """Return the lock of a study's plan, with every difference since.

    Raises
    ------
    Refusal
        STU-051 if it is not locked; STU-053 if the locked plan cannot be compared.
    """
    plan = plan_of(study)
    with Store.of(plan).reading():
        found = plan_lock(plan)
    return NOT_LOCKED.refuse("study.yaml") if found is None else found
