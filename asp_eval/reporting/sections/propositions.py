"""Propositions of a study, and what staff's answers say of them: slopes where another scale is low and high."""

from __future__ import annotations

from asp_eval.analysis.process.results import ProcessResults, PropositionResult
from asp_eval.reporting.blocks import Callout, Column, Row, Section, Table, cell, paragraphs
from asp_eval.reporting.sections.shown_estimate import shown_estimate
from asp_eval.reporting.setting import Setting


def propositions(found: ProcessResults, setting: Setting) -> Section | None:
    """Return the propositions, one line each; None where no staff questionnaire can speak of any."""
    say = setting.say
    if not found.propositions:
        return None
    columns = (
        Column(say("Proposition"), numeric=False),
        Column(say("Staff")),
        Column(say("Slope where it is low")),
        Column(say("Slope where it is high")),
        Column(say("Difference of the slope")),
    )
    rows = tuple(_row(each, setting) for each in found.propositions)
    level = setting.level
    notes = (
        say(
            "Slope: points of the scale named first for ten points of the second, the third being one standard deviation below "
            "and above its mean."
        ),
        say("Difference of the slope: for ten points of the third scale. {level} intervals (Kenward-Roger).", level=level),
        say("Mixed model with arm and strata and a random intercept of the institution; not adjusted for many tests."),
    )
    caution = Callout(
        "caution",
        paragraphs(
            say(
                "The same people answered all three scales at the same time. What follows are associations, not effects; that an "
                "answer fits a proposition does not show that it is right."
            )
        ),
        mark=say("Caution"),
    )
    title = say("Propositions, held against staff's answers")
    return Section("propositions", title, (caution, Table("slopes", title, columns, rows, notes, breaks=True)))


def _row(each: PropositionResult, setting: Setting) -> Row:
    say, show = setting.say, setting.show
    first, second = (say.label(title) for title in each.scales)
    on, wave = say.label(each.on), setting.wave(each.wave)
    about = say("{on}, on {first}, by {second}; {wave}", on=on, first=first, second=second, wave=wave)
    return Row(
        (
            cell(say.label(each.text, each.key), about),
            cell(show.integer(each.respondents), show.institutions(each.institutions)),
            shown_estimate(each.at_low, setting),
            shown_estimate(each.at_high, setting),
            shown_estimate(each.interaction, setting),
        )
    )
