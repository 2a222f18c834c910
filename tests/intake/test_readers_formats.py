"""Any table of the schema's types comes back equal from every file format."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import pandas as pd
import pytest
from examples import ONE_FOLDER, part_of_examples
from file_formats import NAMES, SCHEMA, Row, as_csv, as_ods, as_xls, as_xlsx, tables, write
from hypothesis import example, given, settings
from hypothesis import strategies as st
from products import each_value

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.intake.pipeline import read_table

often = settings(part_of_examples(0.5), suppress_health_check=ONE_FOLDER)
seldom = settings(part_of_examples(0.1), suppress_health_check=ONE_FOLDER)  # an example is dear, or there are many cases
WORST = [
    ("00007", "007", 'a;b,c\t|"x"\nÆblegrød', -3, 0.1, dt.date(2006, 9, 1), "2006-09"),
    ("00008", "NA", "=1+1", None, -1234.5678, None, None),
    ("00009", None, None, 0, 1e-7, dt.date(1999, 12, 31), "1999-12"),
]


def came_back(path: Path, form: FileFormat) -> list[Row]:
    """The table that `read_table` accepts, as plain values."""
    frame = read_table(path, SCHEMA, mapping=Mapping(version=1, format=form)).frame
    assert tuple(frame.columns) == NAMES
    return [tuple(_plain(value) for value in row) for row in frame.itertuples(index=False)]


def _plain(value: object) -> object:
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    return value.date() if isinstance(value, pd.Timestamp) else value


@pytest.mark.parametrize(
    ("encoding", "marks"),
    each_value(["utf-8", "utf-8-sig", "utf-16", "cp1252"], [(";", "."), (";", ","), (",", "."), ("\t", ","), ("|", ".")]),
)
@given(rows=tables(), told=st.booleans())
@example(rows=WORST, told=True)
@seldom
def test_text_comes_back_equal_or_is_refused_as_ambiguous(tmp_path, encoding, marks, rows, told):
    delimiter, decimal = marks
    path = tmp_path / "file.csv"
    path.write_bytes(as_csv(rows, delimiter, encoding, decimal))
    form = FileFormat(delimiter=delimiter, decimal=decimal) if told else FileFormat()
    try:
        found = came_back(path, form)
    except DataProblems as error:
        assert not told
        assert {problem.code for problem in error.problems} <= {"SCR-010", "SCR-048"}
        return
    assert found == rows


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@given(rows=tables())
@settings(part_of_examples(0.2), suppress_health_check=ONE_FOLDER)
def test_a_line_for_spreadsheets_settles_the_delimiter(tmp_path, delimiter, rows):
    path = tmp_path / "file.csv"
    path.write_bytes(as_csv(rows, delimiter, first=f"sep={delimiter}\r\n"))
    assert came_back(path, FileFormat(decimal=".")) == rows


@pytest.mark.parametrize(("name", "written"), [("file.xlsx", as_xlsx), ("file.ods", as_ods), ("file.xls", as_xls)])
@given(rows=tables())
@example(rows=WORST)
@often
def test_workbooks_come_back_equal(tmp_path, name, written, rows):
    path = tmp_path / name
    if written is as_ods:  # where a tab is markup
        rows = [tuple(cell.replace("\t", " ") if isinstance(cell, str) else cell for cell in row) for row in rows]
    path.write_bytes(written(rows))
    assert came_back(path, FileFormat()) == rows


@pytest.mark.parametrize("name", ["sav", "zsav", "dta", "parquet"])
@given(rows=tables())
@example(rows=[*WORST, ("00010", None, None, None, 0.1 + 0.2, None, None)])
@settings(part_of_examples(0.05), suppress_health_check=ONE_FOLDER)  # each is read by a process of its own
def test_statistical_files_come_back_equal(tmp_path, name, rows):
    path = tmp_path / f"file.{name}"
    write(name, path, rows)
    assert came_back(path, FileFormat()) == rows
