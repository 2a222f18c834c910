"""Mappings change names and labels, never data; what they cannot do is listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from asp_eval.core.errors import AspError, DataProblems
from asp_eval.core.resources import shipped_folder
from asp_eval.trial.screening.applying import apply_mapping
from asp_eval.trial.screening.mapping import NO_MAPPING, Mapping, load_mapping, mapping_beside
from asp_eval.trial.screening.raw import RawTable
from asp_eval.trial.screening.reading import read_raw

NAMES = ("child_id", "institution_id", "arm", "sex", "wave", "date")
TEXT = "uc,treat,girl,attrit\n007,1,0,0\n007,1,1,1\n008,0,-9,0\n008,0,1,\n"


@pytest.fixture
def raw(tmp_path: Path) -> RawTable:
    (tmp_path / "data.csv").write_text(TEXT)
    return read_raw(tmp_path / "data.csv")


def mapping(**parts: object) -> Mapping:
    return Mapping.model_validate({"version": 1, **parts})


def refused(raw: RawTable, **parts: object) -> list[str]:
    with pytest.raises(AspError) as caught:
        apply_mapping(raw, mapping(**parts), NAMES)
    return [problem.code for problem in caught.value.problems]


def test_without_a_mapping_nothing_changes(raw):
    assert apply_mapping(raw, NO_MAPPING, NAMES) is raw


def test_every_part_in_its_order(raw):
    done = apply_mapping(
        raw,
        mapping(
            keep_rows="attrit == 0", rename={"uc": "institution_id", "girl": "sex"}, missing=[-9],
            recode={"sex": {0: "boy", 1: "girl"}}, row_number_as="child_id", ignore="others",
            constants={"wave": "w7", "date": None},
        ),
        NAMES,
    )  # fmt: skip
    assert {name: list(column.cells()) for name, column in done.columns.items()} == {
        "institution_id": ["007", "008"], "sex": ["boy", ""], "wave": ["w7", "w7"], "date": ["", ""], "child_id": ["2", "4"],
    }  # fmt: skip
    assert (done.rows_read, done.filtered, len(done)) == (4, 2, 2)


def test_one_row_per_institution_keeps_the_first_and_counts_the_others(raw):
    merged = mapping(rename={"uc": "institution_id", "treat": "arm"}, ignore="others", one_row_per="institution_id")
    done = apply_mapping(raw, merged, NAMES)
    assert list(done.columns["institution_id"].cells()) == ["007", "008"]
    assert done.rows.tolist() == [2, 4]
    assert done.collapsed == 2


def test_an_institution_in_both_arms_is_listed_with_its_rows(tmp_path):
    (tmp_path / "data.csv").write_text("uc,treat\n1,1\n1,1\n1,0\n2,0\n")
    with pytest.raises(DataProblems) as caught:
        apply_mapping(read_raw(tmp_path / "data.csv"), mapping(one_row_per="uc"), NAMES)
    (problem,) = caught.value.problems
    assert (problem.code, problem.place.row, problem.place.column) == ("SCR-023", 2, "treat")
    assert "uc '1'" in str(problem)
    assert "'1' in 2 rows from row 2; '0' in 1 rows from row 4" in str(problem)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"rename": {"ud": "institution_id"}}, "SCR-020"), ({"recode": {"sex": {"0": "boy"}}}, "SCR-020"),
        ({"keep_rows": "attrition == 0"}, "SCR-020"), ({"ignore": ["atrit"]}, "SCR-020"),
        ({"one_row_per": "institution_id"}, "SCR-020"),
        ({"rename": {"uc": "treat"}}, "SCR-021"), ({"constants": {"girl": "1"}}, "SCR-021"), ({"row_number_as": "uc"}, "SCR-021"),
        ({"keep_rows": "attrit == 5"}, "SCR-022"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_listed(raw, parts, code):
    assert refused(raw, **parts) == [code]


def test_the_near_name_is_suggested(raw):
    with pytest.raises(DataProblems, match="Did you mean 'attrit'"):
        apply_mapping(raw, mapping(ignore=["atrit"]), NAMES)


def test_a_label_that_is_not_met_is_a_warning(raw):
    done = apply_mapping(raw, mapping(recode={"girl": {"0": "boy", "00": "boy"}}), NAMES)
    assert [(note.code, note.severity) for note in done.notes] == [("SCR-024", "warning")]


def test_labels_that_are_not_named_stay(raw):
    done = apply_mapping(raw, mapping(recode={"girl": {"0": "boy"}}), NAMES)
    assert list(done.columns["girl"].cells()) == ["boy", "1", "-9", "1"]


def test_the_mapping_beside_an_export_is_found(tmp_path):
    export = tmp_path / "wave1.csv"
    assert mapping_beside(export) is None
    (tmp_path / "wave1.mapping.yaml").write_text("version: 1\n")
    assert mapping_beside(export) == tmp_path / "wave1.mapping.yaml"
    (tmp_path / "wave1.csv.mapping.yaml").write_text("version: 1\n")
    assert mapping_beside(export) == tmp_path / "wave1.csv.mapping.yaml"


def test_a_mapping_file_is_answered_with_all_its_mistakes(tmp_path):
    file = tmp_path / "m.mapping.yaml"
    file.write_text("version: 2\nrenam: {a: b}\nkeep_rows: a < 3\nformat: {decimal: x}\n")
    with pytest.raises(DataProblems) as caught:
        load_mapping(file)
    assert [(p.place.line, p.place.column) for p in caught.value.problems] == [
        (1, "version"), (4, "format.decimal"), (3, "keep_rows"), (2, "renam"),
    ]  # fmt: skip


def test_a_column_made_twice_is_a_mistake():
    with pytest.raises(ValueError, match="child_id is made more than once"):
        mapping(rename={"a": "child_id"}, row_number_as="child_id")


def test_the_digest_follows_the_content():
    assert mapping(rename={"a": "b"}).digest == mapping(rename={"a": "b"}).digest != NO_MAPPING.digest
    assert NO_MAPPING.on_one_line == ""


def test_the_mapping_in_the_manual_can_be_read(tmp_path):
    manual = (shipped_folder("data_schema").parent / "docs" / "importing.md").read_text(encoding="utf-8")
    block = next(part for part in manual.split("\n\n") if part.startswith("    version: 1\n    format"))
    file = tmp_path / "manual.mapping.yaml"
    file.write_text("\n".join(line.removeprefix("    ") for line in block.splitlines()))
    shown = load_mapping(file)
    assert shown.model_fields_set == set(Mapping.model_fields)
