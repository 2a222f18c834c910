"""How often intervals of 95 % hold the effect where outcomes are missing, and how far the estimates are off.

    python benchmarks/imputation_coverage.py run --trials 1000      # goes on where it stopped; one core
    python benchmarks/imputation_coverage.py table                  # docs/imputation-coverage.md

One score at three waves of 20 children an institution, half of the institutions in each arm; the effect at the last wave is -0.30
(SDQ-like scores: what that becomes on a scale of 0 to 10 with a floor). Cells: 8, 20, 60 institutions; last scores missing
completely at random, at random given baseline and institution, or by dropout after the second wave, which depends on that wave
with another sign in each arm; 10 or 30 % missing; normal or SDQ-like. A tenth of the baselines and a twentieth of the second
scores are missing too, completely at random; what drives a loss is always a score that was observed.

Cells are gone through in turn, batch by batch, so that all of them hold about as many trials whenever the run is stopped. Counts
and sums are kept in ``benchmarks/imputation_coverage.csv``.
"""

from __future__ import annotations

import argparse
import csv
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy import stats  # noqa: E402

import asp_eval as asp  # noqa: E402
from asp_eval.core.randomness import stream  # noqa: E402

HERE = Path(__file__).parent
SUMS, PAGE = HERE / "imputation_coverage.csv", HERE.parent / "docs" / "imputation-coverage.md"
CHILDREN, EFFECT, IMPUTATIONS, BATCH = 20, -0.30, 20, 10
BETWEEN = np.array([[0.10, 0.05, 0.05], [0.05, 0.10, 0.06], [0.05, 0.06, 0.12]])
WITHIN = np.array([[0.90, 0.50, 0.45], [0.50, 0.90, 0.65], [0.45, 0.65, 0.88]])
MECHANISMS = {"mcar": "completely at random", "mar": "given baseline and institution", "dropout": "after wave 2, by arm"}
ANALYSES = ("nothing missing", "imputation", "complete cases", "indicator", "all waves")
FORMULA = "w3 ~ arm + w1 + (1 | inst)"
LOW, HIGH = 0.925, 0.975
NUMBERS = ["trials", "unavailable", "held", "estimates", "squares", "errors", "apart"]


@dataclass(frozen=True)
class Cell:
    """A kind of trial: institutions, why last scores are missing, the share of them, and what the scores are like."""

    institutions: int
    how: str
    share: float
    scores: str

    @property
    def name(self) -> str:
        """Its name in the file of sums."""
        return f"{self.institutions}/{self.how}/{round(100 * self.share)}/{self.scores}"

    @property
    def truth(self) -> float:
        """The effect on complete data."""
        return EFFECT if self.scores == "normal" else _mean_of_scores(EFFECT) - _mean_of_scores(0.0)


CELLS = tuple(
    Cell(J, how, share, scores)
    for scores in ("normal", "SDQ-like")
    for share in (0.1, 0.3)
    for how in MECHANISMS
    for J in (8, 20, 60)
)


def _mean_of_scores(shift: float) -> float:
    """Return the mean of an SDQ-like score whose normal score has mean `shift` and variance one."""
    cuts = (np.arange(10) + 0.5 - 1.5) / 2.0
    return float(stats.norm.sf(cuts, shift).sum())  # the mean of a score from 0 to 10 is the sum of P(score > k)


def complete(rng: np.random.Generator, cell: Cell) -> pd.DataFrame:
    """Return a trial without missing values."""
    J = cell.institutions
    g = np.repeat(np.arange(J), CHILDREN)
    arm = rng.permutation(np.arange(J) % 2)
    w = rng.multivariate_normal(np.zeros(3), BETWEEN, J)[g] + rng.multivariate_normal(np.zeros(3), WITHIN, len(g))
    w[:, 1] += EFFECT / 2 * arm[g]
    w[:, 2] += EFFECT * arm[g]
    if cell.scores == "SDQ-like":
        w = np.clip(np.round(1.5 + 2.0 * w), 0, 10)
    return pd.DataFrame({"inst": g, "arm": arm[g], "w1": w[:, 0], "w2": w[:, 1], "w3": w[:, 2]})


def with_losses(rng: np.random.Generator, frame: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    """Return the trial with scores missing."""
    out = frame.copy()
    out.loc[rng.random(len(frame)) < 0.05, "w2"] = np.nan
    out.loc[rng.random(len(frame)) < 0.10, "w1"] = np.nan
    z = ((out[["w1", "w2"]] - out[["w1", "w2"]].mean()) / out[["w1", "w2"]].std()).fillna(0.0)
    level = z["w1"].groupby(out["inst"]).mean()
    own = ((level / level.std() + rng.normal(size=len(level))) / math.sqrt(2.0))[out["inst"]].to_numpy()
    pull = {
        "mcar": np.zeros(len(frame)),
        "mar": 0.8 * z["w1"].to_numpy() + 0.5 * own,
        "dropout": 1.3 * z["w2"].to_numpy() * np.where(frame["arm"] == 0, 1.0, -0.5) + 0.5 * own,
    }[cell.how]
    low, high = -12.0, 12.0
    for _ in range(50):  # the level at which the share is missing
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(-middle - pull))).mean() < cell.share else (low, middle)
    out.loc[rng.random(len(frame)) < 1 / (1 + np.exp(-low - pull)), "w3"] = np.nan
    return out


def rows_of(cell: Cell, seed: int, rng: np.random.Generator) -> Iterator[tuple[str, asp.Estimate | pd.Series, bool]]:
    """Yield analysis, effect, and whether chains still differed, of one trial."""
    whole = complete(rng, cell)
    frame = with_losses(rng, whole, cell)
    yield "nothing missing", asp.lmm(FORMULA, whole).contrast({"arm": 1.0}), False
    imputed = asp.impute(
        frame, dict.fromkeys(("w1", "w2", "w3"), "continuous"), group="inst", arm="arm", n=IMPUTATIONS, seed=seed
    )
    pooled = imputed.fit(lambda data: asp.lmm(FORMULA, data)).pool()
    apart = any("chains still differ" in note for note in imputed.notes)
    yield "imputation", pooled.set_index("term").loc["arm"], apart
    yield "complete cases", asp.lmm(FORMULA, frame.dropna(subset=["w1", "w3"])).contrast({"arm": 1.0}), False
    filled = frame.assign(lost=frame["w1"].isna() * 1.0, w1=frame["w1"].fillna(frame["w1"].mean())).dropna(subset=["w3"])
    yield "indicator", asp.lmm("w3 ~ arm + w1 + lost + (1 | inst)", filled).contrast({"arm": 1.0}), False
    yield "all waves", _all_waves(frame), False


def _all_waves(frame: pd.DataFrame) -> asp.Estimate:
    """Return the effect at the last wave by the constrained longitudinal model, with a variance of institutions at each wave."""
    long = frame.assign(child=np.arange(len(frame))).melt(["child", "inst", "arm"], ["w1", "w2", "w3"], "wave", "y").dropna()
    long = long.assign(**{f"t{k}": (long["wave"] == f"w{k}") * 1.0 for k in (1, 2, 3)})
    long = long.assign(**{f"a{k}": long[f"t{k}"] * long["arm"] for k in (2, 3)})
    formula = "y ~ t2 + t3 + a2 + a3 + (1 | inst) + (0 + t1 + t2 + t3 || inst) + (1 | inst:child)"
    return asp.lmm(formula, long).contrast({"a3": 1.0})


def batch_of(cell: Cell, batch: int) -> dict[str, dict[str, float]]:
    """Return counts and sums of every analysis over the trials of a batch."""
    sums = {analysis: dict.fromkeys(NUMBERS, 0.0) for analysis in ANALYSES}
    for trial in range(batch * BATCH, (batch + 1) * BATCH):
        for analysis, row, apart in rows_of(cell, trial, stream(1, "imputation coverage", cell.name, trial)):
            own, known = sums[analysis], [row.estimate, row.std_error, row.conf_low, row.conf_high]
            own["trials"] += 1
            own["apart"] += apart
            if any(number is None or not math.isfinite(number) for number in known):
                own["unavailable"] += 1
                continue
            off = float(row.estimate) - cell.truth
            own["estimates"] += off
            own["squares"] += off**2
            own["errors"] += float(row.std_error)
            own["held"] += float(row.conf_low) <= cell.truth <= float(row.conf_high)
    return sums


def run(trials: int) -> None:
    """Go through the cells batch by batch, and keep counts and sums."""
    done = {(row["cell"], int(row["batch"])) for row in _stored()}
    new = not SUMS.exists()
    with SUMS.open("a", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        if new:
            out.writerow(["cell", "batch", "analysis", *NUMBERS])
        for batch in range(math.ceil(trials / BATCH)):
            for cell in CELLS:
                if (cell.name, batch) not in done:
                    for analysis, own in batch_of(cell, batch).items():
                        out.writerow([cell.name, batch, analysis, *(f"{own[name]:.6g}" for name in NUMBERS)])
                    file.flush()


def _stored() -> list[dict[str, str]]:
    if not SUMS.exists():
        return []
    with SUMS.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def numbers() -> pd.DataFrame:
    """Return one row per cell and analysis: trials, bias, its error, SE over sd, coverage, whether each is off, chains apart.

    All analyses are of the same trials: bias is the mean distance from the analysis with nothing missing, whose own is that from
    the truth. Its error is that of the mean estimate, which is more than that of the distance.
    """
    rows = pd.DataFrame(_stored())
    rows[NUMBERS] = rows[NUMBERS].astype(float)
    sums = rows.groupby(["cell", "analysis"], sort=False)[NUMBERS].sum().reset_index()
    n = sums["trials"] - sums["unavailable"]
    mean = sums["estimates"] / n  # less the truth
    whole = sums["cell"].map(sums.assign(mean=mean).loc[sums["analysis"] == ANALYSES[0]].set_index("cell")["mean"])
    bias = np.where(sums["analysis"] == ANALYSES[0], mean, mean - whole)
    sd = np.sqrt((sums["squares"] - n * mean**2) / (n - 1))
    held = sums["held"] / n
    error = np.sqrt(0.95 * 0.05 / n)
    return sums.assign(
        known=n,
        bias=bias,
        bias_error=sd / np.sqrt(n),
        ratio=sums["errors"] / n / sd,
        coverage=held,
        outside=(held < LOW - 2 * error) | (held > HIGH + 2 * error),
        biased=(np.abs(bias) > 3 * sd / np.sqrt(n)) & (np.abs(bias) > 0.1 * sd),
    )


def table() -> None:
    """Write the page."""
    found = numbers().set_index(["cell", "analysis"])
    cells = [cell for cell in CELLS if (cell.name, ANALYSES[0]) in found.index]
    trials = found["trials"].astype(int)
    lines = [_INTRODUCTION.format(least=trials.min(), most=trials.max(), truth=CELLS[-1].truth, imputations=IMPUTATIONS)]
    lines += ["", "## Where each analysis fails", ""]
    for analysis in ANALYSES:
        own = {cell: found.loc[(cell.name, analysis)] for cell in cells}
        low = [cell for cell, row in own.items() if row["outside"] and row["coverage"] < LOW]
        high = [cell for cell, row in own.items() if row["outside"] and row["coverage"] > HIGH]
        biased = [cell for cell, row in own.items() if row["biased"]]
        said = [f"holds the effect too seldom in {_cells(low)}"] if low else []
        said += [f"too often in {_cells(high)}"] if high else []
        said += [f"is biased in {_cells(biased)}"] if biased else []
        lines.append(f"- **{analysis}**: {'; '.join(said) or 'no cell in which it is seen to fail'}.")
    for scores in ("normal", "SDQ-like"):
        lines += ["", f"## {scores} scores: coverage, %", "", *_page(found, cells, scores, _coverage)]
        lines += ["", f"## {scores} scores: bias, and mean standard error over standard deviation", ""]
        lines += _page(found, cells, scores, _bias)
    own = found.xs("imputation", level="analysis")
    of = int(own["trials"].sum())
    lines += ["", f"Chains still differed after the most sweeps in {own['apart'].sum():.0f} of {of} trials."]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cells(cells: list[Cell]) -> str:
    """Say which cells, shortly."""
    named = "; ".join(f"{c.institutions}, {c.how}, {c.share:.0%}, {c.scores}" for c in cells)
    return f"{len(cells)} of {len(CELLS)} cells ({named})"


def _page(found: pd.DataFrame, cells: list[Cell], scores: str, said: object) -> list[str]:
    lines = ["| institutions | missing | share | trials | " + " | ".join(ANALYSES) + " |", "|---" * (4 + len(ANALYSES)) + "|"]
    for cell in cells:
        if cell.scores == scores:
            own = [said(found.loc[(cell.name, analysis)]) for analysis in ANALYSES]  # type: ignore[operator]
            n = int(found.loc[(cell.name, ANALYSES[0])]["trials"])
            lines.append(f"| {cell.institutions} | {MECHANISMS[cell.how]} | {cell.share:.0%} | {n} | " + " | ".join(own) + " |")
    return lines


def _coverage(row: pd.Series) -> str:
    share = f"{100 * row['coverage']:.1f}"
    gone = f" ({row['unavailable']:.0f} without an interval)" if row["unavailable"] else ""
    return (f"**{share}**" if row["outside"] else share) + gone


def _bias(row: pd.Series) -> str:
    bias = f"{row['bias']:+.3f}"
    return (f"**{bias}**" if row["biased"] else bias) + f"; {row['ratio']:.2f}"


_INTRODUCTION = """# Missing outcomes: how often intervals hold the effect, and bias

Made by `benchmarks/imputation_coverage.py`, which can go on where it stopped: {least} to {most} trials a cell so far. With 200
trials the Monte Carlo error of a coverage of 95 % is 1.5 percentage points, with 1,000 it is 0.7. All analyses are of the same
trials: bias is the mean distance from the analysis with nothing missing (whose own is that from the truth), and a coverage that
is off there as well is off by chance. **Bold** is a coverage that is more than two errors outside of 92.5 to 97.5 %, or a bias of
more than a tenth of the standard deviation and of more than three Monte Carlo errors of the mean estimate.

One score at three waves, 20 children an institution, half of the institutions in each arm. The effect at the last wave is -0.30
for normal scores, and {truth:.3f} for SDQ-like ones (0 to 10, whole numbers, most children near the floor). Last scores are
missing completely at random; at random given baseline and institution; or by dropout that depends on the second wave, with
another sign in each arm. A tenth of the baselines are missing too. Analyses: the planned model (last wave on arm and baseline,
random institutions, Kenward-Roger) without losses; {imputations} imputations with every score as continuous, pooled by Rubin's
rules; complete cases; the indicator of a missing baseline; all waves in one model (constrained longitudinal, with a variance
between institutions of its own at each wave)."""


def main() -> None:
    """Run, or write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["run", "table"])
    parser.add_argument("--trials", type=int, default=1_000)
    asked = parser.parse_args()
    run(asked.trials) if asked.task == "run" else table()


if __name__ == "__main__":
    main()
