"""The study's vectorised arithmetic and its draws, against the package on rows and against theory."""

from __future__ import annotations

from dataclasses import fields

import batched
import numpy as np
import pytest
import single
from block import CHECKED, closed_form_block, largest_difference
from cells import Cell, every_cell
from draws import draw_gaussian, gaussian_truths
from scipy import stats
from sdq import draw_scores, draw_sdq
from trial_rows import cross_products, rows_of_trial

import asp_eval
from asp_eval.core.randomness import stream
from asp_eval.synthetic.calibration import expected_score, latent_scale, score_sd

EXACT = 1e-8
"""Relative difference that remains between two ways to compute one number from cross-products."""

UNEQUAL = Cell("gaussian", 8, 4, True, 0.1, 0.1)
EQUAL = Cell("gaussian", 6, 3, False, 0.02, 0.02)
PLAIN = Cell("no-covariate", 12, 6, True, 0.1, 0.1)
LOPSIDED = Cell("arm-icc", 12, 4, True, 0.02, 0.2)
SDQ = Cell("sdq", 8, 4, True, 0.05, 0.05)
INFORMATIVE = Cell("informative", 12, 6, True, 0.1, 0.1, effect=0.3)


@pytest.mark.parametrize("icc", [0.0, 0.3])
def test_a_trial_of_the_study_is_the_packages_fit_of_its_rows(icc: float) -> None:
    """Through `lmm` and `ols` on rows, so that the study's own route to the engine is tested too."""
    rng = stream(1, "study", "rows", int(10 * icc))
    answered = 0
    for _ in range(4):
        frame = rows_of_trial(rng, [9, 14, 21, 33, 40, 52], icc)
        ours, singular = batched.closed_form(cross_products(frame)[None])
        mixed = asp_eval.lmm("y ~ arm + x + (1 | institution)", frame)
        least = asp_eval.ols("y ~ arm + x", frame, cluster="institution")
        methods = {
            "z": (mixed, asp_eval.Normal()),
            "between-within": (mixed, asp_eval.BetweenWithin()),
            "Satterthwaite": (mixed, asp_eval.Satterthwaite()),
            "Kenward-Roger": (mixed, asp_eval.KenwardRoger()),
            "OLS + CR1": (least, asp_eval.CR1()),
            "OLS + CR2": (least, asp_eval.CR2()),
        }
        assert bool(singular[0]) == mixed.singular
        for name, (fit, method) in methods.items():
            theirs = fit.contrast({"arm": 1.0}, method=method)
            if theirs.p_value is None:
                assert name == "Satterthwaite" and mixed.singular and np.isnan(ours[name].p_value[0])
                continue
            answered += 1
            for field in fields(ours[name]):
                assert getattr(ours[name], field.name)[0] == pytest.approx(getattr(theirs, field.name), rel=EXACT, abs=1e-11)
    assert answered >= 20


def test_cluster_means_are_the_two_sample_t_test() -> None:
    frame = rows_of_trial(stream(1, "study", "means"), [9, 14, 21, 33, 40, 52], 0.2)
    means = frame.groupby("institution")[["arm", "y"]].mean()
    theirs = stats.ttest_ind(means.loc[means["arm"] == 1, "y"], means.loc[means["arm"] == 0, "y"])
    ours = batched.means_answers(cross_products(frame)[None])
    assert ours.p_value[0] == pytest.approx(theirs.pvalue, rel=EXACT)
    low, high = theirs.confidence_interval()
    assert (ours.conf_low[0], ours.conf_high[0]) == (pytest.approx(low, rel=EXACT), pytest.approx(high, rel=EXACT))


@pytest.mark.parametrize("cell", [UNEQUAL, EQUAL, PLAIN, LOPSIDED, INFORMATIVE, SDQ], ids=lambda c: c.name)
def test_many_trials_at_once_are_the_packages_fits_one_by_one(cell: Cell) -> None:
    draw = draw_sdq if cell.family == "sdq" else draw_gaussian
    trials = draw(cell, stream(2, "study", cell.name), 6)
    answers, _ = batched.closed_form(trials.cross)
    assert max(largest_difference(trials.cross[t], answers, t) for t in range(6)) < EXACT


def test_a_wrong_number_is_noticed() -> None:
    trials = draw_gaussian(UNEQUAL, stream(3, "study"), 2)
    answers, _ = batched.closed_form(trials.cross)
    answers["Kenward-Roger"].df[1] *= 1 + 1e-6
    assert largest_difference(trials.cross[0], answers, 0) < EXACT < largest_difference(trials.cross[1], answers, 1)
    answers["Satterthwaite"].p_value[0] = np.nan
    assert single.mixed(trials.cross[0]).singular or largest_difference(trials.cross[0], answers, 0) == np.inf


def test_cross_products_are_distributed_as_those_of_rows() -> None:
    """Kolmogorov-Smirnov on what the methods see: estimate, standard error, degrees of freedom, residual squares."""
    sizes = np.unique(draw_gaussian(UNEQUAL, stream(4, "sizes"), 1).cross[0, :, 0, 0]).astype(int).tolist()
    rng = stream(4, "study", "rows")
    by_rows = np.stack([cross_products(rows_of_trial(rng, sizes, 0.1)) for _ in range(400)])
    at_once = draw_gaussian(UNEQUAL, stream(4, "study", "at once"), 1500).cross
    first, second = ([*batched.closed_form(c)[0].items()] for c in (by_rows, at_once))
    for (name, a), (_, b) in zip(first, second, strict=True):
        there = [a.estimate, b.estimate], [a.std_error, b.std_error]
        for one, other in there:
            assert stats.ks_2samp(one[~np.isnan(one)], other[~np.isnan(other)]).pvalue > 1e-3, name
    within = [(c[:, :, 3, 3] - c[:, :, 0, 3] ** 2 / c[:, :, 0, 0]).sum(axis=1) for c in (by_rows, at_once)]
    products = [(c[:, :, 2, 3] - c[:, :, 0, 2] * c[:, :, 0, 3] / c[:, :, 0, 0]).sum(axis=1) for c in (by_rows, at_once)]
    assert min(stats.ks_2samp(*within).pvalue, stats.ks_2samp(*products).pvalue) > 1e-3


def test_the_truths_of_an_effect_that_grows_with_size() -> None:
    n = draw_gaussian(INFORMATIVE, stream(5, "study"), 40_000).cross[:, :, 0, 0].ravel()
    effect = 0.3 * (n / 40 - 1)
    truths = gaussian_truths(INFORMATIVE)
    assert truths["cluster-average"] == pytest.approx(effect.mean(), abs=4 * effect.std() / len(n) ** 0.5)
    assert truths["participant-average"] == pytest.approx((n * effect).sum() / n.sum(), abs=0.004)
    assert truths["participant-average"] > truths["cluster-average"] + 0.1


def test_sdq_scores_have_the_declared_mean_spread_and_effect() -> None:
    scale, rng = latent_scale("conduct"), stream(6, "study", "sdq")
    effect = float(scale.effects[2])
    of_child = np.repeat(np.arange(200), 40)
    arm = np.broadcast_to((of_child % 2).astype(float), (40, len(of_child)))
    start, end = draw_scores(rng, arm, of_child, scale, effect)
    assert start.mean() == pytest.approx(0.9, abs=0.02)
    assert start.std() == pytest.approx(score_sd(scale.declared, 0), abs=0.03)
    truth = expected_score(scale.declared, 2, effect) - expected_score(scale.declared, 2, 0.0)
    assert truth == pytest.approx(-0.2 * score_sd(scale.declared, 2), abs=1e-6)
    assert end[arm == 1].mean() - end[arm == 0].mean() == pytest.approx(truth, abs=0.03)
    means = start.reshape(40, 200, 40)
    between = means.mean(axis=2).var(axis=1, ddof=1).mean() - means.var(axis=2, ddof=1).mean() / 40
    raters = 0.12 * (6 * 6 * 6 + 4 * 4) / 40**2  # six whole groups of six and one of four share their raters' part
    assert between / start.var() == pytest.approx(0.05 + raters - 0.12 / 40, abs=0.01)


def test_intervals_follow_an_effect_so_coverage_is_one_less_the_error() -> None:
    cross = draw_gaussian(UNEQUAL, stream(7, "study"), 200).cross
    move = np.eye(4)
    move[1, 3] = 0.7  # y + 0.7 arm
    before, after = batched.closed_form(cross)[0], batched.closed_form(move.T @ cross @ move)[0]
    for name, found in before.items():
        np.testing.assert_allclose(after[name].conf_low, found.conf_low + 0.7, atol=1e-7, err_msg=name)
        np.testing.assert_array_equal(found.p_value < 0.05, (found.conf_low > 0) | (found.conf_high < 0), err_msg=name)


def test_a_block_is_the_same_whoever_computes_it() -> None:
    first, again = closed_form_block(EQUAL, 3), closed_form_block(EQUAL, 3)
    assert all(np.array_equal(first.answers[k].estimate, again.answers[k].estimate) for k in first.answers)
    assert not np.array_equal(first.answers["z"].estimate, closed_form_block(EQUAL, 4).answers["z"].estimate)
    assert CHECKED > 0 and first.difference < EXACT


def test_cells_have_names_of_their_own() -> None:
    names = [c.name for c in every_cell()]
    assert len(set(names)) == len(names)
