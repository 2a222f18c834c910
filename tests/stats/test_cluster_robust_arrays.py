"""The pseudo-row algebra against the definitions written out with n-by-n matrices."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import cholesky

from asp_eval.core.errors import Unavailable
from asp_eval.stats.smallsample.cluster_blocks import (
    ClusterBlocks,
    cluster_sums,
    mixed_blocks,
    ordinary_blocks,
    ordinary_blocks_of_rows,
    padded_rows,
    weighted_blocks,
)
from asp_eval.stats.smallsample.nested_clusters import RandomFactor, clusters_of_model, outermost
from asp_eval.stats.smallsample.sandwich import Kind, _under_the_model, hotelling_df, invisible_share, sandwich, satterthwaite_df

KINDS: tuple[Kind, ...] = ("CR0", "CR1", "CR1S", "CR2", "CR3")
SIZES = (1, 2, 3, 7, 4, 9, 12, 5, 6)
CODES = np.repeat(np.arange(len(SIZES)), SIZES)
N, J = len(CODES), len(SIZES)
ROUNDING = 1e-9


def design() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(N), (np.arange(J) % 2)[CODES], rng.normal(size=N), rng.normal(size=N)])
    return X, rng.normal(size=N) + rng.normal(size=J)[CODES] + 0.5 * X[:, 2]


def power(a: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(a)
    kept = values > 1e-10
    return (vectors * np.where(kept, np.where(kept, values, 1.0) ** exponent, 0.0)) @ vectors.T


def adjustment(kind: Kind, hat: np.ndarray, phi: np.ndarray, psi: np.ndarray, p: int) -> np.ndarray:
    if kind == "CR2":
        D = cholesky(phi)
        return D.T @ power(D @ psi @ D.T, -0.5) @ D
    if kind == "CR3":
        return np.linalg.inv(np.eye(len(phi)) - hat)
    factor = {"CR0": 1.0, "CR1": J / (J - 1), "CR1S": J * (N - 1) / ((J - 1) * (N - p))}[kind]
    return np.sqrt(factor) * np.eye(len(phi))


def by_definition(X: np.ndarray, y: np.ndarray, W: np.ndarray, Phi: np.ndarray, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
    """V (p, p) and P (p, p, J, J) from the whole hat matrix."""
    p = X.shape[1]
    M = np.linalg.inv(X.T @ W @ X)
    hat = X @ M @ X.T @ W
    rest = np.eye(N) - hat
    psi = rest @ Phi @ rest.T
    F = np.zeros((J, p, N))
    for j in range(J):
        at = np.flatnonzero(np.equal(CODES, j))
        own = np.ix_(at, at)
        F[j][:, at] = M @ X[at].T @ W[own] @ adjustment(kind, hat[own], Phi[own], psi[own], p)
    scores = F @ (rest @ y)
    G = F @ rest
    return scores.T @ scores, np.einsum("jpn,nm,kqm->pqjk", G, Phi, G)


def blocks_of(X: np.ndarray, y: np.ndarray, case: str) -> tuple[ClusterBlocks, np.ndarray, np.ndarray]:
    """The blocks with the W and Phi they stand for."""
    rng = np.random.default_rng(11)
    w = rng.uniform(0.5, 3, N) if case == "weighted" else np.ones(N)
    slope = {"slope": X[:, 3], "slope outside": rng.normal(size=N)}.get(case)
    Z = np.zeros((N, 0)) if slope is None else np.column_stack([np.ones(N), slope]) @ np.array([[0.8, 0], [0.3, 0.5]])
    Z = 0.7 * np.ones((N, 1)) if case == "intercept" else Z
    Phi = np.eye(N) + np.where(CODES[:, None] == CODES, Z @ Z.T, 0)
    W = np.diag(w) @ np.linalg.inv(Phi)
    back = np.linalg.inv(np.linalg.cholesky(X.T @ W @ X).T)
    e = y - X @ np.linalg.solve(X.T @ W @ X, X.T @ W @ y)
    columns = {"plain": X @ back, "weighted": np.hstack([X @ back, w[:, None] * (X @ back)])}.get(case, np.hstack([Z, X @ back]))
    build = {"plain": ordinary_blocks, "weighted": weighted_blocks}.get(case, mixed_blocks)
    gram, scores = cluster_sums(columns, CODES, J), cluster_sums(columns, CODES, J, e[:, None])[..., 0]
    return build(gram, scores, back, N), W, Phi


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", ["plain", "weighted", "intercept", "slope", "slope outside"])
def test_covariance_and_degrees_of_freedom_equal_the_definitions(case: str, kind: Kind) -> None:
    X, y = design()
    blocks, W, Phi = blocks_of(X, y, case)
    V, P = by_definition(X, y, W, Phi, kind)
    robust = sandwich(blocks, kind)
    np.testing.assert_allclose(robust.covariance(), V, rtol=ROUNDING)
    df = [np.trace(P[i, i]) ** 2 / np.sum(P[i, i] ** 2) for i in range(4)]
    np.testing.assert_allclose(satterthwaite_df(robust, np.eye(4))[0], df, rtol=ROUNDING)


@pytest.mark.parametrize("case", ["plain", "weighted", "slope outside"])
def test_hotelling_degrees_of_freedom_equal_the_definition(case: str) -> None:
    X, y = design()
    blocks, W, Phi = blocks_of(X, y, case)
    _, P = by_definition(X, y, W, Phi, "CR2")
    C = np.array([[0, 1.0, 0, 0], [0, 0, 1.0, -2.0]])
    PC = np.einsum("sp,pqjk,tq->stjk", C, P, C)
    half = power(np.einsum("stjj->st", PC), -0.5)
    B = np.einsum("as,stjk,tb->abjk", half, PC, half)
    eta = 2 * 3 / (np.einsum("stjk,tsjk->", B, B) + np.einsum("ssjk,ttjk->", B, B))
    assert hotelling_df(sandwich(blocks, "CR2"), C) == pytest.approx(eta, rel=ROUNDING)


def test_one_contrast_has_the_same_degrees_of_freedom_in_both_tests() -> None:
    blocks, _, _ = blocks_of(*design(), "slope")
    robust = sandwich(blocks, "CR2")
    C = np.array([[0.0, 1.0, 0.5, 0.0]])
    assert hotelling_df(robust, C) == pytest.approx(satterthwaite_df(robust, C)[0][0], rel=ROUNDING)


def test_a_random_intercept_in_the_span_of_the_columns_adds_no_pseudo_row() -> None:
    X, y = design()
    assert blocks_of(X, y, "intercept")[0].x.shape == blocks_of(X, y, "plain")[0].x.shape
    assert blocks_of(X, y, "slope outside")[0].x.shape[1] == blocks_of(X, y, "plain")[0].x.shape[1] + 1


def test_sums_over_clusters_are_the_same_by_either_route() -> None:
    rng = np.random.default_rng(5)
    columns = rng.normal(size=(640, 3))
    for J_, m in ((4, 160), (160, 4)):
        rows = columns.reshape(J_, m, 3)
        np.testing.assert_allclose(cluster_sums(columns, np.repeat(np.arange(J_), m), J_), rows.swapaxes(1, 2) @ rows)


# mixed models with nested groups


def nested() -> tuple[np.ndarray, np.ndarray, list[RandomFactor], np.ndarray]:
    """Rooms and tables within clusters, tables crossing rooms; rows in no order. Returns X, y, factors and Phi."""
    rng = np.random.default_rng(21)
    cluster = rng.permutation(CODES)
    rooms = cluster * 3 + rng.integers(0, 3, N)
    tables = cluster * 2 + rng.integers(0, 2, N)
    X = np.column_stack([np.ones(N), cluster % 2, rng.normal(size=N)])
    slopes = np.column_stack([np.ones(N), rng.normal(size=N)]) @ np.array([[0.7, 0], [0.2, 0.4]])
    columns = [slopes, 0.9 * np.ones((N, 1)), 0.5 * np.ones((N, 1))]
    factors, Phi = [], np.eye(N)
    for name, group, Z in zip(("room", "table", "cluster"), (rooms, tables, cluster), columns, strict=True):
        levels, codes = np.unique(group, return_inverse=True)
        factors.append(RandomFactor(name, codes.astype(np.intp), len(levels), Z))
        Phi += np.where(codes[:, None] == codes, Z @ Z.T, 0)
    return X, rng.normal(size=N) + rng.normal(size=J)[cluster], factors, Phi


@pytest.mark.parametrize("weighted", [False, True])
def test_nested_groups_equal_the_definitions(weighted: bool) -> None:
    X, y, factors, Phi = nested()
    w = np.random.default_rng(2).uniform(0.5, 2, N) if weighted else np.ones(N)
    root = np.sqrt(w)
    order = np.argsort(factors[2].codes, kind="stable")
    scaled = np.eye(N) + (Phi - np.eye(N)) * root[:, None] * root
    Xs, ys, scaled = X[order] * root[order, None], y[order] * root[order], scaled[np.ix_(order, order)]
    W = np.linalg.inv(scaled)
    V, P = by_definition(Xs, ys, W, scaled, "CR2")
    beta = np.linalg.solve(Xs.T @ W @ Xs, Xs.T @ W @ ys)
    blocks = clusters_of_model(X, y - X @ beta, factors, w if weighted else None)
    assert isinstance(blocks, ClusterBlocks)
    robust = sandwich(blocks, "CR2")
    np.testing.assert_allclose(robust.covariance(), V, rtol=ROUNDING)
    df = [np.trace(P[i, i]) ** 2 / np.sum(P[i, i] ** 2) for i in range(3)]
    np.testing.assert_allclose(satterthwaite_df(robust, np.eye(3))[0], df, rtol=ROUNDING)


def test_crossed_factors_have_no_clusters() -> None:
    X, y, factors, _ = nested()
    assert outermost(factors) is factors[2]
    found = clusters_of_model(X, y, factors[:2])
    assert isinstance(found, Unavailable)
    assert "no grouping factor holds all others (room, table)" in found.reason


@pytest.mark.parametrize("case", ["plain", "weighted", "slope", "slope outside"])
def test_cr2_is_unbiased_when_the_working_model_is_right(case: str) -> None:
    X, y = design()
    blocks, W, Phi = blocks_of(X, y, case)
    bread = np.linalg.inv(X.T @ W @ X)
    true = bread @ X.T @ W @ Phi @ W.T @ X @ bread
    _, expected = satterthwaite_df(sandwich(blocks, "CR2"), np.eye(4))
    np.testing.assert_allclose(expected, np.diag(true), rtol=ROUNDING)
    _, too_small = satterthwaite_df(sandwich(blocks, "CR0"), np.eye(4))
    assert (too_small < np.diag(true)).all()


@pytest.mark.parametrize("spread", [1.0, 15.0, 17.0, 1e3, 1e5])
def test_the_adjustment_keeps_its_digits_when_clusters_differ_a_lot(spread: float) -> None:
    """A Psi A = Phi, held against both sides' own units: 17 is beyond the steep limit, 1e5 an ICC of 0.9999999999."""
    X, y = design()
    Z = spread * np.ones((N, 1))
    Phi = np.eye(N) + np.where(CODES[:, None] == CODES, Z @ Z.T, 0)
    back = np.linalg.inv(np.linalg.cholesky(X.T @ np.linalg.inv(Phi) @ X).T)
    columns = np.hstack([Z, X @ back])
    blocks = mixed_blocks(cluster_sums(columns, CODES, J), cluster_sums(columns, CODES, J, y[:, None])[..., 0], back, N)
    lower = np.linalg.cholesky(blocks.phi)
    A = _under_the_model(blocks, lower)
    psi = blocks.phi - blocks.x @ blocks.x.swapaxes(1, 2)
    white = np.linalg.solve(lower, A @ psi @ A)
    white = np.linalg.solve(lower, white.swapaxes(1, 2))
    np.testing.assert_allclose(white, np.broadcast_to(np.eye(white.shape[1]), white.shape), atol=1e-12 * (1 + spread**2))
    np.testing.assert_allclose(A, A.swapaxes(1, 2), rtol=1e-6, atol=1e-9 * spread**2)


@pytest.mark.parametrize("kind", KINDS)
def test_small_clusters_may_stand_as_rows(kind: Kind) -> None:
    """Twelve columns, clusters of up to twelve rows, two of them with a dummy of their own."""
    rng = np.random.default_rng(17)
    X = np.column_stack([np.ones(N), CODES == 2, CODES == 5, rng.normal(size=(N, 10))])
    Q, R = np.linalg.qr(X)
    e = rng.normal(size=N)
    e -= Q @ (Q.T @ e)
    rows = padded_rows(np.column_stack([Q, e]), CODES, J)
    assert rows.shape == (J, max(SIZES), 14)
    back = np.linalg.inv(R)
    one = sandwich(ordinary_blocks_of_rows(rows[..., :-1], rows[..., -1], back, N), kind)
    two = sandwich(ordinary_blocks(cluster_sums(Q, CODES, J), cluster_sums(Q, CODES, J, e[:, None])[..., 0], back, N), kind)
    np.testing.assert_allclose(one.covariance(), two.covariance(), rtol=1e-7, atol=1e-12)
    for a, b in zip(satterthwaite_df(one, np.eye(13)), satterthwaite_df(two, np.eye(13)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7)
    np.testing.assert_allclose(invisible_share(one, np.eye(13)), invisible_share(two, np.eye(13)), rtol=1e-7, atol=1e-12)
    assert (invisible_share(one, np.eye(13)) > 0.5).sum() >= 2


def test_contrasts_may_be_taken_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    robust = sandwich(blocks_of(*design(), "slope")[0], "CR2")
    want = satterthwaite_df(robust, np.eye(4))
    monkeypatch.setattr("asp_eval.stats.smallsample.sandwich.AT_ONCE", 1)
    for a, b in zip(satterthwaite_df(robust, np.eye(4)), want, strict=True):
        np.testing.assert_allclose(a, b, rtol=ROUNDING)
