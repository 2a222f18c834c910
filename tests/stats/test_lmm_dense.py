"""The engine against the textbook: explicit n-by-n matrices, written independently of its blocks and derivatives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from asp_eval.stats.mixed.fit import MixedFit, lmm
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger, denominator, one_contrast_df
from asp_eval.stats.smallsample.kenward_roger import _moments as moments_of_f
from asp_eval.stats.smallsample.satterthwaite import Satterthwaite
from asp_eval.stats.smallsample.variance import VarianceDerivatives

OPTIMUM = 1e-5
NUMERIC = 1e-4
"""Derivatives by central differences of the textbook criterion."""


def data(seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n, inst = 120, np.arange(120) % 9
    rater = rng.integers(0, 5, n)
    d = pd.DataFrame(
        {
            "inst": inst,
            "rater": rater,
            "room": inst * 3 + rng.integers(0, 3, n),
            "arm": inst % 2,
            "x": rng.normal(size=n),
        }
    )
    d["t"], d["w"] = rng.normal(size=n), 0.3 + rng.random(n)
    effects = rng.normal(size=9)[inst] + 0.6 * rng.normal(size=9)[inst] * d["t"] + 0.7 * rng.normal(size=5)[rater]
    d["y"] = d["x"] + effects + 0.5 * rng.normal(size=27)[d["room"]] + rng.normal(size=n) / np.sqrt(d["w"])
    judge = rng.integers(0, 6, n)
    return d.assign(judge=judge, y=d["y"] + 0.8 * rng.normal(size=6)[judge])


def indicator(codes: pd.Series) -> np.ndarray:
    return (codes.to_numpy()[:, None] == np.unique(codes)) * 1.0


def intercept(d: pd.DataFrame) -> list[np.ndarray]:
    Z = indicator(d["inst"])
    return [Z @ Z.T]


def crossed(d: pd.DataFrame) -> list[np.ndarray]:
    return [Z @ Z.T for Z in (indicator(d["inst"]), indicator(d["rater"]))]


def three_crossed(d: pd.DataFrame) -> list[np.ndarray]:
    return [Z @ Z.T for Z in (indicator(d["inst"]), indicator(d["rater"]), indicator(d["judge"]))]


def nested(d: pd.DataFrame) -> list[np.ndarray]:
    return [Z @ Z.T for Z in (indicator(d["inst"]), indicator(d["room"]))]


def slope(d: pd.DataFrame) -> list[np.ndarray]:
    Z = indicator(d["inst"])
    T = Z * d["t"].to_numpy()[:, None]
    return [Z @ Z.T, Z @ T.T + T @ Z.T, T @ T.T]


CASES: dict[str, tuple[str, Callable[[pd.DataFrame], list[np.ndarray]], str | None]] = {
    "intercept": ("y ~ arm + x + (1 | inst)", intercept, None),
    "weighted": ("y ~ arm + x + (1 | inst)", intercept, "w"),
    "crossed": ("y ~ arm + x + (1 | inst) + (1 | rater)", crossed, None),
    "three crossed": ("y ~ arm + x + (1 | inst) + (1 | rater) + (1 | judge)", three_crossed, None),
    "nested": ("y ~ arm + x + (1 | inst/room)", nested, None),
    "slope": ("y ~ arm + x + (1 + t | inst)", slope, None),
    "weighted slope": ("y ~ arm + x + (1 + t | inst)", slope, "w"),
}


class Textbook:
    """V = sum of phi_r G_r with explicit matrices; the last parameter is the residual variance."""

    def __init__(self, case: str) -> None:
        formula, structure, weights = CASES[case]
        d = data()
        W = np.ones(len(d)) if weights is None else d[weights].to_numpy()
        self.G = [*structure(d), np.diag(1.0 / W)]
        self.X = np.column_stack([np.ones(len(d)), d["arm"], d["x"]])
        self.y = d["y"].to_numpy()
        self.fit: MixedFit = lmm(formula, d, weights=weights)
        c = self.fit.covariances
        ordered = [c[0][0, 0]] if len(c[0]) == 1 else [c[0][0, 0], c[0][1, 0], c[0][1, 1]]
        self.phi = np.array([*ordered, *(m[0, 0] for m in c[1:]), self.fit.sigma2])

    def V(self, phi: np.ndarray) -> np.ndarray:
        return sum(p * G for p, G in zip(phi, self.G, strict=True))

    def Phi(self, phi: np.ndarray) -> np.ndarray:
        return np.linalg.inv(self.X.T @ np.linalg.solve(self.V(phi), self.X))

    def criterion(self, phi: np.ndarray) -> float:
        V, n, p = self.V(phi), len(self.y), self.X.shape[1]
        sign, logdet = np.linalg.slogdet(V)
        if sign <= 0:
            return np.inf
        Vi = np.linalg.inv(V)
        XVX = self.X.T @ Vi @ self.X
        r = self.y - self.X @ np.linalg.solve(XVX, self.X.T @ Vi @ self.y)
        return float(logdet + np.linalg.slogdet(XVX)[1] + r @ Vi @ r + (n - p) * np.log(2 * np.pi))


@pytest.fixture(scope="module", params=CASES)
def book(request: pytest.FixtureRequest) -> Textbook:
    return Textbook(request.param)


def test_the_estimate_minimises_the_restricted_likelihood(book: Textbook) -> None:
    assert book.fit.deviance == pytest.approx(book.criterion(book.phi), abs=1e-8)
    scale = np.abs(book.phi) + 0.1
    found = optimize.minimize(
        lambda z: book.criterion(z * scale), book.phi / scale, method="Nelder-Mead", options={"fatol": 1e-8}
    )
    assert found.fun >= book.fit.deviance - 1e-7


def test_coefficients_and_covariance(book: Textbook) -> None:
    Vi, Phi = np.linalg.inv(book.V(book.phi)), book.Phi(book.phi)
    np.testing.assert_allclose(book.fit.estimate, Phi @ book.X.T @ Vi @ book.y, rtol=1e-9)
    np.testing.assert_allclose(book.fit.model_covariance, Phi, rtol=1e-8, atol=1e-12)


def test_random_effects_and_their_variances(book: Textbook) -> None:
    Vi = np.linalg.inv(book.V(book.phi))
    r = book.y - book.X @ book.fit.estimate
    D = book.fit.covariances[0]
    Z = np.stack([indicator(data()["inst"]), indicator(data()["inst"]) * data()["t"].to_numpy()[:, None]], 2)[:, :, : len(D)]
    for g in range(9):
        b = D @ Z[:, g].T @ Vi @ r
        var = D - D @ Z[:, g].T @ Vi @ Z[:, g] @ D
        table = book.fit.random_effects().query("group == 'inst' and level == @g", local_dict={"g": str(g)})
        np.testing.assert_allclose(table["estimate"], b, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(table["std_error"] ** 2, np.diag(var), rtol=1e-8)


def test_random_effects_of_inner_groups() -> None:
    """Rooms within institutions: the inner effects and their variances, which need the outer ones' uncertainty."""
    book = Textbook("nested")
    Vi = np.linalg.inv(book.V(book.phi))
    Z, tau = indicator(data()["room"]), book.fit.covariances[1][0, 0]
    table = book.fit.random_effects().query("group == 'inst:room'")
    b = tau * Z.T @ Vi @ (book.y - book.X @ book.fit.estimate)
    np.testing.assert_allclose(table["estimate"], b, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(table["std_error"] ** 2, tau - tau**2 * np.diag(Z.T @ Vi @ Z), rtol=1e-8)


def test_kenward_roger(book: Textbook) -> None:
    """Kenward & Roger 1997, eqs. 3 to 5 and p. 987, with n-by-n matrices."""
    Vi, X, Phi, G = np.linalg.inv(book.V(book.phi)), book.X, book.Phi(book.phi), book.G
    P = [-X.T @ Vi @ g @ Vi @ X for g in G]
    Q = [[X.T @ Vi @ g @ Vi @ h @ Vi @ X for h in G] for g in G]
    k = range(len(G))
    info = np.array(
        [
            [np.trace(Vi @ G[r] @ Vi @ G[s]) - 2 * np.trace(Phi @ Q[r][s]) + np.trace(Phi @ P[r] @ Phi @ P[s]) for s in k]
            for r in k
        ]
    )
    W = 2 * np.linalg.inv(info)
    inner = sum(W[r, s] * (Q[r][s] - P[r] @ Phi @ P[s]) for r in k for s in k)
    adjusted = Phi + 2 * Phi @ inner @ Phi
    np.testing.assert_allclose(book.fit.vcov(KenwardRoger()), adjusted, rtol=1e-7, atol=1e-10)
    L = np.eye(3)[1:]
    Theta = L.T @ np.linalg.inv(L @ Phi @ L.T) @ L
    A1 = sum(W[r, s] * np.trace(Theta @ Phi @ P[r] @ Phi) * np.trace(Theta @ Phi @ P[s] @ Phi) for r in k for s in k)
    A2 = sum(W[r, s] * np.trace(Theta @ Phi @ P[r] @ Phi @ Theta @ Phi @ P[s] @ Phi) for r in k for s in k)
    q = 2
    B = (A1 + 6 * A2) / (2 * q)
    g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
    c1, c2, c3 = (v / (3 * q + 2 * (1 - g)) for v in (g, q - g, q + 2 - g))
    E = 1 / (1 - A2 / q)
    V = (2 / q) * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
    rho = V / (2 * E**2)
    m = 4 + (q + 2) / (q * rho - 1)
    beta = book.fit.estimate[1:]
    F = m / (E * (m - 2)) * beta @ np.linalg.solve(L @ adjusted @ L.T, beta) / q
    got = book.fit.joint_test(["arm", "x"])
    assert got.statistic == pytest.approx(F, rel=1e-7)
    assert got.df_denominator == pytest.approx(m, rel=1e-6)


@pytest.mark.parametrize(("q", "A_1", "A_2"), [(2, 0.4, 0.3), (3, 1.2, 0.5), (4, 0.9, 0.35)])
def test_the_moments_of_the_wald_statistic(q: int, A_1: float, A_2: float) -> None:
    """m and lambda match the two approximate moments of F on q and m degrees of freedom (Kenward & Roger, p. 988)."""
    m, scale = moments_of_f(q, A_1, A_2)
    B = (A_1 + 6 * A_2) / (2 * q)
    g = ((q + 1) * A_1 - (q + 4) * A_2) / ((q + 2) * A_2)
    c = 3 * q + 2 * (1 - g)
    mean = 1 / (1 - A_2 / q)
    variance = 2 / q * (1 + g / c * B) / ((1 - (q - g) / c * B) ** 2 * (1 - (q + 2 - g) / c * B))
    assert scale * mean == pytest.approx(m / (m - 2))
    assert scale**2 * variance == pytest.approx(2 * (m / (m - 2)) ** 2 * (q + m - 2) / (q * (m - 4)))


def test_four_degrees_of_freedom_are_no_pole() -> None:
    """With A_1 = A_2 = 1/2 and q = 1 the paper's rho is infinite and m is 4."""
    model = VarianceDerivatives(np.eye(1), np.full((1, 1, 1), 1.0), np.zeros((1, 1, 1, 1)), np.eye(1), np.eye(1), np.eye(1))
    assert one_contrast_df(model, np.array([[0.5]]), np.eye(1)).tolist() == [4.0]
    assert denominator(model, np.array([[0.5]]), np.eye(1)) == (4.0, 1.0)


def test_satterthwaite(book: Textbook) -> None:
    """df = 2 f^2 / (g'Ag) with the Hessian and the gradient by central differences."""
    h = 1e-4 * (np.abs(book.phi) + 0.05)
    steps = np.diag(h)
    k = range(len(h))
    H = np.array(
        [
            [
                (
                    book.criterion(book.phi + steps[r] + steps[s])
                    - book.criterion(book.phi + steps[r] - steps[s])
                    - book.criterion(book.phi - steps[r] + steps[s])
                    + book.criterion(book.phi - steps[r] - steps[s])
                )
                / (4 * h[r] * h[s])
                for s in k
            ]
            for r in k
        ]
    )
    A = 2 * np.linalg.inv(H)
    got = book.fit.tidy(Satterthwaite())["df"]
    for j in range(3):
        g = np.array([(book.Phi(book.phi + steps[r])[j, j] - book.Phi(book.phi - steps[r])[j, j]) / (2 * h[r]) for r in k])
        assert got[j] == pytest.approx(2 * book.Phi(book.phi)[j, j] ** 2 / (g @ A @ g), rel=20 * NUMERIC)
