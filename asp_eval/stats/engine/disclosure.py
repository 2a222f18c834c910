"""Whether sums may leave the house they were made in: nothing in them is of so few rows that it tells of persons.

What is saved holds counts of rows: of groups, of categories, of two categories together, of two factors' groups together,
and what is left of each. Cross-products within a group of fewer rows than three times its columns could be solved for rows.
Within a group, the means of a column of zeros and ones are shares of its rows, and are not held to the minimum; where every
cross-product within groups is saved, the cells of two such columns that both vary in a group are.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.layout import Layout
from asp_eval.stats.estimate import Array

TOO_FEW = Fault(
    "FIT-173",
    "the sums may not be saved: {what} has {n} rows, and at least {minimum} are needed",
    "Merge small groups or categories, leave them out before the sums are made, or keep the file in the house and save with "
    "minimum=1.",
)
UNCOUNTED = Fault(
    "FIT-174",
    "the sums are of weighted rows, so the rows of each group are not known and cannot be held to a minimum",
    "Keep the file in the house and save with minimum=1, or form the moments without weights.",
)
NOT_A_MINIMUM = Fault("FIT-177", "the minimum of rows is no whole number of at least 1", "Give for example minimum=5.")
OTHER_CODING = Fault(
    "FIT-178",
    "the sums may not be saved: the rows in each category of {name} cannot be told from its contrasts",
    "Use the usual coding by a reference category, or keep the file in the house and save with minimum=1.",
)
ROWS_PER_COLUMN = 3
ROUNDING = 1e-9
_CONTRASTS = re.compile(r"(^|:)C\([^)]*\)\[")


def check_counts(
    layout: Layout,
    total: Array,
    levels: tuple[pd.Index, ...],
    sums: tuple[Array, ...],
    cells: Mapping[tuple[int, int], Array],
    counts: tuple[int, int],
    minimum: int,
) -> None:
    """Refuse sums in which a number is of fewer rows than the minimum.

    Parameters
    ----------
    layout : Layout
    total : ndarray (c, c)
        Of the columns as they are, nothing taken from them.
    levels, sums, cells
        As in `asp_eval.stats.engine.moments.Moments`, the sums of the columns as they are; of each cell, its rows (cells,).
    counts : tuple of int
        Complete rows, and rows left out.
    minimum : int

    Raises
    ------
    Refusal
        FIT-173 with the first number that is of too few rows.
    """
    n, dropped = counts
    _held(Phrase("the table"), n, minimum)
    _held(Phrase("what was left out for missing values"), dropped, minimum)
    for factor, names, within in zip(layout.factors, levels, sums, strict=True):
        rows = within[:, 0, 0]
        products = ROWS_PER_COLUMN * len(layout.columns) if len(factor.needed) > 1 else 0
        smallest = int(np.argmin(rows))
        _held(Phrase("the group {name} of {factor}", name=str(names[smallest]), factor=factor.name), rows[smallest], minimum)
        if rows[smallest] < products:
            name = Phrase(
                "the group {name} of {factor}, whose cross-products are saved,", name=str(names[smallest]), factor=factor.name
            )
            TOO_FEW.refuse(what=name, n=round(rows[smallest]), minimum=products)
        if factor.every:
            _check_cells_within(layout, factor.name, names, within[:, np.argsort(factor.needed)], _marks(total), minimum)
    for (i, j), rows in cells.items():
        what = Phrase("a group of {first} within one of {second}", first=layout.factors[i].name, second=layout.factors[j].name)
        _held(what, rows.min(initial=np.inf), minimum)
    _check_categories(layout, total, n, minimum)


def _check_categories(layout: Layout, total: Array, n: int, minimum: int) -> None:
    """Refuse too few rows in a category, in the rest, or in a cell of two categories.

    A column of whole numbers whose squares have its own sum holds zeros and ones, whoever made it.
    """
    for k, name in enumerate(layout.columns):
        if k not in layout.indicators and _CONTRASTS.search(name):
            OTHER_CODING.refuse(name=name.split("[")[0])
    marks = _marks(total)
    for name, columns in _of_one_variable(layout, marks):
        _held(Phrase("the reference category of {name}", name=name), n - total[0, columns].sum(), minimum)
    for place, i in enumerate(marks):
        for j in marks[place:]:
            both, a, b = total[i, j], total[0, i], total[0, j]
            names = " / ".join(dict.fromkeys((layout.columns[i], layout.columns[j])))
            for rows in (both, a - both, b - both, n - a - b + both):
                _held(Phrase("a cell of {name}", name=names), rows, minimum)


def _marks(total: Array) -> list[int]:
    """Return the columns that hold zeros and ones."""
    own = np.diag(total)
    return [int(k) for k in np.flatnonzero(np.abs(own - total[0]) <= ROUNDING * np.maximum(own, 1.0)) if k]


def _check_cells_within(layout: Layout, factor: str, groups: pd.Index, within: Array, marks: list[int], minimum: int) -> None:
    """Refuse too few rows in a cell of two categories within a group, where both vary there."""
    n = within[:, 0, 0]
    for i, j in itertools.combinations(marks, 2):
        both, a, b = within[:, i, j], within[:, 0, i], within[:, 0, j]
        varies = (a.round() > 0) & (a.round() < n) & (b.round() > 0) & (b.round() < n)
        for rows in (both, a - both, b - both, n - a - b + both):
            few = np.flatnonzero(varies & (rows.round() > 0) & (rows.round() < minimum))
            if len(few):
                names = f"{layout.columns[i]} / {layout.columns[j]}"
                what = Phrase(
                    "a cell of {name} in the group {group} of {factor}", name=names, group=str(groups[few[0]]), factor=factor
                )
                _held(what, float(rows[few[0]]), minimum)


def _of_one_variable(layout: Layout, marks: Iterable[int]) -> list[tuple[str, list[int]]]:
    """Return the columns of the categories of each variable, by the variable's name."""
    found: dict[str, list[int]] = {}
    for i in marks:
        name = layout.columns[i]
        if "[" in name and "]:" not in name:
            found.setdefault(name.split("[")[0], []).append(i)
    return list(found.items())


def whole_minimum(minimum: object) -> int:
    """Return the minimum, or refuse what is none (FIT-177)."""
    if isinstance(minimum, bool) or not isinstance(minimum, (int, np.integer)) or minimum < 1:
        return NOT_A_MINIMUM.refuse(found=str(minimum))
    return int(minimum)


def _held(what: Phrase, rows: float, minimum: int) -> None:
    """Refuse between one row and the minimum; none at all tells nothing of anybody."""
    if 0 < round(rows) < minimum:
        TOO_FEW.refuse(what=what, n=round(rows), minimum=minimum)
