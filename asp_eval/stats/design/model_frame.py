"""A formula meets a data frame: the rows that are complete, their columns and their groups.

A `Design` knows how to write any range of rows of u = [1, X, Z's covariates, y]; the pass over them is
`asp_eval.stats.engine.accumulate`. It is kept by a fit for what needs rows again: fitted values and predictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.arithmetic import compute, is_arithmetic
from asp_eval.stats.design.columns import Column, Plan, build_column, plan_columns, write_column
from asp_eval.stats.design.factors import make_factor
from asp_eval.stats.design.formula import NO_RANDOM, ModelFormula, RandomBlock, names_in, parse_formula
from asp_eval.stats.design.layout import Layout, lay_out
from asp_eval.stats.design.syntax import Name, Tree, columns_of, parse, spell
from asp_eval.stats.design.tables import Given, as_frame, with_column
from asp_eval.stats.design.transforms import State
from asp_eval.stats.design.variables import Categories, Codes, Numeric, Variable, Variables, group_key, numbers_of, read_variables
from asp_eval.stats.estimate import Array

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
    frame : pandas.DataFrame
        The data as they were given, not copied.
    weights_name : str or None
        Their column of weights.
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
    frame: pd.DataFrame
    weights_name: str | None

    def fill(self, block: Array, rows: slice) -> None:
        """Write rows of u into a block (c, rows)."""
        for j, column in enumerate(self.columns):
            write_column(column, self.data.columns, rows, block[j])
        block[-1] = self.response[rows]

    def fixed_matrix(self) -> Array:
        """Return X (n, p), every column of the fixed part."""
        out = np.empty((self.data.n, len(self.layout.fixed)))
        for k, j in enumerate(self.layout.fixed):
            out[:, k] = build_column(self.columns[j], self.data.columns, slice(None))
        return out


def read_design(
    formula: str,
    frame: object,
    *,
    weights: Given | None = None,
    declared: bool = False,
    random: bool = True,
    categories: bool = False,
    learned: Mapping[str, State] | None = None,
    besides: Iterable[str] = (),
) -> Design:
    """Read the columns that a formula names, and lay them out.

    Parameters
    ----------
    formula : str
    frame : pandas.DataFrame, or anything with ``to_pandas``
    weights : str or array (n,), optional
        Prior weights, as a column's name or values: the residual variance of a row is sigma^2 / weight.
    declared : bool
        Keep the columns of categories that no row holds.
    random : bool
        Whether the model must have random terms.
    categories : bool
        Whether the outcome may be categories; `response` then holds their positions.
    learned : mapping of str to State, optional
        What transforms learned from earlier rows.
    besides : iterable of str
        Columns that ``.`` does not stand for, such as the clusters.

    Raises
    ------
    Refusal
        If a column is unknown or of the wrong kind, or no row is complete.
    """
    parsed = parse_formula(formula)
    table = as_frame(frame)
    if weights is not None:
        table, weights = with_column(table, weights, "weights")
    if random and not parsed.blocks:
        NO_RANDOM.refuse(formula)
    parsed = parsed.filled(table.columns, (*besides, *((weights,) if weights else ())))
    grouping = tuple(dict.fromkeys(g for b in parsed.blocks for g in b.group))
    expressions = (*parsed.effects, *parsed.offsets)
    names = dict.fromkeys((*columns_of(parsed.outcome), *(n for e in expressions for n in names_in(e))))
    data = read_variables(table, (*names, *((weights,) if weights else ())), grouping, declared=declared)
    known = dict(learned or {})
    fixed, data = plan_columns(parsed.fixed, data, known)
    planned: list[tuple[RandomBlock, Plan]] = []
    for block in parsed.blocks:
        plan, data = plan_columns(block.expression, data, known)
        planned.append((block, plan))
    layout, columns = lay_out(formula, parsed.response, fixed, planned)
    groups = tuple(combined_groups(f.group, data) for f in layout.factors)
    outcome, taught = _outcome(parsed, data, known)
    if categories and isinstance(outcome, Categories):
        response = outcome.codes.astype(float)
    else:
        response = numbers_of(parsed.response, outcome)
    single = [_single(parse(o), data, known) for o in parsed.offsets]
    offset = np.asarray(np.sum([v for v, _ in single], axis=0), float) if single else None
    for found in (fixed.learned, *(p.learned for _, p in planned), taught, *(t for _, t in single)):
        known |= found
    if known or parsed.notes:
        layout = replace(layout, learned=tuple(sorted(known.items())), notes=parsed.notes)
    w = data.numeric(weights) if weights else None
    if w is not None and not bool((w > 0).all()):
        BAD_WEIGHTS.refuse(weights or "")
    blocks = tuple(p for _, p in planned)
    centred = response if offset is None else response - offset
    return Design(parsed, layout, columns, fixed, blocks, data, centred, offset, groups, w, outcome, table, weights)


def read_offset(parsed: ModelFormula, data: Variables, learned: Mapping[str, State]) -> Array | None:
    """Return the sum of the offsets (n,)."""
    if not parsed.offsets:
        return None
    return np.asarray(np.sum([_single(parse(o), data, learned)[0] for o in parsed.offsets], axis=0), float)


def _outcome(parsed: ModelFormula, data: Variables, learned: Mapping[str, State]) -> tuple[Variable, dict[str, State]]:
    """Return the outcome (n,), and what a transform of it learned."""
    if not any(True for _ in columns_of(parsed.outcome)):
        RESPONSE.refuse(parsed.response, found=Phrase("no column"))
    if isinstance(parsed.outcome, Name):
        return data.columns[parsed.outcome.name], {}
    values, found = _single(parsed.outcome, data, learned)
    return Numeric(values), found


def _single(tree: Tree, data: Variables, learned: Mapping[str, State]) -> tuple[Array, dict[str, State]]:
    """Return the values (n,) of an outcome or an offset, and what a transform in it learned."""
    if isinstance(tree, Name):
        return data.numeric(tree.name), {}
    if is_arithmetic(tree):
        return compute(tree, data.columns, data.n), {}
    factor = make_factor(tree, data.columns, data.n, learned)
    if factor.is_categorical or len(factor.full) != 1:
        RESPONSE.refuse(spell(tree), found=Phrase("{n} columns", n=len(factor.full)))
    only = factor.variables(data.columns, data.n)[factor.full[0][1][0]]
    return numbers_of(factor.name, only), {} if factor.learned is None else {factor.name: factor.learned}


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
