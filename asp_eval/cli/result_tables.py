"""Results as a terminal of 80 columns shows them."""

from __future__ import annotations

from asp_eval.analysis.results import Estimated, Results
from asp_eval.core.errors import Unavailable
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers, digits_for

RESULT_COLUMNS = ("outcome", "at", "estimate", "interval", "p", "df", "ICC", "children")


def result_rows(results: Results) -> list[list[str]]:
    """Return one row per effect: what `analyse` prints."""
    numbers = Numbers(words_for("en"))
    return [
        [
            outcome.outcome,
            outcome.wave,
            *effect_cells(effect.difference),
            numbers.p_value(_of(effect.difference, "p_value")),
            numbers.degrees_of_freedom(_of(effect.difference, "df")),
            numbers.decimal(_of(outcome.icc, "estimate"), 3),
            numbers.integer(outcome.n_children),
        ]
        for outcome in results.outcomes
        for effect in outcome.effects
    ]


def effect_cells(effect: Estimated) -> tuple[str, str]:
    """Return an estimate and its interval, or a dash for each."""
    numbers, digits = Numbers(words_for("en")), digits_for(_of(effect, "std_error"))
    low, high = _of(effect, "conf_low"), _of(effect, "conf_high")
    return numbers.decimal(_of(effect, "estimate"), digits), numbers.interval(low, high, digits)


def _of(number: Estimated, part: str) -> float | None:
    """Return one part of an estimate, None where there is no estimate."""
    found: float | None = None if isinstance(number, Unavailable) else getattr(number, part)
    return found
