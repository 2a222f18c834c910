"""Measure two-level imputation against R's pan and jomo, where they are installed.

OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/imputation.py

Data: 3,088 simulated children in 60 institutions, five scores at three waves and four predictors, 14 % of the scores missing.
CPU time of one core, everything in one run on the same data; a sweep draws everything once.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

import asp_eval
from asp_eval.stats.imputation.draws import CHAINS
from asp_eval.stats.imputation.gibbs import Sampler
from asp_eval.stats.imputation.reading import read_plan

SCORES = [f"w{wave}s{score}" for wave in (1, 2, 3) for score in range(1, 6)]
PREDICTORS = ["male", "age", "siblings"]


def trial() -> pd.DataFrame:
    """Return the data."""
    rng = np.random.default_rng(7)
    sizes = rng.integers(35, 66, 60)
    g = np.repeat(np.arange(60), sizes)
    n, q = len(g), len(SCORES)
    A = rng.normal(size=(q, q)) * 0.35 + np.eye(q)
    S = A @ A.T * 1.5
    other = pd.DataFrame(
        {"arm": g % 2, "male": rng.integers(0, 2, n), "age": rng.uniform(-1.5, 1.5, n), "siblings": rng.normal(size=n)}
    )
    Y = np.column_stack((np.ones(n), other)) @ (rng.normal(size=(5, q)) * 0.4)
    Y += (rng.normal(size=(60, q)) @ np.linalg.cholesky(0.08 * S).T)[g] + rng.normal(size=(n, q)) @ np.linalg.cholesky(S).T
    left = rng.random(n) < 0.10
    Y[left, 5:10] = np.nan
    Y[left | (rng.random(n) < 0.15 + 0.05 * (g % 2)), 10:15] = np.nan
    Y[rng.random((n, q)) < 0.02] = np.nan
    return pd.DataFrame(Y, columns=SCORES).join(other).assign(inst=g + 1)


def sweep(frame: pd.DataFrame, *, by_arm: bool) -> float:
    """Return milliseconds a sweep of one chain; four go side by side, as in `impute`."""
    plan = read_plan(frame, dict.fromkeys(SCORES, "continuous"), "inst", "arm", PREDICTORS, by_arm=by_arm)
    sampler = Sampler(plan.model, [np.random.default_rng(c) for c in range(CHAINS)])
    for _ in range(20):
        sampler.step()
    times = []
    for _ in range(5):
        start = time.process_time()
        for _ in range(40):
            sampler.step()
        times.append((time.process_time() - start) / 40 / CHAINS * 1e3)
    return float(np.median(times))


def whole(frame: pd.DataFrame, covariance: str) -> tuple[float, asp_eval.Imputations]:
    """Return seconds of 50 imputations, and them."""
    start = time.process_time()
    done = asp_eval.impute(
        frame,
        dict.fromkeys(SCORES, "continuous"),
        group="inst",
        arm="arm",
        predictors=PREDICTORS,
        n=50,
        seed=1,
        covariance=covariance,
    )
    return time.process_time() - start, done


def peers(frame: pd.DataFrame) -> str:
    """Return what R's programs take, or that they are not there."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        frame[[*SCORES, "arm", *PREDICTORS, "inst"]].to_csv(path, index=False, na_rep="NA")
        try:
            script = str(Path(__file__).with_suffix(".R"))
            return subprocess.run(["Rscript", script, str(path)], capture_output=True, text=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return "R with pan and jomo is not there\n"


def main() -> None:
    frame = trial()
    sys.stdout.write(f"{len(frame)} children, {frame[SCORES].isna().to_numpy().mean():.1%} missing; ms a sweep:\n")
    sys.stdout.write(f"asp_eval, common covariance {sweep(frame, by_arm=False):.3f}\n")
    sys.stdout.write(f"asp_eval, covariance by arm {sweep(frame, by_arm=True):.3f}\n{peers(frame)}")
    for covariance in ("common", "arm"):
        seconds, done = whole(frame, covariance)
        draws = done.draws
        sys.stdout.write(
            f"50 imputations, covariance {covariance}: {seconds:.2f} s ({draws.chains} chains of {draws.first_sweeps} sweeps, "
            f"then every {draws.between}th)\n"
        )


if __name__ == "__main__":
    main()
