"""Simulate trials with missing outcomes, and count how often intervals of 95 % hold the effect.

python benchmarks/imputation_coverage.py run trials.csv --trials 1000 [--cells 20/dropout/30/normal ...]
python benchmarks/imputation_coverage.py table trials.csv > docs/imputation-coverage.md

One score at three waves of 20 children an institution, half of the institutions in each arm; the effect at the last wave is
-0.30 (SDQ-like scores: what that becomes on a scale of 0 to 10 with a floor). Cells: 8, 20, 60 institutions; last scores missing
completely at random, at random given baseline and institution, or by dropout after the second wave, which depends on that wave
with another sign in each arm; 10 or 30 % missing; normal or SDQ-like. A tenth of the baselines is missing too.
Four analyses: 20 imputations, complete cases, all waves in one model, complete cases with an indicator of the missing baseline.

A run adds trials to its file until every cell has as many as asked: it can be stopped at any time, and gone on with later.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import asp_eval
from asp_eval.core.randomness import stream

CHILDREN, EFFECT, IMPUTATIONS = 20, -0.30, 20
BETWEEN = np.array([[0.10, 0.05, 0.05], [0.05, 0.10, 0.06], [0.05, 0.06, 0.12]])
WITHIN = np.array([[0.90, 0.50, 0.45], [0.50, 0.90, 0.65], [0.45, 0.65, 0.88]])
CELLS = [
    f"{j}/{how}/{share}/{kind}"
    for kind in ("normal", "sdq")
    for share in (10, 30)
    for how in ("mcar", "mar", "dropout")
    for j in (8, 20, 60)
]
COLUMNS = ["cell", "trial", "analysis", "estimate", "std_error", "low", "high"]
FORMULA = "w3 ~ arm + w1 + (1 | inst)"


def complete(rng: np.random.Generator, J: int, kind: str) -> pd.DataFrame:
    """Return a trial without missing values."""
    g = np.repeat(np.arange(J), CHILDREN)
    arm = rng.permutation(np.arange(J) % 2)
    w = rng.multivariate_normal(np.zeros(3), BETWEEN, J)[g] + rng.multivariate_normal(np.zeros(3), WITHIN, len(g))
    w[:, 1] += EFFECT / 2 * arm[g]
    w[:, 2] += EFFECT * arm[g]
    if kind == "sdq":
        w = np.clip(np.round(1.5 + 2.0 * w), 0, 10)
    return pd.DataFrame({"inst": g, "arm": arm[g], "w1": w[:, 0], "w2": w[:, 1], "w3": w[:, 2]})


def with_losses(rng: np.random.Generator, frame: pd.DataFrame, how: str, share: float) -> pd.DataFrame:
    """Return the trial with scores missing."""
    z = (frame[["w1", "w2"]] - frame[["w1", "w2"]].mean()) / frame[["w1", "w2"]].std()
    own = rng.normal(size=frame["inst"].nunique())[frame["inst"]]
    pull = {
        "mcar": np.zeros(len(frame)),
        "mar": 0.8 * z["w1"].to_numpy() + 0.5 * own,
        "dropout": 1.3 * z["w2"].to_numpy() * np.where(frame["arm"] == 0, 1.0, -0.5) + 0.5 * own,
    }[how]
    low, high = -12.0, 12.0
    for _ in range(50):  # the level at which the share is missing
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(-middle - pull))).mean() < share else (low, middle)
    out = frame.copy()
    out.loc[rng.random(len(frame)) < 1 / (1 + np.exp(-low - pull)), "w3"] = np.nan
    out.loc[rng.random(len(frame)) < 0.05, "w2"] = np.nan
    out.loc[rng.random(len(frame)) < 0.10, "w1"] = np.nan
    return out


def analyses(frame: pd.DataFrame, seed: int) -> Iterator[tuple[str, asp_eval.Estimate | pd.Series]]:
    """Yield the effect by every analysis."""
    yield "complete cases", asp_eval.lmm(FORMULA, frame.dropna(subset=["w1", "w3"])).contrast({"arm": 1.0})
    filled = frame.assign(lost=frame["w1"].isna() * 1.0, w1=frame["w1"].fillna(frame["w1"].mean()))
    yield "indicator", asp_eval.lmm("w3 ~ arm + w1 + lost + (1 | inst)", filled.dropna(subset=["w3"])).contrast({"arm": 1.0})
    long = frame.assign(child=np.arange(len(frame))).melt(["child", "inst", "arm"], ["w1", "w2", "w3"], "wave", "y").dropna()
    long = long.assign(**{f"t{k}": (long["wave"] == f"w{k}") * 1.0 for k in (2, 3)})
    long = long.assign(**{f"a{k}": long[f"t{k}"] * long["arm"] for k in (2, 3)}, at=long["inst"].astype(str) + long["wave"])
    waves = asp_eval.lmm("y ~ t2 + t3 + a2 + a3 + (1 | inst) + (1 | at) + (1 | child)", long)
    yield "all waves", waves.contrast({"a3": 1.0})
    variables = dict.fromkeys(("w1", "w2", "w3"), "continuous")
    imputed = asp_eval.impute(frame, variables, group="inst", arm="arm", n=IMPUTATIONS, seed=seed)
    pooled = imputed.fit(lambda data: asp_eval.lmm(FORMULA, data)).pool()
    yield "imputation", pooled.set_index("term").loc["arm"]


def truth(kind: str) -> float:
    """Return the effect that complete data have on average: by construction, or from a trial of 6,000 institutions."""
    if kind == "normal":
        return EFFECT
    frame = complete(stream(0, "truth", kind), 6_000, kind)
    return float(frame.loc[frame["arm"] == 1, "w3"].mean() - frame.loc[frame["arm"] == 0, "w3"].mean())


def one_trial(cell: str, trial: int) -> list[tuple[object, ...]]:
    """Return the rows of one trial."""
    J, how, share, kind = cell.split("/")
    rng = stream(1, "coverage", cell, trial)
    frame = with_losses(rng, complete(rng, int(J), kind), how, int(share) / 100)
    rows: list[tuple[object, ...]] = []
    for name, e in analyses(frame, trial):
        rows.append((cell, trial, name, e.estimate, e.std_error, e.conf_low, e.conf_high))
    return rows


def run(path: Path, trials: int, cells: list[str]) -> None:
    """Add trials to a file, cell after cell, until each has as many as asked."""
    done = set(map(tuple, pd.read_csv(path)[["cell", "trial"]].to_numpy().tolist())) if path.exists() else set()
    if not done:
        path.write_text(",".join(COLUMNS) + "\n")
    for trial in range(trials):
        for cell in cells:
            if (cell, trial) not in done:
                pd.DataFrame(one_trial(cell, trial), columns=COLUMNS).to_csv(path, mode="a", header=False, index=False)


def table(path: Path) -> str:
    """Return the table of all cells and analyses: trials, bias and coverage."""
    rows = pd.read_csv(path)
    effects = {kind: truth(kind) for kind in ("normal", "sdq")}
    lines = [
        "| institutions | missing | share | scores | trials | analysis | bias | its Monte Carlo error | SE / sd | coverage |"
    ]
    lines.append("|---|---|---|---|---|---|---|---|---|---|")
    for (cell, analysis), own in rows.groupby(["cell", "analysis"], sort=False):
        J, how, share, kind = str(cell).split("/")
        effect, sd, n = effects[kind], own["estimate"].std(), len(own)
        held = ((own["low"] <= effect) & (effect <= own["high"])).mean()
        bias, ratio = own["estimate"].mean() - effect, own["std_error"].mean() / sd
        error = sd / np.sqrt(n)
        lines.append(
            f"| {J} | {how} | {share} % | {kind} | {n} | {analysis} | {bias:+.3f} | {error:.3f} | {ratio:.2f} | {held:.0%} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["run", "table"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--trials", type=int, default=1_000)
    parser.add_argument("--cells", nargs="*", default=CELLS)
    asked = parser.parse_args()
    if asked.task == "run":
        run(asked.file, asked.trials, asked.cells)
    else:
        sys.stdout.write(table(asked.file) + "\n")


if __name__ == "__main__":
    main()
