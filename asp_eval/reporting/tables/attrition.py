"""Who was lost between the draw and the analysis, beside the What Works Clearinghouse's two limits."""

from __future__ import annotations

from asp_eval.analysis.results import Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.language import as_sentence
from asp_eval.reporting.setting import Setting
from asp_eval.reporting.views import Cell, Column, Row, Table, cell
from asp_eval.trial.flow.attrition import LEVELS, ArmRetention, Attrition


def attrition_table(results: Results, setting: Setting) -> Table | None:
    """Return overall and differential attrition at both levels, None if none was worked out."""
    if not results.attrition:
        return None
    say = setting.say
    several = len(setting.compared) > 1
    compared = say("Lost: arm compared") if several else say("Lost: {arm}", arm=setting.compared[0])
    columns = (
        Column("", numeric=False), Column(say("Lost: {arm}", arm=setting.reference)), Column(compared),
        Column(say("Lost in all")), Column(say("Difference in percentage points")),
        Column(say("By the cautious limit")), Column(say("By the optimistic limit")),
    )  # fmt: skip
    rows: list[Row] = []
    for i, found in enumerate(results.attrition):
        position, level = divmod(i, len(LEVELS))
        if several and not level:
            rows.append(Row((cell(setting.heading(setting.compared[position]), wide=len(columns)),), group=True))
        rows.append(_row(found, level, len(columns), setting))
    return Table("attrition", say("Who was lost"), columns, tuple(rows), _notes(results, setting))


def _row(found: Attrition | Unavailable, level: int, width: int, setting: Setting) -> Row:
    say, show = setting.say, setting.show
    name = cell((say("Institutions"), say("Children of the institutions that stayed"))[level])
    if isinstance(found, Unavailable):
        return Row((name, cell(show.reason(found), wide=width - 1)))
    return Row((
        name, _lost(found.reference, setting), _lost(found.arm, setting), cell(show.percent(found.overall / 100, 1)),
        cell(show.decimal(found.differential)), _verdict(found.cautious_boundary, setting, low=found.low_cautious),
        _verdict(found.optimistic_boundary, setting, low=found.low_optimistic),
    ))  # fmt: skip


def _lost(arm: ArmRetention, setting: Setting) -> Cell:
    say, show = setting.say, setting.show
    lost = arm.assigned - arm.retained
    of = say("{n} of {total}", n=show.integer(lost), total=show.integer(arm.assigned))
    return cell(of, f"({show.percent(lost / arm.assigned, 1)})")


def _verdict(boundary: float | Unavailable, setting: Setting, *, low: bool) -> Cell:
    say = setting.say
    limit = say("none allowed") if isinstance(boundary, Unavailable) else say("limit {n}", n=setting.show.decimal(boundary, 1))
    return cell(say("low") if low else say("high"), limit)


def _notes(results: Results, setting: Setting) -> tuple[str, ...]:
    say = setting.say
    outcome = next((result for result in results.outcomes if result.role == "primary"), results.outcomes[0])
    notes = [
        say(
            "Lost: at the draw, but not in the analysis of {outcome}. An institution stays if at least one of its children is "
            "analysed; children of lost institutions are not counted a second time.",
            outcome=setting.outcome_at(outcome),
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
    ]  # fmt: skip
    reasons = dict.fromkeys(
        boundary.reason for found in results.attrition if isinstance(found, Attrition)
        for boundary in (found.cautious_boundary, found.optimistic_boundary) if isinstance(boundary, Unavailable)
    )  # fmt: skip
    return (*notes, *(as_sentence(say.note(reason)) for reason in reasons))
