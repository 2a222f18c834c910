"""The analyses that the plan declares beside its primary models, by the question they answer."""

from __future__ import annotations

from asp_eval.analysis.results import Results
from asp_eval.reporting.blocks import Block, Section
from asp_eval.reporting.sections.by_the_lot import by_the_lot
from asp_eval.reporting.sections.compliance import compliance
from asp_eval.reporting.sections.estimators import estimators
from asp_eval.reporting.sections.levels import levels
from asp_eval.reporting.sections.missing_outcomes import missing_outcomes
from asp_eval.reporting.sections.model_checks import checks_table, realised_table
from asp_eval.reporting.sections.pictures import icc_figure, power_figure
from asp_eval.reporting.sections.simultaneous import simultaneous
from asp_eval.reporting.sections.subgroups import subgroups
from asp_eval.reporting.sections.waves import waves
from asp_eval.reporting.setting import Setting


def all_waves(results: Results, setting: Setting) -> Section | None:
    """Return what all waves say together; None where the plan does not ask for it."""
    return _section("waves-together", setting.say("All waves together"), waves(results, setting))


def groups(results: Results, setting: Setting) -> Section | None:
    """Return the effects in groups; None where the plan declares none."""
    return _section("groups", setting.say("Effects in groups"), subgroups(results.outcomes, setting))


def robustness(results: Results, setting: Setting) -> Section | None:
    """Return whether the answer holds: by other estimators, of missing data, of who took part, and of the model itself."""
    say, outcomes = setting.say, results.outcomes
    parts = (
        _section("triangulation", say("By other estimators"), estimators(outcomes, setting)),
        _section("by-the-lot", say("By the lot itself"), by_the_lot(outcomes, setting)),
        _section("together-intervals", say("Several outcomes at once"), simultaneous(outcomes, setting)),
        _section("missing", say("Missing outcomes"), missing_outcomes(results, setting)),
        _section("compliance", say("Those who took the intervention"), compliance(outcomes, setting)),
        _section("levels-between", say("A level between child and institution"), levels(outcomes, setting)),
        _section("checks", say("Checks of the models, and the design as it came out"), _checks(results, setting)),
    )
    found = tuple(part for part in parts if part is not None)
    return Section("robust", say("How sure: whether the answer holds"), (), found) if found else None


def _checks(results: Results, setting: Setting) -> tuple[Block, ...]:
    checks, realised = checks_table(results, setting), realised_table(results, setting)
    return (
        *((checks,) if checks else ()),
        *icc_figure(results, setting),
        *((realised, *power_figure(results, setting)) if realised else ()),
    )


def _section(anchor: str, title: str, blocks: tuple[Block, ...]) -> Section | None:
    return Section(anchor, title, blocks) if blocks else None
