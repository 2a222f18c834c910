"""How often intervals of 95 % hold the effect where outcomes are missing, and how far the estimates are off.

    python benchmarks/imputation_coverage.py run --trials 1000      # goes on where it stopped; one core; needs numba
    python benchmarks/imputation_coverage.py check                  # that the compiled analyses are the package's
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
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import compiled_imputation as imputation  # noqa: E402
import compiled_models as models  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from scipy import stats  # noqa: E402

import asp_eval as asp  # noqa: E402
from asp_eval.core.randomness import stream  # noqa: E402
from asp_eval.stats.estimate import Array  # noqa: E402

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


@dataclass(frozen=True)
class Trial:
    """A trial: scores at the waves (n, 3), institution of each child (n,), arm of each institution (J,)."""

    w: Array
    group: Array
    arm: Array

    @property
    def frame(self) -> pd.DataFrame:
        """One row per child: inst, arm, w1, w2, w3."""
        waves = dict(zip(("w1", "w2", "w3"), self.w.T, strict=True))
        return pd.DataFrame({"inst": self.group, "arm": self.arm[self.group], **waves})


def complete(rng: np.random.Generator, cell: Cell) -> Trial:
    """Return a trial without missing values."""
    J = cell.institutions
    g = np.repeat(np.arange(J), CHILDREN)
    arm = rng.permutation(np.arange(J) % 2)
    w = rng.multivariate_normal(np.zeros(3), BETWEEN, J)[g] + rng.multivariate_normal(np.zeros(3), WITHIN, len(g))
    w[:, 1] += EFFECT / 2 * arm[g]
    w[:, 2] += EFFECT * arm[g]
    if cell.scores == "SDQ-like":
        w = np.clip(np.round(1.5 + 2.0 * w), 0, 10)
    return Trial(w, g, arm)


def with_losses(rng: np.random.Generator, trial: Trial, cell: Cell) -> Trial:
    """Return the trial with scores missing."""
    w, n = trial.w.copy(), len(trial.w)
    w[rng.random(n) < 0.05, 1] = np.nan
    w[rng.random(n) < 0.10, 0] = np.nan
    z = np.nan_to_num((w[:, :2] - np.nanmean(w[:, :2], 0)) / np.nanstd(w[:, :2], 0, ddof=1))
    level = z[:, 0].reshape(-1, CHILDREN).mean(1)
    own = ((level / level.std(ddof=1) + rng.normal(size=len(level))) / math.sqrt(2.0))[trial.group]
    pull = {
        "mcar": np.zeros(n),
        "mar": 0.8 * z[:, 0] + 0.5 * own,
        "dropout": 1.3 * z[:, 1] * np.where(trial.arm[trial.group] == 0, 1.0, -0.5) + 0.5 * own,
    }[cell.how]
    low = models.level_of(pull, cell.share)
    w[rng.random(n) < 1 / (1 + np.exp(-low - pull)), 2] = np.nan
    return Trial(w, trial.group, trial.arm)


Found = tuple[float, float, float, float]
"""Estimate, standard error and the limits of 95 %."""


def _trials(cell: Cell, batch: int) -> Iterator[tuple[int, Trial, Trial]]:
    """Yield the trials of a batch: its number, without losses and with."""
    for trial in range(batch * BATCH, (batch + 1) * BATCH):
        rng = stream(1, "imputation coverage", cell.name, trial)
        whole = complete(rng, cell)
        yield trial, whole, with_losses(rng, whole, cell)


def answers(cell: Cell, batch: int, asked: Collection[str]) -> Iterator[tuple[str, Found, bool]]:
    """Yield analysis, effect, and whether chains still differed, of the trials of a batch."""
    trials = list(_trials(cell, batch))
    if "imputation" in asked:
        imputed = imputation.imputed_data(
            [imputation.Chains(lost.w, lost.arm, number) for number, _, lost in trials], IMPUTATIONS
        )
        for (_, _, lost), (data, apart) in zip(trials, imputed, strict=True):
            yield "imputation", models.pooled(data, lost.arm[lost.group], lost.group, len(lost.arm)), apart
    for _, whole, lost in trials:
        arm, (w1, _, w3) = lost.arm[lost.group].astype(float), lost.w.T
        known, first = ~np.isnan(w3), np.isnan(w1)
        filled = np.where(first, np.nanmean(w1), w1)
        own = {
            "nothing missing": (whole.w[:, 2], [arm, whole.w[:, 0]], np.ones(len(arm), bool)),
            "complete cases": (w3, [arm, w1], known & ~first),
            "indicator": (w3, [arm, filled, first.astype(float)], known),
        }
        for analysis, (y, columns, rows) in own.items():
            if analysis in asked:
                X = np.column_stack((np.ones(len(y)), *columns))
                yield analysis, models.interval(models.lmm(X[rows], y[rows], lost.group[rows], len(lost.arm))), False
        if "all waves" in asked:
            yield "all waves", models.interval(models.all_waves(lost.w, lost.group, lost.arm)), False


def by_package(whole: pd.DataFrame, frame: pd.DataFrame, seed: int) -> Iterator[tuple[str, asp.Estimate | pd.Series]]:
    """Yield analysis and effect of one trial, as a user of the package gets them."""
    yield "nothing missing", asp.lmm(FORMULA, whole).contrast({"arm": 1.0})
    waves = dict.fromkeys(("w1", "w2", "w3"), "continuous")
    imputed = asp.impute(frame, waves, group="inst", arm="arm", n=IMPUTATIONS, seed=seed)
    yield "imputation", imputed.fit(lambda data: asp.lmm(FORMULA, data)).pool().set_index("term").loc["arm"]
    yield "complete cases", asp.lmm(FORMULA, frame.dropna(subset=["w1", "w3"])).contrast({"arm": 1.0})
    filled = frame.assign(lost=frame["w1"].isna() * 1.0, w1=frame["w1"].fillna(frame["w1"].mean())).dropna(subset=["w3"])
    yield "indicator", asp.lmm("w3 ~ arm + w1 + lost + (1 | inst)", filled).contrast({"arm": 1.0})
    yield "all waves", _all_waves(frame)


def _all_waves(frame: pd.DataFrame) -> asp.Estimate:
    """Return the effect at the last wave by the constrained longitudinal model, with a variance of institutions at each wave."""
    long = frame.assign(child=np.arange(len(frame))).melt(["child", "inst", "arm"], ["w1", "w2", "w3"], "wave", "y").dropna()
    long = long.assign(**{f"t{k}": (long["wave"] == f"w{k}") * 1.0 for k in (1, 2, 3)})
    long = long.assign(**{f"a{k}": long[f"t{k}"] * long["arm"] for k in (2, 3)})
    formula = "y ~ t2 + t3 + a2 + a3 + (1 | inst) + (0 + t1 + t2 + t3 || inst) + (1 | inst:child)"
    return asp.lmm(formula, long).contrast({"a3": 1.0})


def batch_of(cell: Cell, batch: int, asked: Collection[str]) -> dict[str, dict[str, float]]:
    """Return counts and sums of analyses over the trials of a batch."""
    sums = {analysis: dict.fromkeys(NUMBERS, 0.0) for analysis in ANALYSES if analysis in asked}
    for analysis, (estimate, error, low, high), apart in answers(cell, batch, asked):
        own = sums[analysis]
        own["trials"] += 1
        own["apart"] += apart
        if any(number is None or not math.isfinite(number) for number in (estimate, error, low, high)):
            own["unavailable"] += 1
            continue
        off = float(estimate) - cell.truth
        own["estimates"] += off
        own["squares"] += off**2
        own["errors"] += float(error)
        own["held"] += float(low) <= cell.truth <= float(high)
    return sums


def run(trials: int, analyses: Collection[str]) -> None:
    """Go through the cells batch by batch, and keep counts and sums."""
    done = {(row["cell"], int(row["batch"]), row["analysis"]) for row in _stored()}
    new = not SUMS.exists()
    with SUMS.open("a", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        if new:
            out.writerow(["cell", "batch", "analysis", *NUMBERS])
        for batch in range(math.ceil(trials / BATCH)):
            for cell in CELLS:
                asked = [analysis for analysis in analyses if (cell.name, batch, analysis) not in done]
                for analysis, own in batch_of(cell, batch, asked).items() if asked else ():
                    out.writerow([cell.name, batch, analysis, *(f"{own[name]:.6g}" for name in NUMBERS)])
                file.flush()


def check(trials: int) -> None:
    """Print how far the compiled analyses are from the package's own, in standard errors, at the worst of a few trials a cell."""
    for cell in CELLS:
        found: dict[str, list[Found]] = {analysis: [] for analysis in ANALYSES}
        for analysis, own, _ in answers(cell, 0, ANALYSES):
            found[analysis].append(own)
        off = dict.fromkeys(ANALYSES, 0.0)
        for number, whole, lost in list(_trials(cell, 0))[:trials]:
            for analysis, row in by_package(whole.frame, lost.frame, number):
                known = np.array([row.estimate, row.std_error, row.conf_low, row.conf_high], float)
                off[analysis] = max(off[analysis], float(np.abs(known - found[analysis][number]).max() / known[1]))
        print(cell.name, ", ".join(f"{analysis} {distance:.0e}" for analysis, distance in off.items()), flush=True)


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
    without = rows.loc[rows["analysis"] == ANALYSES[0]].set_index(["cell", "batch"])
    without = without.reindex(pd.MultiIndex.from_frame(rows[["cell", "batch"]])).reset_index(drop=True)  # the same trials
    rows = rows.assign(whole=without["estimates"], whole_n=without["trials"] - without["unavailable"])
    sums = rows.groupby(["cell", "analysis"], sort=False)[[*NUMBERS, "whole", "whole_n"]].sum().reset_index()
    n = sums["trials"] - sums["unavailable"]
    mean = sums["estimates"] / n  # less the truth
    whole = sums["whole"] / sums["whole_n"]
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
    lines = [_introduction(int(trials.min()), int(trials.max()))]
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


def _introduction(least: int, most: int) -> str:
    error = 100 * math.sqrt(0.95 * 0.05 / least)
    return _INTRODUCTION.format(
        trials=f"{least:,}" if least == most else f"{least:,} to {most:,}",
        error=error,
        truth=CELLS[-1].truth,
        imputations=IMPUTATIONS,
    )


_INTRODUCTION = """# Missing outcomes: how often intervals hold the effect, and bias

Made by `benchmarks/imputation_coverage.py`, which goes on where it stopped: {trials} trials a cell. The Monte Carlo error of a
coverage of 95 % is {error:.1f} percentage points. All analyses are of the same trials: bias is the mean distance from the
analysis with nothing missing (whose own is that from the truth), and a coverage that is off there as well is off by chance.
**Bold** is a coverage that is more than two errors outside of 92.5 to 97.5 %, or a bias of more than a tenth of the standard
deviation and of more than three Monte Carlo errors of the mean estimate. The package made the first 130 trials of each cell; the
others come from the same model and fits, compiled, with the package's numbers up to rounding (`imputation_coverage.py check`).

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
    parser.add_argument("task", choices=["run", "check", "table"])
    parser.add_argument("--trials", type=int, help="a cell: 1,000 of a run, 2 of a check")
    parser.add_argument("--analyses", nargs="+", choices=ANALYSES, default=ANALYSES)
    asked = parser.parse_args()
    if asked.task == "run":
        run(asked.trials or 1_000, asked.analyses)
    elif asked.task == "check":
        check(asked.trials or 2)
    else:
        table()


if __name__ == "__main__":
    main()
