"""The limits a reader should know: each sentence stands only where what it says holds in this study."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.results import OutcomeResult, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Section, listing
from asp_eval.reporting.sections.how_sure import ENOUGH
from asp_eval.reporting.sections.outcomes import primary_outcomes
from asp_eval.reporting.setting import Setting
from asp_eval.trial.flow.attrition import Attrition
from asp_eval.trial.outcomes import ScoreSource, source_of

LOOSE = 0.7  # Cronbach's alpha of items that hang together only loosely
CROWDED = 0.5  # share of children with the lowest or highest score


def limits(results: Results, setting: Setting) -> Section:
    """Return the limits a reader should know."""
    return Section("limits", setting.say("Limits"), (listing(limit_words(results, setting)),))


def limit_words(results: Results, setting: Setting) -> tuple[str, ...]:
    """Return the limits, a sentence or two each."""
    say = setting.say
    like_these = say(
        "The result holds for institutions and children like these. Institutions that agree to take part in a trial are not any "
        "institutions.",
    )
    return (
        *_design(results, setting),
        *_losses(results, setting),
        *_raters(setting),
        *_scores(results, setting),
        *_contact(results, setting),
        like_these,
    )


def _design(results: Results, setting: Setting) -> Iterator[str]:
    """Yield what the design and the plan leave open."""
    say, study, primary = setting.say, setting.study, primary_outcomes(results.outcomes)
    fewest = min((flow.institutions_analysed for result in primary for flow in result.analysed), default=ENOUGH)
    if fewest < ENOUGH:
        yield say(
            "The smallest arm has {institutions} in the analysis of the primary outcomes. With so few, intervals are wide, and "
            "they rest more on the model.",
            institutions=setting.show.institutions(fewest),
        )
    lock = results.provenance.plan_lock
    if lock is None:
        yield say("The plan was not locked, so it cannot be shown that it was made before the outcomes were seen.")
    elif lock.changes:
        yield say("The plan was changed after it was locked: see the changes to the plan.")
    if study.randomisation.drawn_elsewhere:
        yield say("Whether the lot was concealed until institutions had agreed to take part is not known here.")
    unmeasured = [setting.outcome_at(one) for one in primary if study.outcome(one.outcome).baseline is None]
    if unmeasured:
        yield say("Not measured at the start, so that effects rest on the lot alone: {list}.", list="; ".join(unmeasured))
    if len(primary) > 1 and any(result.adjustment is None for result in primary):
        yield say("Several primary outcomes are tested, and not all are adjusted for it: the more there are, the more by chance.")


def _losses(results: Results, setting: Setting) -> Iterator[str]:
    """Yield what was lost beyond a limit, and whether anything was done about it."""
    say, primary = setting.say, primary_outcomes(results.outcomes)
    mine = {result.outcome for result in primary}
    found = [each for loss in results.attrition if loss.outcome in mine for each in loss.comparisons]
    if any(isinstance(each, Attrition) and not each.low_optimistic for each in found):
        yield say("More children or institutions were lost, or less evenly, than even the optimistic limit allows.")
    lost = sum(part.cohort - part.analysed for result in primary for part in result.analysed)
    if lost and setting.study.analysis.missing_outcome is None:
        yield say(
            "The plan declares no second analysis of missing outcomes. The numbers are right only if the children left out "
            "resemble, given what the model knows of them, those who stayed."
        )
    if results.provenance.quarantined:
        yield say("Rows that were received with errors in them are not in the numbers until they are corrected.")


def _scores(results: Results, setting: Setting) -> Iterator[str]:
    """Yield what the measures themselves cannot show."""
    say, show = setting.say, setting.show
    for result in primary_outcomes(results.outcomes):
        alpha = _loosest(result, results, setting)
        if alpha is not None:
            yield say(
                "The items of {outcome} hang together loosely (Cronbach's alpha {alpha}): the score is noisy, and effects in "
                "standard deviations are smaller for it.",
                outcome=setting.outcome(result),
                alpha=show.decimal(alpha),
            )
        ends = (result.checks.floor, result.checks.ceiling) if result.checks else (0.0, 0.0)
        crowded = ends[0 if result.better == "lower" else 1]
        if crowded > CROWDED:
            yield say(
                "{share} of the children have the best possible score of {outcome}: of them the scale cannot show that they do "
                "better.",
                share=show.percent(crowded),
                outcome=setting.outcome_at(result),
            )
    if any(switch.switched and switch.family.startswith("sdq") for switch in results.switches):
        yield say(
            "Some children changed form between the rounds because they grew older. The two forms differ in two items, both in "
            "the conduct scale; that scale and the total score are the ones affected.",
        )


def _loosest(result: OutcomeResult, results: Results, setting: Setting) -> float | None:
    """Return the smallest alpha of an outcome's scale over all arms at its wave, None where none is below the limit."""
    source = source_of(setting.study.outcome(result.outcome), setting.study.library)
    scale = source.scale if isinstance(source, ScoreSource) else ""
    found = [
        one.alpha.estimate
        for one in results.reliabilities
        if not one.arm and one.scale == scale and one.wave == result.wave and not isinstance(one.alpha, Unavailable)
    ]
    loose = [alpha for alpha in found if alpha is not None and alpha < LOOSE]
    return min(loose, default=None)


def _contact(results: Results, setting: Setting) -> Iterator[str]:
    """Yield how the arms may have met, and what is not known of what was delivered."""
    say = setting.say
    rounds = zip(*(arm.waves for arm in results.flow.arms), strict=True)
    crossed = max((sum(wave.crossed for wave in waves) for waves in rounds), default=0)
    if crossed:
        yield say(
            "Children who at some round were in an institution of another arm than at the draw: {n}. They count in the arm "
            "drawn, which tends to make a difference between the arms smaller.",
            n=setting.show.integer(crossed),
        )
    if setting.study.received is None or any(arm.received is None for arm in results.flow.arms):
        yield say("What the institutions received of the intervention is not known here, only which arm they were drawn to.")


def _raters(setting: Setting) -> list[str]:
    """Return what follows from who rated the children."""
    say, sentences = setting.say, []
    if setting.rated_by_staff:
        new_eyes = say(
            "The raters are staff of the institutions. Those of the compared arm may have taken part in the intervention "
            "themselves; a new way of looking at children can change a rating without a change in the child, in either "
            "direction.",
        )
        sentences.append(new_eyes)
        if len(setting.study.waves) > 1:
            sentences.append(say("Raters may have changed between the rounds, which adds noise to each child's change."))
    if "parent" in setting.results.informants:
        sentences.append(say("Parents rated the children. Whether they knew the arm of the institution is not known here."))
    if not setting.results.informants:
        unknown = say(
            "Who rated the children is not recorded here. Raters who know the arm may see a difference that is not in the child.",
        )
        sentences.append(unknown)
    return sentences
