"""Pictures of numbers that tables have already: institution means, intraclass correlations, precision, who was not screened."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.results import Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Figure
from asp_eval.reporting.figures.dots import DotRow, dots_figure
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.missing_map import MapArm, missing_map
from asp_eval.reporting.sections.outcomes import by_role, primary_outcomes
from asp_eval.reporting.setting import Setting


def institution_means(results: Results, setting: Setting) -> Iterator[Figure]:
    """Yield, for every primary outcome that is a measure, the means of institutions by arm; none is named."""
    say = setting.say
    for result in primary_outcomes(results.outcomes):
        rows = [DotRow(setting.arm_heading(one.arm), one.mean, points=one.means) for one in result.institution_means if one.means]
        if rows:
            title = say("{outcome}: means of institutions by arm", outcome=setting.outcome_at(result))
            axis = say("Mean of an institution's children (◆: mean of these)")
            key = f"dots--means-{result.outcome}"
            yield drawn(dots_figure(rows, setting.show, key=key, title=title, axis_title=axis))


def icc_figure(results: Results, setting: Setting) -> tuple[Figure, ...]:
    """Return the intraclass correlation of every outcome with its interval; nothing where none can be had."""
    rows = []
    for result in by_role(results.outcomes):
        name, found = setting.outcome_at(result), result.icc
        if isinstance(found, Unavailable):
            rows.append(DotRow(name, None, reason=setting.show.reason(found)))
        else:
            rows.append(DotRow(name, found.estimate, found.conf_low, found.conf_high))
    if all(row.value is None for row in rows):
        return ()
    title = setting.say("How alike children of one institution are (ICC)")
    axis = setting.say("ICC, with {level} interval", level=setting.level)
    planned = [(setting.say("planned"), value) for value in setting.study.power.icc[:1]]
    figure = dots_figure(
        rows, setting.show, key="dots--icc", title=title, axis_title=axis, digits=3, held_against=planned, zero=True
    )
    return (drawn(figure),)


def power_figure(results: Results, setting: Setting) -> tuple[Figure, ...]:
    """Return the effect that each outcome's precision can detect, beside the effect that was planned for."""
    rows = [
        DotRow(setting.outcome_at(result), result.realised.detectable)
        for result in by_role(results.outcomes)
        if result.realised is not None and result.realised.detectable is not None
    ]
    if not rows:
        return ()
    planned = [(setting.say("planned"), value) for value in setting.study.power.effect[:1]]
    title = setting.say("The effect that the trial could detect")
    if planned:
        title = setting.say("The effect that the trial could detect, beside the one it was planned for")
    axis = setting.say("Detectable effect (SD)")
    figure = dots_figure(rows, setting.show, key="dots--power", title=title, axis_title=axis, held_against=planned, zero=True)
    return (drawn(figure),)


def missing_figure(results: Results, setting: Setting) -> tuple[Figure, ...]:
    """Return the map of who was not screened and why; nothing where no child was ever missing."""
    say = setting.say
    names = {
        "institution_closed": say("institution closed"),
        "institution_silent": say("institution without data"),
        "unanswered": say("listed without answers"),
        "unlisted": say("not listed"),
    }
    arms = results.flow.arms
    met = [key for key in names if any(getattr(wave.not_screened, key) for arm in arms for wave in arm.waves)]
    if not met or not all(arm.cohort for arm in arms):
        return ()
    mapped = [
        MapArm(
            setting.arm_heading(arm.arm),
            tuple((names[key], tuple(getattr(wave.not_screened, key) / arm.cohort for wave in arm.waves)) for key in met),
        )
        for arm in arms
    ]
    rounds = [setting.heading(setting.wave(wave.wave)) for wave in arms[0].waves]
    title = say("Share of the cohort not screened, by reason and round")
    return (drawn(missing_map(mapped, rounds, setting.show, key="missing-map", title=title)),)
