"""How often the tests of an arm reject, for a yes or no in few institutions, with no effect and with one.

python benchmarks/binary_outcomes.py run CSV [--until HH:MM]
python benchmarks/binary_outcomes.py table CSV

Institutions of one size, half of them in each arm; prevalence and intraclass correlation are those of the observed
outcome without an effect, from normal effects on the logit scale; the effect is an odds ratio of 2 in an institution.
A trial in which an arm has no events is refused and counts as no rejection.

`run` works in batches of 500 trials, first a batch of every cell without an effect, then of every cell with one, then
again; each finished batch is a row of CSV, and a run that is started again goes on with the first batch that is missing.
`table` prints what CSV holds.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import optimize, special

import asp_eval
from asp_eval import BetweenWithin, Normal, Refusal

CLUSTERS = (8, 12, 20, 40)
SIZES = (10, 40)
PREVALENCES = (0.1, 0.3, 0.5)
CORRELATIONS = (0.0, 0.02, 0.1)
ODDS_RATIOS = (1, 2)
CELL = ["clusters", "size", "prevalence", "icc"]
METHODS = {"t": BetweenWithin(), "z": Normal()}
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


def batch(clusters: int, size: int, prevalence: float, icc: float, odds_ratio: int, number: int) -> dict[str, int]:
    """Return of how many trials each test rejects at 5 %, how many were refused, and how many had no variance."""
    intercept, sd = logit_effects(prevalence, icc)
    rng = np.random.default_rng([clusters, size, int(1000 * prevalence), int(1000 * icc), odds_ratio, number])
    arm = np.arange(clusters) % 2
    inst = np.repeat(np.arange(clusters), size)
    counts = dict.fromkeys([*METHODS, "singular", "refused"], 0)
    for _ in range(TRIALS):
        eta = intercept + np.log(odds_ratio) * arm[inst] + sd * rng.standard_normal(clusters)[inst]
        events = np.bincount(inst, rng.random(len(inst)) < special.expit(eta)).astype(int)
        for name, found in judged(*(tuple(sorted(events[arm == side].tolist())) for side in (0, 1)), size).items():
            counts[name] += found
    return counts


@lru_cache(maxsize=100_000)
def judged(without: tuple[int, ...], treated: tuple[int, ...], size: int) -> dict[str, bool]:
    """Return which tests reject at 5 %, or that the trial was refused, from the events in each institution of each arm.

    The likelihood knows nothing else of children without covariates, and not which institution is which.
    """
    events = np.array([*without, *treated])
    arm = np.repeat([0.0, 1.0], [len(without), len(treated)])
    frame = pd.DataFrame({"inst": np.arange(len(events)), "arm": arm, "y": events / size, "n": float(size)})
    try:
        fit = asp_eval.glmm("y ~ arm + (1 | inst)", frame, n_quadrature=7, weights="n")
    except Refusal:
        return {"refused": True}
    p = {name: fit.contrast("arm", method).p_value for name, method in METHODS.items()}
    return {"singular": fit.singular, **{name: value is not None and value < 0.05 for name, value in p.items()}}


def run(path: Path, until: str | None) -> None:
    """Append the batches that are missing, until a time of the day."""
    done = set()
    if path.exists():
        done = set(pd.read_csv(path)[[*CELL, "odds_ratio", "batch"]].itertuples(index=False, name=None))
    cells = list(itertools.product(CLUSTERS, SIZES, PREVALENCES, CORRELATIONS))
    for number, odds_ratio in itertools.product(range(BATCHES), ODDS_RATIOS):
        for cell in cells:
            if (*cell, odds_ratio, number) in done:
                continue
            if until and f"{datetime.datetime.now():%H:%M}" >= until:
                return
            where = {**dict(zip(CELL, cell, strict=True)), "odds_ratio": odds_ratio, "batch": number, "trials": TRIALS}
            row = pd.DataFrame([{**where, **batch(*cell, odds_ratio, number)}])
            row.to_csv(path, mode="a", header=not path.exists(), index=False)


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
    """Run batches, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "table"))
    parser.add_argument("csv", type=Path)
    parser.add_argument("--until", metavar="HH:MM")
    given = parser.parse_args()
    if given.what == "run":
        run(given.csv, given.until)
    else:
        print(table(given.csv))


if __name__ == "__main__":
    main()
