"""Importing: whole or not at all, once, in place of what stood there, and always in the ledger."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from asp_eval.core.errors import AspError, DataProblems, Refusal
from asp_eval.core.tables import read_csv_text
from asp_eval.trial.importing import import_file
from asp_eval.trial.store import Store, table, write_allocation, write_scores
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study


def fingerprint(study: Study) -> dict[str, str]:
    """Every file of the study folder but the database, and every stored row."""
    files = {
        path.relative_to(study.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in study.folder.rglob("*")
        if path.is_file() and path.name != "study.duckdb"
    }
    with Store(study.folder).reading() as connection:
        assert connection is not None
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return files | {name: connection.execute(f"SELECT * FROM {name}").df().to_csv() for name in names}


def reconciled(study: Study) -> bool:
    ledger = table(study, "import_ledger")
    return bool((ledger["rows_in"] == ledger[["accepted", "unanswered", "filtered", "collapsed"]].sum(axis=1)).all())


def test_a_wave_is_stored_read_back_and_entered(drawn, export, visits):
    report = import_file(drawn, export(visits), "screening", wave="w1")
    assert (report.rows_read, report.accepted, report.stored, report.already, report.superseded) == (3, 3, True, False, None)
    assert str(report) == "wave1.csv (csv, encoding 'utf-8', delimiter ','): 3 rows for screening at w1: 3 stored."
    seen = table(drawn, "screening")
    assert seen.columns.tolist() == ["child_id", "wave", "institution_id", "rater_id", "date", "hours"]
    assert seen["child_id"].tolist() == ["001", "002", "003"]
    assert seen["hours"].tolist() == [30.5, 37.0, 20.0]
    items = table(drawn, "screening_sdq-teacher-4-17")
    assert items["sdq-teacher-4-17.tantrum"].tolist() == [1.0] * 3
    assert items["institution_id"].tolist() == ["A1", "A2", "H1"]
    assert table(drawn, "screening_sdq-teacher-2-4").empty
    children = table(drawn, "children").set_index("child_id")
    assert children.loc["001"].to_dict() == {
        "institution_id": "A1", "first_wave": "w1", "sex": "boy", "birth_month": "2002-01", "mother_education": "short",
    }  # fmt: skip
    assert (drawn.folder / "data" / "wave1.csv").read_bytes() == export(visits).read_bytes()
    ledger = read_csv_text(drawn.folder / "output" / "ledger.csv")
    assert ledger[["file", "table_name", "wave", "rows_in", "accepted"]].to_numpy().tolist() == [
        ["institutions.csv", "institutions", "", "4", "4"], ["wave1.csv", "screening", "w1", "3", "3"],
    ]  # fmt: skip
    assert read_csv_text(drawn.folder / "output" / "allocation.csv")["arm"].tolist() == ["reference", "intervention"] * 2


def test_types_are_the_same_with_and_without_rows(drawn, export, visits):
    names = ("institutions", "allocation", "children", "screening", "screening_sdq-teacher-4-17", "scores", "import_ledger")
    empty = {name: table(drawn, name).dtypes.astype(str).to_dict() for name in names}
    import_file(drawn, export(visits), "screening", wave="w1")
    write_scores(drawn, pd.DataFrame({
        "unit": ["child"], "unit_id": ["001"], "wave": ["w1"], "instrument": ["sdq-teacher-4-17"], "scale": ["total"],
        "score": [20.0], "n_answered": [20], "prorated": [False], "band": ["high"],
    }))  # fmt: skip
    for name in names:
        filled = table(drawn, name)
        assert len(filled)
        assert filled.dtypes.astype(str).to_dict() == empty[name]


def test_the_same_file_again_changes_nothing_and_says_so(drawn, export, visits):
    path = export(visits)
    import_file(drawn, path, "screening", wave="w1")
    before = fingerprint(drawn)
    report = import_file(drawn, path, "screening", wave="w1")
    assert (report.already, report.stored) == (True, False)
    assert str(report) == "wave1.csv stands in screening at w1 already; nothing was changed."
    assert fingerprint(drawn) == before


def test_the_same_file_under_another_name_is_not_kept_twice(drawn, export, visits):
    import_file(drawn, export(visits), "screening", wave="w1")
    before = fingerprint(drawn)
    assert import_file(drawn, export(visits, "renamed.csv"), "screening", wave="w1").already
    assert fingerprint(drawn) == before


def test_the_same_file_read_in_another_way_is_another_import(drawn, export, visits, incoming):
    path = export(visits)
    import_file(drawn, path, "screening", wave="w1")
    mapping = incoming / "m.yaml"
    mapping.write_text("version: 1\nkeep_rows: child_id != 003\n")
    report = import_file(drawn, path, "screening", wave="w1", mapping=mapping)
    assert (report.accepted, report.filtered, report.superseded) == (2, 1, "wave1.csv")
    assert sorted(path.name for path in (drawn.folder / "data").iterdir()) == ["institutions.csv", "m.yaml", "wave1.csv"]
    assert reconciled(drawn)


def test_another_file_takes_the_place_and_both_stay_in_the_ledger(drawn, export, visits):
    import_file(drawn, export(visits), "screening", wave="w1")
    corrected = visits.iloc[1:].assign(**{"sdq-teacher-4-17.tantrum": "2"})
    report = import_file(drawn, export(corrected), "screening", wave="w1")
    assert report.superseded == "wave1.csv"
    (warning,) = report.warnings
    assert warning.code == "STO-013"
    assert "1 rows of the file" in str(warning)
    assert table(drawn, "screening")["child_id"].tolist() == ["002", "003"]
    assert table(drawn, "children")["child_id"].tolist() == ["002", "003"]
    assert table(drawn, "screening_sdq-teacher-4-17")["sdq-teacher-4-17.tantrum"].tolist() == [2.0, 2.0]
    ledger = table(drawn, "import_ledger")
    assert ledger["superseded"].tolist() == [False, True, False]
    assert {path.name for path in (drawn.folder / "data").iterdir()} == {"institutions.csv", "wave1.csv", "wave1-2.csv"}
    back = import_file(drawn, drawn.folder / "data" / "wave1.csv", "screening", wave="w1")
    assert (back.superseded, len(table(drawn, "screening"))) == ("wave1-2.csv", 3)


def test_waves_stand_beside_each_other_and_children_follow_their_first_report(drawn, export, visits):
    later = visits.assign(date="2007-09-01", institution_id=["A1", "A2", "A2"], mother_education="long")
    newcomer = later.iloc[[0]].assign(child_id="004", institution_id="H2")
    import_file(drawn, export(pd.concat([later, newcomer]), "wave2.csv"), "screening", wave="w2")
    assert table(drawn, "children").set_index("child_id").loc["003", "institution_id"] == "A2"
    import_file(drawn, export(visits.assign(mother_education=["short", "", "short"])), "screening", wave="w1")
    children = table(drawn, "children").set_index("child_id")
    assert children["institution_id"].to_dict() == {"001": "A1", "002": "A2", "003": "H1", "004": "H2"}
    assert children["first_wave"].to_dict() == {"001": "w1", "002": "w1", "003": "w1", "004": "w2"}
    assert children["mother_education"].to_dict() == {"001": "short", "002": "long", "003": "short", "004": "long"}
    assert len(table(drawn, "screening")) == 7


def test_a_wave_that_is_no_longer_declared_says_nothing_of_children(drawn, export, visits):
    import_file(drawn, export(visits.assign(institution_id="H2")), "screening", wave="w1")
    file = drawn.folder / "study.yaml"
    text = file.read_text().replace("w1", "w0").replace("waves:\n", "waves:\n  - {id: w1b, label: {en: again}}\n", 1)
    file.write_text(text)
    renamed = load_study(drawn.folder)
    import_file(renamed, export(visits.assign(date="2007-09-01"), "wave2.csv"), "screening", wave="w2")
    assert table(renamed, "children")["institution_id"].tolist() == ["A1", "A2", "H1"]


def test_the_register_at_the_draw_comes_before_every_wave(drawn, export, visits):
    register = visits[["child_id", "institution_id"]].assign(institution_id=["A2", "A2", "H1"])
    register.loc[3] = ["009", "H2"]
    import_file(drawn, export(register, "register.csv"), "children")
    report = import_file(drawn, export(visits), "screening", wave="w1")
    assert [(w.code, w.place.row) for w in report.warnings] == [("SCR-056", 2)]
    children = table(drawn, "children").set_index("child_id")
    assert children["institution_id"].to_dict() == {"001": "A2", "002": "A2", "003": "H1", "009": "H2"}
    assert set(children["first_wave"]) == {"w1"}


def test_a_child_listed_without_answers_is_known_and_not_screened(drawn, export, visits):
    visits.loc[2, [name for name in visits if name.startswith("sdq")]] = ""
    report = import_file(drawn, export(visits), "screening", wave="w1")
    assert (report.accepted, report.unanswered) == (2, 1)
    assert table(drawn, "screening")["child_id"].tolist() == ["001", "002"]
    assert table(drawn, "children")["child_id"].tolist() == ["001", "002", "003"]
    assert reconciled(drawn)


def test_new_answers_make_old_scores_go(drawn, export, visits):
    import_file(drawn, export(visits), "screening", wave="w1")
    row = {"unit": "child", "unit_id": "001", "wave": "w1", "instrument": "x", "scale": "total", "score": 1.0}
    write_scores(drawn, pd.DataFrame([row]))
    assert len(table(drawn, "scores")) == 1
    import_file(drawn, export(visits.assign(date="2007-09-01"), "wave2.csv"), "screening", wave="w2")
    assert table(drawn, "scores").empty


def test_a_dry_run_stores_and_keeps_nothing(drawn, export, visits):
    before = fingerprint(drawn)
    report = import_file(drawn, export(visits), "screening", wave="w1", dry_run=True)
    assert (report.accepted, report.stored) == (3, False)
    assert str(report).endswith("could be stored as 3 stored. Nothing was.")
    assert fingerprint(drawn) == before


BAD_FILES = {
    "unknown column": ("screening", lambda v: v.assign(extra="1"), "SCR-040"),
    "wrong type": ("screening", lambda v: v.assign(hours="many"), "SCR-042"),
    "child twice at a wave": ("screening", lambda v: pd.concat([v, v.iloc[[0]]]), "SCR-046"),
    "institution not in the allocation": ("screening", lambda v: v.assign(institution_id="A3"), "SCR-051"),
    "item out of range": ("screening", lambda v: v.assign(**{"sdq-teacher-4-17.obeys": "3"}), "SCR-014"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_leaves_nothing_half_written(drawn, export, visits, incoming, name):
    (incoming / "institutions.csv").write_text(
        "institution_id,municipality\nA1,Aarhus\nA2,Aarhus\nA3,Aarhus\nH1,Hvidovre\nH2,Hvidovre\n"
    )
    import_file(drawn, incoming / "institutions.csv", "institutions")
    import_file(drawn, export(visits), "screening", wave="w1")
    before = fingerprint(drawn)
    where, change, code = BAD_FILES[name]
    with pytest.raises(DataProblems, match=code):
        import_file(drawn, export(change(visits), "bad.csv"), where, wave="w1")
    assert fingerprint(drawn) == before


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", b"", "SCR-002"),
        ("short.xlsx", b"PK\x03\x04" + b"\x07" * 400, "SCR-012"),
        ("wrong.csv", "child_id,institution_id\nS\u00c3\u00b8ren,A1\n".encode(), "SCR-009"),
    ],
)
def test_a_damaged_file_leaves_nothing_half_written(drawn, incoming, name, content, code):
    before = fingerprint(drawn)
    (incoming / name).write_bytes(content)
    with pytest.raises(DataProblems, match=code):
        import_file(drawn, incoming / name, "screening", wave="w1")
    assert fingerprint(drawn) == before


def test_a_bad_file_that_lies_in_data_already_stays_there(drawn):
    bad = drawn.folder / "data" / "bad.csv"
    bad.write_bytes(b"")
    with pytest.raises(DataProblems):
        import_file(drawn, bad, "screening", wave="w1")
    assert bad.exists()


def test_a_failure_while_storing_takes_everything_back(drawn, export, visits, monkeypatch):
    import_file(drawn, export(visits), "screening", wave="w1")
    before = fingerprint(drawn)

    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("asp_eval.trial.store.ledger.enter", fail)
    with pytest.raises(OSError, match="full"):
        import_file(drawn, export(visits.iloc[:1], "other.csv"), "screening", wave="w1")
    monkeypatch.undo()
    assert fingerprint(drawn) == before


def test_an_institution_with_data_stays_in_the_list(drawn, export, visits, incoming):
    import_file(drawn, export(visits), "screening", wave="w1")
    file = incoming / "shorter.csv"
    file.write_text("institution_id,municipality\nA1,Aarhus\nA2,Aarhus\nH2,Hvidovre\n")
    with pytest.raises(DataProblems, match=r"STO-010.*'H1'"):
        import_file(drawn, file, "institutions")
    assert len(table(drawn, "institutions")) == 4


def test_a_lot_is_drawn_once(drawn):
    again = pd.DataFrame({"institution_id": ["A1", "A2", "H1", "H2"], "arm": ["reference"] * 2 + ["intervention"] * 2})
    with pytest.raises(DataProblems) as caught:
        write_allocation(drawn, again)
    assert [(p.code, p.details["institution"]) for p in caught.value.problems] == [("STO-011", "A2"), ("STO-011", "H1")]
    assert table(drawn, "allocation")["arm"].tolist() == ["reference", "intervention"] * 2


def test_an_allocation_is_imported_only_where_the_lot_was_drawn_elsewhere(drawn, incoming):
    file = incoming / "allocation.csv"
    file.write_text("institution_id,arm\nA1,reference\n")
    with pytest.raises(Refusal, match="STO-012"):
        import_file(drawn, file, "allocation")


def test_an_allocation_drawn_elsewhere_is_added_to_and_never_changed(study, incoming):
    text = (study.folder / "study.yaml").read_text()
    (study.folder / "study.yaml").write_text(text + "randomisation: {drawn_elsewhere: true}\n")
    elsewhere = load_study(study.folder)
    files = {
        "institutions.csv": "institution_id,municipality\nA1,Aarhus\nA2,Aarhus\nH1,Hvidovre\n",
        "first.csv": "institution_id,arm,date,source\nA1,reference,2006-08-15,notary\n",
        "more.csv": "institution_id,arm\nA1,reference\nA2,intervention\n",
        "changed.csv": "institution_id,arm\nA1,intervention\nH1,reference\n",
        "unlisted.csv": "institution_id,arm\nZ1,reference\n",
    }
    for name, content in files.items():
        (incoming / name).write_text(content)
    import_file(elsewhere, incoming / "institutions.csv", "institutions")
    import_file(elsewhere, incoming / "first.csv", "allocation")
    assert import_file(elsewhere, incoming / "more.csv", "allocation").superseded is None
    drawn = table(elsewhere, "allocation")
    assert drawn[["institution_id", "arm"]].to_numpy().tolist() == [["A1", "reference"], ["A2", "intervention"]]
    assert drawn["source"].tolist()[0] == "notary"
    with pytest.raises(DataProblems, match="STO-011"):
        import_file(elsewhere, incoming / "changed.csv", "allocation")
    with pytest.raises(DataProblems, match="SCR-050"):
        import_file(elsewhere, incoming / "unlisted.csv", "allocation")
    assert len(table(elsewhere, "allocation")) == 2


def test_a_column_declared_later_is_added(drawn, export, visits):
    import_file(drawn, export(visits), "screening", wave="w1")
    file = drawn.folder / "study.yaml"
    file.write_text(file.read_text().replace("{hours: number}", "{hours: number, room: string}"))
    later = load_study(drawn.folder)
    assert "room" not in table(later, "screening")
    import_file(later, export(visits.assign(date="2007-09-01", room="red"), "wave2.csv"), "screening", wave="w2")
    assert table(later, "screening")["room"].isna().tolist() == [True] * 3 + [False] * 3


def test_a_column_that_changes_its_type_is_refused(drawn, export, visits):
    import_file(drawn, export(visits), "screening", wave="w1")
    file = drawn.folder / "study.yaml"
    file.write_text(file.read_text().replace("hours: number", "hours: string"))
    with pytest.raises(Refusal, match="STO-003"):
        import_file(load_study(drawn.folder), export(visits.assign(date="2007-09-01")), "screening", wave="w2")


def test_the_staff_survey_has_its_own_tables(drawn, incoming):
    from asp_eval.trial.instruments.library import instrument

    items = instrument("gap-competences-staff").columns
    file = incoming / "staff.csv"
    file.write_text(f"respondent_id,institution_id,{','.join(items)}\n07,A1,{','.join(['3'] * len(items))}\n")
    import_file(drawn, file, "staff_survey", wave="w1")
    assert table(drawn, "staff_survey")["respondent_id"].tolist() == ["07"]
    assert table(drawn, "staff_survey_gap-competences-staff")[items[0]].tolist() == [3.0]


def test_what_cannot_be_imported_or_read_is_refused(drawn, incoming):
    with pytest.raises(Refusal, match="SCR-030"):
        import_file(drawn, incoming / "x.csv", "scores")
    with pytest.raises(Refusal, match="STO-004"):
        table(drawn, "nothing")
    with pytest.raises(AspError, match="SCR-001"):
        import_file(drawn, incoming / "absent.csv", "screening", wave="w1")


def test_a_study_without_data_has_empty_tables(study):
    assert table(study, "institutions").columns.tolist() == ["institution_id", "name", "municipality"]
    assert table(study, "screening_sdq-teacher-4-17").empty
    assert not (study.folder / "study.duckdb").exists()


def test_two_files_may_have_one_name(drawn, incoming, visits):
    for number, folder in enumerate(("a", "b")):
        (incoming / folder).mkdir()
        visits.assign(hours=str(number)).to_csv(incoming / folder / "wave.csv", index=False)
        import_file(drawn, Path(incoming / folder / "wave.csv"), "screening", wave="w1")
    assert table(drawn, "import_ledger")["file"].tolist()[1:] == ["wave.csv", "wave-2.csv"]
