"""The Gibbs sampler: every draw has the distribution it claims, against dense matrices.

1. B and u, given the rest, with one covariance and with one for each arm, with variables of institutions and without
2. missing values by pattern, common and rare; latent variables inside their bounds
3. covariance matrices: inverse Wishart, and variances of 1 for two categories
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from asp_eval.stats.imputation.covariances import draw_child_covariance, with_categories
from asp_eval.stats.imputation.gibbs import Sampler
from asp_eval.stats.imputation.joint_model import Bounds, JointModel, Level
from asp_eval.stats.imputation.unknown_cells import draw_latent, draw_missing, pattern_order, truncated_normal

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
    sampler = Sampler(given, np.random.default_rng(5))
    q, r, J, p = 2, given.institutions.Y.shape[1], 6, 2
    rng = np.random.default_rng(7)

    def covariance(k):
        A = rng.normal(size=(k, k + 3))
        return A @ A.T / (k + 3) + 0.1 * np.eye(k)

    sampler.Sigma[:] = [covariance(q) for _ in range(classes)]
    sampler.Psi[:] = 0.5 * covariance(q + r)
    sampler.C[:] = 0.3
    Y = given.children.Y.copy()
    Y[sampler.rows] = sampler.Y  # the values as they stand
    draws = []
    for _ in range(4_000):
        sampler._coefficients_and_effects()
        draws.append(np.concatenate((sampler.B.ravel(), sampler.u.ravel())))
    mean, spread = _dense(given, Y, sampler, p, q, r, J)
    found = np.array(draws)
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
        weight[rows, rows] = np.linalg.inv(sampler.Sigma[given.classes[g[i]]])
    prior = np.zeros((p * q + J * q,) * 2)
    linear = np.zeros(p * q + J * q)
    for j in range(J):
        Psi, at = sampler.Psi[given.classes[j]], slice(p * q + j * q, p * q + (j + 1) * q)
        own, mean = Psi[:q, :q], np.zeros(q)
        if r:
            slope = Psi[:q, q:] @ np.linalg.inv(Psi[q:, q:])
            own = own - slope @ Psi[q:, :q]
            mean = slope @ (sampler.Z[j] - given.institutions.X[j] @ sampler.C)
        prior[at, at] = np.linalg.inv(own)
        linear[at] = np.linalg.inv(own) @ mean
    precision = design.T @ weight @ design + prior
    return np.linalg.solve(precision, design.T @ weight @ Y.ravel() + linear), np.linalg.inv(precision)


@pytest.mark.parametrize("copies", [2, 60])
def test_missing_values_have_their_conditional_distribution(copies):
    """A rare pattern, and one that is common enough to be drawn by itself."""
    S = np.array([[1.0, 0.5, 0.2], [0.5, 2.0, -0.3], [0.2, -0.3, 1.5]])
    missing = np.tile([True, False, True], (copies, 1))
    order, patterns = pattern_order(missing)
    rng = np.random.default_rng(1)
    E = rng.normal(size=(copies, 3))
    E[:, 1] = 0.7
    Y = E[order] + 2.0
    E = E[order]
    draws = []
    for _ in range(8_000 // copies):
        draw_missing(Y, E, np.linalg.inv(S), patterns, rng)
        draws.append(E.copy())
    assert np.allclose(Y - E, 2.0)
    found = np.concatenate(draws)
    m = [0, 2]
    mean = S[m, 1] / S[1, 1] * 0.7
    spread = S[np.ix_(m, m)] - np.outer(S[m, 1], S[m, 1]) / S[1, 1]
    assert (np.abs(found[:, m].mean(0) - mean) < MONTE_CARLO * np.sqrt(np.diag(spread) / len(found))).all()
    np.testing.assert_allclose(np.cov(found[:, m].T), spread, atol=0.12)
    assert (found[:, 1] == 0.7).all()


def test_latent_variables_stay_inside_their_bounds_with_the_right_mean():
    S = np.array([[1.0, 0.6], [0.6, 1.0]])
    n = 4_000
    E = np.column_stack((np.full(n, 0.5), np.full(n, 0.2)))
    Y = E.copy()
    draw_latent(Y, E, np.linalg.inv(S), [Bounds(1, np.arange(n), np.zeros(n), np.full(n, np.inf))], np.random.default_rng(2))
    assert (Y[:, 1] > 0).all()
    mean, sd = 0.3, 0.8
    expected = stats.truncnorm(-mean / sd, np.inf, loc=mean, scale=sd)
    assert abs(Y[:, 1].mean() - expected.mean()) < MONTE_CARLO * expected.std() / np.sqrt(n)


@pytest.mark.parametrize(("low", "high"), [(-np.inf, -9.0), (9.0, np.inf), (-0.1, 0.1), (37.0, 38.0), (-np.inf, np.inf)])
def test_truncated_normals_are_finite_and_inside(low, high):
    x = truncated_normal(np.full(500, low), np.full(500, high), np.random.default_rng(1))
    assert np.isfinite(x).all()
    assert ((x >= low) & (x <= high)).all()


def test_a_variable_of_two_categories_has_variance_one_given_the_others():
    rng = np.random.default_rng(1)
    A = rng.normal(size=(400, 3))
    drawn = draw_child_covariance(A.T @ A, 400, 1, rng)
    conditional = drawn[1, 1] - drawn[1, 0] ** 2 / drawn[0, 0]
    assert conditional == pytest.approx(1.0)
    last = drawn[2, 2] - drawn[2, :2] @ np.linalg.solve(drawn[:2, :2], drawn[:2, 2])
    assert last == pytest.approx(1.0)
    free = np.eye(2)
    assert with_categories(free, A.T[:2] @ A[:, :2], rng) is free
