"""KoboToolbox: names or labels, groups, several choices in a cell, and the XLSForm beside."""

from __future__ import annotations

from pathlib import Path

import pytest
from survey_exports import KOBO_SYSTEM, Asked, book_of, kobo, kobo_rows, text_of, xlsform

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.reading import read_raw


def refused(file: Path, form: FileFormat | None = None) -> list[tuple[str, str, str | None]]:
    with pytest.raises(DataProblems) as caught:
        read_raw(file, form)
    return [(problem.code, str(problem.place), problem.found) for problem in caught.value.problems]


def write(folder: Path, table: list[list[str]], form: bytes | None = None) -> Path:
    (folder / "data.csv").write_bytes(text_of(table, ";", quote_all=True))
    if form:
        (folder / "form.xlsx").write_bytes(form)
    return folder / "data.csv"


@pytest.mark.parametrize("book", [False, True])
def test_names_with_the_form(tmp_path, book):
    raw = read_raw(kobo(tmp_path, book=book))
    assert raw.dialect.format == "kobo"
    assert [name for name, _ in raw.dialect.companions] == ["Screening_xlsform.xlsx"]
    assert list(raw.columns)[:9] == ["child", "mood", "obeys", "likes", "likes/1", "likes/2", "likes/4", "hours", "note"]
    assert raw.frame()["child"].tolist() == ["007", "008", "010"]
    assert raw.frame()["likes"].tolist() == ["1 4", "", "2"]
    assert raw.frame()["likes/4"].tolist() == ["1", "0", "0"]
    assert raw.rows.tolist() == [2, 3, 4]
    assert raw.labels["mood"] == {"1": "Godt", "2": "Nogenlunde; men ikke altid", "3": "Skidt"}
    assert raw.labels["likes"] == {"1": "Leg", "2": "Sang; dans", "4": "Mad"}
    assert raw.titles["likes/2"] == "Hvad kan barnet lide? - Sang; dans"


def test_without_the_form(tmp_path):
    raw = read_raw(kobo(tmp_path, form=False))
    assert (raw.dialect.format, raw.labels, raw.titles) == ("kobo", {}, {})


def test_groups_in_the_headers(tmp_path):
    raw = read_raw(write(tmp_path, kobo_rows(group="barnet"), xlsform(group=("barnet", "Om barnet"))))
    assert list(raw.columns)[:2] == ["barnet/child", "barnet/mood"]
    assert raw.titles["barnet/mood"] == "Hvordan går det på Søndergård?"
    assert raw.labels["barnet/obeys"] == {"1": "Ja, altid", "2": "Nej"}
    bare = read_raw(write(tmp_path, kobo_rows(), xlsform(group=("barnet", "Om barnet"))))
    assert bare.labels["obeys"] == {"1": "Ja, altid", "2": "Nej"}


@pytest.mark.parametrize("group", ["", "Om barnet"])
def test_labels_are_not_turned_into_names(tmp_path, group):
    raw = read_raw(write(tmp_path, kobo_rows(labels=True, group=group), xlsform(group=("barnet", "Om barnet"))))
    assert list(raw.columns)[:5] == ["barnet/child", "barnet/mood", "barnet/obeys", "barnet/likes", "barnet/likes/1"]
    assert raw.frame()["barnet/mood"].tolist() == ["Godt", "", "Skidt"]
    assert raw.frame()["barnet/likes"].tolist() == ["Leg Mad", "", "Sang; dans"]
    assert raw.frame()["barnet/likes/1"].tolist() == ["1", "0", "0"]
    assert raw.labels == {}


def test_labels_in_the_forms_other_language(tmp_path):
    table = [[f"{cell} (en)" if cell and i < 3 else cell for i, cell in enumerate(row)] for row in kobo_rows(labels=True)]
    for row, before in zip(table[1:], kobo_rows(labels=True)[1:], strict=True):
        row[0] = before[0]
    raw = read_raw(write(tmp_path, table, xlsform()))
    assert list(raw.columns)[:3] == ["child", "mood", "obeys"]
    assert raw.frame()["mood"].tolist() == ["Godt (en)", "", "Skidt (en)"]


def test_a_row_of_tags_is_no_answer(tmp_path):
    raw = read_raw(write(tmp_path, kobo_rows(tags=True), xlsform()))
    assert raw.rows.tolist() == [3, 4, 5]
    assert raw.frame()["child"].tolist() == ["007", "008", "010"]


def test_an_answer_that_looks_like_a_tag_is_one(tmp_path):
    table = kobo_rows((Asked("child", "Nummer"),), ({"child": "#1"},))
    assert read_raw(write(tmp_path, table)).frame()["child"].tolist() == ["#1"]


@pytest.mark.parametrize(("row", "column", "cell"), [(2, 1, "9"), (3, 3, "1 9")])
def test_a_choice_that_the_form_does_not_have_is_refused(tmp_path, row, column, cell):
    table = kobo_rows()
    table[row][column] = cell
    name = table[0][column]
    assert refused(write(tmp_path, table, xlsform())) == [("SCR-095", f"data.csv row {row + 1}, column {name}", "'9'")]


def test_a_label_that_the_form_does_not_have_is_refused(tmp_path):
    table = kobo_rows(labels=True)
    table[1][1] = "Fint"
    assert refused(write(tmp_path, table, xlsform())) == [("SCR-095", "data.csv row 2, column mood", "'Fint'")]


def test_the_form_of_another_survey_is_refused(tmp_path):
    other = (Asked("child", "Nummer"), Asked("weight", "Vægt"))
    found = refused(write(tmp_path, kobo_rows(), xlsform(other)))
    assert {code for code, _, _ in found} == {"SCR-094"}
    assert [place for _, place, _ in found][:2] == ["data.csv row 1, column mood", "data.csv row 1, column obeys"]
    assert len(found) == 8  # the columns that Kobo adds are not among them


def test_the_form_is_found_by_its_name_or_told(tmp_path):
    file = write(tmp_path, kobo_rows())
    (tmp_path / "aBcD1234.xlsx").write_bytes(xlsform())
    assert read_raw(file).labels == {}
    assert read_raw(file, FileFormat(companions={"form": "aBcD1234.xlsx"})).labels["obeys"]["2"] == "Nej"
    for name in ("form.xlsx", "wave1-xlsform.xlsx"):
        (tmp_path / name).write_bytes(xlsform())
    assert refused(file) == [("SCR-091", "data.csv", "'form.xlsx, wave1-xlsform.xlsx'")]


def test_a_workbook_that_is_no_form_is_refused(tmp_path):
    assert refused(write(tmp_path, kobo_rows(), book_of(data=[["a"], ["1"]])))[0][:2] == ("SCR-092", "form.xlsx row 1")
    no_list = book_of(
        survey=[["type", "name", "label"], ["select_one yn", "obeys", "?"]], choices=[["list_name", "name", "label"]]
    )
    assert refused(write(tmp_path, kobo_rows(), no_list)) == [("SCR-111", "form.xlsx row 2, column obeys", "'yn'")]


def test_two_questions_of_one_name_need_their_groups(tmp_path):
    rows = [
        ["type", "name", "label"],
        ["begin group", "a", ""],
        ["text", "x", "X"],
        ["end group", "", ""],
        ["begin_repeat", "b", ""],
        ["text", "x", "X"],
        ["end_repeat", "", ""],
    ]
    form = book_of(survey=rows, choices=[["list_name", "name", "label"]])
    assert [code for code, _, _ in refused(write(tmp_path, [["x", *KOBO_SYSTEM], ["1", *KOBO_SYSTEM.values()]], form))] == [
        "SCR-110"
    ]
    raw = read_raw(write(tmp_path, [["a/x", "b/x", *KOBO_SYSTEM], ["1", "2", *KOBO_SYSTEM.values()]], form))
    assert raw.titles == {"a/x": "X", "b/x": "X"}


def test_other_is_a_choice_where_the_form_offers_it(tmp_path):
    form = book_of(
        survey=[["type", "name", "label"], ["select_one yn or_other", "obeys", "Lystrer?"]],
        choices=[["list_name", "name", "label"], ["yn", "1", "Ja"]],
    )
    table = [["obeys", "obeys_other", *KOBO_SYSTEM], ["other", "Måske", *KOBO_SYSTEM.values()]]
    assert read_raw(write(tmp_path, table, form)).labels == {"obeys": {"1": "Ja", "other": "Other"}}


def test_accounts_are_marked(tmp_path):
    table = kobo_rows((Asked("username", "Bruger"),), ({"username": "anna"},))
    assert read_raw(write(tmp_path, table)).identifiers == {"username"}


def test_labels_at_the_head_say_that_the_cells_hold_labels(tmp_path):
    survey = (Asked("likes", "Hvad?", {"1": "Leg", "2": "Sang; dans"}, several=True),)
    rows = ({"likes/1": "1", "likes/2": "1"},)
    raw = read_raw(write(tmp_path, kobo_rows(survey, rows, labels=True), xlsform(survey)))
    assert raw.frame()["likes"].tolist() == ["Leg Sang; dans"]
    assert raw.labels == {}
