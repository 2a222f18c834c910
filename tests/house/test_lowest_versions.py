"""The lowest versions that pyproject.toml names work, in a fresh environment that holds them: the numbers are today's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPENDENCIES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]


def test_every_dependency_names_its_lowest_version():
    assert [declared for declared in DEPENDENCIES if not re.fullmatch(r"[\w-]+>=[\d.]+", declared)] == []


@pytest.mark.slow  # two minutes; fetches packages
def test_the_demo_has_the_same_results_with_the_lowest_versions(demo, run_process, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "lowest"], check=True)
    python = tmp_path / "lowest" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pinned = tmp_path / "constraints.txt"
    pinned.write_text("\n".join(declared.replace(">=", "==") for declared in DEPENDENCIES), encoding="utf-8")
    command = [python, "-m", "pip", "install", "--quiet", "--constraint", pinned, ROOT]
    installed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    shown = run_process("--help", cwd=tmp_path, python=str(python))
    assert shown.code == 0, shown.err
    done = run_process("demo", "study", "--seed", "7", cwd=tmp_path, python=str(python))
    assert done.code == 0, done.err
    found, expected = (pd.read_csv(folder / "output" / "results.csv") for folder in (tmp_path / "study", demo.folder))
    pd.testing.assert_frame_equal(found, expected, check_exact=False, rtol=1e-12, atol=0)
