"""The measured comparison of the mixed-model engine with its peers.

    python benchmarks/engine.py                 every section; some minutes, most of them the peers'
    python benchmarks/engine.py --only trial growth
    python benchmarks/engine.py --write docs/benchmarks.md

Every program runs in a process of its own with one thread, on the same data and the same model; figures are medians of
CPU time over repetitions after a first call that is not counted (tasks of more than a few seconds run once). Peers that
are not installed are left out and named. R reads its data before the clock starts, as Python does. CPU time is
disturbed less than elapsed time by other work on the machine, but is not free of it. Memory is the most that one run holds
above its data.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import versions
from sections import SECTIONS, Section, Task
from trial_data import CLASSES, CROSSED, FORMULA, GROWTH, write_trial

HERE = Path(__file__).parent
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
R_TASKS = ("lme4", "lmertest", "pbkrtest", "clubsandwich")
PATIENCE = 1800
"""Seconds after which a program is given up."""


@dataclass(frozen=True)
class Measured:
    """What one program took."""

    cpu: float
    extra_mb: float | None
    value: float
    df: float | None
    repetitions: int


CURVE = (3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
DESIGN_COLUMNS = 6
MODELS = (
    f"Models: `{FORMULA}`; for the waves `{GROWTH}`; with classes `{CLASSES}`; crossed `{CROSSED}`. "
    "REML where nothing else is said."
)


def measure(task: Task, folder: Path) -> Measured | None:
    """Run one program, or return None where it is not installed or fails."""
    language = "R" if task.name.startswith(R_TASKS) else "Python"
    command = [shutil.which("Rscript") or "", "peers.R"] if language == "R" else [sys.executable, "peers.py"]
    if not command[0]:
        return None
    call = [command[0], str(HERE / command[1]), task.name, str(folder), str(task.repetitions)]
    environment = {**os.environ, **ONE_THREAD}
    try:
        done = subprocess.run(call, capture_output=True, text=True, env=environment, timeout=PATIENCE, check=True)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failed:
        print(f"  {task.label}: no result ({str(failed.stderr).strip().splitlines()[-1:] or 'gave up'})", file=sys.stderr)
        return None
    found = json.loads(done.stdout.strip().splitlines()[-1])
    return Measured(median(found["cpu"]), found["extra_mb"], found["value"], found.get("df"), len(found["cpu"]))


def run_section(section: Section, workshop: Path) -> tuple[list[str], dict[str, Measured]]:
    """Run a section and return its lines of Markdown with the figures."""
    folder = section.make(workshop / section.key)
    found: dict[str, Measured] = {}
    lines = [f"## {section.title}", "", "| program | CPU time | SE of the effect | df | runs |", "|---|---:|---:|---:|---:|"]
    for task in section.tasks:
        result = measure(task, folder)
        if result is None:
            lines.append(f"| {task.label} | not available | | | |")
            continue
        found[task.name] = result
        shown = "" if result.value != result.value else f"{result.value:.6f}"
        df = "" if result.df is None or not result.df < float("inf") else f"{result.df:.2f}"
        lines.append(f"| {task.label} | {seconds(result.cpu)} | {shown} | {df} | {result.repetitions} |")
        print(f"  {task.label}: {seconds(result.cpu)}", flush=True)
    shutil.rmtree(folder)
    lines += ["", *ratios(section, found), *([section.note, ""] if section.note else [])]
    return lines, found


def ratios(section: Section, found: dict[str, Measured]) -> list[str]:
    """Compare with the targets."""
    label = {t.name: t.label for t in section.tasks}
    lines = []
    for target in section.targets:
        if target.ours in found and target.peer in found:
            ratio = found[target.peer].cpu / found[target.ours].cpu
            verdict = "met" if ratio >= target.factor else "NOT met"
            shown = f"**{ratio:.3g} times** faster than {label[target.peer]} (target {target.factor:g}: {verdict})"
            lines.append(f"- {label[target.ours]}: {shown}")
    return [*lines, ""] if lines else []


def memory(found: dict[str, Measured]) -> list[str]:
    """Compare the peak memory at a million rows with the design matrix."""
    design = 1e6 * DESIGN_COLUMNS * 8 / 2**20
    lines = []
    for name, label in (("asp_arrays_kr", "arrays"), ("asp_frame_kr", "frame and formula")):
        extra = found[name].extra_mb if name in found else None
        if extra is not None:
            shown = f"{extra:.0f} MB, {extra / design:.2f} times the design matrix (target 2)"
            lines.append(f"- Memory above the data, from {label}: {shown}")
    return [*lines, ""] if lines else []


def cluster_size(small: dict[str, Measured], large: dict[str, Measured]) -> list[str]:
    """Compare what follows the fit at institutions of 50 and of 1,000."""
    if "asp_kr" not in small or "asp_kr" not in large:
        return []
    ratio = large["asp_kr"].cpu / small["asp_kr"].cpu
    return [f"- Kenward-Roger with institutions of 1,000 takes {ratio:.2f} times what it takes with institutions of 200", ""]


def curve(workshop: Path, sizes: tuple[int, ...]) -> list[str]:
    """Measure rows from 3,000 to 10,000,000 in 60 institutions beside reading the columns."""
    lines = [
        "## Rows, in 60 institutions",
        "",
        "| rows | reading the columns | cross-products | per row | after them, to the Kenward-Roger table |",
        "|---:|---:|---:|---:|---:|",
    ]
    for n in sizes:
        folder = write_trial(workshop / f"curve{n}", 60, n // 60)
        repetitions = 9 if n <= 1_000_000 else 3
        cells = [measure(Task(t, t, repetitions), folder) for t in ("reading", "asp_moments", "asp_after_moments")]
        shown = [seconds(c.cpu) if c else "" for c in cells]
        per_row = f"{1e9 * cells[1].cpu / n:.0f} ns" if cells[1] else ""
        lines.append(f"| {n:,} | {shown[0]} | {shown[1]} | {per_row} | {shown[2]} |")
        print("  " + lines[-1], flush=True)
        shutil.rmtree(folder)
    return [*lines, ""]


def seconds(value: float) -> str:
    """Return a time with its unit."""
    if value < 1e-3:
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[*(s.key for s in SECTIONS), "curve"])
    parser.add_argument("--rows", type=int, default=CURVE[-1], help="largest number of rows of the curve")
    parser.add_argument("--write", type=Path, help="Markdown file to write")
    wanted = parser.parse_args()
    preface = (__doc__ or "").strip().split("\n\n")[-1]
    lines = ["# Benchmarks of the mixed-model engine", "", preface, "", MODELS, "", versions.described(), ""]
    figures: dict[str, dict[str, Measured]] = {}
    with tempfile.TemporaryDirectory() as name:
        for section in SECTIONS:
            if wanted.only and section.key not in wanted.only:
                continue
            print(section.title, flush=True)
            found_lines, figures[section.key] = run_section(section, Path(name))
            lines += found_lines
            lines += memory(figures["million"]) if section.key == "million" else []
            if section.key == "large-clusters":
                lines += cluster_size(figures.get("small-clusters", {}), figures["large-clusters"])
        if not wanted.only or "curve" in wanted.only:
            lines += curve(Path(name), tuple(n for n in CURVE if n <= wanted.rows))
    text = "\n".join(lines).rstrip() + "\n"
    print("\n" + text)
    if wanted.write:
        wanted.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
