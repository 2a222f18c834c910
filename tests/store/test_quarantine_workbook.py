"""Rows in quarantine as a workbook: text cells, the reason beside each row, the cell at fault marked; it comes back as it is."""

import openpyxl
import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.store import table
from asp_eval.store.quarantine import MOST_IN_WORKBOOK
from asp_eval.workflow.import_file import import_file
from tests.small_study import OLDER

BOOK = "output/quarantine/screening-w1.xlsx"


@pytest.fixture
def book(study, incoming):
    """A file of 40 children, two with a fault: an impossible answer, and no answer to be read; the export has its own names."""
    (incoming / "institutions.csv").write_text("institution_id,municipality\nA1,A\n")
    import_file(study, incoming / "institutions.csv", "institutions")
    frame = pd.DataFrame({"barn": [f"{i:03d}" for i in range(40)], "institution_id": "A1", "date": "2006-09-10"})
    frame = frame.join(pd.DataFrame("1", index=frame.index, columns=list(OLDER)))
    frame["note"] = "=1+1"
    frame["q"] = frame.pop(OLDER[0])
    frame.loc[7, "q"] = "9"
    frame.loc[20, OLDER[3]] = "x"
    frame.to_csv(incoming / "w1.csv", index=False)
    (incoming / "w1.csv.mapping.yaml").write_text(
        f"version: 1\nrename: {{barn: child_id, q: {OLDER[0]}}}\nignore: [note]\n", encoding="utf-8"
    )
    report = import_file(study, incoming / "w1.csv", "screening", wave="w1")
    assert (report.accepted, report.quarantined) == (38, 2)
    return study.folder / BOOK


def cells_of(path):
    sheet = openpyxl.load_workbook(path).active
    headings = [cell.value for cell in sheet[1]]
    return sheet, headings


def test_it_has_the_rows_as_texts_with_reasons_and_marks_the_cells_at_fault(study, book):
    sheet, headings = cells_of(book)
    assert headings[:3] == ["quarantine_of", "quarantine_row", "quarantine_reasons"]
    assert [row[headings.index("barn")].value for row in sheet.iter_rows(min_row=2)] == ["007", "020"]
    assert "SCR-014" in sheet.cell(2, 3).value
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    assert {cell.number_format for row in sheet.iter_rows() for cell in row} == {"@"}
    marked = [(cell.row, headings[cell.column - 1]) for row in sheet.iter_rows() for cell in row if cell.fill.fill_type]
    assert marked == [(2, "q"), (3, OLDER[3])]
    csv = pd.read_csv(study.folder / BOOK.replace("xlsx", "csv"), dtype=str, keep_default_na=False)
    assert csv.to_numpy().tolist() == [[cell.value or "" for cell in row] for row in sheet.iter_rows(min_row=2)]


def test_as_it_is_it_changes_nothing_and_corrected_its_rows_are_stored(study, book):
    before = table(study, "quarantine").drop(columns="latest")
    with pytest.raises(DataProblems) as caught:
        import_file(study, book, "screening", wave="w1")
    faults = [(p.place.row, p.place.column, p.found) for p in caught.value.problems if p.code == "SCR-014"]
    assert faults == [(2, OLDER[0], "'9'"), (3, OLDER[3], "'x'")]
    assert table(study, "quarantine").drop(columns="latest").equals(before)
    workbook = openpyxl.load_workbook(book)
    headings = [cell.value for cell in workbook.active[1]]
    workbook.active.cell(2, headings.index("q") + 1).value = 2
    workbook.active.cell(3, headings.index(OLDER[3]) + 1).value = "0"
    workbook.save(book)
    report = import_file(study, book, "screening", wave="w1")
    assert (report.accepted, report.waiting) == (2, 0)
    stored = table(study, "screening_sdq-teacher-4-17").set_index("child_id")
    assert stored.loc["007", OLDER[0]] == 2
    assert stored.loc["020", OLDER[3]] == 0
    assert not book.exists()
    assert not book.with_suffix(".csv").exists()


def test_half_corrected_the_rest_waits_in_both_files(study, book):
    workbook = openpyxl.load_workbook(book)
    headings = [cell.value for cell in workbook.active[1]]
    workbook.active.cell(2, headings.index("q") + 1).value = "2"
    workbook.save(book)
    report = import_file(study, book, "screening", wave="w1")
    assert (report.accepted, report.waiting) == (1, 1)
    sheet, headings = cells_of(book)
    assert [row[headings.index("barn")].value for row in sheet.iter_rows(min_row=2)] == ["020"]
    assert MOST_IN_WORKBOOK < 20_000
