"""Type III tests: each term's hypothesis, which does not depend on how factors were coded.

Write the model with treatment contrasts, and with one indicator for every category: X_o theta = X_t beta, X_o = X_t C, so that
beta = C theta are functions of more parameters than the data determine. The hypothesis of a term E is that its coefficients
are zero, after they were made orthogonal, as functions of theta, to the coefficients of all terms that contain E
(SAS/STAT, "The Four Types of Estimable Functions"; Goodnight 1978; the algorithm of lmerTest). F contains E if it has the same
covariates and more categorical factors. With every combination of categories present these are Yates's hypotheses: effects
averaged over the categories of other factors with equal weights, at zero of covariates.

Where a margin is missing (``f / g`` has no main effect of g) a factor of F that is coded in full does not count, as in lmerTest:
E is then compared at the first category of g; without an intercept the means of the first factor are tested, at the first
categories of the others. A note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one
from asp_eval.stats.design.columns import Column, Plan, build_column, full_columns, treatment_columns
from asp_eval.stats.design.formula import Term
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.estimate import Array

CHUNK = 2**14
DEPENDENT = 1e-7
"""A column whose part outside the span of earlier ones is smaller, relative to its length, is left out."""
NOTHING_LEFT = Phrase("the data do not determine any comparison that this term would test")

EMPTY_CELLS = Phrase("some combinations of categories do not occur, so the averages leave them out")


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """What is tested of a term.

    Attributes
    ----------
    term : str
    contrasts : ndarray (q, p) or Unavailable
        Of the estimated coefficients.
    note : Phrase
        Empty, or what a reader must know.
    """

    term: str
    contrasts: Array | Unavailable
    note: Phrase = NO_NOTE


def type_three(design: Design, kept: Sequence[int]) -> list[Hypothesis]:
    """Return the hypothesis of each term but the intercept.

    Parameters
    ----------
    design : Design
    kept : sequence of int
        Positions of the columns of X that were estimated.
    """
    plan = design.fixed
    recoded = any(f.coding is not None for f in plan.factors.values())
    estimated = [plan.columns[k] for k in kept]
    coded = treatment_columns(plan) if recoded else estimated
    C, M, coded = _functions(design, coded, estimated, full_columns(plan))
    owner = np.array([c.term for c in coded])
    out = []
    for i, term in enumerate(plan.terms):
        if not term.trees:
            continue
        own = np.flatnonzero(owner == i)
        containing = [j for j, t in enumerate(plan.terms) if _contains(t, term, plan)]
        above = np.flatnonzero(np.isin(owner, containing))
        L = np.eye(len(coded))[own]
        if len(above) and len(own):
            L[:, above] -= np.linalg.lstsq(C[above].T, C[own].T, rcond=None)[0].T
        found: Array | Unavailable = _without_dust(L @ M) if len(own) else Unavailable(NOTHING_LEFT)
        lost = any(k not in kept and c.term in (i, *containing) for k, c in enumerate(plan.columns))
        notes = [_note(term, plan), EMPTY_CELLS if lost else NO_NOTE] if len(own) else []
        out.append(Hypothesis(term.name, found, notes_in_one(n for n in notes if n)))
    return out


def _functions(
    design: Design, coded: list[Column], estimated: list[Column], every: list[Column]
) -> tuple[Array, Array, list[Column]]:
    """Return C with X_o = X_t C on the rows, M with X = X_t M, and the columns of X_t that are independent.

    All come from the triangular factor of [X_t X X_o], formed in chunks of rows.
    """
    columns = [*coded, *estimated, *every]
    R = np.zeros((0, len(columns)))
    for start in range(0, design.data.n, CHUNK):
        rows = slice(start, min(start + CHUNK, design.data.n))
        block = np.empty((rows.stop - start, len(columns)))
        for j, column in enumerate(columns):
            block[:, j] = build_column(column, design.data.columns, rows)
        R = np.asarray(np.linalg.qr(np.vstack([R, block]), mode="r"), float)
    size = np.sqrt((R**2).sum(axis=0))
    independent = [j for j in range(len(coded)) if j < len(R) and abs(R[j, j]) > DEPENDENT * size[j]]
    unit = R[:, independent] / size[independent]
    Q, T = np.linalg.qr(unit)
    found = linalg.solve_triangular(T, Q.T @ R[:, len(coded) :]) / size[independent][:, None]
    return found[:, len(estimated) :], found[:, : len(estimated)], [coded[j] for j in independent]


def _without_dust(L: Array) -> Array:
    """Return rows with what is only rounding set to zero."""
    return np.where(np.abs(L) > 1e-11 * np.abs(L).max(axis=1, keepdims=True), L, 0.0)


def _contains(larger: Term, smaller: Term, plan: Plan) -> bool:
    """Whether a term has the same covariates as another, and all of its categorical factors, by contrasts, besides others."""
    cats, numbers = _split(larger, plan)
    few, theirs = _split(smaller, plan)
    by_contrasts = {t for t in cats if any(set(m.trees) == set(larger.trees) - {t} for m in plan.terms)}
    return numbers == theirs and few < cats and few <= by_contrasts


def _note(term: Term, plan: Plan) -> Phrase:
    """Say at which categories of other factors a term is tested, where it is not averaged over them."""
    cats, numbers = _split(term, plan)
    larger = [(_split(t, plan), t) for t in plan.terms]
    held = [t for (c, n), t in larger if cats < c and n == numbers and not _contains(t, term, plan)]
    if held and cats:
        others = ", ".join(dict.fromkeys(f for t in held for f in t.factors if f not in term.factors))
        return Phrase("at the first category of {others}, of which the model has no main effect (as in lmerTest)", others=others)
    first = next((t for t in plan.terms if t.trees and not _split(t, plan)[1]), None)
    if term is first and all(t.trees for t in plan.terms):
        return Phrase("the model has no intercept: what is tested is that the means themselves are zero")
    return NO_NOTE


def _split(term: Term, plan: Plan) -> tuple[frozenset[object], frozenset[object]]:
    """Return the categorical factors of a term, and the others."""
    cats = frozenset(t for t in term.trees if plan.factors[t].is_categorical)
    return cats, frozenset(term.trees) - cats
