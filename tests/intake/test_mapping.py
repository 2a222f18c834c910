"""Mappings change names and labels, never data; what they cannot do is listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asp_eval.core.errors import AspError, DataProblems, Refusal
from asp_eval.core.resources import shipped_folder
from asp_eval.intake.files.raw import Dialect, RawTable, TextColumn
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.mapping.applying import apply_mapping
from asp_eval.intake.mapping.items import named
from asp_eval.intake.mapping.mapping import NO_MAPPING, Mapping, load_mapping, mapping_beside
from asp_eval.trial.instruments.library import instrument, shipped

NAMES = ("child_id", "institution_id", "arm", "sex", "wave", "date")
TEXT = "uc,treat,girl,attrit\n007,1,0,0\n007,1,1,1\n008,0,-9,0\n008,0,1,\n"


@pytest.fixture
def raw(tmp_path: Path) -> RawTable:
    (tmp_path / "data.csv").write_text(TEXT)
    return read_raw(tmp_path / "data.csv")


def mapping(**parts: object) -> Mapping:
    return Mapping.model_validate({"version": 1, **parts})


def refused(raw: RawTable, **parts: object) -> list[str]:
    with pytest.raises(AspError) as caught:
        apply_mapping(raw, mapping(**parts), NAMES, key=("child_id",))
    return [problem.code for problem in caught.value.problems]


def test_without_a_mapping_nothing_changes(raw):
    assert apply_mapping(raw, NO_MAPPING, NAMES).columns is raw.columns


def test_every_part_in_its_order(raw):
    done = apply_mapping(
        raw,
        mapping(
            keep_rows="attrit == 0",
            rename={"uc": "institution_id", "girl": "sex"},
            missing=[-9],
            recode={"sex": {0: "boy", 1: "girl"}},
            row_number_as="child_id",
            ignore="others",
            constants={"wave": "w7", "date": None},
        ),
        NAMES,
    )
    assert {name: list(column.cells()) for name, column in done.columns.items()} == {
        "institution_id": ["007", "008"],
        "sex": ["boy", ""],
        "wave": ["w7", "w7"],
        "date": ["", ""],
        "child_id": ["2", "4"],
    }
    assert (done.rows_read, done.filtered, len(done)) == (4, 2, 2)


def test_one_row_per_institution_keeps_the_first_and_counts_the_others(raw):
    merged = mapping(rename={"uc": "institution_id", "treat": "arm"}, ignore="others", one_row_per="institution_id")
    done = apply_mapping(raw, merged, NAMES)
    assert list(done.columns["institution_id"].cells()) == ["007", "008"]
    assert done.rows.tolist() == [2, 4]
    assert done.collapsed == 2


SUBMITTED = "uc,submitted_at,x\n1,2027-09-02T08:00:00Z,late\n2,2027-09-01,only\n1,2027-09-01T23:00:00Z,early\n,2027-09-03,no id\n"


@pytest.mark.parametrize(("keep", "kept"), [("last", ["late", "only", "no id"]), ("first", ["only", "early", "no id"])])
def test_one_of_several_submissions_by_their_moments(tmp_path, keep, kept):
    (tmp_path / "data.csv").write_text(SUBMITTED)
    parts = {"rename": {"uc": "child_id", "x": "sex"}, "ignore": "others", "keep": keep, "by": "submitted_at"}
    done = apply_mapping(read_raw(tmp_path / "data.csv"), mapping(**parts), NAMES, key=("child_id",))
    assert (list(done.columns["sex"].cells()), done.collapsed, done.rows_read) == (kept, 1, 4)


def test_an_order_of_submissions_that_is_none(tmp_path):
    for cells in ("soon", "01-10-2027"):  # day or month could come first
        (tmp_path / "data.csv").write_text(f"child_id,submitted_at\n1,{cells}\n1,{cells}\n")
        assert refused(read_raw(tmp_path / "data.csv"), keep="last", by="submitted_at", ignore="others") == ["SCR-211"]


def test_an_institution_in_both_arms_is_listed_with_its_rows(tmp_path):
    (tmp_path / "data.csv").write_text("uc,treat\n1,1\n1,1\n1,0\n2,0\n")
    with pytest.raises(DataProblems) as caught:
        apply_mapping(read_raw(tmp_path / "data.csv"), mapping(one_row_per="uc"), NAMES)
    (problem,) = caught.value.problems
    assert (problem.code, problem.place.row, problem.place.column) == ("SCR-023", 2, "treat")
    assert "uc '1'" in str(problem)
    assert "'1' in 2 rows from row 2; '0' in 1 rows from row 4" in str(problem)


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ({"rename": {"ud": "institution_id"}}, "SCR-020"),
        ({"recode": {"sex": {"0": "boy"}}}, "SCR-020"),
        ({"keep_rows": "attrition == 0"}, "SCR-020"),
        ({"ignore": ["atrit"]}, "SCR-020"),
        ({"one_row_per": "institution_id"}, "SCR-020"),
        ({"rename": {"uc": "treat"}}, "SCR-021"),
        ({"constants": {"girl": "1"}}, "SCR-021"),
        ({"row_number_as": "uc"}, "SCR-021"),
        ({"keep_rows": "attrit == 5"}, "SCR-022"),
    ],
)
def test_what_cannot_be_done_is_listed(raw, parts, code):
    assert refused(raw, **parts) == [code]


def test_the_near_name_is_suggested(raw):
    with pytest.raises(DataProblems, match="Did you mean 'attrit'"):
        apply_mapping(raw, mapping(ignore=["atrit"]), NAMES)


def test_a_label_that_is_not_met_is_a_warning(raw):
    done = apply_mapping(raw, mapping(recode={"girl": {"0": "boy", "00": "boy"}}), NAMES)
    assert [(note.code, note.severity) for note in done.notes] == [("SCR-024", "warning")]


def test_labels_that_are_not_named_stay(raw):
    done = apply_mapping(raw, mapping(recode={"girl": {"0": "boy"}}), NAMES)
    assert list(done.columns["girl"].cells()) == ["boy", "1", "-9", "1"]


def test_the_mapping_beside_an_export_is_found(tmp_path):
    export = tmp_path / "wave1.csv"
    assert mapping_beside(export) is None
    (tmp_path / "wave1.mapping.yaml").write_text("version: 1\n")
    assert mapping_beside(export) == tmp_path / "wave1.mapping.yaml"
    (tmp_path / "wave1.csv.mapping.yaml").write_text("version: 1\n")
    assert mapping_beside(export) == tmp_path / "wave1.csv.mapping.yaml"


def test_a_mapping_file_is_answered_with_all_its_mistakes(tmp_path):
    file = tmp_path / "m.mapping.yaml"
    file.write_text("version: 2\nrenam: {a: b}\nkeep_rows: a < 3\nformat: {decimal: x}\n")
    with pytest.raises(DataProblems) as caught:
        load_mapping(file)
    assert [(p.place.line, p.place.column) for p in caught.value.problems] == [
        (1, "version"),
        (4, "format.decimal"),
        (3, "keep_rows"),
        (2, "renam"),
    ]


SDQ = instrument("sdq-teacher-4-17")


def table_of(columns: dict[str, list[str]], **declared: object) -> RawTable:
    n = len(next(iter(columns.values())))
    texts = {name: TextColumn.of(cells) for name, cells in columns.items()}
    return RawTable("export.sav", "0" * 64, texts, np.arange(2, n + 2), Dialect("sav"), rows_read=n, **declared)


def answered(names: Sequence[str], *rows: str, **declared: object) -> RawTable:
    """A table with the same answers in all its columns."""
    return table_of({name: list(rows) for name in names}, **declared)


def cells(raw: RawTable) -> dict[str, list[str]]:
    return {name: list(column.cells()) for name, column in raw.columns.items()}


@pytest.mark.parametrize(
    ("pattern", "first", "last"),
    [
        ("s_{number}", "s_1", "s_25"),
        ("Q{number:02}", "Q01", "Q25"),
        ("v{number+25:03}_w1", "v026_w1", "v050_w1"),
        ("t{key}", "tconsid", "tattends"),
        ("T{KEY}", "TCONSID", "TATTENDS"),
    ],
)
def test_a_pattern_names_every_item_in_the_order_of_the_questionnaire(pattern, first, last):
    names = list(named(SDQ, pattern))
    assert (names[0], names[-1], len(set(names))) == (first, last, 25)
    done = apply_mapping(answered(names[::-1], "1"), mapping(rename_items={SDQ.id: pattern}), SDQ.columns)
    assert set(done.columns) == set(SDQ.columns)
    one = table_of({name: [str(position)] for position, name in enumerate(names, start=1)})
    done = apply_mapping(one, mapping(rename_items={SDQ.id: pattern}), SDQ.columns)
    assert all(done.columns[f"{SDQ.id}.{item.key}"].cell(0) == str(item.number) for item in SDQ.items)


def test_items_of_a_pattern_that_are_not_there_are_listed_and_one_may_have_its_own_line():
    names = [name for name in named(SDQ, "t{key}") if name not in {"tobeys", "tlies"}]
    raw = answered([*names, "odd"], "1")
    with pytest.raises(DataProblems) as caught:
        apply_mapping(raw, mapping(rename_items={SDQ.id: "t{key}"}), SDQ.columns)
    assert [(p.code, p.place.column) for p in caught.value.problems] == [("SCR-020", "tobeys"), ("SCR-020", "tlies")]
    with pytest.raises(DataProblems) as caught:
        apply_mapping(raw, mapping(rename_items={SDQ.id: "t{key}"}, rename={"odd": f"{SDQ.id}.obeys"}), SDQ.columns)
    assert [p.place.column for p in caught.value.problems] == ["tlies"]


def test_a_mapping_tells_every_column_it_renames():
    both = mapping(rename_items={SDQ.id: "t{key}"}, rename={"odd": f"{SDQ.id}.obeys", "barn": "child_id"})
    renames = both.renames(shipped())
    assert (renames["barn"], renames["odd"], renames["tlies"]) == (
        "child_id",
        SDQ.columns[6],
        f"{SDQ.id}.lies",
    )
    assert "tobeys" not in renames


def test_a_pattern_is_refused_where_it_does_not_fit():
    raw = answered([*named(SDQ, "s_{number}")], "1")
    with pytest.raises(DataProblems, match="SCR-186"):
        apply_mapping(raw, mapping(rename_items={"gap-competences-staff": "s_{number}"}), SDQ.columns)
    with pytest.raises(DataProblems, match=r"SCR-187.*child_id and sdq-teacher-4-17.consid"):
        apply_mapping(raw, mapping(rename_items={SDQ.id: "s_{number}"}, rename={"s_1": "child_id"}), SDQ.columns)
    with pytest.raises(DataProblems, match="SCR-187") as caught:
        both = {"sdq-teacher-2-4": "s_{number}", SDQ.id: "s_{number}"}
        apply_mapping(raw, mapping(rename_items=both), [*SDQ.columns, *instrument("sdq-teacher-2-4").columns])
    assert len(caught.value.problems) == 1  # and not once for every item
    with pytest.raises(Refusal, match=r"INS-001.*sdq-teacher-4-17"):
        apply_mapping(raw, mapping(rename_items={"sdq-teacher-4-16": "s_{number}"}), SDQ.columns)
    for bad in ("s_1", "s_{}", "s_{item}", "{number}{"):
        with pytest.raises(ValueError, match="a pattern with"):
            mapping(rename_items={SDQ.id: bad})


@pytest.mark.parametrize("part", ["sdq-teacher-4-17", "sdq-teacher"])
def test_an_instrument_s_labels_are_those_of_all_its_items(part):
    raw = answered([*SDQ.columns, "other.consid", "note"], "nej", "ja", "", "lidt")
    done = apply_mapping(raw, mapping(recode={part: {"nej": 0, "lidt": 1, "ja": 2}}), SDQ.columns)
    assert all(cells(done)[name] == ["0", "2", "", "1"] for name in SDQ.columns)
    assert cells(done)["note"] == cells(done)["other.consid"] == ["nej", "ja", "", "lidt"]
    assert dict(done.became[SDQ.columns[3]]) == {"nej": "0", "ja": "2", "lidt": "1"}


def test_a_column_s_own_labels_win_then_its_instrument_s_then_its_family_s():
    first, second, *_ = SDQ.columns
    younger = "sdq-teacher-2-4.consid"
    raw = answered([first, second, younger], "ja")
    recode = {"sdq-teacher": {"ja": 0}, SDQ.id: {"ja": 1}, second: {"ja": 2}}
    for order in (recode, dict(reversed(recode.items()))):
        done = apply_mapping(raw, mapping(recode=order), SDQ.columns)
        assert cells(done) == {first: ["1"], second: ["2"], younger: ["0"]}


def test_an_instrument_s_label_that_no_item_has_is_said_once():
    raw = table_of({name: ["nej" if name.endswith("kind") else "ja"] for name in SDQ.columns})
    done = apply_mapping(raw, mapping(recode={SDQ.id: {"nej": 0, "lidt": 1, "ja": 2}}), SDQ.columns)
    assert [(note.code, note.place.column, note.found) for note in done.notes] == [("SCR-024", SDQ.id, "'lidt'")]
    assert refused(raw, recode={"gap-competences-staff": {"ja": 1}}) == ["SCR-020"]


def test_a_code_that_would_pass_for_a_recoded_one_is_refused():
    raw = answered(SDQ.columns[:1], "1", "2", "0", "3")
    shift = {1: 0, 2: 1, 3: 2}
    assert refused(raw, recode={SDQ.id: shift}) == ["SCR-180"]
    done = apply_mapping(raw, mapping(recode={SDQ.id: shift | {0: ""}}), SDQ.columns)
    assert cells(done)[SDQ.columns[0]] == ["0", "1", "", "2"]
    done = apply_mapping(raw, mapping(recode={SDQ.id: shift}, missing=[0]), SDQ.columns)
    assert cells(done)[SDQ.columns[0]] == ["0", "1", "", "2"]
    done = apply_mapping(answered(["sex"], "1", "girl"), mapping(recode={"sex": {1: "girl"}}), ["sex"])
    assert cells(done) == {"sex": ["girl", "girl"]}


def spss() -> RawTable:
    """Two items and a column that is left out, in which the file calls 8 and 9 missing."""
    columns = {"a.x": ["0", "9", "8", ""], "a.y": ["9", "1", "2", "9"], "free": ["9", "9", "9", "9"]}
    missing = frozenset({"8", "9"})
    return table_of(
        columns,
        user_missing=dict.fromkeys(columns, missing),
        labels={"a.x": {"9": "Ved ikke", "0": "Nej"}, "a.y": {"9": "Ved ikke"}},
    )


def test_what_the_file_calls_missing_is_refused_until_the_mapping_says_what_becomes_of_it():
    for parts in ({}, {"rename": {"free": "other"}}):
        assert refused(spss(), **parts) == ["SCR-181"] * 4
    with pytest.raises(DataProblems, match="2 cells hold what the file declares missing: '9', Ved ikke"):
        apply_mapping(spss(), mapping(ignore="others"), ["a.y"])
    done = apply_mapping(spss(), mapping(ignore="others", recode={"a.y": {"9": ""}}), ["a.y"])
    assert cells(done) == {"a.y": ["", "1", "2", ""]}
    done = apply_mapping(spss(), mapping(ignore="others", missing=[8, 9]), ["a.x", "a.y"])
    assert cells(done) == {"a.x": ["0", "", "", ""], "a.y": ["", "1", "2", ""]}


def test_what_the_file_calls_missing_is_emptied_and_counted_if_the_mapping_says_so():
    done = apply_mapping(spss(), mapping(user_missing="empty", recode={"a.x": {"8": 1}}, ignore=["free"]), ["a.x", "a.y"])
    assert cells(done) == {"a.x": ["0", "", "1", ""], "a.y": ["", "1", "2", ""]}
    (note,) = [note for note in done.notes if note.place.column is None and "Ved ikke" in note.text]
    assert (note.code, note.severity) == ("SCR-182", "warning")
    assert note.text == "3 cells that the file declares missing ('9', Ved ikke) were emptied: a.x 1, a.y 2"


def test_a_filtered_row_does_not_count_as_missing():
    raw = table_of({"keep": ["1", "0"], "a.x": ["1", "9"]}, user_missing={"a.x": frozenset({"9"})})
    done = apply_mapping(raw, mapping(keep_rows="keep == 1", ignore=["keep"]), ["a.x"])
    assert cells(done) == {"a.x": ["1"]}


def test_what_the_file_declares_goes_with_the_new_names():
    raw = table_of(
        {"q1": ["1"], "cpr": ["x"]},
        labels={"q1": {"1": "ja"}},
        titles={"q1": "Deler"},
        identifiers=frozenset({"cpr"}),
        user_missing={"q1": frozenset({"9"})},
    )
    done = apply_mapping(raw, mapping(rename={"q1": "a.x", "cpr": "child_id"}), ["a.x", "child_id"])
    assert (done.labels, done.titles, done.identifiers) == ({"a.x": {"1": "ja"}}, {"a.x": "Deler"}, {"child_id"})
    assert done.user_missing == {"a.x": {"9"}}


def test_whole_dates_lose_their_day_only_if_the_mapping_says_so():
    raw = table_of({"birth_month": ["14-09-2019", "02-03-2020", "", "soon", "2019-09-14"]})
    done = apply_mapping(raw, mapping(truncate={"birth_month": "month"}), ["birth_month"])
    assert cells(done) == {"birth_month": ["2019-09", "2020-03", "", "soon", "2019-09"]}
    assert cells(apply_mapping(raw, NO_MAPPING, ["birth_month"])) == cells(raw)
    either = table_of({"birth_month": ["02-03-2020"]})
    assert refused(either, truncate={"birth_month": "month"}) == ["SCR-183"]
    told = replace(either, dialect=Dialect("csv", dates="month-first"))
    assert cells(apply_mapping(told, mapping(truncate={"birth_month": "month"}), [])) == {"birth_month": ["2020-02"]}
    assert refused(raw, truncate={"born": "month"}) == ["SCR-020"]


def test_what_is_not_filled_in_is_named_with_its_line(tmp_path):
    file = tmp_path / "m.mapping.yaml"
    file.write_text("version: 1\nrename:\n  FILL IN child_id: child_id\nrecode:\n  sex:\n    1:  # boy or girl?\n    2: girl\n")
    with pytest.raises(DataProblems) as caught:
        load_mapping(file)
    assert [(p.code, p.place.line) for p in caught.value.problems] == [("SCR-185", 3), ("SCR-185", 6)]
    file.write_text('version: 1\nrecode:\n  sex:\n    1: ""\n    2: girl\n')
    assert load_mapping(file).recode == {"sex": {"1": "", "2": "girl"}}


def test_a_column_made_twice_is_a_mistake():
    with pytest.raises(ValueError, match="child_id is made more than once"):
        mapping(rename={"a": "child_id"}, row_number_as="child_id")


def test_the_digest_follows_the_content():
    assert mapping(rename={"a": "b"}).digest == mapping(rename={"a": "b"}).digest != NO_MAPPING.digest
    assert NO_MAPPING.on_one_line == ""


def test_the_mapping_in_the_manual_can_be_read(tmp_path):
    manual = (shipped_folder("data_schema").parent / "docs" / "importing.md").read_text(encoding="utf-8")
    block = next(part for part in manual.split("\n\n") if part.startswith("    version: 1\n    format"))
    file = tmp_path / "manual.mapping.yaml"
    file.write_text("\n".join(line.removeprefix("    ") for line in block.splitlines()))
    shown = load_mapping(file)
    assert shown.model_fields_set == set(Mapping.model_fields)
