"""Texts become values of their type, or faults: nothing is coerced."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.intake.files.raw import TextColumn
from asp_eval.intake.values import Marks, convert, date_order, decimal_mark, month_of, ungrouped
from asp_eval.trial.tables.fields import Field

NUMBER, INTEGER, DAY = Field("x", "number"), Field("x", "integer"), Field("x", "date", minimum="1900-01-01", maximum="2100-12-31")
MONTH = Field("x", "yearmonth", minimum="1900-01", maximum="2100-12")
ITEM = Field("x", "integer", allowed=("0", "1", "2"), form="form")
SEX = Field("x", "string", allowed=("boy", "girl"))


def one(text: str, field: Field, marks: Marks = Marks()) -> tuple[object, str | None]:  # noqa: B008 - frozen
    converted = convert(TextColumn.of([text]), field, marks)
    value = converted.series.iloc[0]
    return (None if pd.isna(value) else value), (converted.faults[0].code if converted.faulty[0] else None)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("7", NUMBER, 7.0),
        (" 7\u00a0", NUMBER, 7.0),
        ("-1.5e2", NUMBER, -150.0),
        (".5", NUMBER, 0.5),
        ("", NUMBER, None),
        ("2.0", ITEM, 2.0),
        ("", ITEM, None),
        ("3.0", INTEGER, 3.0),
        ("boy", SEX, "boy"),
        ("2002-05", MONTH, "2002-05"),
        ("2002-05-01", MONTH, "2002-05"),
        ("12-2002", MONTH, "2002-12"),
        ("5/2002", MONTH, "2002-05"),
        ("05.2002", MONTH, "2002-05"),
        ("2002/5", MONTH, "2002-05"),
        ("2006-09-01", DAY, pd.Timestamp("2006-09-01")),
        ("2006-09-01 10:05:00", DAY, pd.Timestamp("2006-09-01")),
        ("007", Field("x", "string"), "007"),
        ("NA", Field("x", "string"), "NA"),
    ],
)
def test_values(text, field, value):
    assert one(text, field) == (value, None)


@pytest.mark.parametrize(
    ("text", "marks", "value"),
    [
        ("1.234,5", Marks(",", thousands="."), 1234.5),
        ("-1.234.567", Marks(",", thousands="."), -1234567.0),
        ("1,234.5", Marks(".", thousands=","), 1234.5),
        ("1 234,5", Marks(",", thousands=" "), 1234.5),
        ("1\u202f234\u202f567", Marks(thousands=" "), 1234567.0),
        ("1'234.5", Marks(thousands="'"), 1234.5),
        ("999", Marks(",", thousands="."), 999.0),
        ("1234,5", Marks(",", thousands="."), 1234.5),
    ],
)
def test_marks_between_thousands(text, marks, value):
    assert one(text, NUMBER, marks) == (value, None)


@pytest.mark.parametrize("text", ["1.23", "12.3456", "1234.567", "1.234.56", "1,5.000", ".123", "1.234,5,6"])
def test_a_mark_that_does_not_stand_between_thousands_is_a_fault(text):
    marks = Marks(",", thousands=".")
    assert ungrouped(text, marks) == text or text.count(",") > 1
    assert one(text, NUMBER, marks) == (None, "SCR-042")


@pytest.mark.parametrize(
    ("text", "field", "code"),
    [
        ("1,5", NUMBER, "SCR-042"),
        ("nan", NUMBER, "SCR-042"),
        ("inf", NUMBER, "SCR-042"),
        ("1_000", NUMBER, "SCR-042"),
        ("\u0663", NUMBER, "SCR-042"),
        ("1e999", NUMBER, "SCR-044"),
        ("1.5", INTEGER, "SCR-042"),
        ("NA", INTEGER, "SCR-042"),
        ("3", ITEM, "SCR-014"),
        ("x", ITEM, "SCR-014"),
        ("1.5", ITEM, "SCR-014"),
        ("Boy", SEX, "SCR-043"),
        ("2002-13", MONTH, "SCR-042"),
        ("2002-05-02", MONTH, "SCR-184"),
        ("02-05-2002", MONTH, "SCR-184"),
        ("12-02", MONTH, "SCR-042"),
        ("02-12", MONTH, "SCR-042"),
        ("13-2002", MONTH, "SCR-042"),
        ("0-2002", MONTH, "SCR-042"),
        ("122002", MONTH, "SCR-042"),
        ("12-2150", MONTH, "SCR-044"),
        ("1002-05", MONTH, "SCR-044"),
        ("2006-02-31", DAY, "SCR-047"),
        ("31-12-2006", DAY, "SCR-042"),
        ("1850-01-01", DAY, "SCR-044"),
        ("soon", DAY, "SCR-042"),
        ("5", Field("x", "number", minimum="0", maximum="4"), "SCR-044"),
        ("ab", Field("x", "string", pattern="[0-9]+"), "SCR-043"),
    ],
)
def test_faults(text, field, code):
    assert one(text, field) == (None, code)


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("01-09-2006", "day-first", "2006-09-01"),
        ("1.9.2006", "day-first", "2006-09-01"),
        ("09/01/2006", "month-first", "2006-09-01"),
        ("2006-09-01", "day-first", "2006-09-01"),
    ],
)
def test_dates_in_a_known_order(text, order, day):
    assert one(text, DAY, Marks(dates=order)) == (pd.Timestamp(day), None)


@pytest.mark.parametrize("text", ["01-09-06", "1-9-206", "01-09/2006", "2006-9"])
def test_dates_that_could_be_anything_are_faults(text):
    assert one(text, DAY, Marks(dates="day-first")) == (None, "SCR-042")


def test_a_decimal_comma_excludes_the_point():
    assert one("1,5", NUMBER, Marks(decimal=",")) == (1.5, None)
    assert one("1.5", NUMBER, Marks(decimal=",")) == (None, "SCR-042")


@pytest.mark.parametrize(
    ("texts", "delimiter", "mark"),
    [
        (["1", ""], ";", "."),
        (["1,5"], ";", ","),
        (["1.5"], ";", "."),
        (["1,5", "1.5"], ";", None),
        (["1.234,5"], ";", "."),
        (["1.234"], ";", None),
        (["1,234"], ",", None),
        (["1.234"], ",", "."),
        (["0.234"], ";", "."),
        (["1.234", "0,5"], ";", None),
        (["1.234.567"], ";", None),
        (["1,234", "2,5"], ";", ","),
        (["-12.345", "3.2"], ";", "."),
    ],
)
def test_the_decimal_mark_is_found_or_left_open(texts, delimiter, mark):
    assert decimal_mark(texts, delimiter) == mark


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["2006-09-01"], "iso"),
        (["01-09-2006"], None),
        (["13-09-2006", "01-09-2006"], "day-first"),
        (["09/13/2006"], "month-first"),
        (["13-09-2006", "09-13-2006"], None),
        ([""], "iso"),
    ],
)
def test_the_order_of_dates_is_found_or_left_open(texts, order):
    assert date_order(texts) == order


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_come_back_equal_in_either_mark(values):
    for decimal in (".", ","):
        texts = [repr(value).replace(".", decimal) for value in values]
        converted = convert(TextColumn.of(texts), NUMBER, Marks(decimal=decimal))
        assert not converted.faulty.any()
        np.testing.assert_array_equal(converted.series.to_numpy(), values)


@given(st.dates())
def test_a_month_is_that_of_its_date_however_the_date_is_written(day):
    year, month = f"{day.year:04}", f"{day.month:02}"
    written = {"iso": day.isoformat(), "day-first": f"{day.day:02}-{month}-{year}", "month-first": f"{month}/{day.day}/{year}"}
    assert {month_of(text, order) for order, text in written.items()} == {f"{year}-{month}"}
