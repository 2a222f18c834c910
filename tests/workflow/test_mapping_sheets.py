"""A mapping as a sheet says what the file in YAML says; filled in by a person, the import takes it as it takes the other.

1. the sheet of a complete draft is the same mapping as the draft in YAML, whatever the file;
2. a sheet with open cells is refused, each with its row; filled in, the file is imported, and what is kept is YAML;
3. rows that say nothing, or two things, and files that are no such sheet, are refused by row and name;
4. every part of a mapping can stand in a sheet.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from openpyxl import load_workbook

from asp_eval.core.errors import DataProblems
from asp_eval.intake.mapping.mapping import Mapping, load_mapping, mapping_beside
from asp_eval.intake.mapping.mapping_sheet import ANSWER, COLUMN, QUESTIONNAIRE, SETTING, SheetRow, sheet_of
from asp_eval.store import table
from asp_eval.trial.study.design import Study
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.propose import propose
from tests.command import asp_eval
from tests.workflow.test_complete_drafts import FILES, N, children, made, short, study

__all__ = ["made", "study"]


@pytest.mark.parametrize("kind", FILES)
def test_the_sheet_of_a_draft_is_the_same_mapping(study, tmp_path, kind):
    make, _ = FILES[kind]
    file = make(tmp_path)
    text = propose(study, file, wave="w1", write=False).mapping
    (tmp_path / "draft.yaml").write_text(text, encoding="utf-8")
    written = propose(study, file, wave="w1", xlsx=True).written
    assert written == file.with_name(f"{file.name}.mapping.xlsx")
    assert load_mapping(written) == load_mapping(tmp_path / "draft.yaml")


def unlabelled(folder: Path) -> Path:
    frame = children(short)
    frame.insert(2, "gender", [i % 2 + 1 for i in range(N)])
    frame.assign(unit="x").to_csv(folder / "wave.csv", index=False)
    return folder / "wave.csv"


def filled(sheet: Path, changes: dict[tuple[str, str], str]) -> None:
    """Fill in the column 'ours' of a sheet: by what stands under 'of' and under 'in the file'."""
    book = load_workbook(sheet)
    for row in book.active.iter_rows(min_row=2):
        known = (row[1].value or "", row[2].value or "")
        if known in changes:
            row[3].value = changes.pop(known)
    assert not changes
    book.save(sheet)


def test_a_sheet_that_a_person_fills_in(study, tmp_path):
    file = unlabelled(tmp_path)
    ran = asp_eval("import", file, "--propose", "--wave", "w1", "--xlsx", "--study", study.folder)
    assert (ran.code, "wave.csv.mapping.xlsx is written" in ran.out) == (0, True)
    with pytest.raises(DataProblems) as caught:
        import_file(study, file, "screening", wave="w1")
    assert {problem.code for problem in caught.value.problems} == {"SCR-222"}
    sheet = file.with_name("wave.csv.mapping.xlsx")
    filled(sheet, {("sex", "1"): "boy", ("sex", "2"): "girl"})
    report = import_file(study, file, "screening", wave="w1")
    assert report.accepted == N
    assert set(table(study, "children").sex) == {"boy", "girl"}
    kept = mapping_beside(study.folder / "data" / "wave.csv")
    assert kept == study.folder / "data" / "wave.csv.mapping.yaml"
    assert load_mapping(kept) == load_mapping(sheet)
    assert import_file(study, study.folder / "data" / "wave.csv", "screening", wave="w1").already


def test_coloured_cells_are_those_that_are_open(study, tmp_path):
    sheet = propose(study, unlabelled(tmp_path), wave="w1", xlsx=True).written
    rows = load_workbook(sheet).active.iter_rows(min_row=2)
    coloured = {(row[1].value, cell.column_letter) for row in rows for cell in row if cell.fill.fgColor.rgb == "FFFFD966"}
    assert coloured == {("sex", "D")}


EVERY_PART = [
    SheetRow(SETTING, "format.header_row", ours="3"),
    SheetRow(SETTING, "unfold.wave.w1", ours="*_pre"),
    SheetRow(SETTING, "keep_rows", ours='a == "1"'),
    SheetRow(COLUMN, theirs="007", ours="child_id"),
    SheetRow(COLUMN, theirs="status", ours="(leave out)"),
    SheetRow(QUESTIONNAIRE, theirs="t{key}", ours="sdq-teacher-4-17"),
    SheetRow(ANSWER, "sex", "1", "boy"),
    SheetRow(ANSWER, "sex", "9", "(empty)"),
    SheetRow(SETTING, "truncate.birth_month", ours="month"),
    SheetRow(SETTING, "constants.rater_id"),
    SheetRow(SETTING, "constants.date", ours="2027-09-01"),
    SheetRow(SETTING, "missing", theirs="-9"),
    SheetRow(SETTING, "missing", theirs="NA"),
    SheetRow(SETTING, "not_personal", theirs="mail_sent"),
    SheetRow(SETTING, "stop_at.share_of_rows", ours="0.5"),
]


def test_every_part_of_a_mapping(tmp_path):
    (tmp_path / "m.xlsx").write_bytes(sheet_of(EVERY_PART))
    assert load_mapping(tmp_path / "m.xlsx") == Mapping.model_validate(
        {
            "version": 1,
            "format": {"header_row": 3},
            "unfold": {"wave": {"w1": "*_pre"}},
            "keep_rows": 'a == "1"',
            "rename": {"007": "child_id"},
            "ignore": ["status"],
            "rename_items": {"sdq-teacher-4-17": "t{key}"},
            "recode": {"sex": {"1": "boy", "9": ""}},
            "truncate": {"birth_month": "month"},
            "constants": {"rater_id": None, "date": "2027-09-01"},
            "missing": ["-9", "NA"],
            "not_personal": ["mail_sent"],
            "stop_at": {"share_of_rows": 0.5},
        }
    )


@pytest.mark.parametrize(
    ("rows", "code", "row"),
    [
        ([SheetRow("kolonne", theirs="a", ours="b")], "SCR-221", 2),
        ([SheetRow(COLUMN, theirs="a", ours="b"), SheetRow(COLUMN, theirs="a", ours="c")], "DOC-007", 3),
        ([SheetRow(ANSWER, "sex", "1", "boy"), SheetRow(ANSWER, "sex", "1", "girl")], "DOC-007", 3),
        ([SheetRow(SETTING, "missing", "NA"), SheetRow(SETTING, "missing", "NA")], "DOC-007", 3),
        ([SheetRow(COLUMN, theirs="a")], "SCR-222", 2),
        ([SheetRow(QUESTIONNAIRE, ours="sdq-teacher-4-17")], "SCR-222", 2),
        ([SheetRow(ANSWER, "", "1", "boy")], "SCR-222", 2),
        ([SheetRow(SETTING, "format.decimal")], "SCR-222", 2),
        ([SheetRow(COLUMN, theirs="a", ours="b"), SheetRow(SETTING, "format.decimals", ours=",")], "DOC-008", 3),
        ([SheetRow(SETTING, "format.decimal", ours="comma")], "DOC-010", 2),
        ([SheetRow(QUESTIONNAIRE, theirs="t_key", ours="sdq-teacher-4-17")], "DOC-010", 2),
    ],
)
def test_what_is_wrong_is_placed_on_its_row(tmp_path, rows, code, row):
    (tmp_path / "m.xlsx").write_bytes(sheet_of(rows))
    with pytest.raises(DataProblems) as caught:
        load_mapping(tmp_path / "m.xlsx")
    (problem,) = caught.value.problems
    assert (problem.code, problem.place.row, problem.place.line) == (code, row, None)


def test_a_workbook_that_is_no_mapping(tmp_path):
    pd.DataFrame({"part": ["column"], "theirs": ["a"]}).to_excel(tmp_path / "m.xlsx", index=False)
    with pytest.raises(DataProblems, match="SCR-220"):
        load_mapping(tmp_path / "m.xlsx")


def test_two_mappings_beside_a_file(study: Study, tmp_path: Path):
    file = FILES["titles"][0](tmp_path)
    propose(study, file, wave="w1")
    file.with_name(f"{file.name}.mapping.xlsx").write_bytes(sheet_of(EVERY_PART))
    with pytest.raises(DataProblems, match="SCR-223"):
        import_file(study, file, "screening", wave="w1")


def test_persons_in_a_sheet_are_refused(study, tmp_path):
    file = unlabelled(tmp_path)
    sheet = propose(study, file, wave="w1", xlsx=True).written
    filled(sheet, {("sex", "1"): "boy", ("sex", "2"): "0102034567"})
    with pytest.raises(DataProblems, match="SCR-146"):
        import_file(study, file, "screening", wave="w1")


def test_the_switch_goes_with_the_proposal(study, tmp_path):
    ran = asp_eval("import", FILES["titles"][0](tmp_path), "--xlsx", "--table", "screening", "--study", study.folder)
    assert ran.code == 2
    assert "--propose" in ran.err
