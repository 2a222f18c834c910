"""The results of a study before its data: every outcome, arm, wave and scale of the plan, and no number."""

from __future__ import annotations

from asp_eval.analysis.formulas import ARM, arm_term, by_institution, fixed_effects
from asp_eval.analysis.results import (
    NO_FAMILY,
    ArmEffect,
    ArmSummary,
    AverageEffects,
    BaselineRow,
    OutcomeResult,
    Reliability,
    Results,
)
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate
from asp_eval.store.provenance import provenance_of
from asp_eval.trial.flow.attrition import OutcomeAttrition
from asp_eval.trial.flow.counts import AnalysedFlow, ArmFlow, FlowCounts, NotScreened, WaveFlow
from asp_eval.trial.flow.presence import screening_waves
from asp_eval.trial.outcomes import form_titles, informants, outcome_label, score_sources, scored_forms
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome

TO_COME = Unavailable(Phrase("to come with the data"))
NOBODY = NotScreened(0, 0, 0, 0)


def results_to_come(study: Study) -> Results:
    """Return results in which every number is still to come.

    Parameters
    ----------
    study : Study
        Its data, if there are any, are not looked at.
    """
    wanted = {source.scale for source in score_sources(study)}
    return Results(
        study=study.without_folder(),
        provenance=provenance_of(study),
        informants=informants(study),
        flow=FlowCounts(0, 0, tuple(_flow(study, arm) for arm in study.arms)),
        baseline=_baseline(study),
        outcomes=tuple(_outcome(study, outcome) for outcome in study.outcomes),
        reliabilities=tuple(
            Reliability(form.id, scale.key, dict(scale.title), wave, 0, TO_COME, "", TO_COME, TO_COME)
            for form in scored_forms(study)
            for scale in form.scales
            if scale.key in wanted
            for wave in screening_waves(study)
        ),
        switches=(),
        attrition=tuple(_attrition(study, outcome) for outcome in study.outcomes),
        forms=form_titles(study),
    )


def _flow(study: Study, arm: str) -> ArmFlow:
    waves = tuple(WaveFlow(wave, 0, 0, 0, 0, 0, 0, 0, NOBODY, 0, 0, 0, 0, 0) for wave in screening_waves(study))
    return ArmFlow(arm, 0, 0, 0, 0, 0, waves)


def _baseline(study: Study) -> tuple[BaselineRow, ...]:
    """Return a row for every covariate and every score at the start."""
    nobody = tuple(ArmSummary(arm, 0, 0) for arm in study.arms)
    apart = tuple(TO_COME for _ in study.arms[1:])
    shared = {(one.score or one.column, one.baseline): one for one in reversed(study.outcomes) if one.baseline}
    scores = [(one.id, outcome_label(one, study.library)) for one in reversed(shared.values())]
    named = [*((name, {}) for name in study.analysis.covariates), *scores]
    return tuple(BaselineRow(name, label, "", "child", nobody, apart) for name, label in named)


def _outcome(study: Study, declared: Outcome) -> OutcomeResult:
    covariates = [*(["baseline"] if declared.baseline else []), *study.analysis.covariates, *study.strata]
    nothing = tuple(ArmSummary(arm, 0, 0) for arm in study.arms)
    return OutcomeResult(
        outcome=declared.id,
        label=outcome_label(declared, study.library),
        wave=declared.at,
        set=study.analysis.set,
        role=declared.role,
        better=declared.better,
        model=by_institution(fixed_effects(declared.id, [ARM, *covariates])),
        n_children=0,
        n_institutions=0,
        effects=tuple(ArmEffect(arm, TO_COME, TO_COME, NO_FAMILY) for arm in study.arms[1:]),
        coefficients=tuple(Estimate.unavailable(arm_term(arm), TO_COME.reason) for arm in study.arms[1:]),
        adjustment=None,
        icc=TO_COME,
        icc_adjusted=TO_COME,
        notes=(),
        recomputations=(),
        analysed=tuple(AnalysedFlow(declared.id, declared.at, arm, 0, 0, 0, NOBODY, 0, 0, 0, 0, 0) for arm in study.arms),
        arms=nothing if declared.is_continuous else (),
        scale=declared.scale,
        average=study.estimand.average,
        averages=tuple(AverageEffects(arm, TO_COME, TO_COME, TO_COME, TO_COME, TO_COME, TO_COME) for arm in study.arms[1:]),
    )


def _attrition(study: Study, outcome: Outcome) -> OutcomeAttrition:
    comparisons = tuple(TO_COME for _ in study.arms[1:] for _ in ("institutions", "children"))
    return OutcomeAttrition(outcome.id, outcome.at, comparisons, tuple(0 for _ in study.arms), 0)
