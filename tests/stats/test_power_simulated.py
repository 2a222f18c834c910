"""Power by simulation.

1. every trial's fit and test are those of the engine; 2. drawn cross-products have the moments of rows; 3. formula and simulation
agree within Monte Carlo error; 4. the same seed gives the same trials, whatever their number; 5. one effect's answer is
that of trials with the effect in them; 6. what cannot be simulated is refused.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from asp_eval import (
    Ancova,
    BetweenWithin,
    ByArm,
    Change,
    ClusterRobust,
    EndOnly,
    IccEstimate,
    KenwardRoger,
    Losses,
    Normal,
    Refusal,
    Satterthwaite,
    Sizes,
    ThreeLevel,
    TTest,
    TwoLevel,
    lmm_from_moments,
    power,
    simulate_power,
)
from asp_eval.core.randomness import stream
from asp_eval.stats.design.layout import FactorLayout, Layout
from asp_eval.stats.engine.accumulate import Sums
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.power.many_tests import fit_trials
from asp_eval.stats.power.simulated import Situation, cluster_sizes
from asp_eval.stats.power.trials import Population, draw_trials

NAMES = ("Intercept", "stratum", "x", "arm")
SEED = 5


def population(trials: int, *, icc: float = 0.1, losses: Losses | None = None, cross: bool = True, sizes=None) -> Population:
    sizes = np.array([3, 1, 12, 30, 2, 9, 25, 14, 7, 18] if sizes is None else sizes)
    strata = (np.arange(len(sizes)) % 2)[:, None] * 1.0
    v = np.full(trials, icc)
    baseline = (v, 1 - v) if cross else None
    return Population(sizes, strata, baseline, (0.6, 0.4), (0.64 * v, 0.84 * (1 - v)), losses or Losses())


def allocations(trials: int, clusters: int = 10) -> np.ndarray:
    first = np.tile((np.arange(clusters) < clusters // 2).astype(np.int8), (trials, 1))
    return stream(SEED, "lot").permuted(first, axis=1)


def engine(trials, r: int, names=NAMES):
    """The package's own fit of the r-th trial."""
    c = len(names) + 1
    held = trials.n[:, r] > 0
    layout = Layout("y ~ ...", (*names, "y"), tuple(range(c - 1)), (FactorLayout("g", ("g",), ((0,),)),))
    sums = Sums(np.zeros(c), trials.total[:, :, r].copy(), (trials.sums[:, held, r].T[:, None, :],), {})
    moments = Moments.of_pass(layout, sums, [pd.RangeIndex(int(held.sum()))], int(trials.n[:, r].sum()))
    return lmm_from_moments(moments)


@pytest.mark.parametrize(
    ("icc", "losses"), [(0.2, Losses()), (0.0, Losses()), (0.02, Losses(clusters=ByArm(0.1, 0.2), individuals=0.3))]
)
def test_every_trial_is_answered_as_the_engine_answers_it(icc, losses):
    trials = draw_trials(population(40, icc=icc, losses=losses), allocations(40), stream(SEED, "trials"))
    fits = fit_trials(trials, 3)
    checked = 0
    for r in range(40):
        if not np.isfinite(fits.estimate[r]):
            continue
        fit = engine(trials, r)
        kr = fit.contrast({"arm": 1.0}, method=KenwardRoger())
        assert fits.estimate[r] == pytest.approx(kr.estimate, rel=1e-7, abs=1e-9)
        assert fits.adjusted_error[r] == pytest.approx(kr.std_error, rel=1e-7)
        assert fits.df[r] == pytest.approx(kr.df, rel=1e-6)
        assert fits.std_error[r] == pytest.approx(fit.contrast({"arm": 1.0}, method=Normal()).std_error, rel=1e-7)
        checked += 1
    assert checked > 20
    if icc == 0.0:
        assert (fits.ratio == 0).any()


def test_between_within_counts_the_clusters_that_are_left():
    trials = draw_trials(population(30, losses=Losses(clusters=0.2)), allocations(30), stream(SEED, "lost"))
    fits = fit_trials(trials, 3)
    for r in np.flatnonzero(np.isfinite(fits.estimate))[:10]:
        assert fits.clusters_df[r] == (trials.n[:, r] > 0).sum() - 3


def test_losses_strike_as_often_as_they_should():
    R, losses = 4000, Losses(clusters=ByArm(0.1, 0.3), individuals=ByArm(0.2, 0.05))
    arms = allocations(R)
    trials = draw_trials(population(R, losses=losses, sizes=[20] * 10), arms, stream(SEED, "losses"))
    for arm, clusters, individuals in ((0, 0.1, 0.2), (1, 0.3, 0.05)):
        n = trials.n[arm == arms.T]
        assert (n == 0).mean() == pytest.approx(clusters, abs=4 * np.sqrt(clusters * (1 - clusters) / len(n)))
        assert n[n > 0].mean() == pytest.approx(20 * (1 - individuals), abs=4 * np.sqrt(20 * individuals / len(n)))


def test_an_arm_that_is_not_compared_is_not_measured():
    arms = allocations(5)
    arms[:, 3] = 2
    trials = draw_trials(population(5), arms, stream(SEED, "three"))
    assert (trials.n[3] == 0).all()
    assert (trials.sums[:, 3] == 0).all()


@pytest.mark.parametrize("cross", [True, False])
def test_drawn_cross_products_have_the_moments_of_rows(cross):
    """Means and covariances of the totals, against 20,000 trials made row by row."""
    R, sizes, icc = 20_000, np.array([4, 1, 9, 6]), 0.3
    arms = np.tile(np.array([0, 1, 0, 1]), (R, 1))
    trials = draw_trials(population(R, icc=icc, cross=cross, sizes=sizes), arms, stream(SEED, "moments"))
    random = stream(SEED, "rows")
    g = np.repeat(np.arange(4), sizes)
    v, f = np.sqrt(icc) * random.standard_normal((R, 4)), np.sqrt(1 - icc) * random.standard_normal((R, len(g)))
    slopes = (0.6, 0.4) if cross else (0.0, 0.0)
    u = np.sqrt(0.64 * icc) * random.standard_normal((R, 4)) + slopes[0] * v
    y = u[:, g] + np.sqrt(0.84 * (1 - icc)) * random.standard_normal((R, len(g))) + slopes[1] * f
    x = v[:, g] + f
    quadratic = [trials.total[-1, -1], trials.sums[-1, 2] ** 2, trials.total[-1, 0] * trials.sums[-1, 0]]
    by_rows = [(y**2).sum(1), y[:, g == 2].sum(1) ** 2, y.sum(1) * y[:, g == 0].sum(1)]
    if cross:
        quadratic += [trials.total[2, -1], trials.total[2, 2], trials.sums[2, 2] * trials.sums[-1, 2]]
        by_rows += [(x * y).sum(1), (x**2).sum(1), x[:, g == 2].sum(1) * y[:, g == 2].sum(1)]
    ours, theirs = np.array(quadratic), np.array(by_rows)
    error = np.sqrt(ours.var(axis=1) / R + theirs.var(axis=1) / R)
    assert (np.abs(ours.mean(axis=1) - theirs.mean(axis=1)) < 4 * error).all()
    correlations = [np.corrcoef(m) for m in (ours, theirs)]
    assert np.abs(correlations[0] - correlations[1]).max() < 0.08
    assert np.log(ours.std(axis=1) / theirs.std(axis=1)) == pytest.approx(0, abs=0.08)


def test_sums_of_squares_within_clusters_have_their_exact_distributions():
    """Within clusters: x'x is chi-square, the slope on x normal given it, and what is left of y'y chi-square."""
    R, icc, sizes = 5000, 0.3, np.array([4, 1, 9, 6])
    trials = draw_trials(population(R, icc=icc, sizes=sizes), np.tile([0, 1, 0, 1], (R, 1)), stream(SEED, "within"))
    x, y = 2, -1
    within = {
        (i, j): trials.total[i, j] - (trials.sums[i] * trials.sums[j] / sizes[:, None]).sum(axis=0)
        for i, j in ((x, x), (x, y), (y, y))
    }
    left, free = 0.84 * (1 - icc), sizes.sum() - len(sizes)
    slope = within[x, y] / within[x, x]
    rest = within[y, y] - slope * within[x, y]
    for found, distribution in (
        (within[x, x] / (1 - icc), stats.chi2(free)),
        ((slope - 0.4) * np.sqrt(within[x, x] / left), stats.norm()),
        (rest / left, stats.chi2(free - 1)),
    ):
        assert stats.kstest(found, distribution.cdf).pvalue > 0.001
    assert abs(stats.spearmanr(slope, rest).statistic) < 4 / np.sqrt(R)


AGREE = [
    (TwoLevel(40, 30, 0.1, cv=0.3), {}),
    (TwoLevel(48, 25, 0.15, strata=4, share=0.25), {"waves": Ancova(0.7, 0.5)}),
    (TwoLevel(40, 30, 0.12), {"waves": Ancova(0.3, 0.7)}),
    (TwoLevel(40, 30, 0.12), {"waves": Change(0.7, 0.6, followups=2)}),
    (TwoLevel(60, 20, 0.1, r2_cluster=0.3, r2_individual=0.2), {"waves": EndOnly(3, 0.8, 0.4)}),
    (TwoLevel(60, 20, 0.15), {"losses": Losses(ByArm(0.1, 0.05), ByArm(0.05, 0.2))}),
    (TwoLevel(40, 30, IccEstimate(0.15, 0.04)), {}),
]


@pytest.mark.parametrize(("design", "more"), AGREE, ids=str)
def test_formula_and_simulation_agree(design, more):
    effects = [0.2, 0.3]
    simulated = simulate_power(design, effects, trials=2048, seed=3, **more).frame()
    for row, effect in zip(simulated.itertuples(), effects, strict=True):
        formula = power(design, effect, **more)
        assert row.power == pytest.approx(formula.power, abs=3.5 * row.monte_carlo_error + 0.002)
        assert row.std_error == pytest.approx(formula.std_error, rel=0.03)
        assert row.spread == pytest.approx(formula.std_error, rel=0.05)
    assert simulated["rejects_zero"][0] == pytest.approx(0.05, abs=0.017)


@pytest.mark.slow
@pytest.mark.parametrize(("design", "more"), AGREE, ids=str)
def test_formula_and_simulation_agree_closely(design, more):
    simulated = simulate_power(design, 0.25, trials=100_000, seed=4, **more).frame().iloc[0]
    assert simulated["power"] == pytest.approx(power(design, 0.25, **more).power, abs=0.008)
    assert simulated["rejects_zero"] == pytest.approx(0.05, abs=0.003)


def test_few_clusters_with_a_small_correlation_make_the_mixed_model_cautious():
    """A variance cannot be estimated below zero: the test rejects less than its level, and the formula hopes for more."""
    found = simulate_power(TwoLevel(8, 10, 0.02), 0.5, trials=8192, seed=1).frame().iloc[0]
    assert found["singular"] > 0.3
    assert found["rejects_zero"] < 0.05
    assert found["power"] < power(TwoLevel(8, 10, 0.02), 0.5).power


def test_the_same_seed_gives_the_same_trials_whatever_their_number():
    design = TwoLevel(12, 8, 0.1)
    few, many = (simulate_power(design, 0.4, trials=t, seed=9).rows[0].estimate for t in (512, 1024))
    assert (few == many[:512]).all()
    other = simulate_power(design, 0.4, trials=512, seed=10).rows[0].estimate
    assert not (few == other).any()


def test_an_effect_shifts_the_estimate_and_nothing_else():
    trials = draw_trials(population(30), allocations(30), stream(SEED, "shift"))
    before = fit_trials(trials, 3)
    move = np.eye(5)
    move[3, 4] = 0.7
    sums = np.einsum("ijr,ik->kjr", trials.sums, move)
    total = np.einsum("ia,ijr,jb->abr", move, trials.total, move)
    after = fit_trials(type(trials)(trials.n, sums, total), 3)
    assert after.estimate == pytest.approx(before.estimate + 0.7, rel=1e-6)
    for name in ("adjusted_error", "df", "ratio"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), rel=1e-5, abs=1e-8)


def test_one_sided_and_two_sided_tests_count_the_right_rejections():
    row = simulate_power(TwoLevel(12, 8, 0.1), 0.4, trials=512, seed=2).rows[0]
    t, df = (row.estimate + 0.4) / row.std_error, row.df
    for test, p in (
        (TTest(), 2 * stats.t.sf(np.abs(t), df) < 0.05),
        (TTest(sides=1), stats.t.sf(t, df) < 0.05),
        (TTest(both_tails=False), stats.t.sf(t, df) < 0.025),
    ):
        assert (row.rejections(0.4, test) == p).all()
    assert (row.rejections(-0.4, TTest()) == (2 * stats.t.sf(np.abs((row.estimate - 0.4) / row.std_error), df) < 0.05)).all()


def test_methods_differ_as_they_should():
    design = TwoLevel(10, 12, 0.1, cv=0.6)
    kr, bw, z = (
        simulate_power(design, 0.6, trials=2048, seed=6, method=m).frame().iloc[0]
        for m in (KenwardRoger(), BetweenWithin(), Normal())
    )
    assert bw["df"] == 8
    assert kr["df"] != 8
    assert z["df"] == np.inf
    assert z["rejects_zero"] > bw["rejects_zero"] >= kr["rejects_zero"] - 0.005


def test_sizes_of_clusters():
    sizes = cluster_sizes(TwoLevel(60, 50, 0.1, cv=0.6))
    assert (len(sizes), sizes.mean(), sizes.std() / sizes.mean()) == (
        60,
        pytest.approx(50, rel=0.01),
        pytest.approx(0.6, rel=0.03),
    )
    assert cluster_sizes(TwoLevel(3, Sizes.of([4, 9, 2]), 0.1)).tolist() == [4, 9, 2]
    assert (cluster_sizes(TwoLevel(7, 12, 0.1)) == 12).all()


def test_sequences_and_a_lot_of_ones_own():
    lot = Situation(np.zeros((12, 0)), lambda trials: np.tile(np.arange(12) % 2, (trials, 1)))
    frame = simulate_power(TwoLevel(12, 8, [0.1, 0.2]), [0.3, 0.5], situation=lot, trials=256).frame()
    assert len(frame) == 4
    assert frame["power"].is_monotonic_increasing is False
    assert "monte_carlo_error" in frame


@pytest.mark.parametrize(
    ("code", "asked"),
    [
        ("PWR-040", lambda: simulate_power(TwoLevel(12, 8, 0.1, analysis=ClusterRobust()), 0.3)),
        ("PWR-040", lambda: simulate_power(ThreeLevel(12, 2, 8, 0.1, 0.1), 0.3)),
        ("PWR-040", lambda: simulate_power(TwoLevel(12, 8, 0.1), 0.3, method=Satterthwaite())),
        ("PWR-041", lambda: simulate_power(TwoLevel(12, 8, 0.1), 0.3, trials=3)),
        (
            "PWR-042",
            lambda: simulate_power(
                TwoLevel(12, 8, 0.1), 0.3, trials=100, situation=Situation(np.zeros((12, 0)), lambda t: np.zeros((t, 11), int))
            ),
        ),
    ],
)
def test_what_cannot_be_simulated_is_refused(code, asked):
    with pytest.raises(Refusal, match=code):
        asked()
