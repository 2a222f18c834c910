"""Qualtrics: three header rows; a header that was cut is refused, not read as data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from survey_exports import book_of, qualtrics, qualtrics_rows, text_of

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.reading import read_raw


def write(folder: Path, table: Sequence[Sequence[str]], delimiter: str = ",", encoding: str = "utf-8") -> Path:
    file = folder / "export.csv"
    file.write_bytes(text_of(table, delimiter, encoding))
    return file


def refused(file: Path) -> list[tuple[str, str, str | None]]:
    with pytest.raises(DataProblems) as caught:
        read_raw(file)
    return [(problem.code, str(problem.place), problem.found) for problem in caught.value.problems]


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf8"), ("\t", "utf16"), (";", "ansi")])
def test_questions_and_import_ids_are_no_answers(tmp_path, delimiter, encoding):
    raw = read_raw(qualtrics(tmp_path, delimiter=delimiter, encoding=encoding))
    assert raw.dialect.format == "qualtrics"
    assert raw.rows.tolist() == [4, 5, 6]
    assert raw.frame()["child"].tolist() == ["007", "008", "010"]
    assert raw.frame()["note"].tolist() == ['"nej"; gik', "NA", "to\nlinjer"]
    assert raw.titles["mood"] == "Hvordan går det på Søndergård?"
    assert raw.titles["likes_2"] == "Hvad kan barnet lide? - Selected Choice - Sang; dans"
    assert raw.labels == {}


def test_a_workbook_with_three_header_rows(tmp_path):
    file = tmp_path / "export.xlsx"
    file.write_bytes(book_of(Sheet0=qualtrics_rows()))
    raw = read_raw(file)
    assert (raw.dialect.format, raw.dialect.sheet, raw.rows.tolist()) == ("qualtrics", "Sheet0", [4, 5, 6])
    assert raw.frame()["hours"].tolist() == ["37,5", "20,0", ""]


def test_a_question_on_several_lines_is_one_row(tmp_path):
    table = qualtrics_rows()
    table[1][7] = "Hvordan går det\npå Søndergård?"
    raw = read_raw(write(tmp_path, table))
    assert raw.rows.tolist() == [4, 5, 6]
    assert raw.titles["mood"] == "Hvordan går det\npå Søndergård?"


def test_fields_that_hold_persons_are_marked_if_anything_is_in_them(tmp_path):
    assert read_raw(qualtrics(tmp_path)).identifiers == {"IPAddress"}
    table = qualtrics_rows()
    table[0][5] = "Mail"  # whatever the column is called: the import id tells
    table[3][5] = "a@example.org"
    assert read_raw(write(tmp_path, table)).identifiers == {"IPAddress", "Mail"}


def test_a_cut_third_row_is_refused_cell_by_cell(tmp_path):
    table = qualtrics_rows()
    table[2][6:8] = ["", '{"ImportId":"QID2']
    assert refused(write(tmp_path, table)) == [
        ("SCR-102", "export.csv row 3, column child", "''"),
        ("SCR-102", "export.csv row 3, column mood", '\'{"ImportId":"QID2\''),
    ]
    table[2] = table[2][:6]
    found = refused(write(tmp_path, table))
    assert ("SCR-102", "export.csv row 3", "6 cells") in found
    assert ("SCR-102", "export.csv row 3, column note", "''") in found


def test_a_cut_second_row_is_refused(tmp_path):
    table = qualtrics_rows()
    table[1] = table[1][:-1]
    assert refused(write(tmp_path, table)) == [("SCR-102", "export.csv row 2", "13 cells")]


def test_a_header_without_its_third_row_is_refused(tmp_path):
    table = qualtrics_rows()
    assert {code for code, _, _ in refused(write(tmp_path, [*table[:2], *table[3:]]))} == {"SCR-102"}
    assert {code for code, _, _ in refused(write(tmp_path, table[:2]))} == {"SCR-102"}


def test_a_file_whose_other_header_rows_were_taken_out_is_a_plain_one(tmp_path):
    table = qualtrics_rows()
    raw = read_raw(write(tmp_path, [table[0], *table[3:]]))
    assert (raw.dialect.format, raw.rows.tolist()) == ("csv", [2, 3, 4])


def test_the_legacy_format_is_refused(tmp_path):
    table = [["V1", "V8", "Q1", ""], ["ResponseID", "StartDate", "Hvordan går det?", ""], ["R_1", "2006-09-14", "2", ""]]
    assert refused(write(tmp_path, table)) == [("SCR-103", "export.csv row 2", None)]


def test_no_answers(tmp_path):
    assert refused(write(tmp_path, qualtrics_rows()[:3])) == [("SCR-003", "export.csv", None)]


def test_faults_have_the_spreadsheets_rows(tmp_path):
    table = qualtrics_rows()
    table[4] = table[4][:-1]
    assert refused(write(tmp_path, table)) == [("SCR-006", "export.csv row 5", "13")]
