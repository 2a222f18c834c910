"""What is wrong with a declaration by itself, whatever is imported: one judgement for every door that computes from a plan."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.core.errors import AspError, DataProblems, Fault, Place, Problem
from asp_eval.core.filters import parse_filter
from asp_eval.core.phrases import Phrase
from asp_eval.store import table_columns
from asp_eval.store.instrument_changes import changed_instruments
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.outcomes import ColumnSource, band_order, declared_forms, source_of
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome
from asp_eval.trial.tables.schema import BY_WAVE

NOT_COLLECTED = Fault(
    "ANA-010", "{what} is not collected at wave {wave}", "Add the instrument to 'collect' for that wave, or correct the name."
)
NO_SUCH_SCALE = Fault("ANA-011", "the instrument {instrument} has no scale {scale!r}", "Use one of: {known}.")
NOT_DECLARED = Fault("ANA-012", "the column {column!r} is not declared", "Declare it with its type under 'columns: screening:'.")
UNKNOWN_COLUMN = Fault(
    "ANA-016", "the column {name!r} is in none of the tables", "Correct the name, or declare the column under 'columns'."
)
OTHER_METHOD = Fault(
    "ANA-063",
    "the headline averages over {average}, and is tested by the jackknife of institutions; 'method: {method}' is that of the "
    "mixed model beside it",
    "Leave 'method' out if that is meant, or declare 'average: precision' to have the mixed model as headline.",
    "warning",
)
NO_SUCH_BAND = Fault("ANA-062", "the outcome's scale has no band {band!r}", "Use one of: {known}.")
NO_BANDS = Fault(
    "ANA-068", "the outcome is declared in bands, and its scale has none in a band set used by default", "Use 'cut' instead."
)


def plan_problems(study: Study) -> tuple[Problem, ...]:
    """Return what is wrong with a declaration by itself, whatever is imported; warnings among it."""
    return unknown_instruments(study) or (*changed_instruments(study), *_declaration_problems(study))


def refuse_faulty_plan(study: Study) -> None:
    """Refuse a declaration that cannot be followed.

    Raises
    ------
    DataProblems
        Every error of `plan_problems`.
    """
    if errors := [problem for problem in plan_problems(study) if problem.is_error]:
        raise DataProblems(errors)


def unknown_instruments(study: Study) -> tuple[Problem, ...]:
    """Return the instruments that are collected and not known: where there are any, nothing else of the plan can be judged."""
    found: list[Problem] = []
    for name in BY_WAVE:
        try:
            declared_forms(study, name)
        except AspError as error:
            place = Place("study.yaml", column=f"collect.{name}")
            found += [p.fault.at(place, found=p.found, **p.details) for p in error.problems]
    return tuple(found)


def _declaration_problems(study: Study) -> Iterator[Problem]:
    for outcome in study.outcomes:
        yield from _outcome_problems(study, outcome)
    yield from _column_problems(study)
    if study.estimand.average != "precision" and "method" in study.analysis.model_fields_set:
        place, over = Place("study.yaml", column="estimand.average"), study.estimand.average
        whom = Phrase("participants") if over == "participant" else Phrase("institutions")
        yield OTHER_METHOD.at(place, average=whom, method=study.analysis.method)
    if study.gap:
        rounds = [wave for wave in (study.gap.wave, study.gap.follow_up) if wave is not None]
        for source, name in ((study.gap.staff, "staff_survey"), (study.gap.child, "screening")):
            for wave in rounds:
                if not _collected(study, name, source, wave):
                    yield NOT_COLLECTED.at(Place("study.yaml", column="gap"), what=source, wave=wave)


def _column_problems(study: Study) -> Iterator[Problem]:
    """Columns that the plan names and no table can have."""
    known = {"arm", "age", *(name for kind in ("children", "institutions", "screening") for name in table_columns(study, kind))}
    named = [("strata", name) for name in study.strata] + [("analysis.covariates", name) for name in study.analysis.covariates]
    for key, rule in study.sets.items():
        try:
            named += [(f"sets.{key}.filter", name) for name in parse_filter(rule.filter).columns]
        except AspError as error:
            yield from error.problems
    if study.gap is not None and study.gap.discussed is not None:
        place = Place("study.yaml", column="gap.discussed")
        try:
            events = parse_filter(study.gap.discussed).columns
        except AspError as error:
            yield from error.problems
        else:
            there = table_columns(study, "implementation")
            yield from (UNKNOWN_COLUMN.at(place, name=name) for name in events if name not in there)
    for field, name in named:
        if name not in known:
            yield UNKNOWN_COLUMN.at(Place("study.yaml", column=field), name=name)


def _outcome_problems(study: Study, outcome: Outcome) -> Iterator[Problem]:
    place = Place("study.yaml", column=f"outcomes.{outcome.id}")
    source = source_of(outcome, study.library)
    if isinstance(source, ColumnSource):
        if source.column not in study.columns.get("screening", {}):
            yield NOT_DECLARED.at(place, column=source.column)
        return
    for wave in filter(None, (outcome.at, outcome.baseline)):
        forms = _collected(study, "screening", source.name, wave)
        if not forms:
            yield NOT_COLLECTED.at(place, what=source.name, wave=wave)
        for form in forms:
            if source.scale not in form.scale_keys:
                yield NO_SUCH_SCALE.at(place, instrument=form.id, scale=source.scale, known=", ".join(form.scale_keys))
    if outcome.in_bands:
        known = band_order(outcome, study.library)
        if not known:
            yield NO_BANDS.at(place)
        elif outcome.above not in (None, *known):
            yield NO_SUCH_BAND.at(place, band=outcome.above, known=", ".join(known))


def _collected(study: Study, name: str, source: str, wave: str) -> list[Instrument]:
    """Return the forms of an instrument or family that a table collects at a wave."""
    declared = {form.id for form in declared_forms(study, name, wave)}
    return [form for form in study.library.forms_named(source) if form.id in declared]
