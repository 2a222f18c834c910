"""Power against base R 4.2.2 (pt, uniroot, power.t.test, power.prop.test) and a simulation by lme4 1.1-31.

1. two-level grid: standard error, df, power, detectable effect, central t; 2. power.t.test and power.prop.test; 3. trials
simulated row by row and fitted by lmer have the power, the standard error and the spread that formula and engine give.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import asp_eval

HERE = Path(__file__).parent
CLOSE = 1e-10  # R's pt() is good to about 1e-12; values are stored with 15 digits

GRID = pd.read_csv(HERE / "two_level.csv")


def read(name: str) -> list[tuple]:
    return list(pd.read_csv(HERE / name).itertuples(index=False))


@pytest.mark.parametrize("row", read("two_level.csv"), ids=str)
def test_two_level_designs(row):
    design = asp_eval.TwoLevel(
        clusters=row.clusters,
        size=row.size,
        icc=row.icc,
        share=row.share,
        r2_cluster=row.r2_cluster,
        r2_individual=row.r2_individual,
        covariates_cluster=row.covariates,
    )
    found = asp_eval.power(design, row.effect)
    assert found.std_error == pytest.approx(row.se, rel=1e-13)
    assert found.df == row.df
    assert found.power == pytest.approx(row.power, abs=CLOSE)
    least = asp_eval.minimum_detectable_effect(design)
    assert least.effect == pytest.approx(row.detectable, rel=CLOSE)
    assert least.rows[0].approximation == pytest.approx(row.central, rel=1e-12)


def test_the_exact_detectable_effect_is_not_the_one_by_central_t():
    assert (np.abs(GRID["detectable"] / GRID["central"] - 1) > 1e-4).any()


@pytest.mark.parametrize("row", read("power_t_test.csv"), ids=str)
def test_power_t_test(row):
    test = asp_eval.TTest(both_tails=bool(row.strict))
    assert asp_eval.power(asp_eval.Individual(2 * row.n), row.delta, test=test).power == pytest.approx(row.power, abs=CLOSE)


@pytest.mark.parametrize("row", read("power_t_test_n.csv"), ids=str)
def test_sample_size_of_power_t_test(row):
    test = asp_eval.TTest(alpha=row.alpha, both_tails=False)
    found = asp_eval.sample_size(asp_eval.Individual(None), row.delta, row.power, test=test).found
    assert found / 2 == pytest.approx(row.n_per_arm, rel=1e-9)


@pytest.mark.parametrize("row", read("power_prop_test_n.csv"), ids=str)
def test_sample_size_of_power_prop_test(row):
    outcome, test = asp_eval.Binary(row.p0, pooled=True), asp_eval.ZTest(both_tails=False)
    found = asp_eval.sample_size(asp_eval.Individual(None), row.p1 - row.p0, row.power, outcome=outcome, test=test).found
    assert found / 2 == pytest.approx(row.n_per_arm, rel=1e-9)


def test_trials_simulated_row_by_row():
    stored = read("lme4_simulation.csv")[0]
    design = asp_eval.TwoLevel(clusters=24, size=asp_eval.Sizes.of(np.repeat([8, 14, 20, 38], 6)), icc=0.2)
    waves = asp_eval.Ancova(cluster=0.6, individual=0.5)
    error = np.sqrt(stored.power * (1 - stored.power) / stored.trials)
    by_formula = asp_eval.power(design, 0.5, waves=waves)
    assert by_formula.power == pytest.approx(stored.power, abs=3 * error)
    assert by_formula.std_error == pytest.approx(stored.spread, rel=3 / np.sqrt(2 * stored.trials))
    engine = (
        asp_eval.simulate_power(design, 0.5, waves=waves, method=asp_eval.BetweenWithin(), trials=4096, seed=11).frame().iloc[0]
    )
    both = np.hypot(error, engine["monte_carlo_error"])
    assert engine["power"] == pytest.approx(stored.power, abs=3 * both)
    assert engine["std_error"] == pytest.approx(stored.rms_se, rel=0.01)
    assert engine["spread"] == pytest.approx(stored.spread, rel=3 / np.sqrt(2 * stored.trials))
