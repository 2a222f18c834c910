"""What the lot alone could have given: the statistic under every allocation, and where the observed one lies."""

from __future__ import annotations

from collections.abc import Iterator

from asp_eval.analysis.declared_results import LotDistribution
from asp_eval.analysis.results import OutcomeResult
from asp_eval.reporting.blocks import Block, paragraphs
from asp_eval.reporting.figures.drawing import drawn
from asp_eval.reporting.figures.histogram import lot_histogram
from asp_eval.reporting.sections.outcomes import primary_outcomes
from asp_eval.reporting.setting import Setting


def by_the_lot(outcomes: tuple[OutcomeResult, ...], setting: Setting) -> tuple[Block, ...]:
    """Return the primary outcomes' statistics under the lot, in words and as pictures; nothing where none are known."""
    return tuple(block for result in primary_outcomes(outcomes) for lot in result.lot for block in _blocks(result, lot, setting))


def _blocks(result: OutcomeResult, lot: LotDistribution, setting: Setting) -> Iterator[Block]:
    say = setting.say
    position = [effect.arm for effect in result.effects].index(lot.arm)
    name = setting.effect_label(result, position, with_wave=True)
    words = _words(name, lot, setting)
    yield paragraphs(words, introduces=True)
    key = f"histogram--lot-{result.outcome}" + (f"-{lot.arm}" if len(result.effects) > 1 else "")
    title = say("{outcome}: the statistic under other draws of the lot, and the observed one", outcome=name)
    yield drawn(lot_histogram(lot, setting.show, key=key, title=title, description=words, axis_title=_axis(lot, setting)))


def _words(name: str, lot: LotDistribution, setting: Setting) -> str:
    """Say how many allocations gave as large a statistic, and what the p-value makes of them."""
    say, show = setting.say, setting.show
    told = {
        "outcome": name,
        "observed": show.decimal(lot.statistic),
        "large": show.integer(lot.as_large),
        "draws": show.integer(lot.draws),
        "share": show.percent(lot.as_large / lot.draws, 1),
        "p": show.p_equation(lot.p_value),
    }
    if lot.enumerated:
        said = say(
            "{outcome}: of all {draws} allocations that the lot could have given, {large} ({share}) give a statistic as far from"
            " zero as the observed {observed}, or further; the observed allocation is one of them."
            " This share is the p-value: {p}.",
            **told,
        )
    else:
        said = say(
            "{outcome}: of {draws} allocations drawn anew by the rules of the lot, {large} ({share}) give a statistic as far from"
            " zero as the observed {observed}, or further. The p-value counts the observed allocation as one more: {p}.",
            **told,
        )
    if lot.inestimable:
        lost = say("{n} of them leave the effect inestimable, and count as further.", n=show.integer(lot.inestimable))
        return f"{said} {lost}"
    return said


def _axis(lot: LotDistribution, setting: Setting) -> str:
    """Say what the statistic is."""
    say = setting.say
    return {
        "model": say("Difference divided by its standard error"),
        "cluster-means": say("Difference between means of institutions, divided by its standard error"),
        "score": say("Score of the compared arm, divided by its standard deviation"),
    }[lot.kind]
