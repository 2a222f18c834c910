"""How often each word of a GAP-profile is said, and how often it is wrong, by number of institutions and lambda.

Normal data: true gaps with standard deviation 1, sampling variances of one size, so that lambda is the share of an
institution's own answers. Beside the simulation stands the closed form for known mean and spread: with u standard normal and the
posterior of the true value normal with mean sqrt(lambda) u and variance 1 - lambda, the shares are integrals over u.

    python benchmarks/gap_words.py > benchmarks/gap_words.csv
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from asp_eval.analysis.gap_words import AS_MOST, CLEAR, PERHAPS, verdict
from asp_eval.stats.meta.placement import QUARTILE, placement
from asp_eval.stats.meta.shrinkage import shrink

WORDS = ("clear", "perhaps", "as-most")
INSTITUTIONS = (60, 20, 10)
SHARES = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9)
ENTRIES = 18_000  # institutions simulated for each line


def main() -> None:
    """Print a line for each number of institutions and lambda."""
    print("institutions,lambda," + ",".join(f"{word}_said,{word}_wrong" for word in WORDS))
    for share in SHARES:
        _print("known", share, known(share))
        for institutions in INSTITUTIONS:
            _print(str(institutions), share, simulated(institutions, share))


def known(share: float) -> list[tuple[float, float]]:
    """Return how often each word is said and is wrong where mean and spread are known."""
    u = np.linspace(-8, 8, 200_001)
    weight = np.exp(-(u**2) / 2)
    weight /= weight.sum()
    centre, spread = np.sqrt(share) * u, np.sqrt(1 - share)
    above, below = ndtr((centre - QUARTILE) / spread), ndtr((-centre - QUARTILE) / spread)
    outer, middle = np.maximum(above, below), 1 - above - below
    said = ((outer >= CLEAR, outer), ((outer >= PERHAPS) & (outer < CLEAR), outer), (middle >= AS_MOST, middle))
    shares = [(float(weight[where].sum()), float((weight * (1 - right))[where].sum())) for where, right in said]
    return [(often, wrong / often if often else float("nan")) for often, wrong in shares]


def simulated(institutions: int, share: float) -> list[tuple[float, float]]:
    """Return how often each word is said and is wrong; nothing is said where tau is estimated as 0."""
    rng = np.random.default_rng([institutions, round(100 * share)])
    variances = np.full(institutions, (1 - share) / share)
    trials = ENTRIES // institutions
    said, wrong = dict.fromkeys(WORDS, 0), dict.fromkeys(WORDS, 0)
    for _ in range(trials):
        true = rng.normal(size=institutions)
        found = true + rng.normal(size=institutions) * np.sqrt(variances)
        if shrink(found, variances).tau2 == 0:
            continue
        placed = placement(found, variances)
        for j in range(institutions):
            word = verdict(placed.below[j], placed.middle[j], placed.above[j], placed.middle_cautious[j])
            if word == "not-distinguishable":
                continue
            kind = "as-most" if word == "as-most" else word.split("-")[0].replace("clearly", "clear")
            right = abs(true[j]) <= QUARTILE if kind == "as-most" else (true[j] > QUARTILE, true[j] < -QUARTILE)["child" in word]
            said[kind] += 1
            wrong[kind] += not right
    return [(said[word] / (trials * institutions), wrong[word] / said[word] if said[word] else float("nan")) for word in WORDS]


def _print(institutions: str, share: float, found: list[tuple[float, float]]) -> None:
    cells = ",".join(f"{often:.3f},{'' if np.isnan(wrong) else f'{wrong:.3f}'}" for often, wrong in found)
    print(f"{institutions},{share:g},{cells}", flush=True)


if __name__ == "__main__":
    main()
