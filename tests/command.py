"""The command ``asp-eval`` for tests: in this process, which is fast, or in one of its own, as a user runs it."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

COLUMNS = "80"  # of the terminal


@dataclass(frozen=True)
class Ran:
    """A command that was run, with its exit code and output."""

    code: int
    out: str
    err: str


def asp_eval(*arguments: str | Path, cwd: Path | None = None, typed: str = "") -> Ran:
    """Run the command line in this process; an error it does not catch is raised.

    The folder, the environment, the arguments and the streams are the command's own while it runs, and are put back after it.
    The streams are no terminal.
    """
    from asp_eval.cli.main import main

    given = [str(argument) for argument in arguments]
    out, err = _stream(), _stream()
    code = 0
    with (
        patch.dict(os.environ, {"COLUMNS": COLUMNS}),
        patch.object(sys, "argv", ["asp-eval", *given]),
        patch.object(sys, "stdin", _stream(typed)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        _standing_in(cwd),
    ):
        try:
            main(given)
        except SystemExit as ended:
            code = _exit_code(ended.code)
    return Ran(code, _text(out), _text(err))


def asp_eval_process(*arguments: str | Path, cwd: Path | None = None, python: str = sys.executable, **environment: str) -> Ran:
    """Run the command line in a process of its own, as a user does, with variables added to the environment."""
    command = [python, "-m", "asp_eval.cli.main", *map(str, arguments)]
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False, encoding="utf-8"
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def _stream(text: str = "") -> io.TextIOWrapper:
    """Return a stream with bytes below it, as those of a process are."""
    return io.TextIOWrapper(io.BytesIO(text.encode("utf-8")), encoding="utf-8", newline="\n", write_through=True)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8")


def _exit_code(code: object) -> int:
    """Return the code a process ends with, for what was given to `SystemExit`."""
    return code if isinstance(code, int) else int(code is not None)


@contextlib.contextmanager
def _standing_in(folder: Path | None) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder or before)
    try:
        yield
    finally:
        os.chdir(before)
