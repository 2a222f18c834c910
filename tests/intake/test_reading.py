"""Reading: every cell is text, nothing is guessed, and every damaged file has its code."""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from examples import ONE_FOLDER
from hypothesis import given, settings
from hypothesis import strategies as st

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files import columns, export, text, workbook
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.raw import RawTable, TextColumn
from asp_eval.intake.files.reading import read_raw


def write(folder: Path, content: bytes | str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells(raw: RawTable) -> list[list[str]]:
    return [list(raw.columns), *map(list, zip(*(column.cells() for column in raw.columns.values()), strict=True))]


def book(*rows: list[object], more_sheets: dict[str, list[list[object]]] | None = None) -> bytes:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    for name, extra in (more_sheets or {}).items():
        sheet = made.create_sheet(name)
        for row in extra:
            sheet.append(row)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def codes(path: Path, form: FileFormat | None = None) -> list[str]:
    with pytest.raises(DataProblems) as caught:
        read_raw(path, form)
    return [problem.code for problem in caught.value.problems]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_dialect_gives_the_same_text(tmp_path, delimiter, encoding):
    text = f"id{delimiter}navn{delimiter}svar\r\n007{delimiter}Sønderborg{delimiter}NA\r\n008{delimiter}Åse{delimiter}\r\n"
    raw = read_raw(write(tmp_path, text.encode(encoding)))
    assert cells(raw) == [["id", "navn", "svar"], ["007", "Sønderborg", "NA"], ["008", "Åse", ""]]
    assert raw.dialect.delimiter == delimiter
    assert raw.dialect.encoding == encoding


def test_cp1252_is_tried_only_where_strict_utf8_fails(tmp_path):
    assert read_raw(write(tmp_path, "a,b\nø,1\n".encode())).dialect.encoding == "utf-8"
    assert read_raw(write(tmp_path, "a,b\nø,1\n".encode("cp1252"))).dialect.encoding == "cp1252"


def test_utf16_big_endian_by_its_mark(tmp_path):
    raw = read_raw(write(tmp_path, codecs.BOM_UTF16_BE + "a\tb\nø\t1\n".encode("utf-16-be")))
    assert cells(raw)[1] == ["ø", "1"]


def test_blank_rows_keep_the_spreadsheets_numbers(tmp_path):
    raw = read_raw(write(tmp_path, 'a,b\n1,2\n\n,\n"x\ny",3\n4,5\n'))
    assert raw.rows.tolist() == [2, 5, 6]
    assert raw.columns["a"].cell(1) == "x\ny"


def test_a_stray_last_column_is_dropped(tmp_path):
    assert list(read_raw(write(tmp_path, "a;b;\n1;2;\n")).columns) == ["a", "b"]


def test_a_decimal_comma_does_not_pass_for_a_delimiter(tmp_path):
    raw = read_raw(write(tmp_path, "a;b\n1,5;2,5\n3,5;4,5\n"))
    assert (raw.dialect.delimiter, list(raw.columns)) == (";", ["a", "b"])


def test_files_longer_than_a_chunk_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr(columns, "CHUNK", 3)
    text = "a,b\n\n" + "".join(f"{i % 4},x{i}\n" for i in range(10))
    raw = read_raw(write(tmp_path, text))
    assert list(raw.columns["a"].cells()) == [str(i % 4) for i in range(10)]
    assert list(raw.columns["b"].cells()) == [f"x{i}" for i in range(10)]
    assert raw.rows.tolist() == list(range(3, 13))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "SCR-002"),
        (b" \n \n", "SCR-002"),
        (b"a,b\n", "SCR-003"),
        (b"a,b\n,\n", "SCR-003"),
        (b"a,a\n1,2\n", "SCR-004"),
        (b"a,\n1,2\n", "SCR-005"),
        (b"a,b\n1,2\n1\n", "SCR-006"),
        (b"a,b\n1,2\n1,2,3\n", "SCR-006"),
        (b"a,b\n1,\x002\n", "SCR-007"),
        ("a,b\nx,ø\n".encode("utf-16-le"), "SCR-007"),
        (b"a,b\n\x81\x8d,1\n", "SCR-008"),
        ("a,b\nSÃ¸nderborg,1\n".encode(), "SCR-009"),
        ("a,b\nS\ufffdnderborg,1\n".encode(), "SCR-009"),
        ("bÃ¸rn,b\n1,1\n".encode(), "SCR-009"),
        (b"a;b,c\n1;2,3\n", "SCR-010"),
        (b'a,b\n1,"2\n3,4\n', "SCR-011"),
        (b'a,b\n1,"2"x\n', "SCR-011"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600, "SCR-012"),
        (b"PK\x03\x04 not really a zip", "SCR-012"),
    ],
)
def test_a_damaged_file_has_its_code(tmp_path, content, expected):
    assert codes(write(tmp_path, content)) == [expected]


def test_a_file_that_is_not_there(tmp_path):
    assert codes(tmp_path / "absent.csv") == ["SCR-001"]


def test_utf8_bytes_in_a_cp1252_file_are_found(tmp_path):
    both = "a,b\nå,1\n".encode("cp1252") + "ø,2\n".encode()
    assert codes(write(tmp_path, both)) == ["SCR-009"]


def test_ragged_rows_are_all_listed_with_their_numbers(tmp_path):
    path = write(tmp_path, "a,b\n1,2\n1\n\n1,2,3\n")
    with pytest.raises(DataProblems) as caught:
        read_raw(path)
    assert [(p.place.row, p.found) for p in caught.value.problems] == [(3, "1"), (5, "3")]


def test_a_thousand_of_a_kind_are_listed_and_the_rest_counted(tmp_path):
    path = write(tmp_path, "a,b\n" + "1,2\n" * 60 + "1\n" * 1_500)
    with pytest.raises(DataProblems) as caught:
        read_raw(path)
    assert len(caught.value.problems) == 1_001
    assert caught.value.problems[-1].code == "SCR-018"
    assert "not listed (SCR-006): 500" in str(caught.value.problems[-1])


def test_what_is_told_is_not_detected(tmp_path):
    told = FileFormat(delimiter=";", encoding="utf-16-le")
    assert cells(read_raw(write(tmp_path, "a;b,c\n1;2,3\n".encode("utf-16-le")), told)) == [["a", "b,c"], ["1", "2,3"]]
    assert codes(write(tmp_path, "a;b\nø;1\n".encode("cp1252")), FileFormat(encoding="utf-8")) == ["SCR-008"]


def test_a_workbooks_typed_cells_become_text_without_loss(tmp_path):
    content = book(
        ["id", "n", "x", "day", "moment", "yes"],
        ["007", 7, 0.1, dt.date(2006, 9, 1), dt.datetime(2006, 9, 1, 10, 5), True],
        [None] * 6,
        [123456789012, 7.0, -1.5, None, None, False],
    )
    raw = read_raw(write(tmp_path, content, "file.xlsx"))
    assert cells(raw)[1:] == [
        ["007", "7", "0.1", "2006-09-01", "2006-09-01 10:05:00", "TRUE"],
        ["123456789012", "7", "-1.5", "", "", "FALSE"],
    ]
    assert raw.rows.tolist() == [2, 4]
    assert raw.dialect.decimal == "."


def test_a_workbook_is_known_by_its_content_and_not_its_name(tmp_path):
    assert read_raw(write(tmp_path, book(["a"], [1]), "export.csv")).dialect.format == "xlsx"
    assert codes(write(tmp_path, b"a,b\n1,2\n", "file.xlsx")) == ["SCR-012"]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.99])
def test_a_workbook_cut_short_is_damaged(tmp_path, share):
    content = book(["a", "b"], *([i, i] for i in range(50)))
    assert codes(write(tmp_path, content[: int(share * len(content))], "file.xlsx")) == ["SCR-012"]


def test_no_flipped_byte_of_a_workbook_gives_a_traceback(tmp_path):
    content = book(["a", "b"], *([i, f"text {i}"] for i in range(20)))
    generator = np.random.Generator(np.random.PCG64(1))
    for _ in range(60):
        damaged = bytearray(content)
        for position in generator.integers(0, len(content), size=3):
            damaged[position] ^= int(generator.integers(1, 256))
        try:
            read_raw(write(tmp_path, bytes(damaged), "file.xlsx"))
        except DataProblems as error:
            assert all(problem.code.startswith("SCR-") for problem in error.problems)


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_opened(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(workbook, "CalamineWorkbook", opened)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 90_000_000)
    assert len(buffer.getvalue()) < 200_000
    assert codes(write(tmp_path, buffer.getvalue(), "bomb.xlsx")) == ["SCR-015"]
    assert not opened


def test_data_in_two_sheets_is_not_chosen_between(tmp_path):
    path = write(tmp_path, book(["a"], [1], more_sheets={"More": [["a"], [2]]}), "file.xlsx")
    assert codes(path) == ["SCR-076"]
    assert cells(read_raw(path, FileFormat(sheet="More"))) == [["a"], ["2"]]
    assert codes(path, FileFormat(sheet="Absent")) == ["SCR-016"]


def test_a_spreadsheet_error_is_not_taken_for_an_empty_cell(tmp_path):
    made = openpyxl.Workbook()
    made.active.append(["a", "b"])
    made.active.append([1, 2])
    made.active["B2"].value = "#N/A"
    made.active["B2"].data_type = "e"
    made.save(tmp_path / "file.xlsx")
    with pytest.raises(DataProblems) as caught:
        read_raw(tmp_path / "file.xlsx")
    (problem,) = caught.value.problems
    assert (problem.code, problem.place.row, problem.place.column) == ("SCR-017", 2, "B")


def test_an_empty_workbook(tmp_path):
    assert codes(write(tmp_path, book(), "file.xlsx")) == ["SCR-002"]


def test_columns_of_text_take_joining_filtering_and_translating():
    first, second = TextColumn.of(["a", "b", "a"]), TextColumn.of(["b", "c"])
    joined = TextColumn.joined([first, second])
    assert list(joined.cells()) == ["a", "b", "a", "b", "c"]
    assert list(joined.keep(np.array([False, True, True, False, True])).cells()) == ["b", "a", "c"]
    assert list(joined.translate(str.upper).cells()) == ["A", "B", "A", "B", "C"]


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffd\u00c2\u00c3"), max_size=6)


@given(
    rows=st.lists(st.tuples(texts, texts, texts).filter(lambda row: any(cell for cell in row)), min_size=1, max_size=8),
    delimiter=st.sampled_from([";", ",", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    ending=st.sampled_from(["\n", "\r\n"]),
)
@settings(suppress_health_check=ONE_FOLDER)
def test_any_text_comes_back_equal_from_any_dialect(tmp_path, rows, delimiter, encoding, ending):
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=ending)
    writer.writerows([("a", "b", "c"), *rows])
    raw = read_raw(write(tmp_path, buffer.getvalue().encode(encoding)))
    assert cells(raw)[1:] == [list(row) for row in rows]


def test_a_long_text_file_tells_how_far_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(text, "TOLD_EVERY", 100)
    path = write(tmp_path, "a,b\n" + "1,2\n" * 50_000)
    told: list[tuple[int, int]] = []
    read_raw(path, progress=lambda done, total: told.append((done, total)))
    size = path.stat().st_size
    assert told[-1] == (size, size)
    assert len(told) > 100
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {total for _, total in told} == {size}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "SEP=;"])
def test_a_line_for_spreadsheets_names_the_delimiter_and_is_no_row(tmp_path, line, encoding):
    raw = read_raw(write(tmp_path, f"{line}\r\na;b,c\r\n1;2,3\r\n".encode(encoding)))
    assert cells(raw) == [["a", "b,c"], ["1", "2,3"]]
    assert (raw.rows.tolist(), raw.dialect.delimiter) == ([2], ";")


def test_files_larger_than_their_beginning_are_read_like_small_ones(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "START", 64)
    monkeypatch.setattr(text, "PIECE", 7)
    rows = "".join(f"{i};Sønderborg {i}\n" for i in range(40))
    for encoding in ("utf-8", "utf-16", "cp1252"):
        raw = read_raw(write(tmp_path, f"id;by\n{rows}".encode(encoding)))
        assert raw.columns["by"].cell(39) == "Sønderborg 39"
        assert raw.dialect.encoding == encoding
    late = f"id;by\n{rows}".encode() + b"41;\xe6\n"
    assert codes(write(tmp_path, late)) == ["SCR-009"]  # one byte of another encoding, far down
    assert codes(write(tmp_path, f"id;by\n{rows}".encode() + b"41;\0\n")) == ["SCR-007"]
