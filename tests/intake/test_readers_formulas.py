"""Cells of a workbook that do not hold what they show.

1. a formula without a stored value is refused, its cell named: in XLSX, ODS and XLS;
2. so is every formula of a workbook that is marked to be calculated when it is opened;
3. a formula with its value is that value, an empty text among them; text that looks like a formula stays text;
4. zeros that a number format shows are read as they are shown: in XLSX, ODS and XLS.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
from pathlib import Path

import openpyxl
import pytest
from file_formats import _record, ods_of, ods_row, ods_text, xls_cell, xls_of, xlsx_of

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.reading import read_raw

SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
HEAD = '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c><c r="B1" t="inlineStr"><is><t>score</t></is></c></row>'


def workbook(cell: str, calculation: str = "") -> bytes:
    """A workbook of a header and one row: an id, and a cell as its XML has it."""
    row = f'<row r="2"><c r="A2" t="inlineStr"><is><t>007</t></is></c>{cell}</row>'
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(xlsx_of(Data=[["id", "score"], ["007", 1]]))) as book, zipfile.ZipFile(made, "w") as copy:
        for name in book.namelist():
            content = book.read(name)
            if name == "xl/worksheets/sheet1.xml":
                content = SHEET.format(HEAD + row).encode()
            if name == "xl/workbook.xml":
                content = re.sub(rb"<calcPr[^>]*/>", calculation.encode(), content)
            copy.writestr(name, content)
    return made.getvalue()


def read(path: Path, content: bytes) -> dict[str, list[str]]:
    path.write_bytes(content)
    return {name: list(column.cells()) for name, column in read_raw(path).columns.items()}


def refused(path: Path, content: bytes) -> list[str]:
    path.write_bytes(content)
    with pytest.raises(DataProblems) as caught:
        read_raw(path)
    return [f"{problem.code} {problem.place}" for problem in caught.value.problems]


@pytest.mark.parametrize("cell", ['<c r="B2"><f>1+1</f><v></v></c>', '<c r="B2"><f>1+1</f></c>', '<c r="B2"><f>1+1</f><v/></c>'])
def test_a_formula_without_a_value(cell, tmp_path):
    assert refused(tmp_path / "x.xlsx", workbook(cell)) == ["SCR-197 x.xlsx row 2, column B"]


def test_a_formula_of_a_program_that_calculates_nothing(tmp_path):
    book = openpyxl.Workbook()
    for row in (["id", "score"], ["007", "=1+1"], ["008", "=1+2"]):
        book.active.append(row)
    book.save(tmp_path / "y.xlsx")
    found = refused(tmp_path / "x.xlsx", (tmp_path / "y.xlsx").read_bytes())
    assert found == ["SCR-197 x.xlsx row 2, column B", "SCR-197 x.xlsx row 3, column B"]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<c r="B2"><f>1+1</f><v>2</v></c>', "2"),
        ('<c r="B2" t="str"><f>A1</f><v>id</v></c>', "id"),
        ('<c r="B2" t="str"><f>""</f><v></v></c>', ""),
        ('<c r="B2" t="inlineStr"><is><t>=1+1</t></is></c>', "=1+1"),
    ],
)
def test_a_formula_with_its_value_and_text_that_looks_like_one(cell, text, tmp_path):
    assert read(tmp_path / "x.xlsx", workbook(cell))["score"] == [text]


@pytest.mark.parametrize(
    "mark", ['<calcPr fullCalcOnLoad="1"/>', '<calcPr fullCalcOnLoad="true"/>', '<calcPr calcCompleted="0"/>']
)
def test_formulas_that_are_to_be_calculated_when_the_workbook_is_opened(mark, tmp_path):
    formula = workbook('<c r="B2"><f>1+1</f><v>0</v></c>', mark)
    assert refused(tmp_path / "x.xlsx", formula) == ["SCR-198 x.xlsx row 2, column B"]
    plain = workbook('<c r="B2"><v>0</v></c>', mark)
    assert read(tmp_path / "x.xlsx", plain)["score"] == ["0"]


def test_formulas_of_opendocument(tmp_path):
    head = ods_row(ods_text("id"), ods_text("score"))
    formula = '<table:table-cell table:formula="of:=1+1"'
    bare, kept = f"{formula}/>", f'{formula} office:value-type="float" office:value="2"><text:p>2</text:p></table:table-cell>'
    assert refused(tmp_path / "x.ods", ods_of(head + ods_row(ods_text("007"), bare))) == ["SCR-197 x.ods row 2, column B"]
    assert read(tmp_path / "x.ods", ods_of(head + ods_row(ods_text("007"), kept)))["score"] == ["2"]


def xls_formula(row: int, column: int, value: bytes, options: int = 0) -> bytes:
    return _record(0x0006, struct.pack("<HHH", row, column, 0) + value + struct.pack("<HI", options, 0) + b"\3\0\x1e\1\0")


NUMBER, EMPTY_TEXT = struct.pack("<d", 2), b"\3\0\0\0\0\0\xff\xff"


def test_formulas_of_the_old_format(tmp_path):
    head = [xls_cell(0, 0, "id"), xls_cell(0, 1, "score"), xls_cell(1, 0, "007")]
    never = xls_of([*head, xls_formula(1, 1, EMPTY_TEXT)])
    later = xls_of([*head, xls_formula(1, 1, NUMBER, options=2)])
    kept = xls_of([*head, xls_formula(1, 1, NUMBER), xls_cell(2, 0, "008"), xls_formula(2, 1, EMPTY_TEXT)])
    assert refused(tmp_path / "x.xls", never) == ["SCR-197 x.xls row 2, column B"]
    assert refused(tmp_path / "x.xls", later) == ["SCR-198 x.xls row 2, column B"]
    assert read(tmp_path / "x.xls", kept)["score"] == ["2", ""]


def test_zeros_that_a_format_shows(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "plain", "text"])
    book.active.append([7, 7, "7"])
    book.active.append([123456, None, "x"])
    for row in (2, 3):
        book.active.cell(row, 1).number_format = "00000"
        book.active.cell(row, 3).number_format = "00000"
    book.save(tmp_path / "y.xlsx")
    found = read(tmp_path / "x.xlsx", (tmp_path / "y.xlsx").read_bytes())
    assert found == {"id": ["00007", "123456"], "plain": ["7", ""], "text": ["7", "x"]}


def test_zeros_that_a_format_of_opendocument_shows(tmp_path):
    styles = (
        '<number:number-style style:name="N1"><number:number number:decimal-places="0" number:min-integer-digits="5"/>'
        '</number:number-style><style:style style:name="ce1" style:data-style-name="N1"/>'
    )
    cell = '<table:table-cell {} office:value-type="float" office:value="7"><text:p>00007</text:p></table:table-cell>'
    body = ods_row(ods_text("id"), ods_text("score")) + ods_row(cell.format('table:style-name="ce1"'), cell.format(""))
    content = ods_of(body)
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as book, zipfile.ZipFile(made, "w") as copy:
        for name in book.namelist():
            text = book.read(name).decode()
            spaces = 'xmlns:number="urn:n" xmlns:style="urn:s" office:version'
            text = text.replace("office:version", spaces).replace("<office:body>", f"{styles}<office:body>")
            copy.writestr(name, text if name == "content.xml" else book.read(name))
    assert read(tmp_path / "x.ods", made.getvalue()) == {"id": ["00007"], "score": ["7"]}


def test_zeros_that_a_format_of_the_old_format_shows(tmp_path):
    text = b"00000"
    form = _record(0x041E, struct.pack("<HHB", 164, len(text), 0) + text)
    style = _record(0x00E0, struct.pack("<HHHBBBBIIH", 0, 164, 0, 0, 0, 0, 0, 0, 0, 0))
    number = _record(0x0203, struct.pack("<HHHd", 1, 0, 0, 7))
    content = xls_of([xls_cell(0, 0, "id"), xls_cell(0, 1, "text"), number, xls_cell(1, 1, "7")], form + style)
    assert read(tmp_path / "x.xls", content) == {"id": ["00007"], "text": ["7"]}
