"""Draws of the joint model: several chains, run until they agree, each with its own stream of random numbers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from asp_eval.core.phrases import Phrase
from asp_eval.core.randomness import stream
from asp_eval.stats.estimate import Array
from asp_eval.stats.imputation.convergence import effective_draws, rhat
from asp_eval.stats.imputation.gibbs import Sampler
from asp_eval.stats.imputation.joint_model import Ints, JointModel

CHAINS = 4
FIRST_SWEEPS, MOST_SWEEPS = 100, 3_200
"""Sweeps of each chain before it is first judged, by its second half, and about how many at most; it grows by half each time."""
LARGEST_RHAT, LEAST_EFFECTIVE = 1.10, 50.0
LEAST_BETWEEN, MOST_BETWEEN = 5, 50


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One draw of the joint model.

    Attributes
    ----------
    Y : ndarray (rows, q)
        Of the rows that are not complete.
    Z : ndarray (J, r)
    B : ndarray (p, q)
    Sigma : ndarray (classes, q, q)
    """

    Y: Array
    Z: Array
    B: Array
    Sigma: Array


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Draws for n imputations, and how far the chains agree.

    Attributes
    ----------
    draws : tuple of Draw, length n
    rows : ndarray of int
        Which rows the Y of a draw are.
    chains, first_sweeps, between : int
        Chains; sweeps of each until they agreed; sweeps from one draw of a chain to the next.
    convergence : DataFrame
        quantity, variable, rhat, effective_draws: one row for each quantity monitored.
    notes : tuple of Phrase
    """

    draws: tuple[Draw, ...]
    rows: Ints
    chains: int
    first_sweeps: int
    between: int
    convergence: pd.DataFrame
    notes: tuple[Phrase, ...]


def draw(model: JointModel, names: tuple[tuple[str, ...], tuple[str, ...]], n: int, seed: int, workers: int) -> Draws:
    """Return n draws.

    The chains run until they agree: R-hat at most 1.1, and 50 effective draws, of every coefficient and variance in their
    second halves. Then each gives its share of the draws, as many sweeps apart as one effective draw of the slowest quantity
    takes.

    Parameters
    ----------
    model : JointModel
    names : (tuple of str, tuple of str)
        What the columns of rows and of groups are called.
    n : int
    seed : int
    workers : int
        Threads; the draws do not depend on it.
    """
    streams = [stream(seed, "imputation", c) for c in range(min(CHAINS, n))]
    each = -(-len(streams) // workers)
    samplers = [Sampler(model, streams[first : first + each]) for first in range(0, len(streams), each)]
    states = np.empty((len(streams), 0, 0))
    sweeps = 0
    with ThreadPoolExecutor(workers) as pool:
        while True:
            more = sweeps // 2 or FIRST_SWEEPS
            new = np.concatenate(list(pool.map(partial(_sweep, n=more), samplers)))
            states = np.concatenate((states, new), axis=1) if sweeps else new
            sweeps += more
            table = _convergence(model, names, states[:, sweeps // 2 :])
            worst, least = float(table["rhat"].max()), float(table["effective_draws"].min())
            agree = worst <= LARGEST_RHAT and least >= LEAST_EFFECTIVE
            if agree or sweeps >= MOST_SWEEPS:
                break
        slowest = len(streams) * (sweeps - sweeps // 2) / least
        between = int(np.clip(np.ceil(slowest), LEAST_BETWEEN, MOST_BETWEEN))
        given = list(pool.map(partial(_draws, n=-(-n // len(streams)), between=between), samplers))
    in_turn = [one for drawn in zip(*given, strict=True) for block in drawn for one in block]
    notes = () if agree else (_apart(sweeps, worst, least),)
    return Draws(tuple(in_turn[:n]), samplers[0].fixed.rows, len(streams), sweeps, between, table, notes)


def _sweep(sampler: Sampler, n: int) -> Array:
    """Make n sweeps; return the states after each (chains, n, k)."""
    out = []
    for _ in range(n):
        sampler.step()
        out.append(sampler.state())
    return np.stack(out, axis=1)


def _draws(sampler: Sampler, n: int, between: int) -> list[list[Draw]]:
    """Return n times a draw of every chain, some sweeps apart."""
    out = []
    place = np.argsort(sampler.fixed.institutions)
    for _ in range(n):
        for _ in range(between):
            sampler.step()
        values = zip(sampler.Y, sampler.Z[:, place], sampler.B, sampler.Sigma, strict=True)
        out.append([Draw(Y.copy(), Z.copy(), B.copy(), Sigma.copy()) for Y, Z, B, Sigma in values])
    return out


def _apart(sweeps: int, worst: float, least: float) -> Phrase:
    """Say that the chains do not agree."""
    return Phrase(
        "After {sweeps:,} sweeps the chains still differ (R-hat {rhat:.2f} where 1.10 is aimed at, {effective:.0f} "
        "effective draws where 50 are): impute fewer variables at once, or read the results with care.",
        sweeps=sweeps,
        rhat=worst,
        effective=least,
    )


def _convergence(model: JointModel, names: tuple[tuple[str, ...], tuple[str, ...]], states: Array) -> pd.DataFrame:
    """Return how far the chains agree on each coefficient and variance; `states` is (chains, sweeps, k)."""
    rows, groups = names
    A, P = model.n_classes, model.n_classes if model.psi_by_class else 1
    labels = [("coefficient", name) for _ in range(model.children.X.shape[1]) for name in rows]
    labels += [("coefficient", name) for _ in range(model.institutions.X.shape[1]) for name in groups]
    labels += [("variance of rows", name) for _ in range(A) for name in rows]
    labels += [("variance of groups", name) for _ in range(P) for name in (*rows, *groups)]
    table = pd.DataFrame(labels, columns=["quantity", "variable"])
    coefficients = int((table["quantity"] == "coefficient").sum())
    states = np.concatenate((states[:, :, :coefficients], np.log(states[:, :, coefficients:])), axis=2)
    moves = states.std(axis=(0, 1)) > 1e-12  # a variance that is 1 by convention does not move
    table = pd.DataFrame(table.loc[moves].reset_index(drop=True))
    table["rhat"], table["effective_draws"] = rhat(states[:, :, moves]), effective_draws(states[:, :, moves])
    return table
