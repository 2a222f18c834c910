"""Compare priors of the institutions' covariance in imputation: the median of its posterior over the truth.

OMP_NUM_THREADS=1 python benchmarks/imputation_prior.py

Two scores of 20 children an institution, a quarter of one of them missing; the variance between institutions is 2 or 10 % of that
of children. Numbers are geometric means over trials of posterior median over true variance: 1 is right, 3 is three times too
large.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd

from asp_eval.core.randomness import stream
from asp_eval.stats.imputation import gibbs
from asp_eval.stats.imputation.covariances import draw_institution_covariance, inverse_wishart
from asp_eval.stats.imputation.reading import read_plan

SWEEPS, FIRST = 800, 200


def wishart(scale: float):
    """Return a draw of Psi with the prior IW(q + 1, scale I)."""

    def draw(products, n, n_free, scales, rng):
        del n_free
        q = len(products)
        return inverse_wishart(q + 1.0 + n, products + scale * np.eye(q), rng), scales

    return draw


PRIORS = {
    "half-t (Huang & Wand)": draw_institution_covariance,
    "inverse Wishart, 0.1 I": wishart(0.1),
    "inverse Wishart, I": wishart(1.0),
}


def trial(J: int, icc: float, seed: int) -> pd.DataFrame:
    rng = stream(seed, "prior", J, str(icc))
    g = np.repeat(np.arange(J), 20)
    cov = np.array([[1.0, 0.5], [0.5, 1.0]])
    y = rng.multivariate_normal([0, 0], icc * cov, J)[g] + rng.multivariate_normal([0, 0], (1 - icc) * cov, len(g))
    y[rng.random(len(g)) < 0.25, 1] = np.nan
    return pd.DataFrame({"inst": g, "arm": g % 2, "a": y[:, 0], "b": y[:, 1]})


def ratio(frame: pd.DataFrame, icc: float, seed: int) -> float:
    plan = read_plan(frame, {"a": "continuous", "b": "continuous"}, "inst", "arm", [], by_arm=False)
    sampler = gibbs.Sampler(plan.model, stream(seed, "chain"))
    kept = []
    for sweep in range(SWEEPS):
        sampler.step()
        if sweep >= FIRST:
            kept.append(sampler.Psi[0, 1, 1] * plan.rows[1].spread ** 2)
    return float(np.median(kept)) / icc


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40)
    trials = parser.parse_args().trials
    sys.stdout.write(f"| institutions | share between | {' | '.join(PRIORS)} |\n|---|---|{'---|' * len(PRIORS)}\n")
    for J in (8, 20, 60):
        for icc in (0.02, 0.10):
            cells = []
            for draw in PRIORS.values():
                gibbs.draw_institution_covariance = draw
                found = [np.log(ratio(trial(J, icc, seed), icc, seed)) for seed in range(trials)]
                cells.append(f"{np.exp(np.mean(found)):.2f}")
            sys.stdout.write(f"| {J} | {icc:.0%} | {' | '.join(cells)} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
