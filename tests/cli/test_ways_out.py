"""Every way out of a command is ours: a code, a sentence, and no traceback.

1. What the machine does not give ends with 3, in words.  2. A defect ends with 3, and its report holds no data.  3. A path that
was given wrongly ends with 1.  4. Ctrl-C ends quietly.
"""

from __future__ import annotations

import _thread
import errno
import signal
import tempfile
import threading
from pathlib import Path

import duckdb
import pytest

from asp_eval.store import Store
from asp_eval.workflow import defects

SECRET = "Karen Hansen 010203-1234"
MACHINE = {
    "no room": OSError(errno.ENOSPC, "No space left on device"),
    "read-only": OSError(errno.EROFS, "Read-only file system"),
    "no memory": MemoryError(),
    "too deep": RecursionError(),
    "a query": duckdb.IOException(f"IO Error: {SECRET}"),
    "a broken block": duckdb.FatalException(f"FATAL Error: corrupt block of {SECRET}"),
}


@pytest.fixture
def failing(monkeypatch):
    """Return a function that makes ``asp-eval check`` raise an error."""

    def make(error: BaseException) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr("asp_eval.workflow.check.check_study", fail)

    return make


@pytest.mark.parametrize("name", MACHINE)
def test_what_the_machine_does_not_give_ends_with_3_in_words(name, failing, run, study):
    failing(MACHINE[name])
    for options in ((), ("--json",)):
        done = run("check", *options, cwd=study.folder)
        assert done.code == 3
        assert "RUN-002" in done.err + done.out
        assert SECRET not in done.err + done.out
        assert "Traceback" not in done.err


def test_a_defect_ends_with_3_and_its_report_holds_no_data(failing, run, study, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    try:
        raise KeyError(SECRET)
    except KeyError as inner:
        failing(ValueError(SECRET))
        error = inner
    done = run("check", cwd=study.folder)
    assert done.code == 3
    assert "RUN-003" in done.err
    assert "ValueError" in done.err
    (report,) = tmp_path.glob("asp-eval-*.txt")
    assert report.name in done.err.replace("\n    ", "")
    written = report.read_text()
    assert "ValueError" in written
    assert "main.py" in written
    for text in (written, done.err, "\n".join(defects._report(error))):
        assert SECRET not in text
        assert "Karen" not in text


def test_a_report_that_cannot_be_written_is_said_to_be_none(failing, run, study, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(Path(study.folder) / "nothing"))
    failing(ZeroDivisionError())
    done = run("check", cwd=study.folder)
    assert (done.code, "could not be written" in " ".join(done.err.split())) == (3, True)


def test_a_path_that_was_given_wrongly_ends_with_1(failing, run, study):
    failing(PermissionError(errno.EACCES, "Permission denied", "there.csv"))
    done = run("check", cwd=study.folder)
    assert (done.code, "CLI-005" in done.err) == (1, True)


def test_ctrl_c_in_the_middle_of_a_query_is_ctrl_c(study):
    with Store(study.folder).writing() as connection:
        connection.execute("CREATE TABLE one AS SELECT 1 AS x")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore Ctrl-C
    later = threading.Timer(0.3, _thread.interrupt_main)
    later.start()
    try:
        with pytest.raises(KeyboardInterrupt), Store(study.folder).reading() as opened:
            assert opened is not None
            opened.execute("SELECT sum(a.range * b.range) FROM range(1000000000) a, range(1000) b").fetchall()
    finally:
        signal.signal(signal.SIGINT, before)
        later.join()


def test_ctrl_c_ends_quietly(failing, run, study):
    failing(KeyboardInterrupt())
    done = run("check", cwd=study.folder)
    assert (done.code, done.out, done.err) == (130, "", "")
