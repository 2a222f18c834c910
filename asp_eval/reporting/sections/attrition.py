"""Who was lost between the draw and the analysis, beside the What Works Clearinghouse's two limits."""

from __future__ import annotations

from asp_eval.analysis.results import OutcomeResult, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, Column, Row, Table, cell, group_row
from asp_eval.reporting.language import as_sentence
from asp_eval.reporting.sections.outcomes import by_role, primary_outcomes
from asp_eval.reporting.setting import Setting
from asp_eval.trial.flow.attrition import LEVELS, ArmRetention, Attrition, OutcomeAttrition


def attrition_table(results: Results, setting: Setting) -> Table | None:
    """Return overall and differential attrition of the primary outcomes, of the first if none is primary; None without any."""
    mine = primary_outcomes(results.outcomes)
    return _table("attrition", setting.say("Who was lost"), mine, results, setting)


def attrition_details(results: Results, setting: Setting) -> Table | None:
    """Return the attrition of the other outcomes; None if there are none."""
    shown = {result.outcome for result in primary_outcomes(results.outcomes)}
    others = tuple(result for result in by_role(results.outcomes) if result.outcome not in shown)
    return _table("attrition-others", setting.say("Who was lost: the other outcomes"), others, results, setting)


def _table(key: str, caption: str, outcomes: tuple[OutcomeResult, ...], results: Results, setting: Setting) -> Table | None:
    losses = {loss.outcome: loss for loss in results.attrition}
    wanted = [(result, losses[result.outcome]) for result in outcomes if result.outcome in losses]
    if not wanted:
        return None
    say = setting.say
    several = len(setting.compared) > 1
    compared = say("Lost: arm compared") if several else say("Lost: {arm}", arm=setting.compared[0])
    columns = (
        Column("", numeric=False),
        Column(say("Lost: {arm}", arm=setting.reference)),
        Column(compared),
        Column(say("Lost in all")),
        Column(say("Difference in percentage points")),
        Column(say("By the cautious limit")),
        Column(say("By the optimistic limit")),
    )
    rows = [row for result, loss in wanted for row in _rows(result, loss, len(columns), setting)]
    notes = (
        _notes([loss for _, loss in wanted], setting)
        if key == "attrition"
        else (say("As in the table of the primary outcomes."),)
    )
    return Table(key, caption, columns, tuple(rows), notes)


def _rows(result: OutcomeResult, loss: OutcomeAttrition, width: int, setting: Setting) -> list[Row]:
    rows = []
    for i, found in enumerate(loss.comparisons):
        position, level = divmod(i, len(LEVELS))
        if not level:
            name = setting.outcome_at(result)
            if len(setting.compared) > 1:
                name = f"{name}, {setting.compared[position]}"
            rows.append(group_row(setting.heading(name), width))
        rows.append(_row(found, level, width, setting))
    return rows


def _row(found: Attrition | Unavailable, level: int, width: int, setting: Setting) -> Row:
    say, show = setting.say, setting.show
    name = cell((say("Institutions"), say("Children of the institutions that stayed"))[level])
    if isinstance(found, Unavailable):
        return Row((name, cell(show.reason(found), wide=width - 1)))
    return Row(
        (
            name,
            _lost(found.reference, setting),
            _lost(found.arm, setting),
            cell(show.percent(found.overall / 100, 1)),
            cell(show.decimal(found.differential)),
            _verdict(found.cautious_boundary, setting, low=found.low_cautious),
            _verdict(found.optimistic_boundary, setting, low=found.low_optimistic),
        )
    )


def _lost(arm: ArmRetention, setting: Setting) -> Cell:
    show = setting.show
    lost = arm.assigned - arm.retained
    of = show.say("{n} of {total}", n=show.integer(lost), total=show.integer(arm.assigned))
    return cell(of, show.bracketed(show.percent(lost / arm.assigned, 1)))


def _verdict(boundary: float | Unavailable, setting: Setting, *, low: bool) -> Cell:
    say, show = setting.say, setting.show
    limit = say("none allowed") if isinstance(boundary, Unavailable) else show.say("limit {n}", n=show.decimal(boundary, 1))
    return cell(say("low") if low else say("high"), limit)


def _notes(losses: list[OutcomeAttrition], setting: Setting) -> tuple[str, ...]:
    say = setting.say
    notes = [
        say(
            "Lost: at the draw, but not in the analysis. An institution stays if it handed in data of its own at the round; a "
            "child that moved away and was rated elsewhere does not keep it. Children are counted within the institutions that "
            "stayed, so that nobody is lost twice.",
        ),
        say(
            "Low: so few were lost, and so evenly, that the loss alone is unlikely to have made the arms differ much. High: it "
            "may have, and the results must be read with that in mind. Neither proves anything.",
        ),
        say(
            "The limits are an American standard, used here as a yardstick (What Works Clearinghouse, Handbook 5.0): the largest "
            "difference between two arms accepted at that loss in all. The cautious one is for interventions that may themselves "
            "make people leave, the optimistic one for those that hardly can.",
        ),
        *_joiners(losses, setting),
    ]
    reasons = dict.fromkeys(
        boundary.reason
        for loss in losses
        for found in loss.comparisons
        if isinstance(found, Attrition)
        for boundary in (found.cautious_boundary, found.optimistic_boundary)
        if isinstance(boundary, Unavailable)
    )
    return (*notes, *(as_sentence(say.note(reason)) for reason in reasons))


def _joiners(losses: list[OutcomeAttrition], setting: Setting) -> tuple[str, ...]:
    """Say what became of children who joined after the draw, the third thing the standard asks about."""
    joined = max((sum(loss.joined) for loss in losses), default=0)
    if not joined:
        return ()
    analysed = max(loss.joiners_analysed for loss in losses)
    fields = {"n": setting.show.integer(joined), "analysed": setting.show.integer(analysed)}
    return (
        setting.say(
            "Children who joined after the draw and were screened at that round: {n}; of these analysed: {analysed}.", **fields
        ),
    )
