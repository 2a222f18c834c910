"""What was planned, how the numbers were made, and how to make them again: terms with a few words each."""

from __future__ import annotations

from asp_eval.analysis.results import OutcomeResult, Results
from asp_eval.reporting.language import as_sentence
from asp_eval.reporting.setting import Setting
from asp_eval.reporting.tables.effects import ROLES, role_name
from asp_eval.reporting.views import Fact
from asp_eval.trial.study.design import Wave

SHOWN_DIGITS = 16  # of the ledger's head: enough that no other entry has them


def plan(results: Results, setting: Setting) -> tuple[Fact, ...]:
    """Return what was planned."""
    say = setting.say
    outcomes = [
        Fact(role_name(role, setting), "; ".join(_outcome(result, setting) for result in results.outcomes if result.role == role))
        for role in ROLES if any(result.role == role for result in results.outcomes)
    ]  # fmt: skip
    return (
        Fact(say("Design"), say("Cluster-randomised trial: whole institutions, not single children, were drawn to the arms.")),
        Fact(say("Arms"), _arms(setting)),
        Fact(say("The lot"), " ".join(_lot(setting))),
        Fact(say("Children"), _eligibility(setting)),
        Fact(say("Rounds of screening"), "; ".join(_wave(wave, setting) for wave in setting.study.waves)),
        *outcomes,
        Fact(say("Whom the effect is about"), " ".join(_estimand(setting))),
        Fact(say("Analysis"), " ".join(_analysis(setting))),
    )  # fmt: skip


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
    return [
        say("The children who were there at the start, each child counting equally."),
        say("A child who moves stays, in the analysis, with the institution it belonged to at the draw."),
        say("Children who joined later are not part of it."),
    ]


def _analysis(setting: Setting) -> list[str]:
    say, study = setting.say, setting.study
    adjusted = ", ".join(say.name(key) for key in (*study.strata, *study.analysis.covariates))
    sentences = [say("Scores are compared with the score at the start taken into account, where the plan declares one.")]
    if adjusted:
        sentences.append(say("Further adjusted for: {list}.", list=adjusted))
    sentences.append(say("Planned small-sample method: {method}.", method=setting.method(study.analysis.method)))
    rows = study.sets[study.analysis.set].filter
    if rows:
        sentences.append(say('Analysis set "{name}": rows where {filter}.', name=study.analysis.set, filter=rows))
    return sentences


def method(setting: Setting) -> tuple[Fact, ...]:
    """Return how the numbers were made."""
    say, level = setting.say, setting.show.level(setting.study.analysis.level)
    return (
        Fact(say("Clustering"), " ".join((_alike(setting), say(
            "The linear mixed model therefore gives each institution a level of its own, and institutions, not children, decide "
            "how certain an effect is.",
        )))),
        Fact(say("Intervals and tests"), say(
            "Intervals cover {level} and tests are two-sided. With few institutions the usual normal approximation is too "
            "optimistic, so t with the degrees of freedom in the table is used.",
            level=level,
        )),
        Fact(say("Missing answers"), " ".join((_scored(setting), say(
            "The analysis takes the children who have all that the model needs, and the table of the flow counts the others. "
            "That is right only if those left out resemble, given what the model knows of them, those who stayed.",
        ), *_quarantined(setting)))),
        Fact(say("Several outcomes"), say(
            "P-values are adjusted within the families the plan declares. Outcomes outside a family are not adjusted.",
        )),
        *_bands(setting),
        Fact(say("Small numbers"), say("Where no number is right, the reason stands in its place.")),
    )  # fmt: skip


def _quarantined(setting: Setting) -> list[str]:
    """Say how many rows could not be used as they were received."""
    say, rows = setting.say, setting.results.provenance.quarantined
    if not rows:
        return []
    waves = "; ".join(f"{setting.wave(wave)}: {setting.show.integer(n)}" for wave, n in rows.items())
    return [
        say("Rows of the screening that were left out because of errors in them, and wait to be corrected: {waves}.", waves=waves)
    ]


def _bands(setting: Setting) -> tuple[Fact, ...]:
    """Say why no score is called high or low; of imported scores there is nothing to say."""
    say = setting.say
    if not setting.results.informants:
        return ()
    return (Fact(say("Bands"), say(
        "No score is called high or low. Bands belong to the country, ages and informant they were made for, and the study names "
        "none for its children.",
    )),)  # fmt: skip


def _alike(setting: Setting) -> str:
    """Say why children of one institution are alike, as far as those who rated them are part of it."""
    say = setting.say
    if setting.rated_by_staff:
        return say("Children of one institution resemble each other, and staff rate many of them.")
    if "parent" in setting.results.informants:
        return say("Children of one institution resemble each other, even where each is rated by its own parents.")
    return say("Children of one institution resemble each other.")


def _scored(setting: Setting) -> str:
    """Say what becomes of unanswered items; of imported scores it is not known."""
    if setting.results.informants:
        return setting.say("A scale is scored if enough of its items were answered; otherwise the score is missing.")
    return setting.say("The scores were imported ready-made; what was done about unanswered items is not known here.")


def limits(results: Results, setting: Setting) -> tuple[str, ...]:
    """Return the limits a reader should know."""
    say = setting.say
    sentences = _raters(setting)
    if setting.study.randomisation.drawn_elsewhere:
        sentences.append(say("Whether the lot was concealed until institutions had agreed to take part is not known here."))
    like_these = say(
        "The result holds for institutions and children like these. Institutions that agree to take part in a trial are not any "
        "institutions.",
    )
    sentences.append(like_these)
    if any(switch.switched and switch.family.startswith("sdq") for switch in results.switches):
        two_forms = say(
            "Some children changed form between the rounds because they grew older. The two forms differ in two items, both in "
            "the conduct scale; that scale and the total score are the ones affected.",
        )
        sentences.append(two_forms)
    return tuple(sentences)


def _raters(setting: Setting) -> list[str]:
    """Return what follows from who rated the children."""
    say, sentences = setting.say, []
    if setting.rated_by_staff:
        new_eyes = say(
            "The raters are staff of the institutions. Those of the compared arm may have taken part in the intervention "
            "themselves; a new way of looking at children can change a rating without a change in the child, in either "
            "direction.",
        )
        changes = say("Raters may have changed between the rounds, which adds noise to each child's change.")
        sentences += [new_eyes, changes]
    if "parent" in setting.results.informants:
        sentences.append(say("Parents rated the children. Whether they knew the arm of the institution is not known here."))
    if not setting.results.informants:
        unknown = say(
            "Who rated the children is not recorded here. Raters who know the arm may see a difference that is not in the child.",
        )
        sentences.append(unknown)
    return sentences


def recompute(setting: Setting) -> tuple[Fact, ...]:
    """Return the commands that make every number again."""
    say = setting.say
    return (
        Fact("asp-eval score", say("scores the answers again from the validated tables")),
        Fact("asp-eval analyse", say("fits every model again and writes results.json and results.csv")),
        Fact("asp-eval gap", say("makes the GAP-profiles again and writes gap.json")),
        Fact("asp-eval report", say("prints these pages again from those files alone")),
        *_ledger(setting),
    )


def _ledger(setting: Setting) -> tuple[Fact, ...]:
    """Return the command that checks the ledger against the head that is printed with it."""
    head = setting.results.provenance.ledger_head[:SHOWN_DIGITS]
    if not head:
        return ()
    said = setting.say(
        "shows whether anything done to the data before these numbers was changed since: the head of the sealed ledger was "
        "{head}, and all its 64 digits stand in manifest.json",
        head=head,
    )
    return (Fact(f"asp-eval check --ledger --head {head}", said),)
