"""How the numbers were made: clustering, tests, missing answers, estimators, formulae, literature, the second computation."""

from __future__ import annotations

from asp_eval.analysis.category_models import NODES
from asp_eval.analysis.results import OutcomeResult, Results
from asp_eval.reporting.blocks import Field, Fields, Section, paragraphs
from asp_eval.reporting.sections.formulae import formulae
from asp_eval.reporting.sections.outcomes import any_adjusted, by_role, methods_used
from asp_eval.reporting.sections.recomputation import agrees, all_agree, estimator_table, rechecks_table, recomputation_table
from asp_eval.reporting.sections.references import references_table
from asp_eval.reporting.setting import Setting


def methods(results: Results, setting: Setting) -> Section:
    """Return how the numbers were made: in words, by which formulae, and after whom."""
    say, ordered = setting.say, by_role(results.outcomes)
    terms = paragraphs(
        say("The terms of every outcome's model, as R writes them:"),
        introduces=True,
    )
    equations, models = formulae(results, setting)
    blocks = (
        Fields(method_fields(setting)),
        estimator_table(ordered, setting),
        paragraphs(computed_twice(ordered, setting)),
        equations,
        *((terms, models) if ordered else ()),
        references_table(results, setting),
    )
    return Section("method", say("How the numbers were made"), blocks)


def computed_twice(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> str:
    """Say how many numbers were computed a second time, and which of them differ."""
    say, show = setting.say, setting.show
    verdicts = [(result, agrees(part)) for result in outcomes for part in result.recomputations]
    verdicts += [(result, all_agree((one,))) for result in outcomes for one in result.rechecks]
    compared = [(result, same) for result, same in verdicts if same is not None]
    if not compared:
        return say("No independent recomputation was made.")
    twice = say(
        "{n} numbers were computed a second time, by libraries and plain formulas that share no code with this program (double "
        "programming); {same} of them agree.",
        n=show.integer(len(compared)),
        same=show.integer(sum(same for _, same in compared)),
    )
    apart = dict.fromkeys(setting.outcome_at(result) for result, same in compared if not same)
    return " ".join((twice, say("Numbers DIFFER of: {list}.", list="; ".join(apart)))) if apart else twice


def second_computation(results: Results, setting: Setting) -> Section | None:
    """Return every number that was computed a second time, for a workbook; None where none was."""
    ordered = by_role(results.outcomes)
    tables = (recomputation_table(ordered, setting), rechecks_table(ordered, setting))
    found = tuple(table for table in tables if table is not None)
    return Section("twice", setting.say("The headline numbers, computed twice"), found) if found else None


def method_fields(setting: Setting) -> tuple[Field, ...]:
    """Return how the numbers were made, point by point."""
    say, level = setting.say, setting.level
    return (
        Field(
            say("Clustering"),
            " ".join(
                (
                    _alike(setting),
                    say(
                        "The linear mixed model therefore gives each institution a level of its own, and "
                        "institutions, not children, decide "
                        "how certain an effect is.",
                    ),
                )
            ),
        ),
        *_categories(setting),
        Field(say("Intervals and tests"), _tests(setting, level)),
        Field(
            say("Missing answers"),
            " ".join(
                (
                    _scored(setting),
                    say(
                        "The analysis takes the children who have all that the model needs, and the table of "
                        "the flow counts the others. "
                        "That is right only if those left out resemble, given what the model knows of them, those who stayed.",
                    ),
                    *_quarantined(setting),
                )
            ),
        ),
        Field(
            say("Several outcomes"),
            say("P-values are adjusted within the families the plan declares. Outcomes outside a family are not adjusted.")
            if any_adjusted(setting.results.outcomes)
            else say("The plan adjusts no p-value for the number of outcomes."),
        ),
        *_bands(setting),
        Field(say("Small numbers"), say("Where no number is right, the reason stands in its place.")),
    )


def _tests(setting: Setting, level: str) -> str:
    """Say what intervals and tests rest on, by the methods that were really used."""
    say = setting.say
    used = methods_used(setting.results.outcomes)
    by_lot, others = "Permutation" in used, used - {"Permutation"}
    sentences = [say("Intervals cover {level} and tests are two-sided.", level=level)]
    if by_lot:
        sentences.append(
            say(
                "A test by permutation compares the effect with those that every allocation of the lot would have shown if "
                "the intervention did nothing; nothing is assumed to be normal. Its interval holds the differences that such a "
                "test does not reject, or is that of t where the table says so."
            )
        )
    if others or not by_lot:
        sentences.append(
            say(
                "With few institutions the usual normal approximation is too optimistic, so t with the degrees of freedom in "
                "the table is used."
            )
        )
    return " ".join(sentences)


def _categories(setting: Setting) -> tuple[Field, ...]:
    """Say how outcomes that are no measures are analysed."""
    if all(result.scale == "continuous" for result in setting.results.outcomes):
        return ()
    say, outcomes = setting.say, setting.results.outcomes
    more = []
    if setting.study.analysis.method == "permutation":
        more.append(
            say(
                "Their p-values are by permutation of the lot, by the score of the model without the arm; their "
                "intervals stay those "
                "of t.",
            )
        )
    if any(result.scale == "ordinal" for result in outcomes):
        more.append(
            say(
                "For bands it is tested whether one odds ratio holds at every boundary between two bands "
                "(likelihood ratio); where "
                "that is rejected, each band is modelled by itself.",
            )
        )
    used = say(
        "Yes-or-no outcomes are analysed by a logistic mixed model, bands by a proportional-odds mixed model and counts "
        "by a Poisson mixed model, by maximum likelihood with {points} points of adaptive quadrature. Every child analysed is "
        "then set to each arm in turn, and the model's predictions are averaged over children and institutions; "
        "standard errors are by the delta method, tests by t with between-within degrees of freedom.",
        points=setting.show.integer(NODES),
    )
    return (Field(say("Shares and counts"), " ".join((used, *more))),)


def _quarantined(setting: Setting) -> list[str]:
    """Say how many rows could not be used as they were received."""
    say, rows = setting.say, setting.results.provenance.quarantined
    if not rows:
        return []
    waves = "; ".join(f"{setting.wave(wave)}: {setting.show.integer(n)}" for wave, n in rows.items())
    return [
        say("Rows of the screening that were left out because of errors in them, and wait to be corrected: {waves}.", waves=waves)
    ]


def _bands(setting: Setting) -> tuple[Field, ...]:
    """Say by which norms scores are in bands, or why none is called high or low; of imported scores there is nothing to say."""
    say = setting.say
    if not setting.results.informants:
        return ()
    used = {each.outcome: (each.label, each.bands_used) for each in setting.results.outcomes if each.bands_used is not None}
    if used:
        told = [
            say(
                "{outcome} is put into bands by “{title}” ({source}); no other score is called high or low.",
                outcome=say.label(label, name),
                title=say.label(bands.title, bands.id),
                source=bands.source,
            )
            for name, (label, bands) in used.items()
        ]
        return (Field(say("Bands"), " ".join(told)),)
    return (
        Field(
            say("Bands"),
            say(
                "No score is called high or low. Bands belong to the country, ages and informant they were made "
                "for, and the study names "
                "none for its children.",
            ),
        ),
    )


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
