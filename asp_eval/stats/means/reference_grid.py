"""The reference grid of a model: every combination of the categories, measures at their mean.

The rules are those of the emmeans package (Lenth, R): a factor stands for its categories, and so does a number with two
values or one that the formula codes as a factor; every other number stands at its mean over the rows analysed. Columns that
an offset alone names follow the same rules. A row counts once, whatever its weight. Random effects are zero.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from asp_eval.core.errors import Fault
from asp_eval.stats.design.columns import build_matrix
from asp_eval.stats.design.formula import names_in
from asp_eval.stats.design.model_frame import Design, read_offset
from asp_eval.stats.design.syntax import columns_of
from asp_eval.stats.design.variables import Categories, Codes, Numeric, Variable, Variables
from asp_eval.stats.estimate import Array

NO_VARIABLE = Fault("FIT-120", "the model has no variable {name!r} to take means over", "Use one of: {known}.")
NO_SUCH_LEVEL = Fault("FIT-121", "{name} has no category {label!r}", "Use some of its categories: {known}.")
NOT_A_VALUE = Fault("FIT-122", "{name} can only be held at finite numbers", "Give a number, or a list of numbers.")
TOO_MANY_CELLS = Fault(
    "FIT-123", "the combinations of all categories are too many: {n}", "Hold some variables at one category with at={{...}}."
)
MOST_CELLS = 200_000
KEPT = 2
"""A number with at most so many different values stands for each of them, as in emmeans (``cov.keep``)."""

At = Mapping[str, object]


@dataclass(frozen=True, slots=True, eq=False)
class GridVariable:
    """One variable of the grid.

    Attributes
    ----------
    name : str
    values : tuple
        As they are shown: categories, or numbers.
    positions : ndarray of int, or None
        Where `values` are among the variable's categories or different values; None for a number held at chosen values.
    codes : ndarray of int (n,), or None
        The same of the rows analysed.
    """

    name: str
    values: tuple[object, ...]
    positions: Codes | None
    codes: Codes | None


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceGrid:
    """All combinations of the grid's variables; the first varies fastest.

    Attributes
    ----------
    variables : tuple of GridVariable
    index : ndarray of int (cells, variables)
        Which of each variable's values a cell has.
    X : ndarray (cells, columns)
        Every column of the fixed part, those included that were not estimated.
    offset : ndarray (cells,)
    n : int
        Rows of the data.
    """

    variables: tuple[GridVariable, ...]
    index: Codes
    X: Array
    offset: Array
    n: int

    def position(self, name: str) -> int:
        """Return which of the grid's variables is called `name`."""
        return [v.name for v in self.variables].index(name)

    def frequencies(self, names: Iterable[str]) -> Array:
        """Return how many rows of the data have, of the named variables, the values of each cell (cells,)."""
        key, own, size = np.zeros(self.n, np.intp), np.zeros(len(self.index), np.intp), 1
        for name in names:
            k = self.position(name)
            variable = self.variables[k]
            if variable.codes is None or variable.positions is None:
                continue
            n = int(max(variable.codes.max(), variable.positions.max())) + 1
            key, own, size = key * n + variable.codes, own * n + variable.positions[self.index[:, k]], size * n
        return np.bincount(key, minlength=size)[own].astype(float)


def reference_grid(design: Design, shown: Sequence[str], at: At | None = None) -> ReferenceGrid:
    """Return the grid of a design.

    Parameters
    ----------
    design : Design
    shown : sequence of str
        Variables whose values will be told apart; they come first.
    at : mapping, optional
        Values or categories at which variables are held: one, or a list.

    Raises
    ------
    Refusal
        If a variable or a category is unknown, or the combinations are too many.
    """
    known, coded = grid_names(design), _coded(design)
    held = dict(at or {})
    for name in (*shown, *held):
        grid_variable(design, name)
    ordered = [*shown, *(n for n in known if n not in shown)]
    variables = tuple(_variable(n, design.data.columns[n], n in coded, held.get(n)) for n in ordered)
    n_cells = int(np.prod([len(v.values) for v in variables], dtype=float)) if variables else 1
    if n_cells > MOST_CELLS:
        TOO_MANY_CELLS.refuse(n=n_cells)
    picked = itertools.product(*(range(len(v.values)) for v in reversed(variables)))
    index = np.array([p[::-1] for p in picked], np.intp).reshape(n_cells, len(variables))
    columns = {v.name: _column(v, design.data.columns[v.name], index[:, k]) for k, v in enumerate(variables)}
    return ReferenceGrid(variables, index, *rows_of(design, columns, n_cells), design.data.n)


def rows_of(design: Design, columns: dict[str, Variable], n: int) -> tuple[Array, Array]:
    """Return every fixed column (n, columns) and the offset (n,) of rows with these values."""
    data = Variables(columns, None, n, 0)
    offset = read_offset(design.formula, data, dict(design.layout.learned))
    X = build_matrix(design.fixed, data)
    return X, np.zeros(n) if offset is None else offset


def grid_names(design: Design) -> list[str]:
    """Return the columns that the fixed part and the offsets name."""
    formula = design.formula
    return list(dict.fromkeys(n for e in (formula.fixed, *formula.offsets) for n in names_in(e)))


def grid_variable(design: Design, name: str) -> Variable:
    """Return a column that the fixed part or an offset names, or refuse."""
    known = grid_names(design)
    if name not in known:
        near = difflib.get_close_matches(str(name), known, n=1) or known
        NO_VARIABLE.refuse(name=name, known=", ".join(near))
    return design.data.columns[name]


def grid_columns(grid: ReferenceGrid, design: Design) -> dict[str, Variable]:
    """Return the values of the grid's variables in each cell."""
    return {v.name: _column(v, design.data.columns[v.name], grid.index[:, k]) for k, v in enumerate(grid.variables)}


def _coded(design: Design) -> set[str]:
    """Return the columns that the formula turns into factors."""
    return {n for tree, factor in design.fixed.factors.items() if factor.is_categorical for n in columns_of(tree)}


def _variable(name: str, variable: Variable, coded: bool, held: object) -> GridVariable:
    """Return a variable of the grid, held at chosen values or not."""
    chosen = None if held is None else _listed(held)
    if isinstance(variable, Categories):
        return _of_levels(name, list(variable.levels), variable.codes, chosen)
    distinct, codes = np.unique(variable.numbers, return_inverse=True)
    if coded:
        return _of_levels(name, [_plain(v) for v in distinct], codes.astype(np.intp), chosen)
    if chosen is not None:
        numbers = [_number(name, v) for v in chosen]
        return GridVariable(name, tuple(_plain(v) for v in numbers), None, None)
    if len(distinct) <= KEPT:
        return _of_levels(name, [_plain(v) for v in distinct], codes.astype(np.intp), None)
    return GridVariable(name, (float(variable.numbers.mean()),), None, None)


def _of_levels(name: str, levels: list[object], codes: Codes, chosen: list[object] | None) -> GridVariable:
    """Return a variable that stands for categories, all of them or those chosen."""
    if chosen is None:
        return GridVariable(name, tuple(levels), np.arange(len(levels)), codes)
    texts = [str(v) for v in levels]
    positions = []
    for value in chosen:
        text = str(_plain(value))
        if text not in texts:
            NO_SUCH_LEVEL.refuse(name=name, label=text, known=", ".join(texts[:10]))
        positions.append(texts.index(text))
    return GridVariable(name, tuple(levels[p] for p in positions), np.array(positions, np.intp), codes)


def _column(variable: GridVariable, own: Variable, chosen: Codes) -> Variable:
    """Return a variable's values in cells that hold these of its values."""
    if isinstance(own, Categories):
        assert variable.positions is not None
        return Categories(variable.positions[chosen], own.levels, boolean=own.boolean)
    return Numeric(np.asarray(variable.values, float)[chosen])


def _listed(value: object) -> list[object]:
    """Return one value, or several, as a list."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [value]
    return list(value)


def _number(name: str, value: object) -> float:
    """Return a number that a variable can be held at."""
    if isinstance(value, (int, float, np.number)) and bool(np.isfinite(value)):
        return float(value)
    return NOT_A_VALUE.refuse(name, found=str(value), name=name)


def _plain(value: object) -> object:
    """Return a whole number as such: 5.0 is shown and looked up as 5."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        return value
    return int(value) if float(value).is_integer() else float(value)
