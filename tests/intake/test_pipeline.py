"""One path in: whatever door a file comes through, the same things are refused, with the same codes.

1. the command's import, its dry run and `read_table` give the same codes for every kind of bad input; 2. so does a corrected file
from quarantine; 3. the proposer refuses what cannot be read or protected; 4. a stage refuses what another stage made, by type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import get_type_hints

import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.intake import pipeline
from asp_eval.intake.checks import validation
from asp_eval.intake.checks.context import CheckContext
from asp_eval.intake.checks.validation import Sifted
from asp_eval.intake.files.protected import ProtectedTable
from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.mapping.applying import MappedTable
from asp_eval.intake.pipeline import IncomingFile, read_table
from asp_eval.intake.privacy.keys import create_key
from asp_eval.intake.proposing.proposing import propose
from asp_eval.intake.table import Table
from asp_eval.store import Store
from asp_eval.store.check_context import check_context
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.trial.tables.schema import table_schema
from asp_eval.workflow.import_file import import_file

ITEM = "sdq-teacher-4-17.obeys"
NUMBER = "010203-4567"


@dataclass(frozen=True)
class Bad:
    """One kind of bad input: the file's rows, its mapping, its study, and the codes of its faults."""

    codes: frozenset[str]
    change: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame
    mapping: str | None = None
    content: bytes | None = None
    name: str = "wave1.csv"
    keys: str | None = None  # where the keys of pseudonyms lie
    inside: bool = False  # whether the file lies in the study folder


def cell(column: str, value: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return a change of one cell in the first row."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        frame.loc[0, column] = value
        return frame

    return change


def bad(*codes: str, **options: object) -> Bad:
    return Bad(frozenset(codes), **options)  # type: ignore[arg-type]


TABLE = {
    "no file": bad("SCR-001", content=None, name="absent.csv"),
    "an empty file": bad("SCR-002", content=b""),
    "half a workbook": bad("SCR-012", content=b"PK\x03\x04 broken", name="wave1.xlsx"),
    "a column twice": bad("SCR-004", content=b"a,a\n1,2\n"),
    "an unknown column": bad("SCR-040", change=lambda frame: frame.assign(surplus="1")),
    "no key column": bad("SCR-041", change=lambda frame: frame.drop(columns="child_id")),
    "no instrument": bad("SCR-062", change=lambda frame: frame.drop(columns=[n for n in frame if "." in n])),
    "an answer that is none": bad("SCR-014", change=cell(ITEM, "7")),
    "a number that is none": bad("SCR-042", change=cell("hours", "many")),
    "an empty id": bad("SCR-045", change=cell("child_id", "")),
    "an unlisted institution": bad("SCR-050", change=cell("institution_id", "A9")),
    "a birth after the rating": bad("SCR-064", change=cell("birth_month", "2006-10")),
    "the same child twice": bad("SCR-046", change=cell("child_id", "002")),
    "a personal number": bad("SCR-142", change=cell("mother_education", NUMBER)),
    "an e-mail address": bad("SCR-143", change=cell("mother_education", "a@example.org")),
    "a name of a person": bad("SCR-140", change=lambda frame: frame.assign(cpr="1")),
    "a personal number in the mapping": bad("SCR-146", mapping=f"version: 1\n# {NUMBER}\n"),
    "a mapping of an absent column": bad("SCR-020", mapping="version: 1\nrename: {nowhere: child_id}\n"),
    "a mapping that leaves no row": bad("SCR-022", mapping="version: 1\nkeep_rows: child_id == x\n"),
    "a mapping with an unknown key": bad("DOC-008", mapping="version: 1\nrenames: {a: b}\n"),
    "a mapping that is no YAML": bad("DOC-004", mapping="version: [1\n"),
    "a mapping of brackets": bad("DOC-011", mapping="a: " + "[" * 5_000),
    "a filter that names an absent column": bad("SCR-020", mapping="version: 1\nkeep_rows: nowhere == 1\n"),
    "a dialect that is not known": bad("SCR-071", mapping="version: 1\nformat: {dialect: tally}\n"),
    "the keys inside the study": bad("SCR-162", keys="study/keys"),
    "no key": bad("SCR-160", keys="elsewhere"),
    "persons inside the study folder": bad(
        "SCR-149", change=lambda frame: frame.assign(navn="Anna"), mapping="version: 1\nignore: [navn]\n", inside=True
    ),
}


@pytest.fixture
def arriving(drawn: Study, visits: pd.DataFrame, incoming: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make the study and the file of one kind of bad input."""

    def make(bad: Bad) -> tuple[Study, Path]:
        study = drawn
        if bad.keys:
            monkeypatch.setenv("ASP_EVAL_KEYS", str(tmp_path / "keys"))
            key, file = create_key(study.folder)
            monkeypatch.setenv("ASP_EVAL_KEYS", str(tmp_path / bad.keys))
            if bad.keys.startswith("study"):
                file.parent.rename(tmp_path / bad.keys)
            with (study.folder / "study.yaml").open("a") as yaml:
                yaml.write(f"privacy: {{pseudonymise: [child_id], key: {key.id}}}\n")
            study = load_study(study.folder)
        path = (study.folder if bad.inside else incoming) / bad.name
        if bad.content is not None:
            path.write_bytes(bad.content)
        elif bad.name != "absent.csv":
            bad.change(visits).to_csv(path, index=False)
        if bad.mapping:
            path.with_name(f"{path.name}.mapping.yaml").write_text(bad.mapping)
        return study, path

    return make


def errors_of(call: Callable[[], object]) -> frozenset[str]:
    """Return the codes of the errors that a call refuses a file with, or of the rows that it puts into quarantine."""
    try:
        report = call()
    except DataProblems as error:
        problems = error.problems
    except Refusal as error:
        return frozenset([str(error)[1:8]])
    else:
        problems = getattr(report, "problems", ())
    return frozenset(problem.code for problem in problems if problem.severity == "error")


def stored(study: Study) -> CheckContext:
    with Store(study.folder).reading() as connection:
        assert connection is not None
        return check_context(connection, study, table_schema("screening", study, "w1"))


@pytest.mark.parametrize("kind", TABLE)
def test_every_door_refuses_the_same(arriving, kind):  # 1
    study, path = arriving(TABLE[kind])
    doors = {
        "dry run": lambda: import_file(study, path, "screening", wave="w1", dry_run=True),
        "read_table": lambda: read_table(path, table_schema("screening", study, "w1"), study=study, context=stored(study)),
        "import": lambda: import_file(study, path, "screening", wave="w1"),
    }
    assert {door: errors_of(call) for door, call in doors.items()} == dict.fromkeys(doors, TABLE[kind].codes)


UNREADABLE = (
    "no file",
    "an empty file",
    "half a workbook",
    "a column twice",
    "a mapping that is no YAML",
    "a mapping of brackets",
    "a personal number in the mapping",
    "a dialect that is not known",
)


@pytest.mark.parametrize("kind", UNREADABLE)
def test_the_proposer_refuses_what_cannot_be_read(arriving, kind):  # 3
    study, path = arriving(TABLE[kind])
    assert errors_of(lambda: propose(study, path, "screening", "w1")) == TABLE[kind].codes


@pytest.fixture
def waiting(drawn: Study, visits: pd.DataFrame, export, incoming: Path) -> tuple[Study, Path, pd.DataFrame]:
    """A study with one row in quarantine, and the file that corrects it."""
    import_file(drawn, export(cell(ITEM, "7")(visits)), "screening", wave="w1")
    written = drawn.folder / "output" / "quarantine" / "screening-w1.csv"
    return drawn, incoming / "corrected.csv", pd.read_csv(written, dtype="string", keep_default_na=False)


CORRECTIONS = {
    "an answer that is none": (ITEM, "8", {"SCR-014"}),
    "a personal number": ("mother_education", NUMBER, {"SCR-142"}),
    "an unlisted institution": ("institution_id", "A9", {"SCR-050"}),
    "no number": ("quarantine_row", "x", {"SCR-126"}),
    "another import": ("quarantine_of", "1 sha256:0123456789ab", {"STO-031"}),
}


@pytest.mark.parametrize("kind", CORRECTIONS)
def test_a_correction_is_refused_alike_stored_or_not(waiting, kind):  # 2
    study, path, frame = waiting
    column, value, codes = CORRECTIONS[kind]
    frame.assign(**{ITEM: "1"}).assign(**{column: value}).to_csv(path, index=False)
    doors = {
        dry: errors_of(lambda dry=dry: import_file(study, path, "screening", wave="w1", dry_run=dry)) for dry in (True, False)
    }
    assert doors == {True: codes, False: codes}
    for alone in (
        lambda: read_table(path, table_schema("screening", study, "w1")),
        lambda: propose(study, path, "screening", "w1"),
    ):
        assert errors_of(alone) == {"SCR-130"}  # both know nothing of quarantine


def test_the_mapping_beside_a_file_is_read_at_every_door(study, visits, export):  # 1
    path = export(visits.rename(columns={"child_id": "barn"}))
    path.with_name("wave1.csv.mapping.yaml").write_text("version: 1\nrename: {barn: child_id}\n")
    assert len(read_table(path, table_schema("screening", study, "w1"))) == len(visits)


STEPS = (IncomingFile.read, IncomingFile.protect, IncomingFile.map, IncomingFile.sift, Sifted.whole)


def test_each_stage_accepts_only_what_the_one_before_returns():  # 4
    hints = [get_type_hints(step, {**vars(pipeline), **vars(validation)}) for step in STEPS]
    states = [RawTable, ProtectedTable, MappedTable, Sifted, Table]
    assert [hint["return"] for hint in hints] == states
    accepted = [next(kind for name, kind in hint.items() if name not in ("return", "context")) for hint in hints[1:4]]
    assert accepted == states[:3]
    for one in states:
        assert [each for each in states if issubclass(one, each)] == [one]  # so that none passes for another
