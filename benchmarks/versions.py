"""What the benchmarks ran on: cores and versions, nothing that names a machine."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from importlib import metadata

PYTHON = ("numpy", "scipy", "pandas", "statsmodels", "gpboost", "mixedlm", "lme_python", "interlace-lme", "kamino-lme")
R = ("lme4", "lmerTest", "pbkrtest", "clubSandwich")


def described(packages: Sequence[str] = PYTHON, used: str = "one used", *, with_r: bool = True, peers: Sequence[str] = R) -> str:
    """Return one sentence."""
    python = [f"{name} {metadata.version(name)}" for name in packages if _installed(name)]
    cores = f"{os.cpu_count()} cores ({platform.machine()}), {used}"
    told = [cores, f"Python {platform.python_version()}", *python, *(_r_versions(peers) if with_r else [])]
    return "Ran on " + "; ".join(told) + "."


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _r_versions(peers: Sequence[str]) -> list[str]:
    program = shutil.which("Rscript")
    if program is None:
        return ["R not installed"]
    script = (
        'found <- function(p) tryCatch(paste(p, packageVersion(p)), error = function(e) "")\n'
        'cat(paste("R", getRversion()), sapply(commandArgs(TRUE), found), sep = "\n")'
    )
    done = subprocess.run([program, "-e", script, *peers], capture_output=True, text=True, check=False)
    return [line for line in done.stdout.splitlines() if line]
