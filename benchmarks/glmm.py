"""Measure generalised and ordinal mixed models against lme4, glmmTMB, ordinal and gpboost, where they are installed.

python benchmarks/glmm.py [--write docs/benchmarks-glmm.md]

CPU seconds of one core, medians, every program in a process of its own on the same synthetic data and model. Times include
standard errors except gpboost's, which does not compute them unless asked. Between sizes the repetitions differ.
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

HERE = Path(__file__).parent
FORMULA = "y ~ arm + base + male + age + (1 | inst)"
BANDS = "band ~ arm + base + male + age + (1 | inst)"
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
SIZES = {"60": (60, 50, 1, 15), "3000": (3000, 20, 2, 3)}
"""Name: groups, mean rows in a group, seed, repetitions."""
TASKS = [
    ("asp_eval, Laplace, fit and table", "python", "laplace", ("60", "3000")),
    ("lme4 glmer, Laplace", "R", "glmer", ("60", "3000")),
    ("glmmTMB, Laplace", "R", "glmmTMB", ("60", "3000")),
    ("gpboost, Laplace, fit alone", "python", "gpboost", ("60", "3000")),
    ("asp_eval, 25 points, fit and table", "python", "points", ("60", "3000")),
    ("lme4 glmer, 25 points", "R", "glmer25", ("60",)),
    ("asp_eval, clmm, Laplace, fit and tables", "python", "clmm", ("60",)),
    ("ordinal clmm, Laplace", "R", "clmm", ("60",)),
]
RATIOS = [
    ("asp_eval, Laplace, fit and table", "lme4 glmer, Laplace", 50.0),
    ("asp_eval, Laplace, fit and table", "glmmTMB, Laplace", 1.0),
    ("asp_eval, Laplace, fit and table", "gpboost, Laplace, fit alone", 1.0),
    ("asp_eval, 25 points, fit and table", "lme4 glmer, 25 points", 1.0),
    ("asp_eval, clmm, Laplace, fit and tables", "ordinal clmm, Laplace", 1.0),
]


def write_data(path: Path, groups: int, size: int, seed: int) -> None:
    """Write a synthetic trial: a yes or no and four bands."""
    rng = np.random.default_rng(seed)
    inst = np.repeat(np.arange(groups), rng.integers(max(2, size // 2), size + size // 2, groups))
    n = len(inst)
    frame = pd.DataFrame({"inst": inst, "arm": (inst % 2).astype(float), "base": rng.normal(size=n)})
    frame["male"], frame["age"] = rng.integers(0, 2, n).astype(float), rng.uniform(-1.5, 1.5, n)
    eta = -0.8 - 0.4 * frame["arm"] + 0.7 * frame["base"] + 0.3 * frame["male"] - 0.1 * frame["age"]
    eta = eta + rng.normal(scale=0.6, size=groups)[inst]
    frame["y"] = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    frame["band"] = np.digitize(eta + rng.logistic(size=n), [-1.5, 0.0, 1.5]) + 1
    frame.to_csv(path, index=False)


def prepared(task: str, frame: pd.DataFrame) -> tuple[Callable[[], object], Callable[[object], float]]:
    """Return what is timed, and how to read the effect of the arm from its result."""
    if task == "gpboost":
        import gpboost

        X = np.column_stack([np.ones(len(frame)), frame[["arm", "base", "male", "age"]]])
        y, inst = frame["y"].to_numpy(), frame["inst"].to_numpy()

        def run() -> object:
            model = gpboost.GPModel(group_data=inst, likelihood="bernoulli_logit")
            model.fit(y=y, X=X)
            return model

        return run, lambda model: float(np.ravel(model.get_coef())[1])
    import asp_eval

    def fitted() -> object:
        if task == "clmm":
            fit = asp_eval.clmm(BANDS, frame)
            return fit.thresholds(), fit.tidy()
        return asp_eval.glmm(FORMULA, frame, n_quadrature=25 if task == "points" else 1).tidy()

    def arm(found: object) -> float:
        table = found[1] if isinstance(found, tuple) else found
        return float(table.set_index("term").loc["arm", "estimate"])

    return fitted, arm


def measure(task: str, path: Path, repetitions: int) -> dict[str, float]:
    """Return the median CPU time and the estimate, in this process."""
    run, read = prepared(task, pd.read_csv(path))
    found = run()
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        found = run()
        times.append(time.process_time() - start)
    return {"time": float(np.median(times)), "estimate": read(found)}


def elsewhere(kind: str, task: str, path: Path, repetitions: int) -> dict[str, float] | None:
    """Run one task in a process of its own; None where the program is not there."""
    if kind == "R" and shutil.which("Rscript") is None:
        return None
    program = ["Rscript", str(HERE / "glmm.R")] if kind == "R" else [sys.executable, __file__, "--task"]
    command = [*program, task, str(path), str(repetitions)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **ONE_CORE})
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 and done.stdout.strip() else None


def main() -> None:
    """Print the tables, or write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--task", nargs=3)
    given = parser.parse_args()
    if given.task:
        print(json.dumps(measure(given.task[0], Path(given.task[1]), int(given.task[2]))))
        return
    from versions import described

    lines = ["# Benchmarks of generalised and ordinal mixed models", "", __doc__.split("\n\n")[2].replace("\n", " "), ""]
    lines += [f"Model: `{FORMULA}` (logit), and `{BANDS}`. Peers that are not installed are left out.", ""]
    lines += [described(("numpy", "scipy", "pandas", "gpboost"), peers=("lme4", "glmmTMB", "ordinal")), ""]
    with tempfile.TemporaryDirectory() as folder:
        for size, (groups, mean, seed, repetitions) in SIZES.items():
            path = Path(folder) / f"{size}.csv"
            write_data(path, groups, mean, seed)
            rows = len(pd.read_csv(path))
            lines += [
                f"## {rows:,} rows in {groups:,} groups",
                "",
                "| program | CPU time | effect of the arm |",
                "|---|---:|---:|",
            ]
            found = {}
            for label, kind, task, sizes in TASKS:
                if size in sizes:
                    result = elsewhere(kind, task, path, repetitions if kind == "python" else 1 + (size == "60") * 2)
                    if result is not None:
                        found[label] = result["time"]
                        lines.append(f"| {label} | {1000 * result['time']:,.1f} ms | {result['estimate']:.6f} |")
            lines.append("")
            for ours, theirs, target in RATIOS:
                if ours in found and theirs in found:
                    ratio = found[theirs] / found[ours]
                    met = "met" if ratio >= target else "not met"
                    lines.append(f"- {ours}: **{ratio:.1f} times** faster than {theirs} (target {target:g}: {met})")
            lines.append("")
    text = "\n".join(lines)
    if given.write:
        given.write.write_text(text, encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
