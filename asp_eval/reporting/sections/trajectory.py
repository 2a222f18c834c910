"""The arms from the start to the last wave, by the first primary outcome: the small picture of page one.

Of a measure, and of a count, it shows means; of a yes or no, and of bands, the share that the arms are compared by.
"""

from __future__ import annotations

from asp_eval.analysis.rare_outcomes import IN_WHOLE_PERCENT
from asp_eval.analysis.results import Estimated, OutcomeResult, Results
from asp_eval.reporting.blocks import Figure
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.trajectory import ArmMean, trajectory_figure
from asp_eval.reporting.sections.outcomes import primary_outcomes
from asp_eval.reporting.sections.shares import first_category, points_factor, share_compared
from asp_eval.reporting.setting import Setting
from asp_eval.stats.estimate import Estimate

NONE = ArmMean(None, None, None)
SMALL = 128.0  # the height of its plot, for page one to hold it


def means_figure(results: Results, setting: Setting) -> tuple[Figure, ...]:
    """Return the picture; nothing where the first primary outcome has no adjusted means or shares.

    The start of a measure is as observed. Later waves are adjusted by the planned models: those of the outcome, and of others
    that are the same score at another wave.
    """
    result = next(iter(primary_outcomes(results.outcomes)), None)
    if result is None or not _adjusted(result, setting):
        return ()
    own = setting.study.outcome(result.outcome)
    found: dict[str, dict[str, Estimate]] = {}
    shown = []
    for each in results.outcomes:
        other = setting.study.outcome(each.outcome)
        same = all(getattr(other, name) == getattr(own, name) for name in ("score", "column", "scale", "cut", "above"))
        if same and (each is result or each.wave != result.wave) and (adjusted := _adjusted(each, setting)):
            found[each.wave] = adjusted
            shown.append(setting.outcome(each))
    factor = points_factor(result)
    start = {arm: ArmMean(mean, None, None) for arm, mean in _at_start(result, results).items()}
    at = {own.baseline: start} if own.baseline and start else {}
    at |= {wave: {arm: _scaled(one, factor) for arm, one in arms.items()} for wave, arms in found.items()}
    waves = [wave for wave in setting.study.wave_ids if wave in at]
    lines = [(setting.arm_heading(arm), [at[wave].get(arm, NONE) for wave in waves]) for arm in setting.study.arms]
    exact = all(one.note != IN_WHOLE_PERCENT for arms in found.values() for one in arms.values())
    figure = trajectory_figure(
        [setting.heading(setting.wave(wave)) for wave in waves],
        lines,
        setting.show,
        key="trajectory--means",
        title=_title(result, ", ".join(dict.fromkeys(shown)), setting, from_start=own.baseline in at),
        digits=2 if factor == 1.0 else 1 if exact else 0,
        height=SMALL,
    )
    return (drawn(figure),)


def _title(result: OutcomeResult, called: str, setting: Setting, *, from_start: bool) -> str:
    """Return what stands over the picture, by what the outcomes in it are called."""
    say, outcome = setting.say, setting.heading(called)
    if result.scale == "binary":
        return say("{outcome}: adjusted share of children in the arms, percent", outcome=outcome)
    if result.scale == "ordinal":
        band = first_category(result, setting)
        return say('{outcome}: adjusted share of children beyond the band "{band}", percent', outcome=outcome, band=band)
    if from_start:
        return say("{outcome}: means of the arms, adjusted after the start", outcome=outcome)
    return say("{outcome}: adjusted means of the arms", outcome=outcome)


def _adjusted(result: OutcomeResult, setting: Setting) -> dict[str, Estimate]:
    """Return what the planned model says of each arm by itself: a mean, or the share that is compared."""
    arms = setting.study.arms
    told: dict[str, Estimated] = {one.arm: one.mean for one in result.means}
    told |= {arm: share for arm in arms if (share := share_compared(result, arm)) is not None}
    return {arm: one for arm, one in told.items() if isinstance(one, Estimate) and one.estimate is not None}


def _scaled(one: Estimate, factor: float) -> ArmMean:
    value, low, high = (None if each is None else factor * each for each in (one.estimate, one.conf_low, one.conf_high))
    return ArmMean(value, low, high)


def _at_start(result: OutcomeResult, results: Results) -> dict[str, float]:
    """Return each arm's mean of a measure at the start, as the baseline table has it."""
    if result.scale != "continuous":
        return {}
    rows = [row for row in results.baseline if row.unit == "child" and row.variable == result.outcome and not row.level]
    return {arm.arm: arm.mean for row in rows for arm in row.arms if arm.mean is not None}
