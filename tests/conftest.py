"""What several tests share: one complete synthetic study, made once by the command a user types."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.small_study", "tests.counted_trial"]  # studies small enough to write, and to count, by hand

# The keys of pseudonyms are made where the tests can leave them, and never where a person keeps theirs.
os.environ["ASP_EVAL_KEYS"] = tempfile.mkdtemp(prefix="asp-eval-keys-")
atexit.register(shutil.rmtree, os.environ["ASP_EVAL_KEYS"], ignore_errors=True)

# Examples are drawn anew at every run on a desk, and the same ones where a run decides about a change. No example has a
# deadline: a slow machine is no fault.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("house")


@dataclass(frozen=True)
class Ran:
    """A command that was run, with its exit code and output."""

    code: int
    out: str
    err: str


def asp_eval(*arguments: str | Path, cwd: Path | None = None) -> Ran:
    """Run the command line in a process of its own, as a user does."""
    command = [sys.executable, "-m", "asp_eval.cli.main", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8")
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def run():
    """Return a function that runs ``asp-eval``."""
    return asp_eval


@dataclass(frozen=True)
class Demo:
    """The demo's study folder and what the command printed."""

    folder: Path
    out: str


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Demo:
    """A complete synthetic study. Tests read it; none of them writes into it."""
    folder = tmp_path_factory.mktemp("demo") / "study"
    done = asp_eval("demo", folder, "--seed", "7")
    assert done.code == 0, done.err
    return Demo(folder, done.out)
