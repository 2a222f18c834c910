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
from asp_eval.stats.imputation.covariances import bartlett_shapes, inverse_wishart
from asp_eval.stats.imputation.gibbs import Sampler
from asp_eval.stats.imputation.reading import read_plan

CHAINS, SWEEPS, FIRST = 4, 250, 50


class ByInverseWishart(Sampler):
    """Chains whose prior of Psi is IW(q + 1, scale I)."""

    scale = 1.0

    def _institution_covariance(self, _of_psi, _of_scales, _of_stretch):
        chains, J, q = self.u.shape
        shapes = np.tile(bartlett_shapes(q + 1.0 + J, q), (chains, 1))
        products = self.u.swapaxes(1, 2) @ self.u + self.scale * np.eye(q)
        drawn = inverse_wishart(products, self.gammas.standard_gamma(shapes), self.numbers.normal(q, q))
        self.Psi = drawn[:, None]


class ByTenth(ByInverseWishart):
    """The same, with a scale of 0.1."""

    scale = 0.1


PRIORS = {"half-t (Huang & Wand)": Sampler, "inverse Wishart, 0.1 I": ByTenth, "inverse Wishart, I": ByInverseWishart}


def trial(J: int, icc: float, seed: int) -> pd.DataFrame:
    rng = stream(seed, "prior", J, str(icc))
    g = np.repeat(np.arange(J), 20)
    cov = np.array([[1.0, 0.5], [0.5, 1.0]])
    y = rng.multivariate_normal([0, 0], icc * cov, J)[g] + rng.multivariate_normal([0, 0], (1 - icc) * cov, len(g))
    y[rng.random(len(g)) < 0.25, 1] = np.nan
    return pd.DataFrame({"inst": g, "arm": g % 2, "a": y[:, 0], "b": y[:, 1]})


def ratio(kind: type[Sampler], frame: pd.DataFrame, icc: float, seed: int) -> float:
    plan = read_plan(frame, {"a": "continuous", "b": "continuous"}, "inst", "arm", [], by_arm=False)
    sampler = kind(plan.model, [stream(seed, "chain", c) for c in range(CHAINS)])
    sampler.gammas = stream(seed, "gammas")
    kept = []
    for sweep in range(SWEEPS):
        sampler.step()
        if sweep >= FIRST:
            kept.append(sampler.Psi[:, 0, 1, 1] * plan.rows[1].spread ** 2)
    return float(np.median(kept)) / icc


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40)
    trials = parser.parse_args().trials
    sys.stdout.write(f"| institutions | share between | {' | '.join(PRIORS)} |\n|---|---|{'---|' * len(PRIORS)}\n")
    for J in (8, 20, 60):
        for icc in (0.02, 0.10):
            cells = []
            for kind in PRIORS.values():
                found = [np.log(ratio(kind, trial(J, icc, seed), icc, seed)) for seed in range(trials)]
                cells.append(f"{np.exp(np.mean(found)):.2f}")
            sys.stdout.write(f"| {J} | {icc:.0%} | {' | '.join(cells)} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
