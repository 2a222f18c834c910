"""REDCap: raw and label exports, the data dictionary beside them, events and repeated instruments."""

from __future__ import annotations

from pathlib import Path

import pytest
from survey_exports import (
    DICTIONARY,
    Asked,
    redcap,
    redcap_dictionary,
    redcap_labels,
    redcap_names,
    redcap_raw,
    text_of,
)

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.mapping.applying import apply_mapping
from asp_eval.intake.mapping.mapping import Mapping

LONGITUDINAL = """\
child,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,mood,screening_complete,visit
001,wave1_arm_1,,,1,2,
001,wave1_arm_1,visits,1,,,a
001,wave1_arm_1,visits,2,,,b
001,wave2_arm_1,,,2,2,
002,wave1_arm_1,,,,0,
002,wave1_arm_1,visits,1,,,c
"""


def refused(file: Path, form: FileFormat | None = None) -> list[tuple[str, str, str | None]]:
    with pytest.raises(DataProblems) as caught:
        read_raw(file, form)
    return [(problem.code, str(problem.place), problem.found) for problem in caught.value.problems]


def write(folder: Path, table: list[list[str]], dictionary: list[list[str]] | None = None, name: str = "wave1.csv") -> Path:
    (folder / name).write_bytes(text_of(table, ","))
    if dictionary:
        (folder / "HPA_DataDictionary_2006-11-30.csv").write_bytes(text_of(dictionary, ","))
    return folder / name


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf8"), (";", "ansi"), ("\t", "utf16")])
def test_a_raw_export_with_its_dictionary(tmp_path, delimiter, encoding):
    raw = read_raw(redcap(tmp_path, delimiter=delimiter, encoding=encoding))
    assert raw.dialect.format == "redcap"
    assert [name for name, _ in raw.dialect.companions] == ["HPA_DataDictionary_2006-11-30.csv"]
    assert list(raw.columns) == [*redcap_names(), "screening_complete"]
    assert raw.frame()["child"].tolist() == ["007", "008", "010"]
    assert raw.frame()["likes___4"].tolist() == ["1", "0", "0"]
    assert raw.labels["mood"] == {"1": "Godt", "2": "Nogenlunde; men ikke altid", "3": "Skidt"}
    assert raw.labels["likes___4"] == {"0": "Unchecked", "1": "Checked"}
    assert raw.titles["mood"] == "Hvordan går det på Søndergård?"  # without the dictionary's markup
    assert raw.titles["likes___2"] == "Hvad kan barnet lide? - Sang; dans"
    assert raw.identifiers == {"note"}
    assert raw.notes == ()


def test_labels_are_not_turned_into_codes(tmp_path):
    raw = read_raw(redcap(tmp_path, labels=True))
    assert list(raw.columns) == [*redcap_names(), "screening_complete"]
    assert raw.frame()["mood"].tolist() == ["Godt", "", "Skidt"]
    assert raw.frame()["likes___4"].tolist() == ["Checked", "Unchecked", "Unchecked"]
    assert raw.labels == {}
    assert raw.titles["mood"] == "Hvordan går det på Søndergård?"
    assert raw.identifiers == {"note"}


def test_labels_under_raw_names(tmp_path):
    table = [[*redcap_names(), "screening_complete"], *redcap_labels()[1:]]
    raw = read_raw(write(tmp_path, table, redcap_dictionary()))
    assert raw.frame()["mood"].tolist() == ["Godt", "", "Skidt"]
    assert raw.labels == {}


def test_a_label_that_the_dictionary_does_not_have_is_refused(tmp_path):
    table = redcap_labels()
    table[3][1], table[2][2] = "Dårligt", "9"
    assert refused(write(tmp_path, table, redcap_dictionary())) == [
        ("SCR-095", "wave1.csv row 3, column obeys", "'9'"),
        ("SCR-095", "wave1.csv row 4, column mood", "'Dårligt'"),
    ]


def test_a_code_that_the_dictionary_does_not_have_is_a_warning(tmp_path):
    table = redcap_raw()
    table[2][1] = "-99"  # such as a project's own code for missing, which the dictionary does not list
    raw = read_raw(write(tmp_path, table, redcap_dictionary()))
    assert [(note.code, note.severity, str(note.place), note.found) for note in raw.notes] == [
        ("SCR-109", "warning", "wave1.csv row 3, column mood", "'-99'")
    ]
    table[3][1] = "x"
    assert refused(write(tmp_path, table, redcap_dictionary())) == [("SCR-095", "wave1.csv row 4, column mood", "'x'")]


def test_codes_in_some_columns_and_labels_in_others_are_refused(tmp_path):
    table = redcap_raw()
    for row, label in zip(table[1:], ["Nej", "Ja, altid", ""], strict=True):
        row[2] = label
    assert refused(write(tmp_path, table, redcap_dictionary())) == [
        ("SCR-097", "wave1.csv, column mood", "codes here, labels in obeys")
    ]


def test_a_dictionary_that_names_other_fields_is_refused(tmp_path):
    dictionary = redcap_dictionary()
    dictionary[2][0] = "humour"
    assert refused(write(tmp_path, redcap_raw(), dictionary)) == [("SCR-094", "wave1.csv row 1, column mood", None)]
    table = redcap_labels()
    table[0][1] = "Hvordan går det?"
    assert refused(write(tmp_path, table, redcap_dictionary())) == [("SCR-094", "wave1.csv row 1, column Hvordan går det?", None)]


def test_of_two_projects_that_of_the_exports_name_is_meant(tmp_path):
    file = redcap(tmp_path)
    other = [list(DICTIONARY), ["record_id", "form", "", "text", "Nummer", *[""] * 13]]
    (tmp_path / "Other_DataDictionary_2006-11-30.csv").write_bytes(text_of(other, ","))
    assert read_raw(file).dialect.companions[0][0] == "HPA_DataDictionary_2006-11-30.csv"
    (tmp_path / "HPA_DataDictionary_2007-11-30.csv").write_bytes(text_of(other, ","))
    assert refused(file) == [("SCR-091", file.name, "'HPA_DataDictionary_2006-11-30.csv, HPA_DataDictionary_2007-11-30.csv'")]
    told = FileFormat(companions={"dictionary": "HPA_DataDictionary_2006-11-30.csv"})
    assert read_raw(file, told).labels["obeys"]["2"] == "Nej"
    told = FileFormat(companions={"dictionary": "HPA_DataDictionary_2007-11-30.csv"})
    assert {code for code, _, _ in refused(file, told)} == {"SCR-094"}


def test_a_file_from_elsewhere_beside_a_dictionary_is_a_plain_one(tmp_path):
    file = write(tmp_path, [["institution_id", "municipality"], ["A1", "Aarhus"]], redcap_dictionary())
    raw = read_raw(file)
    assert (raw.dialect.format, raw.dialect.companions) == ("csv", ())


def test_without_a_dictionary_the_added_columns_tell(tmp_path):
    file = tmp_path / "wave1.csv"
    file.write_text(LONGITUDINAL)
    raw = read_raw(file)
    assert (raw.dialect.format, raw.labels, raw.titles) == ("redcap", {}, {})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('redcap_event_name == "wave1_arm_1" and screening_complete != ""', [("001", "1"), ("002", "")]),
        ("redcap_event_name == wave2_arm_1", [("001", "2")]),
        ("redcap_repeat_instrument == visits and redcap_repeat_instance == 1", [("001", "a"), ("002", "c")]),
    ],
)
def test_keep_rows_picks_an_event_or_a_repetition(tmp_path, rule, expected):
    file = tmp_path / "wave1.csv"
    file.write_text(LONGITUDINAL)
    kept = apply_mapping(read_raw(file), Mapping(version=1, keep_rows=rule), ())
    frame = kept.frame()
    assert [
        (child, mood or visit) for child, mood, visit in frame[["child", "mood", "visit"]].itertuples(index=False)
    ] == expected
    assert kept.rows_read == 6
    assert kept.filtered == 6 - len(expected)


def test_columns_that_redcap_adds_need_not_be_in_the_dictionary(tmp_path):
    added = ["redcap_event_name", "redcap_repeat_instrument", "redcap_data_access_group", "screening_timestamp"]
    table = [[*row[:1], *cells, *row[1:]] for row, cells in zip(redcap_raw(), [added, *[["w1", "", "", "x"]] * 3], strict=True)]
    raw = read_raw(write(tmp_path, table, redcap_dictionary()))
    assert list(raw.columns)[1:5] == added
    table[0][4] = "other_timestamp"
    assert refused(write(tmp_path, table, redcap_dictionary())) == [("SCR-094", "wave1.csv row 1, column other_timestamp", None)]


def test_headings_of_added_columns_get_their_names(tmp_path):
    added = ["Event Name", "Repeat Instrument", "Repeat Instance", "Survey Identifier"]
    cells = [added, *[["Wave 1", "", "", "a@example.org"]] * 3]
    table = [[*row[:1], *more, *row[1:]] for row, more in zip(redcap_labels(), cells, strict=True)]
    raw = read_raw(write(tmp_path, table, redcap_dictionary()))
    assert list(raw.columns)[1:4] == ["redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"]
    assert raw.identifiers == {"note", "redcap_survey_identifier"}


def test_two_forms_have_a_state_each(tmp_path):
    first, second = redcap_dictionary((Asked("child", "Nummer"),), "intake"), redcap_dictionary((Asked("x", "X"),), "visit")
    table = [["Nummer", "Complete?", "X", "Complete?"], ["007", "Complete", "a", "Incomplete"]]
    raw = read_raw(write(tmp_path, table, [*first, *second[1:]]))
    assert list(raw.columns) == ["child", "intake_complete", "x", "visit_complete"]
    table = [["child", "intake_complete", "x", "visit_complete"], ["007", "2", "a", "0"]]
    raw = read_raw(write(tmp_path, table, [*first, *second[1:]]))
    assert (
        raw.labels["intake_complete"] == raw.labels["visit_complete"] == {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
    )


def test_fields_with_the_same_label_cannot_be_told_apart(tmp_path):
    survey = (Asked("child", "Nummer"), Asked("a", "Bemærkning"), Asked("b", "Bemærkning"))
    table = [["Nummer", "Bemærkning", "Bemærkning"], ["007", "x", "y"]]
    assert (
        refused(write(tmp_path, table, redcap_dictionary(survey)))
        == [("SCR-108", "wave1.csv row 1, column Bemærkning", None)] * 2
    )


def test_headings_without_a_dictionary_are_refused(tmp_path):
    table = [["Nummer", "Complete?", "X", "Complete?"], ["007", "Complete", "a", "Incomplete"]]
    assert refused(write(tmp_path, table)) == [("SCR-107", "wave1.csv row 1", None)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda d: d[2].__setitem__(5, "1, Godt | Skidt"), ("SCR-106", "row 3, column mood", "' Skidt'")),
        (lambda d: d[3].__setitem__(0, "mood"), ("SCR-096", "row 4, column mood", None)),
        (lambda d: d.__setitem__(3, d[3][:4]), ("SCR-093", "row 4", "4")),
    ],
)
def test_a_damaged_dictionary_is_refused_at_its_row(tmp_path, change, expected):
    dictionary = redcap_dictionary()
    change(dictionary)
    code, place, found = expected
    assert refused(write(tmp_path, redcap_raw(), dictionary)) == [(code, f"HPA_DataDictionary_2006-11-30.csv {place}", found)]


def test_a_dictionary_without_its_columns_is_refused_when_it_is_told(tmp_path):
    file = write(tmp_path, redcap_raw())
    (tmp_path / "fields.csv").write_text("field,label\nmood,Humør\n")
    assert refused(file, FileFormat(companions={"dictionary": "fields.csv"})) == [
        ("SCR-092", "fields.csv row 1", "'field, label'")
    ]


def test_kinds_of_fields(tmp_path):
    def field(name: str, kind: str, choices: str = "", label: str = "") -> list[str]:
        return [name, "form", "", kind, label or name, choices, *[""] * 12]

    dictionary = [
        list(DICTIONARY),
        field("child", "text"),
        field("intro", "descriptive"),
        field("fine", "yesno"),
        field("sure", "truefalse"),
        field("drink", "checkbox", "-1, None | tea, <i>Tea</i>"),
        field("total", "calc", "[a] + [b]"),
        field("age", "dropdown", "01, Three"),
    ]
    table = [["child", "fine", "sure", "drink____1", "drink___tea", "total", "age"], ["007", "1", "0", "0", "1", "5", "01"]]
    raw = read_raw(write(tmp_path, table, dictionary))
    assert raw.labels["fine"] == {"1": "Yes", "0": "No"}
    assert raw.labels["sure"] == {"1": "True", "0": "False"}
    assert raw.labels["age"] == {"01": "Three"}
    assert raw.titles["drink___tea"] == "drink - Tea"
    assert "total" not in raw.labels
