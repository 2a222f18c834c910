"""The arms' means from the start to the last wave, of the first primary outcome: the small picture of page one."""

from __future__ import annotations

from asp_eval.analysis.results import OutcomeResult, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.blocks import Figure
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.trajectory import ArmMean, trajectory_figure
from asp_eval.reporting.sections.outcomes import primary_outcomes
from asp_eval.reporting.setting import Setting

NONE = ArmMean(None, None, None)


def means_figure(results: Results, setting: Setting) -> tuple[Figure, ...]:
    """Return the picture; nothing where the first primary outcome has no adjusted means.

    The start is as observed. Later waves are adjusted means of the planned models: those of the outcome, and of others that are
    the same score at another wave.
    """
    result = next(iter(primary_outcomes(results.outcomes)), None)
    if result is None or not _has_means(result):
        return ()
    arms = setting.study.arms
    own = setting.study.outcome(result.outcome)
    source = (own.score, own.column, own.scale)
    found: dict[str, dict[str, ArmMean]] = {}
    start = {arm: ArmMean(mean, None, None) for arm, mean in _at_start(result, results).items()}
    if own.baseline and start:
        found[own.baseline] = start
    for each in results.outcomes:
        other = setting.study.outcome(each.outcome)
        if (
            (other.score, other.column, other.scale) == source
            and _has_means(each)
            and (each is result or each.wave != result.wave)
        ):
            found[each.wave] = _adjusted(each)
    waves = [wave for wave in setting.study.wave_ids if wave in found]
    lines = [(setting.heading(setting.arm(arm)), [found[wave].get(arm, NONE) for wave in waves]) for arm in arms]
    title = setting.say("{outcome}: adjusted means of the arms", outcome=setting.outcome(result))
    if own.baseline in found:
        title = setting.say("{outcome}: means of the arms, adjusted after the start", outcome=setting.outcome(result))
    called = [setting.heading(setting.wave(wave)) for wave in waves]
    return (drawn(trajectory_figure(called, lines, setting.show, key="trajectory--means", title=title)),)


def _has_means(result: OutcomeResult) -> bool:
    return any(not isinstance(one.mean, Unavailable) for one in result.means)


def _adjusted(result: OutcomeResult) -> dict[str, ArmMean]:
    return {
        one.arm: ArmMean(one.mean.estimate, one.mean.conf_low, one.mean.conf_high)
        for one in result.means
        if not isinstance(one.mean, Unavailable)
    }


def _at_start(result: OutcomeResult, results: Results) -> dict[str, float]:
    """Return each arm's mean at the start, as the baseline table has it."""
    rows = [row for row in results.baseline if row.unit == "child" and row.variable == result.outcome and not row.level]
    return {arm.arm: arm.mean for row in rows for arm in row.arms if arm.mean is not None}
