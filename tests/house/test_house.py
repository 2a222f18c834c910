"""The house stands as drawn: import contracts, style, types, public names, codes of faults, what the project says.

1. imports point downward only, no circle; 2. ruff; 3. mypy strict; 4. public names exist and are documented;
5. every fault has one code, and the list of faults in the docs is complete; 6. importing and --help are fast;
7. no file speaks of where it was made.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
import types_check

import asp_eval

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("list_faults", ROOT / "docs" / "list_faults.py")
list_faults = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(list_faults)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)


def test_import_contracts_are_kept():
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


@pytest.mark.parametrize("check", [("ruff", "check", "."), ("ruff", "format", "--check", ".")])
def test_ruff(check):
    result = run(*check)
    assert result.returncode == 0, result.stdout


def test_types():  # begun before the first test, and the last to run
    code, said = types_check.outcome()
    assert code == 0, said


@pytest.mark.parametrize("name", sorted(set(asp_eval.__all__) - {"__version__"}))
def test_every_public_name_exists_and_is_documented(name):
    value = getattr(asp_eval, name)
    assert len(inspect.getdoc(value) or "") > 40


@pytest.mark.parametrize("name", list_faults.modules())
def test_every_module_says_what_it_is(name):
    assert importlib.import_module(name).__doc__


def test_a_code_belongs_to_one_fault():
    codes = [fault.code for fault in list_faults.faults()]
    assert len(codes) > 50
    assert sorted(codes) == sorted(set(codes))
    assert all(re.fullmatch(r"[A-Z]{3}-\d{3}", code) for code in codes)


def test_the_documented_list_of_faults_is_complete():
    assert list_faults.PAGE.read_text(encoding="utf-8") == list_faults.page(), "run: python docs/list_faults.py"


def test_the_public_names_are_those_that_are_visible():
    """What ``__init__.pyi`` imports is what ``__all__`` lists, and what ``dir()`` shows."""
    tree = ast.parse((ROOT / "asp_eval" / "__init__.pyi").read_text(encoding="utf-8"))
    imported = [alias.asname or alias.name for part in tree.body if isinstance(part, ast.ImportFrom) for alias in part.names]
    assert len(imported) == len(set(imported))
    assert set(imported) == set(asp_eval.__all__) - {"__version__"}
    assert set(imported) <= set(dir(asp_eval))


def public_functions() -> dict[str, object]:
    found = {name: getattr(asp_eval, name) for name in asp_eval.__all__ if inspect.isfunction(getattr(asp_eval, name))}
    verbs = {f"StudyFolder.{name}": verb for name, verb in vars(asp_eval.StudyFolder).items() if inspect.isfunction(verb)}
    return {name: function for name, function in (found | verbs).items() if "__" not in name}


@pytest.mark.parametrize("name", public_functions())
def test_what_a_public_function_returns_is_a_public_type(name):
    """A user can name the type of what a function or a verb returned."""
    returned = str(inspect.signature(public_functions()[name]).return_annotation)
    ours = set(re.findall(r"(?<![\w.])[A-Z]\w+", returned)) - {"Path", "DataFrame", "Series", "None", "Array"}
    assert ours <= set(asp_eval.__all__), returned


@pytest.mark.parametrize(
    ("command", "kept_out"),
    [
        ("import asp_eval", {"pandas", "scipy", "statsmodels", "duckdb"}),
        ("import asp_eval.cli.main", {"pandas", "scipy", "statsmodels", "duckdb"}),
        ("from asp_eval import lmm", {"statsmodels", "pingouin", "linearmodels", "duckdb"}),
    ],
)
def test_nothing_slow_is_loaded_before_it_is_used(command, kept_out):
    script = f"import sys; {command}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()
    assert not kept_out & set(loaded)


def test_no_file_speaks_of_where_it_was_made():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode != 0:
        pytest.skip("not a git checkout")
    odd = re.compile(r"(^|[\s\"'(])/(home|work|tmp|root)/[a-z]|TODO|FIXME|raise NotImplementedError")
    lines = [
        f"{name}: {line.strip()[:80]}"
        for name in tracked.stdout.split()
        if not name.startswith("tests/house/")
        and (ROOT / name).suffix in {".py", ".md", ".yaml", ".toml", ".j2", ".po", ".R", ".css"}
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
        if odd.search(line)
    ]
    assert not lines
