"""Whatever is in a file, every row of it is in exactly one place, and a cell comes back from quarantine as it went in.

The oracle sorts rows one by one, in plain Python, by the rules as the manual states them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples import part_of_examples
from hypothesis import assume, given
from hypothesis import strategies as st

from asp_eval.core.errors import DataProblems
from asp_eval.intake.checks.context import CheckContext
from asp_eval.intake.checks.validation import sift
from asp_eval.intake.correction_files import correction_format, correction_of, for_people, origin
from asp_eval.intake.files.dialect import misread
from asp_eval.intake.files.raw import Dialect, RawTable, TextColumn
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.mapping.applying import apply_mapping
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.trial.study.protocol import load_study
from asp_eval.trial.tables.schema import TableSchema, table_schema
from tests.small_study import OLDER, STUDY_YAML

KNOWN = CheckContext(institutions=frozenset({"A1", "A2", "H1"}), allocated=frozenset({"A1", "A2"}))
MAPPING = Mapping.model_validate({"version": 1, "keep_rows": "keep != 0", "ignore": ["keep"], "stop_at": {"share_of_rows": 1}})
COLUMNS = ("child_id", "institution_id", "sex", "hours", "answer", "keep")
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "3", "4", ""]),
        st.sampled_from(["A1", "A2", "A1", "A2", "H1", "Z9", ""]),
        st.sampled_from(["boy", "girl", "", "?"]),
        st.sampled_from(["1", "2.5", "", "many"]),
        st.sampled_from(["0", "1", "2", "", "", "7"]),
        st.sampled_from(["1", "1", "1", "0"]),
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> TableSchema:
    folder = tmp_path_factory.mktemp("property")
    (folder / "study.yaml").write_text(STUDY_YAML)
    return table_schema("screening", load_study(folder), "w1")


def raw_of(rows: list[tuple[str, ...]]) -> RawTable:
    columns = {name: TextColumn.of([row[i] for row in rows]) for i, name in enumerate(COLUMNS) if name != "answer"}
    columns |= {item: TextColumn.of([row[4] if item == OLDER[0] else "" for row in rows]) for item in OLDER}
    return RawTable("x.csv", "0" * 64, columns, np.arange(2, len(rows) + 2), Dialect("csv", decimal="."), len(rows))


def sorted_by_hand(rows: list[tuple[str, ...]]) -> dict[int, str]:
    """Say of each row, by its number, where it belongs."""
    place: dict[int, str] = {}
    kept = {number: row for number, row in enumerate(rows, start=2) if row[5] != "0"}
    for number in range(2, len(rows) + 2):
        if number not in kept:
            place[number] = "filtered"
    seen: list[tuple[str, ...]] = []
    for number, row in kept.items():
        if row[0] and row in seen:
            place[number] = "duplicate"
        seen.append(row)
    left = {number: row for number, row in kept.items() if number not in place}
    for number, (child, institution, sex, hours, answer, _) in left.items():
        others = [n for n, row in left.items() if n != number and row[0] == child and child]
        wrong = child == "" or institution not in ("A1", "A2") or sex == "?" or hours == "many" or answer == "7"
        place[number] = "quarantined" if wrong or others else "stored" if answer else "unanswered"
    return place


@given(rows=ROWS)
def test_every_row_is_in_exactly_one_place(schema, rows):
    assume(sum(row[4] == "7" for row in rows) < 5)  # or the column is at fault, and not its rows
    by_hand = sorted_by_hand(rows)
    expected = {kind: sorted(n for n, at in by_hand.items() if at == kind) for kind in set(by_hand.values())}
    try:
        sifted = sift(apply_mapping(raw_of(rows), MAPPING, schema.names), schema, context=KNOWN, mapping=MAPPING)
    except DataProblems as refused:
        assert "stored" not in expected
        assert "unanswered" not in expected
        faulty = {p.place.row for p in refused.problems if p.severity == "error"} - {None}
        assert faulty == set(expected.get("quarantined", []))
        return
    table = sifted.table
    found = {
        "stored": table.rows[table.answered].tolist(),
        "unanswered": table.rows[~table.answered].tolist(),
        "quarantined": sifted.refused.rows.tolist(),
        "duplicate": sorted(p.place.row for p in table.warnings if p.code == "SCR-121"),
    }
    assert {kind: numbers for kind, numbers in found.items() if numbers} == {k: v for k, v in expected.items() if k != "filtered"}
    assert table.rows_read == len(rows) == len(by_hand)
    counts = (table.accepted, table.unanswered, table.quarantined, table.duplicates, table.filtered, table.collapsed)
    kinds = ("stored", "unanswered", "quarantined", "duplicate", "filtered", "merged")
    assert counts == tuple(len(expected.get(kind, [])) for kind in kinds)
    assert sum(counts) == table.rows_read
    assert all(reasons for reasons in sifted.reasons())
    values = table.frame
    assert values["child_id"].tolist() == [rows[n - 2][0] for n in table.rows]
    assert values[OLDER[0]].fillna(-1).tolist() == [float(rows[n - 2][4] or -1) for n in table.rows]


CELLS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from(['"', ",", ";", "'", "=", "\n"]), max_size=8
).filter(lambda text: not misread(text))  # a file with broken letters is refused, whoever wrote it


@part_of_examples(0.4)
@given(data=st.data(), delimiter=st.sampled_from([",", ";", "\t", "|"]))
def test_what_is_written_for_people_is_read_back_as_it_was(tmp_path_factory, data, delimiter):
    names = data.draw(st.lists(st.sampled_from(["child", "=sum", "'+a", "-0,3", "a; b", "køn"]), min_size=1, unique=True))
    cells = data.draw(st.lists(st.tuples(*(CELLS.map(str.strip) for _ in names)), min_size=1, max_size=4))
    rows = [
        (7 * number, dict(zip(names, row, strict=True)), ["a reason", "b, c; d"]) for number, row in enumerate(cells, start=1)
    ]
    path: Path = tmp_path_factory.mktemp("written") / "x.csv"
    frame: pd.DataFrame = for_people(origin(3, "ab" * 32), rows)
    frame.to_csv(path, index=False, sep=delimiter, lineterminator="\n", encoding="utf-8-sig")
    found = correction_of(read_raw(path, correction_format(path.read_bytes()[:4_096])))
    assert found.sha256 == "ab" * 6
    assert found.raw.rows.tolist() == [number for number, _, _ in rows]
    assert found.raw.frame().to_dict("records") == [row for _, row, _ in rows]
