"""Holm by hand, both adjustments beside statsmodels, and what an unavailable p-value does to its family."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from asp_eval.stats.meta.multiplicity import benjamini_hochberg, holm


def test_by_hand():
    # sorted .01 x 4 = .04; .02 x 3 = .06; .03 x 2 = .06; .04 x 1 = .04 -> .06 by monotony
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx((0.06, 0.04, 0.06, 0.06))


def test_an_unavailable_test_still_counts():
    assert holm([0.01, None]) == (pytest.approx(0.02), None)


def test_never_above_one():
    assert holm([0.9, 0.8]) == (1.0, 1.0)


@pytest.mark.parametrize(("adjust", "name"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_as_statsmodels(adjust, name):
    for family in (np.linspace(0.001, 0.9, 7) ** 2, np.array([0.04, 0.01, 0.04, 0.01, 0.5]), np.array([1.0])):
        assert adjust(family[::-1].tolist()) == pytest.approx(multipletests(family[::-1], method=name)[1], abs=1e-15)
    assert adjust([]) == ()


def test_benjamini_and_hochberg_by_hand():
    # sorted .01 x 4/1 = .04; .02 x 4/2 = .04; .03 x 4/3 = .04; .5 x 4/4 = .5
    assert benjamini_hochberg([0.5, 0.01, 0.03, 0.02]) == pytest.approx((0.5, 0.04, 0.04, 0.04))
