"""Every speed that is claimed, beside its peers, in one run.

    python benchmarks/one_run.py                      all rows; the peers take most of the time
    python benchmarks/one_run.py --only trial crossed
    python benchmarks/one_run.py --write docs/benchmarks-one-run.md

The programs of a row run in turn, each in a process of its own with one thread, on the same data and the same model; the turns
are repeated. A time is CPU time: of a process the median over its repetitions, of a program the best of its turns. A ratio is to
the first program of the row. Where other work disturbs the machine, times rise by a half and more and ratios are what can be
read. A program that is not installed, or gives no answer, is said to be missing. Data are synthetic, but for InstEval.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import versions
from engine import ONE_THREAD, measure, seconds
from sections import Target, Task
from trial_data import write_classes, write_crossed, write_insteval, write_trial

THREADS = dict.fromkeys(("RAYON_NUM_THREADS", "POLARS_MAX_THREADS"), "1")
MODEL = "estimates with the model's standard errors, no df"


@dataclass(frozen=True)
class Program:
    """One program of a row.

    Attributes
    ----------
    task : Task
    returns : str
        What it really returns.
    share : float
        Part of the row's work that one of its repetitions does.
    """

    task: Task
    returns: str
    share: float = 1.0


@dataclass(frozen=True)
class Row:
    """One work, the first program ours, with the ratios that are to be reached."""

    key: str
    title: str
    make: Callable[[Path], Path]
    programs: tuple[Program, ...]
    targets: tuple[Target, ...] = ()


def nothing(folder: Path) -> Path:
    """Return a folder without data."""
    folder.mkdir(parents=True)
    return folder


def fits(model: str, ours: int, mixedlm: int, lme4: int) -> tuple[Program, ...]:
    """Return the fits of one model alone."""
    return (
        Program(Task(f"asp_{model}", "asp_eval, fit", ours), "the fit; inference is computed when it is asked for"),
        Program(Task(f"mixedlm_{model}", "mixedlm, fit", mixedlm), MODEL),
        Program(Task(f"lme4_{model}", "lme4, fit without its derivatives", lme4), MODEL),
    )


TABLE = "Kenward-Roger's standard errors and df"
ROWS = (
    Row(
        "trial",
        "frame and formula to Kenward-Roger table, 3,000 children in 60 institutions",
        lambda folder: write_trial(folder, 60, 50),
        (
            Program(Task("asp_frame_kr", "asp_eval, table from a pandas frame", 101), TABLE),
            Program(Task("asp_frame_fit", "asp_eval, fit from a pandas frame", 101), "the fit alone"),
            Program(Task("lme_python_fit", "lme-python, fit from its own frame (polars)", 101), MODEL),
            Program(Task("lme_python_pandas", "lme-python, fit from a pandas frame turned into polars", 101), MODEL),
            Program(Task("mixedlm_fit", "mixedlm, fit", 15), MODEL),
            Program(
                Task("mixedlm_kr", 'mixedlm, fit and "Kenward-Roger"', 9), "Satterthwaite's df, with the model's standard errors"
            ),
            Program(
                Task("interlace_kr", "interlace-lme, fit and Kenward-Roger df", 9),
                "Kenward and Roger's df with the model's standard errors; wrong on 300 children",
            ),
            Program(Task("lme4_fit", "lme4, fit", 9), MODEL),
            Program(Task("lmertest_kr", "lmerTest, fit and Kenward-Roger", 1), TABLE),
        ),
        (Target("asp_frame_kr", "lme_python_fit", 1), Target("asp_frame_kr", "lme_python_pandas", 1)),
    ),
    Row(
        "million",
        "the same, 1,000,000 children in 20,000 institutions",
        lambda folder: write_trial(folder, 20_000, 50),
        (
            Program(Task("asp_frame_kr", "asp_eval, table from a pandas frame", 5), TABLE),
            Program(Task("lme_python_fit", "lme-python, fit from its own frame (polars)", 3), MODEL),
            Program(Task("mixedlm_fit", "mixedlm, fit", 2), MODEL),
            Program(Task("lme4_fit", "lme4, fit", 1), MODEL),
        ),
        (Target("asp_frame_kr", "lme_python_fit", 5),),
    ),
    Row(
        "insteval",
        "InstEval, (1 | s) + (1 | d), maximum likelihood",
        write_insteval,
        fits("crossed_ml", 3, 2, 1),
        (Target("asp_crossed_ml", "lme4_crossed_ml", 8), Target("asp_crossed_ml", "mixedlm_crossed_ml", 2)),
    ),
    Row(
        "crossed",
        "20,000 rows, 3,000 groups crossed at random with 2,000",
        lambda folder: write_crossed(folder, 3_000, 2_000, 20_000),
        fits("crossed", 3, 2, 1),
        (Target("asp_crossed", "lme4_crossed", 30), Target("asp_crossed", "mixedlm_crossed", 1)),
    ),
    Row(
        "classes",
        "three levels with slopes, 9,180 rows",
        lambda folder: write_classes(folder, 60, 3, 17),
        (
            *fits("classes", 9, 5, 3),
            Program(Task("asp_classes_draws", "asp_eval, parametric bootstrap, a draw", 2), "every estimate refitted", 100.0),
            Program(Task("asp_classes_profile", "asp_eval, eight profile intervals", 2), "intervals of the variances"),
        ),
    ),
    Row(
        "many-classes",
        "three levels with slopes, 96,000 rows",
        lambda folder: write_classes(folder, 200, 10, 16),
        (
            *fits("classes", 3, 2, 1),
            Program(Task("asp_classes_cr2", "asp_eval, CR2 on the fit", 2), "CR2's standard errors, Bell and McCaffrey's df"),
        ),
        (Target("asp_classes_cr2", "asp_classes", 2 / 3),),
    ),
    Row(
        "permutation",
        "permutation of the lot, 10,000 draws, 3,000 children in 60 institutions",
        lambda folder: write_trial(folder, 60, 50),
        (
            Program(Task("asp_permutation", "asp_eval, p-value", 5), "p-value, every draw refitted by REML"),
            Program(Task("asp_permutation_interval", "asp_eval, p-value and interval", 2), "and the interval by inversion"),
            Program(Task("asp_permutation_ten", "asp_eval, ten outcomes, fits and p-values", 2), "ten p-values"),
            Program(Task("lme4_refits", "lme4, its modular refits, from 100 of them", 1), "10,000 estimates, no p-value", 0.01),
        ),
    ),
    Row(
        "demo",
        "`asp-eval demo`, imports and reports included",
        nothing,
        (Program(Task("asp_demo", "asp_eval", 1), "a synthetic trial from raw exports to printed reports"),),
    ),
)


def run(row: Row, workshop: Path, turns: int) -> list[str]:
    """Run a row and return its lines of Markdown."""
    folder = row.make(workshop / row.key)
    best: dict[str, float] = {}
    for turn in range(turns):
        for program in row.programs:
            task = program.task
            found = measure(task, folder) if turn == 0 or task.name in best else None  # what is missing is so once
            if found is not None:
                took = found.cpu / program.share
                best[task.name] = min(took, best.get(task.name, took))
                print(f"  {task.label}: {seconds(took)}", flush=True)
    shutil.rmtree(folder)
    ours = best.get(row.programs[0].task.name)
    lines = [
        f"## {row.title[0].upper()}{row.title[1:]}",
        "",
        "| program | CPU time | ratio | what it returns |",
        "|---|---:|---:|---|",
    ]
    for program in row.programs:
        took = best.get(program.task.name)
        ratio = "" if took is None or ours is None else f"{took / ours:.3g}"
        lines.append(f"| {program.task.label} | {'missing' if took is None else seconds(took)} | {ratio} | {program.returns} |")
    return [*lines, "", *reached(row, best)]


def reached(row: Row, best: dict[str, float]) -> list[str]:
    """Say which ratios are reached."""
    label = {program.task.name: program.task.label for program in row.programs}
    lines = []
    for target in row.targets:
        if target.ours in best and target.peer in best:
            ratio = best[target.peer] / best[target.ours]
            verdict = "reached" if ratio >= target.factor else "NOT reached"
            took = f"takes {ratio:.3g} times as long as {label[target.ours]}"
            lines.append(f"- {label[target.peer]}: {took} (to be {target.factor:.2g}: {verdict})")
    return [*lines, ""] if lines else []


def chosen(keys: Sequence[str] | None) -> list[Row]:
    """Return the rows that are asked for."""
    return [row for row in ROWS if not keys or row.key in keys]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[row.key for row in ROWS])
    parser.add_argument("--turns", type=int, default=3, help="how often the programs of a row run in turn")
    parser.add_argument("--write", type=Path, help="Markdown file to write")
    wanted = parser.parse_args()
    os.environ.update({**ONE_THREAD, **THREADS})
    preface = (__doc__ or "").strip().split("\n\n")[-1]
    lines = ["# All speeds in one run", "", preface, "", versions.described(), ""]
    with tempfile.TemporaryDirectory() as name:
        for row in chosen(wanted.only):
            print(row.title, flush=True)
            try:
                lines += run(row, Path(name), wanted.turns)
            except (OSError, RuntimeError) as failed:  # InstEval comes with R's lme4
                lines += [f"## {row.title}", "", f"Missing: {type(failed).__name__}.", ""]
                print(f"  missing: {failed}", file=sys.stderr)
    text = "\n".join(lines).rstrip() + "\n"
    print("\n" + text)
    if wanted.write:
        wanted.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
