"""SPSS, Stata and Parquet: what they declare, what they call missing, and damage."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import lzma
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files import readstat, statistical
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.files.reading import read_raw


def column(raw: RawTable, name: str) -> list[str]:
    return list(raw.columns[name].cells())


def refused(path: Path, form: FileFormat | None = None) -> list[str]:
    with pytest.raises(DataProblems) as caught:
        read_raw(path, form)
    return [problem.code for problem in caught.value.problems]


@pytest.fixture
def survey() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["007", "008", "Åse"],
            "answer": [1.0, 9.0, np.nan],
            "amount": [0.1, -99.0, 7.0],
            "text": ["NA", "-", ""],
            "day": [dt.date(2006, 9, 1), None, dt.date(1955, 1, 2)],
        }
    )


# ---------------------------------------------------------------- SPSS


@pytest.mark.parametrize("name", ["file.sav", "file.zsav"])
def test_spss_declares_labels_titles_and_what_it_calls_missing(tmp_path, survey, name):
    path = tmp_path / name
    pyreadstat.write_sav(
        survey,
        path,
        column_labels={"answer": "Hvordan går det?"},
        variable_value_labels={"answer": {1: "godt", 9: "ved ikke"}, "text": {"-": "intet svar"}},
        missing_ranges={"answer": [9], "amount": [{"lo": -999, "hi": -1}], "text": ["-"]},
        compress=name.endswith("zsav"),
    )
    raw = read_raw(path)
    assert column(raw, "id") == ["007", "008", "Åse"]
    assert column(raw, "answer") == ["1", "9", ""]  # what a person declared missing stays; what the system has not is empty
    assert column(raw, "amount") == ["0.1", "-99", "7"]
    assert column(raw, "day") == ["2006-09-01", "", "1955-01-02"]
    assert raw.user_missing == {"answer": frozenset({"9"}), "amount": frozenset({"-99"}), "text": frozenset({"-"})}
    assert raw.labels == {"answer": {"1": "godt", "9": "ved ikke"}, "text": {"-": "intet svar"}}
    assert raw.titles == {"answer": "Hvordan går det?"}
    assert (raw.dialect.format, raw.dialect.decimal, raw.rows.tolist()) == ("spss", ".", [2, 3, 4])


def test_spss_formats_show_what_they_show_in_spss(tmp_path):
    seconds = (dt.datetime(2006, 9, 1) - dt.datetime(1582, 10, 14)).total_seconds()
    forms = {"edate": "EDATE10", "month": "MOYR8", "moment": "DATETIME20", "time": "TIME11.2", "dollars": "DOLLAR8"}
    frame = pd.DataFrame({name: [seconds] for name in forms}).assign(moment=seconds + 36_305, time=90_061.5, dollars=12.25)
    pyreadstat.write_sav(frame, tmp_path / "file.sav", variable_format=forms)
    raw = read_raw(tmp_path / "file.sav")
    shown = {name: column(raw, name)[0] for name in forms}
    assert shown == {
        "edate": "2006-09-01",
        "month": "2006-09",
        "moment": "2006-09-01 10:05:05",
        "time": "25:01:01.5",
        "dollars": "12.25",
    }


# ---------------------------------------------------------------- Stata


def test_stata_letters_of_missing_values_stay_apart_from_empty_cells(tmp_path, survey):
    frame = survey.assign(answer=pd.Series([1.0, "a", None], dtype=object))
    labels = {"answer": {1: "godt", "a": "ved ikke"}}
    pyreadstat.write_dta(frame, tmp_path / "file.dta", variable_value_labels=labels, missing_user_values={"answer": ["a"]})
    raw = read_raw(tmp_path / "file.dta")
    assert column(raw, "answer") == ["1", ".a", ""]
    assert raw.user_missing == {"answer": frozenset({".a"})}
    assert raw.labels == {"answer": {"1": "godt", ".a": "ved ikke"}}
    assert column(raw, "day") == ["2006-09-01", "", "1955-01-02"]


@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_stata_files_that_another_program_wrote(tmp_path, version):
    moments = pd.to_datetime(["2006-09-01 00:00", "2006-09-01 10:05"]).astype("datetime64[ns]")
    frame = pd.DataFrame({"id": ["007", "b"], "n": np.array([1, 2], "int8"), "x": np.array([0.1, 7], "float32"), "t": moments})
    frame.to_stata(tmp_path / "file.dta", version=version, write_index=False, variable_labels={"n": "antal"})
    raw = read_raw(tmp_path / "file.dta")
    assert (column(raw, "id"), column(raw, "n"), column(raw, "x")) == (["007", "b"], ["1", "2"], ["0.1", "7"])
    assert column(raw, "t") == ["2006-09-01", "2006-09-01 10:05:00"]
    assert raw.titles == {"n": "antal"}


@pytest.mark.parametrize(
    ("value", "form", "expected"),
    [
        (560, "%tm", "2006-09"),
        (-1, "%tm", "1959-12"),
        (187, "%tq", "2006q4"),
        (93, "%th", "2006h2"),
        (2426, "%tw", "2006w35"),
        (2006, "%ty", "2006"),
        (17045, "%tdD_m_Y", "2006-09-01"),
        (17045, "%d", "2006-09-01"),
        (560.5, "%tm", "560.5"),
    ],
)
def test_stata_periods(value, form, expected):
    assert readstat.stata_text(value, form) == expected


# ---------------------------------------------------------------- other programs as witnesses


@pytest.mark.parametrize("kind", ["sav", "dta"])
def test_numbers_are_those_that_another_reader_finds(tmp_path, kind):
    generator = np.random.Generator(np.random.PCG64(7))
    frame = pd.DataFrame(
        {"a": generator.normal(size=500) * 10.0 ** generator.integers(-9, 9, 500), "b": generator.integers(0, 3, 500)}
    )
    path = tmp_path / f"file.{kind}"
    (pyreadstat.write_sav if kind == "sav" else pyreadstat.write_dta)(frame, path)
    theirs = pd.read_spss(path) if kind == "sav" else pd.read_stata(path)
    raw = read_raw(path)
    for name in "ab":
        np.testing.assert_array_equal(np.array(column(raw, name), dtype=float), theirs[name].to_numpy(dtype=float))


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize("name", [pytest.param("file.sav", marks=pytest.mark.slow), "file.zsav", "file.dta"])
def test_a_file_cut_short_is_never_read(tmp_path, survey, name):
    whole, path = tmp_path / ("whole" + name[4:]), tmp_path / name
    if name.endswith("dta"):
        pyreadstat.write_dta(survey, whole, variable_value_labels={"answer": {1: "godt"}})
    else:
        pyreadstat.write_sav(pd.concat([survey] * 20), whole, compress=name.endswith("zsav"))
    content = whole.read_bytes()
    assert len(read_raw(whole)) in {3, 60}
    for length in [1, 100, *(int(share * len(content)) for share in (0.2, 0.8)), len(content) - 1]:
        path.write_bytes(content[:length])
        assert refused(path) in (["SCR-078"], ["SCR-079"])


@pytest.mark.parametrize("name", ["file.sav", "file.dta"])
def test_a_file_of_noise_is_refused(tmp_path, name):
    start = b"$FL2" if name.endswith("sav") else bytes([114, 2, 1, 0])
    (tmp_path / name).write_bytes(start + np.random.Generator(np.random.PCG64(1)).bytes(5_000))
    assert refused(tmp_path / name) in (["SCR-078"], ["SCR-079"], ["SCR-080"])


def test_a_crash_of_the_library_is_a_fault_of_the_file(tmp_path, survey, monkeypatch):
    crashing = tmp_path / "readstat.py"
    crashing.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", encoding="utf-8")
    pyreadstat.write_sav(survey, tmp_path / "file.sav")
    monkeypatch.setattr(statistical.readstat, "__file__", str(crashing))
    assert refused(tmp_path / "file.sav") == ["SCR-078"]


def test_rows_that_are_declared_and_not_there_are_missed(tmp_path, survey):
    pyreadstat.write_sav(survey, tmp_path / "file.sav")
    content = bytearray((tmp_path / "file.sav").read_bytes())
    assert content[80:84] == (3).to_bytes(4, "little")
    for declared in (4, 200_000_000):
        content[80:84] = declared.to_bytes(4, "little")
        (tmp_path / "file.sav").write_bytes(content)
        assert refused(tmp_path / "file.sav")[0] in {"SCR-078", "SCR-080"}
    content[80:84] = b"\xff" * 4
    (tmp_path / "file.sav").write_bytes(content)
    raw = read_raw(tmp_path / "file.sav")
    assert [note.code for note in raw.notes] == ["SCR-081"]


def test_an_old_file_may_need_its_encoding(tmp_path):
    path = tmp_path / "file.dta"
    pyreadstat.write_dta(pd.DataFrame({"a": ["ærø"]}), path, version=10)  # in UTF-8, which this version cannot say
    assert refused(path) == ["SCR-009"]
    assert column(read_raw(path, FileFormat(encoding="utf-8")), "a") == ["ærø"]


# ---------------------------------------------------------------- Parquet


def test_parquet_keeps_its_types(tmp_path):
    table = pa.table(
        {
            "id": ["007", None, "NA"],
            "x": [0.1, 7.0, float("nan")],
            "single": pa.array([0.1, 2.5, None], pa.float32()),
            "n": [1, None, 10**17 + 1],
            "day": [dt.date(2006, 9, 1), None, dt.date(1999, 1, 1)],
            "moment": pa.array([dt.datetime(2006, 9, 1), dt.datetime(2006, 9, 1, 10, 5), None], pa.timestamp("us")),
            "yes": [True, False, None],
            "exact": [decimal.Decimal("1.50"), None, decimal.Decimal("100.00")],
            "A": ["1", "2", "3"],
            "a": ["4", "5", "6"],
            "level": pa.array(["x", "y", "x"]).dictionary_encode(),
            "nothing": pa.nulls(3),
        }
    )
    path = tmp_path / "part=1[a].parquet"  # a name that reads as a pattern, and as a column
    pq.write_table(table, path)
    raw = read_raw(path)
    assert {name: column(raw, name) for name in raw.columns} == {
        "id": ["007", "", "NA"],
        "x": ["0.1", "7", ""],
        "single": ["0.1", "2.5", ""],
        "n": ["1", "", "100000000000000001"],
        "day": ["2006-09-01", "", "1999-01-01"],
        "moment": ["2006-09-01", "2006-09-01 10:05:00", ""],
        "yes": ["TRUE", "FALSE", ""],
        "exact": ["1.5", "", "100"],
        "A": ["1", "2", "3"],
        "a": ["4", "5", "6"],
        "level": ["x", "y", "x"],
        "nothing": ["", "", ""],
    }


def test_parquet_columns_of_more_than_single_values_are_all_listed(tmp_path):
    table = pa.table({"a": [[1], [2]], "s": [{"x": 1, "y": [1]}, None], "raw": [b"a", b"b"], "ok": [1, 2]})
    pq.write_table(table, tmp_path / "file.parquet")
    with pytest.raises(DataProblems) as caught:
        read_raw(tmp_path / "file.parquet")
    assert [(p.code, p.place.column) for p in caught.value.problems] == [("SCR-083", name) for name in ("a", "s", "raw")]


def test_parquet_that_unpacks_to_too_much_is_refused(tmp_path):
    pq.write_table(pa.table({"a": pa.array(np.zeros(210_000_000, "int8"))}), tmp_path / "long.parquet")
    assert (tmp_path / "long.parquet").stat().st_size < 2_000_000
    assert refused(tmp_path / "long.parquet") == ["SCR-084"]
    cells = pa.array(["x" * 1_000_000]).dictionary_encode().take(pa.array(np.zeros(1_000, int)))
    pq.write_table(pa.table({"a": cells}), tmp_path / "wide.parquet")
    assert refused(tmp_path / "wide.parquet") == ["SCR-084"]


def test_damaged_parquet_is_refused(tmp_path):
    pq.write_table(pa.table({"a": ["x", "y"] * 50}), tmp_path / "whole.parquet")
    content = (tmp_path / "whole.parquet").read_bytes()
    for length in (4, 8, 50, len(content) - 1):
        (tmp_path / "file.parquet").write_bytes(content[:length])
        assert refused(tmp_path / "file.parquet") == ["SCR-082"]


# ---------------------------------------------------------------- what is no table


@pytest.mark.parametrize(
    ("content", "code", "word"),
    [
        (b"\x1f\x8b\x08\x00rest", "SCR-074", "Unpack"),
        (b"7z\xbc\xaf\x27\x1crest", "SCR-074", "Unpack"),
        (b"%PDF-1.7\n", "SCR-085", "a PDF"),
        (b"\xef\xbb\xbf\r\n<HTML><body><table>", "SCR-085", "a web page"),
        (b"<?xml version='1.0'?><Workbook>", "SCR-085", "XML"),
        (b"\x09\x08\x10\x00\x00\x06rest", "SCR-085", "very old"),
        (b"SQLite format 3\0", "SCR-085", "a database"),
        (b"RDX3\nX\n", "SCR-085", "an R file"),
        (gzip.compress(b"RDX3\nX\n\0\0\0\3", mtime=0), "SCR-085", "write.csv"),
        (gzip.compress(b"X\n\0\0\0\3\0\4", mtime=0), "SCR-085", "write.csv"),
        (lzma.compress(b"X\n\0\0\0\3\0\4"), "SCR-085", "write.csv"),
        (gzip.compress(b"child_id,x\n1,2\n", mtime=0), "SCR-074", "Unpack"),
    ],
)
def test_files_of_other_kinds_are_named(tmp_path, content, code, word):
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    with pytest.raises(DataProblems, match=word) as caught:
        read_raw(path)
    assert [problem.code for problem in caught.value.problems] == [code]
