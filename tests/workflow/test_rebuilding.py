"""The stored tables made again from ``data/`` and compared cell by cell.

1. A study that nobody touched is whole: after files, a file in the place of another, rows in quarantine, corrections, a lot
drawn, scores and a child who withdrew.  2. What was changed by hand is listed with its key, also where the seals were computed
anew.  3. Nothing is written in the study.
"""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from small_study import by_hand, seal_again, three_visits

from asp_eval.store import table
from asp_eval.store.audit import audit
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.check import check_ledger
from asp_eval.workflow.forget import forget
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.rebuilding import MOST_LISTED, rebuilt_differences
from asp_eval.workflow.score import score_study

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


@pytest.mark.parametrize("copies", [True, False])
def test_a_child_who_withdrew_is_no_difference(lived, copies):
    forget(lived, "002", copies=copies)
    assert rebuilt_differences(lived) == ()


def test_a_row_deleted_by_hand_is_not_taken_for_a_child_who_withdrew(lived):
    forget(lived, "002")
    by_hand(lived, *(f"DELETE FROM {name} WHERE child_id = '001'" for name in ("screening", "children", "child_reports")))
    found = rebuilt_differences(lived)
    assert any(problem.code == "STO-068" and "child_id=001" in str(problem.place) for problem in found)


def test_a_study_without_data_has_nothing_to_compare(study):
    assert rebuilt_differences(study) == ()


@pytest.mark.parametrize("again", [False, True], ids=["as it is", "sealed again"])
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
    found = rebuilt_differences(lived)
    said = {(problem.code, str(problem.place.source).split(",")[0].removeprefix("table ")) for problem in found}
    assert said == set(changes.values())
    cell = next(problem for problem in found if problem.place.column == "hours")
    assert (cell.found, cell.expected) == ("'99'", "30.5")
    assert str(cell.place.source) == "table screening, child_id=001, wave=w1"


def test_many_differences_are_counted(lived):
    by_hand(lived, *(f"INSERT INTO institutions (institution_id) VALUES ('Z{n}')" for n in range(MOST_LISTED + 3)))
    found = rebuilt_differences(lived)
    assert [problem.code for problem in found] == ["STO-067"] * MOST_LISTED + ["STO-069"]
    assert "3 more" in str(found[-1])


def test_a_file_that_is_gone_is_said(lived):
    (lived.folder / "data" / "institutions.csv").unlink()
    (found,) = rebuilt_differences(lived)
    assert (found.code, found.details["entry"]) == ("STO-065", 1)


def test_the_command_lists_and_ends_with_1(run, lived):
    by_hand(lived, "UPDATE screening SET hours = 99 WHERE child_id = '001' AND wave = 'w1'")
    seal_again(lived.folder)
    done = run("check", "--ledger", "--deep", cwd=lived.folder)
    assert (done.code, "STO-066" in done.err + done.out, "30.5" in done.err + done.out) == (1, True, True)
