"""A formula meets a data frame: the rows that are complete, their columns and their groups.

A `Design` knows how to write any range of rows of u = [1, X, Z's covariates, y]; the pass over them is
`asp_eval.stats.engine.accumulate`. It is kept by a fit for what needs rows again: fitted values and predictions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.stats.design.columns import Column, Plan, build_column, plan_columns
from asp_eval.stats.design.formula import NO_RANDOM, ModelFormula, RandomBlock, expand_terms, names_in, parse_formula
from asp_eval.stats.design.layout import Layout, lay_out
from asp_eval.stats.design.variables import Categories, Codes, Numeric, Variable, Variables, group_key, read_variables
from asp_eval.stats.estimate import Array

NO_FRAME = Fault("FIT-026", "the data are not a table", "Read a file first: pandas.read_csv(path).")
BAD_WEIGHTS = Fault("FIT-041", "weights must be positive numbers", "Leave out rows of weight zero.")
RESPONSE = Fault("FIT-043", "the response must be one numeric column", "Turn it into numbers first.")


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Columns and groups of a model on the complete rows of a frame.

    Attributes
    ----------
    formula : ModelFormula
    layout : Layout
    columns : tuple of Column
        How each column of u but the response is made.
    fixed : Plan
    blocks : tuple of Plan
        One per random block of the formula.
    data : Variables
    response : ndarray (n,)
        The outcome less its offset.
    outcome : Numeric or Categories
        The outcome as it was read.
    offset : ndarray (n,) or None
    groups : tuple of Categories
        One per grouping factor.
    weights : ndarray (n,) or None
    """

    formula: ModelFormula
    layout: Layout
    columns: tuple[Column, ...]
    fixed: Plan
    blocks: tuple[Plan, ...]
    data: Variables
    response: Array
    offset: Array | None
    groups: tuple[Categories, ...]
    weights: Array | None
    outcome: Variable

    def fill(self, block: Array, rows: slice) -> None:
        """Write rows of u into a block (c, rows)."""
        for j, column in enumerate(self.columns):
            block[j] = build_column(column, self.data.columns, rows)
        block[-1] = self.response[rows]

    def fixed_matrix(self) -> Array:
        """Return X (n, p), every column of the fixed part."""
        out = np.empty((self.data.n, len(self.layout.fixed)))
        for k, j in enumerate(self.layout.fixed):
            out[:, k] = build_column(self.columns[j], self.data.columns, slice(None))
        return out


def read_design(
    formula: str,
    frame: pd.DataFrame,
    *,
    weights: str | None = None,
    declared: bool = False,
    random: bool = True,
    categories: bool = False,
) -> Design:
    """Read the columns that a formula names, and lay them out.

    Parameters
    ----------
    formula : str
    frame : pandas.DataFrame
    weights : str, optional
        Column of prior weights: the residual variance of a row is sigma^2 / weight.
    declared : bool
        Keep the columns of categories that no row holds.
    random : bool
        Whether the model must have random terms.
    categories : bool
        Whether the outcome may be categories; `response` then holds their positions.

    Raises
    ------
    Refusal
        If a column is unknown or of the wrong kind, or no row is complete.
    """
    if not isinstance(frame, pd.DataFrame):
        NO_FRAME.refuse(formula, found=type(frame).__name__, expected="a pandas DataFrame")
    parsed = parse_formula(formula)
    if random and not parsed.blocks:
        NO_RANDOM.refuse(formula)
    grouping = tuple(dict.fromkeys(g for b in parsed.blocks for g in b.group))
    expressions = (parsed.fixed, *(b.expression for b in parsed.blocks), *parsed.offsets)
    names = dict.fromkeys((*_response_names(parsed, frame), *(n for e in expressions for n in names_in(e))))
    data = read_variables(frame, (*names, *((weights,) if weights else ())), grouping, declared=declared)
    fixed, data = plan_columns(parsed.fixed, data, frame)
    planned: list[tuple[RandomBlock, Plan]] = []
    for block in parsed.blocks:
        plan, data = plan_columns(block.expression, data, frame)
        planned.append((block, plan))
    layout, columns = lay_out(formula, parsed.response, fixed, planned)
    groups = tuple(combined_groups(f.group, data) for f in layout.factors)
    offset = read_offset(parsed, data, frame)
    outcome = _outcome(parsed, data, frame)
    if isinstance(outcome, Categories) and not categories:
        data.numeric(parsed.response)  # refuses
    response = outcome.codes.astype(float) if isinstance(outcome, Categories) else outcome.numbers
    w = data.numeric(weights) if weights else None
    if w is not None and not bool((w > 0).all()):
        BAD_WEIGHTS.refuse(weights or "")
    blocks = tuple(p for _, p in planned)
    centred = response if offset is None else response - offset
    return Design(parsed, layout, columns, fixed, blocks, data, centred, offset, groups, w, outcome)


def _response_names(parsed: ModelFormula, frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns the response needs."""
    if parsed.response in frame.columns or parsed.response.isidentifier():
        return (parsed.response,)
    return names_in(f"0 + {parsed.response}")


def _outcome(parsed: ModelFormula, data: Variables, frame: pd.DataFrame) -> Variable:
    """Return the outcome (n,)."""
    if parsed.response in data.columns:
        return data.columns[parsed.response]
    return Numeric(_one_column(parsed.response, data, frame))


def read_offset(parsed: ModelFormula, data: Variables, frame: pd.DataFrame) -> Array | None:
    """Return the sum of the offsets (n,)."""
    if not parsed.offsets:
        return None
    parts = [data.numeric(o) if o in data.columns else _one_column(o, data, frame) for o in parsed.offsets]
    return np.asarray(np.sum(parts, axis=0), float)


def _one_column(expression: str, data: Variables, frame: pd.DataFrame) -> Array:
    """Return the values of an expression such as ``np.log(y)``."""
    plan, extended = plan_columns(f"0 + {expression}", data, frame)
    if len(plan.columns) != 1 or len(expand_terms(f"0 + {expression}")) != 1:
        RESPONSE.refuse(expression, found=f"{len(plan.columns)} columns")
    return np.asarray(build_column(plan.columns[0], extended.columns, slice(None)), float)


def combined_groups(group: tuple[str, ...], data: Variables) -> Categories:
    """Return the groups formed by one column, or by the combinations of several that occur."""
    parts = [data.columns[group_key(g)] for g in group]
    kept = [p for p in parts if isinstance(p, Categories)]
    if len(kept) == 1:
        return kept[0]
    joint: Codes = kept[0].codes
    for part in kept[1:]:
        joint = joint * len(part.levels) + part.codes
    codes, distinct = pd.factorize(joint, sort=True)
    columns = []
    for part in reversed(kept):
        distinct, position = np.divmod(distinct, len(part.levels))
        columns.append(part.levels.take(position))
    return Categories(codes.astype(np.intp, copy=False), pd.MultiIndex.from_arrays(columns[::-1], names=group))
