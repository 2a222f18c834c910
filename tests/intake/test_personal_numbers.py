"""Personal numbers are known by their digits, however they are written; what only looks like one is left alone."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.intake.identifiers import masked
from asp_eval.intake.personal_numbers import holding_personal_numbers, is_personal_number, lacks_its_zero, personal_number

SPELLINGS = {  # of 1 February 2003, 4567: a person that there is not
    "010203-4567": "as on the card",
    "0102034567": "digits alone",
    "010203 4567": "a space",
    "010203  4567": "two spaces",
    "010203\u00a04567": "a space that does not break",
    "010203\u20134567": "a dash",
    "010203 - 4567": "a hyphen between spaces",
    "010203_4567": "an underscore",
    "010203/4567": "a stroke",
    "010203.4567": "a point",
    "010203:4567": "a colon",
    "010203\u200b-\u200b4567": "signs that cannot be seen",
    "01 02 03 4567": "pairs",
    "01 02 03 45 67": "pairs throughout",
    "0102 03-4567": "a gap inside the day",
    "010 203 4567": "threes",
    "0 1 0 2 0 3 4 5 6 7": "a box for each digit",
    "01.02.03-4567": "the day with points",
    "01/02/03-4567": "the day with strokes",
    "01-02-03-4567": "the day with hyphens",
    "1.2.03-4567": "the day without zeros",
    "10203-4567": "without its leading zero",
    "cpr 010203-4567": "a word before it",
    "CPR:0102034567": "a word and a colon",
    "cpr0102034567": "letters before it",
    "0102034567b": "letters after it",
    "a0102034567b": "letters around it",
    "id_0102034567": "an underscore before it",
    "0102034567.0": "read as a number",
    "0102034567,00": "read as an amount",
    "1) 010203-4567": "in a list",
    "010203-4567, 020304-5678": "two of them",
    "010203-4567 tlf. 12 34 56 78": "before a telephone number",
    "1.312.011.234": "as a spreadsheet writes large numbers",
}
LOOK_ALIKES = {
    "320203-4567": "no such day",
    "001203-4567": "day 0",
    "011303-4567": "month 13",
    "310403-4567": "31 April",
    "290201-0567": "no leap year",
    "290200-0567": "1900 was none",
    "010203-45678": "eleven digits",
    "9010203-4567": "seven first",
    "2006-09-01": "a date",
    "2006-09-01 10:10:00": "a moment",
    "2006-09-01T10:10:00.000": "a moment of a system",
    "01.02.2006 10:15": "a Danish moment",
    "1.10.2006 1:15": "a moment without zeros",
    "01.02.06 10:15": "a short moment",
    "01.02.06 1015": "a moment without a colon",
    "01-09-2006 1015": "a moment with hyphens",
    "20060901101500": "a stamp",
    "2006-09-01 10": "a day and an hour",
    "12.10-15.10.06": "days from and to",
    "10:15-11:30, 12": "times",
    "+45 12 34 56 78": "a telephone number",
    "+4512345678": "the same",
    "004512345678": "the same",
    "12 34 56 78": "the same",
    "+44 20 7946 0958": "a British one",
    "+1 212 555 0100": "an American one",
    "10 12 34 56 / 10 12 34 57": "two of them",
    "0.0102034567": "a fraction",
    "12,0102034567": "a decimal number",
    "0102034567.25": "an amount",
    "13.12011234": "a score",
    "1,312011234": "a score with a comma",
    "1234567890": "month 34",
    "1157100000": "a time of Unix",
    "007": "an id",
    "A1-0102": "an id",
    "10203x4567": "a letter between",
    "010203": "a birthday",
    "102034567": "nine digits alone",
    "3fa85f64-5717-4562-b3fc-2c963f66afa6": "a UUID",
    "aaaa0102-0345-67ab-b3fc-2c963f66afa6": "a UUID with a day in it",
    "k66687aadf862-ab0102034567ab0102034567abababab": "a pseudonym",
    "55.676098, 12.101234": "where a place is",
    "": "nothing",
}


@pytest.mark.parametrize("text", SPELLINGS, ids=SPELLINGS.values())
def test_a_personal_number_is_found_however_it_is_written(text):
    digits = personal_number(text)
    assert digits == ("1312011234" if text.startswith("1.312") else "0102034567")
    assert "4567" not in masked(text).replace("5678", "")
    assert "1.234" not in masked(text)


@pytest.mark.parametrize("text", LOOK_ALIKES, ids=LOOK_ALIKES.values())
def test_what_cannot_be_one_is_left_alone(text):
    assert personal_number(text) is None
    assert masked(text) == text


def test_the_tables_are_of_thirty_and_more():
    assert min(len(SPELLINGS), len(LOOK_ALIKES)) >= 30


@pytest.mark.parametrize("text", [text for text in SPELLINGS if not any(sign.isalpha() for sign in text)])
def test_every_spelling_of_one_number_alone_is_the_same_id(text):
    alone = not text.startswith(("1)", "010203-4567,"))
    assert (is_personal_number(text) is not None) == alone


@pytest.mark.parametrize(
    ("texts", "held"),
    [
        (["102034567"], [True]),
        (["102034567.0", "", "0203045678"], [True, False, True]),
        (["102034567", "481634567", "777777777"], [False, False, False]),  # a counter: one in nine is a day by chance
        (["102034567", "202034567", "777777777"], [True, True, False]),
        (["12345678", "1234567890"], [False, False]),
    ],
)
def test_a_lost_zero_is_seen_in_the_company_of_a_column(texts, held):
    assert holding_personal_numbers(texts) == held
    assert [lacks_its_zero(text) for text in ("102034567", "992034567", "0102034567")] == [True, False, False]


@pytest.mark.parametrize(("text", "day"), [("010203-4567", True), ("010203-9567", True), ("010258-5567", True)])
def test_the_seventh_digit_settles_the_century(text, day):
    """29 February tells: 290200-0 is of 1900, which had none; 290200-4 is of 2000, which had."""
    assert (personal_number(text) is not None) == day
    assert [personal_number(f"290200-{digit}000") is not None for digit in range(10)] == [False] * 4 + [True] * 6
    assert [personal_number(f"290237-{digit}000") is not None for digit in "49"] == [False, False]
    assert [personal_number(f"290296-{digit}000") is not None for digit in "0459"] == [True] * 4


@given(st.dates(min_value=pd.Timestamp("1937-01-01").date(), max_value=pd.Timestamp("1999-12-31").date()), st.integers(0, 3999))
def test_every_day_of_the_century_is_found(day, serial):
    digits = f"{day:%d%m%y}{serial:04d}"
    assert personal_number(digits) == personal_number(f"{digits[:6]}-{digits[6:]}") == digits


@given(st.text())
def test_no_text_breaks_the_search(text):
    found = personal_number(text)
    assert found is None or (len(found) == 10 and is_personal_number(found) == found)


@pytest.mark.parametrize("text", ["3.112034567E+09", "3,112034567E+09", "3.112034567e9", " 3.112034567E09 "])
def test_numbers_that_a_spreadsheet_wrote_with_an_exponent(text):
    assert personal_number(text) == is_personal_number(text) == "3112034567"
    assert holding_personal_numbers([text, "7"]) == [True, False]
    assert masked(text) == "***"


def test_an_exponent_and_a_lost_zero():
    assert lacks_its_zero("1.02034567E+08")
    assert holding_personal_numbers(["1.02034567E+08", "2.11203456E+08", "7"]) == [True, True, False]


@pytest.mark.parametrize(
    "text", ["1.02E+08", "3.11E+09", "3.112034567E+10", "3.112034567E-09", "9.912034567E+09", "-3.112034567E+09"]
)
def test_exponents_of_other_numbers(text):
    assert personal_number(text) is None
    assert holding_personal_numbers([text]) == [False]
