"""The random effects: conditional modes and variances given the outcome (best linear unbiased predictors).

Going back through the stages in reverse, with R = (D^-1 + H)^-1 and C as they were when a stage was eliminated,

    b      = R (C_y - C_x beta - C_later b_later)
    Var b  = R + R C_later Var(b_later) C_later' R                                    (in units of sigma^2)

Var b is conditional on beta, as lme4's condVar.
"""

from __future__ import annotations

import numpy as np

from asp_eval.stats.engine.elimination import Factored, factor_stages
from asp_eval.stats.engine.elimination_order import Elimination, Index, Stage
from asp_eval.stats.engine.standardisation import Standard
from asp_eval.stats.estimate import Array


def conditional_modes(problem: Elimination, standard: Standard, d: Array, beta: Array) -> tuple[Array, ...]:
    """Return b of every factor (m, k), in the moments' order of factors and groups and the data's units."""
    v = np.append(-beta, 1.0)
    if problem.crossed is not None:
        return _by_factor(problem, standard, problem.crossed.modes(d, v), power=1)
    stages = factor_stages(problem, d)
    solved: list[Array] = []
    for a in range(len(stages) - 1, -1, -1):
        solved.insert(0, _modes(problem, a, stages[a], solved, v))
    return _to_factors(problem, standard, solved)


def conditional_variances(problem: Elimination, standard: Standard, d: Array, sigma2: float) -> tuple[Array, ...]:
    """Return Var b of every factor (m, k, k), in the moments' order and the data's units."""
    if problem.crossed is not None:
        return _by_factor(problem, standard, problem.crossed.variances(d), power=2, scale=sigma2)
    joint: list[Array] = []
    stages = factor_stages(problem, d)
    for a in range(len(stages) - 1, -1, -1):
        joint.insert(0, _joint_variance(problem, a, stages[a], joint))
    out: list[Array] = [np.empty(0)] * len(problem.ordering)
    for stage, variance in zip(problem.stages, joint, strict=True):
        for (f, start, groups), order in zip(stage.factors, stage.order, strict=True):
            k = problem.shape.sizes[f]
            B = standard.factors[problem.ordering[f]].transform * standard.y_scale
            if _is_batch(stage, k):
                own = variance[:, :k, :k]
            else:
                rows = start + np.arange(groups * k).reshape(-1, k)
                own = variance[0][rows[:, :, None], rows[:, None, :]]
            placed = np.empty_like(own)
            placed[order] = sigma2 * (B @ own @ B.T)
            out[problem.ordering[f]] = placed
    return tuple(out)


def _modes(problem: Elimination, a: int, stage: Factored, solved: list[Array], v: Array) -> Array:
    """Return b of a stage (m, k) from those of later stages."""
    right = stage.later[:, :, -len(v) :] @ v
    at = 0
    for starts, b in zip(problem.stages[a].starts, solved, strict=True):
        width = b.shape[1]
        owner = _owners(starts, len(stage.R))
        right = right - np.einsum("mkw,mw->mk", stage.later[:, :, at : at + width], b[owner])
        at += width
    return np.asarray(np.einsum("mij,mj->mi", stage.R, right), float)


def _joint_variance(problem: Elimination, a: int, stage: Factored, joint: list[Array]) -> Array:
    """Return Var of a stage's effects together with those of later stages (m, k + later, k + later)."""
    here = problem.stages[a]
    if not joint:
        return stage.R
    owner = _owners(here.starts[0], here.groups)
    later = joint[0]
    width = later.shape[1]
    C, R = stage.later[:, :, :width], stage.R
    RC = R @ C
    if len(later) == 1:
        crossed = -(RC.reshape(-1, width) @ later[0]).reshape(RC.shape)
        return np.asarray(R - crossed @ RC.transpose(0, 2, 1))  # the innermost stage: nothing needs the joint variance
    crossed = -RC @ later[owner]
    variance = R - crossed @ RC.transpose(0, 2, 1)
    top = np.concatenate([variance, crossed], axis=2)
    return np.concatenate([top, np.concatenate([crossed.transpose(0, 2, 1), later[owner]], axis=2)], axis=1)


def _owners(starts: Index, m: int) -> Index:
    """Return the receiving group of each of m sorted groups."""
    return np.repeat(np.arange(len(starts)), np.diff(np.append(starts, m)))


def _to_factors(problem: Elimination, standard: Standard, solved: list[Array]) -> tuple[Array, ...]:
    """Return stages' effects as the moments order them, in the data's units."""
    out: list[Array] = [np.empty(0)] * len(problem.ordering)
    for stage, b in zip(problem.stages, solved, strict=True):
        for (f, start, groups), order in zip(stage.factors, stage.order, strict=True):
            k = problem.shape.sizes[f]
            own = b if _is_batch(stage, k) else b[0, start : start + groups * k].reshape(groups, k)
            B = standard.factors[problem.ordering[f]].transform * standard.y_scale
            placed = np.empty_like(own)
            placed[order] = own @ B.T
            out[problem.ordering[f]] = placed
    return tuple(out)


def _by_factor(
    problem: Elimination, standard: Standard, found: tuple[Array, Array], *, power: int, scale: float = 1.0
) -> tuple[Array, ...]:
    """Return one number per group of crossed factors as the moments order them, in the data's units to a power."""
    sizes = [len(standard.moments.levels[i]) for i in problem.ordering]
    out: list[Array] = [np.empty(0)] * len(sizes)
    for i, own in zip(problem.ordering, np.split(np.concatenate(found), np.cumsum(sizes)[:-1]), strict=True):
        unit = (float(standard.factors[i].transform[0, 0]) * standard.y_scale) ** power
        out[i] = (scale * unit * own).reshape(-1, *(1,) * power)
    return tuple(out)


def _is_batch(stage: Stage, k: int) -> bool:
    """Whether the stage's groups are those of one factor."""
    return len(stage.factors) == 1 and stage.size == k
