"""Permutation of a cluster-level treatment.

1. every refit is that of a plain loop of single fits, to 1e-8: REML, CR1, cluster means, other mixed models;
2. p-values by counting: sampled, enumerated, ties, mirror images;
3. the interval holds exactly the effects that a loop does not reject;
4. of many draws, those read from series in the variance ratio are those found one by one, to 1e-10;
5. too few clusters have no interval; what is no effect of the treatment has no p-value;
6. clusters are found by name, whatever their order; what does not fit is refused.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import Refusal, Unavailable
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.linear.ols import ols
from asp_eval.stats.mixed.fit import lmm, lmm_from_moments
from asp_eval.stats.resampling import chebyshev, reml_refits
from asp_eval.stats.resampling.allocations import Allocations
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.stats.smallsample.classical import Classical
from asp_eval.stats.smallsample.cluster_robust import CR1
from tests.products import each_value
from tests.stats.permutation_trials import names, reallocated, stratified, trial

LOOP = 1e-8
"""Relative (and absolute, in standard errors): a vectorised refit against a single fit."""
ARM = "arm[T.arm1]"


def every(frame: pd.DataFrame) -> Allocations:
    """All allocations of half of the clusters."""
    J = frame["cluster"].nunique()
    draws = np.array([[g in chosen for g in range(J)] for chosen in itertools.combinations(range(J), J // 2)]) * 1
    return Allocations(names(frame), draws, enumerated=True)


def sampled(frame: pd.DataFrame, draws: int, **options) -> Permutation:
    return Permutation("arm", Allocations(names(frame), stratified(frame, draws)), **options)


def loop(
    fit_again, frame: pd.DataFrame, draws: np.ndarray, weights: dict[str, float], method=None
) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and |t| by one fit after the other."""
    b, t = [], []
    for draw in draws:
        fit = fit_again(reallocated(frame, draw))
        c = np.array([weights.get(n, 0.0) for n in fit.names])
        V = fit.model_covariance if method is None else fit.vcov(method).to_numpy()
        b.append(c @ fit.estimate)
        t.append(abs(b[-1]) / np.sqrt(c @ V @ c))
    return np.array(b), np.array(t)


@pytest.mark.parametrize(
    ("formula", "weights", "contrast", "options"),
    [
        ("y ~ arm + x + muni + (1 | g)", None, {ARM: 1.0}, {"icc": 0.15}),
        ("y ~ arm + x + muni + (1 | g)", None, {ARM: 1.0}, {"icc": 0.0, "seed": 5}),
        ("y ~ arm * x + muni + (1 | g)", "w", {ARM: 1.0}, {"icc": 0.1, "seed": 3}),
        ("y ~ arm * x + muni + (1 | g)", None, {ARM: 1.0, f"{ARM}:x": 0.5}, {"seed": 4}),
        ("y ~ arm * x + (1 | g)", None, {f"{ARM}:x": 1.0}, {"seed": 6}),
        ("y ~ arm + I(x**2) + arm:I(x**2) + (1 | g)", None, {ARM: 1.0}, {"seed": 7}),
        ("y ~ 0 + arm + x + (1 | g)", None, {"arm[arm1]": 1.0, "arm[arm0]": -1.0}, {"seed": 8}),
        ("y ~ arm + x + muni + (1 | g)", None, {"arm[T.arm2]": 1.0}, {"arms": 3, "clusters": 18, "icc": 0.05}),
        ("y ~ arm + x + muni + (1 | g)", None, {ARM: 1.0}, {"icc": 0.9, "size": 30}),
    ],
)
def test_reml_refits_are_those_of_single_fits(formula, weights, contrast, options):
    frame = trial(**options)
    method = sampled(frame, 20)
    found = method.distribution(lmm(formula, frame, weights=weights), contrast)
    b, t = loop(lambda d: lmm(formula, d, weights=weights), frame, method.allocations.draws, contrast)
    np.testing.assert_allclose(found.estimates, b, rtol=LOOP, atol=LOOP * found.std_error)
    np.testing.assert_allclose(found.statistics, t, rtol=LOOP, atol=LOOP)
    assert found.p_value == (1 + (t >= abs(found.statistic) - 1e-7).sum()) / 21


def test_the_draws_cover_zero_and_positive_variances():
    frame = trial(icc=0.05, seed=31)
    method = sampled(frame, 30)
    ratios = [lmm("y ~ arm + x + (1 | g)", reallocated(frame, d)).found.theta[0] for d in method.allocations.draws]
    assert 3 < np.sum(np.array(ratios) == 0) < 27
    found = method.distribution(lmm("y ~ arm + x + (1 | g)", frame), {ARM: 1.0})
    _, t = loop(lambda d: lmm("y ~ arm + x + (1 | g)", d), frame, method.allocations.draws, {ARM: 1.0})
    np.testing.assert_allclose(found.statistics, t, rtol=LOOP, atol=LOOP)


@pytest.mark.parametrize("weights", [None, "w"])
def test_least_squares_refits_are_those_of_single_fits(weights):
    frame = trial(seed=12)
    formula, contrast = "y ~ arm * x + muni", {ARM: 1.0}
    method = sampled(frame, 60)
    found = method.distribution(ols(formula, frame, cluster="g", weights=weights), contrast)
    b, t = loop(lambda d: ols(formula, d, cluster="g", weights=weights), frame, method.allocations.draws, contrast, CR1())
    np.testing.assert_allclose(found.estimates, b, rtol=LOOP, atol=LOOP)
    np.testing.assert_allclose(found.statistics, t, rtol=LOOP)


def test_means_of_clusters_are_regressed_on_means():
    frame = trial(seed=13)
    method = sampled(frame, 60, statistic="cluster-means")
    found = method.distribution(lmm("y ~ arm + x + muni + (1 | g)", frame), {ARM: 1.0})
    means = frame.assign(b=(frame["muni"] == "b") * 1.0).groupby("cluster")[["y", "x", "b"]].mean().reset_index()
    means["arm"] = pd.Categorical.from_codes(frame.groupby("cluster")["arm"].first().cat.codes, ["arm0", "arm1"])
    b, t = loop(lambda d: ols("y ~ arm + x + b", d), means, method.allocations.draws, {ARM: 1.0}, Classical())
    np.testing.assert_allclose(found.estimates, b, rtol=LOOP)
    np.testing.assert_allclose(found.statistics, t, rtol=LOOP)


def test_other_mixed_models_are_refitted_one_by_one():
    frame = trial(seed=14)
    formula = "y ~ arm * t + (1 + t | g)"
    method = sampled(frame, 4)
    found = method.distribution(lmm(formula, frame), {f"{ARM}:t": 1.0})
    b, t = loop(lambda d: lmm(formula, d), frame, method.allocations.draws, {f"{ARM}:t": 1.0})
    np.testing.assert_allclose(found.estimates, b, rtol=LOOP)
    np.testing.assert_allclose(found.statistics, t, rtol=LOOP)
    row = lmm(formula, frame).contrast({ARM: 1.0}, sampled(frame, 19), level=0.8)
    assert row.p_value is not None and row.conf_low is None and "more than a random intercept" in row.note


def test_four_clusters_by_hand():
    """Means 1, 2 | 5, 8: of the six splits only this one and its mirror image are as far apart, so p = 2/6."""
    clusters = {"g": list("aabbccdd"), "cluster": np.repeat(range(4), 2), "arm": list("kkkktttt")}
    frame = pd.DataFrame({"y": [0.0, 2, 1, 3, 4, 6, 7, 9], **clusters})
    fit = ols("y ~ arm", frame, cluster="g")
    row = fit.contrast({"arm[T.t]": 1.0}, Permutation("arm", every(frame), statistic="cluster-means"))
    assert row.estimate == pytest.approx(6.5 - 1.5)
    assert row.p_value == pytest.approx(2 / 6)
    assert row.std_error == pytest.approx(np.sqrt((0.5 + 4.5) / 2 * (1 / 2 + 1 / 2)))
    assert row.conf_low is None and "0.333" in row.note


def test_eight_clusters_against_counting():
    """All 70 splits of eight equal clusters: |difference of means| orders them as t does."""
    frame = trial(8, 6, seed=15)
    frame = frame[frame.groupby("cluster").cumcount() < 3]
    frame["arm"] = pd.Categorical.from_codes((frame["cluster"] >= 4) * 1, ["arm0", "arm1"])
    means = frame.groupby("cluster")["y"].mean().to_numpy()
    differences = np.array([abs(means[list(c)].mean() - np.delete(means, c).mean()) for c in itertools.combinations(range(8), 4)])
    expected = (differences >= abs(means[4:].mean() - means[:4].mean()) - 1e-9).sum() / 70
    for fit in (lmm("y ~ arm + (1 | g)", frame), ols("y ~ arm", frame, cluster="g")):
        for statistic in ("model", "cluster-means"):
            row = fit.contrast({ARM: 1.0}, Permutation("arm", every(frame), statistic=statistic))
            assert row.p_value == expected
            assert "all 70 possible" in row.note and row.df is None


@pytest.mark.parametrize(("clusters", "least"), [(4, 2 / 6), (6, 2 / 20), (8, 2 / 70)])
def test_the_smallest_p_value_decides_whether_there_is_an_interval(clusters, least):
    frame = trial(clusters, 8, icc=0.02, seed=16)
    frame = frame.assign(
        arm=pd.Categorical.from_codes(frame["cluster"] % 2, ["arm0", "arm1"]), y=frame["y"] + 30 * (frame["cluster"] % 2)
    )
    row = lmm("y ~ arm + (1 | g)", frame).contrast({ARM: 1.0}, Permutation("arm", every(frame)))
    assert row.p_value == pytest.approx(least)
    assert (row.conf_low is None) == (least > 0.05)
    assert (f"{least:.3g}" in row.note) == (least > 0.05)
    wide = lmm("y ~ arm + (1 | g)", frame).contrast({ARM: 1.0}, Permutation("arm", every(frame)), level=0.6)
    assert 29 < wide.conf_low < wide.estimate < wide.conf_high < 31


def test_the_smallest_p_value_of_a_sample_knows_its_repetitions():
    """999 draws of six clusters repeat the observed split and its mirror image about a hundred times."""
    frame = trial(6, 8, seed=17, effect=30.0).assign(muni="a")
    method = Permutation("arm", Allocations(names(frame), stratified(frame, 999)))
    fit = lmm("y ~ arm + (1 | g)", frame)
    observed = frame.drop_duplicates("cluster")["arm"].cat.codes.to_numpy()
    same = sum(bool((d == observed).all() or (d != observed).all()) for d in method.allocations.draws)
    assert method.distribution(fit, {ARM: 1.0}).smallest_p == (1 + same) / 1000 > 0.05
    assert fit.contrast({ARM: 1.0}, method).conf_low is None


INTERVALS = [
    (lambda d: lmm("y ~ arm + x + (1 | g)", d), "model", None),
    (lambda d: lmm("y ~ arm * x + (1 | g)", d, weights="w"), "model", None),
    (lambda d: ols("y ~ arm + x", d, cluster="g"), "model", CR1()),
]


@pytest.mark.parametrize(("fit_again", "statistic", "method"), INTERVALS)
def test_the_interval_holds_the_effects_that_a_loop_does_not_reject(fit_again, statistic, method):
    frame = trial(12, 6, icc=0.1, seed=18, effect=0.4)
    test = sampled(frame, 19, statistic=statistic)
    row = fit_again(frame).contrast({ARM: 1.0}, test, level=0.8)

    def p_value(effect):
        moved = frame.assign(y=frame["y"] - effect * (frame["arm"] == "arm1"))
        _, t = loop(fit_again, moved, np.concatenate([stratified(frame, 1)[:0], test.allocations.draws]), {ARM: 1.0}, method)
        observed = frame.drop_duplicates("cluster").sort_values("cluster")["arm"].cat.codes.to_numpy()[None]
        _, own = loop(fit_again, moved, observed, {ARM: 1.0}, method)
        return (1 + (t >= own[0] - 1e-7).sum()) / 20

    assert row.conf_low < row.estimate < row.conf_high
    step = 1e-4 * row.std_error
    assert p_value(row.conf_low - step) < 0.2 <= p_value(row.conf_low + step)
    assert p_value(row.conf_high + step) < 0.2 <= p_value(row.conf_high - step)


def test_the_interval_of_a_multiple_is_the_multiple_of_the_interval():
    frame = trial(12, 6, seed=29, effect=0.5)
    fit, method = lmm("y ~ 0 + arm + x + (1 | g)", frame), sampled(frame, 39)
    one = lmm("y ~ arm + x + (1 | g)", frame).contrast({ARM: 1.0}, method)
    two = fit.contrast({"arm[arm1]": -2.0, "arm[arm0]": 2.0}, method)
    assert two.p_value == one.p_value
    assert (two.conf_low, two.conf_high) == pytest.approx((-2 * one.conf_high, -2 * one.conf_low), abs=1e-5)


def test_arms_are_found_by_name():
    allocations = Allocations(("a", "b", "c"), np.array([[0, 1, 2], [2, 2, 1]]), arms=("control", "folder", "portfolio"))
    found = allocations.recoded(["c", "a", "b"], ["portfolio", "control", "folder"])
    assert found.tolist() == [[0, 1, 2], [2, 0, 0]]


def test_cutting_refits_does_not_move_an_endpoint():
    from asp_eval.stats.resampling.inversion import Inversion

    frame = trial(12, 6, seed=19)
    test = sampled(frame, 199)._test(lmm("y ~ arm + x + (1 | g)", frame), np.array([0.0, 1.0, 0.0]))
    found = test.distribution()
    inversion = Inversion(lambda e, w: test.refit_at(e, w).statistic, 199, 0.05 * 200 - 1, found.estimate, found.std_error)
    plain = inversion._bisect(found.estimate, found.estimate + 8 * found.std_error, None, None).middle
    assert inversion.endpoint(1.0) == pytest.approx(plain, abs=3e-6 * found.std_error)


MANY = [
    ("y ~ arm + x + muni + (1 | g)", {ARM: 1.0}, {"icc": 0.15, "clusters": 20}),
    ("y ~ arm + x + muni + (1 | g)", {ARM: 1.0}, {"icc": 0.0, "seed": 5}),
    ("y ~ arm + x + (1 | g)", {ARM: 1.0}, {"clusters": 8, "seed": 32}),
    ("y ~ arm + x + muni + (1 | g)", {ARM: 1.0}, {"icc": 0.9, "size": 30, "seed": 33}),
    ("y ~ arm + x + muni + (1 | g)", {ARM: 1.0}, {"icc": 0.05, "effect": 20.0, "seed": 34}),
    ("y ~ arm * x + muni + (1 | g)", {ARM: 1.0, f"{ARM}:x": 0.5}, {"seed": 35}),
    ("y ~ 0 + arm + (1 | g)", {"arm[arm1]": 1.0, "arm[arm0]": -1.0}, {"seed": 36}),
    ("y ~ arm + x + muni + (1 | g)", {"arm[T.arm2]": 1.0}, {"arms": 3, "clusters": 18, "icc": 0.05}),
    ("y ~ arm * x + mark + (1 | g)", {ARM: 1.0}, {"clusters": 6, "seed": 37}),  # one draw of nine is the mark
]


@pytest.mark.parametrize(("model", "weights"), each_value(MANY, [None, "w"]))
def test_series_give_what_every_draw_gives_by_itself(monkeypatch, model, weights):
    formula, contrast, options = model
    frame = trial(**options)
    frame = frame.assign(mark=(frame["cluster"] < 2) * 1.0)
    frame = frame[(frame["cluster"] > 1) | (frame.groupby("cluster").cumcount() < 2)]  # two clusters of two
    fit, method = lmm(formula, frame, weights=weights), sampled(frame, 1_500)
    solved, counts = reml_refits.solved, []
    with monkeypatch.context() as patched:
        patched.setattr(reml_refits, "solved", lambda grams, draws: counts.append(len(draws)) or solved(grams, draws))
        test = method._test(fit, np.array([contrast.get(n, 0.0) for n in fit.names]))
    assert reml_refits.PILOT == counts[0] <= sum(counts) < 300  # the others are read from the series
    found, b, se = test.distribution(), test.refits.estimate[0], test.refits.std_error[0]
    with monkeypatch.context() as patched:
        patched.setattr(reml_refits, "PILOT", 1_000)
        alone = method._test(fit, np.array([contrast.get(n, 0.0) for n in fit.names]))
    np.testing.assert_allclose(found.statistics, alone.distribution().statistics, rtol=1e-10, atol=1e-10)
    assert found.p_value == alone.distribution().p_value
    if test.refit_at is not None:
        for effect in b + se * np.array([-40.0, -2.0, 0.5, 3.0]):
            ours, theirs = (t.refit_at(effect, np.arange(1_501)).statistic for t in (test, alone))
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


def series_of(frame: pd.DataFrame, draws: int):
    return sampled(frame, draws)._test(lmm("y ~ arm + x + (1 | g)", frame), np.array([0.0, 1.0, 0.0])).refits


def test_a_ratio_beyond_the_points_is_found_by_itself(monkeypatch):
    frame, solved, counts = trial(14, 6, icc=0.5, seed=19), reml_refits.solved, []
    whole = series_of(frame, 1_500)
    monkeypatch.setattr(reml_refits, "BEYOND", 0.25)
    monkeypatch.setattr(reml_refits, "solved", lambda grams, draws: counts.append(len(draws)) or solved(grams, draws))
    short = series_of(frame, 1_500)
    assert max(counts[1:]) > 100  # after the first draws, which are solved to know how far the points reach
    np.testing.assert_allclose(short.statistic, whole.statistic, rtol=1e-10, atol=1e-10)
    assert (short.ratio >= 0).all()


def test_a_series_that_does_not_give_back_what_was_solved_is_not_read(monkeypatch):
    frame = trial(14, 6, seed=23)
    whole = series_of(frame, 1_500)
    monkeypatch.setattr(chebyshev, "ROUNDING", 1e-4)
    np.testing.assert_allclose(series_of(frame, 1_500).statistic, whole.statistic, rtol=1e-10, atol=1e-10)
    monkeypatch.setattr(reml_refits, "APART", 1e9)
    assert np.abs(series_of(frame, 1_500).statistic - whole.statistic).max() > 1e-6


def test_several_outcomes_share_their_draws():
    frame = trial(seed=20)
    frame.loc[frame.index[:5], "z"] = np.nan
    method = sampled(frame, 80)
    y, again, z = (method.distribution(lmm(f"{o} ~ arm + x + (1 | g)", frame), {ARM: 1.0}) for o in ("y", "y", "z"))
    np.testing.assert_array_equal(y.statistics, again.statistics)
    assert np.corrcoef(y.estimates, z.estimates)[0, 1] > 0.3  # z holds half of y, so the same draws move both


def test_only_effects_of_the_treatment_have_p_values():
    frame = trial(seed=21)
    method = sampled(frame, 39)
    table = lmm("y ~ arm * x + (1 | g)", frame).tidy(method).set_index("term")
    assert table["p_value"].notna().to_dict() == {"Intercept": False, ARM: True, "x": False, f"{ARM}:x": True}
    assert table["note"].str.len().min() > 0 and (table["method"] == "Permutation").all()
    assert np.isnan(table.loc[f"{ARM}:x", "conf_low"]) and "same for everyone" in table.loc[f"{ARM}:x", "note"]
    means = lmm("y ~ 0 + arm + (1 | g)", frame)
    assert "not an effect" in means.contrast({"arm[arm1]": 1.0}, method).note
    assert isinstance(means.vcov(method), Unavailable)
    assert means.joint_test(["arm[arm0]"], method).p_value is None


def test_three_arms_have_no_interval():
    frame = trial(18, arms=3, seed=22)
    row = lmm("y ~ arm + (1 | g)", frame).contrast({"arm[T.arm2]": 1.0}, sampled(frame, 99))
    assert row.p_value is not None and row.conf_low is None and "more than two arms" in row.note


def test_a_fit_by_maximum_likelihood_is_permuted_by_reml():
    frame = trial(seed=23)
    a, b = (lmm("y ~ arm + (1 | g)", frame, reml=reml).contrast({ARM: 1.0}, sampled(frame, 39)) for reml in (True, False))
    assert (a.std_error, a.p_value, a.conf_low) == (b.std_error, b.p_value, b.conf_low)
    assert "REML" in b.note and "REML" not in a.note


def test_clusters_are_found_by_name_and_absent_ones_do_no_harm():
    frame = trial(seed=24)
    fit = lmm("y ~ arm + x + (1 | g)", frame)
    given = stratified(frame, 39)
    shuffled = np.random.default_rng(1).permutation(12)
    more = np.column_stack([np.ones(39, int), given[:, shuffled]])
    other = Allocations(("absent", *np.array(names(frame))[shuffled]), more, arms=("arm0", "arm1"))
    assert fit.contrast({ARM: 1.0}, Permutation("arm", other)) == fit.contrast({ARM: 1.0}, sampled(frame, 39))
    swapped = Allocations(names(frame), 1 - given, arms=("arm1", "arm0"))
    assert fit.contrast({ARM: 1.0}, Permutation("arm", swapped)) == fit.contrast({ARM: 1.0}, sampled(frame, 39))


def test_a_draw_that_hides_the_effect_counts_against_it():
    """With six clusters in two strata of three, some draws give the arm the very clusters that a covariate marks."""
    frame = trial(6, 6, seed=25, effect=5.0)
    marked = frame.assign(
        mark=frame["cluster"].isin([0, 1, 2]) * 1.0, arm=pd.Categorical.from_codes(frame["cluster"] % 2, ["arm0", "arm1"])
    )
    test = every(frame)
    hidden = sum(set(np.flatnonzero(d)) in ({0, 1, 2}, {3, 4, 5}) for d in test.draws)
    found = Permutation("arm", test).distribution(lmm("y ~ arm + mark + (1 | g)", marked), {ARM: 1.0})
    assert np.isinf(found.statistics).sum() == np.isnan(found.estimates).sum() == hidden == 2
    assert found.p_value >= 4 / 20
    row = lmm("y ~ arm + mark + (1 | g)", marked).contrast({ARM: 1.0}, Permutation("arm", test))
    assert "2 draws leave the effect inestimable" in row.note


def test_what_does_not_fit_is_refused():
    frame = trial(seed=26)
    fit = lmm("y ~ arm + x + (1 | g)", frame)
    draws = stratified(frame, 9)
    with pytest.raises(Refusal, match="INF-066"):
        Permutation("arm")
    with pytest.raises(Refusal, match="INF-068"):
        sampled(frame, 9, statistic="median")
    with pytest.raises(Refusal, match="INF-060"):
        Allocations(names(frame)[1:], draws)
    with pytest.raises(Refusal, match="INF-060"):
        Allocations(names(frame), draws - 0.5)
    with pytest.raises(Refusal, match="INF-061"):
        Allocations(("c00",) * 12, draws)
    with pytest.raises(Refusal, match=r"INF-062.*c01"):
        fit.contrast({ARM: 1.0}, Permutation("arm", Allocations(("c00", *"abcdefghijk"), draws)))
    with pytest.raises(Refusal, match="INF-063"):
        fit.contrast({ARM: 1.0}, Permutation("arm", Allocations(names(frame), draws, arms=("control", "arm1"))))
    with pytest.raises(Refusal, match=r"INF-064.*x"):
        fit.contrast({ARM: 1.0}, Permutation("treatment", Allocations(names(frame), draws)))
    with pytest.raises(Refusal, match="INF-065"):
        fit.contrast({"x": 1.0}, Permutation("x", Allocations(names(frame), draws)))
    with pytest.raises(Refusal, match="INF-067"):
        fit.contrast({ARM: 1.0}, Permutation("arm", Allocations(names(frame), np.eye(12, dtype=int), enumerated=True)))


def test_what_cannot_be_permuted_says_so():
    frame = trial(seed=27)
    method = sampled(frame, 9)
    reasons = {
        "no rows": lmm_from_moments(Moments.from_frame("y ~ arm + (1 | g)", frame)),
        "clusters that were drawn are unknown": ols("y ~ arm", frame),
        "no grouping factor": lmm("y ~ arm + (1 | g) + (1 | t)", frame),
        "varies at random": lmm("y ~ arm + (0 + arm || g)", frame),
    }
    for reason, fit in reasons.items():
        row = fit.contrast({ARM: 1.0}, method)
        assert row.p_value is None and reason in row.note
    one_way = Permutation("arm", Allocations(names(frame), stratified(frame, 1)[:1]))
    assert "one way only" in lmm("y ~ arm + (1 | g)", frame).contrast({ARM: 1.0}, one_way).note
    small = trial(4, 8, seed=28)
    crowded = ols("y ~ arm + x + t", small, cluster="g").contrast(
        {ARM: 1.0}, Permutation("arm", every(small), statistic="cluster-means")
    )
    assert "4 cluster means for 4" in crowded.note
