"""A small study in a folder of its own, and exports for it."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from asp_eval.store import Store, ledger, write_allocation
from asp_eval.store.ledger import digest_of
from asp_eval.store.ledger.seals import table_digests
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.analyse import analyse
from asp_eval.workflow.gap import gap_profiles
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.score import score_study

sys.path.insert(0, str(Path(__file__).parent))  # where survey_exports.py lies

STUDY_YAML = """\
version: 1
study: {id: small, title: {en: Small}, synthetic: true}
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
  staff_survey: {waves: [w1], instruments: [gap-competences-staff]}
outcomes:
  - {id: total, score: sdq-teacher.total, role: primary, better: lower, at: w2, baseline: w1}
"""
OLDER = instrument("sdq-teacher-4-17").columns
CHILD_SIDE, STAFF_SIDE = (f"gap-competences-{side}" for side in ("child", "staff"))
WITH_PROFILES = (
    STUDY_YAML.replace("[{family: sdq-teacher}]", f"[{{family: sdq-teacher}}, {CHILD_SIDE}]")
    + f"gap: {{staff: {STAFF_SIDE}, child: {CHILD_SIDE}, wave: w1}}\n"
)

Write = Callable[..., Path]


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """A study folder that holds a study.yaml and nothing else."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY_YAML)
    return load_study(folder)


def by_hand(study: Study, *statements: str) -> None:
    """Change the database as somebody does who opens it with another program."""
    with duckdb.connect(str(study.folder / "study.duckdb")) as connection:
        for statement in statements:
            connection.execute(statement)


def seal_again(folder: Path) -> None:
    """Write the digests of the tables as they are into the last entry, and seal it, as somebody who knows the package can."""
    with Store(folder).reading() as connection:
        assert connection is not None
        last, digests = ledger.entries(connection)[-1], table_digests(connection)
    body = last.content.model_copy(update={"tables": digests}).as_json
    sealed = digest_of(replace(last, body=body).text)
    with duckdb.connect(str(folder / "study.duckdb")) as connection:
        connection.execute("UPDATE ledger SET body = ?, digest = ? WHERE entry = ?", [body, sealed, last.entry])


@pytest.fixture
def incoming(tmp_path: Path) -> Path:
    """A folder outside the study, where exports arrive."""
    folder = tmp_path / "incoming"
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def drawn_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study folder with four institutions, drawn: made once, and copied for each test."""
    folder = tmp_path_factory.mktemp("drawn") / "study"
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY_YAML)
    study = load_study(folder)
    file = folder.parent / "institutions.csv"
    file.write_text("institution_id,municipality\nA1,Aarhus\nA2,Aarhus\nH1,Hvidovre\nH2,Hvidovre\n")
    import_file(study, file, "institutions")
    arms = pd.DataFrame({"institution_id": ["A1", "A2", "H1", "H2"], "arm": ["reference", "intervention"] * 2})
    write_allocation(study, arms)
    return folder


@pytest.fixture
def drawn(drawn_once: Path, tmp_path: Path) -> Study:
    """The study with four institutions, drawn."""
    return load_study(shutil.copytree(drawn_once, tmp_path / "study", dirs_exist_ok=True))


@pytest.fixture(scope="session")
def rated_once(drawn_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn study with the three children of `visits` at w1: made once. Tests read it, or copy it."""
    folder = shutil.copytree(drawn_once, tmp_path_factory.mktemp("rated") / "study")
    file = folder.parent / "wave1.csv"
    three_visits().to_csv(file, index=False, lineterminator="\n")
    import_file(load_study(folder), file, "screening", wave="w1")
    return folder


@pytest.fixture(scope="session")
def complete_once(drawn_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn study with both waves, a staff survey, scores, results and profiles: every verb has something to do."""
    folder = shutil.copytree(drawn_once, tmp_path_factory.mktemp("complete") / "study")
    (folder / "study.yaml").write_text(WITH_PROFILES)
    study = load_study(folder)
    for name, (frame, table, wave) in exports_of_both_sides().items():
        frame.to_csv(folder.parent / f"{name}.csv", index=False, lineterminator="\n")
        import_file(study, folder.parent / f"{name}.csv", table, wave=wave)
    score_study(study)
    analyse(study)
    gap_profiles(study)
    return folder


def exports_of_both_sides() -> dict[str, tuple[pd.DataFrame, str, str]]:
    """Return the files of a complete study by name, each with its table and its wave."""
    visits = three_visits().assign(**dict.fromkeys(instrument(CHILD_SIDE).columns, "3"))
    staff = pd.DataFrame({"respondent_id": ["1", "2"], "institution_id": ["A1", "A2"]})
    return {
        "wave1": (visits, "screening", "w1"),
        "wave2": (visits.assign(date="2007-09-14"), "screening", "w2"),
        "staff": (staff.assign(**dict.fromkeys(instrument(STAFF_SIDE).columns, "3")), "staff_survey", "w1"),
    }


@pytest.fixture
def rated(rated_once: Path, tmp_path: Path) -> Study:
    """The drawn study with the three children of `visits` at w1, for a test to write into."""
    return load_study(shutil.copytree(rated_once, tmp_path / "study", dirs_exist_ok=True))


@pytest.fixture(scope="session")
def fingerprint() -> Callable[[Study], dict[str, str]]:
    """Take down every file of a study folder but the database and the lists of faults for people, and every stored row."""

    def fingerprint(study: Study) -> dict[str, str]:
        files = {
            path.relative_to(study.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in study.folder.rglob("*")
            if path.is_file() and path.name != "study.duckdb" and "problems" not in path.parts
        }
        with Store(study.folder).reading() as connection:
            assert connection is not None
            names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
            return files | {name: connection.execute(f"SELECT * FROM {name}").df().to_csv() for name in names}

    return fingerprint


@pytest.fixture
def visits() -> pd.DataFrame:
    """Three children rated at w1 on the form from four years, every answer 1."""
    return three_visits()


def three_visits() -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "child_id": ["001", "002", "003"],
            "institution_id": ["A1", "A2", "H1"],
            "rater_id": ["r1", "r2", "r3"],
            "date": ["2006-09-14"] * 3,
            "sex": ["boy", "girl", "boy"],
            "birth_month": ["2002-01", "2001-06", "2002-09"],
            "mother_education": ["short"] * 3,
            "hours": ["30.5", "37", "20"],
        }
    )
    return frame.assign(**dict.fromkeys(OLDER, "1"))


@pytest.fixture
def export(incoming: Path) -> Write:
    """Write a frame as an export file outside the study."""

    def write(frame: pd.DataFrame, name: str = "wave1.csv", **options: object) -> Path:
        path = incoming / name
        frame.to_csv(path, index=False, **{"lineterminator": "\n", **options})
        return path

    return write
