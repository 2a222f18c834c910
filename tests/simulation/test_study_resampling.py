"""The study's permutation test against a plain loop of the package's fits, and its level."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import resampled
import single
from block import less
from cells import Cell
from draws import draw_gaussian
from trial_rows import cross_products, rows_of_trial

import asp_eval
from asp_eval.core.randomness import stream
from asp_eval.stats.resampling.allocations import Allocations

SIX = Cell("gaussian", 6, 3, True, 0.1, 0.1)
PLAIN = Cell("no-covariate", 8, 4, True, 0.1, 0.1)
EIGHT = Cell("gaussian", 8, 4, False, 0.1, 0.1)


def under(cross: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """Return the cross-products of the same children under another allocation."""
    out = cross.copy()
    out[:, :, 1] = cross[:, :, 0] * arm[:, None]
    out[:, 1, :] = cross[:, 0, :] * arm[:, None]
    out[:, 1, 1] = cross[:, 0, 0] * arm
    return out


@pytest.mark.parametrize("cell", [SIX, PLAIN], ids=lambda c: c.name)
def test_permutation_is_a_loop_of_fits(cell: Cell) -> None:
    m = cell.clusters
    for cross in draw_gaussian(cell, stream(11, "study", cell.name), 2).cross:
        draws, enumerated = resampled.lots(cell, stream(11, "lots"))
        assert enumerated
        statistics, observed = [], single.closed_form(cross)["z"].statistic
        for treated in combinations(range(m), m // 2):
            arm = np.isin(np.arange(m), treated) * 1.0
            statistics.append(single.mixed(under(cross, arm)).contrast({"arm": 1.0}, method=single.OF_MIXED["z"]).statistic)
        assert observed is not None
        expected = np.mean(np.abs(statistics) >= abs(observed) - 1e-9)
        assert resampled.permutation_p(cross, draws, enumerated=True) == pytest.approx(expected, abs=1e-12)


def test_permutation_is_the_packages_method_on_rows() -> None:
    rng = stream(14, "study", "rows")
    draws, _ = resampled.lots(SIX, rng)
    for _ in range(3):
        frame = rows_of_trial(rng, [9, 14, 21, 33, 40, 52], 0.1)
        every = asp_eval.Permutation("arm", Allocations(tuple("012345"), draws, enumerated=True), interval=False)
        theirs = asp_eval.lmm("y ~ arm + x + (1 | institution)", frame).contrast({"arm": 1.0}, method=every)
        assert resampled.permutation_p(cross_products(frame), draws, enumerated=True) == theirs.p_value


def test_the_wild_bootstrap_is_the_packages_method_on_rows() -> None:
    """With the numbers that the package draws for its seed."""
    rng = stream(15, "study", "rows")
    for seed in range(4):
        frame = rows_of_trial(rng, [9, 14, 21, 33, 40, 52], 0.1)
        fit = asp_eval.ols("y ~ arm + x", frame, cluster="institution")
        theirs = fit.contrast({"arm": 1.0}, method=asp_eval.WildBootstrap(499, seed=seed))
        numbers = resampled.wild_numbers(SIX, stream(seed, "wild-bootstrap"))
        assert resampled.wild_p(cross_products(frame), numbers) == theirs.p_value


def test_what_a_permutation_test_can_attain() -> None:
    assert resampled.attainable(Cell("gaussian", 4, 2, False, 0, 0)) == 0
    assert resampled.attainable(SIX) == 0
    assert resampled.attainable(EIGHT) == pytest.approx(2 / 70)
    assert resampled.attainable(Cell("gaussian", 12, 6, False, 0, 0)) == pytest.approx(46 / 924)
    assert resampled.attainable(Cell("arm-icc", 12, 4, True, 0, 0)) == pytest.approx(24 / 495)
    assert resampled.attainable(Cell("gaussian", 20, 10, False, 0, 0)) == pytest.approx(24 / 500)


def test_permutation_rejects_as_often_as_it_can() -> None:
    n = 200
    trials = draw_gaussian(EIGHT, stream(12, "study"), n).cross
    draws, _ = resampled.lots(EIGHT, stream(12, "lots"))
    p = np.array([resampled.permutation_p(cross, draws, enumerated=True) for cross in trials])
    assert (p < 0.05).mean() == pytest.approx(2 / 70, abs=4 * np.sqrt(2 / 70 / n))
    assert p.min() == pytest.approx(2 / 70)
    assert (p <= 0.5).mean() == pytest.approx(0.5, abs=4 * 0.5 / n**0.5)


def test_a_true_effect_is_taken_from_the_outcome() -> None:
    cross = draw_gaussian(EIGHT, stream(13, "study"), 3).cross
    for before, after in zip(cross, less(cross, 0.4), strict=True):
        first, second = single.closed_form(before)["Kenward-Roger"], single.closed_form(after)["Kenward-Roger"]
        assert first.estimate is not None
        assert second.estimate == pytest.approx(first.estimate - 0.4, abs=1e-9)
        assert second.std_error == pytest.approx(first.std_error, rel=1e-7)
