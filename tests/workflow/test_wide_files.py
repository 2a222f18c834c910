"""One wide file with the columns of several waves is imported for each of them, and gives what a file for each would.

1. ``unfold`` takes the columns of the wave and leaves those of the others out, whatever else the mapping does with them;
2. rows at fault, their correction and forgetting a child work as for other files;
3. what identifies persons at another wave is not kept;
4. patterns that are missing, meet nothing or make a column twice are refused;
5. a wave alone tells the table.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.intake.mapping.unfolding import unfolded
from asp_eval.trial.instruments.library import instrument, shipped
from asp_eval.workflow.open_study import StudyFolder, open_study
from tests.workflow.test_complete_drafts import N, children

STUDY = """\
version: 1
study: {id: wide, title: {en: Wide}, synthetic: true}
arms: [reference, intervention]
randomisation: {scheme: simple}
waves: [{id: w1, label: {en: start}}, {id: w2, label: {en: end}}]
columns: {screening: {hours: number}}
collect:
  screening: {waves: [w1, w2], instruments: [sdq-teacher-4-17]}
  staff_survey: {waves: [w1], instruments: [gap-competences-staff]}
outcomes: [{id: y, score: sdq-teacher.total, role: primary, better: lower, at: w2, baseline: w1}]
"""
SDQ = instrument("sdq-teacher-4-17")
MAPPING = """\
version: 1
unfold: {wave: {w1: "*_pre", w2: "*_post"}}
rename: {barn: child_id, klub: institution_id, timer: hours}
rename_items: {sdq-teacher-4-17: "t{key}"}
recode: {sdq-teacher-4-17: {nej: 0, lidt: 1, ja: 2}}
ignore: [mail]
"""
WORDS = np.array(["nej", "lidt", "ja"])


def wave(turn: int) -> pd.DataFrame:
    """The children at a wave under our names; their answers go from one child to the next between the waves."""
    frame = children(lambda key: f"{SDQ.id}.{key}")
    answers = frame[list(SDQ.columns)].to_numpy()
    frame[list(SDQ.columns)] = np.roll(answers, turn, axis=0)
    return frame.assign(hours=[20 + i + turn for i in range(N)])


def wide() -> pd.DataFrame:
    frame = wave(0)[["child_id", "institution_id"]].set_axis(["barn", "klub"], axis=1)
    for turn, ending in ((0, "_pre"), (1, "_post")):
        told = wave(turn)
        names = {column: f"t{key}{ending}" for key, column in zip(SDQ.item_keys, SDQ.columns, strict=True)}
        words = pd.DataFrame({theirs: WORDS[told[ours]] for ours, theirs in names.items()})
        frame = pd.concat([frame, words, told["hours"].rename(f"timer{ending}")], axis=1)
    return frame.assign(mail_post=[f"parent{i}@example.org" for i in range(N)])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wide") / "study"
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    file = folder.parent / "institutions.csv"
    file.write_text("institution_id\n001\n002\n003\n004\n")
    open_study(folder).import_(file, "institutions")
    return folder


@pytest.fixture
def study(made: Path, tmp_path: Path) -> StudyFolder:
    return open_study(shutil.copytree(made, tmp_path / "study"))


def written(folder: Path, frame: pd.DataFrame, mapping: str = MAPPING) -> Path:
    frame.to_csv(folder / "wide.csv", index=False)
    (folder / "wide.csv.mapping.yaml").write_text(mapping)
    return folder / "wide.csv"


def stored(study: StudyFolder, at: str) -> pd.DataFrame:
    visits, answers = study.table("screening"), study.table(f"screening_{SDQ.id}")
    both = visits.query("wave == @at").merge(answers.query("wave == @at"), on="child_id")
    return both[["child_id", *SDQ.columns, "hours"]].set_index("child_id").sort_index().astype(float)


def test_each_wave_is_what_a_file_of_its_own_would_be(study, tmp_path):
    file = written(tmp_path, wide())
    for turn, at in enumerate(("w1", "w2")):
        report = study.import_(file, "screening", at)
        assert (report.accepted, report.quarantined) == (N, 0)
        expected = wave(turn).set_index("child_id")[[*SDQ.columns, "hours"]].astype(float)
        pd.testing.assert_frame_equal(stored(study, at), expected, check_dtype=False, check_index_type=False)
    assert study.import_(file, "screening", "w1").already
    assert study.check_ledger(deep=True).problems == ()


def test_the_copy_that_is_kept_has_no_persons_of_another_wave(study, tmp_path):
    study.import_(written(tmp_path, wide()), "screening", "w1")
    kept = "".join(path.read_text() for path in (study.folder / "data").rglob("*.csv"))
    assert "tconsid_post" in kept
    assert "example.org" not in kept


def test_a_row_at_fault_at_one_wave_waits_and_is_corrected(study, tmp_path):
    frame = wide()
    frame.loc[3, "tconsid_post"] = "maybe"
    file = written(tmp_path, frame)
    assert study.import_(file, "screening", "w1").quarantined == 0
    report = study.import_(file, "screening", "w2")
    assert report.quarantined == 1
    page = study.folder / "output" / "problems" / "screening-w2" / "all.html"
    assert "tconsid_post" in page.read_text() or "1" in page.read_text()
    correction = study.folder / report.quarantine_file
    correction.write_text(correction.read_text(encoding="utf-8-sig").replace("maybe", "ja"), encoding="utf-8-sig")
    assert study.import_(correction, "screening", "w2").waiting == 0
    assert stored(study, "w2").loc["00003", f"{SDQ.id}.consid"] == 2


def test_a_child_is_forgotten_at_both_waves(study, tmp_path):
    file = written(tmp_path, wide())
    for at in ("w1", "w2"):
        study.import_(file, "screening", at)
    study.forget("00003", copies=True)
    assert "00003" not in set(study.table("screening").child_id)
    assert not [path for path in (study.folder / "data").rglob("*") if path.is_file() and "00003," in path.read_text()]
    assert study.check_ledger(deep=True).problems == ()


@pytest.mark.parametrize(
    ("change", "columns", "table", "code"),
    [
        ('unfold: {wave: {w2: "*_post"}}', {}, "screening", "SCR-224"),
        ('unfold: {wave: {w1: "pre_*", w2: "*_post"}}', {}, "screening", "SCR-225"),
        ('unfold: {wave: {w1: "*_pre", w2: "*_post"}}', {"tconsid": "ja"}, "screening", "SCR-226"),
        ('unfold: {wave: {w1: "*_pre", w2: "*_post"}}', {}, "children", "SCR-224"),
        ('unfold: {wave: {w1: "pre", w2: "*_post"}}', {}, "screening", "DOC-010"),
        ('unfold: {wave: {w1: "*_pre", w2: "*_pre"}}', {}, "screening", "DOC-010"),
        ('unfold: {child: {w1: "*_pre"}}', {}, "screening", "DOC-008"),
    ],
)
def test_patterns_that_cannot_be_meant(study, tmp_path, change, columns, table, code):
    text = "\n".join(change if line.startswith("unfold") else line for line in MAPPING.splitlines())
    file = written(tmp_path, wide().assign(**columns), text)
    with pytest.raises(DataProblems) as caught:
        study.import_(file, table, "w1" if table == "screening" else None)
    assert code in {problem.code for problem in caught.value.problems}


def test_of_two_patterns_the_one_that_takes_more_away():
    mapping = Mapping.model_validate({"version": 1, "unfold": {"wave": {"w1": "*1", "w2": "*_1"}}, "rename": {"a": "hours"}})
    first, second = (unfolded(mapping, at, ["a1", "a_1", "b"], shipped()) for at in ("w1", "w2"))
    assert (first.rename, first.ignore) == ({"a1": "hours"}, ("a_1",))
    assert (second.rename, second.ignore) == ({"a_1": "hours"}, ("a1",))


def test_a_wave_alone_tells_the_table(study, tmp_path):
    assert study.import_(written(tmp_path, wide()), wave="w1").table == "screening"
    staff = instrument("gap-competences-staff")
    about = {"who": [f"m{i}" for i in range(4)], "institution_id": ["001", "002", "003", "004"]}
    answers = {name: [1 + (i + j) % 4 for i in range(4)] for j, name in enumerate(staff.columns)}
    file = tmp_path / "staff.csv"
    pd.DataFrame(about | answers).to_csv(file, index=False)
    with pytest.raises(DataProblems) as caught:  # nothing names respondents
        study.import_(file, wave="w1", dry_run=True)
    assert "child_id" in {problem.place.column for problem in caught.value.problems}
    (tmp_path / "staff.csv.mapping.yaml").write_text("version: 1\nrename: {who: respondent_id}\n")
    assert study.import_(file, wave="w1", dry_run=True).table == "staff_survey"
    with pytest.raises(Refusal, match="CLI-006"):
        study.import_(file)
