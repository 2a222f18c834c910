"""Which items of a checklist a report answers because the study says so, or because its data hold it."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.results import Results
from asp_eval.reporting.setting import Setting


def answered(results: Results, setting: Setting) -> tuple[str, ...]:
    """Return what is answered: keys of ``report``, of ``programme`` as ``programme.who``, and what of the trial is known.

    Of the trial these are ``where`` (institutions by stratum), ``dates`` (of the rounds), ``planned`` (its size), ``received``
    and ``projects`` (what the institutions had of the intervention, and beside it).
    """
    told = (f"programme.{key}" for key, value in setting.study.programme if value)
    return (*setting.study.report.filled, *told, *_known(results, setting))


def _known(results: Results, setting: Setting) -> Iterator[str]:
    study, found, plan = setting.study, results.integrity, setting.study.power
    if any(row.unit == "institution" and row.variable in study.strata and row.level for row in results.baseline):
        yield "where"
    if any(wave.start or wave.end for wave in study.waves):
        yield "dates"
    if plan.institutions is not None or plan.children is not None:
        yield "planned"
    if (found is not None and found.dose) or any(arm.received is not None for arm in results.flow.arms):
        yield "received"
    if found is not None and found.contamination.projects is not None:
        yield "projects"
