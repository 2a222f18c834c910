"""Two verbs that share files, one in the middle of the other, and both at once.

1. While a verb does not hold the database, another is done from beginning to end: the first then refuses in words, or what it
writes is of what is there now; the ledger and every table and file are what the entries say.  So for every verb before, between
and after all that the other reads and writes (an import in the middle of each here, every pair in the slow tests).
2. Two processes at once, every pair of verbs (slow).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import combinations_with_replacement, product
from pathlib import Path

import pandas as pd
import pytest

from asp_eval.analysis.outcomes import analyse as planned_analysis
from asp_eval.analysis.profiles import study_gap_profiles
from asp_eval.core.errors import AspError
from asp_eval.store import Store, table
from asp_eval.store.audit import audit
from asp_eval.store.result_files import as_json
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.plan_lock import lock_plan, locked_plan
from asp_eval.workflow.stored_results import current_profiles, current_results
from tests.torture.verbs import FURTHER, VERBS, Verb, begin, begin_alone

SHARING = {name: verb for name, verb in (VERBS | FURTHER).items() if name != "randomise"}
COMPUTING = ("score", "analyse", "gap", "report", "export")  # between reading and writing
LOCKED = "STO-001"
MOVED_ON = {"STO-047", "ANA-006", "ANA-001", "STO-014", "STU-050", "STO-060", "SCO-010", "GAP-010"}  # what may be refused


@contextmanager
def interrupted(at: int | None, other: Verb, study: Study) -> Iterator[list[int]]:
    """Let another verb be done just before the n-th time that the database is opened; give how often it was."""
    opened, plain = [0], Store._open

    def opening(self: Store, *, read_only: bool) -> object:
        opened[0] += 1
        if opened[0] == at:
            Store._open = plain  # type: ignore[method-assign]
            try:
                other(study)
            except AspError:
                pass
            finally:
                Store._open = opening  # type: ignore[method-assign,assignment]
        return plain(self, read_only=read_only)

    Store._open = opening  # type: ignore[method-assign,assignment]
    try:
        yield opened
    finally:
        Store._open = plain  # type: ignore[method-assign]


def hold(study: Study, before: list[str]) -> None:
    """See that a study is whole, and that results that count as current are those of its data."""
    assert [str(problem) for problem in audit(study).problems if problem.severity == "error"] == []
    assert table(study, "ledger")["digest"].tolist()[: len(before)] == before
    for current, computed in ((current_results, planned_analysis), (current_profiles, study_gap_profiles)):
        try:
            results = current(study)
        except AspError:  # none, or of other data
            continue
        fresh = computed(study)
        if hasattr(fresh, "provenance"):
            assert (results.provenance.state, results.outcomes) == (fresh.provenance.state, fresh.outcomes)
        else:
            assert as_json(results) == as_json(fresh)


def gaps(verb: Verb, study: Study) -> int:
    with interrupted(None, verb, study) as opened:
        verb(study)
    return opened[0]


@pytest.mark.parametrize("name", ["gap", *(pytest.param(name, marks=pytest.mark.slow) for name in COMPUTING if name != "gap")])
def test_an_import_in_the_middle_of_a_verb(name, complete_once, tmp_path):  # 1
    tried = begin_alone(complete_once, tmp_path / "tried")
    pair(name, "import", gaps(SHARING[name], tried), complete_once, tmp_path / "pair")


def test_a_plan_is_locked_once_and_with_the_data_of_one_moment(complete_once, tmp_path):  # 1
    def fewer(study: Study) -> object:
        frame = pd.read_csv(study.folder.parent / "wave2.csv", dtype=str)
        frame.iloc[1:].to_csv(study.folder.parent / "fewer.csv", index=False)
        return import_file(study, study.folder.parent / "fewer.csv", "screening", wave="w2", replace=True)

    tried = begin_alone(complete_once, tmp_path / "tried")
    begun, rows, seen = len(table(tried, "ledger")), int((table(tried, "screening")["wave"] == "w2").sum()), set()
    opened = gaps(lock_plan, tried)
    for other, gap in product((fewer, lock_plan), range(1, opened + 1)):
        study = begin_alone(complete_once, tmp_path / f"{other.__name__}-{gap}")
        with interrupted(gap, other, study), suppress(AspError):
            lock_plan(study)
        kinds = table(study, "ledger")["kind"].tolist()
        came_first = other is fewer and "import" in kinds[begun : kinds.index("plan-lock")]
        assert (locked_plan(study).data["screening w2"], kinds.count("plan-lock")) == (rows - came_first, 1)
        seen.add((other is fewer, came_first))
    assert seen == {(True, False), (True, True), (False, False)}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "other"), [*product(SHARING, SHARING)])
def test_a_verb_in_the_middle_of_another(name, other, complete_once, tmp_path):  # 1
    tried = begin_alone(complete_once, tmp_path / "tried")
    for gap in range(1, gaps(SHARING[name], tried) + 1):
        pair(name, other, gap, complete_once, tmp_path / str(gap))


def pair(name: str, other: str, gap: int, complete: Path, folder: Path) -> None:
    folder.mkdir()
    study = begin_alone(complete, folder)
    before = table(study, "ledger")["digest"].tolist()
    with interrupted(gap, SHARING[other], study):
        try:
            SHARING[name](study)
        except AspError as refused:
            assert {problem.code for problem in refused.problems} <= MOVED_ON, refused
    hold(study, before)


AT_ONCE = """
import os, sys
from pathlib import Path
import jinja2, linearmodels, pingouin, statsmodels.api  # loaded once, before the first child
from asp_eval.core.errors import AspError
from asp_eval.trial.study.protocol import load_study
from tests.torture.verbs import FURTHER, VERBS

def run(verb, study):
    code = 3
    try:
        verb(study)
        code = 0
    except AspError as refused:
        print(" ".join(problem.code for problem in refused.problems), flush=True)
        code = 1
    finally:
        os._exit(code)

for line in sys.stdin:
    folder, *names = line.rstrip("\\n").split("\\t")
    children = []
    for name in names:
        if (child := os.fork()) == 0:
            run((VERBS | FURTHER)[name], load_study(Path(folder) / "study"))
        children.append(child)
    print("done", *(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children), flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_every_pair_of_verbs_at_once(complete_once, tmp_path):  # 2
    command = [sys.executable, "-c", AT_ONCE]
    root, begun = Path(__file__).parents[2], tmp_path / "begun"
    begin(complete_once, begun)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root, env=dict(os.environ)
    ) as two:
        assert two.stdin is not None
        assert two.stdout is not None
        for number, names in enumerate(combinations_with_replacement(VERBS | FURTHER, 2)):
            folder = Path(shutil.copytree(begun, tmp_path / str(number)))
            study = load_study(folder / "study")
            before = table(study, "ledger")["digest"].tolist()
            print(folder, *names, sep="\t", file=two.stdin, flush=True)
            said = []
            while not (line := two.stdout.readline().rstrip("\n")).startswith("done"):
                assert line, names  # it ended
                said += line.split()
            assert set(said) <= {*MOVED_ON, LOCKED}, (names, said)
            assert set(line.split()[1:]) <= {"0", "1"}, (names, line)
            hold(study, before)
            shutil.rmtree(folder)
        two.stdin.close()
