"""Importing: whole or not at all, once, in place of what stood there, and always in the ledger."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from asp_eval.core.csv_text import read_csv_text
from asp_eval.core.errors import AspError, Breakdown, DataProblems, Refusal
from asp_eval.store import table, write_allocation, write_scores
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file

Fingerprint = Callable[[Study], dict[str, str]]


@dataclass(frozen=True)
class Untouched:
    """A study with data, which no import of these tests may change, and its fingerprint."""

    study: Study
    before: dict[str, str]


@pytest.fixture(scope="module")
def untouched(rated_once: Path, fingerprint: Fingerprint, tmp_path_factory: pytest.TempPathFactory) -> Untouched:
    folder = shutil.copytree(rated_once, tmp_path_factory.mktemp("untouched") / "study")
    study = load_study(folder)
    file = folder.parent / "institutions.csv"  # one more than were drawn
    file.write_text("institution_id,municipality\nA1,Aarhus\nA2,Aarhus\nA3,Aarhus\nH1,Hvidovre\nH2,Hvidovre\n")
    import_file(study, file, "institutions")
    return Untouched(study, fingerprint(study))


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
        "institution_id": "A1",
        "first_wave": "w1",
        "sex": "boy",
        "birth_month": "2002-01",
        "mother_education": "short",
    }
    assert (drawn.folder / "data" / "wave1.csv").read_bytes() == export(visits).read_bytes()
    ledger = read_csv_text(drawn.folder / "output" / "ledger.csv")
    assert ledger[["kind", "file", "table_name", "wave", "rows_in", "accepted"]].to_numpy().tolist() == [
        ["import", "institutions.csv", "institutions", "", "4", "4"],
        ["draw", "", "", "", "", ""],
        ["import", "wave1.csv", "screening", "w1", "3", "3"],
    ]
    assert read_csv_text(drawn.folder / "output" / "allocation.csv")["arm"].tolist() == ["reference", "intervention"] * 2


def test_types_are_the_same_with_and_without_rows(drawn, export, visits):
    names = ("institutions", "allocation", "children", "screening", "screening_sdq-teacher-4-17", "scores", "import_ledger")
    empty = {name: table(drawn, name).dtypes.astype(str).to_dict() for name in names}
    import_file(drawn, export(visits), "screening", wave="w1")
    write_scores(
        drawn,
        pd.DataFrame(
            {
                "unit": ["child"],
                "unit_id": ["001"],
                "wave": ["w1"],
                "instrument": ["sdq-teacher-4-17"],
                "scale": ["total"],
                "score": [20.0],
                "n_answered": [20],
                "prorated": [False],
                "band": ["high"],
            }
        ),
    )
    for name in names:
        filled = table(drawn, name)
        assert len(filled)
        assert filled.dtypes.astype(str).to_dict() == empty[name]


def test_the_same_file_again_changes_nothing_and_says_so(untouched, export, visits, fingerprint):
    report = import_file(untouched.study, export(visits), "screening", wave="w1")
    assert (report.already, report.stored) == (True, False)
    assert str(report) == "wave1.csv stands in screening at w1 already; nothing was changed."
    assert fingerprint(untouched.study) == untouched.before


def test_the_same_file_under_another_name_is_not_kept_twice(untouched, export, visits, fingerprint):
    assert import_file(untouched.study, export(visits, "renamed.csv"), "screening", wave="w1").already
    assert fingerprint(untouched.study) == untouched.before


def test_the_same_file_read_in_another_way_is_another_import(rated, export, visits, incoming):
    mapping = incoming / "m.yaml"
    mapping.write_text("version: 1\nrecode: {mother_education: {short: long}}\n")
    report = import_file(rated, export(visits), "screening", wave="w1", mapping=mapping)
    assert (report.accepted, report.superseded, report.vanished) == (3, "wave1.csv", None)
    assert set(table(rated, "children")["mother_education"]) == {"long"}


def test_a_corrected_file_takes_the_place_and_both_stay_in_the_ledger(rated, export, visits):
    corrected = visits.assign(**{"sdq-teacher-4-17.tantrum": "2"})
    report = import_file(rated, export(corrected), "screening", wave="w1")
    assert (report.superseded, report.vanished, [w.code for w in report.warnings]) == ("wave1.csv", None, ["SCR-124"])
    assert str(report).endswith(": 3 stored. It takes the place of wave1.csv.")
    assert table(rated, "screening")["child_id"].tolist() == ["001", "002", "003"]
    assert table(rated, "screening_sdq-teacher-4-17")["sdq-teacher-4-17.tantrum"].tolist() == [2.0] * 3
    ledger = table(rated, "import_ledger")
    assert ledger["superseded"].tolist() == [False, True, False]
    assert {path.name for path in (rated.folder / "data").iterdir()} == {"institutions.csv", "wave1.csv", "wave1-2.csv"}
    back = import_file(rated, rated.folder / "data" / "wave1.csv", "screening", wave="w1")
    assert (back.superseded, back.file) == ("wave1-2.csv", "wave1.csv")
    assert table(rated, "screening_sdq-teacher-4-17")["sdq-teacher-4-17.tantrum"].tolist() == [1.0] * 3


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
    assert [(w.code, w.place.row) for w in report.warnings] == [("SCR-124", None), ("SCR-056", 2)]
    children = table(drawn, "children").set_index("child_id")
    assert children["institution_id"].to_dict() == {"001": "A2", "002": "A2", "003": "H1", "009": "H2"}
    assert set(children["first_wave"]) == {"w1"}


def test_a_child_listed_without_answers_is_known_and_not_screened(drawn, export, visits):
    visits.loc[2, [name for name in visits if name.startswith("sdq")]] = ""
    report = import_file(drawn, export(visits), "screening", wave="w1")
    assert (report.accepted, report.unanswered) == (2, 1)
    assert table(drawn, "screening")["child_id"].tolist() == ["001", "002"]
    assert table(drawn, "children")["child_id"].tolist() == ["001", "002", "003"]


def test_every_row_of_a_file_is_in_one_column_of_the_ledger(drawn, export, visits, incoming):
    rows = pd.concat([visits, visits.iloc[[1]], visits.iloc[[0]].assign(child_id="x")], ignore_index=True)
    rows.loc[2, [name for name in rows if name.startswith("sdq")]] = ""
    (incoming / "m.yaml").write_text("version: 1\nkeep_rows: child_id != x\none_row_per: child_id\n")
    report = import_file(drawn, export(rows), "screening", wave="w1", mapping=incoming / "m.yaml")
    assert (report.rows_read, report.accepted, report.unanswered, report.filtered, report.collapsed) == (5, 2, 1, 1, 1)
    ledger = table(drawn, "import_ledger")
    parts = ["accepted", "unanswered", "filtered", "collapsed"]
    assert ledger[["rows_in", *parts]].to_numpy().tolist() == [[4, 4, 0, 0, 0], [5, 2, 1, 1, 1]]
    assert (ledger["rows_in"] == ledger[parts].sum(axis=1)).all()


def test_new_answers_make_old_scores_go(rated, export, visits):
    row = {"unit": "child", "unit_id": "001", "wave": "w1", "instrument": "x", "scale": "total", "score": 1.0}
    write_scores(rated, pd.DataFrame([row]))
    assert len(table(rated, "scores")) == 1
    import_file(rated, export(visits.assign(date="2007-09-01"), "wave2.csv"), "screening", wave="w2")
    assert table(rated, "scores").empty


def test_a_dry_run_stores_and_keeps_nothing(untouched, export, visits, fingerprint):
    later = export(visits.assign(date="2007-09-01"), "wave2.csv")
    report = import_file(untouched.study, later, "screening", wave="w2", dry_run=True)
    assert (report.accepted, report.stored) == (3, False)
    assert str(report).endswith("would give 3 stored. Nothing was stored.")
    assert fingerprint(untouched.study) == untouched.before


def test_a_dry_run_before_anything_is_stored(study, incoming):
    (incoming / "institutions.csv").write_text("institution_id,municipality\nA1,Aarhus\n")
    assert import_file(study, incoming / "institutions.csv", "institutions", dry_run=True).accepted == 1
    assert not (study.folder / "study.duckdb").exists()


BAD_FILES = {
    "unknown column": ("screening", lambda v: v.assign(extra="1"), "SCR-040"),
    "wrong type": ("screening", lambda v: v.assign(hours="many"), "SCR-042"),
    "child twice at a wave": ("screening", lambda v: pd.concat([v.iloc[[0]], v.iloc[[0]].assign(hours="1")]), "SCR-046"),
    "institution not in the allocation": ("screening", lambda v: v.assign(institution_id="A3"), "SCR-051"),
    "item out of range": ("screening", lambda v: v.assign(**{"sdq-teacher-4-17.obeys": "3"}), "SCR-014"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_leaves_nothing_half_written(untouched, export, visits, name, fingerprint):
    where, change, code = BAD_FILES[name]
    with pytest.raises(DataProblems, match=code):
        import_file(untouched.study, export(change(visits), "bad.csv"), where, wave="w1")
    assert fingerprint(untouched.study) == untouched.before


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.csv", b"", "SCR-002"),
        ("short.xlsx", b"PK\x03\x04" + b"\x07" * 400, "SCR-012"),
        ("wrong.csv", "child_id,institution_id\nS\u00c3\u00b8ren,A1\n".encode(), "SCR-009"),
    ],
)
def test_a_damaged_file_leaves_nothing_half_written(untouched, incoming, name, content, code, fingerprint):
    (incoming / name).write_bytes(content)
    with pytest.raises(DataProblems, match=code):
        import_file(untouched.study, incoming / name, "screening", wave="w1")
    assert fingerprint(untouched.study) == untouched.before


def test_a_bad_file_that_lies_in_data_already_stays_there(drawn):
    bad = drawn.folder / "data" / "bad.csv"
    bad.write_bytes(b"")
    with pytest.raises(DataProblems):
        import_file(drawn, bad, "screening", wave="w1")
    assert bad.exists()


def test_a_failure_while_storing_takes_everything_back(rated, export, visits, monkeypatch, fingerprint):
    before = fingerprint(rated)

    def fail(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("asp_eval.store.ledger.append", fail)
    with pytest.raises(OSError, match="full"):
        import_file(rated, export(visits.assign(hours="1"), "other.csv"), "screening", wave="w1")
    monkeypatch.undo()
    assert fingerprint(rated) == before


def test_a_file_that_is_stored_is_kept_even_if_its_ledger_cannot_be_put_in_place(drawn, export, visits, monkeypatch):
    replace = Path.replace

    def fail(self: Path, target: Path) -> Path:
        if self.name == "ledger.csv":
            raise PermissionError(13, "A spreadsheet holds it open", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    path = export(visits)
    with pytest.raises(Breakdown, match=r"FIL-003.*ledger\.csv.*everything was stored"):
        import_file(drawn, path, "screening", wave="w1")
    assert (drawn.folder / "data" / "wave1.csv").exists()
    monkeypatch.undo()
    assert len(table(drawn, "screening")) == 3
    assert read_csv_text(drawn.folder / "output" / "ledger.csv")["file"].tolist() == ["institutions.csv", "", "wave1.csv"]
    assert import_file(drawn, path, "screening", wave="w1").already


def test_a_file_whose_ledger_cannot_be_written_is_not_stored(drawn, export, visits, monkeypatch, fingerprint):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = fingerprint(drawn)
    monkeypatch.setattr("asp_eval.store.queries.write_csv", fail)
    with pytest.raises(OSError, match="No space"):
        import_file(drawn, export(visits), "screening", wave="w1")
    assert fingerprint(drawn) == before


def test_an_institution_with_data_stays_in_the_list(rated, incoming):
    file = incoming / "shorter.csv"
    file.write_text("institution_id,municipality\nA1,Aarhus\nA2,Aarhus\nH2,Hvidovre\n")
    for asked in ({}, {"replace": True}, {"dry_run": True}):
        with pytest.raises(DataProblems, match=r"STO-010.*'H1'"):
            import_file(rated, file, "institutions", **asked)
    assert len(table(rated, "institutions")) == 4


def test_a_lot_is_drawn_once(drawn):
    again = pd.DataFrame({"institution_id": ["A1", "A2", "H1", "H2"], "arm": ["reference"] * 2 + ["intervention"] * 2})
    with pytest.raises(DataProblems) as caught:
        write_allocation(drawn, again)
    assert [(p.code, p.details["institution"]) for p in caught.value.problems] == [("STO-011", "A2"), ("STO-011", "H1")]
    assert table(drawn, "allocation")["arm"].tolist() == ["reference", "intervention"] * 2


def test_an_allocation_is_imported_only_where_the_lot_was_drawn_elsewhere(untouched, incoming):
    file = incoming / "allocation.csv"
    file.write_text("institution_id,arm\nA1,reference\n")
    with pytest.raises(Refusal, match="STO-012"):
        import_file(untouched.study, file, "allocation")


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
    for dry_run in (False, True):
        with pytest.raises(DataProblems, match="STO-011"):
            import_file(elsewhere, incoming / "changed.csv", "allocation", dry_run=dry_run)
    with pytest.raises(DataProblems, match="SCR-050"):
        import_file(elsewhere, incoming / "unlisted.csv", "allocation")
    assert len(table(elsewhere, "allocation")) == 2


def test_a_column_declared_later_is_added(rated, export, visits):
    file = rated.folder / "study.yaml"
    file.write_text(file.read_text().replace("{hours: number}", "{hours: number, room: string}"))
    later = load_study(rated.folder)
    assert "room" not in table(later, "screening")
    import_file(later, export(visits.assign(date="2007-09-01", room="red"), "wave2.csv"), "screening", wave="w2")
    assert table(later, "screening")["room"].isna().tolist() == [True] * 3 + [False] * 3


def test_a_column_that_changes_its_type_is_refused(rated, export, visits):
    file = rated.folder / "study.yaml"
    file.write_text(file.read_text().replace("hours: number", "hours: string"))
    with pytest.raises(Refusal, match="STO-003"):
        import_file(load_study(rated.folder), export(visits.assign(date="2007-09-01")), "screening", wave="w2")


def test_the_staff_survey_has_its_own_tables(drawn, incoming):
    from asp_eval.trial.instruments.library import instrument

    items = instrument("gap-competences-staff").columns
    file = incoming / "staff.csv"
    file.write_text(f"respondent_id,institution_id,{','.join(items)}\n07,A1,{','.join(['3'] * len(items))}\n")
    import_file(drawn, file, "staff_survey", wave="w1")
    assert table(drawn, "staff_survey")["respondent_id"].tolist() == ["07"]
    assert table(drawn, "staff_survey_gap-competences-staff")[items[0]].tolist() == [3.0]


def test_what_cannot_be_imported_or_read_is_refused(untouched, export, visits, incoming, fingerprint):
    study = untouched.study
    with pytest.raises(Refusal, match="SCR-030"):
        import_file(study, incoming / "x.csv", "scores")
    with pytest.raises(Refusal, match="STO-004"):
        table(study, "nothing")
    with pytest.raises(AspError, match="SCR-001"):
        import_file(study, incoming / "absent.csv", "screening", wave="w1")
    with pytest.raises(DataProblems, match=r"SCR-019.*absent.yaml: there is no such mapping file.*leave --mapping out"):
        import_file(study, export(visits), "screening", wave="w1", mapping=incoming / "absent.yaml")
    assert fingerprint(study) == untouched.before


def test_a_study_without_data_has_empty_tables(study):
    columns = ["institution_id", "name", "municipality", "closed_on", "closed_why"]
    assert table(study, "institutions").columns.tolist() == columns
    assert table(study, "screening_sdq-teacher-4-17").empty
    assert not (study.folder / "study.duckdb").exists()


@pytest.mark.parametrize("block", [1, 2, 3])
def test_rows_stored_in_blocks_keep_their_order(drawn, export, visits, monkeypatch, block):
    monkeypatch.setattr("asp_eval.store.layout.BLOCK", block)
    report = import_file(drawn, export(visits), "screening", wave="w1")
    assert report.accepted == 3
    for name in ("screening", "screening_sdq-teacher-4-17", "children"):
        assert table(drawn, name)["child_id"].tolist() == ["001", "002", "003"]


@pytest.mark.parametrize("block", [1, 2, 3])
def test_a_block_of_rows_without_answers_is_listed_only(drawn, export, visits, monkeypatch, block):
    monkeypatch.setattr("asp_eval.store.layout.BLOCK", block)
    blank = visits.copy()
    blank.loc[1, [name for name in visits if name.startswith("sdq-")]] = ""
    report = import_file(drawn, export(blank), "screening", wave="w1")
    assert (report.accepted, report.unanswered) == (2, 1)
    assert table(drawn, "screening")["child_id"].tolist() == ["001", "003"]
    assert table(drawn, "screening_sdq-teacher-4-17")["child_id"].tolist() == ["001", "003"]
    assert table(drawn, "children")["child_id"].tolist() == ["001", "002", "003"]


def test_an_import_tells_how_far_it_is(drawn, export, visits):
    told: list[tuple[str, float]] = []
    import_file(drawn, export(visits), "screening", wave="w1", dry_run=True, progress=lambda *step: told.append(step))
    assert told == [("reading", 0), ("reading", 0.5), ("checking", 0.5)]
    told.clear()
    import_file(drawn, export(visits), "screening", wave="w1", progress=lambda *step: told.append(step))
    assert told == [("reading", 0), ("reading", 0.5), ("checking", 0.5), ("storing", 0.7)]


def test_names_that_the_lot_is_drawn_by_are_warned_of_at_import(study, incoming):
    file = incoming / "list.csv"
    file.write_text(
        "institution_id,municipality\n1,\u00c5rhus\n2,A\u030arhus\n3,\u00e5rhus\n4,Hvidovre\n5,Odense\n", encoding="utf-8"
    )
    report = import_file(study, file, "institutions")
    said = [(problem.place.row, problem.severity) for problem in report.problems if problem.code == "SCR-236"]
    assert said in ([(2, "warning"), (3, "warning")], [(3, "warning"), (4, "warning")])
    assert report.accepted == 5
