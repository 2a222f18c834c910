"""The wild cluster bootstrap of least squares.

1. every draw is that of a plain loop over rows, weights included; the p-value is the count;
2. the interval holds the effects that are not rejected;
3. Webb's six numbers have mean zero, variance one and are equally frequent; the seed decides;
4. it keeps its level with eight clusters; what has none says so.
"""

from __future__ import annotations

import numpy as np
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.core.randomness import stream
from asp_eval.stats.linear.ols import ols
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.resampling.wild import WEBB, ClusterScores, WildBootstrap, WildTest
from asp_eval.stats.smallsample.cluster_robust import CR1
from tests.stats.permutation_trials import trial

ARM = "arm[T.arm1]"


def numbers(draws: int, clusters: int, seed: int = 1) -> np.ndarray:
    return WEBB.ravel()[stream(seed, "wild-bootstrap").integers(0, 6, (draws, clusters))]


def loop(frame, v, delta, weights):
    """|t| of every draw by refitting rows."""
    treated = (frame["arm"] == "arm1") * 1.0
    null = ols("y ~ x", frame.assign(y=frame["y"] - delta * treated), weights=weights)
    out = []
    for row in v:
        y = null.fitted + delta * treated + row[frame["cluster"]] * null.residuals
        fit = ols("y ~ arm + x", frame.assign(y=y), cluster="g", weights=weights)
        out.append(abs(fit.estimate[1] - delta) / np.sqrt(fit.vcov(CR1()).to_numpy()[1, 1]))
    return np.array(out)


@pytest.mark.parametrize(("delta", "weights"), [(0.0, None), (0.7, None), (-0.4, "w")])
def test_every_draw_is_that_of_a_loop_over_rows(delta, weights):
    frame = trial(9, 6, seed=51).sample(frac=1.0, random_state=1)
    fit = ols("y ~ arm + x", frame, cluster="g", weights=weights)
    v = np.vstack([np.ones(9), numbers(40, 9)])
    test = WildTest.of(ClusterScores.of(fit), v, np.array([0.0, 1.0, 0.0]), float(fit.estimate[1]))
    np.testing.assert_allclose(test.statistics(delta, np.arange(41)), loop(frame, v, delta, weights), rtol=1e-9)
    assert test.std_error == pytest.approx(fit.tidy(CR1())["std_error"][1])


def test_the_row_of_a_table():
    frame = trial(9, 6, seed=52, effect=0.8)
    fit = ols("y ~ arm + x", frame, cluster="g")
    row = fit.contrast({ARM: 1.0}, WildBootstrap(39, seed=3))
    t = loop(frame, np.vstack([np.ones(9), numbers(39, 9, seed=3)]), 0.0, None)
    assert row.p_value == (1 + (t[1:] >= t[0] - 1e-9).sum()) / 40
    assert row.df is None and "39 draws" in row.note and row.method == "WildBootstrap"
    assert row == fit.contrast({ARM: 1.0}, WildBootstrap(39, seed=3))
    step = 1e-4 * row.std_error
    for end, outward in ((row.conf_low, -1), (row.conf_high, 1)):
        for move, inside in ((outward * step, False), (-outward * step, True)):
            t = loop(frame, np.vstack([np.ones(9), numbers(39, 9, seed=3)]), end + move, None)
            assert ((1 + (t[1:] >= t[0] - 1e-9).sum()) / 40 >= 0.05) == inside


def test_webbs_numbers():
    assert WEBB.sum() == pytest.approx(0) and (WEBB**2).mean() == pytest.approx(1)
    v = numbers(3000, 20)
    found, count = np.unique(v, return_counts=True)
    assert len(found) == 6 and count == pytest.approx(10_000, rel=0.05)


def test_the_level_holds_with_eight_clusters():
    """150 samples without an effect: 1 to 15 are rejected at 5 % (all but once in 200); classical t would reject a third."""
    frame = trial(8, 8, icc=0.3, seed=53)
    rng = np.random.default_rng(54)
    p = []
    for _ in range(150):
        y = rng.normal(size=8)[frame["cluster"]] * 0.65 + rng.normal(size=len(frame))
        fit = ols("y ~ arm", frame.assign(y=y), cluster="g")
        scores = ClusterScores.of(fit)
        v = np.vstack([np.ones(8), WEBB.ravel()[rng.integers(0, 6, (199, 8))]])
        t = WildTest.of(scores, v, np.array([0.0, 1.0]), float(fit.estimate[1])).statistics(0.0, np.arange(200))
        p.append((t[1:] >= t[0]).mean())
    assert 1 <= np.sum(np.array(p) < 0.05) <= 15


def test_what_has_no_wild_bootstrap_says_so():
    frame = trial(9, 6, seed=55)
    method = WildBootstrap(99)
    assert "defined for least squares" in lmm("y ~ arm + (1 | g)", frame).contrast({ARM: 1.0}, method).note
    assert "needs the clusters" in ols("y ~ arm", frame).contrast({ARM: 1.0}, method).note
    assert "with 4 clusters" in ols("y ~ arm", trial(4, 8), cluster="g").contrast({ARM: 1.0}, method).note
    few = ols("y ~ arm", frame, cluster="g").contrast({ARM: 1.0}, WildBootstrap(15))
    assert few.p_value is not None and few.conf_low is None and "15 draws" in few.note
    with pytest.raises(Refusal, match="INF-075"):
        WildBootstrap(0)
