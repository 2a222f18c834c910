"""The store among processes: one at a time, and whole after any death."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.store import Store, table
from asp_eval.store.audit import audit
from asp_eval.workflow.import_file import import_file

KILLED = """
import os, signal, sys, time
from pathlib import Path
import duckdb
from asp_eval.workflow.import_file import import_file
from asp_eval.trial.study.protocol import load_study
study = load_study(sys.argv[1])
incoming = Path(sys.argv[2])
waiting = Path(sys.argv[1], "output/quarantine/screening-w1.csv")
corrected = incoming / "corrected.csv"

def corrections():
    for turn in range(1000):
        import_file(study, incoming / f"faulty{turn % 2}.csv", "screening", wave="w1", replace=True)
        corrected.write_text(waiting.read_text().replace(",x,", ",boy,", 100))
        import_file(study, corrected, "screening", wave="w1")

def replacements():
    for turn in range(1000):
        for name in ("small.csv", "large.csv"):
            import_file(study, incoming / name, "screening", wave="w1", replace=True)

print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        {"corrections": corrections, "replacements": replacements}[sys.argv[3]]()
    time.sleep(float(line))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print("dead", flush=True)
"""
HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("ready", flush=True)
time.sleep(float(sys.argv[2]))
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def kill_after(killer: subprocess.Popen[str], seconds: float) -> None:
    """Let the killer begin its imports, and kill them after some seconds."""
    assert killer.stdin is not None
    assert killer.stdout is not None
    killer.stdin.write(f"{seconds}\n")
    killer.stdin.flush()
    assert killer.stdout.readline() == "dead\n"


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.fixture
def exports(visits: pd.DataFrame, export, incoming: Path) -> Path:
    export(visits.iloc[:2], "small.csv")
    many = pd.concat([visits.assign(child_id=[f"{turn}-{row}" for row in range(3)]) for turn in range(300)])
    export(pd.concat([visits, many]), "large.csv")
    return incoming


def test_the_second_process_waits_for_the_first(drawn, exports):
    process = start(HOLD, drawn.folder / "study.duckdb", 1.0)
    try:
        began = time.monotonic()
        report = import_file(drawn, exports / "small.csv", "screening", wave="w1")
        assert report.stored
        assert time.monotonic() - began > 0.3
    finally:
        end(process)


def test_the_second_process_says_who_holds_the_data_and_keeps_nothing(drawn, exports, monkeypatch):
    monkeypatch.setattr(Store, "of", lambda study: Store(study.folder, patience=0.1, study_id=study.study.id))
    process = start(HOLD, drawn.folder / "study.duckdb", 60)
    try:
        with pytest.raises(Refusal, match="STO-001") as caught:
            import_file(drawn, exports / "small.csv", "screening", wave="w1")
        if sys.platform == "linux":
            assert f"process {process.pid}" in str(caught.value)
    finally:
        end(process)
    assert not (drawn.folder / "data" / "small.csv").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_kill_at_any_moment_leaves_before_or_after(drawn, exports):
    children = {2: 2, 903: 903, 0: 0}
    killer = start(KILLED, drawn.folder, exports, "replacements")
    for turn in range(3):
        kill_after(killer, 0.1 + 0.3 * turn)
        seen, ledger = table(drawn, "screening"), table(drawn, "import_ledger")
        standing = ledger.loc[(ledger["table_name"] == "screening") & ~ledger["superseded"]]
        assert len(standing) <= 1
        assert len(seen) == (standing["accepted"].iloc[0] if len(standing) else 0)
        assert len(table(drawn, "children")) == children[len(seen)]
        assert len(table(drawn, "screening_sdq-teacher-4-17")) == len(seen)
    end(killer)
    assert import_file(drawn, exports / "large.csv", "screening", wave="w1").rows_read == 903
    assert len(table(drawn, "screening")) == 903


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
@pytest.mark.slow  # a kill of replacements, which takes back more, is above
def test_killed_at_random_moments_the_study_reconciles_every_time(drawn, visits, export, incoming):
    many = pd.concat([visits.assign(child_id=[f"{turn}-{row}" for row in range(3)]) for turn in range(100)])
    for number in range(2):
        file = export(many.assign(sex=["boy", "x", "x"] * 100, hours=str(number)), f"faulty{number}.csv")
        file.with_name(f"{file.name}.mapping.yaml").write_text("version: 1\nstop_at: {share_of_rows: 1}\n")
    killer = start(KILLED, drawn.folder, incoming, "corrections")
    moments = random.Random(20061)
    seen = set()
    for _ in range(200):
        kill_after(killer, moments.uniform(0, 1))
        assert audit(drawn).problems == ()
        ledger = table(drawn, "import_ledger")
        here = ledger.loc[ledger["table_name"] == "screening"]
        waits = len(table(drawn, "quarantine"))
        assert waits == here["quarantined"].sum()
        assert len(table(drawn, "screening")) == here["accepted"].sum() == (300 - waits if len(here) else 0)
        seen.add((waits, len(here) > 0))
    end(killer)
    assert {waits for waits, _ in seen} <= {0, 100, 200}
    assert seen >= {(100, True), (200, True)}  # or every kill came before, or after, everything
    import_file(drawn, incoming / "faulty0.csv", "screening", wave="w1", replace=True)
    waiting = len(table(drawn, "quarantine"))
    file = drawn.folder / "output" / "quarantine" / "screening-w1.csv"
    assert file.exists() == (waiting > 0)
    assert [path for path in (drawn.folder / "data").iterdir() if path.name.startswith(".")] == []


def test_two_processes_that_import_files_of_one_name_keep_both(drawn, visits, tmp_path):
    code = """
import multiprocessing, sys
from asp_eval.store import Store
from asp_eval.workflow.import_file import import_file
from asp_eval.trial.study.protocol import load_study
Store.of = lambda study: Store(study.folder, patience=60, study_id=study.study.id)  # a busy machine is no refusal

def take_in(wave, gate):
    gate.wait()
    import_file(load_study(sys.argv[1]), f"{sys.argv[2]}/{wave}/wave.csv", "screening", wave=wave)

two = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
if __name__ == "__main__":
    gate = two.Barrier(2)
    started = [two.Process(target=take_in, args=(wave, gate)) for wave in ("w1", "w2")]
    [process.start() for process in started]
    [process.join() for process in started]
    print([process.exitcode for process in started])
"""
    for wave, date in (("w1", "2006-09-14"), ("w2", "2007-09-01")):
        (tmp_path / wave).mkdir()
        visits.assign(date=date).to_csv(tmp_path / wave / "wave.csv", index=False)
    (tmp_path / "two.py").write_text(code)
    command = [sys.executable, str(tmp_path / "two.py"), str(drawn.folder), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "[0, 0]\n", done.stderr
    assert audit(drawn).problems == ()
    assert {"wave.csv", "wave-2.csv"} <= {path.name for path in (drawn.folder / "data").iterdir()}


def test_a_store_that_changed_meanwhile_is_validated_against_again(drawn, exports, monkeypatch):
    from asp_eval.intake import pipeline

    calls: list[int] = []
    plain = pipeline.sift

    def interrupted(*arguments: object, **named: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            import_file(drawn, exports / "small.csv", "screening", wave="w1")
        return plain(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(pipeline, "sift", interrupted)
    report = import_file(drawn, exports / "large.csv", "screening", wave="w1")
    assert report.superseded == "small.csv"
    assert len(calls) == 3


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell which processes run")
def test_the_empty_database_of_a_dead_process_is_swept_and_that_of_a_living_one_is_not(study):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = [f".study.duckdb.{number}.part" for number in (gone.pid, os.getppid(), "mine")]
    for name in names:
        (study.folder / name).write_bytes(b"")
    with Store(study.folder).writing():
        pass
    assert sorted(path.name for path in study.folder.glob(".study*")) == sorted(names[1:])


def test_what_is_no_database_is_refused(study):
    (study.folder / "study.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(Refusal, match="STO-002"):
        table(study, "institutions")
    with pytest.raises(Refusal, match="STO-002"), Store(study.folder).writing():
        pass


def test_an_error_inside_a_transaction_takes_it_back(study):
    store = Store(study.folder)
    with store.writing() as connection:
        connection.execute("CREATE TABLE kept (x INTEGER)")
    with pytest.raises(duckdb.Error), store.writing() as connection:
        connection.execute("CREATE TABLE lost (x INTEGER)")
        connection.execute("nonsense")
    with store.reading() as connection:
        assert connection is not None
        assert connection.execute("SELECT table_name FROM information_schema.tables").fetchall() == [("kept",)]
    assert [path.name for path in study.folder.iterdir() if path.name.startswith(".")] == []
