"""Which items of a checklist a report answers because the study says so, or because its data hold it."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.results import Results
from asp_eval.reporting.setting import Setting

PLACE = "municipality"  # the stratum that is a place; others, such as size, do not say where the trial was


def answered(results: Results, setting: Setting) -> tuple[str, ...]:
    """Return what is answered: keys of ``report``, of ``programme`` as ``programme.who``, and what of the trial is known.

    Of the trial these are ``where`` (institutions by municipality), ``dates`` (the first and the last), ``rounds`` (the dates of
    each), ``ratio`` (of the arms), ``planned.institutions``, ``planned.children`` and ``planned.icc``, ``locked`` and
    ``unchanged`` (the plan), ``raters`` (staff, who know the arm), ``dose`` and ``projects`` (what the institutions had of the
    intervention, and beside it), ``flow.received`` (which of them received it).
    """
    told = (f"programme.{key}" for key, value in setting.study.programme if value)
    return (*setting.study.report.filled, *told, *_known(results, setting))


def _known(results: Results, setting: Setting) -> Iterator[str]:
    study, found, plan, lock = setting.study, results.integrity, setting.study.power, results.provenance.plan_lock
    placed = (row for row in results.baseline if row.unit == "institution" and row.variable == PLACE and row.level)
    holds = {
        "where": PLACE in study.strata and any(placed),
        "dates": any(wave.start or wave.end for wave in study.waves),
        "rounds": all(wave.start and wave.end for wave in study.waves),
        "ratio": bool(study.randomisation.ratio),
        "planned.institutions": plan.institutions is not None,
        "planned.children": plan.children is not None,
        "planned.icc": bool(plan.icc),
        "locked": lock is not None,
        "unchanged": lock is not None and not lock.changes,
        "raters": setting.rated_by_staff,
        "dose": found is not None and bool(found.dose),
        "flow.received": any(arm.received is not None for arm in results.flow.arms),
        "projects": found is not None and found.contamination.projects is not None,
    }
    return (key for key, so in holds.items() if so)
