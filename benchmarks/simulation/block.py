"""One block of trials of one cell: draw, answer by every method, hold the first trials to the package's own fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import batched
import numpy as np
import resampled
import single
from batched import Answers, Array, Flags
from cells import SEED, Cell
from draws import Draws, draw_gaussian
from sdq import draw_sdq

from asp_eval.core.randomness import stream

TRIALS = 500
"""Trials of a block; a block has one stream of random numbers, so results do not depend on who computes it."""
CHECKED = 3
"""Trials of a block that also go through the package one by one."""
TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What a block found.

    Attributes
    ----------
    truths : mapping of str to float
    answers : mapping of str to Answers (t,)
        By method.
    singular : ndarray of bool (t,)
        Whether the mixed model's variance between clusters is estimated as zero.
    difference : float
        The largest relative difference from the package's own numbers.
    """

    truths: Mapping[str, float]
    answers: Mapping[str, Answers]
    singular: Flags
    difference: float


@dataclass(frozen=True, slots=True, eq=False)
class ResampledBlock:
    """P-values of a resampling method in a block.

    Attributes
    ----------
    truths : mapping of str to float
    at_zero : ndarray (t,)
        Of the hypothesis of no effect.
    at_truth : mapping of str to ndarray (t,)
        Of the true value of each estimand; an interval by inversion holds the truth where this is not below 5 %.
    """

    truths: Mapping[str, float]
    at_zero: Array
    at_truth: Mapping[str, Array]


def draw(cell: Cell, block: int) -> Draws:
    """Draw the trials of a block."""
    rng = stream(SEED, "simulation", cell.name, block)
    return draw_sdq(cell, rng, TRIALS) if cell.family == "sdq" else draw_gaussian(cell, rng, TRIALS)


def closed_form_block(cell: Cell, block: int) -> Block:
    """Answer a block by every closed-form method."""
    trials = draw(cell, block)
    answers, singular = batched.closed_form(trials.cross)
    worst = max(largest_difference(trials.cross[t], answers, t) for t in range(CHECKED))
    if worst > TOLERANCE:
        raise ArithmeticError(f"{cell.name}, block {block}: the study differs from the package by {worst:.1e}")
    return Block(trials.truths, answers, singular, worst)


def largest_difference(cross: Array, answers: Mapping[str, Answers], t: int) -> float:
    """Return the largest difference between trial t of a block and the package's estimates of it.

    Relative, where a number is near zero to the standard error (a p-value: to .001). A method that is unavailable on one
    side only counts as an infinite difference.
    """
    worst = 0.0
    for name, own in single.closed_form(cross).items():
        for field in fields(Answers):
            theirs, ours = getattr(own, field.name), float(getattr(answers[name], field.name)[t])
            if theirs is None and field.name in {"estimate", "std_error"}:
                continue  # the study keeps what does not depend on degrees of freedom
            if theirs is None or np.isnan(ours) or np.isinf(theirs):
                same = (theirs is None and np.isnan(ours)) or theirs == ours
                worst = max(worst, 0.0 if same else np.inf)
            else:
                near_zero = 1e-3 if field.name == "p_value" else float(own.std_error or 0.0)
                worst = max(worst, abs(theirs - ours) / max(abs(theirs), near_zero))
    return worst


def permutation_block(cell: Cell, block: int) -> ResampledBlock:
    """Answer a block by the permutation test over the cell's own lot."""
    draws, enumerated = resampled.lots(cell, stream(SEED, "simulation", cell.name, "allocations", block))
    return _resampled(cell, block, lambda cross, _: resampled.permutation_p(cross, draws, enumerated=enumerated))


def wild_block(cell: Cell, block: int) -> ResampledBlock:
    """Answer a block by the wild cluster bootstrap, every trial with numbers of its own."""
    rng = stream(SEED, "simulation", cell.name, "wild", block)
    numbers = [resampled.wild_numbers(cell, rng) for _ in range(TRIALS)]
    return _resampled(cell, block, lambda cross, t: resampled.wild_p(cross, numbers[t]))


def _resampled(cell: Cell, block: int, p_value: Callable[[Array, int], float]) -> ResampledBlock:
    """Answer a block by a test of cross-products (m, c, c) of the trial at a position."""
    trials = draw(cell, block)
    at_zero = _p_values(trials.cross, p_value)
    at_truth = {k: _p_values(less(trials.cross, v), p_value) if v else at_zero for k, v in trials.truths.items()}
    return ResampledBlock(trials.truths, at_zero, at_truth)


def _p_values(cross: Array, p_value: Callable[[Array, int], float]) -> Array:
    return np.array([p_value(trial, t) for t, trial in enumerate(cross)])


def less(cross: Array, effect: float) -> Array:
    """Return the cross-products of trials whose outcome is less by an effect in the treated clusters."""
    move = np.eye(cross.shape[-1])
    move[batched.ARM, -1] = -effect
    return np.asarray(move.T @ cross @ move)
