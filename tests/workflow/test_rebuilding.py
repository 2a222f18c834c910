"""The stored tables made again from ``data/`` and compared cell by cell.

1. A study that nobody touched is whole: after files, a file in the place of another, rows in quarantine, corrections, a lot
drawn, scores and a child who withdrew.  2. What was changed by hand is listed with its key, also where the seals were computed
anew.  3. Nothing is written in the study.  4. So it is where ids are pseudonyms, where the lot was drawn elsewhere, where it was
drawn in strata, pairs or with a reason again, and in the demo.  5. What is left of files that were rewritten without a child is
imported again, also if all of it waits or nothing is left, and compared; an import that is refused for anything else is said.
6. What could not be compared is said, and nothing else is left out.
"""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from small_study import by_hand, seal_again, three_visits

from asp_eval.intake.privacy.keys import create_key
from asp_eval.store import table
from asp_eval.store.audit import audit
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.check import check_ledger
from asp_eval.workflow.forget import forget
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.randomise import randomise
from asp_eval.workflow.rebuilding import LABELS, MOST_LISTED, REASONS, WHOSE, Comparison, rebuilt_differences
from asp_eval.workflow.score import score_study
from tests.counted_trial import ALLOCATION

QUARANTINE = "output/quarantine/screening-w1.csv"


@pytest.fixture(scope="module")
def lived_once(drawn_once, tmp_path_factory):
    """A study after a file, another in its place, rows at fault, a correction of one of them, a second wave and scores."""
    folder = shutil.copytree(drawn_once, tmp_path_factory.mktemp("lived") / "study")
    study, visits = load_study(folder), three_visits()
    waves = {
        "first": (visits.assign(hours="1"), "w1"),
        "wave1": (visits.assign(sex=["boy", "x", "x"]), "w1"),
        "later": (visits.assign(date="2007-09-14", hours="25").iloc[:1], "w2"),
    }
    for name, (frame, wave) in waves.items():
        frame.to_csv(folder.parent / f"{name}.csv", index=False)
        import_file(study, folder.parent / f"{name}.csv", "screening", wave=wave, replace=True)
    waiting = pd.read_csv(folder / QUARANTINE, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    waiting.loc[waiting["child_id"] == "002", "sex"] = "girl"
    waiting.to_csv(folder / QUARANTINE, index=False)
    import_file(study, folder / QUARANTINE, "screening", wave="w1")
    score_study(study)
    return folder


@pytest.fixture
def lived(lived_once, tmp_path):
    return load_study(shutil.copytree(lived_once, tmp_path / "study"))


def test_a_study_that_nobody_touched_is_what_its_files_give(lived, fingerprint):
    before = fingerprint(lived)
    found = check_ledger(lived, deep=True)
    assert (found.problems, found.rebuilt) == ((), True)
    assert fingerprint(lived) == before
    assert len(table(lived, "quarantine")) > 0  # a row still waits, and is compared as well


@pytest.mark.slow  # what is said of one who withdrew is below
@pytest.mark.parametrize("copies", [True, False])
def test_a_child_who_withdrew_is_no_difference(lived, copies):
    forget(lived, "002", copies=copies)
    assert rebuilt_differences(lived).problems == ()


def test_a_study_without_data_has_nothing_to_compare(study):
    assert rebuilt_differences(study) == Comparison()


@pytest.mark.parametrize("again", [pytest.param(False, marks=pytest.mark.slow), True], ids=["as it is", "sealed again"])
def test_what_was_changed_by_hand_is_listed_with_its_key(lived, again):
    changes = {
        "UPDATE screening SET hours = 99 WHERE child_id = '001' AND wave = 'w1'": ("STO-066", "screening"),
        "UPDATE screening_sdq_teacher_4_17 SET rater_id = 'r9' WHERE child_id = '001'": ("STO-066", "screening_sdq_teacher_4_17"),
        "UPDATE scores SET score = score + 1 WHERE unit_id = '001' AND scale = 'total'": ("STO-066", "scores"),
        "DELETE FROM children WHERE child_id = '001'": ("STO-068", "children"),
        "INSERT INTO institutions (institution_id, municipality) VALUES ('Z9', 'Aarhus')": ("STO-067", "institutions"),
        "UPDATE allocation SET arm = 'intervention' WHERE institution_id = 'A1'": ("STO-066", "allocation"),
        "UPDATE quarantine SET institution_id = 'A1'": ("STO-066", "quarantine"),
    }
    by_hand(lived, *changes)
    if again:
        seal_again(lived.folder)
        assert "STO-040" not in {problem.code for problem in audit(lived).problems}
    found = rebuilt_differences(lived).problems
    said = {(problem.code, str(problem.place.source).split(",")[0].removeprefix("table ")) for problem in found}
    assert said == set(changes.values())
    cell = next(problem for problem in found if problem.place.column == "hours")
    assert (cell.found, cell.expected) == ("'99'", "30.5")
    assert str(cell.place.source) == "table screening, child_id=001, wave=w1"


def test_a_file_that_is_gone_is_said(lived):
    (lived.folder / "data" / "institutions.csv").unlink()
    (found,) = rebuilt_differences(lived).problems
    assert (found.code, found.details["entry"]) == ("STO-065", 1)


def test_the_command_lists_some_of_many_differences_and_ends_with_1(run, lived):
    by_hand(
        lived,
        "UPDATE screening SET hours = 99 WHERE child_id = '001' AND wave = 'w1'",
        *(f"INSERT INTO institutions (institution_id) VALUES ('Z{n}')" for n in range(MOST_LISTED + 3)),
    )
    seal_again(lived.folder)
    done = run("check", "--ledger", "--deep", cwd=lived.folder)
    said = done.err + done.out
    assert (done.code, "STO-066" in said, "30.5" in said, done.out.count("Not compared: ")) == (1, True, True, 2)
    listed = "which are not listed: 3" in " ".join(said.split())
    assert ("STO-067" in said, said.count("STO-069"), listed) == (True, 1, True)


def imported(study, name, frame, kind, wave=None):
    frame.to_csv(study.folder.parent / f"{name}.csv", index=False)
    import_file(study, study.folder.parent / f"{name}.csv", kind, wave=wave, replace=True)


def corrected(study, child, **cells):
    """Correct the row of one child in quarantine, and import that row alone."""
    waiting = pd.read_csv(study.folder / QUARANTINE, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    waiting.loc[waiting["child_id"] == child].assign(**cells).to_csv(study.folder / QUARANTINE, index=False)
    import_file(study, study.folder / QUARANTINE, "screening", wave="w1")


def test_where_ids_are_pseudonyms_the_copies_give_the_same(drawn, monkeypatch, tmp_path):  # 4
    monkeypatch.setenv("ASP_EVAL_KEYS", str(tmp_path / "keys"))
    key, _ = create_key(drawn.folder)
    with (drawn.folder / "study.yaml").open("a") as file:
        file.write(f"privacy: {{pseudonymise: [child_id, rater_id], key: {key.id}}}\n")
    study = load_study(drawn.folder)
    imported(study, "wave1", three_visits().assign(sex=["boy", "x", "x"]), "screening", "w1")
    corrected(study, table(study, "quarantine")["key"].iloc[0], sex="girl")
    score_study(study)
    by_hand(study, "UPDATE screening_sdq_teacher_4_17 SET rater_id = 'r9'")
    found = rebuilt_differences(study)
    assert {(problem.code, problem.place.column) for problem in found.problems} == {("STO-066", "rater_id")}
    assert (found.is_whole, REASONS in found.not_compared) == (True, True)


def test_where_the_lot_was_drawn_elsewhere_its_file_gives_the_same(small_study, tmp_path):  # 4
    study = load_study(shutil.copytree(small_study.folder, tmp_path / "study"))
    assert ALLOCATION.splitlines()[1] in (study.folder / "data" / "allocation.csv").read_text()
    by_hand(study, "UPDATE allocation SET source = 'somebody', date = '2020-01-01' WHERE institution_id = '01'")
    found = rebuilt_differences(study).problems
    assert {(problem.place.column, "institution_id=01" in str(problem.place)) for problem in found} == {
        ("source", True),
        ("date", True),
    }


@pytest.mark.parametrize("scheme", [pytest.param("stratified", marks=pytest.mark.slow), "pairs"])
def test_a_lot_that_was_drawn_here_is_drawn_again_with_its_strata(scheme, study):  # 4
    file, further = study.folder / "study.yaml", ", covariates: {size: 1}" if scheme == "pairs" else ""
    declared = file.read_text().replace("columns:\n", "columns:\n  institutions: {size: integer}\n")
    file.write_text(f"{declared}randomisation: {{scheme: {scheme}{further}}}\n")
    plan, ids = load_study(study.folder), [f"A{n}" for n in range(8)]
    imported(
        plan,
        "institutions",
        pd.DataFrame({"institution_id": ids, "municipality": ["A", "B"] * 4, "size": range(8)}),
        "institutions",
    )
    randomise(plan, seed=7)
    randomise(plan, seed=11, replace=True, why="the list was not final")
    by_hand(plan, "UPDATE allocation SET stratum = 'elsewhere', digest = 'x' WHERE institution_id = 'A1'")
    assert {problem.place.column for problem in rebuilt_differences(plan).problems} == {"stratum", "digest"}
    file.write_text(f"{declared}randomisation: {{scheme: simple}}\n")
    other = rebuilt_differences(load_study(study.folder))  # the lot cannot be drawn again: that is said, and arms are compared
    assert (other.problems, "entries 2, 3" in str(other.not_compared)) == ((), True)


@pytest.mark.slow
def test_the_demo_is_what_its_files_give(demo, fingerprint):  # 4
    before = fingerprint(load_study(demo.folder))
    found = check_ledger(load_study(demo.folder), deep=True)
    assert (found.problems, found.rebuilt) == ((), True)
    assert fingerprint(load_study(demo.folder)) == before


@pytest.fixture(scope="module")
def withdrawn_once(drawn_once, tmp_path_factory):
    """A study whose file has a child in order, and two others that wait: one of them corrected, by a file of its own."""
    drawn = load_study(shutil.copytree(drawn_once, tmp_path_factory.mktemp("withdrawn") / "study"))
    imported(drawn, "wave1", three_visits().assign(sex=["boy", "x", "x"]), "screening", "w1")
    corrected(drawn, "002", sex="girl")
    imported(drawn, "wave2", three_visits().assign(date="2007-09-14"), "screening", "w2")
    return drawn.folder


@pytest.fixture
def withdrawn(withdrawn_once, tmp_path):
    return load_study(shutil.copytree(withdrawn_once, tmp_path / "study"))


@pytest.mark.parametrize("children", [pytest.param(("002", "001"), marks=pytest.mark.slow), ("001", "002", "003")])
def test_what_is_left_without_a_child_is_imported_again_and_compared(withdrawn, children):  # 5
    for child in children:
        forget(withdrawn, child, copies=True)
    found = rebuilt_differences(withdrawn)
    assert (found.problems, found.is_whole) == ((), True)
    assert {REASONS: "003" not in children, LABELS: True, WHOSE: False} == {
        part: part in found.not_compared for part in (REASONS, LABELS, WHOSE)
    }


def test_what_was_changed_by_hand_after_a_child_withdrew_is_listed(withdrawn):  # 5
    forget(withdrawn, "001", copies=True)
    by_hand(
        withdrawn,
        "UPDATE screening_sdq_teacher_4_17 SET rater_id = 'r9' WHERE child_id = '002' AND wave = 'w1'",
        "UPDATE quarantine SET cells = replace(cells, '20', '21')",
    )
    found = {str(problem.place.source).split(",")[0] for problem in rebuilt_differences(withdrawn).problems}
    assert found == {"table screening_sdq_teacher_4_17", "table quarantine"}


def test_a_copy_that_cannot_be_read_is_said_and_not_skipped(withdrawn):  # 5
    forgotten = forget(withdrawn, "001", copies=True)
    copy = withdrawn.folder / "data" / forgotten.copies[0]
    copy.write_text(copy.read_text().replace("child_id", "who"))
    found = rebuilt_differences(withdrawn)
    assert ([problem.code for problem in found.problems], found.is_whole) == (["STO-065"], False)


def test_what_could_not_be_compared_is_said_and_a_row_deleted_by_hand_is_no_child_who_withdrew(lived):  # 6
    forget(lived, "002")
    by_hand(lived, *(f"DELETE FROM {name} WHERE child_id = '001'" for name in ("screening", "children", "child_reports")))
    seal_again(lived.folder)
    found = check_ledger(lived, deep=True)
    assert any(problem.code == "STO-068" and "child_id=001" in str(problem.place) for problem in found.problems)
    assert found.not_compared[:2] == (REASONS, WHOSE)
    assert "entries 2" in str(found.not_compared[2])  # arms without a seed, which a test wrote
