"""What several tests share: the command, one complete synthetic study, and the check of types, which runs beside the tests."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
import types_check
from command import asp_eval, asp_eval_process
from hypothesis import settings
from once import made_once

pytest_plugins = [
    "tests.small_study",
    "tests.counted_trial",
    "tests.simulated_sets",
]  # studies small enough to write, and to count, by hand

collect_ignore_glob = ["oracles/*/make_*.py"]  # scripts that write the files beside them: not to be run by looking for doctests

# The keys of pseudonyms are made where the tests can leave them, and never where a person keeps theirs.
os.environ["ASP_EVAL_KEYS"] = tempfile.mkdtemp(prefix="asp-eval-keys-")
atexit.register(shutil.rmtree, os.environ["ASP_EVAL_KEYS"], ignore_errors=True)

# Where Python is told to keep no bytecode, each of a run's hundred processes compiles the package anew: so it is kept, beside the
# sources, as it is elsewhere. Said in the environment, which workers and commands inherit.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Two workers on two cores: threads of the linear algebra would only wait for each other. Before numpy is imported.
for library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

# Examples are drawn anew at every run on a desk, and the same ones where a run decides about a change. No example has a
# deadline: a slow machine is no fault. `--hypothesis-profile=thorough` draws ten times as many.
EXAMPLES = 40
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")), max_examples=EXAMPLES)
settings.register_profile("thorough", deadline=None, max_examples=10 * EXAMPLES)
settings.load_profile("house")


# Folders of tests in memory, where there is some: a study is written to disk at every step, and waits for the disk each time.
MEMORY = Path("/dev/shm")
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 6 * 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.hookimpl(trylast=True)  # when it is known which are to run
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start the check of types before the first test, and read it in the last; keep the tests of the demos with one worker."""
    items.sort(key=lambda item: {"demo", "small_demo"}.isdisjoint(getattr(item, "fixturenames", ())))  # none waits for the other
    types_check.begin(config, items)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Count what was collected as no garbage: to look through thousands of tests again and again took a thirtieth of the time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def run():
    """Return a function that runs ``asp-eval`` in this process."""
    return asp_eval


@pytest.fixture(scope="session")
def run_process():
    """Return a function that runs ``asp-eval`` in a process of its own: for what only a process shows."""
    return asp_eval_process


@dataclass(frozen=True)
class Demo:
    """The demo's study folder and what the command printed."""

    folder: Path
    out: str


def _finished(factory: pytest.TempPathFactory, name: str) -> Demo:
    def make(folder: Path) -> None:
        done = asp_eval("demo", folder / "study", "--seed", "7")
        assert done.code == 0, done.err
        (folder / "out.txt").write_text(done.out, encoding="utf-8")

    folder = made_once(factory, name, make)
    return Demo(folder / "study", (folder / "out.txt").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Demo:
    """A complete synthetic study. Tests read it; none of them writes into it."""
    return _finished(tmp_path_factory, "demo")


@pytest.fixture(scope="session")
def small_demo(tmp_path_factory) -> Demo:
    """The demo with 12 institutions of about 15 children: every table, outcome and page, for tests that give its verbs again."""
    from asp_eval.synthetic import population

    few = {"MUNICIPALITIES": (("Aarhus", 8), ("Hvidovre", 4)), "CHILDREN_PER_INSTITUTION": 15, "SIZE_SD": 3.0, "SMALLEST": 10}
    with patch.multiple(population, **few):
        return _finished(tmp_path_factory, "small-demo")
