"""Draws of the joint model: several chains, run until they agree, each with its own stream of random numbers."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
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
FIRST_SWEEPS, BETWEEN, LEAST_SWEEPS = 100, 10, 100
LARGEST_RHAT, LEAST_EFFECTIVE = 1.05, 50.0
LENGTHS = (1, 3, 9)
"""Chains that do not agree are run again, this many times as long."""


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
        Chains; sweeps before the first draw; sweeps from one draw of a chain to the next.
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


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """What one chain gave."""

    draws: tuple[Draw, ...]
    states: Array
    rows: Ints


def draw(model: JointModel, names: tuple[tuple[str, ...], tuple[str, ...]], n: int, seed: int, workers: int) -> Draws:
    """Return n draws.

    Parameters
    ----------
    model : JointModel
    names : (tuple of str, tuple of str)
        What the columns of rows and of groups are called.
    n : int
    seed : int
    workers : int
        Processes; the draws do not depend on it.
    """
    chains = min(CHAINS, n)
    shares = [len(range(c, n, chains)) for c in range(chains)]
    for length in LENGTHS:
        between = max(BETWEEN, -(-LEAST_SWEEPS // min(shares))) * length
        run = partial(run_chain, model, seed, length, FIRST_SWEEPS * length, between)
        found = _run(run, shares, workers)
        table = _convergence(model, names, found)
        worst, least = float(table["rhat"].max()), float(table["effective_draws"].min())
        if worst <= LARGEST_RHAT and least >= LEAST_EFFECTIVE:
            break
    notes: tuple[Phrase, ...] = ()
    if worst > LARGEST_RHAT or least < LEAST_EFFECTIVE:
        sweeps = FIRST_SWEEPS * length + between * max(shares)
        notes = (
            Phrase(
                "After {sweeps:,} sweeps the chains still differ (R-hat {rhat:.2f} where 1.05 is aimed at, {effective:.0f} "
                "effective draws where 50 are): impute fewer variables at once, or read the results with care.",
                sweeps=sweeps,
                rhat=worst,
                effective=least,
            ),
        )
    in_turn = tuple(found[k % chains].draws[k // chains] for k in range(n))
    return Draws(in_turn, found[0].rows, chains, FIRST_SWEEPS * length, between, table, notes)


def run_chain(model: JointModel, seed: int, length: int, first: int, between: int, chain: tuple[int, int]) -> Chain:
    """Return one chain: its number, and how many draws it is to give, in `chain`."""
    number, n = chain
    sampler = Sampler(model, stream(seed, "imputation", length, number))
    for _ in range(first):
        sampler.step()
    draws, states = [], []
    for _ in range(n):
        for _ in range(between):
            sampler.step()
            states.append(sampler.state())
        draws.append(Draw(sampler.Y.copy(), sampler.Z.copy(), sampler.B.copy(), sampler.Sigma.copy()))
    return Chain(tuple(draws), np.array(states), sampler.rows)


def _run(run: partial[Chain], shares: list[int], workers: int) -> list[Chain]:
    tasks = list(enumerate(shares))
    if workers == 1 or len(tasks) == 1:
        return [run(task) for task in tasks]
    with ProcessPoolExecutor(min(workers, len(tasks))) as pool:
        return list(pool.map(run, tasks))


def _convergence(model: JointModel, names: tuple[tuple[str, ...], tuple[str, ...]], chains: list[Chain]) -> pd.DataFrame:
    """Return how far the chains agree on each coefficient and variance."""
    rows, groups = names
    shortest = min(len(chain.states) for chain in chains)
    states = np.array([chain.states[:shortest] for chain in chains])
    A, P = model.n_classes, model.n_classes if model.psi_by_class else 1
    labels = [("coefficient", name) for _ in range(model.children.X.shape[1]) for name in rows]
    labels += [("coefficient", name) for _ in range(model.institutions.X.shape[1]) for name in groups]
    labels += [("variance of rows", name) for _ in range(A) for name in rows]
    labels += [("variance of groups", name) for _ in range(P) for name in (*rows, *groups)]
    moves = states.std(axis=(0, 1)) > 1e-12  # a variance that is 1 by convention does not move
    agree, effective = np.ones(len(labels)), np.full(len(labels), float(states.shape[0] * shortest))
    agree[moves], effective[moves] = rhat(states[:, :, moves]), effective_draws(states[:, :, moves])
    table = pd.DataFrame(labels, columns=["quantity", "variable"])
    table["rhat"], table["effective_draws"] = agree, effective
    return pd.DataFrame(table.loc[moves].reset_index(drop=True))
