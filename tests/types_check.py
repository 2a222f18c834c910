"""The check of types, which takes the longest of all: it begins before the first test, and the last test reads the answer."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEST = "test_types"  # tests/house/test_house.py
PATIENCE = 600.0  # seconds


def _answer() -> Path:
    """Return the file of the answer: one for all workers of a run."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    return Path(tempfile.gettempdir()) / f"asp-eval-types-{run}.txt"


def begin(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the test that reads the answer last, and start the check if that test is to run and this is the first worker."""
    last = [item for item in items if item.name == TEST]
    items[:] = [item for item in items if item.name != TEST] + last
    first = os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0"
    if last and first and not config.option.collectonly:
        gentle = ["nice", "-n", "5"] if shutil.which("nice") else []  # the tests go first
        command = [*gentle, sys.executable, "-m", "mypy"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        atexit.register(process.kill)  # when the tests are broken off
        threading.Thread(target=_keep_answer, args=(process,), daemon=True).start()


def _keep_answer(process: subprocess.Popen[str]) -> None:
    said, _ = process.communicate()
    part = _answer().with_suffix(".part")
    part.write_text(f"{process.returncode}\n{said}", encoding="utf-8")
    part.replace(_answer())


def outcome() -> tuple[int, str]:
    """Wait for the check; return its exit code and what it said."""
    answer, until = _answer(), time.monotonic() + PATIENCE
    while not answer.exists():
        assert time.monotonic() < until, "mypy takes too long"
        time.sleep(0.1)
    code, _, said = answer.read_text(encoding="utf-8").partition("\n")
    answer.unlink()
    return int(code), said
