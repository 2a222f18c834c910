"""All waves of a score in one model: the effect at each wave, how it changed, and the arms' way through the waves."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.declared_results import AllWaves, Estimated, WaveEffect
from asp_eval.analysis.results import Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Block, Column, Figure, Row, Table, cell, group_row, paragraphs
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.trajectory import ArmMean, trajectory_figure
from asp_eval.reporting.sections.outcomes import primary_outcomes
from asp_eval.reporting.sections.shown_estimate import shown_estimate
from asp_eval.reporting.setting import Setting
from asp_eval.stats.estimate import JointTest


def waves(results: Results, setting: Setting) -> tuple[Block, ...]:
    """Return what all waves together say; nothing where the plan asks for no such model."""
    if not results.waves:
        return ()
    say = setting.say
    about = say(
        "All waves of a score are analysed together as well. The arms have one mean before the intervention, as the lot makes"
        " them, and a child without the score at some wave still counts with the waves it has.",
    )
    tables = (_effects_table(results, setting), _means_table(results, setting))
    return (paragraphs(about, introduces=True), *tables, *_figures(results, setting))


def _figures(results: Results, setting: Setting) -> Iterator[Figure]:
    """Yield the arms' way through the waves, of every primary outcome's score; of the others the table has the numbers."""
    primary = {result.outcome for result in primary_outcomes(results.outcomes)}
    for one in results.waves:
        names = list(dict.fromkeys(part.wave for part in one.means))
        found = {(part.arm, part.wave): part.mean for part in one.means}
        arms = [(setting.arm_heading(arm), [_mean(found[arm, wave]) for wave in names]) for arm in setting.study.arms]
        if one.outcome in primary and any(mean.value is not None for _, means in arms for mean in means):
            waves_called = [setting.heading(setting.wave(wave)) for wave in names]
            title = setting.say("{outcome}: mean at each wave", outcome=setting.say.label(one.label, one.outcome))
            key = f"trajectory--{one.outcome}"
            yield drawn(trajectory_figure(waves_called, arms, setting.show, key=key, title=title))


def _mean(found: Estimated) -> ArmMean:
    if isinstance(found, Unavailable):
        return ArmMean(None, None, None)
    return ArmMean(found.estimate, found.conf_low, found.conf_high)


def _effects_table(results: Results, setting: Setting) -> Table:
    """Return the effects wave by wave."""
    say, level = setting.say, setting.level
    columns = (
        Column(say("Wave"), numeric=False),
        Column(say("Difference ({level} interval)", level=level)),
        Column(say("df")),
        Column(say("p-value")),
    )
    rows: list[Row] = []
    for one in results.waves:
        rows.append(group_row(_heading(one, setting), len(columns)))
        rows += [_effect(part, setting) for part in one.effects]
        rows += [_joint(test, i, setting) for i, test in enumerate(one.joint)]
        if not one.effects:
            reason = "; ".join(say.note(note) for note in one.notes)
            rows.append(Row((cell(say("all waves")), cell(say("not available: {reason}", reason=reason), wide=3))))
    notes = (
        say(
            "Linear mixed model with institution, institution by wave and child as random, by REML with Kenward-Roger. Children"
            " whose score is missing at a wave are taken to resemble, given their other waves, those who have it.",
        ),
        say(
            "This model ties the slope on the score at the start to the ratio of its variances, and the planned model estimates"
            " that slope: the two need not give the same number.",
        ),
    )
    return Table("waves", say("The effect at each wave, from one model of all waves"), columns, tuple(rows), notes)


def _heading(one: AllWaves, setting: Setting) -> str:
    say, show = setting.say, setting.show
    return say(
        "{outcome}: {children} in {institutions}",
        outcome=say.label(one.label, one.outcome),
        children=show.children(one.n_children),
        institutions=show.institutions(one.n_institutions),
    )


def _effect(part: WaveEffect, setting: Setting) -> Row:
    say = setting.say
    name = setting.wave(part.wave)
    if part.since:
        name = say("{wave} less {since}", wave=name, since=setting.wave(part.since))
    if len(setting.study.arms) > 2:
        name = f"{name}, {setting.arm(part.arm)}"
    found = part.difference
    if isinstance(found, Unavailable):
        return Row((cell(name), cell(setting.show.reason(found), wide=3)))
    df, p = setting.show.degrees_of_freedom(found.df), setting.show.p_value(found.p_value)
    return Row((cell(setting.heading(name)), shown_estimate(found, setting), cell(df), cell(p)))


def _joint(test: JointTest, position: int, setting: Setting) -> Row:
    """Return the test that an arm has no effect at any wave."""
    say, show = setting.say, setting.show
    name = say("No effect at any wave")
    if len(setting.study.arms) > 2:
        name = f"{name}, {setting.compared[position]}"
    if test.statistic is None or test.df_numerator is None:
        return Row((cell(name), cell(say("not available: {reason}", reason=say.note(test.note)), wide=3)))
    df = show.say(
        "{one} and {other}",
        one=show.degrees_of_freedom(test.df_numerator),
        other=show.degrees_of_freedom(test.df_denominator),
    )
    return Row(
        (cell(name), cell(show.say("F = {f}", f=show.decimal(test.statistic))), cell(df), cell(show.p_value(test.p_value)))
    )


def _means_table(results: Results, setting: Setting) -> Table:
    """Return the adjusted means of the arms, wave by wave."""
    say, level = setting.say, setting.level
    arms = setting.study.arms
    columns = (
        Column(say("Wave"), numeric=False),
        *(Column(say("{arm}: mean ({level} interval)", arm=setting.arm_heading(arm), level=level)) for arm in arms),
    )
    rows: list[Row] = []
    for one in results.waves:
        rows.append(group_row(say.label(one.label, one.outcome), len(columns)))
        for wave in dict.fromkeys(part.wave for part in one.means):
            found = {part.arm: part.mean for part in one.means if part.wave == wave}
            cells = (shown_estimate(found[arm], setting) for arm in arms)
            rows.append(Row((cell(setting.heading(setting.wave(wave))), *cells)))
    note = say("Adjusted means: of a child with the average of the covariates among the children analysed.")
    return Table("waves-means", say("The arms' way through the waves"), columns, tuple(rows), (note,))
