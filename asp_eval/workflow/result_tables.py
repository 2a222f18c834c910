"""Results as the rows of a small table, with numbers as a language writes them."""

from __future__ import annotations

from asp_eval.analysis.results import Estimated, Results, planned_summary
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers, digits_for


def result_rows(results: Results, language: str = "en") -> list[list[str]]:
    """Return one row per effect: outcome, wave, estimate, interval, p-value, degrees of freedom, ICC, children."""
    numbers = Numbers(words_for(language))
    return [
        [
            outcome.outcome,
            outcome.wave,
            *effect_cells(planned_summary(outcome, effect), numbers),
            numbers.p_value(part_of_estimate(planned_summary(outcome, effect), "p_value")),
            numbers.degrees_of_freedom(part_of_estimate(planned_summary(outcome, effect), "df")),
            numbers.decimal(part_of_estimate(outcome.icc, "estimate"), 3),
            numbers.integer(outcome.n_children),
        ]
        for outcome in results.outcomes
        for effect in outcome.effects
    ]


def effect_cells(effect: Estimated, numbers: Numbers) -> tuple[str, str]:
    """Return an estimate and its interval, or a dash for each."""
    digits = digits_for(part_of_estimate(effect, "std_error"))
    low, high = part_of_estimate(effect, "conf_low"), part_of_estimate(effect, "conf_high")
    return numbers.decimal(part_of_estimate(effect, "estimate"), digits), numbers.interval(low, high, digits)


def part_of_estimate(number: Estimated, part: str) -> float | None:
    """Return one part of an estimate, None where there is no estimate."""
    found: float | None = None if isinstance(number, Unavailable) else getattr(number, part)
    return found
