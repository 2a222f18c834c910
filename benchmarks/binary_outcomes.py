"""How often the tests of an arm reject where there is no effect, for a yes or no in few institutions.

python benchmarks/binary_outcomes.py [--trials 1000] [--write docs/small-sample-inference-binary.md]

Institutions of 20 children, half of them in each arm; prevalence and intraclass correlation are those of the observed
outcome, from normal effects on the logit scale. A trial in which an arm has no events is refused and counts as no rejection.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import optimize, special

import asp_eval
from asp_eval import BetweenWithin, Normal, Refusal

CELLS = [(m, 0.3, icc) for m in (8, 12, 20, 40) for icc in (0.02, 0.1)]
SIZE = 20
METHODS = {"t, between-within": BetweenWithin(), "z": Normal()}
FAILS = 0.065
"""Type I error from which a cell fails."""


def logit_effects(prevalence: float, icc: float) -> tuple[float, float]:
    """Return the intercept and the standard deviation that give a prevalence and a correlation of two children."""
    point, weight = np.polynomial.hermite_e.hermegauss(60)
    weight = weight / weight.sum()

    def off(x: np.ndarray) -> list[float]:
        p = special.expit(x[0] + np.exp(x[1]) * point)
        mean = p @ weight
        return [mean - prevalence, (p**2 @ weight - mean**2) / (mean * (1 - mean)) - icc]

    found = optimize.root(off, [special.logit(prevalence), np.log(0.5)]).x
    return float(found[0]), float(np.exp(found[1]))


def cell(clusters: int, prevalence: float, icc: float, trials: int, nodes: int) -> dict[str, float]:
    """Return the shares of trials in which each test rejects at 5 %, that were refused, and that had no variance."""
    intercept, sd = logit_effects(prevalence, icc)
    rng = np.random.default_rng([clusters, int(1000 * icc), 7])
    inst = np.repeat(np.arange(clusters), SIZE)
    frame = pd.DataFrame({"inst": inst, "arm": (inst % 2).astype(float)})
    rejected = dict.fromkeys(METHODS, 0)
    refused = singular = 0
    for _ in range(trials):
        eta = intercept + sd * rng.standard_normal(clusters)[inst]
        frame["y"] = (rng.random(len(inst)) < special.expit(eta)).astype(float)
        try:
            fit = asp_eval.glmm("y ~ arm + (1 | inst)", frame, n_quadrature=nodes)
        except Refusal:
            refused += 1
            continue
        singular += fit.singular
        for name, method in METHODS.items():
            rejected[name] += float(fit.contrast("arm", method).p_value or 1.0) < 0.05
    shares = {name: count / trials for name, count in rejected.items()}
    return {**shares, "refused": refused / trials, "singular": singular / trials}


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--nodes", type=int, default=7)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    error = 1.96 * np.sqrt(0.05 * 0.95 / given.trials)
    lines = ["# A yes or no in few institutions: how often a test rejects where there is no effect", ""]
    lines += [str(__doc__).split("\n\n")[2].replace("\n", " "), ""]
    lines += [f"{given.trials:,} trials a row, {given.nodes} quadrature points; nominal 5 %,"]
    lines += [f"Monte Carlo error {100 * error:.1f} points."]
    lines += [f"A cell above {100 * FAILS:.1f} % fails and is marked.", ""]
    heads = ["institutions", "prevalence", "ICC", *METHODS, "variance at zero", "refused"]
    lines += ["| " + " | ".join(heads) + " |", "|" + "---:|" * len(heads)]
    for clusters, prevalence, icc in CELLS:
        found = cell(clusters, prevalence, icc, given.trials, given.nodes)
        shown = [f"{100 * found[n]:.1f} %" + (" **fails**" if found[n] > FAILS else "") for n in METHODS]
        rest = [f"{100 * found['singular']:.0f} %", f"{100 * found['refused']:.1f} %"]
        lines.append("| " + " | ".join([str(clusters), f"{prevalence:g}", f"{icc:g}", *shown, *rest]) + " |")
        print(lines[-1], flush=True)
    text = "\n".join(lines) + "\n"
    if given.write:
        given.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
