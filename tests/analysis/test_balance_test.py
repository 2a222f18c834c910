"""The omnibus test of balance, by hand.

Four institutions, two to each arm, one variable 1, 2, 3, 10: the six allocations have differences of -5, -4, 3, -3, 4, 5 between
the means (of b less a), variance (25 + 16 + 9) * 2 / 6 = 50/3.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.analysis import balance_test
from asp_eval.analysis.balance_test import NO_FREEDOM, NOT_POSSIBLE, differences, omnibus_test
from asp_eval.analysis.data import load_data
from asp_eval.analysis.integrity import Omnibus
from asp_eval.core.errors import Unavailable
from asp_eval.stats.resampling.allocations import Allocations

EVERY = np.array([[int(g in pair) for g in range(4)] for pair in itertools.combinations(range(4), 2)], dtype=np.int8)
ALL = Allocations(("a", "b", "c", "d"), EVERY, enumerated=True)
VALUES = pd.DataFrame({"x": [1.0, 2.0, 3.0, 10.0]})


def omnibus(frame: pd.DataFrame, arms: list[int], possible: Allocations = ALL) -> Omnibus | Unavailable:
    return balance_test._tested(frame, np.array(arms, dtype=np.int8), possible.draws, possible)


def test_one_variable_by_hand():
    assert differences(VALUES.to_numpy(), EVERY)[:, 0].tolist() == [-5.0, -4.0, 3.0, -3.0, 4.0, 5.0]
    found = omnibus(VALUES, [0, 1, 0, 1])  # 6 less 2
    assert isinstance(found, Omnibus)
    assert found.statistic == pytest.approx(16 / (50 / 3))
    assert (found.p_value, found.draws, found.exact, found.rank) == (pytest.approx(4 / 6), 6, True, 1)
    assert omnibus(VALUES, [0, 0, 1, 1]).p_value == pytest.approx(2 / 6)


def test_a_sample_of_allocations_counts_the_one_drawn_as_well():
    sample = Allocations(("a", "b", "c", "d"), EVERY[[0, 2, 3, 4, 5]])
    # centred on the five differences -5, 3, -3, 4, 5 (mean 0.8): the one drawn is 3.2 from it, as 4 is; -5, -3 and 5 are farther
    assert omnibus(VALUES, [0, 1, 0, 1], sample).p_value == pytest.approx((1 + 4) / (1 + 5))


def test_an_institution_without_a_value_gets_the_mean_of_the_others_and_is_counted():
    gap = pd.DataFrame({"x": [1.0, 2.0, np.nan, 10.0]})
    filled = pd.DataFrame({"x": [1.0, 2.0, 13 / 3, 10.0]})
    found, as_filled = omnibus(gap, [0, 1, 0, 1]), omnibus(filled, [0, 1, 0, 1])
    assert found.filled == 1
    assert (found.statistic, found.p_value) == (pytest.approx(as_filled.statistic), as_filled.p_value)


@given(st.lists(st.integers(-50, 50), min_size=4, max_size=4, unique=True), st.floats(0.1, 20), st.floats(-30, 30))
def test_units_and_copies_of_a_variable_change_nothing(values, scale, shift):
    one = pd.DataFrame({"x": [float(v) for v in values]})
    two = pd.DataFrame({"x": one["x"] * scale + shift, "again": -one["x"]})
    found, other = omnibus(one, [0, 0, 1, 1]), omnibus(two, [0, 0, 1, 1])
    if isinstance(found, Unavailable):
        assert found == other
    else:
        assert (other.p_value, other.rank) == (found.p_value, 1)
        assert other.statistic == pytest.approx(found.statistic)


def test_too_many_variables_for_the_institutions_give_no_number():
    three = pd.DataFrame(np.random.default_rng(1).normal(size=(4, 3)), columns=list("xyz"))
    assert omnibus(three, [0, 0, 1, 1]) == NO_FREEDOM
    assert omnibus(VALUES.assign(x=1.0), [0, 0, 1, 1]) == NO_FREEDOM


def test_an_allocation_that_could_not_come_about_gives_no_number():
    pairs = Allocations(("a", "b", "c", "d"), np.array([[0, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 1, 0]]), enumerated=True)
    assert omnibus(VALUES, [0, 0, 1, 1], pairs) == NOT_POSSIBLE


def test_a_lot_drawn_elsewhere_has_no_known_allocations(small_study):
    assert omnibus_test(load_data(small_study)) == Unavailable("the study says that the lot was drawn elsewhere")


def test_nothing_measured_is_said(small_study):
    data = load_data(small_study)
    empty = replace(data, children=data.children.iloc[:0])
    assert isinstance(omnibus_test(empty), Unavailable)


def test_p_values_of_all_allocations_are_those_of_a_lot():
    """Over the lot itself the p-value is at most alpha in at most a share alpha of the draws."""
    frame = pd.DataFrame(np.random.default_rng(5).normal(size=(8, 2)), columns=["x", "y"])
    draws = np.array([[int(g in half) for g in range(8)] for half in itertools.combinations(range(8), 4)], dtype=np.int8)
    every = Allocations(tuple("abcdefgh"), draws, enumerated=True)
    p = np.array([omnibus(frame, row.tolist(), every).p_value for row in draws])
    for alpha in (0.05, 0.1, 0.3, 0.7):
        assert alpha - 2 / 70 <= (p <= alpha).mean() <= alpha
