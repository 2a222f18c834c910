"""CSV for people: text survives, formulas are defused, numbers are left alone."""

import pandas as pd
import pytest

from asp_eval.core.tables import guard_formula, read_csv_text, write_csv


def test_text_comes_back_as_it_was(tmp_path):
    frame = pd.DataFrame({"id": ["007", "NA", ""], "name": ["Børnehuset Ærø", 'say "hi"', "a,b\nc"]})
    write_csv(tmp_path / "a.csv", frame)
    assert read_csv_text(tmp_path / "a.csv").to_dict("list") == frame.to_dict("list")


@pytest.mark.parametrize("text", ["=1+1", "+cmd", "-x", "@SUM(A1)", "\tx", "\r=1"])
def test_a_formula_is_defused(text):
    assert guard_formula(text) == "'" + text


@pytest.mark.parametrize("value", ["-0.3", "-0,3", "+1e5", "anna", "", 5, -1.5, None])
def test_numbers_and_plain_text_are_left_alone(value):
    assert guard_formula(value) == value


def test_negative_numbers_stay_numbers(tmp_path):
    write_csv(tmp_path / "a.csv", pd.DataFrame({"x": [-1.5]}))
    assert "-1.5" in (tmp_path / "a.csv").read_text()
