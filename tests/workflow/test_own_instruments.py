"""A study's own questionnaires are read wherever shipped ones are; one that is changed after it was used is refused."""

import json
from pathlib import Path

import pandas as pd
import pytest

from asp_eval.core.errors import AspError, DataProblems
from asp_eval.store import table
from asp_eval.store.provenance import provenance_of, state_of
from asp_eval.trial.instruments.library import instrument, library_of, shipped
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.check import check_study
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.propose import propose
from asp_eval.workflow.score import score_study

MOOD = """\
id: mood
version: 1
family: mood
languages: [da, en]
title: {da: Humør, en: Mood}
informant: staff
unit: child
status: {da: Prøve., en: On trial.}
provenance: [{what: items, mark: convention, source: our own}]
licence: {item_text: included, statement: {da: Frit., en: Free.}}
response_sets:
  agree:
    - {code: 0, label: {da: nej, en: "no"}}
    - {code: 1, label: {da: lidt, en: a bit}}
    - {code: 2, label: {da: ja, en: "yes"}}
items:
  - {number: 1, key: glad, responses: agree, text: {da: Barnet er glad., en: The child is glad.}}
  - {number: 2, key: cross, responses: agree, reverse: true, text: {da: Barnet er vredt., en: The child is cross.}}
scales:
  - key: mood
    title: {da: Humør, en: Mood}
    items: [glad, cross]
    rule: {method: mean-times-n, minimum_answered: 1, rounding: half-up}
    better: higher
    range: {from: 0, to: 4}
bands: {reason: {da: Ingen., en: None.}}
"""
STUDY = """\
version: 1
study: {id: own, title: {en: Own}, synthetic: true}
arms: [reference, intervention]
randomisation: {drawn_elsewhere: true}
waves: [{id: w1, label: {en: start}}]
collect: {screening: {waves: [w1], instruments: [{family: mood}]}}
outcomes: [{id: mood, score: mood.mood, role: primary, better: higher, at: w1}]
"""
WAVE = """\
child_id,institution_id,sex,birth_month,date,mood.glad,mood.cross
c1,i1,girl,2003-01,2006-09-05,2,0
c2,i2,boy,2003-02,2006-09-05,1,2
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "study"
    (folder / "instruments").mkdir(parents=True)
    (folder / "study.yaml").write_text(STUDY)
    (folder / "instruments" / "mood.yaml").write_text(MOOD)
    (tmp_path / "institutions.csv").write_text("institution_id\ni1\ni2\n")
    (tmp_path / "w1.csv").write_text(WAVE)
    return folder


@pytest.fixture
def imported(folder, tmp_path):
    import_file(load_study(folder), tmp_path / "institutions.csv", "institutions")
    import_file(load_study(folder), tmp_path / "w1.csv", "screening", wave="w1")
    return folder


def rewrite(folder: Path, before: str, after: str) -> None:
    path = folder / "instruments" / "mood.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_a_study_scores_an_instrument_of_its_own(imported):
    study = load_study(imported)
    assert not [problem for problem in check_study(study).problems if problem.place.column == "collect.screening"]
    scores = score_study(study).scores
    assert dict(zip(scores["unit_id"], scores["score"], strict=True)) == {"c1": 4.0, "c2": 1.0}  # 2 + (2 - 0); 1 + (2 - 2)
    assert "mood" not in {each.id for each in shipped().instruments()}


def test_a_proposal_knows_the_study_s_own_items_and_answers(folder, tmp_path):
    file = tmp_path / "export.csv"
    rows = "".join(f"c{n},i{1 + n % 2},ja,nej\n" for n in range(60))
    file.write_text("barn,Institutionsnr,glad,cross\n" + rows, encoding="utf-8")
    found = propose(load_study(folder), file, "screening", "w1", write=False)
    assert "2 items of mood" in " ".join(found.account)
    assert "ja: 2" in found.mapping.replace('"', "")


def test_the_ledger_and_the_state_hold_the_digest(imported):
    study = load_study(imported)
    (file,) = study.library.own_instruments
    body = json.loads(table(study, "ledger")["body"].iloc[-1])
    assert body["instruments"] == {"mood version 1": file.digest}
    assert "instruments/mood.yaml" in provenance_of(study).inputs
    before = state_of(study)
    (imported / "norms").mkdir()
    (imported / "norms" / "own.yaml").write_text(
        "id: own\nversion: 1\ninstruments: [mood]\ntitle: {da: a, en: a}\ninformant: staff\ncountry: DK\nsource: test\n"
        "provenance: convention\nmeans: {mood: {mean: 1, sd: 1}}\n"
    )
    assert state_of(load_study(imported)) != before


def doors(folder, tmp_path):
    (tmp_path / "again.csv").write_text(WAVE + "c3,i1,girl,2003-01,2006-09-05,2,2\n")
    yield lambda: score_study(load_study(folder))
    yield lambda: state_of(load_study(folder))
    for dry_run in (True, False):
        yield lambda dry_run=dry_run: import_file(
            load_study(folder), tmp_path / "again.csv", "screening", wave="w1", dry_run=dry_run
        )


def test_a_file_that_was_changed_after_use_is_refused_at_every_door(imported, tmp_path):
    rewrite(imported, "reverse: true, ", "")
    for door in doors(imported, tmp_path):
        with pytest.raises(AspError, match="STO-050"):
            door()
    assert "STO-050" in {problem.code for problem in check_study(load_study(imported)).problems}


def test_another_layout_is_no_change_and_a_higher_version_is_another_document(imported, tmp_path):
    rewrite(imported, "version: 1\n", "# a comment\nversion: 1\r\n")
    for door in doors(imported, tmp_path):
        door()
    rewrite(imported, "version: 1\n", "version: 2\n")
    rewrite(imported, "reverse: true, ", "")
    scores = score_study(load_study(imported)).scores
    assert dict(zip(scores["unit_id"], scores["score"], strict=True)) == {"c1": 2.0, "c2": 3.0, "c3": 4.0}


def test_all_faults_of_declaration_instruments_and_norms_are_told_at_once(folder):
    (folder / "study.yaml").write_text(STUDY.replace("version: 1\nstudy", "versio: 1\nstudy"))
    rewrite(folder, "unit: child", "unit: pupil")
    (folder / "norms").mkdir()
    (folder / "norms" / "own.yaml").write_text("id: own\n")
    with pytest.raises(DataProblems) as caught:
        load_study(folder)
    assert {problem.place.source for problem in caught.value.problems} == {"study.yaml", "mood.yaml", "own.yaml"}


def test_a_shipped_id_and_version_and_a_shared_age_are_refused(folder):
    path = folder / "instruments" / "mood.yaml"
    path.write_text(MOOD.replace("id: mood\n", "id: gap-competences-child\n"))
    with pytest.raises(DataProblems, match="INS-002"):
        library_of(folder)
    path.write_text(MOOD.replace("family: mood\n", "family: sdq-teacher\n"))
    with pytest.raises(DataProblems, match="INS-014"):
        library_of(folder)
    path.write_text(MOOD.replace("id: mood\n", "id: sdq-teacher\n"))  # 'score: sdq-teacher.total' would mean two things
    with pytest.raises(DataProblems, match=r"INS-049.*line 1, id"):
        library_of(folder)


def test_an_instrument_is_had_in_python_with_its_study(folder):
    assert instrument("mood", study=folder).scale_keys == ("mood",)
    with pytest.raises(AspError, match="INS-001"):
        instrument("mood")


def test_results_know_the_study_s_own_without_its_folder(folder):
    study = load_study(folder)
    assert study.without_folder().library is study.library
    assert pd.isna(study.without_folder().folder_if_saved)
