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

import pytest
from once import made_once

from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from cases import CASES, csv, visits  # noqa: E402 - the folder must be on the path first

ROOT = HERE.parents[1]
LARGEST = 500  # MB

ODD = [key for key, case in CASES.items() if not case.code]
FAULTY = [key for key, case in CASES.items() if case.code]


@pytest.fixture(scope="module")
def answers(drawn_once, tmp_path_factory):
    """What the worker, one process for all cases, was answered: once for all workers of the tests."""

    def make(studies: Path) -> None:
        shutil.copytree(drawn_once, studies / "drawn")
        rated = load_study(shutil.copytree(drawn_once, studies / "rated"))
        (studies / "wave1.csv").write_text(csv(visits()))
        import_file(rated, studies / "wave1.csv", "screening", wave="w1")
        run = subprocess.run([sys.executable, HERE / "worker.py", studies], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr[-2000:]
        (studies / "answers.jsonl").write_text(run.stdout, encoding="utf-8")

    said = (made_once(tmp_path_factory, "torture", make) / "answers.jsonl").read_text(encoding="utf-8")
    return {answer["case"]: answer for answer in map(json.loads, said.splitlines())}


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
