"""Whom an effect is about: the five attributes of every outcome's estimand, and the same effect by whom it averages over."""

from __future__ import annotations

from asp_eval.analysis.results import AverageEffects, Estimated, OutcomeResult, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, Column, Row, Section, Table, cell, group_row, paragraphs
from asp_eval.reporting.sections.outcomes import by_role, primary_outcomes
from asp_eval.reporting.sections.shares import POINTS, SHARES, points_factor
from asp_eval.reporting.sections.shown_estimate import shown_estimate
from asp_eval.reporting.setting import Setting
from asp_eval.trial.study.keys import Texts


def estimands(results: Results, setting: Setting) -> Section | None:
    """Return the effects by whom they average over, None where results of an older version do not know it."""
    if not any(result.averages for result in results.outcomes):
        return None
    say = setting.say
    words = paragraphs(
        headline_words(setting),
        say(
            "Where the effect goes with the size of an institution, averages over children and over institutions are "
            "different questions with different answers."
        ),
    )
    primary = primary_outcomes(results.outcomes)
    return Section(
        "averages",
        say("Whose effect it is"),
        (words, averages_table("averages-primary", say("The effect by whom it averages over"), primary, setting)),
    )


def other_averages_table(results: Results, setting: Setting) -> Table | None:
    """Return the same of the outcomes that are not primary, for the appendix; None where there are none."""
    primary = {result.outcome for result in primary_outcomes(results.outcomes)}
    others = tuple(one for one in by_role(results.outcomes) if one.averages and one.outcome not in primary)
    caption = setting.say("The effect by whom it averages over: the other outcomes")
    return averages_table("averages-others", caption, others, setting) if others else None


def headline_words(setting: Setting) -> str:
    """Say whose effect the headline is."""
    say = setting.say
    return {
        "participant": say("The effects reported first are averages over children, each child counting equally."),
        "institution": say("The effects reported first are averages over institutions, each institution counting equally."),
    }.get(
        setting.study.estimand.average,
        say(
            "The effects reported first are the mixed model's: an institution counts by how precisely it is known, more than "
            "one alike and less than by its number of children. Where the effect goes with the size of an institution, that is "
            "neither the average over children nor that over institutions."
        ),
    )


def averages_table(key: str, caption: str, outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table:
    """Return the effects of some outcomes by whom they average over."""
    say = setting.say
    columns = (
        Column(say("Average over"), numeric=False),
        Column(say("What it weights"), numeric=False),
        Column(say("Difference ({level} interval)", level=setting.level)),
        Column(say("p-value")),
    )
    rows: list[Row] = []
    for result in outcomes:
        for i, by in enumerate(result.averages):
            name = setting.effect_label(result, i, with_wave=True)
            rows.append(group_row(name, len(columns)))
            rows += _rows(result, by, setting)
    notes: tuple[str, ...] = (
        say(
            "Standardised: the model's predictions for every institution under each arm, corrected by the institution's own "
            "mean residual over the probability of its arm by the lot; standard errors leave out one institution at a time "
            "(jackknife), with t on institutions less what differs between them in the model. It holds whether or not the model "
            "is right."
        ),
        say(
            "Children less institutions: an interval around zero does not show that the two averages agree; it may only be "
            "too wide to tell them apart."
        ),
    )
    if any(result.scale in SHARES for result in outcomes):
        notes += (say("Differences of shares are in percentage points."),)
    return Table(key, caption, columns, tuple(rows), notes)


def _rows(result: OutcomeResult, by: AverageEffects, setting: Setting) -> list[Row]:
    say = setting.say
    children, alike = say("every child alike"), say("every institution alike")
    first = say("reported first")
    named: tuple[tuple[str, str, str, Estimated], ...] = (
        ("participant", say("Children"), children, by.participant),
        ("", say("Children"), say("{whom}; least squares, CR2", whom=children), by.participant_cr2),
        ("institution", say("Institutions"), alike, by.institution),
        ("", say("Institutions"), say("{whom}; least squares weighted by one over size, CR2", whom=alike), by.institution_cr2),
        ("precision", say("Mixed model"), say("institutions by how precisely each is known"), by.precision),
        ("", say("Children less institutions"), "", by.apart),
    )
    factor = points_factor(result)
    return [
        Row((cell(name, first if average == result.average else ""), cell(whom), *_numbers(found, factor, setting)))
        for average, name, whom, found in named
    ]


def _numbers(found: Estimated, factor: float, setting: Setting) -> tuple[Cell, ...]:
    show = setting.show
    if isinstance(found, Unavailable):
        return (cell(show.reason(found), wide=2),)
    return shown_estimate(found, setting, 1 if factor == POINTS else None, factor), cell(show.p_value(found.p_value))


def attributes_table(results: Results, setting: Setting) -> Table:
    """Return what every outcome's effect is: the attributes of an estimand (ICH E9(R1))."""
    say = setting.say
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Treatment"), numeric=False),
        Column(say("Variable"), numeric=False),
        Column(say("Events after the lot"), numeric=False),
        Column(say("Summary"), numeric=False),
    )
    rows = tuple(_attributes(result, setting) for result in by_role(results.outcomes))
    notes = (
        say("Population: the children who were there {when}, in the institutions drawn.", when=setting.when),
        say("Treatment, population, variable, events after the lot and summary are the attributes of an estimand in ICH E9(R1)."),
    )
    return Table("estimands", say("What each effect is"), columns, rows, notes)


def _attributes(result: OutcomeResult, setting: Setting) -> Row:
    own = setting.study.outcome(result.outcome).estimand
    say = setting.say
    treatment = say(
        "{compared} against {reference}, as drawn, whatever was received",
        compared=", ".join(setting.compared),
        reference=setting.reference,
    )
    events = say("moving: kept with the institution drawn; joining later: not part of it")
    return Row(
        (
            cell(setting.outcome_at(result)),
            cell(_own(own.treatment, treatment, setting)),
            cell(_own(own.variable, setting.outcome_at(result), setting)),
            cell(_own(own.intercurrent, events, setting)),
            cell(_own(own.summary, _summary(result, setting), setting)),
        )
    )


def _own(declared: Texts | str, otherwise: str, setting: Setting) -> str:
    """Return an attribute in the study's words, or as the design says it."""
    if isinstance(declared, str):
        return declared or otherwise
    return setting.say.label(declared, otherwise)


def _summary(result: OutcomeResult, setting: Setting) -> str:
    say = setting.say
    ratio = {
        ("binary", "ratio"): say("ratio of shares (risk ratio)"),
        ("count", "ratio"): say("ratio of mean counts (rate ratio)"),
        ("binary", "odds-ratio"): say("odds ratio of the shares"),
        ("ordinal", "odds-ratio"): say("odds ratio of a later band"),
    }.get((result.scale, result.summary))
    measure = ratio or {
        "continuous": say("difference of means"),
        "count": say("difference of mean counts"),
        "ordinal": say("difference of the shares beyond the first band"),
    }.get(result.scale, say("difference of shares"))
    over = {"participant": say("over children"), "institution": say("over institutions")}.get(
        result.average, say("as the mixed model weights institutions")
    )
    return say("{measure}, {over}", measure=measure, over=over)
