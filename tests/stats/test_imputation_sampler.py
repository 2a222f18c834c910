"""The Gibbs sampler: every draw has the distribution it claims, against dense matrices.

1. B and u, given the rest, with one covariance and with one for each arm, with variables of institutions and without
2. missing values by pattern, common and rare; latent variables inside their bounds
3. covariance matrices: inverse Wishart, and variances of 1 for two categories
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from asp_eval.stats.imputation.covariances import (
    bartlett_shapes,
    category_normals,
    child_df,
    draw_child_covariance,
    with_categories,
)
from asp_eval.stats.imputation.gibbs import Sampler
from asp_eval.stats.imputation.joint_model import Bounds, JointModel, Level
from asp_eval.stats.imputation.random_numbers import RandomNumbers
from asp_eval.stats.imputation.unknown_cells import (
    CommonPattern,
    RarePatterns,
    draw_latent,
    draw_missing,
    pattern_order,
    truncated_normal,
)

MONTE_CARLO = 4.5  # standard errors


def model(classes: int, with_institutions: bool) -> JointModel:
    rng = np.random.default_rng(3)
    J, n = 6, 24
    g = np.repeat(np.arange(J), 4)
    X = np.column_stack((np.ones(n), rng.normal(size=n)))
    Y = rng.normal(size=(n, 2))
    Y[::5, 1] = np.nan
    Z = rng.normal(size=(J, 1)) if with_institutions else np.zeros((J, 0))
    institutions = Level(Z, np.ones((J, 1)), (), Z.shape[1])
    arms = np.arange(J) % 2 if classes == 2 else np.zeros(J, int)
    return JointModel(Level(Y, X, (), 2), institutions, g, arms, False)


@pytest.mark.parametrize("classes", [1, 2])
@pytest.mark.parametrize("with_institutions", [False, True])
def test_coefficients_and_effects_have_their_joint_distribution(classes, with_institutions):
    given = model(classes, with_institutions)
    chains = 1_500
    sampler = Sampler(given, np.random.default_rng(5).spawn(chains))
    q, r, J, p = 2, given.institutions.Y.shape[1], 6, 2
    rng = np.random.default_rng(7)

    def covariance(k):
        A = rng.normal(size=(k, k + 3))
        return A @ A.T / (k + 3) + 0.1 * np.eye(k)

    sampler.Sigma[:] = [covariance(q) for _ in range(classes)]
    sampler.Psi[:] = 0.5 * covariance(q + r)
    sampler.C[:] = 0.3
    sampler.Y[:] = sampler.Y[0]  # every chain with the same values
    Y = given.children.Y.copy()
    Y[sampler.fixed.rows] = sampler.Y[0]
    sampler._coefficients_and_effects()
    u = sampler.u[:, np.argsort(sampler.fixed.institutions)]
    found = np.concatenate((sampler.B.reshape(chains, -1), u.reshape(chains, -1)), axis=1)
    mean, spread = _dense(given, Y, sampler, p, q, r, J)
    error = np.sqrt(np.diag(spread) / len(found))
    assert (np.abs(found.mean(0) - mean) < MONTE_CARLO * error).all()
    scale = np.sqrt(np.outer(np.diag(spread), np.diag(spread)))
    assert (np.abs(np.cov(found.T) - spread) / scale).max() < MONTE_CARLO * np.sqrt(2 / len(found))


def _dense(given, Y, sampler, p, q, r, J):
    """Posterior mean and covariance of (B, u) from the normal equations of all unknowns at once."""
    n, X, g = len(Y), given.children.X, given.group
    design = np.zeros((n * q, p * q + J * q))
    weight = np.zeros((n * q, n * q))
    for i in range(n):
        rows = slice(i * q, (i + 1) * q)
        design[rows, : p * q] = np.kron(X[i], np.eye(q))
        design[rows, p * q + g[i] * q : p * q + (g[i] + 1) * q] = np.eye(q)
        weight[rows, rows] = np.linalg.inv(sampler.Sigma[0, given.classes[g[i]]])
    prior = np.zeros((p * q + J * q,) * 2)
    linear = np.zeros(p * q + J * q)
    for j in range(J):
        Psi, at = sampler.Psi[0, 0], slice(p * q + j * q, p * q + (j + 1) * q)
        own, mean = Psi[:q, :q], np.zeros(q)
        if r:
            slope = Psi[:q, q:] @ np.linalg.inv(Psi[q:, q:])
            own = own - slope @ Psi[q:, :q]
            mean = slope @ (given.institutions.Y[j] - given.institutions.X[j] @ sampler.C[0])
        prior[at, at] = np.linalg.inv(own)
        linear[at] = np.linalg.inv(own) @ mean
    precision = design.T @ weight @ design + prior
    return np.linalg.solve(precision, design.T @ weight @ Y.ravel() + linear), np.linalg.inv(precision)


@pytest.mark.parametrize("copies", [2, 200])
def test_missing_values_have_their_conditional_distribution(copies):
    """Rare patterns of two classes, with unequally many missing values, and ones common enough to be drawn by themselves."""
    rng = np.random.default_rng(1)
    S = [
        np.array([[1.0, 0.5, 0.2], [0.5, 2.0, -0.3], [0.2, -0.3, 1.5]]),
        np.array([[2.0, -0.4, 0.1], [-0.4, 1.0, 0.3], [0.1, 0.3, 1.2]]),
    ]
    kinds = [(0, (0, 2)), (1, (0, 2)), (1, (1,))]
    missing = np.array([[k in columns for k in range(3)] for _, columns in kinds for _ in range(copies)])
    classes = np.repeat([a for a, _ in kinds], copies)
    order, patterns = pattern_order(missing, classes, 2)
    assert {type(p) for p in patterns} == ({RarePatterns} if copies == 2 else {CommonPattern, RarePatterns})
    chains = 8_000 // copies
    E = np.tile(np.array([0.4, 0.7, -0.5]), (chains, len(order), 1))
    Y = E + 2.0
    numbers = RandomNumbers(rng.spawn(chains), np.zeros(0))
    draw_missing(Y, E, np.tile(np.linalg.inv(S), (chains, 1, 1, 1)), patterns, numbers)
    assert np.allclose(Y - E, 2.0)
    for a, columns in kinds:
        mine = (classes[order] == a) & (missing[order] == [k in columns for k in range(3)]).all(1)
        found, m, o = E[:, mine].reshape(-1, 3), list(columns), [k for k in range(3) if k not in columns]
        slope = S[a][np.ix_(m, o)] @ np.linalg.inv(S[a][np.ix_(o, o)])
        mean = slope @ np.array([0.4, 0.7, -0.5])[o]
        spread = S[a][np.ix_(m, m)] - slope @ S[a][np.ix_(o, m)]
        error = np.sqrt(np.diag(spread) / len(found))
        assert (np.abs(found[:, m].mean(0) - mean) < MONTE_CARLO * error).all()
        np.testing.assert_allclose(np.cov(found[:, m].T), spread.squeeze(), atol=0.15)
        assert (found[:, o] == np.array([0.4, 0.7, -0.5])[o]).all()


def test_latent_variables_stay_inside_their_bounds_with_the_right_mean():
    S = np.array([[1.0, 0.6], [0.6, 1.0]])
    n = 4_000
    E = np.tile([0.5, 0.2], (2, n // 2, 1))
    Y = E.copy()
    bounds = Bounds(1, np.arange(n // 2), np.zeros(n // 2), np.full(n // 2, np.inf))
    numbers = RandomNumbers(np.random.default_rng(2).spawn(2), np.zeros(0))
    draw_latent(Y, E, np.tile(np.linalg.inv(S), (2, 1, 1)), [bounds], numbers)
    assert (Y[..., 1] > 0).all()
    mean, sd = 0.3, 0.8
    expected = stats.truncnorm(-mean / sd, np.inf, loc=mean, scale=sd)
    assert abs(Y[..., 1].mean() - expected.mean()) < MONTE_CARLO * expected.std() / np.sqrt(n)


@pytest.mark.parametrize(("low", "high"), [(-np.inf, -9.0), (9.0, np.inf), (-0.1, 0.1), (37.0, 38.0), (-np.inf, np.inf)])
def test_truncated_normals_are_finite_and_inside(low, high):
    x = truncated_normal(np.full(500, low), np.full(500, high), np.random.default_rng(1).random(500))
    assert np.isfinite(x).all()
    assert ((x >= low) & (x <= high)).all()


def test_a_variable_of_two_categories_has_variance_one_given_the_others():
    rng = np.random.default_rng(1)
    A = rng.normal(size=(400, 3))
    gammas = rng.standard_gamma(bartlett_shapes(child_df(400, 1), 1))
    drawn = draw_child_covariance(A.T @ A, gammas, rng.normal(size=(1, 1)), rng.normal(size=category_normals(1, 3)))
    conditional = drawn[1, 1] - drawn[1, 0] ** 2 / drawn[0, 0]
    assert conditional == pytest.approx(1.0)
    last = drawn[2, 2] - drawn[2, :2] @ np.linalg.solve(drawn[:2, :2], drawn[:2, 2])
    assert last == pytest.approx(1.0)
    free = np.eye(2)
    assert with_categories(free, A.T[:2] @ A[:, :2], rng.normal(size=0)) is free


@pytest.mark.parametrize("by_class", [False, True])
def test_the_chains_reach_the_exact_posterior_of_the_variances(by_class):
    """Few small institutions, nothing missing: against the integral over B, u and the other variance, on a grid.

    With a covariance for each class, and a mean for each, the classes are trials of their own; their institutions take turns.
    """
    rng = np.random.default_rng(11)
    classes = 2 if by_class else 1
    J, size, chains = 5 * classes, 4, 1_500
    of = np.arange(J) % classes
    g = np.repeat(np.arange(J), size)
    y = 0.5 * rng.normal(size=J)[g] + rng.normal(size=J * size)
    X = (of[g][:, None] == np.arange(classes)).astype(float)
    children, none = Level(y[:, None], X, (), 1), Level(np.zeros((J, 0)), np.ones((J, 1)), (), 0)
    sampler = Sampler(JointModel(children, none, g, of, by_class), np.random.default_rng(3).spawn(chains))
    for _ in range(40):
        sampler.step()
    for a in range(classes):
        rows = y.reshape(J, size)[of == a]
        for drawn, grid, density in zip((sampler.Psi[:, a], sampler.Sigma[:, a]), *_variances(rows), strict=True):
            exact = np.interp(np.sort(np.log(drawn.ravel())), np.log(grid), np.cumsum(density) / density.sum())
            assert stats.kstest(exact, "uniform").pvalue > 1e-3


def _variances(rows):
    """Grids of the variances between and within institutions (J, size), and the posterior densities of their logarithms."""
    J, size = rows.shape
    psi, sigma = np.exp(np.linspace(-14, 7, 900))[:, None], np.exp(np.linspace(-3, 3, 200))[None]
    means, within = rows.mean(1), float(((rows - rows.mean(1, keepdims=True)) ** 2).sum())
    v = psi + sigma / size
    log = -(J - 1) / 2 * np.log(v) - ((means - means.mean()) ** 2).sum() / (2 * v)
    log += -J * (size - 1) / 2 * np.log(sigma) - within / (2 * sigma)
    log += -np.log(sigma) - 1 / (2 * sigma)  # IW(2, 1), as a density of log sigma
    log += 0.5 * np.log(psi) - 1.5 * np.log(1 + psi / 2)  # the square root half-t with 2 degrees of freedom
    weight = np.exp(log - log.max())
    return (psi[:, 0], sigma[0]), (weight.sum(1), weight.sum(0))


@pytest.mark.slow
@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize("r", [0, 1])
def test_stretching_changes_nothing_in_distribution(monkeypatch, by_class, r):
    """Two incomplete variables of children and one of institutions: the same posterior means with and without, within error."""
    rng = np.random.default_rng(4)
    J, chains = 10, 800
    g = np.repeat(np.arange(J), 6)
    u = rng.normal(size=(J, 3)) * [0.4, 0.4, 1.0]
    Y = u[g, :2] + rng.normal(size=(len(g), 2))
    Y[::4, 1] = np.nan
    Z = u[:, 2 : 2 + r].copy()
    Z[3] = np.nan
    X = np.column_stack((np.ones(len(g)), g % 2 - 0.5))
    given = JointModel(Level(Y, X, (), 2), Level(Z, np.ones((J, 1)), (), r), g, np.arange(J) % 2, by_class)
    found = []
    for sweeps, seed in ((60, 1), (180, 2)):
        sampler = Sampler(given, np.random.default_rng(seed).spawn(chains))
        kept = []
        for sweep in range(sweeps + 40):
            sampler.step()
            if sweep >= sweeps:
                sd = np.sqrt(np.diagonal(sampler.Psi, axis1=2, axis2=3))
                correlation = (sampler.Psi / sd[..., :, None] / sd[..., None, :])[..., 0, 1]
                parts = (sampler.B, np.log(sd), correlation, sampler.Sigma[..., 0, 1])
                kept.append(np.concatenate([part.reshape(chains, -1) for part in parts], axis=1))
        mean = np.mean(kept, axis=0)
        found.append((mean.mean(0), mean.std(0) / np.sqrt(chains)))
        monkeypatch.setattr(Sampler, "_stretch", lambda _self, precision, _gammas: precision)
    (own, error), (other, its) = found
    assert (np.abs(own - other) < MONTE_CARLO * np.hypot(error, its)).all()
