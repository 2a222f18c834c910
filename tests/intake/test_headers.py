"""Where the names of the columns stand, and rows that are no data.

1. blank rows above the header are passed over, and count as rows;
2. a title, or headings of groups, are refused with the row of the names; the mapping says it, and the proposer finds it;
3. a repeated header is left out and told, one in another order refuses the file; also behind a byte order mark;
4. merged cells among the data are refused, above them they are headings; ODS and XLSX;
5. names are the same whatever way their letters are put together;
6. a workbook whose parts lie at the root of the package is read.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path

import openpyxl
import pytest
from file_formats import ods_of, ods_row, ods_text, xlsx_of, zipped

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.reading import read_raw

NAMES = ["id", "place", "score"]
ROWS = [["001", "A", "1"], ["002", "B", "2"]]


def write(path: Path, rows: list[list[str]], mark: str = "") -> Path:
    if path.suffix == ".xlsx":
        path.write_bytes(xlsx_of(Data=rows))
    else:
        path.write_text(mark + "".join(";".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


def codes(path: Path, form: FileFormat | None = None) -> list[str]:
    with pytest.raises(DataProblems) as caught:
        read_raw(path, form)
    return [f"{problem.code} {problem.place.row}" for problem in caught.value.problems]


@pytest.mark.parametrize("name", ["x.csv", "x.xlsx"])
def test_blank_rows_above_the_header(name, tmp_path):
    raw = read_raw(write(tmp_path / name, [["", "", ""], ["", "", ""], NAMES, *ROWS]))
    assert (list(raw.columns), raw.rows.tolist(), raw.rows_read) == (NAMES, [4, 5], 2)


@pytest.mark.parametrize("name", ["x.csv", "x.xlsx"])
@pytest.mark.parametrize("title", [["Screening 2027"], ["Screening 2027", "", ""]])
def test_a_title_above_the_header(name, title, tmp_path):
    file = write(tmp_path / name, [title, ["", "", ""], NAMES, *ROWS])
    assert codes(file) == ["SCR-204 1"]
    raw = read_raw(file, FileFormat(header_row=3))
    assert (list(raw.columns), raw.rows.tolist()) == (NAMES, [4, 5])


def test_headings_of_groups_above_the_names(tmp_path):
    names = ["id", "place", "q1", "q2", "q3", "q4"]
    file = write(tmp_path / "x.csv", [["Child", "", "Answers", "", "", "Other"], names, ["001", "A", "1", "2", "0", "1"]])
    assert codes(file) == ["SCR-205 1"]
    assert list(read_raw(file, FileFormat(header_row=2)).columns) == names


def test_questions_below_the_header(tmp_path):
    file = write(tmp_path / "x.csv", [NAMES, ["Which child?", "Where?", "How well?"], *ROWS])
    assert read_raw(file, FileFormat(skip_after_header=1)).rows.tolist() == [3, 4]


def test_a_header_that_the_file_has_not(tmp_path):
    assert codes(write(tmp_path / "x.csv", [NAMES, *ROWS]), FileFormat(header_row=9)) == ["SCR-206 4"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_header_that_is_repeated(mark, tmp_path):
    again = [mark + NAMES[0], *NAMES[1:]]
    raw = read_raw(write(tmp_path / "x.csv", [NAMES, *ROWS, again, ["003", "A", "1"]], mark))
    assert (raw.columns["id"].cells().tolist(), raw.rows.tolist()) == (["001", "002", "003"], [2, 3, 5])
    assert [(note.code, note.severity, note.place.row) for note in raw.notes] == [("SCR-208", "warning", 4)]


def test_a_header_in_another_order_in_the_middle(tmp_path):
    assert codes(write(tmp_path / "x.csv", [NAMES, *ROWS, NAMES[::-1], ["1", "A", "003"]])) == ["SCR-209 4"]


def test_a_row_with_one_cell_called_like_a_column_is_data(tmp_path):
    raw = read_raw(write(tmp_path / "x.csv", [NAMES, *ROWS, ["place", "B", "2"]]))
    assert raw.rows.tolist() == [2, 3, 4]


def test_merged_cells_among_the_data(tmp_path):
    book = openpyxl.Workbook()
    for row in (["Screening", None, None], NAMES, *ROWS):
        book.active.append(row)
    book.active.merge_cells("A1:C1")
    book.save(tmp_path / "above.xlsx")
    assert len(read_raw(tmp_path / "above.xlsx", FileFormat(header_row=2))) == 2
    book.active.merge_cells("B3:B4")
    book.save(tmp_path / "x.xlsx")
    with pytest.raises(DataProblems, match=r"SCR-207\] x.xlsx row 3, column B: the cells B3:B4 are merged"):
        read_raw(tmp_path / "x.xlsx", FileFormat(header_row=2))


def test_merged_cells_of_opendocument(tmp_path):
    head = ods_row(*map(ods_text, NAMES))
    first = ods_row(ods_text("001"), ods_text("A", 'table:number-rows-spanned="2"'), ods_text("1"))
    second = ods_row(ods_text("002"), "<table:covered-table-cell/>", ods_text("2"))
    (tmp_path / "x.ods").write_bytes(ods_of(head + first + second))
    assert codes(tmp_path / "x.ods") == ["SCR-207 2"]


def test_names_whatever_way_their_letters_are_put_together(tmp_path):
    apart = unicodedata.normalize("NFD", "påklædt")
    raw = read_raw(write(tmp_path / "x.csv", [["id", "place", apart], *ROWS]))
    assert list(raw.columns) == ["id", "place", "påklædt"]


def test_a_workbook_whose_parts_lie_at_the_root_of_the_package(tmp_path):
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="{}/{}" Target="{}"/></Relationships>'
    )
    row = '<row r="{0}"><c r="A{0}" t="inlineStr"><is><t>{1}</t></is></c></row>'
    cells = row.format(1, "id") + row.format(2, "001")
    sheets = '<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets>'
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": relations.format(office, "officeDocument", "workbook.xml"),
        "workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">{sheets}</workbook>',
        "_rels/workbook.xml.rels": relations.format(office, "worksheet", "sheet1.xml"),
        "sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>',
    }
    (tmp_path / "x.xlsx").write_bytes(zipped(parts))
    assert read_raw(tmp_path / "x.xlsx").columns["id"].cells().tolist() == ["001"]
