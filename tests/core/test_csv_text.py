"""CSV for people: text survives, formulas are defused, numbers are left alone."""

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.core.csv_text import FORMULA_STARTS, guard_formula, read_csv_text, unguard_formula, write_csv


def test_text_comes_back_as_it_was(tmp_path):
    frame = pd.DataFrame({"id": ["007", "NA", ""], "name": ["Børnehuset Ærø", 'say "hi"', "a,b\nc"]})
    write_csv(tmp_path / "a.csv", frame)
    assert read_csv_text(tmp_path / "a.csv").to_dict("list") == frame.to_dict("list")


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\tx", "\r=1", "-inf", "-1_000", "-1-1", "+45 12 34", "'=1"])
def test_a_formula_is_defused(text):
    assert guard_formula(text) == "'" + text


@pytest.mark.parametrize("value", ["-0.3", "-0,3", "+1e5", "anna", "", 5, -1.5, None])
def test_numbers_and_plain_text_are_left_alone(value):
    assert guard_formula(value) == value


def test_negative_numbers_stay_numbers(tmp_path):
    write_csv(tmp_path / "a.csv", pd.DataFrame({"x": [-1.5]}))
    assert "-1.5" in (tmp_path / "a.csv").read_text()


@given(st.text(st.sampled_from([*FORMULA_STARTS, "'", "1", ",", ".", "e", "a"]), max_size=6))
def test_every_text_comes_back_and_none_is_run(text):
    guarded = guard_formula(text)
    assert unguard_formula(guarded) == text
    assert not guarded.startswith(FORMULA_STARTS) or re.fullmatch(r"[+-][0-9.,]+(e[+-]?[0-9]+)?", guarded)


def test_a_heading_is_defused_as_well(tmp_path):
    write_csv(tmp_path / "a.csv", pd.DataFrame({"=1+1": ["x"]}))
    assert (tmp_path / "a.csv").read_text() == "'=1+1\nx\n"


def test_a_spreadsheet_s_csv_has_semicolons_decimal_commas_and_a_byte_order_mark(tmp_path):
    frame = pd.DataFrame(
        {"id": ["-7", "-x"], "x": [-1.5, None], "day": pd.to_datetime(["2006-09-01", None]), "name": ["Ærø", "-0,3"]}
    )
    write_csv(tmp_path / "a.csv", frame, excel=True)
    assert (tmp_path / "a.csv").read_bytes() == "\ufeffid;x;day;name\n-7;-1,5;2006-09-01;Ærø\n'-x;;;-0,3\n".encode()
