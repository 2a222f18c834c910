"""Quarantine: rows at fault wait whole, with their reasons, until a corrected file brings them again; every row is counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from small_study import by_hand, three_visits

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.intake.files.reading import read_raw
from asp_eval.store import table
from asp_eval.store.audit import audit
from asp_eval.store.imports import PARTS
from asp_eval.store.table_writer import write_table
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import ImportReport, import_file

ITEM = "sdq-teacher-4-17.tantrum"
FILE = "output/quarantine/screening-w1.csv"


def faulty_rows() -> pd.DataFrame:
    visits = three_visits()
    more = visits.iloc[[0, 0]].assign(child_id=["004", "005"], institution_id=["B9", "A2"])
    rows = pd.concat([visits, more], ignore_index=True)
    rows.loc[1, [ITEM, "sex"]] = ["7", "x"]
    return rows


@pytest.fixture
def faulty() -> pd.DataFrame:
    """Five children; 002 has a wrong answer and a wrong sex, 004 an institution that is not known."""
    return faulty_rows()


@pytest.fixture(scope="module")
def begun_once(drawn_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study with the five children imported: made once, and copied for each test."""
    folder = shutil.copytree(drawn_once, tmp_path_factory.mktemp("begun") / "study")
    file = folder.parent / "wave1.csv"
    faulty_rows().to_csv(file, index=False, lineterminator="\n")
    import_file(load_study(folder), file, "screening", wave="w1")
    return folder


@pytest.fixture
def begun(begun_once: Path, tmp_path: Path) -> Study:
    """The study with the five children imported: three stored, two in quarantine."""
    return load_study(shutil.copytree(begun_once, tmp_path / "study"))


def edited(study: Study, change: Callable[[pd.DataFrame], pd.DataFrame], name: str = FILE) -> Path:
    """Change a file from quarantine as a person would, in its place."""
    path = study.folder / name
    frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    change(frame).to_csv(path, index=False, encoding="utf-8")
    return path


def fixed(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[frame["child_id"] == "002", [ITEM, "sex"]] = ["2", "girl"]
    frame.loc[frame["child_id"] == "004", "institution_id"] = "H2"
    return frame


def again(study: Study, path: Path | None = None, **options: object) -> ImportReport:
    return import_file(study, path or study.folder / FILE, "screening", wave="w1", **options)  # type: ignore[arg-type]


def waiting(study: Study) -> list[tuple[int, int, int, str | None, str | None]]:
    names = ["import_id", "row", "latest", "institution_id", "key"]
    return [tuple(row) for row in table(study, "quarantine")[names].sort_values("row").itertuples(index=False)]  # type: ignore[misc]


def counts(study: Study) -> list[list[int]]:
    ledger = table(study, "import_ledger")
    assert (ledger["rows_in"] == ledger[[*PARTS, "rows_superseded", "rows_forgotten"]].sum(axis=1)).all()
    shown = ["rows_in", "accepted", "quarantined", "rows_superseded"]
    return ledger.loc[ledger["table_name"] == "screening", shown].to_numpy().tolist()


def test_rows_at_fault_wait_and_the_others_are_stored(drawn, export, faulty):
    report = import_file(drawn, export(faulty), "screening", wave="w1")
    assert (report.rows_read, report.accepted, report.quarantined, report.waiting) == (5, 3, 2, 2)
    assert report.quarantine_file == FILE
    assert [(p.code, p.place.source, p.place.row) for p in report.problems if p.severity == "error"] == [
        ("SCR-043", "wave1.csv", 3),
        ("SCR-014", "wave1.csv", 3),
        ("SCR-050", "wave1.csv", 5),
    ]
    assert report.institutions == {3: "A2", 5: "B9"}
    assert str(report).endswith(
        ": 3 stored, 2 in quarantine. 2 rows are in quarantine: correct output/quarantine/screening-w1.csv, then give: "
        "asp-eval import output/quarantine/screening-w1.csv --table screening --wave w1"
    )
    assert table(drawn, "screening")["child_id"].tolist() == ["001", "003", "005"]
    assert table(drawn, "children")["child_id"].tolist() == ["001", "003", "005"]
    assert waiting(drawn) == [(3, 3, 3, "A2", "002"), (3, 5, 3, "B9", "004")]
    assert counts(drawn) == [[5, 3, 2, 0]]


def test_the_file_to_edit_has_the_export_s_own_cells_and_the_reasons(begun, faulty):
    raw = read_raw(begun.folder / FILE)
    frame = raw.frame()
    assert frame.columns.tolist() == ["quarantine_of", "quarantine_row", "quarantine_reasons", *faulty.columns]
    assert frame[faulty.columns.tolist()].to_numpy().tolist() == faulty.iloc[[1, 3]].to_numpy().tolist()
    assert frame["quarantine_row"].tolist() == ["3", "5"]
    assert frame["quarantine_of"].str.fullmatch(r"3 sha256:[0-9a-f]{12}").all()
    assert frame["quarantine_reasons"].iloc[0].startswith("SCR-043 sex: the value is not one of those allowed, found 'x'")
    assert " | SCR-014 sdq-teacher-4-17.tantrum: " in frame["quarantine_reasons"].iloc[0]


def test_corrected_rows_are_added_and_the_rest_stays(begun):
    path = edited(begun, lambda frame: fixed(frame).assign(institution_id=lambda f: f["institution_id"].replace("H2", "H7")))
    report = again(begun, path)
    assert (report.rows_read, report.accepted, report.quarantined, report.waiting, report.corrects) == (2, 1, 1, 1, "wave1.csv")
    assert report.superseded is None
    assert [(p.code, p.place.source, p.place.row) for p in report.problems] == [("SCR-050", "screening-w1.csv", 3)]
    assert table(begun, "screening")["child_id"].tolist() == ["001", "003", "005", "002"]
    items = table(begun, "screening_sdq-teacher-4-17").set_index("child_id")
    assert items.loc["002", ITEM] == 2.0
    assert waiting(begun) == [(3, 5, 4, "H7", "004")]
    assert counts(begun) == [[5, 3, 0, 2], [2, 1, 1, 0]]
    frame = read_raw(begun.folder / FILE).frame()
    assert frame["institution_id"].tolist() == ["H7"]
    assert "found 'H7'" in frame["quarantine_reasons"].iloc[0]
    last = again(begun, edited(begun, fixed))
    assert (last.accepted, last.waiting, last.quarantine_file) == (1, 0, None)
    assert not (begun.folder / FILE).exists()
    assert waiting(begun) == []
    assert counts(begun) == [[5, 3, 0, 2], [2, 1, 0, 1], [1, 1, 0, 0]]
    assert sorted(table(begun, "screening")["child_id"]) == ["001", "002", "003", "004", "005"]
    kept = {path.name for path in (begun.folder / "data").iterdir()}
    assert {"wave1.csv", "screening-w1.csv", "screening-w1-2.csv"} <= kept
    assert audit(begun).problems == ()


@pytest.mark.parametrize(
    ("column", "before", "after"),
    [("child_id", "002", "2"), ("child_id", "002", "2,0"), ("rater_id", "1e5", "100000"), ("date", "05-09-2006", "09/05/2006")],
)
def test_what_a_spreadsheet_changes_unasked_is_refused_and_put_back(drawn, export, faulty, column, before, after):
    """The wrong answer is corrected, and beside it the spreadsheet turned a cell that was right into another."""
    rows = faulty.assign(date=["14-09-2006", "15-09-2006", "16-09-2006", "17-09-2006", "18-09-2006"])
    rows.loc[1, column] = before
    import_file(drawn, export(rows), "screening", wave="w1")
    wrong = edited(drawn, lambda frame: fixed_at_last(frame).assign(**{column: [after, *frame[column][1:]]}))
    report = again(drawn, wrong)
    assert [(p.code, p.place.row, p.place.column) for p in report.problems if p.severity == "error"] == [("SCR-129", 2, column)]
    assert (report.accepted, report.waiting) == (1, 1)
    kept = pd.read_csv(drawn.folder / FILE, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert kept[column].tolist() == [before]  # and so importing the file that was written anew is right
    assert repr(before) in kept["quarantine_reasons"].iloc[0]
    assert (again(drawn).accepted, len(waiting(drawn))) == (1, 0)
    assert "002" in table(drawn, "screening")["child_id"].tolist()


def fixed_at_last(frame: pd.DataFrame) -> pd.DataFrame:
    """Correct both rows, whatever their ids are."""
    frame.loc[0, [ITEM, "sex"]] = ["2", "girl"]
    frame.loc[1, "institution_id"] = "H2"
    return frame


def test_a_date_that_was_at_fault_may_change_in_any_way(drawn, export, faulty):
    rows = faulty.assign(date=["14-09-2006", "31-09-2006", "16-09-2006", "17-09-2006", "18-09-2006"])
    import_file(drawn, export(rows), "screening", wave="w1")
    edited(drawn, lambda frame: fixed(frame).assign(date=["30-09-2006", "2006-09-17"]))
    assert (again(drawn).accepted, len(waiting(drawn))) == (2, 0)


def test_rows_taken_out_of_the_file_stay_in_quarantine(begun):
    report = again(begun, edited(begun, lambda frame: fixed(frame).iloc[[1]]))
    assert (report.rows_read, report.accepted, report.waiting) == (1, 1, 1)
    assert waiting(begun) == [(3, 3, 3, "A2", "002")]
    assert counts(begun) == [[5, 3, 1, 1], [1, 1, 0, 0]]


def test_a_correction_that_cures_nothing_changes_nothing(begun, fingerprint):
    edited(begun, lambda frame: frame.assign(institution_id="B7"))
    before = fingerprint(begun)
    with pytest.raises(DataProblems, match="SCR-050"):
        again(begun)
    assert fingerprint(begun) == before


def test_the_same_correction_again_changes_nothing_and_says_so(begun, incoming, fingerprint):
    copy = incoming / "copy.csv"
    copy.write_bytes(edited(begun, fixed).read_bytes())
    again(begun, copy)
    before = fingerprint(begun)
    report = again(begun, copy)
    assert (report.already, report.stored) == (True, False)
    assert fingerprint(begun) == before


def test_a_row_that_does_not_wait_refuses_the_correction(begun, incoming, fingerprint):
    path = edited(begun, fixed)
    stale = incoming / "stale.csv"
    stale.write_bytes(path.read_bytes())
    again(begun, edited(begun, lambda frame: frame.iloc[[0]]))
    before = fingerprint(begun)
    with pytest.raises(DataProblems, match=r"STO-032.*stale.csv row 3.*") as caught:
        again(begun, stale)
    assert len(caught.value.problems) == 1
    assert fingerprint(begun) == before


def test_rows_that_came_with_another_file_are_refused(begun, export, faulty, incoming):
    path = edited(begun, fixed)
    with pytest.raises(Refusal, match=r"STO-031.*screening at w2"):
        import_file(begun, path, "screening", wave="w2")
    with pytest.raises(Refusal, match="STO-031"):
        import_file(begun, path, "children")
    old = incoming / "old.csv"
    old.write_bytes(path.read_bytes())
    import_file(begun, export(faulty.assign(hours="9"), "new.csv"), "screening", wave="w1")
    with pytest.raises(Refusal, match="STO-031"):
        again(begun, old)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda frame: frame.assign(quarantine_row="3"), "SCR-128"),
        (lambda frame: frame.assign(quarantine_row=["3", "five"]), "SCR-126"),
        (lambda frame: frame.assign(quarantine_of=["", frame["quarantine_of"][0]]), "SCR-126"),
        (lambda frame: frame.assign(quarantine_of=[frame["quarantine_of"][0], "1 sha256:000000000000"]), "SCR-127"),
    ],
)
def test_a_file_whose_own_columns_were_changed_is_refused(begun, change, code, fingerprint):
    path = edited(begun, lambda frame: change(fixed(frame)))
    before = fingerprint(begun)
    with pytest.raises(DataProblems, match=code):
        again(begun, path)
    assert fingerprint(begun) == before


def test_a_correction_whose_child_is_stored_meanwhile_stays_in_quarantine(begun):
    report = again(begun, edited(begun, lambda frame: fixed(frame).assign(child_id=["001", "004"])))
    assert [(p.code, p.place.row) for p in report.problems] == [("SCR-120", 2)]
    assert (report.accepted, report.waiting) == (1, 1)
    assert table(begun, "screening")["child_id"].tolist() == ["001", "003", "005", "004"]
    assert waiting(begun) == [(3, 3, 4, "A2", "001")]


def test_rows_that_contradict_each_other_both_wait_until_one_is_chosen(drawn, export, visits):
    import_file(drawn, export(pd.concat([visits, visits.iloc[[0]].assign(hours="9")])), "screening", wave="w1")
    assert [(row, key) for _, row, _, _, key in waiting(drawn)] == [(2, "001"), (5, "001")]
    report = again(drawn, edited(drawn, lambda frame: frame.iloc[[1]]))
    assert (report.accepted, report.waiting) == (1, 1)
    assert table(drawn, "screening").set_index("child_id").loc["001", "hours"] == 9.0
    with pytest.raises(DataProblems, match="SCR-120"):
        again(drawn)


def test_a_whole_corrected_file_empties_the_quarantine_and_supersedes_all(begun, export, faulty):
    again(begun, edited(begun, lambda frame: fixed(frame).iloc[[1]]))
    with pytest.raises(Refusal, match=r"STO-013.*1 child") as caught:
        import_file(begun, export(faulty.assign(hours="8"), "whole.csv"), "screening", wave="w1")
    assert {p.code for p in caught.value.problems} == {"STO-013", "SCR-014", "SCR-043", "SCR-050"}
    whole = faulty.assign(institution_id=["A1", "A2", "H1", "H2", "A2"], sex="boy", **{ITEM: "1"})
    report = import_file(begun, export(whole, "whole.csv"), "screening", wave="w1")
    assert (report.superseded, report.accepted, report.waiting) == ("wave1.csv", 5, 0)
    assert counts(begun) == [[5, 0, 0, 5], [1, 0, 0, 1], [5, 5, 0, 0]]
    assert table(begun, "import_ledger")["superseded"].tolist() == [False, True, True, False]
    assert not (begun.folder / FILE).exists()
    assert audit(begun).problems == ()


def test_a_dry_run_shows_the_quarantine_and_writes_nothing(drawn, export, faulty, fingerprint):
    before = fingerprint(drawn)
    report = import_file(drawn, export(faulty), "screening", wave="w1", dry_run=True)
    assert (report.accepted, report.quarantined, report.stored) == (3, 2, False)
    assert len([p for p in report.problems if p.severity == "error"]) == 3
    assert fingerprint(drawn) == before


def test_a_dry_run_of_a_correction(begun, fingerprint):
    edited(begun, fixed)
    before = fingerprint(begun)
    report = again(begun, dry_run=True)
    assert (report.accepted, report.quarantined, report.corrects) == (2, 0, "wave1.csv")
    assert fingerprint(begun) == before


def test_the_mapping_of_the_export_reads_its_corrections(drawn, export, faulty, incoming):
    danish = faulty.rename(columns={"sex": "køn", "date": "dato", "hours": "timer"}).drop(columns="child_id")
    danish = danish.assign(køn=["dreng", "x", "dreng", "dreng", "pige"], dato="04-09-2006", timer="-0,5", skip="=1+1")
    danish.loc[2, "dato"] = "24-09-2006"
    (incoming / "m.yaml").write_text(
        "version: 1\nrename: {køn: sex, dato: date, timer: hours}\nrecode: {sex: {dreng: boy, pige: girl}}\n"
        "row_number_as: child_id\nignore: [skip]\nkeep_rows: skip != 0\n"
    )
    first = import_file(drawn, export(danish, sep=";", encoding="cp1252"), "screening", wave="w1", mapping=incoming / "m.yaml")
    assert (first.accepted, first.quarantined) == (3, 2)
    frame = pd.read_csv(drawn.folder / FILE, sep=";", dtype=str, keep_default_na=False, encoding="utf-8-sig")
    assert (frame["timer"].tolist(), frame["skip"].tolist()) == (["-0,5"] * 2, ["'=1+1"] * 2)
    frame.loc[0, ["køn", ITEM]] = ["pige", "0"]
    frame.to_csv(drawn.folder / FILE, sep=";", index=False, encoding="cp1252")
    report = again(drawn)
    assert (report.accepted, report.waiting) == (1, 1)
    stored = table(drawn, "screening").set_index("child_id")
    assert stored.index.tolist() == ["2", "4", "6", "3"]
    assert stored.loc["3", "hours"] == -0.5
    assert str(stored.loc["3", "date"]) == "2006-09-04 00:00:00"
    assert read_raw(drawn.folder / FILE).frame()["skip"].tolist() == ["'=1+1"]


def test_a_correction_is_read_in_whatever_encoding_it_was_saved(begun):
    frame = pd.read_csv(begun.folder / FILE, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    fixed(frame).to_csv(begun.folder / FILE, sep="\t", index=False, encoding="utf-16")
    assert again(begun).waiting == 0


def test_a_missing_file_is_written_again_and_an_edited_one_is_left_alone(begun, export, visits):
    path = edited(begun, fixed)
    mine = path.read_bytes()
    import_file(begun, export(visits.assign(date="2007-09-01"), "wave2.csv"), "screening", wave="w2")
    assert path.read_bytes() == mine
    path.unlink()
    assert import_file(begun, begun.folder / "data" / "wave2.csv", "screening", wave="w2").already
    assert read_raw(path).frame()["child_id"].tolist() == ["002", "004"]


def test_every_table_but_the_short_lists_has_a_quarantine(drawn, incoming):
    from asp_eval.trial.instruments.library import instrument

    items = ",".join(instrument("gap-competences-staff").columns)
    answers = ",".join(["3"] * len(items.split(",")))
    files = {
        "children": (None, "child_id,institution_id,sex\n1,A1,boy\n2,A1,x\n"),
        "staff_survey": ("w1", f"respondent_id,institution_id,{items}\n1,A1,{answers}\n2,Z9,{answers}\n"),
        "staff": (None, "staff_id,institution_id\n1,A1\n2,Z9\n"),
    }
    for name, (wave, content) in files.items():
        (incoming / f"{name}.csv").write_text(content)
        report = import_file(drawn, incoming / f"{name}.csv", name, wave=wave)
        assert (report.accepted, report.quarantined) == (1, 1), name
        path = edited(
            drawn,
            lambda frame: frame.assign(institution_id="A1", **({"sex": "girl"} if "sex" in frame else {})),
            report.quarantine_file,
        )
        again_ = import_file(drawn, path, name, wave=wave)
        assert (again_.accepted, again_.waiting) == (1, 0), name
        assert len(table(drawn, name)) == 2
    assert audit(drawn).problems == ()


def test_a_list_of_institutions_with_one_bad_row_is_refused_whole(study, incoming):
    (incoming / "i.csv").write_text("institution_id,municipality\nA1,Aarhus\nA2,\n")
    with pytest.raises(DataProblems, match="SCR-045"):
        import_file(study, incoming / "i.csv", "institutions")
    assert table(study, "institutions").empty


BROKEN = {
    "a row too many": "INSERT INTO screening SELECT * FROM screening LIMIT 1",
    "a row too few": "DELETE FROM child_reports WHERE child_id = '001'",
    "a row gone from quarantine": "DELETE FROM quarantine WHERE row = 3",
    "a row of another import": "UPDATE quarantine SET latest = 1 WHERE row = 3",
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_import_that_would_not_add_up_is_taken_back(begun, name, fingerprint, monkeypatch):
    def astray(connection, *given, **named):
        connection.execute(BROKEN[name])
        return write_table(connection, *given, **named)

    edited(begun, lambda frame: fixed(frame).iloc[[1]])
    before = fingerprint(begun)
    with monkeypatch.context() as patched:
        patched.setattr("asp_eval.workflow.import_file.write_table", astray)
        with pytest.raises(Refusal, match="STO-030"):
            again(begun)
    assert fingerprint(begun) == before
    assert audit(begun).problems == ()


@pytest.mark.parametrize("name", BROKEN)
def test_what_was_broken_by_hand_is_refused_and_not_built_upon(begun, name, fingerprint):
    by_hand(begun, BROKEN[name])
    edited(begun, lambda frame: fixed(frame).iloc[[1]])
    before = fingerprint(begun)
    with pytest.raises(Refusal, match="STO-040"):
        again(begun)
    assert fingerprint(begun) == before
    assert {p.code for p in audit(begun).problems} == {"STO-030", "STO-040"}


@pytest.mark.parametrize("part", [*PARTS, "rows_read"])
def test_counts_that_do_not_add_up_are_never_entered(drawn, export, faulty, monkeypatch, part, fingerprint):
    from asp_eval.intake.table import Table

    plain = vars(Table)[part]

    class Off:
        def __get__(self, table: Table, owner: type) -> int:
            return int(plain.__get__(table, owner)) + 1

        def __set__(self, table: Table, value: int) -> None:
            plain.__set__(table, value)

    before = fingerprint(drawn)
    monkeypatch.setattr(Table, part, Off())
    with pytest.raises(Refusal, match="STO-030"):
        import_file(drawn, export(faulty), "screening", wave="w1")
    assert fingerprint(drawn) == before


def test_the_report_as_plain_values_lists_every_problem_with_its_institution(begun, export, faulty):
    report = import_file(begun, export(faulty), "screening", wave="w1")
    assert report.already
    assert "2 rows are in quarantine" in str(report)
    plain = import_file(begun, export(faulty.assign(hours="2"), "x.csv"), "screening", wave="w1").as_dict()
    json.dumps(plain)
    assert [(p["code"], p["row"], p["institution"]) for p in plain["problems"] if p["severity"] == "error"] == [
        ("SCR-043", 3, "A2"),
        ("SCR-014", 3, "A2"),
        ("SCR-050", 5, "B9"),
    ]
