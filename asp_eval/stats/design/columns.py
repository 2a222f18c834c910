"""Columns of a design matrix: what each is called and how it is made of the variables.

Names and coding are formulaic's: ``Intercept``, ``arm[T.intervention]``, ``x``, ``arm[T.intervention]:x``. A product
of plain columns is built here, column by column and for any range of rows, so that a large design never exists as a
whole. A formula with transformations (``I(x**2)``, ``poly(x, 2)``, ``np.log(x)``, ``C(x)``) or with an unusual
combination of margins is handed to formulaic, which remembers how to build the same columns for new rows.

Coding of a categorical factor f in a term t: treatment contrasts if t without f is in the model, else one indicator
per category (Chambers & Hastie 1992, sec. 2.3.1); with two categorical factors both margins must be present.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Refusal
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.formula import Term, expand_terms
from asp_eval.stats.design.variables import Categories, Numeric, Variable, Variables
from asp_eval.stats.estimate import Array

CANNOT_BUILD = Fault("FIT-030", "the formula's columns cannot be built: {why}", "Check the spelling of functions and columns.")
NEW_LEVEL = Fault("FIT-031", "the new data hold a category that the model has not seen", "Leave these rows out, or refit.")


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
    parts: tuple[tuple[str, int | None], ...]
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
    spec : object or None
        formulaic's model specification where formulaic built the columns.
    """

    expression: str
    terms: tuple[Term, ...]
    columns: tuple[Column, ...]
    levels: dict[str, pd.Index]
    absent: tuple[str, ...] = ()
    spec: Any = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(c.name for c in self.columns)


def plan_columns(expression: str, data: Variables, frame: pd.DataFrame) -> tuple[Plan, Variables]:
    """Return how to build the columns of `expression`, and the variables they are made of.

    Parameters
    ----------
    expression : str
        Right side of a formula, without random terms.
    data : Variables
        Every column the expression names.
    frame : pandas.DataFrame
        The data `data` was read from; used only where formulaic has to build the columns.
    """
    terms = expand_terms(expression)
    plain = all(f in data.columns for t in terms for f in t.factors)
    if not plain or not _margins_present(terms, data):
        return _formulaic_plan(expression, data, frame)
    columns = [c for i, t in enumerate(terms) for c in _term_columns(i, t, terms, data)]
    used = {f for t in terms for f in t.factors}
    levels = {f: v.levels for f in used if isinstance(v := data.columns[f], Categories)}
    return Plan(expression, terms, tuple(columns), levels, _absent(terms, data)), data


def build_column(column: Column, variables: dict[str, Variable], rows: slice) -> Array | float:
    """Return the values of a column on a range of rows; the constant is the number one."""
    product: Array | float = 1.0
    for name, level in column.parts:
        variable = variables[name]
        part = (variable.codes[rows] == level) * 1.0 if isinstance(variable, Categories) else variable.numbers[rows]
        product = part if isinstance(product, float) else product * part
    return product


def build_matrix(plan: Plan, frame: pd.DataFrame, data: Variables) -> Array:
    """Return the whole design matrix of new rows (n, columns), coded as the plan was.

    Raises
    ------
    Refusal
        If a category is new to the plan.
    """
    if plan.spec is not None:
        try:
            return np.asarray(plan.spec.get_model_matrix(_kept(frame, data)), float)
        except Exception as error:  # formulaic raises many kinds
            CANNOT_BUILD.refuse(plan.expression, why=str(error).splitlines()[0])
    variables: dict[str, Variable] = {k: recode(k, v, plan.levels[k]) if k in plan.levels else v for k, v in data.columns.items()}
    out = np.empty((data.n, len(plan.columns)))
    for j, column in enumerate(plan.columns):
        out[:, j] = build_column(column, variables, slice(None))
    return out


def recode(name: str, variable: Variable, levels: pd.Index) -> Categories:
    """Return a variable coded by the categories of an earlier plan."""
    if not isinstance(variable, Categories):
        return NEW_LEVEL.refuse(name, found="numbers", expected="categories")
    position = levels.get_indexer(variable.levels)
    if (position < 0).any():
        new = ", ".join(str(v) for v in variable.levels[position < 0][:5])
        NEW_LEVEL.refuse(name, found=new, expected=", ".join(str(v) for v in levels[:10]))
    return Categories(position[variable.codes].astype(np.intp), levels)


def _term_columns(index: int, term: Term, terms: tuple[Term, ...], data: Variables) -> list[Column]:
    """Return the columns of one term; its first factor varies fastest."""
    if not term.factors:
        return [Column("Intercept", (), index)]
    choices: list[list[tuple[str, tuple[str, int | None]]]] = []
    for factor in term.factors:
        variable = data.columns[factor]
        if isinstance(variable, Categories):
            reduced = _has_margin(term, factor, terms)
            mark = "T." if reduced else ""
            choices.append([(f"{factor}[{mark}{v}]", (factor, k)) for k, v in enumerate(variable.levels) if k or not reduced])
        else:
            choices.append([(factor, (factor, None))])
    out = []
    for picked in itertools.product(*reversed(choices)):
        names, parts = zip(*reversed(picked), strict=True)
        out.append(Column(":".join(names), parts, index))
    return out


def _has_margin(term: Term, factor: str, terms: tuple[Term, ...]) -> bool:
    """Whether the term without this factor is in the model."""
    rest = {f for f in term.factors if f != factor}
    return any(set(t.factors) == rest for t in terms)


def _margins_present(terms: tuple[Term, ...], data: Variables) -> bool:
    """Whether every term with two categorical factors or more has its margins, so that the simple rule codes it."""
    for term in terms:
        categorical = [f for f in term.factors if isinstance(data.columns[f], Categories)]
        if len(categorical) > 1 and not all(_has_margin(term, f, terms) for f in categorical):
            return False
        if len(set(term.factors)) < len(term.factors):
            return False
    whole = [t for t in terms if len(t.factors) == 1 and isinstance(data.columns[t.factors[0]], Categories)]
    return len(whole) < 2 or any(not t.factors for t in terms)


def _absent(terms: tuple[Term, ...], data: Variables) -> tuple[str, ...]:
    """Name the main effects that have no column, because a declared category has no rows."""
    out: list[str] = []
    for term in terms:
        if len(term.factors) == 1 and isinstance(v := data.columns[term.factors[0]], Categories) and len(v.levels) == 1:
            out += [f"{term.name}[T.{a}]" for a in v.absent] or [term.name]
    return tuple(out)


def _formulaic_plan(expression: str, data: Variables, frame: pd.DataFrame) -> tuple[Plan, Variables]:
    """Let formulaic build the columns; they enter as numeric variables under their own names."""
    from formulaic import Formula

    try:
        matrix = Formula(expression).get_model_matrix(_kept(frame, data), na_action="ignore")
    except Refusal:
        raise
    except Exception as error:  # formulaic raises many kinds, among them those of the user's own functions
        CANNOT_BUILD.refuse(expression, why=str(error).splitlines()[0])
    spec = matrix.model_spec
    owner = {name: i for i, names in enumerate(spec.term_indices.values()) for name in names}
    columns, variables = [], dict(data.columns)
    for j, name in enumerate(matrix.columns):
        constant = name == "Intercept"
        columns.append(Column(name, () if constant else ((f"={name}", None),), owner[j]))
        variables[f"={name}"] = _finite(np.asarray(matrix.iloc[:, j], float), name)
    ordered = tuple(Term(tuple(f.expr for f in t.factors if f.expr != "1")) for t in spec.term_indices)
    return Plan(expression, ordered, tuple(columns), {}, (), spec), replace(data, columns=variables)


def _finite(values: Array, name: str) -> Numeric:
    """Return a column that formulaic computed, if all of its values are numbers."""
    if not np.isfinite(values).all():
        CANNOT_BUILD.refuse(name, why=Phrase("{n} of its values are not finite numbers", n=int((~np.isfinite(values)).sum())))
    return Numeric(values)


def _kept(frame: pd.DataFrame, data: Variables) -> pd.DataFrame:
    """Return the rows that are complete, with their unused categories left out."""
    rows = frame if data.keep is None else frame.loc[data.keep]
    wanted = [c for c in data.columns if c in rows.columns]
    rows = rows[wanted].reset_index(drop=True)
    factors = {c: rows[c].cat.remove_unused_categories() for c in wanted if isinstance(rows[c].dtype, pd.CategoricalDtype)}
    return rows.assign(**factors)
