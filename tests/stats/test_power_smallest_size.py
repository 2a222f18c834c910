"""The sample size is the smallest that can be drawn in its ratio and reaches the power; effects are in the units read."""

from __future__ import annotations

from typing import Any

import pytest

from asp_eval.core.errors import Refusal
from asp_eval.stats.power.analytic import power
from asp_eval.stats.power.designs import Individual, TwoLevel
from asp_eval.stats.power.needed import sample_size
from asp_eval.stats.power.outcomes import Continuous
from asp_eval.stats.power.simulated import simulate_power
from tests.products import each_value

SHARES, EFFECTS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 2 / 3, 0.75], [0.2, 0.35, 0.5, 0.8, 1.2]

KEPT = {0.2: 5, 0.4: 5, 0.5: 2, 0.6: 5, 2 / 3: 3, 0.75: 4}
"""Shares that are ratios of small numbers, and their sums: 1 to 4, ..., 2 to 1."""


def smallest(make: Any, effect: float, share: float, most: int) -> int:
    """By trying every number from 2, each drawn in whole arms, in the ratio where that is one of small numbers."""
    for number in range(2, most + 1):
        treated = round(share * number)
        kept = share not in KEPT or number % KEPT[share] == 0
        if 0 < treated < number and kept:
            try:
                if power(make(number, treated / number), effect).power >= 0.8 - 1e-12:
                    return number
            except Refusal:  # too few for the test to exist
                continue
    raise AssertionError("none is enough")


@pytest.mark.parametrize(("share", "effect"), each_value(SHARES, EFFECTS))
def test_no_smaller_number_of_clusters_is_enough(share: float, effect: float) -> None:
    found = sample_size(TwoLevel(clusters=None, size=20, icc=0.1, share=share), effect).rows[0].whole
    assert found == smallest(lambda n, s: TwoLevel(clusters=n, size=20, icc=0.1, share=s), effect, share, found)


@pytest.mark.parametrize(("share", "effect"), each_value(SHARES, EFFECTS[2:]))
def test_no_smaller_number_of_individuals_is_enough(share: float, effect: float) -> None:
    found = sample_size(Individual(individuals=None, share=share), effect).rows[0].whole
    assert found == smallest(lambda n, s: Individual(individuals=n, share=s), effect, share, found)


TRIAL = TwoLevel(clusters=60, size=50, icc=0.1)


@pytest.mark.parametrize(
    "ask",
    [
        lambda effect: power(TRIAL, effect),
        lambda effect: power(TRIAL, [0.2, effect]),
        lambda effect: sample_size(TwoLevel(clusters=None, size=50, icc=0.1), effect),
        lambda effect: simulate_power(TRIAL, effect, trials=100, seed=1),
    ],
)
@pytest.mark.parametrize("effect", [25, -25, 7])
def test_an_effect_in_other_units_is_refused_with_a_word_on_them(ask: Any, effect: float) -> None:
    with pytest.raises(Refusal) as refused:
        ask(effect)
    assert refused.value.problems[0].code == "PWR-047" and "standard deviations" in str(refused.value)


def test_an_effect_in_the_outcome_s_own_units_is_not() -> None:
    assert power(TRIAL, 25, outcome=Continuous(sd=100)).power == pytest.approx(power(TRIAL, 0.25).power)
    with pytest.raises(Refusal):
        power(TRIAL, 25, outcome=Continuous(sd=4))
