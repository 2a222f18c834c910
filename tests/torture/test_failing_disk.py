"""A disk that fails, and a process that dies, at any write: the study is as it was, or as it should be, never a third.

1. For every verb that writes, and for every write it does, one after the other: if that write fails, or the process dies there,
then after the next command the ledger, the tables and the files in ``output`` are all those of before, or all the new ones.
2. A transaction that cannot be committed changes nothing, and ends with 3.  3. Killed by SIGKILL, SIGTERM or Ctrl-C at random
moments in all verbs, nothing is lost (slow).

A write is what Python tells its audit hooks of: a file opened to be written, renamed, linked or removed, a folder made or
removed. What the database itself writes is not among them; there the transaction is the write, and the process is killed in
earnest.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from asp_eval.analysis.outcomes import analyse as planned_analysis
from asp_eval.core.csv_text import read_csv_text
from asp_eval.core.errors import AspError
from asp_eval.store import Store, connection, table
from asp_eval.store.audit import audit
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow import analyse as analyse_verb
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.export import export
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.report import report
from asp_eval.workflow.score import score_study
from tests.counted_trial import INSTITUTIONS, WAVE1, WAVE2, declared, store

WRITES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.chmod", "tempfile.mkdtemp"}
MOST_WRITES = 200
FAULTY = WAVE1.replace("c01,01,2027", "c01,99,2027", 1)


class Dead(BaseException):
    """What a killed process does not live to catch: every write after it fails in the same way."""


class Disk:
    """The writes of this process, which can be made to fail from the n-th on, or at the n-th alone."""

    def __init__(self) -> None:
        self.at: int | None = None
        self.count, self.dies = 0, False
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.at is None or not (event in WRITES or (event == "open" and self._writes(arguments))):
            return
        self.count += 1
        if self.dies and self.count >= self.at:
            raise Dead
        if self.count == self.at:
            raise OSError(errno.ENOSPC, "No space left on device")

    @staticmethod
    def _writes(arguments: tuple[object, ...]) -> bool:
        path, _, flags = arguments
        return isinstance(path, str | bytes | os.PathLike) and bool(int(str(flags)) & (os.O_WRONLY | os.O_RDWR))

    @contextmanager
    def failing(self, at: int, *, dies: bool) -> Iterator[None]:
        self.at, self.count, self.dies = at, 0, dies
        try:
            yield
        finally:
            self.at = None


DISK = Disk()  # an audit hook cannot be taken away again; it does nothing until it is asked to


def score_again(study: Study) -> None:
    score_study(study)


VERBS: dict[str, Callable[[Study], object]] = {
    "import": lambda study: import_file(study, study.folder.parent / "faulty.csv", "screening", wave="w1", replace=True),
    "analyse": analyse,
    "report": report,
    "export": export,
    "score": score_again,
}


@pytest.fixture(scope="module")
def started(small_study, rated_once, tmp_path_factory) -> dict[str, Path]:
    """For each verb a study that it has something to do in."""
    folder = tmp_path_factory.mktemp("started")
    (folder / "faulty.csv").write_text(FAULTY)
    analysed = load_study(shutil.copytree(small_study.folder, folder / "analysed"))
    analyse(analysed)
    return dict.fromkeys(("analyse", "import"), small_study.folder) | {
        "report": analysed.folder,
        "export": analysed.folder,
        "score": rated_once,
    }


def shown(study: Study) -> dict[str, bytes]:
    """Return every file in ``output`` that people see, but lists of faults and exports, which are sets of their own."""
    output = study.folder / "output"
    apart = ("problems", "export")
    names = {path.relative_to(output): path for path in output.rglob("*") if path.is_file()}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in names.items()
        if not name.parts[0].startswith(".") and name.parts[0] not in apart
    }


def stored(study: Study) -> dict[str, str]:
    with Store(study.folder).reading() as opened:
        assert opened is not None
        names = [name for (name,) in opened.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
        return {name: opened.execute(f"SELECT * FROM {name}").df().to_csv() for name in names}


@pytest.fixture
def fixed_results(started, monkeypatch):
    """The models are fitted once: what is tried here is how results are written."""
    results = planned_analysis(load_study(started["analyse"]))
    monkeypatch.setattr(analyse_verb, "planned_analysis", lambda *_: results)


@pytest.mark.parametrize("dies", [False, True], ids=["the write fails", "the process dies"])
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("step", [29, pytest.param(1, marks=pytest.mark.slow)])
def test_at_every_write_the_study_is_as_it_was_or_as_it_should_be(step, verb, dies, started, tmp_path, fixed_results):
    """Some writes in the tests of every day, each of them in the slow ones."""
    (tmp_path / "faulty.csv").write_text(FAULTY)
    begun, seen = load_study(shutil.copytree(started[verb], tmp_path / "begun")), set()
    old_tables, old_files, old_entries = stored(begun), shown(begun), len(table(begun, "ledger"))
    for number in range(1 + step // 4, MOST_WRITES, step):
        study = load_study(shutil.copytree(begun.folder, tmp_path / "study"))
        ended = True
        with DISK.failing(number, dies=dies):
            try:
                VERBS[verb](study)
            except (OSError, AspError, Dead, duckdb.Error):
                ended = False
        entries = len(table(study, "ledger"))  # the next command, which finishes what was begun
        is_new = entries > old_entries
        if is_new:
            assert audit(study).problems == (), number
            people = read_csv_text(study.folder / "output" / "ledger.csv")["digest"].tolist()
            assert people[-1] == table(study, "ledger")["digest"].iloc[-1] or verb == "export", number
        else:
            assert stored(study) == old_tables, number
            assert {
                name: text for name, text in shown(study).items() if not name.startswith(("problems/", "export/"))
            } == old_files
        seen.add(is_new)
        if ended and DISK.count < number:
            break
        shutil.rmtree(study.folder)
    assert seen == {False, True}, number


def test_a_transaction_that_cannot_be_committed_changes_nothing(started, tmp_path, monkeypatch, run):
    (tmp_path / "faulty.csv").write_text(FAULTY)
    study = load_study(shutil.copytree(started["import"], tmp_path / "study"))
    before = stored(study), shown(study), sorted(path.name for path in (study.folder / "data").iterdir())

    class Full:
        """A connection whose disk is full when the transaction is committed."""

        def __init__(self, opened: duckdb.DuckDBPyConnection) -> None:
            self._opened = opened

        def __getattr__(self, name: str) -> object:
            return getattr(self._opened, name)

        def execute(self, query: str, *given: object) -> object:
            if query == "COMMIT":
                raise duckdb.IOException("IO Error: Could not write file: No space left on device")
            return self._opened.execute(query, *given)

    opening = connection.Store._open
    monkeypatch.setattr(connection.Store, "_open", lambda self, read_only: Full(opening(self, read_only=read_only)))
    done = run("import", tmp_path / "faulty.csv", "--table", "screening", "--wave", "w1", "--replace", cwd=study.folder)
    monkeypatch.undo()
    assert (done.code, "RUN-002" in done.err, "Traceback" in done.err) == (3, True, False)
    assert (stored(study), shown(study), sorted(path.name for path in (study.folder / "data").iterdir())) == before


VERBS_IN_A_PROCESS = """
import os, signal, sys, time
from contextlib import suppress
from pathlib import Path
import jinja2, linearmodels, pingouin, statsmodels.api  # loaded once, before the first child
from asp_eval.core.errors import AspError
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.export import export
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.report import report
study = load_study(sys.argv[1])
folder = Path(sys.argv[2])

def verbs(first):
    def take_in(study):
        for name in ("wave2-0.csv", "wave2-1.csv"):
            import_file(study, folder / name, "screening", wave="w2", replace=True)

    for turn in range(first, 1000):
        with suppress(AspError):  # results that are older than the data
            (take_in, analyse, report, export)[turn % 4](study)

print("ready", flush=True)
for line in sys.stdin:
    seconds, number, first = line.split()
    child = os.fork()
    if child == 0:
        verbs(int(first))
    time.sleep(float(seconds))
    os.kill(child, int(number))
    os.waitpid(child, 0)
    print("dead", flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("kills", [200])
def test_killed_in_any_verb_nothing_is_lost(kills, tmp_path):
    study = declared(tmp_path / "study") if (tmp_path / "study").mkdir() is None else None
    assert study is not None
    store(study, tmp_path, "institutions", INSTITUTIONS, "institutions")
    arms = pd.DataFrame({"institution_id": ["01", "02", "03", "04"], "arm": ["reference", "intervention"] * 2})
    arms.assign(date="2027-08-01", source="registry").to_csv(tmp_path / "arms.csv", index=False)
    import_file(study, tmp_path / "arms.csv", "allocation")
    store(study, tmp_path, "w1", WAVE1, "screening", "w1")
    for turn, score in enumerate((3, 9)):
        text = WAVE2.replace("girl,2023-01,1,3", f"girl,2023-01,1,{score}")
        (tmp_path / f"wave2-{turn}.csv").write_text(text)
    command = [sys.executable, "-c", VERBS_IN_A_PROCESS, str(study.folder), str(tmp_path)]
    killer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL)
    assert killer.stdin is not None
    assert killer.stdout is not None
    assert killer.stdout.readline() == "ready\n"
    moments, heads = random.Random(20061), set()
    for turn in range(kills):
        number = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[turn % 3]
        killer.stdin.write(f"{moments.uniform(0, 3)} {int(number)} {turn % 4}\n")
        killer.stdin.flush()
        assert killer.stdout.readline() == "dead\n"
        assert [problem for problem in audit(study).problems if problem.severity == "error"] == [], turn
        ledger = table(study, "ledger")
        assert read_csv_text(study.folder / "output" / "ledger.csv")["digest"].iloc[-1] in set(ledger["digest"]), turn
        heads.add(len(ledger))
        assert {"institutions.csv", "arms.csv", "w1.csv"} <= {path.name for path in (study.folder / "data").iterdir()}
    killer.kill()
    killer.communicate()
    assert len(heads) > kills / 10
    time.sleep(0.1)
    import_file(study, tmp_path / "wave2-0.csv", "screening", wave="w2", replace=True)
    analyse(study)
    assert report(study).pages
    assert audit(study).problems == ()
