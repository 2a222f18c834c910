"""Blocked elimination of the random effects: log |V| and [X y]'V^-1[X y], with derivatives in D.

In units of sigma^2, V = W^-1 + Z D Z'. For a stage with H = Z'WZ, C = Z'W[later X y] within its groups,

    M = I + D H,   N = M^-1,   R = N D = (D^-1 + H)^-1          (no inverse of D: D may be singular)
    log |V|  gains  log |M|,
    the cross-products of everything later lose  C' R C          (the Schur complement of Bates et al. 2015, eq. 18)

summed over the groups. After the last stage the cross-products of [X y] are [X y]'V^-1[X y].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asp_eval.core.threads import one_blas_thread
from asp_eval.stats.engine.covariance import CovarianceShape
from asp_eval.stats.engine.crossed_factors import CrossedFactors
from asp_eval.stats.engine.elimination_order import Elimination, Index, Stage
from asp_eval.stats.engine.jets import Jet, Operation, bilinear, inverse
from asp_eval.stats.engine.profile import Profile
from asp_eval.stats.estimate import Array

LARGE = 3000
"""Effects of crossed factors from which several threads of BLAS save more time than they wait for each other."""


@dataclass(frozen=True, slots=True, eq=False)
class Factored:
    """A stage after its turn, for going back to the random effects.

    Attributes
    ----------
    R : ndarray (m, k, k)
    later : ndarray (m, k, later + p + 1)
        C at its turn.
    """

    R: Array
    later: Array


def eliminate(problem: Elimination, d: Array, order: int = 2) -> Profile:
    """Return the profile at the elements of D (s,), with derivatives up to `order`."""
    crossed = problem.crossed
    return _by_stages(problem, d, order) if crossed is None else profile_of_crossed(crossed, d, order)


def profile_of_crossed(crossed: CrossedFactors, d: Array, order: int, *, average: bool = False) -> Profile:
    """Return the profile of crossed factors; see `CrossedFactors.profile`."""
    profile = crossed.profile if len(crossed.order) > LARGE else one_blas_thread(crossed.profile)
    return profile(d, order, average=average)


@one_blas_thread
def _by_stages(problem: Elimination, d: Array, order: int) -> Profile:
    """Return the profile of nested factors, or of crossed ones with several effects."""
    shape = problem.shape
    products = [Jet(stage.products) for stage in problem.stages]
    root, log_det = Jet(problem.root), Jet(np.zeros(()))
    for a, stage in enumerate(problem.stages):
        k = stage.size
        H, C = products[a].map(lambda x, k=k: x[:, :, :k]), products[a].map(lambda x, k=k: x[:, :, k:])  # type: ignore[misc]
        D = _covariance(stage, shape, d)
        M = bilinear(np.matmul, D, H, order)
        M.value = M.value + np.eye(k)
        N, gain = inverse(M, order)
        RC = bilinear(np.matmul, N, bilinear(np.matmul, D, C, order), order)
        log_det = log_det.subtract(gain.map(np.negative))
        at = 0
        for b, starts in enumerate(stage.starts):
            width = problem.stages[a + 1 + b].size
            lost = bilinear(_summed(at, width, starts), C, RC, order)
            products[a + 1 + b] = products[a + 1 + b].subtract(lost)
            at += width
        root = root.subtract(bilinear(_summed(at, root.value.shape[1], None), C, RC, order))
    return _dense(root, log_det, len(shape.elements))


def factor_stages(problem: Elimination, d: Array) -> list[Factored]:
    """Return every stage's R and C, for the conditional modes and variances."""
    products = [stage.products for stage in problem.stages]
    out = []
    for a, stage in enumerate(problem.stages):
        H, C = products[a][:, :, : stage.size], products[a][:, :, stage.size :]
        D = stage.expand(problem.shape, d)
        R = np.asarray(np.linalg.solve(np.eye(stage.size) + D @ H, np.broadcast_to(D, H.shape)), float)
        RC, at = R @ C, 0
        for b, starts in enumerate(stage.starts):
            width = problem.stages[a + 1 + b].size
            products[a + 1 + b] = products[a + 1 + b] - _summed(at, width, starts)(C, RC)
            at += width
        out.append(Factored(R, C))
    return out


def _covariance(stage: Stage, shape: CovarianceShape, d: Array) -> Jet:
    """Return the stage's D (k, k), linear in its elements."""
    mine = {f for f, _, _ in stage.factors}
    units = np.eye(len(shape.elements))
    first = {r: stage.expand(shape, units[r]) for r, e in enumerate(shape.elements) if e.factor in mine}
    return Jet(stage.expand(shape, d), first)


def _summed(at: int, width: int, starts: Index | None) -> Operation:
    """Return the bilinear map (C, RC) -> sum over groups of C[:, at:at+width]' RC[:, at:].

    `starts` gives where the groups of the stage that receives it begin; None is the root, with one group.
    """

    def total(C: Array, RC: Array) -> Array:
        left, right = C[:, :, at : at + width], RC[:, :, at:]
        if starts is None or len(starts) == 1:
            flat = left.reshape(-1, width).T @ right.reshape(-1, right.shape[2])
            return flat if starts is None else flat[None]
        return np.asarray(np.add.reduceat(left.transpose(0, 2, 1) @ right, starts, axis=0), float)

    return total


def _dense(root: Jet, log_det: Jet, s: int) -> Profile:
    """Return jets as full arrays."""
    P = root.value.shape
    S_1, S_2 = np.zeros((s, *P)), np.zeros((s, s, *P))
    L_1, L_2 = np.zeros(s), np.zeros((s, s))
    for r, x in root.first.items():
        S_1[r] = x
    for (r, t), x in root.second.items():
        S_2[r, t] = S_2[t, r] = x
    for r, x in log_det.first.items():
        L_1[r] = x
    for (r, t), x in log_det.second.items():
        L_2[r, t] = L_2[t, r] = x
    return Profile(float(log_det.value), L_1, L_2, root.value, S_1, S_2)
