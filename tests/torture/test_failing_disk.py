"""A disk that fails, and a process that dies, at any write: the study is as it was, or as it should be, never a third.

1. For every verb that writes, and for every write it does, one after the other: if that write fails, or the process dies there,
then after the next command the ledger, the tables and the files in ``output`` and ``data`` are all those of before, or all the
new ones (of a file that a process began to take in when it died, a copy may lie in ``data``); so
with `power`, which enters nothing, and with `init`, which begins a study.  An export into a folder elsewhere is the old one or
the new one, or has no list of its files, and the next export there makes it whole.
2. A transaction that cannot be committed changes nothing, and ends with 3.

A write is what Python tells its audit hooks of: a file opened to be written, renamed, linked or removed, a folder made or
removed. What the database itself writes is not among them; there the transaction is the write, and processes are killed in
earnest: see `test_kills`.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import pytest

from asp_eval.analysis.outcomes import analyse as planned_analysis
from asp_eval.analysis.power_inputs import Wishes
from asp_eval.analysis.profiles import study_gap_profiles
from asp_eval.analysis.study_power import study_power
from asp_eval.core.csv_text import read_csv_text
from asp_eval.core.errors import AspError
from asp_eval.core.file_sets import LIST
from asp_eval.store import Store, connection, table
from asp_eval.store.attached_files import close_file
from asp_eval.store.audit import audit
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow import analyse as analyse_verb
from asp_eval.workflow import gap as gap_verb
from asp_eval.workflow import power as power_verb
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.export import export
from asp_eval.workflow.export_files import PACKAGE
from asp_eval.workflow.forget import forget
from asp_eval.workflow.gap import gap_profiles
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.init import init_study
from asp_eval.workflow.plan_lock import lock_plan
from asp_eval.workflow.power import planned_power
from asp_eval.workflow.randomise import randomise
from asp_eval.workflow.report import report
from asp_eval.workflow.score import score_study
from tests.counted_trial import WAVE1, store
from tests.products import each_value
from tests.small_study import STUDY_YAML

WRITES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.chmod", "tempfile.mkdtemp"}
MOST_WRITES = 200
UNDRAWN = "institution_id,municipality\nA1,Aarhus\nA2,Aarhus\nH1,Hvidovre\nH2,Hvidovre\n"
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


VERBS: dict[str, Callable[[Study], object]] = {
    "import": lambda study: import_file(study, study.folder.parent / "faulty.csv", "screening", wave="w1", replace=True),
    "analyse": analyse,
    "report": report,
    "export": export,
    "score": score_study,
    "gap": gap_profiles,
    "randomise": lambda study: randomise(study, seed=7),
    "plan lock": lock_plan,
    "forget": lambda study: forget(study, "001", copies=True),
    "power": lambda study: planned_power(study, effects=(0.2,), iccs=(0.1,), institutions=20, size=20.0),
}
ENTERS_NOTHING = ("power",)


@pytest.fixture(scope="module")
def started(small_study, rated_once, complete_once, tmp_path_factory) -> dict[str, Path]:
    """For each verb a study that it has something to do in."""
    folder = tmp_path_factory.mktemp("started")
    (folder / "faulty.csv").write_text(FAULTY)
    analysed = load_study(shutil.copytree(small_study.folder, folder / "analysed"))
    analyse(analysed)
    undrawn = folder / "undrawn"
    undrawn.mkdir()
    (undrawn / "study.yaml").write_text(STUDY_YAML)
    store(load_study(undrawn), folder, "list", UNDRAWN, "institutions")
    return {
        **dict.fromkeys(("analyse", "import"), small_study.folder),
        **dict.fromkeys(("report", "export"), analysed.folder),
        **dict.fromkeys(("score", "forget", "plan lock"), rated_once),
        **dict.fromkeys(("randomise", "power"), undrawn),
        "gap": complete_once,
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


def kept(study: Study) -> dict[str, bytes]:
    """Return every file in ``data`` that people see."""
    files = [path for path in (study.folder / "data").rglob("*") if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(study.folder).as_posix(): path.read_bytes() for path in files}


def stored(study: Study) -> dict[str, str]:
    with Store(study.folder).reading() as opened:
        assert opened is not None
        names = [name for (name,) in opened.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
        return {name: opened.execute(f"SELECT * FROM {name}").df().to_csv() for name in names}


@pytest.fixture(scope="module")
def computed(started):
    """Results, profiles and power of the studies."""
    wishes = Wishes((0.2,), (0.1,), 20, 20.0)
    return (
        planned_analysis(load_study(started["analyse"])),
        study_gap_profiles(load_study(started["gap"])),
        study_power(load_study(started["power"]), wishes),
    )


@pytest.fixture
def fixed_results(computed, monkeypatch):
    """The models are fitted once: what is tried here is how results are written."""
    results, profiles, power = computed
    monkeypatch.setattr(analyse_verb, "planned_analysis", lambda *_: results)
    monkeypatch.setattr(gap_verb, "study_gap_profiles", lambda *_: profiles)
    monkeypatch.setattr(power_verb, "study_power", lambda *_, **__: power)


@pytest.mark.parametrize(("verb", "dies"), each_value([*VERBS], [False, True]))
@pytest.mark.parametrize("step", [59, pytest.param(1, marks=pytest.mark.slow)])
def test_at_every_write_the_study_is_as_it_was_or_as_it_should_be(step, verb, dies, started, tmp_path, fixed_results):
    """Some writes in the tests of every day, each of them in the slow ones."""
    (tmp_path / "faulty.csv").write_text(FAULTY)
    begun, seen = load_study(shutil.copytree(started[verb], tmp_path / "begun")), set()
    old, was_kept, now_kept = (stored(begun), shown(begun)), kept(begun), []
    old_entries, powered = len(table(begun, "ledger")), {"power.csv", "power.svg"}
    for number in range(1 + step // 8, MOST_WRITES, step):
        study = load_study(shutil.copytree(begun.folder, tmp_path / "study"))
        ended = True
        with DISK.failing(number, dies=dies):
            try:
                VERBS[verb](study)
            except (OSError, AspError, Dead, duckdb.Error):
                ended = False
        entries = len(table(study, "ledger"))  # the next command, which finishes what was begun
        is_new = entries > old_entries or powered <= shown(study).keys()
        now_kept += [kept(study)] if is_new else []
        if not is_new:
            assert (stored(study), shown(study)) == old, number
            assert was_kept.items() <= kept(study).items(), number
            assert dies or was_kept == kept(study), number
        elif verb not in ENTERS_NOTHING:
            assert audit(study).problems == (), number
            people = read_csv_text(study.folder / "output" / "ledger.csv")["digest"].tolist()
            assert people[-1] == table(study, "ledger")["digest"].iloc[-1] or verb == "export", number
        seen.add(is_new)
        if ended and DISK.count < number:
            break
        shutil.rmtree(study.folder)
    assert seen == {False, True}, number
    assert all(each == now_kept[-1] for each in now_kept)  # the last is that of a command that nothing hindered


@pytest.mark.parametrize(
    ("step", "dies"), [(61, True), *(pytest.param(1, dies, marks=pytest.mark.slow) for dies in (False, True))]
)
def test_an_export_elsewhere_is_whole_after_the_next_one(step, dies, started, tmp_path):
    outside, seen = tmp_path / "outside", set()
    begun = load_study(shutil.copytree(started["export"], tmp_path / "begun"))
    export(begun, outside)
    (outside / "children.csv").write_text("of the export before")
    old = held(outside)
    new = held(export(begun, tmp_path / "new").folder)
    for number in range(1, MOST_WRITES, step):
        target = shutil.copytree(outside, tmp_path / "target")
        ended = True
        with DISK.failing(number, dies=dies):
            try:
                export(begun, target)
            except (OSError, AspError, Dead, duckdb.Error):
                ended = False
        found = held(target)
        seen.add(found == new)
        assert found in (old, new) or PACKAGE not in found, number
        export(begun, target)
        assert held(target) == new, number
        assert [path.name for path in target.iterdir() if path.name.startswith(".") and (path / LIST).is_file()] == []
        if ended and DISK.count < number:
            break
        shutil.rmtree(target)
    assert (seen, audit(begun).problems) == ({False, True}, ())


def held(folder: Path) -> dict[str, str]:
    """Return the files of a folder that people see."""
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("dies", [False, True], ids=["the write fails", "the process dies"])
def test_a_study_is_begun_or_the_folder_is_as_good_as_empty(dies, tmp_path):
    seen = set()
    for number in range(1, MOST_WRITES):
        folder = tmp_path / str(number)
        with DISK.failing(number, dies=dies), suppress(OSError, AspError, Dead):
            init_study(folder)
        if DISK.count < number:
            break
        try:
            init_study(folder)
            is_begun = False
        except AspError as refused:
            assert "CLI-001" in str(refused)  # it was begun, or finished now
            is_begun = True
        assert load_study(folder).study.id
        assert (folder / "study.schema.json").is_file()
        seen.add(is_begun)
    assert seen == {False, True}


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
    monkeypatch.setattr(connection, "close_file", lambda full: close_file(full._opened))
    done = run("import", tmp_path / "faulty.csv", "--table", "screening", "--wave", "w1", "--replace", cwd=study.folder)
    monkeypatch.undo()
    assert (done.code, "RUN-002" in done.err, "Traceback" in done.err) == (3, True, False)
    assert (stored(study), shown(study), sorted(path.name for path in (study.folder / "data").iterdir())) == before
