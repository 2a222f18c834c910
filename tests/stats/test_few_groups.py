"""The note of a fit with few groups gives the figures of the simulated cell nearest to its data.

1. The figures are the most over the intraclass correlations of the simulation's table. 2. t fails in no cell from 20 groups up.
3. A fit's note names its own cell: groups, size and the rarer answer; a count's the most over all.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import asp_eval
from asp_eval.stats.integration.few_groups import FAILS, FEW_GROUPS, SIMULATED, few_groups_note

TABLE = Path(__file__).parents[2] / "benchmarks" / "binary_outcomes.csv"


def rates():
    sums = pd.read_csv(TABLE).query("odds_ratio == 1").groupby(["clusters", "size", "prevalence", "icc"]).sum()
    assert len(sums) == 72 and (sums["trials"] >= 2_000).all()
    return 100 * sums[["t", "z"]].div(sums["trials"], axis=0)


def test_the_figures_are_those_of_the_simulation():  # 1, 2
    found = rates()
    most = found.groupby(["clusters", "size", "prevalence"]).max()
    few = most[most.index.get_level_values("clusters") < FEW_GROUPS]
    assert set(few.index) == set(SIMULATED)
    for cell, row in few.iterrows():
        assert SIMULATED[cell] == pytest.approx((row["t"], row["z"]), abs=0.051)
    assert (found.loc[found.index.get_level_values("clusters") >= FEW_GROUPS, "t"] <= FAILS).all()


@pytest.mark.parametrize(
    ("m", "size", "share", "cell", "fails"),
    [
        (8, 40, 0.7, "8 groups of 40, 30 %", True),
        (6, 12, 0.95, "8 groups of 10, 10 %", False),
        (13, 19, 0.45, "12 groups of 10, 50 %", False),
        (19, 21, 0.42, "12 groups of 40, 50 %", True),
    ],
)
def test_the_note_names_the_cell(m, size, share, cell, fails):  # 3
    note = few_groups_note("inst", m, size, share)
    assert cell in note and ("t fails" in note) == fails


def test_fits_say_it():  # 3
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(10), 30)
    frame = pd.DataFrame({"inst": g, "arm": g % 2, "y": rng.binomial(1, 0.5, 300), "falls": rng.poisson(1.0, 300)})
    rows = asp_eval.glmm("y ~ arm + (1 | inst)", frame)
    table = frame.groupby("inst").agg(arm=("arm", "first"), y=("y", "mean")).reset_index().assign(n=30)
    grouped = asp_eval.glmm("y ~ arm + (1 | inst)", table, weights="n")
    for fit in (rows, grouped):
        assert any("8 groups of 40, 50 %" in note and "t fails" in note for note in fit.notes)
    count = asp_eval.glmm("falls ~ arm + (1 | inst)", frame, family="poisson")
    assert any("8 groups of 40, a yes or no" in note for note in count.notes)
    many = asp_eval.glmm("y ~ arm + (1 | inst)", frame.assign(inst=np.repeat(np.arange(20), 15)))
    assert not any("Few groups" in note for note in many.notes)
