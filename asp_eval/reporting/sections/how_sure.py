"""How sure the answer to the primary question is, in four lines by declared rules; the weakest of them is the answer.

=========  ==============================================  ==============================================  ==================
line       high                                            moderate                                        low
=========  ==============================================  ==============================================  ==================
design     20 institutions or more in each arm             5 to 19                                         fewer than 5
loss       within the cautious limit, both levels          within the optimistic limit                     beyond, or unknown
agreement  every like estimator within half a headline SE  within one                                      further
plan       locked, and unchanged since                     locked, and changed since                       not locked
=========  ==============================================  ==============================================  ==================

Agreement of estimators is stability, not confirmation: they look at the same children. Where the plan does not ask for other
estimators the line is moderate, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asp_eval.analysis.results import OutcomeResult, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Block, Column, Row, Table, cell, paragraphs
from asp_eval.reporting.sections.outcomes import primary_outcomes
from asp_eval.reporting.setting import Setting
from asp_eval.trial.flow.attrition import Attrition

Level = Literal["high", "moderate", "low"]
ORDER: tuple[Level, ...] = ("low", "moderate", "high")
ENOUGH, FEWEST = 20, 5  # institutions in each arm
CLOSE, NEAR = 0.5, 1.0  # headline standard errors
OF_THE_MODEL = ("planned", "mixed-kr", "mixed-cr2")  # whose estimate is the headline's own, where it weighs by precision


@dataclass(frozen=True, slots=True)
class Line:
    """One of the four: what is judged, how sure it makes one, and why."""

    about: str
    level: Level
    why: str


def how_sure(results: Results, setting: Setting) -> tuple[Block, ...]:
    """Return how sure the answer on the first primary outcome is: a sentence, and the four lines; nothing without a number."""
    result = next(iter(primary_outcomes(results.outcomes)), None)
    if result is None or isinstance(result.effects[0].difference, Unavailable):
        return ()
    lines = judged(results, result, setting)
    worst = min((line.level for line in lines), key=ORDER.index)
    say = setting.say
    names = {"high": say("high"), "moderate": say("moderate"), "low": say("low")}
    sentence = {
        "high": say("How sure: high on all four counts, of {outcome}.", outcome=setting.outcome_at(result)),
        "moderate": say("How sure: moderate, by the weakest of four counts, of {outcome}.", outcome=setting.outcome_at(result)),
        "low": say("How sure: low, by the weakest of four counts, of {outcome}.", outcome=setting.outcome_at(result)),
    }[worst]
    columns = (
        Column(say("Counts"), numeric=False),
        Column(say("How sure"), numeric=False),
        Column(say("Why"), numeric=False),
    )
    rows = tuple(Row((cell(line.about), cell(setting.heading(names[line.level])), cell(line.why))) for line in lines)
    note = say("Rules of this report, the same for every study; the weakest count is the sentence above.")
    return paragraphs(sentence, introduces=True), Table("sure", say("How sure the answer is"), columns, rows, (note,))


def judged(results: Results, result: OutcomeResult, setting: Setting) -> tuple[Line, ...]:
    """Return the four lines on an outcome."""
    return (
        _design(result, setting),
        _loss(results, result, setting),
        _agreement(result, setting),
        _plan(results, setting),
    )


def _design(result: OutcomeResult, setting: Setting) -> Line:
    say = setting.say
    fewest = min(flow.institutions_analysed for flow in result.analysed)
    level: Level = "high" if fewest >= ENOUGH else "moderate" if fewest >= FEWEST else "low"
    why = say("Institutions were drawn at random; the smallest arm has {n} in the analysis", n=setting.show.integer(fewest))
    return Line(say("Design"), level, why)


def _loss(results: Results, result: OutcomeResult, setting: Setting) -> Line:
    say = setting.say
    found = next((loss for loss in results.attrition if loss.outcome == result.outcome), None)
    if found is None or any(isinstance(each, Unavailable) for each in found.comparisons):
        return Line(say("Loss"), "low", say("Who was lost cannot be held against the limits"))
    losses = [each for each in found.comparisons if isinstance(each, Attrition)]
    if all(each.low_cautious for each in losses):
        return Line(say("Loss"), "high", say("Losses are within the cautious limit"))
    if all(each.low_optimistic for each in losses):
        return Line(say("Loss"), "moderate", say("Losses are within the optimistic limit, and beyond the cautious one"))
    return Line(say("Loss"), "low", say("Losses are beyond the optimistic limit"))


def _agreement(result: OutcomeResult, setting: Setting) -> Line:
    say = setting.say
    if not result.estimators:
        return Line(say("Agreement"), "moderate", say("The plan asks for no other estimators"))
    furthest = apart(result)
    if furthest is None:
        return Line(say("Agreement"), "low", say("No other estimator of the same effect gives a number"))
    level: Level = "high" if furthest <= CLOSE else "moderate" if furthest <= NEAR else "low"
    size = setting.show.decimal(furthest)
    return Line(
        say("Agreement"), level, say("The furthest estimate of the same effect is {size} standard errors away", size=size)
    )


def apart(result: OutcomeResult) -> float | None:
    """Return how far the furthest estimate of the headline's own effect is from it, in headline standard errors.

    None where no other estimator of that effect gives a number.
    """
    distances = []
    for effect in result.effects:
        headline = effect.difference
        if isinstance(headline, Unavailable) or headline.estimate is None or not headline.std_error:
            return None
        others = [row for row in result.estimators if row.arm == effect.arm and row.estimator not in OF_THE_MODEL]
        alike = [row for row in others if row.average == result.average]
        distances += [
            abs(row.result.estimate - headline.estimate) / headline.std_error
            for row in alike
            if not isinstance(row.result, Unavailable) and row.result.estimate is not None
        ]
    return max(distances) if distances else None


def _plan(results: Results, setting: Setting) -> Line:
    say, lock = setting.say, results.provenance.plan_lock
    if lock is None:
        return Line(say("Plan"), "low", say("The plan was not locked"))
    if lock.changes:
        why = say("The plan was changed after it was locked")
        return Line(say("Plan"), "moderate", why)
    return Line(say("Plan"), "high", say("The plan was locked, and is unchanged"))
