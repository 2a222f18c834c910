"""No verb loads what it does not use: what starts fast is said by what is *not* imported, which no busy machine changes.

Each verb runs in a process of its own, on a small study, and the modules that it loaded are read.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file

ENGINES = {"statsmodels", "linearmodels", "pingouin", "formulaic", "matplotlib"}
NUMBERS = {"numpy", "pandas", "scipy", "duckdb"}
PAGES = {
    "jinja2",
    "babel.messages",
    "babel.numbers",
    "babel.dates",
    "asp_eval.reporting",
}  # a study needs babel's list of languages
FILES = {"openpyxl", "pyreadstat"}
KEPT_OUT = {
    "--help": NUMBERS | ENGINES | PAGES | FILES | {"babel", "pydantic", "yaml", "rich"},
    "instruments list": NUMBERS | ENGINES | PAGES | FILES | {"babel"},
    "instruments show sdq-teacher-4-17": NUMBERS | ENGINES | PAGES | FILES,
    "init new": {"scipy", "duckdb"} | ENGINES | PAGES | FILES,
    "import institutions.csv --table institutions --study STUDY": {"scipy", "asp_eval.stats"} | ENGINES | PAGES | FILES,
    "check --study STUDY": {"scipy.optimize"} | ENGINES | PAGES | FILES,
    "randomise --seed 4 --study STUDY": {"scipy", "asp_eval.stats"} | ENGINES | PAGES | FILES,
    "score --study STUDY": {"scipy", "asp_eval.stats"} | ENGINES | PAGES | FILES,
}
LOADED = """
import sys
from asp_eval.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
print(*sys.modules, file=sys.stderr)
"""


@pytest.fixture
def folder(rated, tmp_path: Path) -> Path:
    """A folder with a study that has no lot yet, one with answers, and a list of institutions."""
    (tmp_path / "institutions.csv").write_text("institution_id,municipality\nA1,Aarhus\nA2,Aarhus\n", encoding="utf-8")
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "study.yaml").write_bytes((rated.folder / "study.yaml").read_bytes())
    return tmp_path


@pytest.mark.parametrize("command", KEPT_OUT)
def test_a_verb_loads_nothing_that_it_does_not_use(folder, command):
    if command.startswith("randomise"):  # of what was imported
        import_file(load_study(folder / "fresh"), folder / "institutions.csv", "institutions")
    study = "fresh" if command.startswith(("import", "randomise")) else "study"
    assert not KEPT_OUT[command] & run(folder, command.replace("STUDY", study))


def run(folder: Path, command: str) -> set[str]:
    """Run a command, and return the modules that it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *command.split()], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())
