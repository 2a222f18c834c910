"""Crossed factors: value and derivatives against explicit n-by-n matrices, dense or in neighbourhoods, and what does not fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from asp_eval.core.errors import Refusal
from asp_eval.stats.engine import block_tridiagonal, memory, schur_places
from asp_eval.stats.engine.crossed_factors import CrossedFactors
from asp_eval.stats.engine.elimination import eliminate
from asp_eval.stats.engine.estimation import EstimationProblem
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.mixed.simulate import Noise, draw_outcomes

CLOSE = 1e-9


@dataclass(frozen=True)
class Explicit:
    """Z of every factor, [X y] and weights, row by row."""

    Z: list[np.ndarray]
    U: np.ndarray
    w: np.ndarray

    def model(self) -> CrossedFactors:
        one, later = self.Z[0], np.column_stack(self.Z[1:])
        Wl, W1 = later * self.w[:, None], one * self.w[:, None]
        element = np.repeat(np.arange(1, len(self.Z)), [z.shape[1] for z in self.Z[1:]])
        h, C, own = np.diag(one.T @ W1), sp.csr_matrix(one.T @ Wl), sp.csr_matrix(later.T @ Wl)
        return CrossedFactors.of(h, W1.T @ self.U, C, own, Wl.T @ self.U, self.U.T @ (self.w[:, None] * self.U), element)

    def V(self, d: np.ndarray) -> np.ndarray:
        return np.diag(1.0 / self.w) + sum(x * z @ z.T for x, z in zip(d, self.Z, strict=True))


def crossed_rows(seed: int, sizes: tuple[int, ...], n: int, *, local: bool = False) -> Explicit:
    rng = np.random.default_rng(seed)
    codes = [rng.integers(0, m, n) for m in sizes]
    if local:
        near = np.clip(codes[0] * sizes[1] // sizes[0] + rng.integers(-1, 2, n), 0, sizes[1] - 1)
        codes[1] = rng.permutation(sizes[1])[near]
    Z = [(c[:, None] == np.arange(m)) * 1.0 for c, m in zip(codes, sizes, strict=True)]
    Z[-1] *= rng.normal(size=(n, 1))  # a slope: its Z is not an indicator
    return Explicit(Z, np.column_stack([np.ones(n), rng.normal(size=(n, 2))]), 0.3 + rng.random(n))


CASES = {
    "two factors": (crossed_rows(1, (13, 7), 60), (0.7, 0.2)),
    "three factors": (crossed_rows(2, (13, 7, 5), 80), (0.7, 0.2, 1.3)),
    "a later variance of zero": (crossed_rows(3, (13, 7, 5), 80), (0.7, 0.0, 1.3)),
    "the first variance zero": (crossed_rows(4, (13, 7, 5), 80), (0.0, 0.3, 1.3)),
    "every variance zero": (crossed_rows(5, (13, 7), 60), (0.0, 0.0)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("multiplied", ["once", "each time"])
def test_value_and_derivatives_are_those_of_explicit_matrices(
    case: str, multiplied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if multiplied == "each time":
        monkeypatch.setattr(schur_places, "PAIRS", 0)
    rows, ratios = CASES[case]
    check(rows, np.array(ratios), CLOSE)


@pytest.mark.parametrize("ratios", [(0.7, 0.2), (0.7, 0.0), (0.0, 0.4)])
def test_neighbourhoods_in_blocks_give_the_same(ratios: tuple[float, float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_tridiagonal, "SMALLEST", 2)
    rows = crossed_rows(6, (40, 31), 150, local=True)
    assert rows.model().places.blocks.count > 3
    check(rows, np.array(ratios), 1e-5 if 0.0 in ratios else 1e-7)  # second derivatives by differences


def check(rows: Explicit, d: np.ndarray, close: float) -> None:
    """Compare with V, its inverse and its products."""
    found, V = rows.model().profile(d), rows.V(d)
    Vi = np.linalg.inv(V)
    log_det = np.linalg.slogdet(V)[1] + np.log(rows.w).sum()
    assert found.log_det == pytest.approx(log_det, abs=CLOSE)
    assert pytest.approx(rows.U.T @ Vi @ rows.U, abs=CLOSE) == found.S
    B = [z.T @ Vi @ rows.U for z in rows.Z]
    for r, z in enumerate(rows.Z):
        assert found.log_det_1[r] == pytest.approx(np.trace(z.T @ Vi @ z), rel=close)
        assert found.S_1[r] == pytest.approx(-B[r].T @ B[r], abs=CLOSE)
        for s, other in enumerate(rows.Z):
            inner = z.T @ Vi @ other
            assert found.log_det_2[r, s] == pytest.approx(-(inner**2).sum(), rel=close)
            assert found.S_2[r, s] == pytest.approx(B[r].T @ inner @ B[s] + (B[r].T @ inner @ B[s]).T, abs=1e-8)


@pytest.mark.parametrize("local", [False, True])
def test_random_effects_are_those_of_explicit_matrices(local: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block_tridiagonal, "SMALLEST", 2)
    rows, d = crossed_rows(7, (40, 31), 150, local=local), np.array([0.6, 0.3])
    model, v, Vi = rows.model(), np.array([-0.4, 0.2, 1.0]), np.linalg.inv(rows.V(d))
    for x, z, mode, variance in zip(d, rows.Z, model.modes(d, v), model.variances(d), strict=True):
        assert mode == pytest.approx(x * z.T @ Vi @ rows.U @ v, abs=CLOSE)
        assert variance == pytest.approx(x - x * np.diag(z.T @ Vi @ z) * x, abs=CLOSE)


def ratings(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(8)
    child, rater = rng.integers(0, 40, n), rng.integers(0, 25, n)
    y = rng.normal(size=40)[child] + 0.5 * rng.normal(size=25)[rater] + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": rng.normal(size=n), "child": child, "rater": rater})


def test_drawn_outcomes_are_eliminated_as_by_stages() -> None:
    fit = lmm("y ~ x + (1 | child) + (1 | rater)", ratings())
    model, d = fit.problem.elimination, np.array([0.5, 0.2])
    drawn = draw_outcomes(model, Noise.of(model, 300), d, np.array([0.1, 0.2]), 0.7, 2, np.random.default_rng(1))
    for again in (model, drawn.elimination(model, 1)):
        by_stages = eliminate(replace(again, crossed=None), d)
        found = eliminate(again, d)
        assert pytest.approx(by_stages.S, abs=1e-8) == found.S
        assert pytest.approx(by_stages.S_2, abs=1e-7) == found.S_2
        assert found.log_det_2 == pytest.approx(by_stages.log_det_2, rel=1e-9)


def test_a_model_that_does_not_fit_in_memory_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "memory_limit", lambda: 30_000.0)
    with pytest.raises(Refusal, match="GB of memory") as refused:
        lmm("y ~ x + (1 | child) + (1 | rater)", ratings())
    assert refused.value.problems[0].fault.code == "FIT-055"


def many_ratings() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"a": rng.integers(0, 60, 900), "b": rng.integers(0, 40, 900), "x": rng.normal(size=900)})
    y = frame["x"] + rng.normal(size=60)[frame["a"]] + rng.normal(size=40)[frame["b"]] + rng.normal(size=900)
    return frame.assign(y=y)


def test_no_ratios_are_evaluated_twice(monkeypatch) -> None:
    frame = many_ratings()
    seen: list[tuple[float, ...]] = []
    evaluate = EstimationProblem.evaluate

    def counted(self, d, *, reml, order=2):
        seen.append(tuple(d))
        return evaluate(self, d, reml=reml, order=order)

    monkeypatch.setattr(EstimationProblem, "evaluate", counted)
    fit = lmm("y ~ x + (1 | a) + (1 | b)", frame)
    assert fit.converged and 2 < len(seen) == len(set(seen)) < 8


@pytest.mark.parametrize("reml", [True, False])
def test_the_search_begins_near_its_end_with_a_hessian_that_needs_no_trace(reml: bool) -> None:
    problem = lmm("y ~ x + (1 | a) + (1 | b)", many_ratings(), reml=reml).problem
    crossed, end = problem.elimination.crossed, problem.optimum(reml=reml)
    assert crossed is not None
    start = problem._guess(crossed, reml=reml)
    assert start == pytest.approx(end.theta, rel=0.1)
    begun = problem._begun(crossed, start**2, reml=reml)
    whole = problem.evaluate(start**2, reml=reml)
    assert begun.r2_2 == pytest.approx(whole.r2_2) and begun.gradient == pytest.approx(whole.gradient)
    assert begun.average_hessian == pytest.approx(whole.hessian, abs=0.3 * whole.hessian.max())


def test_a_search_that_begins_far_away_ends_at_the_same_place(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = lmm("y ~ x + (1 | a) + (1 | b)", many_ratings())
    monkeypatch.setattr(EstimationProblem, "_guess", lambda *_, **__: np.array([0.05, 5.0]))
    far = lmm("y ~ x + (1 | a) + (1 | b)", many_ratings())
    assert far.converged and far.found.theta == pytest.approx(usual.found.theta, rel=1e-8)
