"""The planned analysis: every outcome of the study, modelled as declared, with its recomputation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from asp_eval.analysis.allocations import arm_probabilities
from asp_eval.analysis.averages import NOT_KNOWN, average_effects, headline, size_notes
from asp_eval.analysis.balance import arm_summaries, baseline_table, means_of_institutions
from asp_eval.analysis.cautions import cautions, far_value_notes
from asp_eval.analysis.childless import childless, refuse_childless
from asp_eval.analysis.compliance import compliers
from asp_eval.analysis.data import StudyData, load_data
from asp_eval.analysis.declared_results import AllWaves, LotDistribution
from asp_eval.analysis.equivalence import equivalence
from asp_eval.analysis.formulas import arm_term, arm_terms, model_formula, unadjusted_formula
from asp_eval.analysis.institution_means import baseline_names
from asp_eval.analysis.integrity import Equivalence
from asp_eval.analysis.left_out import left_out_notes, refused_where_too_few
from asp_eval.analysis.levels import levels
from asp_eval.analysis.lot_distribution import lot_distributions
from asp_eval.analysis.missing_outcomes import missing_outcomes
from asp_eval.analysis.model_checks import beside_the_model
from asp_eval.analysis.models import planned_model
from asp_eval.analysis.multiplicity import Distribution, adjust, lot_statistics, outcomes_by_the_lot
from asp_eval.analysis.plan import planned_method
from asp_eval.analysis.psychometrics import form_switches, reliabilities, scale_answers
from asp_eval.analysis.rare_categories import rare_variables, without_rare
from asp_eval.analysis.rechecks import rechecked, with_adjusted_again
from asp_eval.analysis.results import NO_FAMILY, ArmEffect, BandsUsed, Estimated, OutcomeResult, Results
from asp_eval.analysis.sets import AnalysisSet, assemble
from asp_eval.analysis.subgroups import subgroups
from asp_eval.analysis.trial_integrity import integrity
from asp_eval.analysis.triangulation import Lot, lot_of, triangulate
from asp_eval.analysis.wave_directions import refuse_turned_answers
from asp_eval.analysis.waves import all_waves
from asp_eval.core.errors import AspError, Fault, Problem, Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.core.threads import one_blas_thread
from asp_eval.stats.estimate import Estimate, available
from asp_eval.stats.fitted import Fitted
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.stats.smallsample.method import Method
from asp_eval.store.draws import last_drawn_on
from asp_eval.store.provenance import one_moment, provenance_of
from asp_eval.trial.flow.attrition import OutcomeAttrition, trial_attrition
from asp_eval.trial.flow.cohort import baseline_wave
from asp_eval.trial.flow.consort import flow_counts
from asp_eval.trial.flow.counts import FlowCounts, conserve
from asp_eval.trial.flow.dose import receivers
from asp_eval.trial.instruments.library import Library
from asp_eval.trial.outcomes import band_names, default_bands, form_titles, informants, outcome_label
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome

NO_LOT = Fault("ANA-007", "no lot is drawn yet", "Draw it with 'asp-eval randomise', or import the allocation.")
NO_CHILDREN = Fault(
    "ANA-008", "no child has been imported yet", "Import the screening: 'asp-eval import FILE --table screening'."
)
NO_COHORT = Fault(
    "ANA-009",
    "no child is in the cohort: none of a drawn institution was there by wave {wave}, within the eligible ages",
    "Import that wave's screening, or correct 'eligibility' in study.yaml.",
)
OTHER_ROWS = Fault(
    "ANA-050",
    "the model of {outcome} was fitted on other children than the flow counts as analysed",
    "Report this: nothing may be printed until the model and the flow agree.",
)


@one_blas_thread
def analyse(study: Study, progress: Callable[[str], None] = lambda _: None) -> Results:
    """Analyse a study as its plan declares.

    Parameters
    ----------
    study : Study
        With imported, scored data in its folder.
    progress : callable, optional
        Called with the name of each part as it starts.

    Returns
    -------
    Results
        Everything the evaluation report shows. A model that cannot be fitted is in it with its reason.

    Raises
    ------
    Refusal
        If no lot is drawn, no child is in the cohort, an outcome's source has no values at all, or no child is left to
        analyse in any outcome (ANA-017).
    DataProblems
        What `check` says against the declaration; stored answers that do not go the way they are keyed (KEY-001 to KEY-007).
    """
    progress("flow")
    with one_moment(study):  # everything that is read; models are fitted without holding the data
        data = load_data(study)
        _refuse_nothing(data)
        refuse_turned_answers(study)
        method, answers, provenance = planned_method(study), scale_answers(study), provenance_of(study)
        by_lot = outcomes_by_the_lot(study)
        lot = lot_of(study, method) if study.analysis.triangulate or by_lot else None
        flow, probabilities = _flow(data), arm_probabilities(study)
    switches = form_switches(data)  # before the rows of every outcome stand beside the scores
    progress("baseline")
    baseline = baseline_table(data)
    outcomes, losses = [], []
    equivalences: list[Equivalence] = []
    statistics: dict[str, tuple[Distribution, ...]] = {}
    sets = [assemble(data, outcome.id) for outcome in study.outcomes]
    refuse_childless(rows.flow for rows in sets)
    for rows in sets:
        progress(rows.outcome.id)
        found = analyse_outcome(study, rows, method, lot, probabilities)
        found = _with_the_rest(rechecked(study, rows, found, probabilities), data, rows)
        outcomes.append(replace(found, missing=missing_outcomes(data, rows, method, answers)))
        if lot is not None and rows.outcome.id in by_lot:
            statistics[rows.outcome.id] = lot_statistics(study, rows, lot)
        losses.append(_attrition(data, rows, flow))
        equivalences += equivalence(study, rows)
    waves: tuple[AllWaves, ...] = ()
    if study.analysis.waves_model is not None:
        progress("all waves")
        waves = all_waves(data)
    held_together = integrity(data, tuple(equivalences))
    progress("reliability")
    everything = Results(
        study=study.without_folder(),
        provenance=provenance,
        informants=informants(study),
        flow=flow,
        baseline=baseline,
        outcomes=with_adjusted_again(study, adjust(study, outcomes, statistics)),
        reliabilities=reliabilities(study, answers, data.children, sets),
        switches=switches,
        attrition=tuple(losses),
        integrity=held_together,
        waves=waves,
        forms=form_titles(study),
    )
    names = [*baseline_names(data, data.cohort), *(group.by for group in study.analysis.subgroups)]
    return without_rare(everything, rare_variables(study, [data.cohort, *(rows.frame for rows in sets)], names))


def refuse_unready(study: Study) -> tuple[Problem, ...]:
    """Refuse what `analyse` would refuse, without fitting a model; return the outcomes that no child is left for.

    Raises
    ------
    Refusal, DataProblems
        As `analyse`.
    """
    data = load_data(study)
    _refuse_nothing(data)
    _flow(data)
    planned_method(study)
    sets = [assemble(data, outcome.id) for outcome in study.outcomes]
    scale_answers(study)
    form_switches(data)
    return refuse_childless(rows.flow for rows in sets)


def _flow(data: StudyData) -> FlowCounts:
    study = data.study
    received = receivers(study.received, data.implementation, data.allocation["institution_id"], data.goals)
    return flow_counts(
        study, data.children, data.visits, data.allocation, data.institutions, data.presence, received, last_drawn_on(study)
    )


def _refuse_nothing(data: StudyData) -> None:
    """Refuse what is no trial yet, in the words of the trial."""
    if data.allocation.empty:
        NO_LOT.refuse("allocation")
    if data.children.empty:
        NO_CHILDREN.refuse("children")
    if data.cohort.empty:
        NO_COHORT.refuse("children", found=f"{len(data.children)} children", wave=baseline_wave(data.study))


def analyse_outcome(
    study: Study,
    data: AnalysisSet,
    method: Method,
    lot: Lot | None = None,
    probabilities: pd.DataFrame | Unavailable = NOT_KNOWN,
) -> OutcomeResult:
    """Fit the planned model of one outcome; where it is refused, the result carries the reason.

    Parameters
    ----------
    study : Study
    data : AnalysisSet
    method : Method
        Of inference, as planned.
    lot : Allocations, Unavailable or None
        What the lot could have given, where the plan asks for other estimators beside the planned one, or adjusts by the lot.
    probabilities : DataFrame or Unavailable
        Of the arms by the lot: see `arm_probabilities`.

    Raises
    ------
    Refusal
        ANA-050 if the model did not use the children that the flow says were analysed.
    """
    if nobody := childless([data.flow]):
        return _without_model(study, data, nobody[0].text)
    model, level = planned_model(data.outcome), study.analysis.level
    own, method_note = model.method(method)
    try:
        planned = model.fit(model_formula(data), data.frame)
        unadjusted = model.fit(unadjusted_formula(study, data), data.frame)
        found = model.compare(planned, unadjusted, data, study.arms, own, level)
        found = replace(found, effects=refused_where_too_few(study, data, found.effects))
        by_model = {t: planned.contrast({t: 1.0}, method=model.other_terms(own), level=level) for t in planned.names}
    except AspError as refused:
        return _without_model(study, data, refused.reason)
    for fit in (planned, unadjusted):
        _refuse_other_rows(data, fit)
    averages = average_effects(study, data, found.effects, probabilities)

    def effect_size(difference: Estimate, arm: str) -> Estimated:
        return model.effect_size(difference, unadjusted, data, (study.arms[0], arm), level)

    icc = available(unadjusted.icc(level=level))
    differences = [e.difference for e in found.effects if isinstance(e.difference, Estimate)]
    return replace(
        _without_model(study, data, NO_NOTE),
        effects=headline(study, data, found.effects, averages, probabilities, effect_size),
        averages=averages,
        shares=found.shares,
        proportional_odds=found.proportional_odds,
        coefficients=tuple({**by_model, **{e.term: e for e in _of_the_arms(found.effects) if e.term in by_model}}.values()),
        icc=icc,
        icc_adjusted=available(planned.icc(level=level)),
        notes=(
            *left_out_notes(study, data),
            *size_notes(study, averages),
            *_fit_notes(data, planned, differences, icc),
            *([method_note] if method_note else []),
        ),
        recomputations=model.recompute(data, planned, arm_terms(study)),
        estimators=triangulate(study, data, planned, found.effects, lot)
        if study.analysis.triangulate and lot is not None
        else (),
        lot=_by_the_lot(study, data, planned, found.effects, lot, method),
    )


def _by_the_lot(
    study: Study, data: AnalysisSet, planned: Fitted, effects: tuple[ArmEffect, ...], lot: Lot | None, method: Method
) -> tuple[LotDistribution, ...]:
    """Return the distributions under the lot of a primary outcome, where the plan goes through the lot for it at all."""
    permuted = isinstance(method, Permutation) or study.analysis.triangulate or data.outcome.id in outcomes_by_the_lot(study)
    if data.outcome.role != "primary" or not permuted:
        return ()
    return lot_distributions(planned, effects, lot_of(study, method) if lot is None else lot)


def _of_the_arms(effects: Iterable[ArmEffect]) -> Iterator[Estimate]:
    """Yield the arms' coefficients; one that cannot be had as a row that says why."""
    for effect in effects:
        found = effect.difference
        yield found if isinstance(found, Estimate) else Estimate.unavailable(arm_term(effect.arm), found.reason)


def _with_the_rest(found: OutcomeResult, data: StudyData, rows: AnalysisSet) -> OutcomeResult:
    """Return an outcome with what the plan declares beside its model, and what stands beside the model of a measure."""
    beside = beside_the_model(data, rows)
    return replace(
        found,
        compliers=compliers(data, rows),
        subgroups=subgroups(data, rows),
        levels=levels(data, rows),
        means=beside.means,
        sizes=beside.sizes,
        checks=beside.checks,
        raters=beside.raters,
        realised=beside.realised,
    )


def _refuse_other_rows(data: AnalysisSet, fit: Fitted) -> None:
    """Refuse a model that was fitted on other children, or institutions, than the flow's last row counts."""
    children = sum(part.analysed for part in data.flow)
    institutions = sum(part.institutions_analysed for part in data.flow)
    if (fit.n_obs, fit.n_groups["institution"]) != (children, institutions):
        found = f"{fit.n_obs} children in {fit.n_groups['institution']} institutions"
        OTHER_ROWS.refuse(
            "flow", found=found, expected=f"{children} children in {institutions} institutions", outcome=data.outcome.id
        )


def _attrition(data: StudyData, rows: AnalysisSet, flow: FlowCounts) -> OutcomeAttrition:
    """Return the attrition of one outcome: institutions, children of those that stayed, and joiners."""
    for arm, part in zip(flow.arms, rows.flow, strict=True):
        conserve(f"cohort of {arm.arm}", arm.cohort, **{f"in {rows.outcome.id}": part.cohort})
    analysed = np.zeros(len(data.children), dtype=bool)
    analysed[rows.places] = True
    joined = {wave.wave: tuple(arm.waves[k].joined for arm in flow.arms) for k, wave in enumerate(flow.arms[0].waves)}
    outside = (data.children["standing"] == "joined_later").to_numpy()
    return OutcomeAttrition(
        outcome=rows.outcome.id,
        wave=rows.wave,
        comparisons=trial_attrition(
            data.study.arms, data.allocation, data.cohort["institution"], analysed[data.cohort_places], rows.handed_in
        ),
        joined=joined.get(rows.wave, tuple(0 for _ in flow.arms)),
        joiners_analysed=int((analysed & outside).sum()),
    )


def _without_model(study: Study, data: AnalysisSet, reason: Phrase) -> OutcomeResult:
    """Return everything that is known of an outcome without a model, and the reason in place of what the model gives."""
    missing = Unavailable(reason)
    return OutcomeResult(
        outcome=data.outcome.id,
        label=outcome_label(data.outcome, study.library),
        wave=data.wave,
        set=study.analysis.set,
        role=data.outcome.role,
        better=data.outcome.better,
        model=model_formula(data),
        n_children=len(data.frame),
        n_institutions=int(data.frame["institution"].nunique()),
        effects=tuple(ArmEffect(arm, missing, missing, NO_FAMILY) for arm in study.arms[1:]),
        coefficients=tuple(Estimate.unavailable(term, reason) for term in arm_terms(study)),
        adjustment=None,
        icc=missing,
        icc_adjusted=missing,
        notes=(reason, *left_out_notes(study, data)),
        recomputations=(),
        analysed=data.flow,
        arms=arm_summaries(study, data.frame, data.outcome.id),
        institution_means=means_of_institutions(study, data.frame, data.outcome.id) if data.outcome.is_continuous else (),
        scale=data.outcome.scale,
        average=study.estimand.average,
        bands=band_names(data.outcome, study.library),
        bands_used=_bands_used(data.outcome, study.library),
        summary=data.outcome.summary,
    )


def _bands_used(outcome: Outcome, library: Library) -> BandsUsed | None:
    """Return the band set that an outcome's scores are put into bands by; None if it is not in bands."""
    bands = default_bands(outcome, library) if outcome.in_bands else None
    return None if bands is None else BandsUsed(bands.id, dict(bands.title), bands.source)


def _value(number: Estimated) -> float | Unavailable:
    """Return an estimate without its interval."""
    if isinstance(number, Unavailable):
        return number
    return Unavailable(number.note) if number.estimate is None else number.estimate


def _fit_notes(data: AnalysisSet, fit: Fitted, effects: Iterable[Estimate], icc: Estimated) -> tuple[Phrase, ...]:
    """Return what a reader must know of this fit."""
    notes = [
        *fit.notes,
        *(effect.note for effect in effects if effect.note),
        *cautions(data, _value(icc)),
        *far_value_notes(data),
    ]
    return tuple(dict.fromkeys(notes))
