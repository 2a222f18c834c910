"""The factors of a formula's terms: a column, a function of a column, or a column of categories with its coding.

A factor knows which columns it has in a design matrix, in full (one indicator per category) and reduced (its contrasts),
what it learned from the rows, and how to write the same columns for new rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.arithmetic import CANNOT_BUILD, compute, is_logical, plain_function
from asp_eval.stats.design.syntax import CODED, SYNTAX, Call, Constant, Name, Tree, spell
from asp_eval.stats.design.transforms import LEARNED, State, constant, transform
from asp_eval.stats.design.variables import Categories, Numeric, Variable, numbers_of
from asp_eval.stats.estimate import Array

NEW_LEVEL = Fault("FIT-031", "the new data hold a category that the model has not seen", "Leave these rows out, or refit.")
NO_CODING = Fault(
    "FIT-033",
    "there is no coding named {name!r}",
    "Use C(f), C(f, Treatment('reference')), C(f, Sum), C(f, Helmert), C(f, Diff) or C(f, Poly).",
)
NO_CATEGORY = Fault("FIT-034", "the column has no category {label!r}", "Use one of its categories: {known}.")

CODINGS = {
    "Treatment": "treatment",
    "contr.treatment": "treatment",
    "treatment": "treatment",
    "Sum": "sum",
    "contr.sum": "sum",
    "sum": "sum",
    "Helmert": "helmert",
    "contr.helmert": "helmert",
    "helmert": "helmert",
    "Poly": "poly",
    "contr.poly": "poly",
    "poly": "poly",
    "SAS": "SAS",
    "contr.SAS": "SAS",
    "Diff": "diff",
    "contr.diff": "diff",
}

Part = tuple[str, int | None]
"""A variable with the position of a category (its indicator), or with None (its values)."""


Labelled = tuple[tuple[str, Part], ...]


class Coding(NamedTuple):
    """The columns of a factor: `Factor` says what they are."""

    is_categorical: bool
    full: Labelled
    reduced: Labelled


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """One factor and its columns.

    Attributes
    ----------
    tree : Tree
    key : str
        The name its variable is kept under: the column's own, or that of the expression after an equals sign.
    name : str
        As coefficients are named.
    full, reduced : tuple of (str, Part)
        Labels and parts of its columns, in full coding and by contrasts; the same where it is numeric.
    levels : pandas.Index or None
        Categories, the reference first where it is coded by treatment contrasts.
    absent : tuple of str
        Labels of coefficients that declared but unobserved categories would have had.
    coding : ndarray (a, k) or None
        Values of the contrasts in each category, where they are not indicators.
    learned : State or None
        What it learned from the rows.
    """

    tree: Tree
    key: str
    name: str
    full: Labelled
    reduced: Labelled
    levels: pd.Index | None = None
    absent: tuple[str, ...] = ()
    coding: Array | None = None
    learned: State | None = None

    @property
    def is_categorical(self) -> bool:
        """Whether its columns, in full, add up to the constant."""
        return self.levels is not None

    @property
    def coded(self) -> Coding:
        """Its columns, which are the same for many tables."""
        return Coding(self.is_categorical, self.full, self.reduced)

    def by_treatment(self) -> Factor:
        """Return the factor with its first category as the reference, if it is coded otherwise."""
        return self if self.coding is None else replace(self, reduced=self.full[1:], coding=None)

    def variables(self, columns: Mapping[str, Variable], n: int) -> dict[str, Variable]:
        """Return the variables that its parts name, from those of the data.

        Raises
        ------
        Refusal
            FIT-031 if a category is new.
        """
        if self.levels is not None:
            coded = recode(self.name, categories_of(self.tree, columns, n), self.levels)
            out: dict[str, Variable] = {self.key: coded}
            if self.coding is not None:
                out |= {key: Numeric(self.coding[coded.codes, k]) for k, (_, (key, _)) in enumerate(self.reduced)}
            return out
        if isinstance(self.tree, Name) and isinstance(columns[self.tree.name], Numeric):
            return {self.key: columns[self.tree.name]}
        values, _, _ = _values(self.tree, columns, n, self.learned)
        return {key: Numeric(values[:, k]) for k, (_, (key, _)) in enumerate(self.full)}


def make_factor(tree: Tree, columns: Mapping[str, Variable], n: int, learned: Mapping[str, State]) -> Factor:
    """Return a factor as the rows show it.

    Parameters
    ----------
    tree : Tree
    columns : mapping of str to Variable
        Every column the tree names.
    n : int
        Rows.
    learned : mapping of str to State
        What earlier rows taught, by the factor's name.
    """
    if isinstance(tree, Name):
        variable = columns[tree.name]
        return _categorical(tree, tree.name, tree.name, variable) if isinstance(variable, Categories) else _numeric(tree)
    name = spell(tree)
    key = f"={name}"
    if _is_coded(tree) or is_logical(tree):
        return _categorical(tree, key, name, categories_of(tree, columns, n))
    _, labels, found = _values(tree, columns, n, learned.get(name))
    marks = [f"[{label}]" for label in labels] or [""]
    parts = tuple((f"{name}{mark}", (f"{key}{mark}", None)) for mark in marks)
    return Factor(tree, key, name, parts, parts, learned=found)


@lru_cache(maxsize=256)
def _numeric(tree: Name) -> Factor:
    """Return the factor of a column of numbers."""
    parts = ((tree.name, (tree.name, None)),)
    return Factor(tree, tree.name, tree.name, parts, parts)


def categories_of(tree: Tree, columns: Mapping[str, Variable], n: int) -> Categories:
    """Return the categories of a column, of a truth value, or of ``C(f)``, ``factor(f)`` or ``relevel(f, ref=)``."""
    if isinstance(tree, Name):
        variable = columns[tree.name]
        return variable if isinstance(variable, Categories) else NEW_LEVEL.refuse(tree.name, found=Phrase("numbers"))
    if is_logical(tree):
        return Categories(compute(tree, columns, n).astype(np.intp), pd.Index([False, True]), boolean=True)
    if not isinstance(tree, Call) or not tree.arguments:
        return SYNTAX.refuse(spell(tree), why=Phrase("it names no column"))
    inner = tree.arguments[0]
    if isinstance(inner, Name) or _is_coded(inner):
        found = columns[inner.name] if isinstance(inner, Name) else categories_of(inner, columns, n)
    else:
        found = Numeric(compute(inner, columns, n))
    coded = found if isinstance(found, Categories) else _distinct(found.numbers)
    named = {k: constant(v) for k, v in tree.named if k in ("levels", "ref")}
    if tree.function == "relevel":
        reference = named["ref"] if "ref" in named else constant(tree.arguments[1]) if len(tree.arguments) == 2 else None
        return _reordered(tree, coded, [reference, *(v for v in coded.levels if str(v) != str(reference))])
    if tree.function in ("factor", "as.factor") and len(tree.arguments) == 2:
        named["levels"] = constant(tree.arguments[1])
    return _reordered(tree, coded, named["levels"]) if named.get("levels") is not None else coded


def recode(name: str, variable: Variable, levels: pd.Index) -> Categories:
    """Return a variable coded by the categories of an earlier plan."""
    if not isinstance(variable, Categories):
        return NEW_LEVEL.refuse(name, found=Phrase("numbers"), expected=Phrase("categories"))
    if levels is variable.levels or levels.equals(variable.levels):
        return variable
    position = levels.get_indexer(variable.levels)
    used = np.bincount(variable.codes, minlength=len(position)) > 0
    if (position[used] < 0).any():
        new = ", ".join(str(v) for v in variable.levels[used & (position < 0)][:5])
        NEW_LEVEL.refuse(name, found=new, expected=", ".join(str(v) for v in levels[:10]))
    return Categories(position[variable.codes].astype(np.intp), levels, boolean=variable.boolean)


def _is_coded(tree: Tree) -> bool:
    return isinstance(tree, Call) and tree.function in CODED


def _distinct(numbers: Array) -> Categories:
    """Return numbers as categories in ascending order; whole numbers are labelled as such."""
    levels, codes = np.unique(numbers, return_inverse=True)
    whole = bool((levels == np.rint(levels)).all()) and bool((np.abs(levels) < 2**53).all())
    return Categories(codes.astype(np.intp), pd.Index(levels.astype(np.int64) if whole else levels))


def _reordered(tree: Tree, coded: Categories, order: object) -> Categories:
    """Return categories in a stated order; all must be in it."""
    wanted = order if isinstance(order, list) else [order]
    known = {str(v): v for v in coded.levels}
    absent = {str(v): v for v in coded.absent}
    unknown = [v for v in wanted if str(v) not in known and str(v) not in absent]
    if unknown:
        NO_CATEGORY.refuse(spell(tree), label=unknown[0], known=", ".join(known))
    left_out = [k for k in known if k not in {str(v) for v in wanted}]
    if left_out:
        SYNTAX.refuse(spell(tree), why=Phrase("its levels leave out the category {label}", label=left_out[0]))
    levels = pd.Index([known[str(v)] for v in wanted if str(v) in known])
    position = levels.get_indexer(coded.levels)
    return Categories(position[coded.codes].astype(np.intp), levels, coded.absent, boolean=coded.boolean)


def _categorical(tree: Tree, key: str, name: str, coded: Categories) -> Factor:
    """Return a factor of categories with its coding."""
    levels = coded.levels
    labels = list(levels)
    full = tuple((f"{name}[{v}]", (key, k)) for k, v in enumerate(labels))
    coding, base = _coding(tree, levels)
    absent = () if len(labels) > 1 else tuple(f"{name}[T.{a}]" for a in coded.absent) or (name,)
    if coding == "treatment":
        if coded.boolean:
            parts: Labelled = tuple((name, (key, k)) for k in range(len(labels)) if k != base)
        else:
            parts = tuple((f"{name}[T.{v}]", (key, k)) for k, v in enumerate(labels) if k != base)
        return Factor(tree, key, name, full, parts, levels, absent)
    from formulaic.transforms.contrasts import ContrastsRegistry

    made = getattr(ContrastsRegistry, coding)()
    matrix = np.asarray(made.get_coding_matrix(labels, reduced_rank=True, sparse=False), float)
    marked = made.get_factor_format(labels, reduced_rank=True)
    marks = [marked.format(name="", field=v) for v in made.get_coding_column_names(labels, reduced_rank=True)]
    parts = tuple((f"{name}{mark}", (f"{key}{mark}", None)) for mark in marks)
    return Factor(tree, key, name, full, parts, levels, absent, matrix)


def _coding(tree: Tree, levels: pd.Index) -> tuple[str, int]:
    """Return the coding of a factor, and the position of its reference."""
    if not isinstance(tree, Call) or tree.function != "C":
        return "treatment", 0
    given = dict(tree.named)
    asked = tree.arguments[1] if len(tree.arguments) > 1 else given.get("contr", given.get("contrasts"))
    unknown = set(given) - {"levels", "contr", "contrasts"}
    if unknown or len(tree.arguments) > 2:
        SYNTAX.refuse(spell(tree), why=Phrase("C() takes a column, a coding and levels=[...]"))
    if asked is None:
        return "treatment", 0
    function = asked.name if isinstance(asked, Name) else asked.function if isinstance(asked, Call) else spell(asked)
    coding = CODINGS.get(str(function))
    if coding is None:
        NO_CODING.refuse(spell(tree), name=str(function))
    references = (
        [] if not isinstance(asked, Call) else [*asked.arguments, *(v for k, v in asked.named if k in ("base", "reference"))]
    )
    if isinstance(asked, Call) and (len(references) != len(asked.arguments) + len(asked.named) or len(references) > 1):
        SYNTAX.refuse(spell(tree), why=Phrase("a coding takes the reference and nothing else, as in Treatment('usual')"))
    if coding == "SAS":
        return "treatment", len(levels) - 1
    if not references:
        return str(coding), 0
    if coding != "treatment":
        SYNTAX.refuse(spell(tree), why=Phrase("this coding has no reference"))
    wanted = str(constant(references[0]))
    labels = [str(v) for v in levels]
    if wanted not in labels:
        NO_CATEGORY.refuse(spell(tree), label=wanted, known=", ".join(labels[:10]))
    return "treatment", labels.index(wanted)


def _values(
    tree: Tree, columns: Mapping[str, Variable], n: int, learned: State | None
) -> tuple[Array, tuple[str, ...], State | None]:
    """Return values (n, k), labels and what was learned, of a factor that is no factor of categories."""
    if isinstance(tree, Name):
        return numbers_of(tree.name, columns[tree.name])[:, None], (), None
    function = plain_function(tree.function) if isinstance(tree, Call) else ""
    if not isinstance(tree, Call) or function not in LEARNED:
        return compute(tree, columns, n)[:, None], (), None
    if not tree.arguments or isinstance(tree.arguments[0], Constant):
        SYNTAX.refuse(spell(tree), why=Phrase("it names no column"))
    inner = tree.arguments[0]
    x = numbers_of(inner.name, columns[inner.name]) if isinstance(inner, Name) else compute(inner, columns, n)
    labels, values, found = transform(tree, function, x, learned)
    if not np.isfinite(values).all():
        CANNOT_BUILD.refuse(
            spell(tree), why=Phrase("{n} of its values are not finite numbers", n=int((~np.isfinite(values)).sum()))
        )
    return values, labels, found
