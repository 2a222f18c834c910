"""What is made once in a run of the tests, whichever worker needs it first, and then read by all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PATIENCE = 300.0  # seconds for another worker to finish


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """Return the temporary folder of the whole run, which is one for all workers."""
    base = factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `name`, which `make` has filled: in this worker if none has begun it, else in the one that has.

    Raises
    ------
    RuntimeError
        If another worker failed to make it.
    """
    folder = shared_folder(factory) / name
    done, failed = folder.with_suffix(".done"), folder.with_suffix(".failed")
    try:
        folder.mkdir()
    except FileExistsError:
        _wait(done, failed)
        return folder
    try:
        make(folder)
    except BaseException as error:
        failed.write_text(repr(error), encoding="utf-8")
        raise
    done.touch()
    return folder


def _wait(done: Path, failed: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not done.exists():
        if failed.exists() or time.monotonic() > until:
            reason = failed.read_text(encoding="utf-8") if failed.exists() else "it takes too long"
            raise RuntimeError(f"another worker did not make {done.stem}: {reason}")
        time.sleep(0.1)
