"""Results as a terminal of 80 columns shows them."""

from __future__ import annotations

from asp_eval.analysis.results import Results
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers, digits_for
from asp_eval.stats.estimate import Estimate

RESULT_COLUMNS = ("outcome", "at", "estimate", "interval", "p", "df", "ICC", "children")


def result_rows(results: Results) -> list[list[str]]:
    """Return one row per effect: what `analyse` prints."""
    numbers = Numbers(words_for("en"))
    return [
        [
            outcome.outcome,
            outcome.wave,
            *effect_cells(effect),
            numbers.p_value(effect.p_value),
            numbers.degrees_of_freedom(effect.df),
            numbers.decimal(outcome.icc if isinstance(outcome.icc, float) else None, 3),
            numbers.integer(outcome.n_children),
        ]
        for outcome in results.outcomes
        for effect in outcome.effects
    ]


def effect_cells(effect: Estimate) -> tuple[str, str]:
    """Return an estimate and its interval."""
    numbers, digits = Numbers(words_for("en")), digits_for(effect.std_error)
    return numbers.decimal(effect.estimate, digits), numbers.interval(effect.conf_low, effect.conf_high, digits)
