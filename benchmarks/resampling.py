"""Measure permutation and bootstrap against their targets, and against lme4 where R is installed.

python benchmarks/resampling.py [--write docs/benchmarks-resampling.md]

CPU seconds of one core, the median of repetitions, on the trial of `trial_data.write_trial`: 3,000 children in 60
institutions, a random intercept, five covariates. lme4 refits by its modular route (mkLmerDevfun, optimizeLmer) and by
bootMer; its replicates are fewer and the time is per replicate.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parent))
from trial_data import FORMULA, read_columns, read_frame, write_trial

import asp_eval

DRAWS = 10_000
PEER_DRAWS = 200
ARM = {"arm[T.intervention]": 1.0}
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def cpu(run: Callable[[], object], repetitions: int = 5) -> float:
    """Return the median CPU time of a call."""
    run()
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return float(np.median(times))


def stratified(folder: Path, draws: int) -> np.ndarray:
    """Draw allocations within municipalities (draws, 60)."""
    columns, rng = read_columns(folder), np.random.default_rng(1)
    one = np.unique(columns["inst"], return_index=True)[1]
    arm, muni = columns["arm"][one].astype(np.int8), columns["muni"][one]
    out = np.tile(arm, (draws, 1))
    for stratum in np.unique(muni):
        where = np.flatnonzero(muni == stratum)
        out[:, where] = rng.permuted(out[:, where], axis=1)
    return out


def peer(folder: Path, draws: np.ndarray) -> dict[str, object] | None:
    """Run lme4, if R and lme4 are there."""
    if shutil.which("Rscript") is None:
        return None
    draws.astype(float).tofile(folder / "draws.bin")
    script = Path(__file__).with_name("resampling.R")
    done = subprocess.run(["Rscript", str(script), str(folder), str(len(draws))], capture_output=True, text=True, check=False)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def measured(folder: Path) -> list[str]:
    """Return the rows of the table."""
    frame, draws = read_frame(folder), stratified(folder, DRAWS)
    fit = asp_eval.lmm(FORMULA, frame)
    least_squares = asp_eval.ols(FORMULA.split(" + (")[0], frame, cluster="inst")
    allocations = asp_eval.Allocations(tuple(str(k) for k in range(60)), draws)
    quick = asp_eval.Permutation("arm", allocations, interval=False)
    both = asp_eval.Permutation("arm", allocations)
    means = asp_eval.Permutation("arm", allocations, statistic="cluster-means")
    tasks = [
        ("permutation, REML refits, p-value", lambda: fit.contrast(ARM, quick), 5, "0.5 s"),
        ("permutation, REML refits, p-value and interval", lambda: fit.contrast(ARM, both), 1, ""),
        ("fit and permutation of ten outcomes, REML refits, p-values", lambda: ten_outcomes(frame, quick), 3, ""),
        ("permutation, least squares with CR1, p-value and interval", lambda: least_squares.contrast(ARM, both), 3, ""),
        ("permutation, means of institutions, p-value and interval", lambda: fit.contrast(ARM, means), 3, ""),
        ("parametric bootstrap, all quantities", lambda: fit.bootstrap(DRAWS), 5, ""),
        ("test of the variance between institutions", lambda: fit.variance_test("inst", draws=DRAWS), 3, ""),
        ("wild cluster bootstrap, p-value and interval", lambda: least_squares.contrast(ARM, asp_eval.WildBootstrap()), 3, ""),
    ]
    lines = [f"| {DRAWS:,} replicates | CPU | per replicate | target |", "|---|---:|---:|---:|"]
    times = {}
    for label, run, repetitions, target in tasks:
        times[label] = cpu(run, repetitions)
        lines.append(f"| {label} | {times[label]:.2f} s | {1e3 * times[label] / DRAWS:.4f} ms | {target} |")
        print("  " + lines[-1], flush=True)
    large = asp_eval.lmm(FORMULA, read_frame(write_trial(folder / "large", 60, 2000)))
    wide = cpu(lambda: large.bootstrap(DRAWS), 3)
    lines += [f"| parametric bootstrap, 120,000 children in 60 institutions | {wide:.2f} s | {1e3 * wide / DRAWS:.4f} ms | |"]
    return [*lines, "", *compared(folder, fit, quick, draws, times)]


def ten_outcomes(frame: pd.DataFrame, method: object) -> None:
    """Fit and permute ten outcomes that share their draws."""
    rng = np.random.default_rng(2)
    for _ in range(10):
        outcome = frame.assign(y=frame["y"] + rng.normal(size=len(frame)))
        asp_eval.lmm(FORMULA, outcome).contrast(ARM, method)


def compared(folder: Path, fit: object, method: object, draws: np.ndarray, times: dict[str, float]) -> list[str]:
    """Return what lme4 takes for a replicate, and how far its answers are."""
    found = peer(folder, draws[:PEER_DRAWS])
    if found is None:
        return ["lme4 was not there to compare with."]
    own = [times["permutation, REML refits, p-value"] / DRAWS, times["parametric bootstrap, all quantities"] / DRAWS]
    distribution = method.distribution(fit, ARM)
    apart = np.abs(distribution.estimates[:PEER_DRAWS] - found["estimates"]).max() / distribution.std_error
    return [
        f"- lme4's modular refit: {1e3 * found['permutation']:.1f} ms per allocation, {found['permutation'] / own[0]:,.0f} times "
        f"ours (target 500); the largest difference of {PEER_DRAWS} estimates is {apart:.1e} standard errors",
        f"- lme4's bootMer: {1e3 * found['bootstrap']:.1f} ms per replicate, {found['bootstrap'] / own[1]:,.0f} times ours",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="Markdown file to write")
    wanted = parser.parse_args()
    if not ONE_CORE.items() <= os.environ.items():  # the libraries read these when they are loaded
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **ONE_CORE})
    with tempfile.TemporaryDirectory() as name:
        body = measured(write_trial(Path(name), 60, 50))
    preface = (__doc__ or "").strip().split("\n\n")[-1]
    text = "\n".join(["# Benchmarks of permutation and bootstrap", "", preface, "", *body]) + "\n"
    print("\n" + text)
    if wanted.write:
        wanted.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
