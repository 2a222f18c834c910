"""The maximum of an integrated likelihood: quasi-Newton steps from the working information, ended by Newton's own.

The triangle's elements theta may take any sign: the criterion is even in a column of L, so a variance of zero is an
inner point of the search, where the slope is zero, and no bound is needed. After the search the Hessian comes from
central differences of the exact gradient; Newton steps with it bring the gradient to rounding error, so that estimates do
not depend on where the search began.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import linalg

from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.laplace import Evaluation, laplace
from asp_eval.stats.integration.model import LatentModel
from asp_eval.stats.integration.quadrature import quadrature

Mask = npt.NDArray[np.bool_]

FALL = 1e-8
"""Predicted fall of the criterion at which the search hands over to Newton."""
GRADIENT = 1e-5
"""Largest slope, in standard errors of the parameters, of a point that meets the conditions of a maximum."""
DIFFERENCE = 2e-6
"""Step of the differences of the gradient, in columns of mean square one: five digits of a standard error."""
MOST_STEPS = 150
ZERO = 1e-8
"""Rise of the criterion below which a standard deviation is taken to be zero."""


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """The estimate.

    Attributes
    ----------
    x : ndarray (parameters,)
    evaluation : Evaluation
    hessian : ndarray (parameters, parameters)
        Of -log likelihood.
    converged : bool
    evaluations : int
        How often the criterion was computed.
    """

    x: Array
    evaluation: Evaluation
    hessian: Array
    converged: bool
    evaluations: int


class Criterion:
    """-log likelihood as a function of all parameters; each evaluation starts from the modes of the one before."""

    def __init__(self, model: LatentModel, nodes: int) -> None:
        self.model, self.nodes, self.count = model, nodes, 0
        self._warm: Evaluation | None = None

    def __call__(self, x: Array) -> Evaluation:
        """Return the criterion and its gradient at x."""
        self.count += 1
        start = None if self._warm is None or self._warm.modes is None else self._warm.modes.u
        found = laplace(self.model, x, start) if self.nodes == 1 else quadrature(self.model, x, self.nodes, start)
        if found.modes is not None:
            self._warm = found
        return found


def maximise(
    model: LatentModel, nodes: int, start: Array, *, free: Mask | None = None, hessian: Array | None = None, polish: bool = True
) -> Maximum:
    """Return the maximum of the likelihood.

    Parameters
    ----------
    model : LatentModel
    nodes : int
        1 for Laplace's approximation.
    start : ndarray (parameters,)
    free : ndarray of bool (parameters,), optional
        Parameters that may move; the others stay where they start.
    hessian : ndarray (parameters, parameters), optional
        A first guess.
    polish : bool
        Whether Newton steps end the search and the Hessian there is computed; without, the estimate is good to a
        thousandth of a standard error.
    """
    f = Criterion(model, nodes)
    moves = np.ones(len(start), bool) if free is None else free
    here = f(start)
    if here.modes is None:
        return Maximum(start, here, np.full((len(start),) * 2, np.nan), False, f.count)
    guess = _start_hessian(model, f, start, here) if hessian is None else hessian
    x, here = search(f, start, here, positive(guess[np.ix_(moves, moves)]), moves)
    if not polish:
        return Maximum(x, here, guess, bool(np.isfinite(here.value)), f.count)
    return _polish(f, x, here, moves)


def differences(f: Callable[[Array], Evaluation], x: Array, moves: Mask, here: Evaluation) -> Array:
    """Return the Hessian in the parameters that move, by differences of the gradient, which is known at x."""
    places = np.flatnonzero(moves)
    H = np.zeros((len(places),) * 2)
    for i, k in enumerate(places):
        e = np.zeros(len(x))
        e[k] = DIFFERENCE
        H[i] = (f(x + e).gradient[moves] - here.gradient[moves]) / DIFFERENCE
    return (H + H.T) / 2


def positive(H: Array) -> Array:
    """Return a symmetric matrix with its eigenvalues made positive."""
    if not np.isfinite(H).all():
        return np.eye(len(H))
    values, vectors = np.linalg.eigh(H)
    floor = 1e-6 * max(float(np.abs(values).max(initial=0.0)), 1e-6)
    return np.asarray((vectors * np.maximum(np.abs(values), floor)) @ vectors.T)


def _start_hessian(model: LatentModel, f: Criterion, x: Array, here: Evaluation) -> Array:
    """Return a first Hessian: the working model's information of beta, differences for the other parameters."""
    p, k = model.p, len(x)
    H = np.zeros((k, k))
    modes = here.modes
    assert modes is not None
    cells, solver = model.cells, model.solver
    L = model.triangle(model.split(x)[1])
    w = -modes.terms.second
    flat = np.zeros((p, sum(f.m * f.k for f in model.factors)))
    flat_solved = np.zeros_like(flat)
    for j, column in enumerate(model.X):
        right = solver.collect(cells.gradient(w * column) @ L)
        flat[j] = np.concatenate([e.ravel() for e in right])
        flat_solved[j] = np.concatenate([e.ravel() for e in modes.solved.solve(right)])
    H[:p, :p] = (model.X * w) @ model.X.T - flat @ flat_solved.T
    for j in range(p, k):
        e = np.zeros(k)
        e[j] = DIFFERENCE
        moved = f(x + e)
        if moved.modes is not None:
            H[j] = H[:, j] = (moved.gradient - here.gradient) / DIFFERENCE
        else:
            H[j, j] = 1.0
    return H


def search(
    f: Callable[[Array], Evaluation], x: Array, here: Evaluation, H: Array, moves: Mask, fall: float = FALL
) -> tuple[Array, Evaluation]:
    """Descend by BFGS until the next step promises a fall below `fall`.

    Parameters
    ----------
    f : callable
    x : ndarray (parameters,)
    here : Evaluation
        At x.
    H : ndarray (free, free)
        A first Hessian, positive definite.
    moves : ndarray of bool (parameters,)
    fall : float
    """
    for _ in range(MOST_STEPS):
        g = here.gradient[moves]
        try:
            s = -linalg.solve(H, g, assume_a="pos", check_finite=False)
        except (linalg.LinAlgError, ValueError):
            s = -g
        promised = -float(g @ s)
        if promised < fall:
            break
        s *= min(1.0, 1.5 / max(float(np.abs(s).max()), 1e-300))
        share, new, moved = 1.0, here, x
        for _ in range(40):
            moved = x.copy()
            moved[moves] += share * s
            new = f(moved)
            if new.value < here.value - 1e-4 * share * promised or (promised < 1e-7 and new.value < here.value + 1e-9):
                break
            share /= 2
        else:
            break
        s, y = share * s, new.gradient[moves] - g
        if s @ y > 1e-12 * (s @ s):
            Hs = H @ s
            H = H - np.outer(Hs, Hs) / (s @ Hs) + np.outer(y, y) / (y @ s)
        x, here = moved, new
    return x, here


def _polish(f: Criterion, x: Array, here: Evaluation, moves: Mask) -> Maximum:
    """Take Newton steps with the Hessian of the estimate, and judge what is reached."""
    hessian = differences(f, x, moves, here)
    for _ in range(3):
        g = here.gradient[moves]
        step = -np.linalg.solve(positive(hessian), g) if np.isfinite(hessian).all() else np.full(len(g), np.nan)
        if not np.isfinite(step).all() or float(np.abs(step).max(initial=0.0)) < 1e-11:
            break
        moved = x.copy()
        moved[moves] += step
        new = f(moved)
        better = np.isfinite(new.value) and np.linalg.norm(new.gradient[moves]) < np.linalg.norm(g)
        if not better or new.value > here.value + 1e-9 * (1.0 + abs(here.value)):
            break
        far = float(np.abs(step).max(initial=0.0))
        x, here = moved, new
        if far > 1e-4:
            hessian = differences(f, x, moves, here)
        if far < 1e-6:
            break
    full = np.zeros((len(x),) * 2)
    full[np.ix_(moves, moves)] = hessian
    return Maximum(x, here, full, _is_maximum(hessian, here.gradient[moves]), f.count)


def _is_maximum(H: Array, g: Array) -> bool:
    """Whether the slope is nil in units of the parameters' standard errors, and no direction falls."""
    if not (np.isfinite(H).all() and np.isfinite(g).all()):
        return False
    values, vectors = np.linalg.eigh(H)
    scale = max(float(np.abs(values).max(initial=0.0)), 1e-300)
    slope = vectors.T @ g
    known = values > 1e-9 * scale
    flat = ~known
    steep = np.abs(slope[known]) / np.sqrt(values[known])
    return bool((steep < GRADIENT).all() and (values > -1e-5 * scale).all() and (np.abs(slope[flat]) < 1e-4).all())
