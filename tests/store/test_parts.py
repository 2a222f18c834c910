"""A table, or a wave of it, that arrives in several files: by municipality, or by questionnaire.

1. Parts stand beside each other; each is replaced, corrected and counted by itself.
2. A unit in two parts is refused where that cannot be; the questionnaires of one wave are joined by child.
3. The whole and parts do not stand beside each other.
4. What is made again from data/, and what is forgotten, goes by parts.
"""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from small_study import three_visits

from asp_eval.core.errors import AspError, DataProblems
from asp_eval.intake.pipeline import read_table
from asp_eval.store import Store, table, table_columns
from asp_eval.store.audit import audit
from asp_eval.store.listed_children import listed_children
from asp_eval.trial.study.protocol import load_study
from asp_eval.trial.tables.schema import table_schema
from asp_eval.workflow.check import check_study
from asp_eval.workflow.forget import forget
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.open_study import open_study
from asp_eval.workflow.rebuilding import rebuilt_differences

ITEM = "sdq-teacher-4-17.tantrum"
TWO_QUESTIONNAIRES = (
    "[{family: sdq-teacher}]}\n  staff_survey",
    "[{family: sdq-teacher}, gap-competences-child]}\n  staff_survey",
)


@pytest.fixture(scope="module")
def two_parts_once(drawn_once, tmp_path_factory):
    """The children of Aarhus and of Hvidovre at w1, each in a file of its own: imported once, and copied for each test."""
    folder = shutil.copytree(drawn_once, tmp_path_factory.mktemp("parts") / "study")
    for name, rows in (("aarhus", three_visits().iloc[:2]), ("hvidovre", three_visits().iloc[2:])):
        file = folder.parent / f"{name}.csv"
        rows.to_csv(file, index=False, lineterminator="\n")
        import_file(load_study(folder), file, "screening", wave="w1", part=name)
    return folder


@pytest.fixture
def two_parts(two_parts_once, tmp_path):
    return load_study(shutil.copytree(two_parts_once, tmp_path / "study"))


def codes(study, *arguments, **named) -> list[str]:
    """Import what is refused, or waits in part, and return the codes of its errors."""
    try:
        report = import_file(study, *arguments, **named)
    except AspError as error:
        return [problem.code for problem in error.problems if problem.severity == "error"]
    return [problem.code for problem in report.problems if problem.severity == "error"]


def test_parts_stand_beside_each_other_and_are_counted(drawn, export, visits):
    first = import_file(drawn, export(visits.iloc[:2], "a.csv"), "screening", wave="w1", part="aarhus")
    assert (first.part, dict(first.parts)) == ("aarhus", {"aarhus": 2})
    second = import_file(drawn, export(visits.iloc[2:], "h.csv"), "screening", wave="w1", part="hvidovre")
    assert str(second).endswith("Parts that are in: aarhus (2 rows) and hvidovre (1 row).")
    assert "screening at w1, part hvidovre" in str(second)
    assert table(drawn, "screening")["child_id"].tolist() == ["001", "002", "003"]
    assert "import_part" not in table(drawn, "screening")
    assert table(drawn, "children")["child_id"].tolist() == ["001", "002", "003"]
    assert len(table(drawn, "screening_sdq-teacher-4-17")) == 3
    assert table(drawn, "import_ledger")["part"].fillna("").tolist()[-2:] == ["aarhus", "hvidovre"]
    assert audit(drawn).problems == ()


def test_one_part_is_replaced_and_the_other_stays(two_parts, export, visits):
    report = import_file(
        two_parts, export(visits.iloc[:2].assign(**{ITEM: "2"}), "new.csv"), "screening", wave="w1", part="aarhus"
    )
    assert (report.superseded, report.vanished) == ("aarhus.csv", None)
    stored = table(two_parts, "screening_sdq-teacher-4-17").sort_values("child_id")
    assert stored[ITEM].tolist() == [2.0, 2.0, 1.0]
    less = export(visits.iloc[:1], "less.csv")
    assert codes(two_parts, less, "screening", wave="w1", part="aarhus") == ["STO-013"]
    assert import_file(two_parts, less, "screening", wave="w1", part="aarhus", replace=True).vanished == "1 child"
    assert sorted(table(two_parts, "screening")["child_id"]) == ["001", "003"]
    assert import_file(two_parts, less, "screening", wave="w1", part="aarhus").already


def test_rows_of_a_part_wait_and_are_corrected_by_part(drawn, export, visits):
    import_file(drawn, export(visits.iloc[2:], "h.csv"), "screening", wave="w1", part="hvidovre")
    report = import_file(
        drawn, export(visits.iloc[:2].assign(institution_id=["A1", "Z9"]), "a.csv"), "screening", wave="w1", part="a"
    )
    file = drawn.folder / "output/quarantine/screening-w1-part-a.csv"
    assert (report.waiting, report.quarantine_file) == (1, file.relative_to(drawn.folder).as_posix())
    assert report.again.endswith("--table screening --wave w1 --part a")
    assert "screening-w1-part-a" in report.pages[0]
    assert any("--wave w1 --part a" in str(problem) for problem in check_study(drawn).problems if problem.code == "STO-034")
    file.write_text(file.read_text("utf-8-sig").replace("Z9", "A2"))
    assert codes(drawn, file, "screening", wave="w1") == ["STO-031"]
    assert codes(drawn, file, "screening", wave="w1", part="hvidovre") == ["STO-031"]
    assert import_file(drawn, file, "screening", wave="w1", part="a").accepted == 1
    assert not file.exists()
    assert len(table(drawn, "screening")) == 3
    assert audit(drawn).problems == ()


def test_a_child_in_two_parts_is_refused(two_parts, export, visits):
    twice = pd.concat([visits.iloc[2:], visits.iloc[[1]]])
    report = import_file(two_parts, export(twice, "h2.csv"), "screening", wave="w1", part="hvidovre")
    (problem,) = [problem for problem in report.problems if problem.severity == "error"]
    assert (problem.code, problem.found) == ("SCR-233", "'002'")
    assert "the part aarhus has answers of this child_id to sdq-teacher" in str(problem)
    assert report.quarantined == 1
    elsewhere = twice.assign(institution_id=["H1", "H1"])
    elsewhere[[name for name in elsewhere if name.startswith("sdq")]] = elsewhere[
        [name for name in elsewhere if name.startswith("sdq")]
    ].mask(elsewhere["child_id"] == "002", "")
    report = import_file(two_parts, export(elsewhere, "h3.csv"), "screening", wave="w1", part="hvidovre")
    assert [p.code for p in report.problems if p.severity == "error"] == ["SCR-234"]


def test_an_id_that_another_part_spells_otherwise_is_refused(two_parts, export, visits):
    more = pd.concat([visits.iloc[2:], visits.iloc[[1]].assign(child_id="02")])
    report = import_file(two_parts, export(more, "h2.csv"), "screening", wave="w1", part="hvidovre")
    assert "SCR-065" in [problem.code for problem in report.problems if problem.severity == "error"]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_part_and_the_whole_do_not_stand_together(rated, export, visits, dry_run):
    part = export(visits.iloc[2:], "h.csv")
    assert codes(rated, part, "screening", wave="w1", part="hvidovre", dry_run=dry_run) == ["STO-070"]


def test_from_the_whole_to_parts_and_back(rated, export, visits):
    part = import_file(rated, export(visits.iloc[2:], "h.csv"), "screening", wave="w1", part="hvidovre", replace=True)
    assert (part.superseded, part.vanished) == ("wave1.csv", "2 children")
    import_file(rated, export(visits.iloc[:2], "a.csv"), "screening", wave="w1", part="aarhus")
    assert sorted(table(rated, "screening")["child_id"]) == ["001", "002", "003"]
    whole = export(visits.assign(**{ITEM: "2"}), "whole.csv")
    assert codes(rated, whole, "screening", wave="w1") == ["STO-071"]
    report = import_file(rated, whole, "screening", wave="w1", replace=True)
    assert report.superseded == "h.csv and a.csv"
    assert table(rated, "screening_sdq-teacher-4-17")[ITEM].tolist() == [2.0] * 3
    assert audit(rated).problems == ()
    assert rebuilt_differences(rated).problems == ()


def test_names_of_parts(two_parts, export, visits):
    other = export(visits.iloc[:2].assign(**{ITEM: "2"}), "new.csv")
    assert codes(two_parts, other, "screening", wave="w1", part="AARHUS") == ["STO-072"]
    assert codes(two_parts, other, "screening", wave="w1", part="../a") == ["SCR-231"]
    assert codes(two_parts, other, "screening", wave="w1", part="") == ["SCR-231"]
    same = two_parts.folder / "data" / "aarhus.csv"
    assert codes(two_parts, same, "screening", wave="w1", part="odense") == ["STO-073"]
    assert codes(two_parts, other, "allocation", part="aarhus") == ["SCR-230"]


def test_lists_in_parts(study, incoming):
    files = {"a": "institution_id,municipality\nA1,Aarhus\n", "h": "institution_id,municipality\nH1,Hvidovre\nH2,Hvidovre\n"}
    for name, content in files.items():
        (incoming / f"{name}.csv").write_text(content)
        import_file(study, incoming / f"{name}.csv", "institutions", part=name)
    assert table(study, "institutions")["institution_id"].tolist() == ["A1", "H1", "H2"]
    (incoming / "h2.csv").write_text(files["h"] + "A1,Hvidovre\n")
    with pytest.raises(DataProblems, match=r"SCR-232.*the part a"):
        import_file(study, incoming / "h2.csv", "institutions", part="h")
    (incoming / "h2.csv").write_text("institution_id,municipality\nH1,Hvidovre\nH2,Hvidovre\nH3,Hvidovre\n")
    report = import_file(study, incoming / "h2.csv", "institutions", part="h")
    assert dict(report.parts) == {"a": 1, "h": 3}
    assert rebuilt_differences(study).problems == ()


def test_a_register_of_children_in_parts(drawn, export):
    for part, child, place in (("aarhus", "001", "A1"), ("hvidovre", "002", "H1")):
        import_file(
            drawn, export(pd.DataFrame({"child_id": [child], "institution_id": [place]}), f"{part}.csv"), "children", part=part
        )
    assert table(drawn, "children")["child_id"].tolist() == ["001", "002"]
    assert audit(drawn).problems == ()


@pytest.fixture
def two_questionnaires(drawn):
    """The drawn study, which asks for two questionnaires at each wave."""
    path = drawn.folder / "study.yaml"
    assert TWO_QUESTIONNAIRES[0] in path.read_text()
    path.write_text(path.read_text().replace(*TWO_QUESTIONNAIRES))
    return load_study(drawn.folder)


def competences(visits: pd.DataFrame, **columns: object) -> pd.DataFrame:
    from asp_eval.trial.instruments.library import instrument

    base = visits[["child_id", "institution_id", "rater_id", "date"]]
    items = pd.DataFrame("1", index=base.index, columns=list(instrument("gap-competences-child").columns))
    return pd.concat([base.assign(**columns), items], axis=1)


def test_two_questionnaires_of_one_wave_are_joined_by_child(two_questionnaires, export, visits):
    study = two_questionnaires
    sdq, gap = export(visits, "sdq.csv"), export(competences(visits).iloc[1:].assign(rater_id=["r2", "r9"]), "gap.csv")
    assert codes(study, sdq, "screening", wave="w1") == ["SCR-062"]
    import_file(study, sdq, "screening", wave="w1", part="sdq")
    report = import_file(study, gap, "screening", wave="w1", part="gap")
    assert [problem.code for problem in report.problems] == ["SCR-235"]  # another rater: said, and kept
    joined = table(study, "screening").sort_values("child_id")
    assert joined["child_id"].tolist() == ["001", "002", "003"]
    assert joined["rater_id"].tolist() == ["r1", "r2", "r9"]
    assert len(table(study, "screening_sdq-teacher-4-17")) == 3
    assert table(study, "screening_gap-competences-child")["rater_id"].tolist() == ["r2", "r9"]
    assert len(listed_children(study)) == 3
    for name in ("screening", "screening_sdq-teacher-4-17"):
        by_wave = table(study, name, categories=["wave"])
        assert by_wave["wave"].dtype == "category"
        pd.testing.assert_frame_equal(by_wave.astype({"wave": "string"}), table(study, name))
        assert table_columns(study, name) == tuple(table(study, name).columns)
    again = export(competences(visits).assign(**{"gap-competences-child.emotions_1": "2"}), "gap2.csv")
    import_file(study, again, "screening", wave="w1", part="gap")
    assert table(study, "screening_gap-competences-child")["gap-competences-child.emotions_1"].tolist() == [2.0] * 3
    assert len(table(study, "screening")) == 3
    assert audit(study).problems == ()
    assert rebuilt_differences(study).problems == ()


def test_conflicts_between_the_files_of_a_wave_are_listed_and_nothing_is_lost(two_questionnaires, export, visits):
    study = two_questionnaires
    import_file(study, export(visits, "sdq.csv"), "screening", wave="w1", part="sdq")
    report = import_file(
        study,
        export(competences(visits).assign(institution_id=["A1", "H1", "H1"]), "gap.csv"),
        "screening",
        wave="w1",
        part="gap",
    )
    (problem,) = [problem for problem in report.problems if problem.severity == "error"]
    assert (problem.code, problem.found, problem.expected) == ("SCR-234", "'H1'", "A2")
    assert (report.accepted, report.quarantined) == (2, 1)
    assert len(table(study, "screening_sdq-teacher-4-17")) == 3


def test_a_child_is_forgotten_in_every_part(two_questionnaires, export, visits):
    study = two_questionnaires
    import_file(study, export(visits, "sdq.csv"), "screening", wave="w1", part="sdq")
    import_file(study, export(competences(visits), "gap.csv"), "screening", wave="w1", part="gap")
    forget(study, "002")
    assert sorted(table(study, "screening")["child_id"]) == ["001", "003"]
    assert audit(study).problems == ()
    assert table(study, "import_ledger")["rows_forgotten"].tolist()[-2:] == [1, 1]
    assert rebuilt_differences(study).problems == ()


def test_a_part_is_checked_in_python_without_storing(two_questionnaires, export, visits):
    schema = table_schema("screening", two_questionnaires, "w1", "sdq")
    assert len(read_table(export(visits), schema, study=two_questionnaires).checked) == 3
    report = open_study(two_questionnaires.folder).import_(export(visits), "screening", "w1", part="sdq", dry_run=True)
    assert (report.stored, report.accepted, report.part) == (False, 3, "sdq")
    with Store(two_questionnaires.folder).reading() as connection:
        assert connection is not None
        assert connection.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'screening'").fetchall() == [(0,)]


def test_a_draft_for_a_part_wants_the_questionnaire_of_the_file_alone(two_questionnaires, export, visits):
    file = export(visits.rename(columns={"child_id": "barn"}), "sdq.csv")
    whole = open_study(two_questionnaires.folder).propose(file, "screening", "w1", write=False)
    part = open_study(two_questionnaires.folder).propose(file, "screening", "w1", part="sdq", write=False)
    assert part.part == "sdq"
    assert any("gap-competences-child" in line for line in whole.account)
    assert not any("gap-competences-child" in line for line in part.account)


def test_a_questionnaire_that_no_part_brings_is_told(two_questionnaires, export, visits):
    import_file(two_questionnaires, export(visits, "sdq.csv"), "screening", wave="w1", part="sdq")
    found = check_study(two_questionnaires)
    (told,) = [problem for problem in found.problems if problem.code == "STO-074"]
    assert "gap-competences-child" in str(told)
    assert ("screening, part sdq", "w1", "3", "3") in found.tables
