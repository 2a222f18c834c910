"""How often the tests of an arm reject, for a yes or no in few institutions, with no effect and with one.

python benchmarks/binary_outcomes.py run CSV
python benchmarks/binary_outcomes.py table CSV
python benchmarks/binary_outcomes.py check

Institutions of one size, half of them in each arm; prevalence and intraclass correlation are those of the observed
outcome without an effect, from normal effects on the logit scale; the effect is an odds ratio of 2 in an institution.
A trial in which an arm has no events is refused and counts as no rejection.

`run` works in batches of 500 trials, all of which are fitted together (`events_in_institutions`). Each finished batch is a row
of CSV, and a run that is started again goes on with the first batch that is missing. `table` prints what CSV holds. `check`
fits the first 20 trials of every cell by `asp_eval.glmm` as well and counts the verdicts that differ.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
from events_in_institutions import Fits, by_glmm, fit_trials
from scipy import optimize, special

CLUSTERS = (8, 12, 20, 40)
SIZES = (10, 40)
PREVALENCES = (0.1, 0.3, 0.5)
CORRELATIONS = (0.0, 0.02, 0.1)
ODDS_RATIOS = (1, 2)
CELL = ["clusters", "size", "prevalence", "icc"]
CELLS = list(itertools.product(CLUSTERS, SIZES, PREVALENCES, CORRELATIONS))
METHODS = ("t", "z")
TRIALS = 500
"""Trials of a batch."""
BATCHES = 4
FAILS = 0.065
"""Type I error from which a cell fails."""


def logit_effects(prevalence: float, icc: float) -> tuple[float, float]:
    """Return the intercept and the standard deviation that give a prevalence and a correlation of two children."""
    if icc == 0.0:
        return float(special.logit(prevalence)), 0.0
    point, weight = np.polynomial.hermite_e.hermegauss(60)
    weight = weight / weight.sum()

    def off(x: np.ndarray) -> list[float]:
        p = special.expit(x[0] + np.exp(x[1]) * point)
        mean = p @ weight
        return [mean - prevalence, (p**2 @ weight - mean**2) / (mean * (1 - mean)) - icc]

    found = optimize.root(off, [special.logit(prevalence), np.log(0.5)])
    if not found.success:
        raise ArithmeticError(found.message)
    return float(found.x[0]), float(np.exp(found.x[1]))


def drawn(clusters: int, size: int, prevalence: float, icc: float, odds_ratio: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return events in each institution of the trials of a batch (TRIALS, clusters), and the institutions' arms."""
    intercept, sd = logit_effects(prevalence, icc)
    rng = np.random.default_rng([clusters, size, int(1000 * prevalence), int(1000 * icc), odds_ratio, number])
    arm = np.arange(clusters) % 2
    inst = np.repeat(np.arange(clusters), size)
    events = np.empty((TRIALS, clusters))
    for t in range(TRIALS):
        eta = intercept + np.log(odds_ratio) * arm[inst] + sd * rng.standard_normal(clusters)[inst]
        events[t] = np.bincount(inst, rng.random(len(inst)) < special.expit(eta))
    return events, arm


def verdicts(fits: Fits, clusters: int) -> dict[str, np.ndarray]:
    """Return in which trials each test rejects at 5 %."""
    t = np.nan_to_num(np.abs(fits.effect) / fits.std_error)
    return {"t": 2 * special.stdtr(clusters - 2, -t) < 0.05, "z": 2 * special.ndtr(-t) < 0.05}


def batch(clusters: int, size: int, prevalence: float, icc: float, odds_ratio: int, number: int) -> dict[str, int]:
    """Return of how many trials each test rejects at 5 %, how many were refused, and how many had no variance."""
    events, arm = drawn(clusters, size, prevalence, icc, odds_ratio, number)
    fits = fit_trials(events, size, arm)
    found = {**verdicts(fits, clusters), "singular": fits.singular, "refused": fits.refused}
    return {name: int(values.sum()) for name, values in found.items()}


def run(path: Path) -> None:
    """Append the batches that are missing."""
    done = set()
    if path.exists():
        done = set(pd.read_csv(path)[[*CELL, "odds_ratio", "batch"]].itertuples(index=False, name=None))
    for odds_ratio, number, cell in itertools.product(ODDS_RATIOS, range(BATCHES), CELLS):
        if (*cell, odds_ratio, number) not in done:
            where = {**dict(zip(CELL, cell, strict=True)), "odds_ratio": odds_ratio, "batch": number, "trials": TRIALS}
            row = pd.DataFrame([{**where, **batch(*cell, odds_ratio, number)}])
            row.to_csv(path, mode="a", header=not path.exists(), index=False)


def check(first: int = 20) -> str:
    """Return how the first trials of every cell come out when `asp_eval.glmm` fits them."""
    other, refusals, away, n = 0, 0, [], 0
    for cell, odds_ratio in itertools.product(CELLS, ODDS_RATIOS):
        events, arm = drawn(*cell, odds_ratio, 0)
        ours, theirs = fit_trials(events[:first], cell[1], arm), by_glmm(events[:first], cell[1], arm)
        one, two = verdicts(ours, cell[0]), verdicts(theirs, cell[0])
        other += int(sum((one[name] != two[name]).sum() for name in one))
        refusals += int((ours.refused != theirs.refused).sum())
        away += np.abs((ours.effect - theirs.effect) / theirs.std_error)[~(ours.refused | theirs.refused)].tolist()
        n += first
    shown = f"{np.quantile(away, 0.99):.1e} standard errors in 99 of 100, {max(away):.1e} at most"
    return f"{n} trials: {other} other verdicts, {refusals} other refusals; effects differ by {shown}"


def table(path: Path) -> str:
    """Return the table of the finished cells."""
    sums = pd.read_csv(path).drop(columns="batch").groupby([*CELL, "odds_ratio"]).sum()
    null, effect = (sums[sums.index.get_level_values("odds_ratio") == kind].droplevel("odds_ratio") for kind in ODDS_RATIOS)
    heads = [
        "institutions",
        "children in each",
        "prevalence",
        "ICC",
        "trials",
        "t, between-within",
        "z",
        "variance at zero",
        "refused",
        *(["power of t", "power of z"] if len(effect) else []),
    ]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---:|" * len(heads)]
    for cell, row in null.iterrows():
        rates = [row[name] / row["trials"] for name in METHODS]
        shown = [f"{100 * rate:.1f} %" + (" **fails**" if rate > FAILS else "") for rate in rates]
        rest = [f"{100 * row[name] / row['trials']:.{digits}f} %" for name, digits in (("singular", 0), ("refused", 1))]
        power = ["not run"] * 2 if len(effect) else []
        if cell in effect.index:
            power = [f"{100 * effect.loc[cell, name] / effect.loc[cell, 'trials']:.0f} %" for name in METHODS]
        where = [f"{value:g}" for value in (*cell, row["trials"])]
        lines.append("| " + " | ".join([*where, *shown, *rest, *power]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run batches, print the table, or compare with `asp_eval.glmm`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "table", "check"))
    parser.add_argument("csv", type=Path, nargs="?")
    given = parser.parse_args()
    if given.what == "check":
        print(check())
    elif given.csv is None:
        parser.error("name the CSV")
    elif given.what == "run":
        run(given.csv)
    else:
        print(table(given.csv))


if __name__ == "__main__":
    main()
