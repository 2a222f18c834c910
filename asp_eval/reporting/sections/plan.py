"""What was planned: design, arms, lot, outcomes, estimand, analysis."""

from __future__ import annotations

from asp_eval.analysis.results import OutcomeResult, Results
from asp_eval.reporting.blocks import Field, Fields, Section
from asp_eval.reporting.language import as_sentence
from asp_eval.reporting.sections.estimands import attributes_table
from asp_eval.reporting.sections.outcomes import ROLES, role_name
from asp_eval.reporting.setting import Setting
from asp_eval.trial.study.design import Wave


def plan(results: Results, setting: Setting) -> Section:
    """Return what was planned."""
    blocks = (Fields(plan_fields(results, setting)), attributes_table(results, setting))
    return Section("plan", setting.say("What was planned"), blocks)


def plan_fields(results: Results, setting: Setting) -> tuple[Field, ...]:
    """Return what was planned, point by point."""
    say = setting.say
    outcomes = [
        Field(role_name(role, setting), "; ".join(_outcome(one, setting) for one in results.outcomes if one.role == role))
        for role in ROLES
        if any(result.role == role for result in results.outcomes)
    ]
    return (
        Field(say("Design"), say("Cluster-randomised trial: whole institutions, not single children, were drawn to the arms.")),
        Field(say("Arms"), _arms(setting)),
        Field(say("The lot"), " ".join(_lot(setting))),
        Field(say("Children"), _eligibility(setting)),
        Field(say("Rounds of screening"), "; ".join(_wave(wave, setting) for wave in setting.study.waves)),
        *outcomes,
        Field(say("Whom the effect is about"), " ".join(_estimand(setting))),
        Field(say("Analysis"), " ".join(_analysis(setting))),
    )


def _outcome(result: OutcomeResult, setting: Setting) -> str:
    say, name = setting.say, setting.outcome_at(result)
    if result.better == "lower":
        return say("{outcome} (lower is better)", outcome=name)
    return say("{outcome} (higher is better)", outcome=name)


def _arms(setting: Setting) -> str:
    names = "; ".join((setting.say("{arm} (the one compared with)", arm=setting.reference), *setting.compared))
    ratio = setting.study.randomisation.ratio
    if not ratio:
        return names + "."
    return setting.say("{names}; ratio {ratio}.", names=names, ratio=":".join(setting.show.integer(part) for part in ratio))


def _lot(setting: Setting) -> list[str]:
    say, study, provenance = setting.say, setting.study, setting.results.provenance
    scheme = study.randomisation.scheme
    strata = ", ".join(say.name(key) for key in study.strata)
    sentences = []
    if scheme == "stratified" and strata:
        sentences.append(say("Stratified by {strata}: drawn separately within each stratum.", strata=strata))
    elif scheme == "simple":
        sentences.append(say("Simple: one draw among all institutions."))
    else:
        sentences += _scheme(setting, strata)
    if study.randomisation.drawn_elsewhere:
        sentences.append(say("The lot was drawn outside this package; the draw itself cannot be checked here."))
    if provenance.allocation_source:
        sentences.append(as_sentence(say("Source: {source}", source=provenance.allocation_source)))
    if provenance.allocation_date:
        sentences.append(say("Date: {day}.", day=setting.show.day(provenance.allocation_date)))
    return sentences


def _scheme(setting: Setting, strata: str) -> list[str]:
    """Say how the lot was drawn where it was neither simple nor stratified alone."""
    say, scheme = setting.say, setting.study.randomisation.scheme
    if scheme == "minimisation":
        return [
            say("Minimisation with a random element: each institution most probably to the arm that balanced the factors best.")
        ]
    known = {
        "blocked": say("Permuted blocks: drawn separately within each block of institutions."),
        "pairs": say("Matched pairs: drawn separately within each pair of institutions."),
        "constrained": say("Covariate-constrained: one draw among the allocations that balance the covariates best."),
    }
    within = [say("Within strata: {strata}.", strata=strata)] if strata else []
    return [known.get(scheme) or say("Scheme: {scheme}.", scheme=scheme), *within]


def _eligibility(setting: Setting) -> str:
    say, eligibility = setting.say, setting.study.eligibility
    if eligibility is None:
        return say("No age range is declared: every child of the institutions is eligible.")
    ages = eligibility.age_years
    bounds = {"low": _years(ages.start, setting), "high": _years(ages.below, setting)}
    return say('Aged {low} and not yet {high} years at the round "{wave}".', wave=setting.wave(eligibility.at), **bounds)


def _years(age: float, setting: Setting) -> str:
    return setting.show.decimal(age, 0 if float(age).is_integer() else 1)


def _wave(wave: Wave, setting: Setting) -> str:
    if not wave.start or not wave.end:
        return setting.wave(wave.id)
    first, last = (setting.show.day(day.isoformat()) for day in (wave.start, wave.end))
    return setting.say("{wave} ({first} to {last})", wave=setting.wave(wave.id), first=first, last=last)


def _estimand(setting: Setting) -> list[str]:
    say = setting.say
    counted = {
        "participant": say("The children who were there {when}, each child counting equally.", when=setting.when),
        "institution": say("The children who were there {when}, each institution counting equally.", when=setting.when),
    }
    by_model = say(
        "The children who were there {when}, institutions counting by how precisely the mixed model knows them.",
        when=setting.when,
    )
    return [
        counted.get(setting.study.estimand.average, by_model),
        say("A child who moves stays, in the analysis, with the institution it belonged to at the draw."),
        say("Children who joined later are not part of it."),
    ]


def _analysis(setting: Setting) -> list[str]:
    say, study = setting.say, setting.study
    adjusted = ", ".join(say.name(key) for key in (*study.strata, *study.analysis.covariates))
    sentences = [
        say("Scores are compared with the score at the start taken into account, where the plan declares one.")
        if any(outcome.baseline for outcome in study.outcomes)
        else say("The plan declares no score at the start: scores are compared as they are.")
    ]
    if adjusted:
        sentences.append(say("Further adjusted for: {list}.", list=adjusted))
    method = setting.method(study.analysis.method)
    if study.estimand.average == "precision":
        sentences.append(say("Planned small-sample method: {method}.", method=method))
    else:
        sentences.append(say("Tested by the jackknife of institutions; the mixed model beside it by {method}.", method=method))
    if study.analysis.triangulate:
        sentences.append(say("Beside it every effect is estimated by several other estimators."))
    if study.analysis.waves_model is not None:
        sentences.append(say("All waves of a score are also analysed in one model (constrained longitudinal analysis)."))
    sentences += _declared(setting)
    rows = study.sets[study.analysis.set].filter
    if rows:
        sentences.append(say('Analysis set "{name}": rows where {filter}.', name=study.analysis.set, filter=rows))
    return sentences


def _declared(setting: Setting) -> list[str]:
    """Say which effects in parts of the trial the plan declares."""
    say, plan = setting.say, setting.study.analysis
    groups = ", ".join(dict.fromkeys(say.name(name) for name in (*(one.by for one in plan.subgroups), *plan.varying)))
    found = []
    if plan.missing_outcome is not None:
        found.append(
            say("Missing outcomes are imputed as well, {n} times.", n=setting.show.integer(plan.missing_outcome.imputations))
        )
        if plan.missing_outcome.items:
            found.append(say("What is imputed are the items of a score at the outcome's wave, from which it is then formed."))
    if plan.complier is not None:
        found.append(say("The effect among those who took the intervention is estimated as well."))
    if groups:
        found.append(say("The effect is compared between groups by: {list}.", list=groups))
    if plan.levels:
        levels = ", ".join(say.name(name) for name in plan.levels)
        found.append(say("The planned model is also fitted with a level between child and institution: {list}.", list=levels))
    return found
