"""Every damaged or odd file is answered with its code, without a traceback, and without eating the memory.

1. a case with a code is answered with it; an error leaves the study as it was, a warning does not stop the import;
2. a case without a code is taken in whole, without a word;
3. no case ends in a traceback, and none takes 500 MB;
4. docs/torture.md lists all of them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from asp_eval.store import write_allocation
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from cases import CASES, csv, visits  # noqa: E402 - the folder must be on the path first

ROOT = HERE.parents[1]
LARGEST = 500  # MB
STUDY_YAML = """\
version: 1
study: {id: torture, title: {en: Torture}, synthetic: true}
arms: [reference, intervention]
strata: [municipality]
waves:
  - {id: w1, label: {en: start}, from: 2006-09-01, to: 2006-11-30}
  - {id: w2, label: {en: midway}, from: 2007-08-15, to: 2007-10-31}
eligibility: {age_years: {from: 3, below: 7}, at: w1}
columns:
  children: {mother_education: string}
  screening: {hours: number}
collect:
  screening: {waves: [w1, w2], instruments: [{family: sdq-teacher}]}
outcomes:
  - {id: total, score: sdq-teacher.total, role: primary, better: lower, at: w2, baseline: w1}
"""

ODD = [key for key, case in CASES.items() if not case.code]
FAULTY = [key for key, case in CASES.items() if case.code]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What the worker, one process for all cases, was answered."""
    studies = tmp_path_factory.mktemp("torture")
    drawn = studies / "drawn"
    drawn.mkdir()
    (drawn / "study.yaml").write_text(STUDY_YAML)
    study = load_study(drawn)
    (studies / "institutions.csv").write_text("institution_id,municipality\nA1,Aarhus\nA2,Aarhus\nH1,Hvidovre\nH2,Hvidovre\n")
    import_file(study, studies / "institutions.csv", "institutions")
    arms = pd.DataFrame({"institution_id": ["A1", "A2", "H1", "H2"], "arm": ["reference", "intervention"] * 2})
    write_allocation(study, arms)
    rated = load_study(shutil.copytree(drawn, studies / "rated"))
    (studies / "wave1.csv").write_text(csv(visits()))
    import_file(rated, studies / "wave1.csv", "screening", wave="w1")
    run = subprocess.run([sys.executable, HERE / "worker.py", studies], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    return {answer["case"]: answer for answer in map(json.loads, run.stdout.splitlines())}


def test_there_are_enough():
    assert len(CASES) >= 60
    assert len({case.code for case in CASES.values()}) >= 50


@pytest.mark.parametrize("key", FAULTY)
def test_a_faulty_file_is_answered_with_its_code(key, answers):
    answer = answers[key]
    assert answer["trace"] == ""
    assert CASES[key].code in answer["codes"]
    assert answer["exit"] == (1 if answer["errors"] else 0)


@pytest.mark.parametrize("key", ODD)
def test_an_odd_file_is_taken_in_whole(key, answers):
    answer = answers[key]
    assert (answer["exit"], answer["codes"], answer["trace"]) == (0, [], "")
    assert answer["report"]["accepted"] == answer["report"]["rows_read"] == 4


def test_none_takes_the_memory(answers):
    assert max(answer["megabytes"] for answer in answers.values()) < LARGEST


def test_the_page_lists_them_all():
    rows = [f"| {case.what} | {case.code or 'all in'} |" for case in CASES.values()]
    assert [line for line in (ROOT / "docs" / "torture.md").read_text(encoding="utf-8").splitlines() if line[:2] == "| "][
        1:
    ] == rows
