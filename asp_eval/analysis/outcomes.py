"""The planned analysis: every outcome of the study, modelled as declared, with its recomputation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pandas as pd

from asp_eval import __version__
from asp_eval.analysis.balance import arm_summaries, baseline_table
from asp_eval.analysis.plan import arm_terms, marginal_formula, model_formula, planned_method, unadjusted_formula
from asp_eval.analysis.psychometrics import form_switches, reliabilities, scored_forms
from asp_eval.analysis.results import OutcomeResult, Results, StudyFacts
from asp_eval.analysis.sensitivity import recompute
from asp_eval.analysis.sets import AnalysisSet, assemble, child_frame, outcome_label
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.stats.effect_size import total_effect_size
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.mixed.fit import MixedFit, lmm
from asp_eval.stats.multiplicity import holm
from asp_eval.trial.flow.consort import flow_counts
from asp_eval.trial.store import table
from asp_eval.trial.study.design import Outcome, Study

FEW_INSTITUTIONS = 8  # below, no small-sample correction of a mixed model is known to hold


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
        If allocation, children or an outcome's source is missing altogether.
    """
    progress("flow")
    children = child_frame(study)
    flow = flow_counts(study, children, table(study, "screening"), table(study, "allocation"), table(study, "institutions"))
    progress("baseline")
    baseline = baseline_table(study, children)
    outcomes = []
    for outcome in study.outcomes:
        progress(outcome.id)
        outcomes.append(analyse_outcome(study, outcome))
    progress("reliability")
    return Results(
        study=study_facts(study),
        flow=flow,
        baseline=baseline,
        outcomes=adjust(study, outcomes),
        reliabilities=reliabilities(study),
        switches=form_switches(study),
        notes=_study_notes(study, children),
    )


def analyse_outcome(study: Study, outcome: Outcome) -> OutcomeResult:
    """Fit the planned model of one outcome; where it is refused, the result carries the reason."""
    data = assemble(study, outcome.id)
    facts = {
        "outcome": outcome.id,
        "label": outcome_label(outcome),
        "wave": data.wave,
        "set": study.analysis.set,
        "role": outcome.role,
        "better": outcome.better,
        "model": model_formula(data),
        "n_children": len(data.frame),
        "n_institutions": int(data.frame["institution"].nunique()),
        "arms": arm_summaries(study, data.frame, outcome.id),
        "analysed": data.flow,
        "adjustment": "none",
    }
    try:
        planned = lmm(model_formula(data), data.frame)
        unadjusted = lmm(unadjusted_formula(study, data), data.frame)
        numbers = _numbers(study, data, planned, unadjusted)
    except AspError as refused:
        numbers = _refused(study, str(refused))
    return OutcomeResult(**facts, **numbers)  # type: ignore[arg-type]


def adjust(study: Study, outcomes: list[OutcomeResult]) -> tuple[OutcomeResult, ...]:
    """Adjust the p-values of every declared family; each effect of each outcome is one test of it."""
    adjusted = {o.outcome: o for o in outcomes}
    for family in study.analysis.families.values():
        tests = [(o, i) for o in family.outcomes for i in range(len(adjusted[o].effects))]
        if family.adjust == "none":
            continue
        values = holm([adjusted[o].effects[i].p_value for o, i in tests])
        for name in family.outcomes:
            mine = tuple(value for (o, _), value in zip(tests, values, strict=True) if o == name)
            adjusted[name] = replace(adjusted[name], adjustment=f"{family.adjust} ({len(tests)})", adjusted_p_values=mine)
    return tuple(adjusted.values())


def study_facts(study: Study) -> StudyFacts:
    """Return what a report says of the study itself: its declaration, and where the lot was drawn."""
    allocation = table(study, "allocation")
    ages = study.eligibility.age_years if study.eligibility else None
    return StudyFacts(
        id=study.study.id,
        title=dict(study.study.title),
        synthetic=study.study.synthetic,
        languages=study.languages,
        arms=study.arms,
        arm_labels={arm: dict(label) for arm, label in study.arm_labels.items()},
        strata=study.strata,
        wave_labels={wave.id: dict(wave.label) for wave in study.waves},
        wave_dates={w.id: (w.start.isoformat() if w.start else "", w.end.isoformat() if w.end else "") for w in study.waves},
        age_from=ages.start if ages else None,
        age_below=ages.below if ages else None,
        eligible_at=study.eligibility.at if study.eligibility else "",
        scheme=study.randomisation.scheme,
        ratio=study.randomisation.ratio,
        drawn_elsewhere=study.randomisation.drawn_elsewhere,
        allocation_source="; ".join(_distinct(allocation, "source")),
        allocation_date="; ".join(_distinct(allocation, "date")),
        population=study.estimand.population,
        movers=study.estimand.movers,
        joiners=study.estimand.joiners,
        missing_baseline=study.analysis.missing_baseline,
        covariates=study.analysis.covariates,
        planned_method=study.analysis.method,
        analysis_set=study.analysis.set,
        set_filter=study.sets[study.analysis.set].filter or "",
        informants=tuple(sorted({form.informant for form in scored_forms(study)})),
        level=study.analysis.level,
        minimum_cell=study.privacy.minimum_cell,
        package_version=__version__,
    )


def _distinct(frame: pd.DataFrame, column: str) -> list[str]:
    """Return the texts of a column, each once, in order; none where there is no such column."""
    return sorted(frame[column].dropna().astype(str).unique()) if column in frame.columns else []


def _numbers(study: Study, data: AnalysisSet, planned: MixedFit, unadjusted: MixedFit) -> dict[str, object]:
    method, level = planned_method(study), study.analysis.level
    icc = unadjusted.icc(level=level)
    effects = tuple(planned.contrast({term: 1.0}, method=method, level=level) for term in arm_terms(study))
    coefficients = tuple(Estimate(*row) for row in planned.tidy(method=method, level=level).itertuples(index=False))
    sizes = [_effect_size(data, unadjusted, effect, arm, study) for effect, arm in zip(effects, study.arms[1:], strict=True)]
    return {
        "effects": effects,
        "coefficients": coefficients,
        "adjusted_p_values": (),
        "icc": _number(icc),
        "icc_range": _range(icc),
        "icc_adjusted": _number(planned.icc()),
        "effect_sizes": tuple(s if isinstance(s, Unavailable) else s[0] for s in sizes),
        "effect_size_ranges": tuple(None if isinstance(s, Unavailable) else s[1] for s in sizes),
        "notes": _fit_notes(data, planned, effects),
        "recomputations": tuple(
            row for term in arm_terms(study) for row in recompute(data, planned, marginal_formula(data), term)
        ),
    }


def _refused(study: Study, reason: str) -> dict[str, object]:
    gone = Unavailable(reason)
    terms = arm_terms(study)
    rows = tuple(Estimate.unavailable(term, reason) for term in terms)
    return {
        "effects": rows, "coefficients": rows, "adjusted_p_values": (), "icc": gone, "icc_adjusted": gone,
        "effect_sizes": tuple(gone for _ in terms), "effect_size_ranges": tuple(None for _ in terms),
        "notes": (reason,), "recomputations": (),
    }  # fmt: skip


def _effect_size(
    data: AnalysisSet, unadjusted: MixedFit, effect: Estimate, arm: str, study: Study
) -> tuple[float, tuple[float, float]] | Unavailable:
    """Return the effect in total standard deviations of the model with arm and strata only."""
    if effect.estimate is None or effect.std_error is None or effect.df is None:
        return Unavailable(effect.note)
    variances = unadjusted.variance_components().set_index("group")["variance"]
    sizes = data.frame.groupby(["arm", "institution"], observed=True).size()
    try:
        size = total_effect_size(
            effect.estimate, effect.std_error, effect.df,
            between_variance=float(variances["institution"]), within_variance=float(variances["residual"]),
            sizes_treated=sizes.loc[arm].to_numpy(), sizes_control=sizes.loc[study.arms[0]].to_numpy(),
            level=study.analysis.level,
        )  # fmt: skip
    except AspError as refused:
        return Unavailable(str(refused))
    return size.estimate, (size.conf_low, size.conf_high)


def _number(value: object) -> float | Unavailable:
    """Return an ICC as a plain number, or the reason why there is none."""
    if isinstance(value, Unavailable):
        return value
    estimate = getattr(value, "estimate", value)
    return Unavailable(str(getattr(value, "note", ""))) if estimate is None else float(estimate)


def _range(value: object) -> tuple[float, float] | None:
    """Return the interval of an ICC, or None where there is none."""
    low, high = getattr(value, "conf_low", None), getattr(value, "conf_high", None)
    return None if low is None or high is None else (float(low), float(high))


def _fit_notes(data: AnalysisSet, fit: MixedFit, effects: Iterable[Estimate]) -> tuple[str, ...]:
    """Return what a reader must know of this fit."""
    notes = [effect.note for effect in effects if effect.note]
    if bool(fit.glance()["singular"].iloc[0]):
        notes.append("The estimated variance between institutions is zero; the model is kept as planned.")
    if int(data.frame["institution"].nunique()) < FEW_INSTITUTIONS:
        notes.append(f"Fewer than {FEW_INSTITUTIONS} institutions: intervals and p-values may be too optimistic.")
    return tuple(dict.fromkeys(notes))


def _study_notes(study: Study, children: pd.DataFrame) -> tuple[str, ...]:
    undrawn = table(study, "children").shape[0] - len(children)
    return (f"{undrawn} children of institutions without an allocation are left out.",) if undrawn else ()
