"""Type III tests: each term's contrasts do not depend on how factors were coded.

A model coded by treatment contrasts says the same as one coded by sum-to-zero contrasts. Written in the latter, the
coefficients of a term are its effects averaged over the categories of the other factors, equally weighted, and at zero
of covariates (Yates; the convention of SAS and lmerTest). An indicator of category i of a factor with a categories is

    e_i = 1/a + S_i - (1/a) sum_j S_j        (i < a),        e_a = 1/a - (1/a) sum_j S_j

with S_j the sum-to-zero columns, so each coefficient of the one coding is a known sum of those of the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.columns import Column, Plan
from asp_eval.stats.estimate import Array

Key = frozenset[tuple[str, int | None]]
EMPTY_CELLS = Phrase("some combinations of categories do not occur, so the averages it would test cannot be estimated")
NOT_PLAIN = Phrase("the formula combines transformed columns in interactions, for which no type III contrasts are defined here")


def type_three(plan: Plan, kept: Sequence[int]) -> list[tuple[str, Array | Unavailable]]:
    """Return for each term but the intercept its contrasts L (q, p) of the kept coefficients.

    Parameters
    ----------
    plan : Plan
        Of the fixed part.
    kept : sequence of int
        Positions of the columns that were estimated.
    """
    if plan.spec is not None:
        return _of_columns(plan, kept)
    K: dict[Key, Array] = {}
    owner: dict[Key, int] = {}
    term_of = {frozenset(t.factors): i for i, t in enumerate(plan.terms)}
    for j, column in enumerate(plan.columns):
        for key, weight in _expand(column, plan).items():
            K.setdefault(key, np.zeros(len(plan.columns)))[j] += weight
            owner.setdefault(key, term_of.get(frozenset(name for name, _ in key), column.term))
    out: list[tuple[str, Array | Unavailable]] = []
    lost = [j for j in range(len(plan.columns)) if j not in kept]
    for i, term in enumerate(plan.terms):
        rows = [K[key] for key in K if owner[key] == i]
        if not term.factors or not rows:
            continue
        L = np.array(rows)
        estimable = not lost or not np.abs(L[:, lost]).max() > 1e-12
        out.append((term.name, L[:, list(kept)] if estimable else Unavailable(EMPTY_CELLS)))
    return out


def _expand(column: Column, plan: Plan) -> dict[Key, float]:
    """Return a column as a combination of products of sum-to-zero columns and covariates."""
    options: list[list[tuple[tuple[str, int | None] | None, float]]] = []
    for name, level in column.parts:
        if level is None:
            options.append([((name, None), 1.0)])
            continue
        a = len(plan.levels[name])
        parts: list[tuple[tuple[str, int | None] | None, float]] = [(None, 1.0 / a)]
        parts += [((name, j), float(j == level) - 1.0 / a) for j in range(a - 1)]
        options.append(parts)
    out: dict[Key, float] = {}
    for picked in itertools.product(*options):
        key = frozenset(part for part, _ in picked if part is not None)
        out[key] = out.get(key, 0.0) + float(np.prod([w for _, w in picked]))
    return out


def _of_columns(plan: Plan, kept: Sequence[int]) -> list[tuple[str, Array | Unavailable]]:
    """Return the terms' own columns: right where no term is part of another."""
    out: list[tuple[str, Array | Unavailable]] = []
    for i, term in enumerate(plan.terms):
        if not term.factors:
            continue
        if any(len(t.factors) > 1 for t in plan.terms):
            out.append((term.name, Unavailable(NOT_PLAIN)))
            continue
        mine = [at for at, j in enumerate(kept) if plan.columns[j].term == i]
        complete = len(mine) == sum(c.term == i for c in plan.columns)
        out.append((term.name, np.eye(len(kept))[mine] if complete and mine else Unavailable(EMPTY_CELLS)))
    return out
