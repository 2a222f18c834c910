"""Holm by hand, and what an unavailable p-value does to its family."""

import pytest

from asp_eval.stats.meta.multiplicity import holm


def test_by_hand():
    # sorted .01 x 4 = .04; .02 x 3 = .06; .03 x 2 = .06; .04 x 1 = .04 -> .06 by monotony
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx((0.06, 0.04, 0.06, 0.06))


def test_an_unavailable_test_still_counts():
    assert holm([0.01, None]) == (pytest.approx(0.02), None)


def test_never_above_one():
    assert holm([0.9, 0.8]) == (1.0, 1.0)
