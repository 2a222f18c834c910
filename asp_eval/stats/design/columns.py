"""Columns of a design matrix: what each is called and how it is made of the variables.

Names and coding are formulaic's: ``Intercept``, ``arm[T.intervention]``, ``x``, ``arm[T.intervention]:x``. A column is a
product of parts, each a variable or the indicator of a category, and is built for any range of rows, so that a large design
never exists as a whole.

Coding: a term stands for the product of its factors, each categorical one spanning the constant and its contrasts. Of these
spaces only those that no earlier term has spanned are added, and a factor is coded in full where both of its spaces are new
(Chambers & Hastie 1992, sec. 2.3.1, in the form of patsy and formulaic, which is right without margins too).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.stats.design.factors import Coding, Factor, Part, make_factor
from asp_eval.stats.design.formula import Term, expand_terms
from asp_eval.stats.design.syntax import Tree
from asp_eval.stats.design.transforms import State
from asp_eval.stats.design.variables import Categories, Variable, Variables
from asp_eval.stats.estimate import Array

SAME_NAME = Fault(
    "FIT-035", "two different columns of the model would have the same name {name!r}", "Rename a column of the data."
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a product of parts.

    Attributes
    ----------
    name : str
    parts : tuple of (str, int or None)
        A variable with the position of a category (its indicator), or with None (its values). Empty: the constant.
    term : int
        Position of the term it belongs to.
    """

    name: str
    parts: tuple[Part, ...]
    term: int

    @property
    def is_indicator(self) -> bool:
        """Whether it holds only zeros and ones by construction."""
        return all(level is not None for _, level in self.parts)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How the columns of one expression are made.

    Attributes
    ----------
    expression : str
    terms : tuple of Term
    columns : tuple of Column
    levels : dict of str to pandas.Index
        Categories of each categorical variable used.
    absent : tuple of str
        Names of coefficients that declared but unobserved categories would have had.
    factors : dict of Tree to Factor
    """

    expression: str
    terms: tuple[Term, ...]
    columns: tuple[Column, ...]
    levels: dict[str, pd.Index]
    absent: tuple[str, ...]
    factors: dict[Tree, Factor]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(c.name for c in self.columns)

    @property
    def learned(self) -> dict[str, State]:
        """What its factors learned from the rows."""
        return {f.name: f.learned for f in self.factors.values() if f.learned is not None}

    def variables(self, columns: Mapping[str, Variable], n: int) -> dict[str, Variable]:
        """Return every variable the columns are made of, from the columns of a table of n rows.

        Raises
        ------
        Refusal
            If a category is new to the plan.
        """
        out = dict(columns)
        for factor in self.factors.values():
            out |= factor.variables(columns, n)
        return out


def plan_columns(expression: str, data: Variables, learned: Mapping[str, State] | None = None) -> tuple[Plan, Variables]:
    """Return how to build the columns of `expression`, and the variables they are made of.

    Parameters
    ----------
    expression : str
        Right side of a formula, without random terms.
    data : Variables
        Every column the expression names.
    learned : mapping of str to State, optional
        What transforms learned from earlier rows, by their names.
    """
    terms = expand_terms(expression)
    factors = {t: make_factor(t, data.columns, data.n, learned or {}) for t in _trees(expression)}
    columns = _coded_columns(expression, tuple(f.coded for f in factors.values()))
    levels = {f.key: f.levels for f in factors.values() if f.levels is not None}
    absent = tuple(a for term in terms if len(term.trees) == 1 for a in factors[term.trees[0]].absent)
    plan = Plan(expression, terms, columns, levels, absent, factors)
    if not factors:
        return plan, data
    return plan, Variables(plan.variables(data.columns, data.n), data.keep, data.n, data.n_dropped)


def build_column(column: Column, variables: Mapping[str, Variable], rows: slice) -> Array | float:
    """Return the values of a column on a range of rows; the constant is the number one."""
    product: Array | float = 1.0
    for name, level in column.parts:
        variable = variables[name]
        part = (variable.codes[rows] == level) * 1.0 if isinstance(variable, Categories) else variable.numbers[rows]
        product = part if isinstance(product, float) else product * part
    return product


def write_column(column: Column, variables: Mapping[str, Variable], rows: slice, out: Array) -> None:
    """Write the values of a column on a range of rows where they belong (rows,): an indicator without an array of its own."""
    if len(column.parts) == 1:
        name, level = column.parts[0]
        variable = variables[name]
        if isinstance(variable, Categories) and level is not None:
            np.equal(variable.codes[rows], level, out=out, casting="unsafe")
            return
    out[:] = build_column(column, variables, rows)


def build_matrix(plan: Plan, data: Variables) -> Array:
    """Return the whole design matrix of new rows (n, columns), coded as the plan was.

    Raises
    ------
    Refusal
        If a category is new to the plan.
    """
    variables = plan.variables(data.columns, data.n)
    out = np.empty((data.n, len(plan.columns)))
    for j, column in enumerate(plan.columns):
        out[:, j] = build_column(column, variables, slice(None))
    return out


Scoped = frozenset[tuple[Tree, bool]]
"""A product of factors, each by its contrasts (True) or in full (False)."""


@lru_cache(maxsize=256)
def _trees(expression: str) -> tuple[Tree, ...]:
    """Return the factors of an expression in order of appearance."""
    return tuple(dict.fromkeys(t for term in expand_terms(expression) for t in term.trees))


@lru_cache(maxsize=256)
def _coded_columns(expression: str, codings: tuple[Coding, ...]) -> tuple[Column, ...]:
    """Return the columns of an expression whose factors are coded so, each space spanned once.

    Raises
    ------
    Refusal
        FIT-035 if two columns have one name: a table could not tell them apart.
    """
    terms, factors = expand_terms(expression), dict(zip(_trees(expression), codings, strict=True))
    columns: list[Column] = []
    spanned: set[Scoped] = set()
    for i, term in enumerate(terms):
        span = _span(term, factors)
        for scoped in _simplified([s for s in span if s not in spanned]):
            columns += _columns(i, [t for t in term.trees if (t, True) in scoped or (t, False) in scoped], scoped, factors)
        spanned |= set(span)
    seen: dict[str, Column] = {}
    for column in columns:
        if seen.setdefault(column.name, column).parts != column.parts:
            SAME_NAME.refuse(name=column.name)
    return tuple(columns)


def _span(term: Term, factors: Mapping[Tree, Coding]) -> list[Scoped]:
    """Return the spaces that a term stands for: every categorical factor is there by its contrasts, or not at all."""
    options = [[(t, True), None] if factors[t].is_categorical else [(t, False)] for t in term.trees]
    return [frozenset(p for p in picked if p is not None) for picked in itertools.product(*options)]


def _simplified(spaces: list[Scoped]) -> list[Scoped]:
    """Return the fewest products with the same span: A and A:contrasts are A:full."""
    out: list[Scoped] = []
    for space in sorted(spaces, key=len):
        for known in out:
            more = space - known
            if len(more) == 1 and len(space) == len(known) + 1 and next(iter(more))[1]:
                merged = known | {(next(iter(more))[0], False)}
                out = _simplified([s for s in out if s != known] + [merged])
                break
        else:
            out.append(space)
    return out


def _columns(index: int, trees: list[Tree], scoped: Scoped, factors: Mapping[Tree, Coding]) -> list[Column]:
    """Return the columns of one product of factors; its first factor varies fastest."""
    if not trees:
        return [Column("Intercept", (), index)]
    choices = [factors[t].reduced if (t, True) in scoped else factors[t].full for t in trees]
    out = []
    for picked in itertools.product(*reversed(choices)):
        names, parts = zip(*reversed(picked), strict=True)
        out.append(Column(":".join(names), parts, index))
    return out


def full_columns(plan: Plan) -> list[Column]:
    """Return the columns of the terms with one indicator for every category: more than the data determine."""
    codings = {t: f.coded for t, f in plan.factors.items()}
    return [
        c
        for i, term in enumerate(plan.terms)
        for c in _columns(i, list(term.trees), frozenset((t, False) for t in term.trees), codings)
    ]


def treatment_columns(plan: Plan) -> list[Column]:
    """Return the columns of the terms with treatment contrasts, whatever the coding of the plan."""
    return list(_coded_columns(plan.expression, tuple(f.by_treatment().coded for f in plan.factors.values())))
