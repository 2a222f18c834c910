"""How often a change between two rounds of a GAP-profile is named, where nothing changed and where something did.

Normal data of two rounds: true gaps with standard deviation 1, that of the second round correlating with the first by `kept`
(1: nothing changed), sampling variances of one size, so that lambda is the share of an institution's own answers in either round.
For all institutions, and for the tenth that lay furthest from the typical in the first round, stand the share of changes named
by the profile and by the plain difference with its 95 % interval, how many of those named have the wrong sign, and how many
intervals hold. Beside the simulation stands the closed form: for the plain difference, and for the profile where mean and spread
are known.

    python benchmarks/gap_changes.py > benchmarks/gap_changes.csv
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from asp_eval.stats.meta.true_values import true_values

INSTITUTIONS = (60, 20, 10)
SHARES = (0.5, 0.7, 0.9)
KEPT = (1.0, 0.8, 0.5)
ENTRIES = 18_000  # institutions simulated for each line
FURTHEST = 0.1  # share of the institutions
Z = 1.959963984540054
COLUMNS = "institutions,lambda,kept,named,named_furthest,plain,plain_furthest,wrong,holds"


def main() -> None:
    """Print a line for each number of institutions, lambda and correlation."""
    print(COLUMNS)
    for share in SHARES:
        for kept in KEPT:
            _print("known", share, kept, known(share, kept))
            for institutions in INSTITUTIONS:
                _print(str(institutions), share, kept, simulated(institutions, share, kept))


def known(share: float, kept: float) -> list[float]:
    """Return the same in closed form, for known mean and spread: a normal difference, given the first gap if that was far out."""
    v = (1 - share) / share
    changed, noise = 2 * (1 - kept), 2 * v
    total = changed + noise
    first = np.linspace(-9, 9, 20_001) * np.sqrt(1 + v)
    weight = np.exp(-(first**2) / (2 * (1 + v)))
    weight /= weight.sum()
    far = np.abs(first) >= np.quantile(np.abs(np.random.default_rng(0).normal(0, np.sqrt(1 + v), 10**6)), 1 - FURTHEST)
    slope = (kept - 1 - v) / (1 + v)  # of the plain difference on the first gap: regression to the mean
    centre, spread = slope * first, np.sqrt(total - slope**2 * (1 + v))
    own = changed / total
    limits = {"plain": Z * np.sqrt(noise), "named": Z * np.sqrt((1 - own) * changed) / own if own else np.inf}
    found = {}
    for key, limit in limits.items():
        beyond = ndtr((centre - limit) / spread) + ndtr((-centre - limit) / spread)
        found[key] = [float((weight * beyond).sum()), float((weight * beyond)[far].sum() / weight[far].sum())]
    return [*found["named"], *found["plain"], _wrong(changed, noise), 0.95]


def _wrong(changed: float, noise: float) -> float:
    """Return how many of the changes named have the wrong sign, for known spread."""
    if not changed:
        return float("nan")
    own = changed / (changed + noise)
    d = np.linspace(-9, 9, 20_001) * np.sqrt(changed + noise)
    weight = np.exp(-(d**2) / (2 * (changed + noise)))
    ratio = np.abs(own * d) / np.sqrt((1 - own) * changed)
    named = ratio > Z
    return float((weight * ndtr(-ratio))[named].sum() / weight[named].sum())


def simulated(institutions: int, share: float, kept: float) -> list[float]:
    """Return the shares of `ENTRIES` simulated institutions."""
    rng = np.random.default_rng([institutions, round(100 * share), round(100 * kept)])
    v = (1 - share) / share
    trials, many = ENTRIES // institutions, max(1, round(FURTHEST * institutions))
    sums = np.zeros(6)
    for _ in range(trials):
        first = rng.normal(size=institutions)
        second = kept * first + np.sqrt(1 - kept**2) * rng.normal(size=institutions)
        found = rng.normal(size=(2, institutions)) * np.sqrt(v) + (first, second)
        difference, change = found[1] - found[0], second - first
        values = true_values(difference, np.full(institutions, 2 * v))
        low, high = values.interval()
        named, plain = (low > 0) | (high < 0), np.abs(difference) > Z * np.sqrt(2 * v)
        far = np.argsort(-np.abs(found[0] - found[0].mean()))[:many]
        wrong = named & (np.sign(values.estimates) != np.sign(change)) & (kept < 1)
        holds = (low <= change) & (change <= high)
        sums += [named.sum(), named[far].sum(), plain.sum(), plain[far].sum(), wrong.sum(), holds.sum()]
    n, m = trials * institutions, trials * many
    wrong_share = sums[4] / sums[0] if sums[0] >= 45 and kept < 1 else float("nan")
    return [sums[0] / n, sums[1] / m, sums[2] / n, sums[3] / m, wrong_share, sums[5] / n]


def _print(institutions: str, share: float, kept: float, found: list[float]) -> None:
    cells = ",".join("" if np.isnan(each) else f"{each:.3f}" for each in found)
    print(f"{institutions},{share:g},{kept:g},{cells}", flush=True)


if __name__ == "__main__":
    main()
