"""LimeSurvey: headed by codes, by texts or by both; and the VV file, with its two header rows and its marks."""

from __future__ import annotations

from pathlib import Path

import pytest
from survey_exports import book_of, limesurvey, limesurvey_rows, limesurvey_vv, text_of

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.mapping.applying import apply_mapping
from asp_eval.intake.mapping.mapping import Mapping


def refused(file: Path, form: FileFormat | None = None) -> list[tuple[str, str]]:
    with pytest.raises(DataProblems) as caught:
        read_raw(file, form)
    return [(problem.code, str(problem.place)) for problem in caught.value.problems]


def write(folder: Path, table: list[list[str]], delimiter: str = ";") -> Path:
    file = folder / "results.csv"
    file.write_bytes(text_of(table, delimiter, "utf-8-sig", quote_all=True))
    return file


@pytest.mark.parametrize("delimiter", [";", ","])
@pytest.mark.parametrize("headings", ["code", "codetext"])
def test_codes_name_the_columns(tmp_path, headings, delimiter):
    raw = read_raw(limesurvey(tmp_path, headings=headings, delimiter=delimiter))
    assert raw.dialect.format == "limesurvey"
    assert list(raw.columns)[5:] == ["child", "mood", "obeys", "likes[1]", "likes[2]", "likes[4]", "hours", "note"]
    assert raw.frame()["child"].tolist() == ["007", "008", "010"]
    assert raw.frame()["note"].tolist() == ['"nej"; gik', "NA", "to\nlinjer"]
    assert raw.rows.tolist() == [2, 3, 4]
    titles = {} if headings == "code" else {"likes[2]": "Hvad kan barnet lide? [Sang; dans]"}
    assert {name: raw.titles[name] for name in titles} == titles
    assert bool(raw.titles) == (headings == "codetext")


def test_texts_name_the_columns_where_there_are_no_codes(tmp_path):
    raw = read_raw(limesurvey(tmp_path, headings="full"))
    assert raw.dialect.format == "limesurvey"
    assert list(raw.columns)[5:7] == ["Barnets nummer", "Hvordan går det på Søndergård?"]


def test_questions_with_the_same_text_cannot_be_told_apart(tmp_path):
    table = limesurvey_rows(headings="full")
    table[0][7] = table[0][6]
    assert refused(write(tmp_path, table)) == [("SCR-104", "results.csv row 1, column Hvordan går det på Søndergård?")]


def test_a_workbook(tmp_path):
    file = tmp_path / "results.xlsx"
    file.write_bytes(book_of(Results=limesurvey_rows(headings="codetext")))
    raw = read_raw(file)
    assert (raw.dialect.format, raw.titles["mood"]) == ("limesurvey", "Hvordan går det på Søndergård?")


def test_participants_are_marked(tmp_path):
    table = limesurvey_rows()
    table = [[*row, cell] for row, cell in zip(table, ["email", "a@example.org", "", ""], strict=True)]
    assert read_raw(write(tmp_path, table)).identifiers == {"email"}


def test_incomplete_responses_have_no_date(tmp_path):
    table = limesurvey_rows()
    table[2][1] = ""
    kept = apply_mapping(read_raw(write(tmp_path, table)), Mapping(version=1, keep_rows='submitdate != ""'), ())
    assert kept.frame()["child"].tolist() == ["007", "010"]
    assert (kept.rows_read, kept.filtered) == (3, 1)


def test_the_vv_file(tmp_path):
    raw = read_raw(limesurvey_vv(tmp_path))
    assert raw.dialect.format == "limesurvey"
    assert raw.dialect.delimiter == "\t"
    assert raw.rows.tolist() == [3, 4, 5]
    assert list(raw.columns)[5:] == ["child", "mood", "obeys", "likes_1", "likes_2", "likes_4", "hours", "note"]
    assert raw.frame()["mood"].tolist() == ["1", "", "3"]
    assert raw.frame()["note"].tolist() == ['"nej"; gik', "NA", "to\nlinjer"]
    assert raw.titles["likes_2"] == "Hvad kan barnet lide? [Sang; dans]"


def test_marks_of_the_vv_file_are_undone_once(tmp_path):
    file = limesurvey_vv(tmp_path)
    text = file.read_text()
    file.write_text(text.replace("\tNA", "\t{lbrace}tab}{tab}x{cr}{newline}{lbrace}lbrace}"))
    assert read_raw(file).frame()["note"][1] == "{tab}\tx\r\n{lbrace}"


def test_vv_headers_of_two_widths_are_refused(tmp_path):
    file = limesurvey_vv(tmp_path)
    lines = file.read_text().split("\n")
    lines[0] += "\tOne more"
    file.write_text("\n".join(lines))
    assert refused(file, FileFormat(delimiter="\t")) == [("SCR-105", "vvexport_123456.csv row 2")]
    assert refused(file) == [("SCR-010", "vvexport_123456.csv")]


def test_a_file_that_lacks_the_systems_columns_is_a_plain_one(tmp_path):
    table = [row[5:] for row in limesurvey_rows()]
    assert read_raw(write(tmp_path, table)).dialect.format == "csv"
