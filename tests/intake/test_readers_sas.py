"""SAS: data sets and transport files as another program wrote them (``sas/write.R``), and damaged ones.

1. numbers, texts, dates, moments and variable labels; 2. formats show what they show in SAS, by hand; 3. letters of missing
values; 4. damage is refused, whatever bytes it hits; 5. what is beside the data is named.
"""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files import readstat
from asp_eval.intake.files.reading import read_raw

FOLDER = Path(__file__).parent / "sas"
FILES = ("synthetic.sas7bdat", "synthetic_v5.xpt", "synthetic_v8.xpt")


@pytest.mark.parametrize("name", FILES)
def test_files_that_another_program_wrote(tmp_path, name):
    path = tmp_path / "wave1.data"  # told by its content
    path.write_bytes((FOLDER / name).read_bytes())
    raw = read_raw(path)
    assert {column: list(cells.cells()) for column, cells in raw.columns.items()} == {
        "id": ["007", "008", "Aase"],
        "answer": ["1", "9", ""],
        "amount": ["0.1", "-99", "7"],
        "day": ["2006-09-01", "", "1955-01-02"],
        "when": ["2006-09-01 10:05:05", "", "2006-09-01"],
    }
    assert raw.titles == {"answer": "Hvordan gaar det?"}
    assert (raw.dialect.format, raw.notes, raw.rows.tolist()) == ("sas", (), [2, 3, 4])


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (0, "DATE9.", "1960-01-01"),
        (-1825, "DDMMYY10.", "1955-01-02"),  # the five years 1955 to 1959 have 1826 days
        (16680, "YYMMDDN8.", "2005-09-01"),  # 45 years with 11 leap days, and 243 days
        (16680.75, "E8601DA10.", "2005-09-01"),
        (16680, "MMYYS7.", "2005-09"),
        (16681, "MONYY7.", "2005-09-02"),  # no month by itself: nothing is dropped unasked
        (86400, "DATETIME18.", "1960-01-02"),
        (90061.5, "TIME8.", "25:01:01.5"),
        (16680, "BEST12.", "16680"),
        (0.1, "8.2", "0.1"),
        (3, "ANSWER.", "3"),  # a format of the study's own
    ],
)
def test_formats_show_what_they_show_in_sas(value, form, shown):
    assert readstat.sas_text(float(value), form) == shown


def test_letters_of_missing_values():
    types = {"x": "double", "s": "string"}
    about = SimpleNamespace(
        original_variable_types={"x": "BEST12.", "s": "$8."}, readstat_variable_types=types, missing_ranges={}
    )
    number, text = (readstat._texts("sas", about, name) for name in ("x", "s"))
    assert [number(None), number("A"), number(2.0), text("A")] == ["", ".A", "2", "A"]
    assert [readstat._declared_missing(about, name, "A") for name in ("x", "s")] == [True, False]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_was_cut_short(tmp_path, name):
    content = (FOLDER / name).read_bytes()
    for share in (0.3, 0.6):
        path = tmp_path / name
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(DataProblems) as caught:
            read_raw(path)
        assert {problem.code for problem in caught.value.problems} <= {"SCR-003", "SCR-078"}


@pytest.mark.parametrize("seed", range(4))
def test_damaged_bytes_end_no_process(tmp_path, seed):
    rng = np.random.default_rng(seed)
    content = bytearray((FOLDER / FILES[0]).read_bytes())
    for place in rng.integers(16, len(content), 200):
        content[place] = rng.integers(256)
    path = tmp_path / "file.sas7bdat"
    path.write_bytes(bytes(content))
    try:
        read_raw(path)
    except DataProblems as refused:
        assert refused.problems


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\0" * 12 + b"\xc2\xea\x81\x63", "catalogue of SAS"),
        (b"**COMPRESSED** **COMPRESSED** **COMPRESSED**", "CPORT"),
    ],
)
def test_what_lies_beside_the_data_is_named(tmp_path, content, word):
    (tmp_path / "file.csv").write_bytes(content)
    with pytest.raises(DataProblems, match=word) as caught:
        read_raw(tmp_path / "file.csv")
    assert [problem.code for problem in caught.value.problems] == ["SCR-085"]
