"""How numbers are shown.

1. Decimal signs, thousands and percent follow the language.  2. Halves round away from zero; what rounds to zero has no
sign; a minus is a minus sign.  3. p-values have bounds.  4. A number that is not finite never reaches a page.
5. A number that cannot be had shows its reason.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.core.errors import Refusal, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers, digits_for

DA, EN = Numbers(words_for("da")), Numbers(words_for("en"))


@pytest.mark.parametrize(
    ("value", "digits", "danish", "english"),
    [
        (1234.5, 2, "1.234,50", "1,234.50"),
        (-0.42, 2, "−0,42", "−0.42"),
        (0.125, 2, "0,13", "0.13"),
        (-0.125, 2, "−0,13", "−0.13"),
        (2.5, 0, "3", "3"),
        (-0.004, 2, "0,00", "0.00"),
        (-0.0, 1, "0,0", "0.0"),
        (1e-9, 3, "0,000", "0.000"),
        (1e6, 0, "1.000.000", "1,000,000"),
        (None, 2, "–", "–"),
        (1.005, 2, "1,01", "1.01"),
    ],
)
def test_decimals_follow_the_language_and_round_halves_away_from_zero(value, digits, danish, english):
    assert DA.decimal(value, digits) == danish
    assert EN.decimal(value, digits) == english


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0, "<\xa00.001"),
        (0.00099, "<\xa00.001"),
        (0.001, "0.001"),
        (0.0495, "0.050"),
        (0.9991, ">\xa00.999"),
        (0.999, "0.999"),
        (1.0, ">\xa00.999"),
        (None, "–"),
    ],
)
def test_p_values_have_three_decimals_and_bounds(p, shown):
    assert EN.p_value(p) == shown
    assert DA.p_value(p) == shown.replace(".", ",")


def test_p_equations_have_one_relation():
    assert EN.p_equation(0.0131) == "p\xa0=\xa00.013"
    assert EN.p_equation(0.0001) == "p\xa0<\xa00.001"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_refused(value):
    with pytest.raises(Refusal, match="REP-002"):
        EN.decimal(value)


def test_an_unavailable_number_shows_its_reason_in_the_language():
    gone = Unavailable(Phrase("the values do not vary"))
    assert EN.decimal(gone) == "not available: the values do not vary"
    assert DA.decimal(gone) == "kan ikke opgøres: værdierne varierer ikke"


@pytest.mark.parametrize(
    ("df", "shown"), [(57.0, "57"), (57.004, "57"), (56.8, "56,8"), (2391.44, "2.391,4"), (None, "–"), (float("inf"), "∞")]
)
def test_degrees_of_freedom(df, shown):
    assert DA.degrees_of_freedom(df) == shown


def test_intervals_never_use_a_dash():
    assert DA.interval(-0.75, -0.09) == "−0,75 til −0,09"
    assert EN.interval(-0.75, 0.09, 1) == "−0.8 to 0.1"
    assert EN.interval(None, 0.1) == "–"


def test_percent_levels_and_days():
    assert (DA.percent(0.125), EN.percent(0.125)) == ("13\xa0%", "13%")
    assert (DA.level(0.95), EN.level(0.975)) == ("95\xa0%", "97.5%")
    assert (DA.day("2006-09-01"), EN.day("2006-09-01")) == ("1. september 2006", "1 September 2006")
    assert EN.day("in the spring of 2006") == "in the spring of 2006"


def test_a_suppressed_count_shows_the_rule():
    assert DA.count(None, 5) == "<\xa05"
    assert DA.count(1432, 5) == "1.432"


@given(st.floats(-1e9, 1e9), st.integers(0, 6))
def test_a_shown_decimal_reads_back_within_half_a_unit(value, digits):
    shown = EN.decimal(value, digits).replace(",", "").replace("−", "-")
    assert abs(Decimal(shown) - Decimal(repr(value))) <= Decimal("0.5") * Decimal(1).scaleb(-digits)


@given(st.floats(1e-4, 1e4))
def test_rounding_never_hides_a_quarter_of_the_standard_error(std_error):
    digits = digits_for(std_error)
    assert 0 <= digits <= 6
    assert 0.5 * 10**-digits <= 0.2500001 * std_error
    assert digits >= 2 or std_error >= 5


def test_a_share_is_rounded_as_itself_and_not_as_a_hundred_times_it():
    assert 100 * 0.2875 < 28.75  # in floating point
    assert str(Numbers(words_for("en")).percent(0.2875, 1)) == "28.8%"
    assert str(Numbers(words_for("en")).percent(-0.005)) == "−1%"
