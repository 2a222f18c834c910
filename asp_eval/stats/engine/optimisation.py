"""The minimum of the profiled criterion over positive semidefinite D.

Newton's method in theta, where D = Lambda(theta) Lambda(theta)' is positive semidefinite whatever theta is: steps use
the Hessian with its eigenvalues made positive and are halved until the criterion falls. The point it stops at is then
checked in D itself: at a minimum the gradient of every block of D, as a matrix, is positive semidefinite and vanishes
on the range of D (the Karush-Kuhn-Tucker conditions). A point that fails is left along the offending eigenvector.
Where the minimum lies on the boundary, or groups are few, the criterion can have several valleys and is searched from
other starts too. `converged` is true only if the conditions hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from asp_eval.stats.engine.covariance import CovarianceShape
from asp_eval.stats.engine.likelihood import Criterion
from asp_eval.stats.estimate import Array

SINGULAR = 1e-4
"""A diagonal element of Lambda below this is singular, as in lme4's isSingular."""
OTHER_STARTS = (0.1, 3.0)
"""Multiples of the identity from which Lambda starts again."""
FLAT = 1e-9
"""Curvature, relative to that along the axes, below which the criterion is flat."""
MAX_STEPS = 200
Evaluate = Callable[[Array], Criterion]


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


def minimise(shape: CovarianceShape, evaluate: Evaluate, start: Array, *, few_groups: bool = False) -> Optimum:
    """Return the minimum of the criterion: the lowest point found that meets the conditions of one.

    Parameters
    ----------
    shape : CovarianceShape
    evaluate : callable
        The criterion, with derivatives, at the elements of D.
    start : ndarray (s,)
        theta to start from.
    few_groups : bool
        Whether a factor has so few groups that a second minimum is likely; then other starts are always tried.
    """
    found = [_descend(shape, evaluate, start)]
    if few_groups or found[0].singular or not found[0].converged:
        found += [_descend(shape, evaluate, shape.identity(scale)) for scale in OTHER_STARTS]
    return min(found, key=lambda o: (not o.converged, o.criterion.value))


def _descend(shape: CovarianceShape, evaluate: Evaluate, start: Array) -> Optimum:
    """Search from one start, leaving stationary points that are no minimum."""
    theta, spent = start, 0
    found = evaluate(shape.d(theta))
    for _ in range(5):
        theta, found, steps = _newton(shape, evaluate, theta, found)
        spent += steps
        theta, found = _snap(shape, evaluate, theta, found)
        escape = _escape(shape, theta, found)
        if escape is None:
            break
        theta = escape
        found = evaluate(shape.d(theta))
    singular = bool((np.abs(theta[list(shape.diagonal)]) < SINGULAR).any())
    determined = singular or _is_curved(found.hessian)
    return Optimum(_signed(shape, theta), found, is_minimum(shape, theta, found), singular, spent, determined)


def _newton(shape: CovarianceShape, evaluate: Evaluate, theta: Array, found: Criterion) -> tuple[Array, Criterion, int]:
    """Take safeguarded Newton steps until they no longer change anything."""
    for step_number in range(MAX_STEPS):
        gradient, hessian = shape.pull_back(theta, found.gradient, found.hessian)
        values, vectors = np.linalg.eigh(hessian)
        curvature = np.maximum(np.abs(values), 1e-10 * max(1.0, float(np.abs(values).max())))
        step = -vectors @ ((vectors.T @ gradient) / curvature)
        fall = float(-gradient @ step)
        if fall < 1e-18 * max(1.0, abs(found.value)) or float(np.abs(step).max()) < 1e-11 * (1.0 + float(np.abs(theta).max())):
            return theta, found, step_number
        share = min(1.0, 2.0 * (0.5 + float(np.linalg.norm(theta))) / float(np.linalg.norm(step)))
        for _ in range(40):
            trial = evaluate(shape.d(theta + share * step))
            if _is_lower(trial.value, found.value, share * fall):
                break
            share /= 2.0
        else:
            return theta, found, step_number
        theta, found = theta + share * step, trial
    return theta, found, MAX_STEPS


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
    trial = evaluate(shape.d(snapped))
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


def is_minimum_ratio(d: float, found: Criterion) -> bool:
    """Whether the derivative in a single variance ratio vanishes, or is not negative at zero."""
    slope = float(found.gradient[0])
    return slope > -_tolerance(found) if d == 0 else abs(slope) * d < 1e-6 * found.N**0.5


def _is_curved(hessian: Array) -> bool:
    """Whether a Hessian, scaled to a unit diagonal, has no eigenvalue that is rounding."""
    scale = np.sqrt(np.maximum(np.diag(hessian), 1e-300))
    return bool(np.linalg.eigvalsh(hessian / np.outer(scale, scale))[0] > FLAT)


def _tolerance(found: Criterion) -> float:
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
