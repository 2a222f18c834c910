"""What was found: the table of effects, and the forest plot beside it."""

from __future__ import annotations

from itertools import groupby

from asp_eval.analysis.results import Estimated, OutcomeResult, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Cell, Column, Row, Section, Table, cell, group_row
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.forest import ForestEntry, ForestFigure, forest
from asp_eval.reporting.numbers import digits_for
from asp_eval.reporting.sections.outcomes import any_adjusted, by_role, marked_label, primary_outcomes, role_name
from asp_eval.reporting.sections.pictures import institution_means
from asp_eval.reporting.sections.shares import SHARES, counts_table, shares_figure, shares_table
from asp_eval.reporting.sections.shown_estimate import shown_estimate, with_interval
from asp_eval.reporting.setting import Setting


def effects(results: Results, setting: Setting) -> Section:
    """Return what was found, in numbers; measures, shares and counts apart, that of the first primary outcome first."""
    measures = tuple(result for result in results.outcomes if result.scale == "continuous")
    others = len(measures) < len(results.outcomes)
    forest_plot = effects_figure(measures, setting)
    table = (effects_table(measures, setting),) if measures or not others else ()
    shares, counts = shares_table(results.outcomes, setting), counts_table(results.outcomes, setting)
    share_plot = shares_figure(results.outcomes, setting)
    parts = {
        "continuous": (*table, *((drawn(forest_plot),) if forest_plot else ()), *institution_means(results, setting)),
        "shares": (*((shares,) if shares else ()), *((drawn(share_plot),) if share_plot else ())),
        "count": (counts,) if counts else (),
    }
    first = primary_outcomes(results.outcomes)[0].scale
    led_by = "shares" if first in SHARES else first
    blocks = (*parts.pop(led_by), *(block for part in parts.values() for block in part))
    return Section("found", setting.say("What was found"), blocks)


def effects_table(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> Table:
    """Return the results table."""
    say, level = setting.say, setting.level
    with_means = any(result.arms for result in outcomes)
    columns = [Column(say("Outcome"), numeric=False), Column(say("Children (institutions)"))]
    if with_means:
        columns += [Column(say("{arm}: mean (SD)", arm=setting.arm_heading(arm))) for arm in setting.study.arms]
    columns += [
        Column(say("Difference ({level} interval)", level=level)),
        Column(say("p-value")),
        Column(say("Effect size ({level} interval)", level=level)),
        Column(say("ICC")),
    ]
    rows: list[Row] = []
    for role, members in groupby(by_role(outcomes), key=lambda result: result.role):
        rows.append(group_row(role_name(role, setting), len(columns)))
        rows += [row for result in members for row in _rows(result, setting, with_means=with_means)]
    notes = _notes(setting, with_means=with_means)
    return Table("effects", say("The effect on each outcome"), tuple(columns), tuple(rows), notes)


def _rows(result: OutcomeResult, setting: Setting, *, with_means: bool) -> list[Row]:
    rows = []
    for i, effect in enumerate(result.effects):
        head = [cell(setting.effect_label(result, i), _wave_and_direction(result, setting)), _numbers(result, setting)]
        if with_means:
            head += [_mean(result, arm, setting) for arm in setting.study.arms]
        rows.append(Row((*head, *_effect_cells(result, i, effect.difference, setting))))
    return rows


def _effect_cells(result: OutcomeResult, i: int, effect: Estimated, setting: Setting) -> tuple[Cell, ...]:
    say, show = setting.say, setting.show
    if isinstance(effect, Unavailable):
        return (cell(show.reason(effect), wide=4),)
    digits = digits_for(effect.std_error)
    interval = show.interval(effect.conf_low, effect.conf_high, digits) if effect.conf_low is not None else say.note(effect.note)
    return (
        cell(show.decimal(effect.estimate, digits), interval),
        cell(show.p_value(effect.p_value), _adjusted(result, i, setting)),
        _effect_size(result.effects[i].effect_size, setting),
        _icc(result, setting),
    )


def _wave_and_direction(result: OutcomeResult, setting: Setting) -> str:
    say, wave = setting.say, setting.wave(result.wave)
    return say("{wave}; lower is better", wave=wave) if result.better == "lower" else say("{wave}; higher is better", wave=wave)


def _numbers(result: OutcomeResult, setting: Setting) -> Cell:
    return cell(setting.show.integer(result.n_children), setting.show.bracketed(setting.show.integer(result.n_institutions)))


def _mean(result: OutcomeResult, key: str, setting: Setting) -> Cell:
    found, show = next((arm for arm in result.arms if arm.arm == key), None), setting.show
    if found is None or found.mean is None:
        return cell(show.decimal(None))
    return cell(show.decimal(found.mean), show.bracketed(show.decimal(found.sd)), *_adjusted_mean(result, key, setting))


def _adjusted_mean(result: OutcomeResult, key: str, setting: Setting) -> tuple[str, ...]:
    """Return the adjusted mean of an arm with its interval, if there is one."""
    show = setting.show
    mean = next((one.mean for one in result.means if one.arm == key), None)
    if mean is None or isinstance(mean, Unavailable):
        return ()
    digits = digits_for(mean.std_error)
    interval = show.bracketed(show.interval(mean.conf_low, mean.conf_high, digits))
    return (show.say("adjusted: {n} {interval}", n=show.decimal(mean.estimate, digits), interval=interval),)


def _adjusted(result: OutcomeResult, i: int, setting: Setting) -> str:
    value = adjusted_p_value(result, i)
    return "" if value is None else setting.show.say("adjusted: {n}", n=setting.show.p_value(value))


def adjusted_p_value(result: OutcomeResult, i: int) -> float | None:
    """Return the p-value adjusted within the outcome's family, None if it belongs to none."""
    adjusted = result.effects[i].adjusted_p
    return None if isinstance(adjusted, Unavailable) else adjusted


def _effect_size(size: Estimated, setting: Setting) -> Cell:
    return shown_estimate(size, setting, 2)


def _icc(result: OutcomeResult, setting: Setting) -> Cell:
    show, shown = setting.show, with_interval(result.icc, setting, 3)
    if isinstance(result.icc, Unavailable) or isinstance(result.icc_adjusted, Unavailable):
        return cell(*shown)
    value, interval = with_interval(result.icc_adjusted, setting, 3)
    if not interval:
        return cell(*shown, show.say("adjusted: {n}", n=value))
    return cell(*shown, show.say("adjusted: {n} {interval}", n=value, interval=show.bracketed(interval)))


def _notes(setting: Setting, *, with_means: bool) -> tuple[str, ...]:
    say = setting.say
    arms = {"reference": setting.reference, "compared": ", ".join(setting.compared)}
    notes = [
        say("Difference: {compared} less {reference}, on the score's own scale, adjusted as planned.", **arms),
        say(
            "Effect size: the difference divided by the total standard deviation (between and within institutions) of a model "
            "with arm and strata only.",
        ),
        say(
            "ICC: the share of the variance that lies between institutions, in a model with arm and strata only; adjusted: with"
            " all covariates.",
        ),
    ]
    if any_adjusted(setting.results.outcomes):
        notes.append(
            say(
                "Adjusted p-values take account of the outcomes tested together in the same family; the table of estimators"
                " names the method.",
            )
        )
    if with_means:
        notes.append(say("Means and standard deviations are those observed among the children analysed, without adjustment."))
        if any(result.means for result in setting.results.outcomes):
            notes.append(
                say("Adjusted means are the mixed model's, for a child with the average of the covariates, with their interval.")
            )
    return tuple(notes)


def effects_figure(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> ForestFigure | None:
    """Return the forest plot of effect sizes, or of raw differences where no effect size can be had."""
    if len(setting.study.arms) < 2 or not outcomes:
        return None
    pairs = [(result, i) for result in by_role(outcomes) for i in range(len(result.effects))]
    standardised = any(not isinstance(result.effects[i].effect_size, Unavailable) for result, i in pairs)
    entries = [_entry(result, i, setting, standardised=standardised) for result, i in pairs]
    level = setting.level
    axis_title = (
        setting.say("Effect size in standard deviations, with {level} interval", level=level)
        if standardised
        else setting.say("Difference on the score's own scale, with {level} interval", level=level)
    )
    title = setting.say("Estimated effects with their intervals")
    return forest(entries, setting.show, arms=setting.favoured, axis_title=axis_title, title=title)


def _entry(result: OutcomeResult, i: int, setting: Setting, *, standardised: bool) -> ForestEntry:
    effect = result.effects[i]
    value = effect.effect_size if standardised else effect.difference
    label = marked_label(result, i, setting)
    if isinstance(value, Unavailable):
        reason = setting.show.reason(value) if standardised else setting.say.note(value.reason)
        return ForestEntry(label, result.better, None, None, None, reason)
    return ForestEntry(label, result.better, value.estimate, value.conf_low, value.conf_high)
