"""Which cross-products a model needs: the columns u = [1, X, Z's covariates, y] and how the groups use them."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import lru_cache

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.columns import SAME_NAME, Column, Plan
from asp_eval.stats.design.formula import RandomBlock
from asp_eval.stats.design.transforms import State

CONSTANT = "Intercept"
UNKNOWN_GROUP = Fault("FIT-059", "there is no grouping factor {group!r}", "Use one of: {known}.")


@dataclass(frozen=True, slots=True)
class FactorLayout:
    """One grouping factor and its random effects.

    Attributes
    ----------
    name : str
        ``a`` or ``a:b``.
    group : tuple of str
        The columns whose combinations are the groups.
    blocks : tuple of tuple of int
        Positions in u of the effects that vary, one tuple per unstructured covariance matrix.
    every : tuple of int
        Positions of all of u where every cross-product within the groups is kept, for cluster-robust methods; else empty.
    """

    name: str
    group: tuple[str, ...]
    blocks: tuple[tuple[int, ...], ...]
    every: tuple[int, ...] = ()

    @property
    def effects(self) -> tuple[int, ...]:
        """Positions in u of the k effects, block after block."""
        return tuple(e for block in self.blocks for e in block)

    @property
    def needed(self) -> tuple[int, ...]:
        """Positions in u whose group sums are kept: the constant, for centring, and the effects."""
        return _needed(self.blocks, self.every)


@lru_cache(maxsize=256)
def _needed(blocks: tuple[tuple[int, ...], ...], every: tuple[int, ...]) -> tuple[int, ...]:
    """Return the constant and all that stands in blocks or in `every`, each once."""
    return tuple(dict.fromkeys((0, *itertools.chain(*blocks), *every)))


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns u of a model.

    Attributes
    ----------
    text : str
        The formula, or a description where there is none.
    columns : tuple of str
        Names of u: the constant first, the response last.
    fixed : tuple of int
        Positions in u of the columns of X.
    factors : tuple of FactorLayout
    indicators : frozenset of int
        Positions of columns of zeros and ones, which are not centred in the pass.
    learned : tuple of (str, State)
        What transforms such as ``poly(x, 2)`` learned from the rows; the columns mean the same only where it is the same.
    notes : tuple of Phrase
        What a reader of the formula may have meant otherwise.
    """

    text: str
    columns: tuple[str, ...]
    fixed: tuple[int, ...]
    factors: tuple[FactorLayout, ...]
    indicators: frozenset[int] = frozenset()
    learned: tuple[tuple[str, State], ...] = ()
    notes: tuple[Phrase, ...] = ()

    @property
    def fixed_names(self) -> tuple[str, ...]:
        """Names of the columns of X."""
        return tuple(self.columns[i] for i in self.fixed)

    @property
    def has_intercept(self) -> bool:
        """Whether the constant is a column of X."""
        return 0 in self.fixed

    def with_clusters(self, name: str | None) -> Layout:
        """Return the layout that keeps every cross-product within the groups of a factor; None changes nothing.

        Raises
        ------
        Refusal
            FIT-059 if there is no such factor.
        """
        if name is None:
            return self
        known = [f.name for f in self.factors]
        if name not in known:
            UNKNOWN_GROUP.refuse(group=name, known=", ".join(known))
        every = tuple(range(len(self.columns)))
        return replace(self, factors=tuple(replace(f, every=every) if f.name == name else f for f in self.factors))


def lay_out(text: str, response: str, fixed: Plan, blocks: list[tuple[RandomBlock, Plan]]) -> tuple[Layout, tuple[Column, ...]]:
    """Return the layout of a model, and how each column of u but the response is made."""
    return _laid_out(text, response, fixed.columns, tuple((block.group, plan.columns) for block, plan in blocks))


@lru_cache(maxsize=256)
def _laid_out(
    text: str, response: str, fixed: tuple[Column, ...], blocks: tuple[tuple[tuple[str, ...], tuple[Column, ...]], ...]
) -> tuple[Layout, tuple[Column, ...]]:
    """Return the same from the columns of each part; models of one outcome after the other have the same ones.

    Raises
    ------
    Refusal
        FIT-035 if two columns have one name.
    """
    columns: dict[str, Column] = {CONSTANT: Column(CONSTANT, (), -1)}
    for column in itertools.chain(fixed, *(own for _, own in blocks)):
        if columns.setdefault(column.name, column).parts != column.parts:
            SAME_NAME.refuse(text, name=column.name)
    position = {name: i for i, name in enumerate(columns)}
    factors: dict[tuple[str, ...], list[tuple[int, ...]]] = {}
    for group, own in blocks:
        factors.setdefault(group, []).append(tuple(position[c.name] for c in own))
    laid = tuple(FactorLayout(":".join(group), group, tuple(b)) for group, b in factors.items())
    indicators = frozenset(i for i, c in enumerate(columns.values()) if c.is_indicator)
    names = (*columns, response)
    return Layout(text, names, tuple(position[c.name] for c in fixed), laid, indicators), tuple(columns.values())
