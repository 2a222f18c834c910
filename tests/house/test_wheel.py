"""A built wheel, installed into a clean place, works from another folder: the shipped folders came along.

Nothing is fetched: the wheel is installed without its dependencies, which are those of the environment that runs the tests.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    install = ["install", "--quiet", "--no-index", "--no-deps", "--target", str(folder / "site"), str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", *install], check=True, capture_output=True)
    return folder / "site"


def from_another_folder(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-m", "asp_eval.cli.main", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_wheel_is_what_runs(installed, tmp_path):
    script = "import asp_eval, asp_eval.core.resources as r; print(asp_eval.__file__); print(r.shipped_folder('instruments'))"
    environment = os.environ | {"PYTHONPATH": str(installed)}
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert all(line.startswith(str(installed)) for line in result.stdout.split())


def test_the_command_works_from_another_folder(installed, tmp_path):
    assert "sdq-teacher-4-17" in from_another_folder(installed, tmp_path, "instruments", "list").stdout
    started = from_another_folder(installed, tmp_path, "init", "mine")
    assert started.returncode == 0, started.stderr
    assert (tmp_path / "mine" / "study.yaml").is_file()


def test_templates_and_catalogues_are_in_the_wheel(installed):
    shipped = installed / "asp_eval" / "_shipped" / "reports"
    assert list(shipped.rglob("*.j2"))
    assert list(shipped.rglob("*.po"))
    assert (installed / "asp_eval" / "py.typed").is_file()
    assert (installed / "asp_eval" / "synthetic" / "true_effects.csv").is_file()
