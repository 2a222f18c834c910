"""The worksheet as a spreadsheet on paper: one A4 page, everything that is written on it whole."""

from __future__ import annotations

import io

import openpyxl
import pytest

from asp_eval.trial.profiles.goal_sheet import GoalSheet, goal_workbook

POINTS_A_LINE = 15


@pytest.mark.parametrize("language", ["da", "en"])
def test_a_worksheet_prints_on_one_page_with_its_headings_whole(language):
    sheets = [GoalSheet("asp", one, "w1", {"en": "ASP"}, {"en": "start"}, {"play": {"en": "Play"}}) for one in ("i07", "i08")]
    book = openpyxl.load_workbook(io.BytesIO(goal_workbook(sheets, language)), rich_text=True)
    assert book.sheetnames == ["i07", "i08"]
    for sheet in book.worksheets:
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert {sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight} <= {
            None,
            1,
        }  # one is what is meant where nothing is said
        top = next(row for row in range(1, sheet.max_row) if sheet.cell(row, 1).value == "goals") + 1
        for cell in sheet[top][1:]:
            width = sheet.column_dimensions[cell.column_letter].width
            lines = sum(-(-len(line) // int(width)) for line in str(cell.value or "").split("\n"))
            assert lines * POINTS_A_LINE <= sheet.row_dimensions[top].height, cell.value
        wrapped = [cell.alignment.wrap_text for row in sheet.iter_rows(min_row=top, max_row=top + 8, min_col=2) for cell in row]
        assert all(wrapped)
