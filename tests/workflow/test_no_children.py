"""Zero children is never a result: what would be of nobody is refused at every door, and nothing is written.

1. Where no outcome has a child (all filtered out, or a wave without data), `check`, `analyse` and `report` refuse with ANA-017,
in the command and in Python, and write no file and no entry.  2. Where one outcome of several has none, the others are written,
and every command that prints them ends with 1.  3. GAP-profiles of one side alone are refused.  4. There is nothing to score.
"""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from asp_eval.analysis import outcomes
from asp_eval.core.errors import Refusal
from asp_eval.store import table
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow import stored_results
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.check import check_study
from asp_eval.workflow.gap import gap_profiles
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.report import report
from asp_eval.workflow.score import score_study
from tests.counted_trial import ALLOCATION, INSTITUTIONS, STUDY, WAVE1, WAVE2, declared, store
from tests.small_study import WITH_PROFILES

FILTERED = STUDY.replace("kept == 1", "kept == 7").replace("set: itt", "set: kept")
EARLIER = "outcomes:\n  - {id: first, column: screening.score, role: secondary, better: lower, at: w1}\n"
ONE_OF_TWO = STUDY.replace("outcomes:\n", EARLIER).replace(", baseline: w1", "")
OUTSIDE = ("c03", "c10", "child_id")  # children who are not in the cohort, and the header
UNSCORED = "".join(f"{line if line.startswith(OUTSIDE) else line.rsplit(',', 1)[0] + ','}\n" for line in WAVE2.splitlines())


@pytest.fixture(scope="module")
def rated_once(tmp_path_factory):
    """The folder of a study with everything but its last wave."""
    folder = tmp_path_factory.mktemp("rated")
    study = declared(folder, STUDY)
    store(study, folder, "institutions", INSTITUTIONS, "institutions")
    store(study, folder, "allocation", ALLOCATION, "allocation")
    store(study, folder, "w1", WAVE1, "screening", "w1")
    return folder


@pytest.fixture
def begun(rated_once, tmp_path):
    """Begin a study with its last wave, or without it, under a declaration."""

    def begin(text, wave2=WAVE2):
        study = declared(shutil.copytree(rated_once, tmp_path / "study"), text)
        if wave2:
            store(study, study.folder, "w2", wave2, "screening", "w2")
        return study

    return begin


def written(study):
    names = {path.relative_to(study.folder).as_posix() for path in study.folder.rglob("*") if path.is_file()}
    return names, len(table(study, "ledger"))


@pytest.mark.parametrize(
    ("text", "wave2", "counts"),
    [
        (FILTERED, WAVE2, "of 8 in the cohort the analysis set leaves out 8, 0 have no value at the wave w2"),
        (STUDY, None, "of 8 in the cohort the analysis set leaves out 0, 8 have no value at the wave w2"),
        (STUDY, UNSCORED, "the analysis set leaves out 0, 8 have no value at the wave w2"),
    ],
    ids=["filtered to nothing", "a wave without data", "a wave without values"],
)
def test_where_no_outcome_has_a_child_every_door_refuses_and_nothing_is_written(text, wave2, counts, begun, run):  # 1
    study = begun(text, wave2)
    before = written(study)
    done = run("analyse", cwd=study.folder)
    assert (done.code, "ANA-017" in done.err, "Traceback" in done.err) == (1, True, False)
    with pytest.raises(Refusal, match="ANA-017") as refused:
        analyse(study)
    assert counts in str(refused.value)
    assert written(study) == before
    if wave2:  # else the next step is to import it
        assert "ANA-017" in {problem.code for problem in check_study(study).problems}


def test_results_of_nobody_that_are_there_are_not_printed(begun, monkeypatch):  # 1
    study = begun(FILTERED)
    monkeypatch.setattr(outcomes, "refuse_childless", lambda flows: ())
    analyse(study)
    before = written(study)
    for refused in (report, stored_results.current_results):
        with pytest.raises(Refusal, match="ANA-017"):
            refused(study)
    assert written(study) == before


def test_where_one_outcome_of_several_has_none_the_others_are_written_and_it_is_told(begun, run):  # 2
    study = begun(ONE_OF_TWO, UNSCORED)
    done = run("analyse", cwd=study.folder)
    assert (done.code, "y: no child is left to analyse" in done.out) == (1, True)
    printed = run("report", cwd=study.folder)
    assert (printed.code, "ANA-017" in printed.err, "evaluation.html" in printed.out) == (1, True, True)
    checked = run("check", cwd=study.folder)
    assert (checked.code, "outcome y" in checked.err + checked.out) == (1, True)
    assert "outcome first" not in checked.err + checked.out


def test_profiles_of_one_side_alone_are_refused(drawn_once, tmp_path, run):  # 3
    folder = shutil.copytree(drawn_once, tmp_path / "study")
    (folder / "study.yaml").write_text(WITH_PROFILES)
    study = load_study(folder)
    items = instrument("gap-competences-staff").columns
    staff = pd.DataFrame({"respondent_id": ["1", "2"], "institution_id": ["A2", "H2"], **dict.fromkeys(items, "3")})
    staff.to_csv(tmp_path / "staff.csv", index=False)
    import_file(study, tmp_path / "staff.csv", "staff_survey", wave="w1")
    score_study(study)
    before = written(study)
    with pytest.raises(Refusal, match="CLI-004"):
        gap_profiles(study)
    assert run("gap", cwd=folder).code == 1
    assert written(study) == before


def test_where_nobody_answered_there_is_nothing_to_score(drawn, run):  # 4
    before = written(drawn)
    with pytest.raises(Refusal, match="SCO-010"):
        score_study(drawn)
    assert run("score", cwd=drawn.folder).code == 1
    assert written(drawn) == before
