"""The planned model with a level between child and institution."""

from __future__ import annotations

from asp_eval.analysis.declared_results import Estimated, LevelResult
from asp_eval.analysis.results import OutcomeResult
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, Column, Row, Table, cell
from asp_eval.reporting.sections.outcomes import by_role
from asp_eval.reporting.sections.shown_estimate import shown_estimate
from asp_eval.reporting.setting import Setting


def levels(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> tuple[Table, ...]:
    """Return the effects and intraclass correlations with the declared levels; nothing where the plan declares none."""
    say, level = setting.say, setting.level
    rows = tuple(row for result in by_role(outcomes) for one in result.levels for row in _rows(result, one, setting))
    if not rows:
        return ()
    columns = (
        Column(say("Outcome"), numeric=False),
        Column(say("Level"), numeric=False),
        Column(say("Groups (in an institution; children in each)")),
        Column(say("Difference ({level} interval)", level=level)),
        Column(say("ICC, institutions")),
        Column(say("ICC, groups of one institution")),
        Column(say("Detectable effect (SD)")),
    )
    note = say(
        "The planned model with a random intercept for each group within its institution, by Kenward-Roger. ICC: shares of the"
        " variance with arm and strata only. Institutions were drawn, and the planned model stands as the headline.",
    )
    power = say(
        "Detectable: the effect, in total standard deviations, that a trial with this standard error finds with a power of "
        "{power}. The power of another trial takes both intraclass correlations from a stored wave: "
        "asp-eval power --learn OUTCOME@WAVE.",
        power=setting.show.percent(setting.study.power.power),
    )
    return (Table("levels", say("A level between child and institution"), columns, rows, (note, power)),)


def _rows(result: OutcomeResult, one: LevelResult, setting: Setting) -> list[Row]:
    show, rows = setting.show, []
    for i, found in enumerate(one.effects):
        head = (cell(setting.effect_label(result, i, with_wave=True)), cell(setting.say.name(one.level)))
        groups = cell(show.integer(one.groups), _each(one, setting))
        if isinstance(found, Unavailable):
            rows.append(Row((*head, groups, cell(show.reason(found), wide=4))))
            continue
        rows.append(
            Row(
                (
                    *head,
                    groups,
                    shown_estimate(found, setting),
                    _share(one.icc_institution, setting),
                    _share(one.icc_level, setting),
                    cell(show.decimal(one.detectable)),
                )
            )
        )
    return rows


def _each(one: LevelResult, setting: Setting) -> str:
    """Return groups in an institution and children in a group, in brackets; nothing where they are not known."""
    show = setting.show
    if one.groups_each is None or one.children_each is None:
        return ""
    parts = (show.decimal(one.groups_each, 1), show.decimal(one.children_each, 1))
    return show.bracketed(show.say("{one}; {other}", one=parts[0], other=parts[1]))


def _share(found: Estimated, setting: Setting) -> Cell:
    show = setting.show
    return cell(show.reason(found) if isinstance(found, Unavailable) else show.decimal(found.estimate, 3))
