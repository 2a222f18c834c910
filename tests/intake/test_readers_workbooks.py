"""Workbooks: columns spread over sheets, cells that cannot be read, and files made to fill the memory."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from file_formats import (
    as_ods,
    as_xls,
    as_xlsx,
    ods_number,
    ods_of,
    ods_row,
    ods_text,
    xls_cell,
    xls_error,
    xls_of,
    xlsx_of,
    zipped,
)

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.guards import archive
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.files.reading import read_raw

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SHEET = "xl/worksheets/sheet1.xml"
ROWS = [("00007", "A1", "tekst", 3, 0.5, None, "2006-09")]
BY_COLUMNS = FileFormat(sheets="by-columns")


def write(folder: Path, content: bytes, name: str = "file.xlsx") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def cells(raw: RawTable) -> list[list[str]]:
    return [list(raw.columns), *map(list, zip(*(column.cells() for column in raw.columns.values()), strict=True))]


def refused(path: Path, form: FileFormat | None = None) -> list[tuple[str, int | None, str | None]]:
    with pytest.raises(DataProblems) as caught:
        read_raw(path, form)
    return [(problem.code, problem.place.row, problem.place.column) for problem in caught.value.problems]


def sheet(body: str) -> str:
    return f'<?xml version="1.0"?><worksheet {MAIN}><sheetData>{body}</sheetData></worksheet>'


def with_parts(folder: Path, parts: dict[str, str | bytes]) -> Path:
    """An ordinary workbook with some of its parts replaced."""
    plain = write(folder, xlsx_of(Data=[["a"], [1]]), "plain.xlsx")
    with zipfile.ZipFile(plain) as book:
        return write(folder, zipped({**{name: book.read(name) for name in book.namelist()}, **parts}), "bomb.xlsx")


# ---------------------------------------------------------------- columns spread over sheets


def test_sheets_that_share_a_key_are_joined_by_it(tmp_path):
    book = xlsx_of(First=[["id", "a"], ["007", 1], ["008", 2]], Second=[["id", "b"], ["008", "y"], ["007", "x"]])
    raw = read_raw(write(tmp_path, book))
    assert cells(raw) == [["id", "a", "b"], ["007", "1", "x"], ["008", "2", "y"]]
    assert raw.dialect.sheet == "First + Second"
    assert cells(read_raw(tmp_path / "file.xlsx", FileFormat(sheet="Second"))) == [["id", "b"], ["008", "y"], ["007", "x"]]


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ([["b"], [1], [2]], "their first columns are 'id' in 'First' and 'b' in 'Second'"),
        ([["id", "b"], ["007", 1]], "column 'id' does not have the same values in 'First' and 'Second'"),
        ([["id", "b"], ["007", 1], ["009", 2]], "column 'id' does not have the same values in 'First' and 'Second'"),
        ([["id", "b"], ["007", 1], ["007", 2]], "column 'id' does not have the same values in 'First' and 'Second'"),
    ],
)
def test_sheets_that_do_not_are_not_joined_by_position(tmp_path, second, reason):
    path = write(tmp_path, xlsx_of(First=[["id", "a"], ["007", 1], ["008", 2]], Second=second))
    with pytest.raises(DataProblems, match=reason) as caught:
        read_raw(path)
    assert [problem.code for problem in caught.value.problems] == ["SCR-076"]


def test_a_first_column_that_stands_twice_is_no_key(tmp_path):
    path = write(tmp_path, xlsx_of(First=[["id"], [1], [1]], Second=[["id", "b"], [1, 2], [1, 3]]))
    assert refused(path) == [("SCR-076", None, None)]


def test_a_mapping_may_say_that_the_rows_are_in_the_same_order(tmp_path):
    path = write(tmp_path, xlsx_of(First=[["id"], ["007"], ["008"]], Second=[["b"], ["x"], ["y"]]))
    assert cells(read_raw(path, BY_COLUMNS)) == [["id", "b"], ["007", "x"], ["008", "y"]]
    longer = write(tmp_path, xlsx_of(First=[["id"], ["007"]], Second=[["b"], ["x"], ["y"]]), "longer.xlsx")
    assert refused(longer, BY_COLUMNS) == [("SCR-076", None, None)]
    twice = write(tmp_path, xlsx_of(First=[["id", "b"], [1, 1]], Second=[["b"], [2]]), "twice.xlsx")
    assert refused(twice, BY_COLUMNS) == [("SCR-004", 1, "b")]


def test_a_table_may_begin_further_right_and_blank_rows_count(tmp_path):
    raw = read_raw(write(tmp_path, xlsx_of(Data=[[None, "id", "a"], [None, None, None], [None, "007", 1]])))
    assert (cells(raw), raw.rows.tolist()) == ([["id", "a"], ["007", "1"]], [3])


# ---------------------------------------------------------------- cells that cannot be read


def test_an_error_cell_is_refused_in_every_format(tmp_path):
    error = ods_text("#N/A", more='office:string-value="" calcext:value-type="error"')
    ods = ods_of(ods_row(ods_text("a"), ods_text("b")) + ods_row("<table:table-cell/>", error))
    assert refused(write(tmp_path, ods, "file.ods")) == [("SCR-017", 2, "B")]
    xls = xls_of([xls_cell(0, 0, "a"), xls_cell(0, 1, "b"), xls_cell(1, 0, 1), xls_error(1, 1)])
    assert refused(write(tmp_path, xls, "file.xls")) == [("SCR-017", 2, "B")]
    body = '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c s="0" r="B2" t="e"><v>#N/A</v></c></row>'
    assert refused(with_parts(tmp_path, {SHEET: sheet(body)})) == [("SCR-017", 2, "B")]


def test_what_would_be_lost_from_an_ods_cell_is_refused(tmp_path):
    path = write(tmp_path, ods_of(ods_row(ods_text("a<text:tab/>b"))), "file.ods")
    assert refused(path) == [("SCR-086", 1, "A")]


def test_repeated_rows_and_cells_of_an_ods_file_all_count(tmp_path):
    raw = read_raw(write(tmp_path, ods_of(ods_row(ods_text("a")) + ods_row(ods_number(7), repeated=3)), "file.ods"))
    assert (cells(raw)[1:], raw.rows.tolist()) == ([["7"]] * 3, [2, 3, 4])


def test_a_workbook_with_a_password_says_so(tmp_path):
    assert refused(write(tmp_path, xls_of([xls_cell(0, 0, "a")], extra=b"\x2f\x00\x02\x00\x00\x00"), "file.xls")) == [
        ("SCR-013", None, None)
    ]


@pytest.mark.parametrize(
    ("parts", "code"),
    [({"a.csv": "a,b\n1,2\n"}, "SCR-074"), ({"xl/workbook.bin": b"x"}, "SCR-075"), ({}, "SCR-074")],
)
def test_other_archives_are_named(tmp_path, parts, code):
    assert refused(write(tmp_path, zipped(parts), "file.zip"))[0][0] == code


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize(("name", "written"), [("file.ods", as_ods), ("file.xls", as_xls), ("file.xlsx", as_xlsx)])
def test_no_damage_gives_a_traceback(tmp_path, name, written):
    content = written(ROWS * 3)
    generator = np.random.Generator(np.random.PCG64(4))
    damaged = [content[:length] for length in range(8, len(content), max(1, len(content) // 40))]
    for _ in range(80):
        copy = bytearray(content)
        for position in generator.integers(0, generator.choice([600, len(content)]), size=3):
            copy[position % len(copy)] ^= int(generator.integers(1, 256))
        damaged.append(bytes(copy))
    for content_ in damaged:
        try:
            read_raw(write(tmp_path, content_, name))
        except DataProblems as error:
            assert all(problem.code.startswith("SCR-") for problem in error.problems)


# ---------------------------------------------------------------- files made to fill the memory

FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
ENTITIES = "<!DOCTYPE a [<!ENTITY b 'bbbbbbbbbb'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;'>]>"


def stuffed(name: str) -> dict[str, str | bytes]:
    """Parts of a workbook that unpack to far more than they are, or claim a cell far away."""
    match name:
        case "far cell":
            return {SHEET: sheet(FAR)}
        case "far cell without a place":
            return {SHEET: sheet('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFC1"/><c><v>2</v></c></row>')}
        case "far cell in disguise":
            return {SHEET: sheet(FAR.replace("XFD", "&#88;FD"))}
        case "far cell in UTF-16":
            return {SHEET: sheet(FAR).replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16")}
        case "entities":
            return {SHEET: sheet('<row><c t="inlineStr"><is><t>&c;</t></is></c></row>').replace("?>", "?>" + ENTITIES)}
        case "spaces":
            return {SHEET: sheet(" " * 100_000_000)}
        case "texts":
            return {"xl/sharedStrings.xml": f"<sst {MAIN}>" + "<si/>" * 3_000_000 + "</sst>"}
        case "sheet in another part":
            space = "http://schemas.openxmlformats.org/package/2006/relationships"
            links = f'<Relationships xmlns="{space}"><Relationship Id="rId1" Target="worksheets/sheet1.vml"/></Relationships>'
            return {"xl/_rels/workbook.xml.rels": links, "xl/worksheets/sheet1.vml": sheet(FAR)}
    raise AssertionError(name)


BOMBS = {
    "far cell": "SCR-073",
    "far cell without a place": "SCR-073",
    "far cell in disguise": "SCR-073",
    "far cell in UTF-16": "SCR-073",
    "entities": "SCR-012",
    "spaces": "SCR-015",
    "texts": "SCR-077",
    "sheet in another part": "SCR-012",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_workbook_made_to_fill_the_memory_is_refused(tmp_path, name):
    assert refused(with_parts(tmp_path, stuffed(name)))[0][0] == BOMBS[name]


def test_the_size_that_is_declared_is_not_believed(tmp_path):
    path = with_parts(tmp_path, {SHEET: sheet(" " * 100_000_000)})
    content = path.read_bytes()
    entry = content.rindex(SHEET.encode()) - 46
    assert content[entry : entry + 4] == b"PK\x01\x02"
    lying = content[: entry + 24] + (500).to_bytes(4, "little") + content[entry + 28 :]
    assert refused(write(tmp_path, lying)) == [("SCR-015", None, None)]


def test_far_cells_of_the_other_formats(tmp_path):
    assert refused(write(tmp_path, xls_of([xls_cell(0, 0, 1), xls_cell(65_535, 255, 1)]), "file.xls"))[0][0] == "SCR-073"
    path = write(tmp_path, ods_of(ods_row(ods_number(1, repeated=16_384), repeated=1_000_000)), "file.ods")
    assert refused(path)[0][0] == "SCR-073"


ASKED = """
import sys
sys.path.insert(0, sys.argv[2])
from memory import most_megabytes
from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.reading import read_raw
try:
    print(len(read_raw(sys.argv[1])))
except DataProblems as error:
    print(error.problems[0].code)
print(most_megabytes())
"""


@pytest.mark.parametrize("name", ["far cell", "spaces", pytest.param("the largest that is read", marks=pytest.mark.slow)])
def test_no_workbook_takes_half_a_gigabyte(tmp_path, name):
    if name in BOMBS:
        path = with_parts(tmp_path, stuffed(name))
    else:  # every cell a text of its own, as many as are allowed
        rows = archive.MOST_CELLS // 62 - 1
        texts = ("".join(f'<c t="str"><v>{62 * i + j:x}</v></c>' for j in range(62)) for i in range(rows))
        path = with_parts(tmp_path, {SHEET: sheet("".join(f"<row>{row}</row>" for row in texts))})
    done = subprocess.run(
        [sys.executable, "-c", ASKED, str(path), str(Path(__file__).parents[1])], capture_output=True, text=True, check=True
    )
    answer, peak = done.stdout.split()
    assert answer == BOMBS.get(name, str(archive.MOST_CELLS // 62 - 2))
    assert float(peak) < 500
