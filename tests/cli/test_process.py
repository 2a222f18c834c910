"""What only a process of its own shows: the entry point, exit codes, streams and encodings. All other tests run in theirs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def test_the_installed_command_starts():
    command = Path(sys.executable).parent / ("asp-eval.exe" if sys.platform == "win32" else "asp-eval")
    shown = subprocess.run([command, "--help"], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("Usage: asp-eval ")


@pytest.mark.parametrize(("arguments", "code"), [(["instruments", "list"], 0), (["check"], 1), (["nonsense"], 2)])
def test_exit_codes_and_streams_are_those_of_a_run_in_this_process(run, run_process, tmp_path, arguments, code):
    own, here = run_process(*arguments, cwd=tmp_path, COLUMNS="80"), run(*arguments, cwd=tmp_path)
    assert own == here
    assert own.code == code
    assert (own.err if code else own.out) and "Traceback" not in own.err


def test_danish_letters_come_out_in_a_plain_locale(run, run_process, tmp_path):
    arguments = ("check", "--language", "da")
    own, here = run_process(*arguments, cwd=tmp_path, COLUMNS="80", LC_ALL="C"), run(*arguments, cwd=tmp_path)
    assert own == here
    assert set("æøå") & set(own.err)


def test_no_bar_and_no_colour_in_a_pipe(run_process, tmp_path):
    started = run_process("init", "mine", cwd=tmp_path, FORCE_COLOR="")
    assert started.code == 0, started.err
    assert "\x1b" not in started.out + started.err
