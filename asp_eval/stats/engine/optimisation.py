"""The minimum of the profiled criterion over positive semidefinite D.

The search is in theta, where D = Lambda(theta) Lambda(theta)' is positive semidefinite whatever theta is: Newton's method,
with the eigenvalues of the Hessian made positive, and steps that are halved until the criterion falls. With many groups it
begins better. Each variance ratio is multiplied by what its derivatives say it should be, and Fisher's scoring, in D itself,

    E(H)_rs = -log |V|_rs - log |V|_r log |V|_s / N      (of the profiled criterion; |V| with |X'V^-1X| for REML),

comes near the minimum in two steps while D stays positive definite. Where an evaluation is dear (crossed factors) the
average information at the start is carried on by gradients alone (BFGS) instead. With few groups all steps are Newton's, which
miss fewer valleys.

The point the search stops at is checked in D itself: at a minimum the gradient of every block of D, as a matrix, is positive
semidefinite and vanishes on the range of D (the Karush-Kuhn-Tucker conditions). A point that fails is left along the
offending eigenvector. Where the minimum lies on the boundary, or groups are few, the criterion can have several valleys and
is searched from other starts too. `converged` is true only if the conditions hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from asp_eval.stats.engine.covariance import CovarianceShape
from asp_eval.stats.engine.likelihood import Criterion, RatioCriterion
from asp_eval.stats.estimate import Array

SINGULAR = 1e-4
"""A diagonal element of Lambda below this is singular, as in lme4's isSingular."""
FIRST_START = 0.5
"""Multiple of the identity from which Lambda starts where nothing is known."""
OTHER_STARTS = (0.1, 3.0)
"""Multiples of the identity from which Lambda starts again."""
FLAT = 1e-9
"""Curvature, relative to that along the axes, below which the criterion is flat."""
MAX_STEPS = 200
FASTER = 0.1
"""By how much more than the slower of the two steps before it a step by gradients is expected to lower the promise."""
NOTHING, NOTHING_BY_GRADIENTS = 1e-18, 1e-21
"""Promised fall, as a share of the criterion, that is no fall: Newton's last step squares the error, that of BFGS does not."""
SCORED = 2
"""Steps of scoring, which ends near the minimum; Newton's method ends in it."""
RANGE = (1e-4, 25.0)
"""Of variance ratios to begin with."""
DAMPED = 0.2
"""Share of the expected curvature that a measured one may fall to."""
Evaluate = Callable[[Array, int], Criterion]
"""The criterion at the elements of D, with derivatives up to an order."""


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Where the search ended.

    Attributes
    ----------
    theta : ndarray (s,)
    criterion : Criterion
    converged : bool
        Whether the conditions of a minimum hold.
    singular : bool
    evaluations : int
    determined : bool
        Whether the criterion is curved in every direction there; where it is flat, the variances are not told apart.
    """

    theta: Array
    criterion: Criterion
    converged: bool
    singular: bool
    evaluations: int
    determined: bool = True


def minimise(
    shape: CovarianceShape,
    evaluate: Evaluate,
    start: Array | None = None,
    *,
    begun: Criterion | None = None,
    few_groups: bool = False,
) -> Optimum:
    """Return the minimum of the criterion: the lowest point found that meets the conditions of one.

    Parameters
    ----------
    shape : CovarianceShape
    evaluate : callable
        The criterion at the elements of D, with derivatives up to an order.
    start : ndarray (s,), optional
        A theta near the minimum, if one is known: other starts are then tried only if none is found there.
    begun : Criterion, optional
        The criterion at `start` with its gradient and r^2_rs: then gradients alone lead to the minimum.
    few_groups : bool
        Whether a factor has so few groups that a second minimum is likely; then other starts are always tried.
    """
    cold = shape.identity(FIRST_START)
    if few_groups:
        first = _Point.at(shape, evaluate, cold if start is None else start)
    elif start is not None and begun is not None:
        first = _approach(shape, evaluate, start, begun)
    else:
        first = _score(shape, evaluate, _rescaled(shape, evaluate, cold) if start is None else start)
    found = [_descend(shape, evaluate, first)]
    near = start is not None and begun is None
    if few_groups or not found[0].converged or (found[0].singular and not near):
        starts = [shape.identity(scale) for scale in OTHER_STARTS]
        found += [_descend(shape, evaluate, _Point.at(shape, evaluate, each)) for each in starts]
    return min(found, key=lambda o: (not o.converged, o.criterion.value))


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """A point of the search.

    Attributes
    ----------
    theta : ndarray (s,)
    criterion : Criterion
        With second derivatives.
    spent : int
        Evaluations that led here.
    """

    theta: Array
    criterion: Criterion
    spent: int = 0

    @classmethod
    def at(cls, shape: CovarianceShape, evaluate: Evaluate, theta: Array, spent: int = 0) -> _Point:
        """Evaluate at a theta."""
        return cls(theta, evaluate(shape.d(theta), 2), spent)


def _descend(shape: CovarianceShape, evaluate: Evaluate, start: _Point) -> Optimum:
    """Search from one start, leaving stationary points that are no minimum."""
    theta, found, spent = start.theta, start.criterion, start.spent
    for _ in range(5):
        theta, found, steps = _newton(shape, evaluate, theta, found)
        spent += steps
        theta, found = _snap(shape, evaluate, theta, found)
        escape = _escape(shape, theta, found)
        if escape is None:
            break
        theta = escape
        found = evaluate(shape.d(theta), 2)
    singular = bool((np.abs(theta[list(shape.diagonal)]) < SINGULAR).any())
    determined = singular or _is_curved(found.hessian)
    return Optimum(_signed(shape, theta), found, is_minimum(shape, theta, found), singular, spent, determined)


def _score(shape: CovarianceShape, evaluate: Evaluate, theta: Array) -> _Point:
    """Take up to `SCORED` steps of Fisher's scoring in D, while D is positive definite and the fit becomes better."""
    d, spent = shape.d(theta), 1
    found = evaluate(d, 2)
    for _ in range(SCORED):
        expected = -found.log_det_2 - np.outer(found.log_det_1, found.log_det_1) / found.N
        try:
            moved = d - np.linalg.solve(expected, found.gradient)
        except np.linalg.LinAlgError:  # variances that the data do not tell apart
            break
        if not shape.is_definite(moved):
            break
        trial, spent = evaluate(moved, 2), spent + 1
        if not trial.value < found.value:
            break
        theta, d, found = shape.theta(moved), moved, trial
    return _Point(theta, found, spent)


def _rescaled(shape: CovarianceShape, evaluate: Evaluate, theta: Array) -> Array:
    """Return the diagonal theta whose ratios are the old ones times what the random effects show over what was expected.

    At d_r large the share  -N r^2_r / (r^2 log |V|_r)  is the effects' mean square over d_r.
    """
    diagonal, found = list(shape.diagonal), evaluate(shape.d(theta), 1)
    shown = -found.N * found.r2_1[diagonal] / found.r2
    expected = np.maximum(found.log_det_1[diagonal], 1e-300)
    out = np.zeros(len(theta))
    out[diagonal] = np.sqrt(np.clip(shape.d(theta)[diagonal] * np.maximum(shown, 0.0) / expected, *RANGE))
    return out


def _approach(shape: CovarianceShape, evaluate: Evaluate, theta: Array, found: Criterion) -> _Point:
    """Go to a minimum by gradients, from the average Hessian at theta.

    A step that promises nothing, or that is expected to leave nothing to promise, is evaluated with second derivatives.
    """
    gradient, average = shape.pull_back(theta, found.gradient, found.average_hessian)
    H, order, spent, promised, rate = _positive(average), 1, 0, 0.0, np.inf
    while spent < MAX_STEPS:
        step = np.asarray(-np.linalg.solve(H, gradient), float)
        before_it, promised = promised, float(-gradient @ step)
        rate_before, rate = rate, promised / before_it if before_it > 0.0 else np.inf
        nothing = NOTHING_BY_GRADIENTS * max(1.0, abs(found.value))
        if promised < nothing and order == 2:
            break
        expected = FASTER * promised * max(rate, rate_before)  # steps by gradients are fast and slow by turns
        order = 2 if promised < nothing or expected < nothing else 1
        taken = _line_search(shape, evaluate, theta, found, step, promised, order=order)
        if taken is None:
            order = 1
            break
        moved, found = taken
        before, gradient = gradient, shape.slope(moved, found.gradient)
        H = _carried_on(H, moved - theta, gradient - before)
        theta, spent = moved, spent + 1
    return _Point(theta, found, spent) if order == 2 else _Point.at(shape, evaluate, theta, spent)


def _carried_on(H: Array, moved: Array, change: Array) -> Array:
    """Return the Hessian after a step along which the gradient has changed: BFGS, with Powell's damping."""
    Hs = H @ moved
    sHs, curvature = float(moved @ Hs), float(moved @ change)
    if not sHs > 0.0:  # the step is lost in rounding
        return H
    if curvature < DAMPED * sHs:
        share = (1.0 - DAMPED) * sHs / (sHs - curvature)
        change = share * change + (1.0 - share) * Hs
        curvature = float(moved @ change)
    return np.asarray(H - np.outer(Hs, Hs) / sHs + np.outer(change, change) / curvature)


def _newton(shape: CovarianceShape, evaluate: Evaluate, theta: Array, found: Criterion) -> tuple[Array, Criterion, int]:
    """Take safeguarded Newton steps until they no longer change anything."""
    for step_number in range(MAX_STEPS):
        gradient, hessian = shape.pull_back(theta, found.gradient, found.hessian)
        step = np.asarray(-np.linalg.solve(_positive(hessian), gradient), float)
        fall = float(-gradient @ step)
        if fall < NOTHING * max(1.0, abs(found.value)) or float(np.abs(step).max()) < 1e-11 * (1.0 + float(np.abs(theta).max())):
            return theta, found, step_number
        taken = _line_search(shape, evaluate, theta, found, step, fall, order=2)
        if taken is None:
            return theta, found, step_number
        theta, found = taken
    return theta, found, MAX_STEPS


def _positive(hessian: Array) -> Array:
    """Return a Hessian with its eigenvalues made positive."""
    values, vectors = np.linalg.eigh(hessian)
    curvature = np.maximum(np.abs(values), 1e-10 * max(1.0, float(np.abs(values).max())))
    return np.asarray((vectors * curvature) @ vectors.T)


def _line_search(
    shape: CovarianceShape, evaluate: Evaluate, theta: Array, found: Criterion, step: Array, fall: float, *, order: int
) -> tuple[Array, Criterion] | None:
    """Return the point along a step where the criterion has fallen, and the criterion there; None if there is none."""
    share = min(1.0, 2.0 * (0.5 + float(np.linalg.norm(theta))) / float(np.linalg.norm(step)))
    for _ in range(40):
        trial = evaluate(shape.d(theta + share * step), order)
        if _is_lower(trial.value, found.value, share * fall):
            return theta + share * step, trial
        share /= 2.0
    return None


def _is_lower(trial: float, value: float, promised: float) -> bool:
    """Whether a step has lowered the criterion in proportion to what its slope promised.

    A fall is demanded (Armijo), because theta and -theta are the same D: a step across zero to the mirror image falls by
    nothing. A promise below rounding is taken on trust.
    """
    rounding = 1e-12 * max(1.0, abs(value))
    return trial <= value - 1e-4 * promised if promised > 100.0 * rounding else trial <= value + rounding


def _snap(shape: CovarianceShape, evaluate: Evaluate, theta: Array, found: Criterion) -> tuple[Array, Criterion]:
    """Put a Lambda that all but touches the boundary on it, if the criterion does not rise."""
    small = np.abs(theta) < SINGULAR
    small &= np.isin(np.arange(len(theta)), shape.diagonal)
    if not small.any() or not theta[small].any():
        return theta, found
    snapped = np.where(small, 0.0, theta)
    trial = evaluate(shape.d(snapped), 2)
    return (snapped, trial) if trial.value <= found.value + 1e-9 else (theta, found)


def _escape(shape: CovarianceShape, theta: Array, found: Criterion) -> Array | None:
    """Return a theta moved off the boundary along a direction in which the criterion falls, if there is one."""
    matrices = [shape.matrix(f, shape.d(theta)) for f in range(len(shape.sizes))]
    moved = False
    for factor, vector, value in shape.least_eigenvalues(found.gradient):
        if value < -_tolerance(found):
            matrices[factor] = matrices[factor] + 0.01 * np.outer(vector, vector)
            moved = True
    return shape.theta(shape.elements_of(matrices)) if moved else None


def is_minimum(shape: CovarianceShape, theta: Array, found: Criterion) -> bool:
    """Whether the gradient in D is positive semidefinite, block by block, and vanishes on the range of D."""
    gradient, _ = shape.pull_back(theta, found.gradient, found.hessian)
    scale = 1.0 + float(np.abs(theta).max())
    flat = float(np.abs(gradient).max()) * scale < 1e-5 * found.N**0.5
    return flat and all(value > -_tolerance(found) for _, _, value in shape.least_eigenvalues(found.gradient))


def is_minimum_ratio(d: float, found: RatioCriterion) -> bool:
    """Whether the derivative in a single variance ratio vanishes, or is not negative at zero."""
    return found.gradient > -_tolerance(found) if d == 0 else abs(found.gradient) * d < 1e-6 * found.N**0.5


def _is_curved(hessian: Array) -> bool:
    """Whether a Hessian, scaled to a unit diagonal, has no eigenvalue that is rounding."""
    scale = np.sqrt(np.maximum(np.diag(hessian), 1e-300))
    return bool(np.linalg.eigvalsh(hessian / np.outer(scale, scale))[0] > FLAT)


def _tolerance(found: Criterion | RatioCriterion) -> float:
    """Return what counts as zero for a derivative of the criterion."""
    return 1e-6 * found.N


def _signed(shape: CovarianceShape, theta: Array) -> Array:
    """Return the theta of the same D whose diagonal is not negative."""
    out = theta.copy()
    for e in shape.elements:
        if e.row == e.column:
            column = [r for r, o in enumerate(shape.elements) if (o.factor, o.column) == (e.factor, e.column)]
            at = next(r for r in column if shape.elements[r].row == e.row)
            if out[at] < 0:
                out[column] *= -1.0
    return out
