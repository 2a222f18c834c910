"""SurveyXact: three files in three dialects, and what is refused when they do not belong together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from survey_exports import ROWS, Asked, book_of, surveyxact, surveyxact_book, surveyxact_names, surveyxact_parts, text_of

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.readers.surveyxact import STRUCTURE
from asp_eval.intake.files.reading import read_raw

DIALECTS = [(",", "ansi"), (";", "ansi"), ("\t", "utf16")]


def refused(file: Path, form: FileFormat | None = None) -> list[tuple[str, str, str | None]]:
    """Code, place and what was found of every fault."""
    with pytest.raises(DataProblems) as caught:
        read_raw(file, form)
    return [(problem.code, str(problem.place), problem.found) for problem in caught.value.problems]


def edit(file: Path, before: str, after: str, part: str = "labels") -> None:
    path = file.with_name(file.name.replace("dataset", part))
    text = path.read_bytes().decode("cp1252")
    assert before in text
    path.write_bytes(text.replace(before, after, 1).encode("cp1252"))


@pytest.mark.parametrize(("delimiter", "encoding"), DIALECTS)
def test_the_three_dialects_give_the_same_table(tmp_path, delimiter, encoding):
    raw = read_raw(surveyxact(tmp_path, delimiter=delimiter, encoding=encoding))
    assert raw.dialect.format == "surveyxact"
    assert raw.dialect.delimiter == delimiter
    assert list(raw.columns) == ["child", "mood", "obeys", "likes_1", "likes_2", "likes_3", "hours", "note"]
    assert raw.frame()["child"].tolist() == ["007", "008", "010"]
    assert raw.frame()["likes_2"].tolist() == ["0", "0", "1"]
    assert raw.frame()["hours"].tolist() == ["37,5", "20,0", ""]
    assert raw.frame()["note"].tolist() == ['"nej"; gik', "NA", "to\nlinjer"]
    assert raw.rows.tolist() == [2, 3, 4]
    assert raw.labels["mood"] == {"1": "Godt", "2": "Nogenlunde; men ikke altid", "3": "Skidt"}
    assert raw.labels["obeys"] == {"1": "Ja, altid", "2": "Nej"}
    assert raw.titles["mood"] == "Hvordan går det på Søndergård?"
    assert raw.titles["likes_2"] == "Hvad kan barnet lide? - Sang; dans"
    assert raw.notes == ()


def test_the_other_two_files_are_named_with_their_digests(tmp_path):
    raw = read_raw(surveyxact(tmp_path))
    assert [name for name, _ in raw.dialect.companions] == ["structure.csv", "labels.csv"]


def test_the_stray_cell_is_in_the_file_that_is_read(tmp_path):
    file = surveyxact(tmp_path)
    widths = {line.count(";") for line in file.with_name("structure.csv").read_text("cp1252").splitlines() if "Multiple" in line}
    assert widths == {7, 8}  # a delimiter within quotation marks is one more


def test_another_word_in_the_name_stays(tmp_path):
    raw = read_raw(surveyxact(tmp_path, name="Bølge 1 dataset.csv"))
    assert [name for name, _ in raw.dialect.companions] == ["Bølge 1 structure.csv", "Bølge 1 labels.csv"]


def test_files_of_any_name_when_the_mapping_tells_them(tmp_path):
    file = surveyxact(tmp_path)
    moved = file.rename(tmp_path / "wave1.csv")
    (tmp_path / "structure.csv").rename(tmp_path / "questions.csv")
    told = FileFormat(companions={"structure": "questions.csv", "labels": "labels.csv"})
    assert read_raw(moved, told).labels["obeys"]["2"] == "Nej"
    assert read_raw(moved).dialect.format == "csv"
    assert refused(moved, FileFormat(companions={"structure": "question.csv", "labels": "labels.csv"})) == [
        ("SCR-090", "wave1.csv", "'question.csv'")
    ]
    assert refused(moved, FileFormat(companions={"structure": "questions.csv"})) == [("SCR-100", "wave1.csv", None)]
    assert refused(moved, FileFormat(dialect="surveyxact")) == [("SCR-100", "wave1.csv", None)] * 2


@pytest.mark.parametrize("part", ["structure", "labels"])
def test_a_dataset_without_one_of_its_files_is_refused(tmp_path, part):
    file = surveyxact(tmp_path)
    file.with_name(f"{part}.csv").unlink()
    assert refused(file) == [("SCR-100", "dataset.csv", None)]
    assert read_raw(file, FileFormat(dialect="csv")).dialect.format == "csv"


def test_files_that_only_have_such_names_are_left_alone(tmp_path):
    for name in ("dataset", "structure", "labels"):
        (tmp_path / f"{name}.csv").write_text("a,b\n1,2\n")
    raw = read_raw(tmp_path / "dataset.csv")
    assert raw.dialect.format == "csv"
    assert raw.dialect.companions == ()


def test_labels_of_another_survey_are_refused_with_their_rows(tmp_path):
    file = surveyxact(tmp_path)
    edit(file, "mood;1;", "s_99;1;")
    assert refused(file) == [("SCR-094", "labels.csv row 1, column s_99", None)]


def test_labels_of_a_survey_with_the_same_names_are_seen_by_the_answers(tmp_path):
    file = surveyxact(tmp_path)
    edit(file, "mood;3;Skidt", "mood;4;Skidt")
    assert refused(file) == [("SCR-095", "dataset.csv row 4, column mood", "'3'")]


def test_a_column_that_the_structure_does_not_have_is_refused(tmp_path):
    file = surveyxact(tmp_path)
    edit(file, "mood;mood;", "humour;humour;", "structure")
    edit(file, "mood;1;", "humour;1;")
    edit(file, "mood;2;", "humour;2;")
    edit(file, "mood;3;", "humour;3;")
    assert refused(file) == [("SCR-094", "dataset.csv row 1, column mood", None)]


def test_columns_that_were_left_out_of_the_data_are_missed_by_nobody(tmp_path):
    surveyxact(tmp_path)
    rows = [[row["child"], row["mood"]] for row in ROWS]
    (tmp_path / "dataset.csv").write_bytes(text_of([["child", "mood"], *rows], ";", "cp1252"))
    raw = read_raw(tmp_path / "dataset.csv")
    assert list(raw.columns) == list(raw.titles) == ["child", "mood"]
    assert list(raw.labels) == ["mood"]


@pytest.mark.parametrize(
    ("part", "before", "after", "expected"),
    [
        ("labels", "obeys;2;Nej ", "obeys;2", [("SCR-093", "labels.csv row 5", "2")]),
        ("labels", "obeys;2;Nej ", "obeys;1;Nej ", [("SCR-096", "labels.csv row 5", "'Nej'")]),
        ("structure", "obeys;obeys;Closed;Single", "obeys", [("SCR-093", "structure.csv row 4", "4")]),
        ("structure", "obeys;obeys;", "obeys;mood;", [("SCR-096", "structure.csv row 4", "'mood'")]),
        (
            "structure",
            "hours;hours;Open;String;Timer om ugen;;",
            "hours;hours;Open;String;Timer om ugen;;;x",
            [
                ("SCR-093", "structure.csv row 8", "8"),
            ],
        ),
        (
            "structure",
            "choiceText",
            "choice",
            [
                ("SCR-092", "structure.csv row 1", f"'{', '.join(STRUCTURE[:-1])}, choice'"),
            ],
        ),
    ],
)
def test_a_damaged_file_is_refused_at_its_row(tmp_path, part, before, after, expected):
    file = surveyxact(tmp_path)
    edit(file, before, after, part)
    assert refused(file) == expected


def test_empty_labels_are_refused(tmp_path):
    file = surveyxact(tmp_path)
    file.with_name("labels.csv").write_bytes(b"\r\n")
    assert refused(file)[0][:2] == ("SCR-092", "labels.csv")


def test_a_question_with_a_list_of_answers_but_no_labels_is_a_warning(tmp_path):
    file = surveyxact(tmp_path)
    labels = file.with_name("labels.csv").read_text("cp1252").splitlines(keepends=True)
    file.with_name("labels.csv").write_text("".join(line for line in labels if not line.startswith("obeys")), "cp1252")
    raw = read_raw(file)
    assert [(note.code, note.severity, str(note.place)) for note in raw.notes] == [
        ("SCR-101", "warning", "dataset.csv, column obeys")
    ]
    assert raw.frame()["obeys"].tolist() == ["2", "1", ""]


def test_a_survey_of_one_question(tmp_path):
    survey = (Asked("child", "Nummer"), Asked("s_1", "?", {"1": "Ja"}))
    assert surveyxact_names(survey) == ["child", "s_1"]
    raw = read_raw(surveyxact(tmp_path, survey, ({"child": "1", "s_1": "1"},)))
    assert raw.labels == {"s_1": {"1": "Ja"}}


@pytest.mark.parametrize("columns", [1, 3, 100])
def test_a_workbook_gives_the_same_table_however_its_columns_are_spread(tmp_path, columns):
    raw, files = read_raw(surveyxact_book(tmp_path, columns=columns)), read_raw(surveyxact(tmp_path))
    assert (raw.dialect.format, raw.dialect.companions) == ("surveyxact", ())
    assert raw.frame().equals(files.frame())
    assert raw.rows.tolist() == [2, 3, 4]
    assert (raw.labels, raw.titles) == (files.labels, files.titles)


def test_the_tenth_sheet_comes_after_the_second(tmp_path):
    survey = tuple(Asked(f"s_{n}", "?") for n in range(12))
    raw = read_raw(surveyxact_book(tmp_path, survey, ({f"s_{n}": str(n) for n in range(12)},), columns=1))
    assert list(raw.columns) == [f"s_{n}" for n in range(12)]


def test_a_workbook_without_labels_is_refused(tmp_path):
    parts = surveyxact_parts()
    file = tmp_path / "Screening.xlsx"
    file.write_bytes(book_of(Structure=parts["structure"], Data=parts["dataset"]))
    assert refused(file) == [("SCR-112", "Screening.xlsx", None)] * 2


def test_labels_of_another_survey_in_a_workbook_are_refused_with_their_sheet(tmp_path):
    parts = surveyxact_parts()
    parts["labels"][0][0] = "s_99"
    file = tmp_path / "Screening.xlsx"
    file.write_bytes(book_of(Dataset=parts["dataset"], Structure=parts["structure"], Labels=parts["labels"]))
    assert refused(file) == [("SCR-094", "Screening.xlsx (Labels) row 1, column s_99", None)]


def test_labels_are_delimited_as_the_structure_is(tmp_path):
    survey = (Asked("s_1", "?", {"1": "Ja, altid", "2": "Nej, aldrig"}), Asked("s_2", "?"))
    raw = read_raw(surveyxact(tmp_path, survey, ({"s_1": "1", "s_2": ""},)))
    assert raw.labels == {"s_1": {"1": "Ja, altid", "2": "Nej, aldrig"}}


def test_spaces_around_an_answer_are_not_part_of_it(tmp_path):
    survey = (Asked("s_1", "?", {"1": "Ja"}), Asked("s_2", "?"))
    raw = read_raw(surveyxact(tmp_path, survey, ({"s_1": " 1 ", "s_2": "x"}, {"s_1": "\u00a0", "s_2": "y"})))
    assert raw.frame()["s_1"].tolist() == [" 1 ", "\u00a0"]


@pytest.mark.parametrize("name", ["../labels.csv", "/labels.csv", "C:\\labels.csv", "below/../../labels.csv"])
def test_no_companion_that_a_mapping_names_lies_outside_the_folder(tmp_path, name):
    (tmp_path / "export").mkdir()
    file = surveyxact(tmp_path / "export")
    file.with_name("labels.csv").rename(tmp_path / "labels.csv")
    with pytest.raises(Refusal, match="FIL-001"):
        read_raw(file, FileFormat(companions={"structure": "structure.csv", "labels": name}))


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_no_companion_that_a_mapping_names_is_a_link_to_outside(tmp_path):
    (tmp_path / "export").mkdir()
    file = surveyxact(tmp_path / "export")
    file.with_name("labels.csv").rename(tmp_path / "labels.csv")
    file.with_name("labels.csv").symlink_to(tmp_path / "labels.csv")
    with pytest.raises(Refusal, match="FIL-002"):
        read_raw(file, FileFormat(companions={"structure": "structure.csv", "labels": "LABELS.csv"}))
