"""One child's answers are taken out of everything that a study holds; the ledger says that and when, and not whose."""

import hashlib
import shutil

import pandas as pd
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.core.file_sets import NewFiles
from asp_eval.store import Store, forgetting, table
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow import forget as forget_verb
from asp_eval.workflow.check import check_ledger
from asp_eval.workflow.forget import forget
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.score import score_study
from tests.small_study import OLDER, STUDY_YAML

CHILD = "barn-4711"


def screening(path, *, date: str, bad: str | None = None):
    """A file of 30 children: the one who will withdraw is the fourth; `bad` names one with an impossible answer."""
    ids = [CHILD if i == 3 else f"barn-{i}" for i in range(30)]
    frame = pd.DataFrame({"child_id": ids, "institution_id": "A1", "date": date})
    answers = pd.DataFrame(1, index=range(30), columns=list(OLDER))
    answers.loc[[one == bad for one in ids], OLDER[0]] = 7
    frame = frame.join(answers)
    frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_excel(path, index=False)
    return path


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory):
    """The folders of a study and of the files that came in, made once."""
    both = tmp_path_factory.mktemp("filled")
    folder, incoming = both / "study", both / "incoming"
    folder.mkdir(), incoming.mkdir()
    (folder / "study.yaml").write_text(STUDY_YAML)
    study = load_study(folder)
    (incoming / "institutions.csv").write_text("institution_id,municipality\nA1,A\n")
    import_file(study, incoming / "institutions.csv", "institutions")
    import_file(study, screening(incoming / "w1.csv", date="2006-09-10"), "screening", wave="w1")
    import_file(study, screening(incoming / "w2.xlsx", date="2007-09-10", bad=CHILD), "screening", wave="w2")
    score_study(study)
    return both


@pytest.fixture
def incoming(filled_once, tmp_path):
    return shutil.copytree(filled_once / "incoming", tmp_path / "incoming")


@pytest.fixture
def filled(filled_once, tmp_path):
    return load_study(shutil.copytree(filled_once / "study", tmp_path / "study"))


def everything(study) -> bytes:
    """All bytes of the study's folder."""
    return b"".join(path.read_bytes() for path in sorted(study.folder.rglob("*")) if path.is_file())


def test_the_child_is_gone_from_tables_quarantine_scores_and_the_database_file(filled):
    others = {name: len(table(filled, name)) for name in ("screening", "children", "scores")}
    found = forget(filled, CHILD)
    assert found.rows["quarantine"] == found.rows["screening"] == 1
    for name, n in others.items():
        rows = table(filled, name)
        assert CHILD not in rows.to_csv()
        assert len(rows) == n - found.rows[name]
    assert table(filled, "quarantine").empty
    assert CHILD.encode() not in (filled.folder / "study.duckdb").read_bytes()
    assert not (filled.folder / "output" / "quarantine" / "screening-w2.csv").exists()
    assert found.removed
    assert all(CHILD.encode() not in path.read_bytes() for path in (filled.folder / "output").rglob("*") if path.is_file())
    assert found.still_in == ("data/w1.csv", "data/w2.xlsx")


def test_the_ledger_says_that_and_when_and_adds_up_and_not_who(filled):
    head = table(filled, "ledger")["digest"].iloc[-1]
    forget(filled, CHILD)
    chain = table(filled, "ledger")
    assert (chain["kind"].iloc[-1], chain["recorded_at"].iloc[-1][:2]) == ("forget", "20")
    sha = hashlib.sha256(CHILD.encode()).hexdigest()
    assert not any(CHILD in text or sha in text for text in chain.iloc[-1].astype(str))
    imported = table(filled, "import_ledger").set_index("file")
    assert imported["rows_forgotten"].to_dict() == {"institutions.csv": 0, "w1.csv": 1, "w2.xlsx": 1}
    assert imported.loc["w2.xlsx", ["accepted", "quarantined"]].tolist() == [29, 0]
    found = check_ledger(filled, str(head))
    assert not found.problems


def test_with_copies_nothing_in_the_folder_names_the_child(filled, incoming):
    found = forget(filled, CHILD, copies=True)
    assert len(found.copies) == 2
    assert found.still_in == ()
    assert CHILD.encode() not in everything(filled)
    assert not check_ledger(filled).problems
    kept = {path.name for path in (filled.folder / "data").rglob("*") if path.is_file()}
    assert {"w1.csv", "w2.xlsx"}.isdisjoint(kept)


class Killed(BaseException):
    """What ends a process."""


@pytest.mark.parametrize(("owner", "step"), [(NewFiles, "put_in_place"), (Store, "_write_anew")])
def test_what_a_killed_process_did_not_take_away_the_next_command_does(filled, monkeypatch, owner, step):
    def killed(*_):
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(owner, step, killed)
        patched.setattr(forgetting, "is_entered", killed)  # a process that ends by itself would finish now
        forget(filled, CHILD, copies=True)
    assert CHILD.encode() in everything(filled)
    assert table(filled, "ledger")["kind"].iloc[-1] == "forget"  # the next command
    assert CHILD.encode() not in everything(filled)
    assert not check_ledger(filled).problems


def test_a_file_that_came_in_while_the_others_were_searched_is_not_left_out(filled, incoming, monkeypatch):
    searched = forget_verb.holding

    def searching(*given):
        yield from searched(*given)
        import_file(filled, screening(incoming / "again.csv", date="2006-09-11"), "screening", wave="w1", replace=True)

    monkeypatch.setattr(forget_verb, "holding", searching)
    with pytest.raises(Refusal, match="STO-047"):
        forget(filled, CHILD, copies=True)
    assert {path.name for path in (filled.folder / "data").iterdir()} == {"institutions.csv", "w1.csv", "w2.xlsx", "again.csv"}
    monkeypatch.undo()
    forget(filled, CHILD, copies=True)
    assert CHILD.encode() not in everything(filled)


def test_the_copy_that_is_left_is_read_as_the_file_was(filled, tmp_path):
    before = table(filled, "screening_sdq-teacher-4-17").query("child_id != @CHILD").reset_index(drop=True)
    found = forget(filled, CHILD, copies=True)
    for wave, name in zip(("w1", "w2"), found.copies, strict=True):
        import_file(filled, filled.folder / "data" / name, "screening", wave=wave, replace=True)
    after = table(filled, "screening_sdq-teacher-4-17")
    keys = ["child_id", "wave"]
    pd.testing.assert_frame_equal(after.sort_values(keys, ignore_index=True), before.sort_values(keys, ignore_index=True))
    assert len(after) == 58


def test_a_child_nobody_has_is_refused_and_nothing_changes(filled):
    before = table(filled, "ledger")
    with pytest.raises(Refusal, match="STO-060"):
        forget(filled, "nobody", copies=True)
    assert table(filled, "ledger").equals(before)


def test_a_child_is_gone_twice(filled):
    forget(filled, CHILD, copies=True)
    with pytest.raises(Refusal, match="STO-060"):
        forget(filled, CHILD, copies=True)


def test_the_command_says_what_is_gone_and_where_the_child_still_is(filled, run):
    shown = run("forget", CHILD, cwd=filled.folder)
    assert shown.code == 0
    assert "1 of quarantine" in shown.out
    assert "data/w1.csv" in shown.out
    assert run("forget", CHILD, "--copies", "--json", cwd=filled.folder).code == 0
    assert run("forget", CHILD, cwd=filled.folder).code == 1
