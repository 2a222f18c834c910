"""Cluster-robust covariances of nested random effects from cross-products.

1. The rule for the inverse root against the root itself.
2. Every kind against the definitions written out with n-by-n matrices; against pseudo-rows, with weights and slopes.
3. From moments that keep the clusters' cross-products: the same numbers, added, saved and by SQL; without them, words.
4. Where a cluster alone determines a coefficient or variances are extreme the pseudo-rows are used.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from asp_eval import CR0, CR1S, CR2, CR3, AspError, Moments, lmm, lmm_from_moments, moments_from_sql
from asp_eval.stats.mixed import clusters
from asp_eval.stats.mixed.result import MixedFit
from asp_eval.stats.smallsample.cluster_blocks import ClusterBlocks
from asp_eval.stats.smallsample.inverse_root import inverse_root_rule
from asp_eval.stats.smallsample.nested_sandwich import NestedClusters, NestedStage, ProductSandwich, nested_sandwich
from asp_eval.stats.smallsample.sandwich import Kind, hotelling_df, sandwich, satterthwaite_df

J = 9
KINDS: tuple[Kind, ...] = ("CR0", "CR1", "CR1S", "CR2", "CR3")
SLOPES = "y ~ arm * t + x + (1 + t | inst) + (1 + t | room) + (1 | child)"


@pytest.mark.parametrize("spread", [1.0, 7.0, 1e3, 1e6, 1e9])
def test_the_rule_is_the_inverse_root(spread: float) -> None:
    t, w = inverse_root_rule(spread)
    x = np.geomspace(1, spread, 77)
    np.testing.assert_allclose(np.sum(w / (x[:, None] + t**2), axis=1), x**-0.5, rtol=1e-12)


def rows() -> pd.DataFrame:
    """Children in rooms in institutions, three waves, a seventh of the rows missing, in no order."""
    rng = np.random.default_rng(8)
    child = np.repeat(np.arange(J * 2 * 6), 3)
    frame = pd.DataFrame({"child": child, "room": child // 6, "inst": child // 12, "t": np.tile([0.0, 1, 2], J * 12)})
    own = [rng.normal(size=J)[frame["inst"]], rng.normal(size=2 * J)[frame["room"]], rng.normal(size=12 * J)[child]]
    frame["x"] = rng.normal(size=len(frame))
    frame["arm"] = np.where(frame["inst"] % 2, "new", "old")
    frame["w"] = rng.uniform(0.5, 2, len(frame))
    frame["y"] = sum(own) * (1 + 0.4 * frame["t"]) + 0.3 * frame["x"] + rng.normal(size=len(frame))
    return frame[rng.random(len(frame)) < 0.86].sample(frac=1, random_state=2).reset_index(drop=True)


ROWS = rows()


@cache
def fitted(formula: str, weights: str | None = None) -> MixedFit:
    return lmm(formula, ROWS, weights=weights)


def adjusted(phi: np.ndarray, x: np.ndarray, kind: Kind, n: int, p: int) -> np.ndarray:
    """A_j by the definition, X in the basis in which M is the identity."""
    if kind == "CR3":
        return np.linalg.inv(np.eye(len(phi)) - x @ np.linalg.solve(phi, x).T)
    if kind == "CR2":
        values, vectors = np.linalg.eigh(phi)
        root = (vectors * np.sqrt(values)) @ vectors.T
        values, vectors = np.linalg.eigh(root @ (phi - x @ x.T) @ root)
        return root @ (vectors * values**-0.5) @ vectors.T @ root
    return np.sqrt({"CR0": 1.0, "CR1": J / (J - 1), "CR1S": J * (n - 1) / ((J - 1) * (n - p))}[kind]) * np.eye(len(phi))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_equals_the_definitions(kind: Kind) -> None:
    frame = ROWS.sort_values(["inst", "room", "child"], kind="stable")
    n, rng = len(frame), np.random.default_rng(1)
    X = np.column_stack([np.ones(n), frame["inst"] % 2, frame["t"], frame["x"]])
    Z = {"child": np.ones((n, 1)), "room": np.column_stack([np.ones(n), frame["t"]]), "inst": X[:, [0, 3]]}
    D = {"child": np.array([[0.4]]), "room": np.array([[0.5, 0.1], [0.1, 0.2]]), "inst": np.zeros((2, 2))}
    D["inst"][0, 0] = 0.7  # singular
    phi = np.eye(n) + sum(np.where(np.equal.outer(*[frame[g].to_numpy()] * 2), Z[g] @ D[g] @ Z[g].T, 0.0) for g in Z)
    M = np.linalg.inv(X.T @ np.linalg.solve(phi, X))
    x, e = X @ np.linalg.cholesky(M), rng.normal(size=n)
    V, expected, P = np.zeros((4, 4)), np.zeros(4), np.zeros((J, 4, n))
    for j in range(J):
        at = np.flatnonzero(frame["inst"] == j)
        own = phi[np.ix_(at, at)]
        P[j][:, at] = M @ np.linalg.solve(own, X[at]).T @ adjusted(own, x[at], kind, n, 4)
    V = (P @ e).T @ (P @ e)
    G = P - P @ X @ M @ np.linalg.solve(phi, X).T
    joint = np.einsum("jpn,nm,kpm->pjk", G, phi, G)
    expected = np.einsum("pjj->p", joint) ** 2 / np.einsum("pjk,pjk->p", joint, joint)
    stages, names = [], list(Z)
    for k, g in enumerate(names):
        columns = np.column_stack([*(Z[later] for later in names[k:]), X, e])
        codes = pd.factorize(frame[g])[0]
        products = np.array([Z[g][codes == c].T @ columns[codes == c] for c in range(codes.max() + 1)])
        outer = [frame[names[k + 1]].to_numpy()[codes == c][0] for c in range(len(products))] if k < 2 else []
        stages.append(NestedStage(D[g], products, np.flatnonzero(np.diff(outer, prepend=-1)) if k < 2 else None))
    U = np.column_stack([X, e])
    root = np.array([U[frame["inst"] == j].T @ U[frame["inst"] == j] for j in range(J)])
    found = nested_sandwich(NestedClusters(tuple(stages), root, np.eye(4), n), kind)
    assert isinstance(found, ProductSandwich)
    np.testing.assert_allclose(found.covariance(), V, rtol=1e-10)
    np.testing.assert_allclose(satterthwaite_df(found, np.eye(4))[0], expected, rtol=1e-10)


def both_ways(fit: MixedFit, kind: Kind) -> tuple[ProductSandwich, object]:
    nested, blocks = fit.nested_clusters(), fit.cluster_blocks()
    assert nested is not None
    assert isinstance(blocks, ClusterBlocks)
    found = nested_sandwich(nested, kind)
    assert found is not None
    return found, sandwich(blocks, kind)


@pytest.mark.parametrize(
    ("formula", "weights"),
    [(SLOPES, "w"), ("y ~ arm + x + (1 | inst) + (1 + t || child)", None), ("y ~ 0 + t + x + (1 | inst/room)", "w")],
)
def test_every_kind_equals_its_pseudo_rows(formula: str, weights: str | None) -> None:
    fit = fitted(formula, weights)
    identity = np.eye(len(fit.names))
    for kind in KINDS:
        one, other = both_ways(fit, kind)
        np.testing.assert_allclose(one.covariance(), other.covariance(), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(satterthwaite_df(one, identity)[0], satterthwaite_df(other, identity)[0], rtol=1e-9)
        assert hotelling_df(one, identity[:2]) == pytest.approx(hotelling_df(other, identity[:2]), rel=1e-9)


def test_a_table_of_nested_groups_asks_for_no_pseudo_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = fitted(SLOPES, "w")
    monkeypatch.setattr(clusters, "clusters_of_model", lambda *_: pytest.fail("pseudo-rows were made"))
    assert fit.tidy(CR2())["std_error"].notna().all()


@pytest.mark.parametrize("formula", [SLOPES, "y ~ arm * t + x + (1 | inst)", "y ~ arm + poly(x, 2) + (1 + t | inst)"])
def test_moments_that_keep_clusters_give_the_same(formula: str) -> None:
    fit = fitted(formula, "w")
    other = lmm_from_moments(Moments.from_frame(formula, ROWS, weights="w", clusters="inst"))
    for method in (CR0(), CR1S(), CR2(), CR3()):
        one, two = fit.tidy(method), other.tidy(method)
        np.testing.assert_allclose(two["std_error"], one["std_error"], rtol=1e-9)
        np.testing.assert_allclose(two["df"], one["df"], rtol=1e-9)
    one, two = (f.joint_test(fit.names[1:3], CR2()).df_denominator for f in (fit, other))
    assert two == pytest.approx(one, rel=1e-9)


def test_moments_that_keep_clusters_add_are_saved_and_come_by_sql(tmp_path) -> None:
    formula, arms = "y ~ arm * t + x + (1 + t | inst)", {"arm": ["old", "new"]}
    frame = ROWS.assign(arm=pd.Categorical(ROWS["arm"], arms["arm"]))
    want = lmm(formula, frame).tidy(CR2())
    frame.drop(columns=["child"]).astype({"arm": str}).to_parquet(tmp_path / "rows.parquet")
    north, south = (Moments.from_frame(formula, frame[own], clusters="inst") for own in (frame["inst"] < 4, frame["inst"] >= 4))
    north.save(tmp_path / "north.npz")
    found = [Moments.load(tmp_path / "north.npz") + south]
    found.append(moments_from_sql(formula, tmp_path / "rows.parquet", categories=arms, clusters="inst"))
    groups, X = {"inst": frame["inst"]}, np.column_stack([np.ones(len(frame)), frame["arm"] == "new", frame["t"], frame["x"]])
    X, names = np.column_stack([X, X[:, 1] * X[:, 2]]), ["Intercept", "a", "t", "x", "a:t"]
    random = {"inst": [["Intercept", "t"]]}
    found.append(Moments.from_arrays(X, frame["y"], groups, names=names, random=random, clusters="inst"))
    for moments in found:
        table = lmm_from_moments(moments).tidy(CR2())
        np.testing.assert_allclose(table["std_error"], want["std_error"], rtol=1e-7)
        np.testing.assert_allclose(table["df"], want["df"], rtol=1e-7)


def test_moments_without_clusters_and_factors_that_are_none_are_refused_in_words(tmp_path) -> None:
    formula = "y ~ arm + x + (1 | inst)"
    table = lmm_from_moments(Moments.from_frame(formula, ROWS)).tidy(CR2())
    assert table["note"].str.contains("moments do not hold").all()
    ROWS.to_parquet(tmp_path / "rows.parquet")
    for make in (
        lambda: Moments.from_frame(formula, ROWS, clusters="room"),
        lambda: moments_from_sql(formula, tmp_path / "rows.parquet", clusters="room"),
        lambda: Moments.from_arrays(np.ones((len(ROWS), 1)), ROWS["y"], {"inst": ROWS["inst"]}, clusters="room"),
    ):
        with pytest.raises(AspError, match="FIT-059"):
            make()


def test_small_cells_within_groups_do_not_leave_the_house(tmp_path) -> None:
    g = np.repeat(np.arange(6), 60)
    sex, edu = np.tile([0, 1], 180), np.tile([0, 0, 1, 1], 90)
    rare = edu.copy()
    rare[:60] = sex[:60]
    rare[:2] = 1 - rare[:2]  # in the first group one row of each unequal pair
    y = np.random.default_rng(1).normal(size=360) + g
    made = pd.DataFrame({"g": g, "sex": sex, "edu": edu, "rare": rare, "y": y})
    Moments.from_frame("y ~ sex + edu + (1 | g)", made, clusters="g").save(tmp_path / "a.npz")
    Moments.from_frame("y ~ sex + rare + (1 | g)", made).save(tmp_path / "b.npz")
    with pytest.raises(AspError, match=r"FIT-173.*a cell of sex / rare in the group 0 of g has 1 rows"):
        Moments.from_frame("y ~ sex + rare + (1 | g)", made, clusters="g").save(tmp_path / "c.npz")


def test_leverage_one_and_extreme_variances_keep_the_pseudo_rows() -> None:
    alone = ROWS.assign(alone=(ROWS["inst"] == 2) * 1.0)
    fit = lmm("y ~ t + alone + (1 | inst) + (1 | child)", alone)
    assert nested_sandwich(fit.nested_clusters(), "CR2") is None
    table = fit.tidy(CR2()).set_index("term")
    assert "clusters that alone determine a coefficient hide 89% of the variance" in str(table.loc["alone", "note"])
    assert table.loc["t", "std_error"] > 0
    assert fit.tidy(CR3()).set_index("term").loc["t", "std_error"] > 0
    from_moments = lmm_from_moments(Moments.from_frame("y ~ t + alone + (1 | inst)", alone, clusters="inst"))
    assert from_moments.tidy(CR2())["note"].str.contains("a cluster alone determines a coefficient").all()
    steep = lmm("y ~ t + (1 | inst) + (1 | child)", ROWS.assign(y=ROWS["y"] + 150 * ROWS["inst"] % 97))
    assert nested_sandwich(steep.nested_clusters(), "CR0") is None
    assert steep.tidy(CR2())["std_error"].notna().all()
