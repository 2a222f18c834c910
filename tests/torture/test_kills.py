"""Processes that are killed in the middle of a verb, and two processes at once: nothing is lost, and nothing is half.

1. Killed by SIGKILL, SIGTERM or Ctrl-C at random moments in any verb, every entry that was in the ledger still is, the tables and
the files, those in ``data`` too, are those that it says, and the next commands go on: 200 kills, in the slow tests. Those of
every day end a process at the writes of each verb (`test_failing_disk`), and kill imports in earnest (`store/test_processes`).
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from asp_eval.core.csv_text import read_csv_text
from asp_eval.store import table
from asp_eval.store.audit import audit
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.gap import gap_profiles
from asp_eval.workflow.report import report
from asp_eval.workflow.score import score_study
from tests.torture.verbs import REPEATED, begin

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT) if sys.platform != "win32" else ()
KILLS = 200
LONGEST = 0.6  # seconds until a kill
IN_A_PROCESS = """
import os, sys, time
from contextlib import suppress
from pathlib import Path
import jinja2, statsmodels.api  # loaded once, before the first child
from asp_eval.core.errors import AspError
from asp_eval.trial.study.protocol import load_study
from tests.torture.verbs import REPEATED

folder = Path(sys.argv[1])
study = load_study(folder / "study")

def go_on(first):
    for turn in range(first, 10_000):
        name = list(REPEATED)[turn % len(REPEATED)]
        (folder / "now").write_text(name)
        with suppress(AspError):  # results that are older than the data
            REPEATED[name](study)

print("ready", flush=True)
for line in sys.stdin:
    seconds, number, first = line.split()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        go_on(int(first))
    time.sleep(float(seconds))
    os.kill(child, int(number))
    until = time.monotonic() + 20
    while not os.waitpid(child, os.WNOHANG)[0]:
        time.sleep(0.02)
        if time.monotonic() > until:  # Ctrl-C is an exception, which a library can lose; the person gives it again
            os.kill(child, 9)
    print("dead", flush=True)
"""


def digests(study: Study) -> list[str]:
    return [str(digest) for digest in table(study, "ledger")["digest"]]


def hold(study: Study, before: list[str]) -> list[str]:
    """See that a study is whole and has every entry that it had; return its entries."""
    problems = audit(study).problems
    assert [str(problem) for problem in problems if problem.severity == "error" or problem.code == "STO-028"] == []
    entries = digests(study)
    assert entries[: len(before)] == before
    assert read_csv_text(study.folder / "output" / "ledger.csv")["digest"].iloc[-1] in entries
    return entries


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has neither fork nor these signals")
@pytest.mark.slow
def test_killed_in_any_verb_nothing_is_lost(complete_once, tmp_path):  # 1
    study = begin(complete_once, tmp_path)
    studies = [study, load_study(tmp_path / "undrawn")]
    entries, moments, met = [digests(each) for each in studies], random.Random(20061), Counter[str]()
    command = [sys.executable, "-c", IN_A_PROCESS, str(tmp_path)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root, stderr=subprocess.DEVNULL
    ) as killer:
        assert killer.stdin is not None
        assert killer.stdout is not None
        assert killer.stdout.readline() == "ready\n"
        for turn in range(KILLS):
            number = SIGNALS[turn // len(REPEATED) % len(SIGNALS)]
            killer.stdin.write(f"{moments.uniform(0, LONGEST)} {int(number)} {turn % len(REPEATED)}\n")
            killer.stdin.flush()
            assert killer.stdout.readline() == "dead\n"
            met[(tmp_path / "now").read_text()] += 1
            entries = [hold(each, before) for each, before in zip(studies, entries, strict=True)]
            if (tmp_path / "unlocked").is_dir():
                hold(load_study(tmp_path / "unlocked"), [])
        killer.stdin.close()
    print(dict(met), [len(one) for one in entries])
    assert met.keys() >= REPEATED.keys()  # killed before it said which: none
    REPEATED["import"](study)
    score_study(study)
    analyse(study)
    gap_profiles(study)
    assert report(study).pages
    assert audit(study).problems == ()
    assert [path.name for path in study.folder.rglob(".*.new") if (path / "files-to-put-in-place.json").is_file()] == []
