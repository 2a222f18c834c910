"""Staff, interviews, the implementation log and goals: lists that are stored whole.

1. they are imported, stored and read back with their types; 2. an unknown institution is refused, and one that a list names
cannot leave the study; a wrong cell keeps its row out; 3. the key is the whole of it: a member of staff may stand at two
institutions; 4. a file that lacks rows of the one before is refused, also if all its institutions are there.
"""

from __future__ import annotations

import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.store import table
from asp_eval.trial.tables.schema import LISTS
from asp_eval.workflow.check import check_study
from asp_eval.workflow.import_file import import_file

STAFF = pd.DataFrame(
    {
        "staff_id": ["007", "007", "r2"],
        "institution_id": ["A1", "H1", "A2"],
        "role": ["pedagogue", "pedagogue", "manager"],
        "hours": ["17.5", "19.5", "37"],
        "start_date": ["2004-08-01", "2006-01-15", ""],
        "end_date": ["", "2007-12-31", ""],
    }
)
INTERVIEWS = pd.DataFrame(
    {
        "institution_id": ["A1", "A1", "A1", "H1"],
        "round": ["baseline", "baseline", "one_year", "baseline"],
        "coder_id": ["c1", "c2", "c1", "c1"],
        "date": ["2006-10-02"] * 2 + ["2007-10-01", ""],
        "informant_role": ["manager"] * 4,
        "type": ["I", "II", "I", "III"],
        "management_relation": ["I", "I", "I", ""],
        "aim": ["II", "II", "I", "III"],
        "external_pressure": ["I", "", "I", "III"],
    }
)
LOG = pd.DataFrame(
    {
        "event_id": ["e1", "e2", "e3"],
        "institution_id": ["A2", "A2", "H2"],
        "date": ["2006-11-01", "2007-02-01", "2007-01-01"],
        "kind": ["course", "meeting", "external_project"],
        "element": ["knowledge", "reflection", ""],
        "hours": ["6", "1.5", ""],
        "participants": ["9", "8", ""],
        "note": ["", "GAP-profile", "language screening"],
    }
)
GOALS = pd.DataFrame(
    {
        "institution_id": ["A1", "A1", "H1"],
        "goal": ["1", "2", "1"],
        "date": ["2006-11-20", "2006-11-20", ""],
        "aim": ["All are asked to join in", "", "Quiet before lunch"],
        "partial_aim": ["", "One of us sits with those who build", ""],
        "due": ["2007-03-01", "2006-12-15", ""],
        "how_it_went": ["reached", "", "given_up"],
    }
)
EXCERPTS = pd.DataFrame(
    {
        "institution_id": ["A1", "A1", "H2"],
        "round": "baseline",
        "number": ["1", "2", "1"],
        "coder_id": ["k1", "k2", "k1"],
        "code": ["turnover", "", "aim"],
        "level": ["much", "", "I"],
        "text": ["Three left", "It was quiet", "We wrote our own"],
        "start": ["0", "12", ""],
        "print": ["yes", "no", ""],
    }
)
FRAMES = {"staff": STAFF, "interviews": INTERVIEWS, "implementation": LOG, "goals": GOALS, "excerpts": EXCERPTS}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_stored_as_it_is_and_typed_before_anything_is(drawn, export, name):
    empty = table(drawn, name)
    report = import_file(drawn, export(FRAMES[name], f"{name}.csv"), name)
    assert (report.accepted, report.stored) == (len(FRAMES[name]), True)
    stored = table(drawn, name)
    assert empty.empty
    assert empty.dtypes.to_dict() == stored.dtypes.to_dict()
    texts = stored.astype("string").fillna("")
    for column in FRAMES[name]:
        if stored[column].dtype == "string":
            assert texts[column].tolist() == FRAMES[name][column].tolist(), column
    assert import_file(drawn, export(FRAMES[name], f"{name}.csv"), name).already


def test_values_have_their_types(drawn, export):
    import_file(drawn, export(STAFF, "staff.csv"), "staff")
    stored = table(drawn, "staff")
    assert stored["hours"].sum() == 74.0
    assert stored["end_date"].isna().sum() == 2
    assert stored["end_date"].max() == pd.Timestamp("2007-12-31")


@pytest.mark.parametrize("name", LISTS)
def test_an_unknown_institution_is_refused(drawn, export, name):
    wrong = FRAMES[name].assign(institution_id="A1l")
    with pytest.raises(DataProblems, match="SCR-050"):
        import_file(drawn, export(wrong, "wrong.csv"), name)
    assert table(drawn, name).empty


@pytest.mark.parametrize("name", LISTS)
def test_an_institution_that_a_list_names_cannot_leave_the_study(study, incoming, export, name):
    (incoming / "institutions.csv").write_text("institution_id,municipality\nA1,A\nA2,A\nH1,H\nH2,H\n")
    import_file(study, incoming / "institutions.csv", "institutions")
    import_file(study, export(FRAMES[name], f"{name}.csv"), name)
    (incoming / "fewer.csv").write_text("institution_id,municipality\nH9,H\n")
    with pytest.raises(DataProblems, match="STO-010"):
        import_file(study, incoming / "fewer.csv", "institutions", replace=True)


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("staff", "1 member of staff"),
        ("interviews", "1 interview"),
        ("implementation", "1 event"),
        ("goals", "1 goal"),
        ("excerpts", "1 excerpt"),
    ],
)
def test_a_file_that_lacks_a_row_of_the_one_before_is_refused(drawn, export, name, lost):
    """The row taken out leaves its institution in the file, so that only the whole key can tell."""
    frame = FRAMES[name]
    import_file(drawn, export(frame, "first.csv"), name)
    fewer = frame.drop(index=0)
    with pytest.raises(Refusal, match=rf"STO-013.*{lost} of"):
        import_file(drawn, export(fewer, "fewer.csv"), name)
    assert len(table(drawn, name)) == len(frame)
    assert import_file(drawn, export(fewer, "fewer.csv"), name, replace=True).vanished == lost
    assert len(table(drawn, name)) == len(frame) - 1


def test_the_same_key_twice_keeps_the_rows_out_and_half_of_it_does_not(drawn, export):
    report = import_file(drawn, export(STAFF.assign(institution_id="A1"), "staff.csv"), "staff")
    assert ({p.code for p in report.problems}, report.quarantined, report.accepted) == ({"SCR-046"}, 2, 1)
    assert import_file(drawn, export(STAFF, "right.csv"), "staff", replace=True).accepted == 3


WRONG = {
    "staff": (
        "staff_id",
        [("role", "boss", "SCR-043"), ("hours", "81", "SCR-044"), ("end_date", "2007-02-30", "SCR-047")],
    ),
    "interviews": (
        "coder_id",
        [("round", "later", "SCR-043"), ("type", "IV", "SCR-043"), ("aim", "1", "SCR-043")],
    ),
    "implementation": (
        "event_id",
        [
            ("kind", "party", "SCR-043"),
            ("participants", "2.5", "SCR-042"),
            ("hours", "-1", "SCR-044"),
            ("event_id", "", "SCR-045"),
        ],
    ),
    "goals": (
        "goal",
        [
            ("how_it_went", "fine", "SCR-043"),
            ("due", "2007-02-30", "SCR-047"),
            ("profile_wave", "w9", "SCR-043"),
            ("goal", "100", "SCR-043"),
        ],
    ),
    "excerpts": (
        "number",
        [("code", "weather", "SCR-043"), ("start", "-1", "SCR-044"), ("print", "perhaps", "SCR-043"), ("text", "", "SCR-045")],
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_wrong_cell_keeps_its_row_out(drawn, export, name):
    """Each wrong cell in a row of its own, after enough that are right."""
    key, cells = WRONG[name]
    ids = ("{n}", "8{n}") if name in ("goals", "excerpts") else ("r{n}", "w{n}")
    right = FRAMES[name].iloc[[1] * 8].assign(**{key: [ids[0].format(n=n) for n in range(10, 18)]})
    wrong = FRAMES[name].iloc[[1] * len(cells)].assign(**{key: [ids[1].format(n=n) for n in range(len(cells))]})
    if name == "goals":
        right["profile_wave"] = wrong["profile_wave"] = ""
    for n, (column, value, _) in enumerate(cells):
        wrong.iloc[n, wrong.columns.get_loc(column)] = value
    report = import_file(drawn, export(pd.concat([right, wrong]), "wrong.csv"), name)
    found = [(p.code, p.place.row, p.place.column) for p in report.problems if p.severity == "error"]
    assert sorted(found) == sorted((code, 10 + n, column) for n, (column, _, code) in enumerate(cells))
    assert (report.quarantined, len(table(drawn, name))) == (len(cells), 8)


def test_a_list_has_the_study_s_own_columns(drawn, export):
    path = drawn.folder / "study.yaml"
    path.write_text(path.read_text().replace("columns:\n", "columns:\n  implementation: {budget: number}\n"))
    from asp_eval.trial.study.protocol import load_study

    study = load_study(drawn.folder)
    import_file(study, export(LOG.assign(budget=["1000", "", "-0.5"]), "log.csv"), "implementation")
    assert table(study, "implementation")["budget"].sum() == 999.5


def test_check_lists_what_was_imported(drawn, export):
    assert not {row[0] for row in check_study(drawn).tables} & set(LISTS)
    import_file(drawn, export(STAFF, "staff.csv"), "staff")
    assert ("staff", "", "3", "3") in check_study(drawn).tables


def test_an_import_of_staff_leaves_the_staff_survey_and_scores_alone(rated, export):
    from asp_eval.store import Store, write_scores

    scores = pd.DataFrame(
        {"unit": ["child"], "unit_id": ["001"], "wave": ["w1"], "instrument": ["i"], "scale": ["s"], "score": [1.0]}
    )
    write_scores(rated, scores)
    with Store(rated.folder).writing() as connection:
        connection.execute("CREATE TABLE staff_survey (respondent_id VARCHAR, wave VARCHAR, institution_id VARCHAR, date DATE)")
        connection.execute("INSERT INTO staff_survey VALUES ('r1', NULL, 'A1', NULL)")
    import_file(rated, export(STAFF, "staff.csv"), "staff")
    assert len(table(rated, "scores")) == 1
    assert len(table(rated, "staff_survey")) == 1
