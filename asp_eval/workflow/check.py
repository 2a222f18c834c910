"""``asp-eval check``: is the declaration whole, what has been imported, and what comes next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd

from asp_eval.analysis.plan_problems import plan_problems, unknown_instruments
from asp_eval.analysis.wave_directions import stored_directions
from asp_eval.core.errors import AspError, Fault, Place, Problem
from asp_eval.core.phrases import Phrase, some_of
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.store import table
from asp_eval.store.audit import Audit, audit
from asp_eval.store.labels import label_drift
from asp_eval.store.ledger.bodies import UNREADABLE
from asp_eval.store.parts import rows_by_part, unanswered_in_parts
from asp_eval.store.provenance import printed_head, verified_tables
from asp_eval.store.quarantine import outstanding
from asp_eval.store.wave_changes import changes
from asp_eval.trial.outcomes import ColumnSource, source_of
from asp_eval.trial.randomisation.closed import still_open
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.far_values import far_in_table
from asp_eval.trial.tables.schema import BY_WAVE, LISTS, at_wave, table_schema
from asp_eval.workflow.late_baselines import late_baselines
from asp_eval.workflow.stored_results import current_profiles, current_results
from asp_eval.workflow.study_folder import AnyStudy, plan_of

__all__ = ["Audit", "StudyCheck", "check_ledger", "check_study"]

NO_DATA = Fault(
    "ANA-013",
    "{n} of {total} drawn institutions have no data at this wave: {ids}",
    "Import their answers if they exist.",
    "warning",
)
ARM_MISSING = Fault(
    "ANA-014",
    "no institution of the arm {arm!r} has data at this wave",
    "Import that arm's file; until then no effect on what is measured at this wave can be estimated.",
    "warning",
)
UNDRAWN = Fault(
    "ANA-015",
    "institutions without an arm: {n} ({ids})",
    "Draw them with 'asp-eval randomise', or import their allocation; an institution that is not drawn is counted as such.",
    "warning",
)
TWO_VALUES = Fault(
    "ANA-061",
    "the outcome is declared continuous, but holds two values only: {values}",
    "Declare it with 'scale: binary', so that shares are compared and not points.",
    "warning",
)
ONE_GROUP = Fault(
    "ANA-067",
    "effects are to be compared between the groups of {column!r}, and all that are stored are of one: {value}",
    "Leave the column out of 'subgroups' and 'varying', or import the other groups.",
    "warning",
)
LATE_BASELINE = Fault(
    "ANA-064",
    "the baseline of {outcome!r} was measured from {start} on, after the lot of {drawn}: what an arm does can already be in it",
    "Ask whether who rated the children knew the arm; 'asp-eval plan lock' takes no such plan.",
    "warning",
)
MOST_NAMED = 8
CURE = Phrase("Next: cure what is listed above, then check again.")


@dataclass(frozen=True, slots=True)
class StudyCheck:
    """What `check_study` found.

    Attributes
    ----------
    tables : tuple of (table, wave, rows, institutions)
    problems : tuple of Problem
    next_step : str
    """

    tables: tuple[tuple[str, str, str, str], ...]
    problems: tuple[Problem, ...]
    next_step: str

    @property
    def errors(self) -> int:
        """Number of problems that stop the work."""
        return sum(problem.is_error for problem in self.problems)

    def as_dict(self) -> dict[str, Any]:
        """Return the check as plain values."""
        names = ("table", "wave", "rows", "institutions")
        return {
            "tables": [dict(zip(names, row, strict=True)) for row in self.tables],
            "problems": [problem.as_dict() for problem in self.problems],
            "next_step": self.next_step,
        }


def check_study(study: AnyStudy, *, progress: Progress = unheard, cancel: Cancel = never) -> StudyCheck:
    """Check the declaration against the instruments, and the imported tables against the declaration.

    Parameters
    ----------
    study : Study or StudyFolder
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    Refusal
        STO-040 for every table that is not what was stored.
    """
    step, study = stoppable(progress, cancel), plan_of(study)
    step(Phrase("declaration"), 0)
    if unknown := unknown_instruments(study):
        return StudyCheck((), unknown, CURE)
    with verified_tables(study):
        return _check_stored(study, step)


def _check_stored(study: Study, step: Progress) -> StudyCheck:
    """Check what is stored, all of one moment."""
    problems = [*plan_problems(study)]
    step(Phrase("tables"), 0.3)
    institutions, allocation, visits = (table(study, name) for name in ("institutions", "allocation", "screening"))
    tables = [("institutions", "", str(len(institutions)), str(len(institutions)))]
    tables += [("allocation", "", str(len(allocation)), str(allocation["institution_id"].nunique()))]
    if len(allocation):
        problems += _undrawn(still_open(institutions, date.today()), allocation)
    for name in BY_WAVE:
        waves = study.collected_waves(name)
        rows = table(study, name) if waves else institutions
        for wave in waves:
            now = rows[rows["wave"].astype(str) == wave]
            tables.append((name, wave, str(len(now)), str(now["institution_id"].nunique())))
            if parts := rows_by_part(study, name, wave):
                for part, n, there in parts:
                    tables.append((Phrase("{table}, part {part}", table=name, part=part), wave, str(n), str(there)))
                problems += unanswered_in_parts(study, name, wave)
            if len(now) and len(allocation):
                problems += _absent(study, allocation, now, at_wave(name, wave))
            problems += far_in_table(at_wave(name, wave), now, table_schema(name, study, wave))
    problems += [*outstanding(study), *changes(study)]
    problems += label_drift(study)
    problems += stored_directions(study)
    problems += [*_two_values(study, visits), *late_baselines(study, LATE_BASELINE)]
    problems += _one_group(study, (table(study, "children"), institutions, visits))
    for name in LISTS:
        if len(rows := table(study, name)):
            tables.append((name, "", str(len(rows)), str(rows["institution_id"].nunique())))
    step(Phrase("analysis"), 0.6)
    if not any(problem.is_error for problem in problems) and _is_complete(study, allocation, visits):
        problems += _analysis_problems(study)
    return StudyCheck(tuple(tables), tuple(problems), _next_step(study, institutions, allocation, visits, problems))


def check_ledger(
    study: AnyStudy,
    head: str | None = None,
    *,
    deep: bool = False,
    progress: Progress = unheard,
    cancel: Cancel = never,
) -> Audit:
    """Check that the ledger is as it was written, and knows the heads that were printed.

    Parameters
    ----------
    study : Study or StudyFolder
    head : str, optional
        A head from a printed report, or its first digits. The one in ``output/manifest.json`` is compared in any case.
    deep : bool
        Make the tables again from ``data/`` too, and compare cell by cell; `asp_eval.workflow.rebuilding`.
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    Refusal
        STO-025 for what cannot be a head.
    """
    study = plan_of(study)
    stoppable(progress, cancel)(Phrase("ledger"), 0)
    printed = {"output/manifest.json": printed_head(study), "--head": head or ""}
    found = audit(study, {source: digits for source, digits in printed.items() if digits})
    if not deep or UNREADABLE.code in {problem.code for problem in found.problems}:
        return found
    from asp_eval.workflow.rebuilding import rebuilt_differences  # what imports and scores is loaded where it is asked for

    made = rebuilt_differences(study, progress=progress, cancel=cancel)
    return replace(found, problems=(*found.problems, *made.problems), rebuilt=made.is_whole, not_compared=made.not_compared)


def _is_complete(study: Study, allocation: pd.DataFrame, visits: pd.DataFrame) -> bool:
    """Return whether a lot is drawn, every wave that is screened is in, and what is to be scored is."""
    seen = set(visits["wave"].astype(str))
    return len(allocation) > 0 and set(study.collected_waves("screening")) <= seen and not _is_unscored(study)


def _is_unscored(study: Study) -> bool:
    return any(map(study.collected_instruments, BY_WAVE)) and table(study, "scores").empty


def _analysis_problems(study: Study) -> Sequence[Problem]:
    """Return what the analysis would refuse."""
    from asp_eval.analysis.outcomes import refuse_unready  # loaded where a study is complete: it takes its time

    try:
        return refuse_unready(study)
    except AspError as refused:
        return refused.problems


def _two_values(study: Study, visits: pd.DataFrame) -> Iterator[Problem]:
    """Yield the outcomes that are declared continuous and hold two values."""
    for outcome in study.outcomes:
        if not outcome.is_continuous:
            continue
        source = source_of(outcome, study.library)
        if isinstance(source, ColumnSource):
            values = visits[source.column] if source.column in visits.columns else visits.iloc[:0, 0]
        else:
            forms = [form.id for form in source.forms]
            values = table(study, "scores", {"instrument": forms, "scale": [source.scale]})["score"]
        distinct = sorted(set(pd.to_numeric(values, errors="coerce").dropna()))
        if len(distinct) == 2:
            place = Place("study.yaml", column=f"outcomes.{outcome.id}")
            yield TWO_VALUES.at(place, values=f"{distinct[0]:g}, {distinct[1]:g}")


def _one_group(study: Study, tables: Sequence[pd.DataFrame]) -> Iterator[Problem]:
    """Yield the columns between whose groups effects are to be compared, and that hold one group."""
    for name in dict.fromkeys([*(one.by for one in study.analysis.subgroups), *study.analysis.varying]):
        values = next((set(rows[name].dropna().astype(str)) for rows in tables if name in rows.columns), set())
        if len(values) == 1:
            yield ONE_GROUP.at(Place("study.yaml", column=f"analysis.{name}"), column=name, value=next(iter(values)))


def _undrawn(institutions: pd.DataFrame, allocation: pd.DataFrame) -> Iterator[Problem]:
    left = sorted(set(institutions["institution_id"]) - set(allocation["institution_id"]))
    if left:
        yield UNDRAWN.at("allocation", n=len(left), ids=_named(left))


def _absent(study: Study, allocation: pd.DataFrame, rows: pd.DataFrame, place: str) -> Iterator[Problem]:
    """Yield the drawn institutions, and the whole arms, that have no data at a wave."""
    there = set(rows["institution_id"])
    absent = sorted(set(allocation["institution_id"]) - there)
    if absent:
        yield NO_DATA.at(place, n=len(absent), total=len(allocation), ids=_named(absent))
    for arm in study.arms:
        if not there & set(allocation.loc[allocation["arm"] == arm, "institution_id"]):
            yield ARM_MISSING.at(place, arm=arm)


def _named(ids: list[str]) -> str:
    return some_of(ids, MOST_NAMED)


def _next_step(
    study: Study, institutions: pd.DataFrame, allocation: pd.DataFrame, visits: pd.DataFrame, problems: list[Problem]
) -> str:
    """Say the one thing to do next."""
    if any(problem.is_error for problem in problems):
        return CURE
    if institutions.empty:
        return Phrase("Next: {command}", command="asp-eval import FILE --table institutions")
    if allocation.empty:
        elsewhere = study.randomisation.drawn_elsewhere
        command = "asp-eval import FILE --table allocation" if elsewhere else "asp-eval randomise --seed N"
        return Phrase("Next: {command}", command=command)
    missing = [wave for wave in study.collected_waves("screening") if not (visits["wave"] == wave).any()]
    if missing:
        return Phrase("Next: {command}", command=f"asp-eval import FILE --table screening --wave {missing[0]}")
    return Phrase("Next: {command}", command=f"asp-eval {_verb_due(study)}")


def _verb_due(study: Study) -> str:
    """Return the verb whose result is missing or older than the data."""
    if _is_unscored(study):
        return "score"
    due: list[tuple[str, Callable[[Study], object]]] = [("analyse", current_results)]
    if study.gap:
        due.append(("gap", current_profiles))
    for verb, current in due:
        try:
            current(study)
        except AspError:
            return verb
    return "report"
