"""How often intervals cover the effect that their row names, with sizes that go with the effect.

    python benchmarks/averages_coverage.py [--trials 2000] [--out benchmarks/averages_coverage.csv]

Institutions of 10 and of 70 children, as many of each; those of 10 gain .4 SD, those of 70 nothing, so that institutions gain
.20 on average and children .05; intraclass correlation .06. A cell is written down as soon as it is done, and
one that is there is not done again.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
import pandas as pd

import asp_eval
from asp_eval.core.randomness import stream

SIZES, GAINS, ICC = (10, 70), (0.4, 0.0), 0.06
TRUTH = {"participant": 0.05, "institution": 0.20}
CELLS = [
    (institutions, share, outcome)
    for institutions in (8, 20, 40)
    for share in (0.5, 0.3)
    for outcome in ("normal", "skewed")
    if not (institutions == 8 and share == 0.3)
]
COLUMNS = ["institutions", "share_treated", "outcome", "method", "estimand", "truth", "mean", "coverage", "mc_error", "trials"]


def trial(institutions: int, share: float, outcome: str, random: np.random.Generator) -> pd.DataFrame:
    """Return one trial: inst, arm, y; both sizes as nearly alike in both arms as the numbers let them be."""
    size = np.array([SIZES[k % 2] for k in range(institutions)])
    arm = np.zeros(institutions, int)
    for which in (0, 1):
        mine = np.flatnonzero(size == SIZES[which])
        arm[random.permutation(mine)[: round(share * len(mine))]] = 1
    g = np.repeat(np.arange(institutions), size)
    noise = random.normal(size=len(g)) if outcome == "normal" else random.exponential(size=len(g)) - 1.0
    gain = np.where(size == SIZES[0], *GAINS) * arm
    y = np.sqrt(ICC) * random.normal(size=institutions)[g] + gain[g] + np.sqrt(1 - ICC) * noise
    return pd.DataFrame({"inst": g, "arm": arm[g], "y": y, "w": 1.0 / size[g]})


def intervals(frame: pd.DataFrame, share: float) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Return estimate and interval of every method, by method and by the effect that its row names."""
    table = asp_eval.standardised_effects(
        "y ~ 1", frame, cluster="inst", arm="arm", probability=share, working="gee_ind", decomposed=False
    ).set_index("average")
    found = {}
    for average, estimand in (("participant", "participant"), ("cluster", "institution")):
        row = table.loc[average]
        found["standardised, jackknife", estimand] = (row["estimate"], row["conf_low"], row["conf_high"])
    for estimand, weights in (("participant", None), ("institution", "w")):
        e = asp_eval.ols("y ~ arm", frame, cluster="inst", weights=weights).contrast({"arm": 1.0}, method=asp_eval.CR2())
        found["least squares, CR2", estimand] = (e.estimate, e.conf_low, e.conf_high)
    e = asp_eval.lmm("y ~ arm + (1 | inst)", frame).contrast({"arm": 1.0}, method=asp_eval.KenwardRoger())
    for estimand in TRUTH:
        found["mixed model, Kenward-Roger", estimand] = (e.estimate, e.conf_low, e.conf_high)
    return found


def cell(institutions: int, share: float, outcome: str, trials: int) -> list[dict[str, object]]:
    """Return the rows of one cell."""
    whole = round(share * institutions / 2) / (institutions / 2)
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    for k in range(trials):
        random = stream(1, "averages", institutions, round(100 * share), outcome, k)
        for name, row in intervals(trial(institutions, share, outcome, random), whole).items():
            found.setdefault(name, []).append(row)
    rows = []
    for (method, estimand), values in found.items():
        estimate, low, high = np.array(values, float).T
        truth = TRUTH[estimand]
        covered = float(((low <= truth) & (truth <= high)).mean())
        error = float(np.sqrt(covered * (1 - covered) / trials))
        numbers = (institutions, share, outcome, method, estimand, truth, estimate.mean(), covered, error, trials)
        rows.append({name: round(x, 4) if isinstance(x, float) else x for name, x in zip(COLUMNS, numbers, strict=True)})
    return rows


def main() -> None:
    """Run the cells that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    asked = parser.parse_args()
    done = pd.read_csv(asked.out) if asked.out.is_file() else pd.DataFrame(columns=COLUMNS)
    there = set(zip(done["institutions"], done["share_treated"], done["outcome"], strict=True))
    for one in CELLS:
        if one in there:
            continue
        rows = cell(*one, asked.trials)
        new = not asked.out.is_file()
        with asked.out.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
