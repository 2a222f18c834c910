"""Parametric bootstrap from cross-products.

1. drawn cross-products are distributed as those of simulated rows (Kolmogorov-Smirnov): weights, slopes, nesting;
2. a refit to drawn cross-products is the fit of rows that have them;
3. intervals, bias and standard errors are the replicates' own; the same seed gives the same numbers;
4. the test of a variance: its level, its power, and half a chi-square mixture in a large sample.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from asp_eval.core.errors import Refusal
from asp_eval.stats.design.prediction import effect_columns
from asp_eval.stats.engine.covariance import semidefinite_cholesky
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.mixed.bootstrap import drawn
from asp_eval.stats.mixed.bootstrap_refits import refit_all
from asp_eval.stats.mixed.fit import MixedFit, lmm, lmm_from_moments
from asp_eval.stats.mixed.simulate import Noise, Outcomes
from tests.stats.permutation_trials import trial

SAME = 1e-3
"""p-value of a Kolmogorov-Smirnov test below which two samples (of fixed seeds) are said to differ."""

MODELS = [
    ("y ~ arm + x + muni + (1 | g)", None),
    ("y ~ arm + x + (1 | g)", "w"),
    ("y ~ arm * t + (1 + t | g)", "w"),
    ("y ~ arm + t + (1 + t || g)", None),
    ("y ~ arm + x + (1 | muni/g)", "w"),
    ("y ~ x + (1 | g) + (1 | t)", None),
]


def simulated(fit: MixedFit, y: np.ndarray) -> Outcomes:
    """Cross-products, in standard units, of outcomes given as rows (n, R)."""
    design, standard, model = fit.design, fit.problem.standard, fit.problem.elimination
    w = np.ones(fit.n_obs) if design.weights is None else design.weights
    X = design.fixed_matrix()[:, list(standard.kept)]
    new = (y - (X @ standard.origin)[:, None]) / standard.y_scale
    X = X @ standard.T / standard.y_scale
    groups = []
    for stage in model.stages:
        parts = []
        for (f, _, _), order in zip(stage.factors, stage.order, strict=True):
            i = model.ordering[f]
            layout, codes = design.layout.factors[i], design.groups[i].codes
            Z = effect_columns(design, layout) @ standard.factors[i].transform
            sums = np.zeros((len(order), Z.shape[1], y.shape[1]))
            np.add.at(sums, codes, (w[:, None] * Z)[:, :, None] * new[:, None])
            parts.append(sums[order])
        crossed = len(stage.products) == 1 and stage.size > parts[0].shape[1]
        joined = np.concatenate([p.reshape(-1, y.shape[1]) for p in parts])[None] if crossed else parts[0]
        groups.append(joined.transpose(2, 0, 1))
    return Outcomes(tuple(groups), ((X.T * w) @ new).T, w @ new**2)


def gram(fit: MixedFit) -> np.ndarray:
    """[X Z]'W[X Z] in standard units, columns in the order of `simulated`: from outcomes that are themselves its columns."""
    design, standard, model = fit.design, fit.problem.standard, fit.problem.elimination
    columns = [*(design.fixed_matrix()[:, list(standard.kept)] @ standard.T / standard.y_scale).T]
    for stage in model.stages:
        for (f, _, _), order in zip(stage.factors, stage.order, strict=True):
            i = model.ordering[f]
            Z = effect_columns(design, design.layout.factors[i]) @ standard.factors[i].transform
            columns += [z * (design.groups[i].codes == g) for g in order for z in Z.T]
    A = np.column_stack(columns) * np.sqrt(1.0 if design.weights is None else design.weights[:, None])
    return A.T @ A


def rows_of(fit: MixedFit, draws: int, seed: int) -> np.ndarray:
    """Outcomes of a fitted model, row by row (n, R)."""
    rng, design = np.random.default_rng(seed), fit.design
    w = np.ones(fit.n_obs) if design.weights is None else design.weights
    y = np.repeat((design.fixed_matrix()[:, list(fit.problem.standard.kept)] @ fit.estimate)[:, None], draws, axis=1)
    for layout, group, D in zip(design.layout.factors, design.groups, fit.covariances, strict=True):
        b = rng.normal(size=(draws, len(group.levels), len(D))) @ semidefinite_cholesky(D).T
        y += np.einsum("nk,rnk->nr", effect_columns(design, layout), b[:, group.codes])
    return y + fit.sigma * rng.normal(size=y.shape) / np.sqrt(w)[:, None]


def fitted(formula: str, weights: str | None) -> MixedFit:
    frame = trial(10, 7, icc=0.25, seed=41)
    frame["y"] += 0.6 * np.random.default_rng(3).normal(size=10)[frame["cluster"]] * frame["t"]
    return lmm(formula, frame, weights=weights)


@pytest.mark.parametrize(("formula", "weights"), MODELS)
def test_drawn_cross_products_are_distributed_as_those_of_rows(formula, weights):
    fit = fitted(formula, weights)
    plain = simulated(fit, rows_of(fit, 4000, seed=11))
    own = list(drawn(fit.problem, fit.found, 4000, 12, "test"))
    groups = [np.concatenate([o.groups[a] for o in own]) for a in range(len(own[0].groups))]
    fixed, square = np.concatenate([o.fixed for o in own]), np.concatenate([o.square for o in own])
    a = np.column_stack([plain.square, plain.fixed, *(g.reshape(4000, -1) for g in plain.groups)])
    b = np.column_stack([square, fixed, *(g.reshape(4000, -1) for g in groups)])
    left_over = square - np.einsum("ri,ij,rj->r", b[:, 1:], np.linalg.pinv(gram(fit), rcond=1e-10, hermitian=True), b[:, 1:])
    rest = Noise.of(fit.problem.elimination, fit.n_obs).rest
    assert stats.kstest(left_over / fit.found.criterion.sigma2, stats.chi2(rest).cdf).pvalue > SAME
    mixed = np.random.default_rng(4).normal(size=(a.shape[1] - 1, 12)) / a[:, 1:].std(axis=0)[:, None]
    left_columns, right_columns = (np.column_stack([x[:, :4], x[:, 1:] @ mixed]).T for x in (a, b))
    for left, right in zip(left_columns, right_columns, strict=True):
        assert stats.ks_2samp(left, right).pvalue > SAME


@pytest.mark.parametrize(("formula", "weights"), MODELS[:2])
def test_replicates_are_distributed_as_refits_to_simulated_rows(formula, weights):
    fit = fitted(formula, weights)
    plain = refit_all(fit.problem, simulated(fit, rows_of(fit, 3000, seed=5)), reml=True, start=fit.found.theta)
    boot = fit.bootstrap(3000, seed=6)
    sd = [k for k, q in enumerate(boot.quantities) if q.kind == "sd"]
    assert stats.ks_2samp(np.sqrt(plain.sigma2) * fit.problem.standard.y_scale, boot.replicates[:, sd[-1]]).pvalue > SAME
    beta = plain.beta @ fit.problem.standard.T.T + fit.problem.standard.origin
    for k in range(beta.shape[1]):
        assert stats.ks_2samp(beta[:, k], boot.replicates[:, k]).pvalue > SAME
    share = plain.d[:, 0] / (1 + plain.d[:, 0])
    assert stats.ks_2samp(share, boot.replicates[:, -1]).pvalue > SAME
    assert np.mean(share == 0) == pytest.approx(np.mean(boot.replicates[:, -1] == 0), abs=0.03)


@pytest.mark.parametrize(("formula", "weights"), [MODELS[2], MODELS[4]])
def test_replicates_of_other_models_are_refits_to_drawn_cross_products(formula, weights):
    """Refitted one by one, they are too slow for distributions: those of what is drawn, and the refits, are tested here."""
    fit = fitted(formula, weights)
    (outcomes,) = drawn(fit.problem, fit.found, 6, 6, "bootstrap")
    plain = refit_all(fit.problem, outcomes, reml=True, start=fit.found.theta)
    boot = fit.bootstrap(6, seed=6)
    beta = plain.beta @ fit.problem.standard.T.T + fit.problem.standard.origin
    np.testing.assert_allclose(boot.replicates[:, : beta.shape[1]], beta, rtol=1e-12)
    residual = [q.group for q in boot.quantities].index("residual")
    np.testing.assert_allclose(boot.replicates[:, residual], np.sqrt(plain.sigma2) * fit.problem.standard.y_scale, rtol=1e-12)


@pytest.mark.parametrize(("formula", "weights"), [*MODELS[:3], MODELS[4]])
@pytest.mark.parametrize("reml", [True, False])
def test_a_refit_is_that_of_rows_with_these_cross_products(formula, weights, reml):
    fit = fitted(formula, weights).refit(reml=reml)
    y = rows_of(fit, 2, seed=7)
    found = refit_all(fit.problem, simulated(fit, y), reml=reml, start=fit.found.theta)
    frame = trial(10, 7, icc=0.25, seed=41)
    for r in range(2):
        again = lmm(formula, frame.assign(y=y[:, r]), reml=reml, weights=weights)
        s = fit.problem.standard
        np.testing.assert_allclose(s.T @ found.beta[r] + s.origin, again.estimate, rtol=1e-6, atol=1e-7)
        assert np.sqrt(found.sigma2[r]) * s.y_scale == pytest.approx(again.sigma, rel=1e-7)


@pytest.mark.parametrize(("formula", "weights"), MODELS)
def test_the_chi_square_has_n_less_the_rank(formula, weights):
    fit = fitted(formula, weights)
    design = fit.design
    Z = []
    for factor, group in zip(design.layout.factors, design.groups, strict=True):
        member = np.equal.outer(group.codes, np.arange(len(group.levels)))
        Z += [member * z[:, None] for z in effect_columns(design, factor).T]
    rank = np.linalg.matrix_rank(np.column_stack([design.fixed_matrix(), *Z]))
    assert Noise.of(fit.problem.elimination, fit.n_obs).rest == fit.n_obs - rank


def test_the_table_holds_quantiles_of_the_replicates():
    fit = fitted(*MODELS[2])
    boot = fit.bootstrap(20, seed=8)
    table = boot.tidy(0.8)
    assert table["quantity"].tolist() == ["coefficient"] * 4 + ["sd", "sd", "correlation", "sd", "icc"]
    np.testing.assert_allclose(table["estimate"][:4], fit.estimate, rtol=1e-10)
    components = fit.variance_components()
    np.testing.assert_allclose(table["estimate"][[4, 5, 7]], np.sqrt(components["variance"][[0, 1, 3]]), rtol=1e-8)
    assert table["estimate"][6] == pytest.approx(components["correlation"][2], rel=1e-6)
    assert table["estimate"][8] == pytest.approx(fit.icc().estimate, rel=1e-8)
    own = np.sort(boot.replicates[:, 4])
    assert table["conf_low"][4] == pytest.approx(own[1] + 0.1 * (own[2] - own[1]))  # the 2.1-th of 20
    basic = boot.tidy(0.8, interval="basic")
    assert basic["conf_low"][4] == pytest.approx(2 * table["estimate"][4] - table["conf_high"][4])
    assert table["std_error"][4] == pytest.approx(own.std(ddof=1))


def test_the_same_seed_gives_the_same_replicates():
    fit = fitted(*MODELS[0])
    np.testing.assert_array_equal(fit.bootstrap(300, seed=1).replicates, fit.bootstrap(300, seed=1).replicates)
    assert (fit.bootstrap(300, seed=1).replicates != fit.bootstrap(300, seed=2).replicates).any()


def test_a_fit_from_moments_has_a_bootstrap():
    frame = trial(10, 7, icc=0.25, seed=41)
    fit = lmm_from_moments(Moments.from_frame("y ~ x + (1 | g)", frame))
    np.testing.assert_allclose(fit.bootstrap(50).replicates, lmm("y ~ x + (1 | g)", frame).bootstrap(50).replicates, rtol=1e-8)


def test_a_variance_is_tested_at_its_level():
    """Of 60 samples without a variance between groups 4 to 21 are rejected at 20 % (all but once in 300); some with one are."""
    frame = trial(10, 7, icc=0.0, seed=42)
    null = lmm("y ~ x + (1 | g)", frame)
    y = np.random.default_rng(9).normal(size=(len(frame), 60))
    p = np.array([lmm("y ~ x + (1 | g)", frame.assign(y=v)).variance_test("g", draws=99).p_value for v in y.T])
    assert 4 <= np.sum(p <= 0.2) <= 21
    assert null.variance_test("g", draws=199).method.startswith("restricted likelihood, parametric bootstrap")
    assert lmm("y ~ x + (1 | g)", trial(30, 20, icc=0.3, seed=43)).variance_test("g", draws=999).p_value == 0.001


def test_a_large_sample_has_the_mixture_of_chi_squares():
    """With many groups the ratio is zero about half of the time and chi-square(1) else (Self & Liang 1987)."""
    frame = trial(400, 4, icc=0.0, seed=44)
    frame["y"] += 0.115 * np.random.default_rng(45).normal(size=400)[frame["cluster"]]
    test = lmm("y ~ 1 + (1 | g)", frame).variance_test("g", draws=1500)
    assert 0.5 < test.statistic < 8
    assert test.p_value == pytest.approx(0.5 * stats.chi2.sf(test.statistic, 1), abs=0.03)


def test_a_slope_is_tested_with_the_intercept_still_varying():
    frame = trial(14, 10, icc=0.25, seed=46)
    frame["y"] += 0.7 * np.random.default_rng(47).normal(size=14)[frame["cluster"]] * frame["t"]
    fit = lmm("y ~ arm + t + (1 + t | g)", frame)
    test = fit.variance_test("g", "t", draws=19)
    small = lmm("y ~ arm + t + (1 | g)", frame)
    assert test.statistic == pytest.approx(small.deviance - fit.deviance, abs=1e-5)
    assert (test.df, test.p_value) == (2, 1 / 20)
    whole = fit.variance_test("g", draws=9)
    assert (whole.df, whole.p_value) == (3, 1 / 10)
    with pytest.raises(Refusal, match="INF-073"):
        fit.variance_test("g", "Intercept")
    with pytest.raises(Refusal, match=r"INF-072.*Intercept, t"):
        fit.variance_test("h")


def test_what_cannot_be_drawn_is_refused():
    fit = fitted(*MODELS[0])
    for wrong in (0, 1, True):
        with pytest.raises(Refusal, match="INF-070"):
            fit.bootstrap(wrong)
    with pytest.raises(Refusal, match="INF-071"):
        fit.bootstrap(20).tidy(interval="bca")
    with pytest.raises(Refusal, match="FIT-002"):
        fit.bootstrap(20).tidy(level=95)
