"""What a model needs of rows that stay elsewhere: the question to a data base, and what its answer means.

The question names the keys of one GROUP BY (the grouping columns and the columns of categories) and numbers per row,
z = [1, products of numeric columns, y], each less a constant. The answer has one row for every combination of keys that
occurs, with its number of rows and its sums of w z_i z_j. A column of the design is, within such a row, a known number times
one of z, so every cross-product follows from the answer:

    u_k = a_k z_p(k) + b_k,    a_k = the product of its indicators,    b_k = a_k c_p(k) - shift_k,

with c the constants. What a column means is never decided by the data base: the layout is that of
`asp_eval.stats.design.model_frame.read_design` on the keys of the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.arithmetic import is_logical, plain_function
from asp_eval.stats.design.columns import Column
from asp_eval.stats.design.formula import NO_RANDOM, ModelFormula, expand_terms, names_in, parse_formula
from asp_eval.stats.design.layout import UNKNOWN_GROUP, Layout
from asp_eval.stats.design.model_frame import BAD_WEIGHTS, Design, read_design
from asp_eval.stats.design.syntax import CODED, Call, Name, Tree, parse, spell
from asp_eval.stats.design.transforms import LEARNED
from asp_eval.stats.design.variables import NO_ROWS, NOT_FINITE, Categories, Codes
from asp_eval.stats.engine.accumulate import Sums, empty_sums
from asp_eval.stats.estimate import Array

NOT_BY_SUMS = Fault(
    "FIT-170",
    "{part} cannot be had from one pass of sums: {why}",
    "Make it a column of the table or view that is read, or fit from the rows with lmm(formula, frame).",
)
NO_ANSWER = Fault(
    "FIT-171",
    "this is no answer to the question for group sums: {why}",
    "Run the statement of 'asp-eval moments --sql' unchanged.",
)
UNDECLARED = Fault(
    "FIT-172",
    "the column {name} holds a category that was not declared",
    "Declare every category of the column, in order, the reference first.",
)

NOT_IN_MODEL = Fault(
    "FIT-179", "categories are declared of {name}, which is no column of the model's effects", "Correct or leave out its name."
)

GROUP, CATEGORY, VALUE = "group_", "category_", "value_"
"""What the names of the answer's keys begin with: a grouping column; categories; a column that the formula makes categories."""
WEIGHTS = "(weights)"
Declared = Mapping[str, Sequence[object] | None]
"""Columns of categories with their categories in order, or None where the order is the sorted one."""


@dataclass(frozen=True, slots=True)
class GroupQuestion:
    """What is asked of a data base.

    Attributes
    ----------
    formula : ModelFormula
    groups : tuple of str
        Grouping columns.
    categories : tuple of str
        Columns of categories.
    values : tuple of str
        Columns whose values the formula makes categories, as ``factor(age)``.
    parts : tuple of tuple of str
        Numeric columns of each product but the constant and the response.
    offsets : tuple of str
        Columns that are taken from the response.
    weights : str or None
    """

    formula: ModelFormula
    groups: tuple[str, ...]
    categories: tuple[str, ...]
    values: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]
    offsets: tuple[str, ...]
    weights: str | None

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """Name in the answer, and column, of each key."""
        named = ((GROUP, self.groups), (CATEGORY, self.categories), (VALUE, self.values))
        return tuple((head + column, column) for head, columns in named for column in columns)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Numeric columns."""
        every = (*(c for part in self.parts for c in part), self.formula.response, *self.offsets)
        return tuple(dict.fromkeys((*every, self.weights) if self.weights else every))

    @property
    def products(self) -> tuple[tuple[int, int], ...]:
        """The pairs (i, j) of z whose sums are asked for; that of the constants is the count, unless rows have weights."""
        k = len(self.parts) + 2
        return tuple((i, j) for i in range(k) for j in range(i, k) if j or self.weights)


class GroupSums(Protocol):
    """A data base that answers the question in one pass."""

    def group_sums(self, question: GroupQuestion) -> pd.DataFrame:
        """Return the answer: see `read_answer` for its columns."""


def ask(formula: str, categories: Iterable[str], weights: str | None = None) -> GroupQuestion:
    """Return the question that a formula puts, when it is known which of its columns hold categories.

    Raises
    ------
    Refusal
        FIT-170 if the model has arithmetic or functions of columns; FIT-011 if it has no random term.
    """
    parsed = parse_formula(formula)
    if not parsed.blocks:
        NO_RANDOM.refuse(formula)
    parsed = parsed.filled(())
    if not isinstance(parsed.outcome, Name):
        _refuse_arithmetic(parsed.response)
    known = set(categories)
    found, values = dict[str, None](), dict[str, None]()
    parts: dict[tuple[str, ...], None] = {}
    for expression in parsed.effects:
        for term in expand_terms(expression):
            numeric = []
            for tree in term.trees:
                column = _column_of(tree)
                if not isinstance(tree, Name):
                    (found if column in known else values)[column] = None
                elif column in known:
                    found[column] = None
                else:
                    numeric.append(column)
            if numeric:
                parts[tuple(sorted(numeric))] = None
    groups = grouping_columns(formula)
    offsets = tuple(_plain_column(o) for o in parsed.offsets)
    return GroupQuestion(parsed, groups, tuple(found), tuple(values), tuple(parts), offsets, weights)


def columns_named(formula: str) -> tuple[str, ...]:
    """Return the columns that stand by their names in the fixed and random effects: numbers or categories, by their type."""
    trees = (t for e in parse_formula(formula).effects for term in expand_terms(e) for t in term.trees)
    return tuple(dict.fromkeys(t.name for t in trees if isinstance(t, Name)))


def grouping_columns(formula: str) -> tuple[str, ...]:
    """Return the columns right of the bars."""
    return tuple(dict.fromkeys(g for b in parse_formula(formula).blocks for g in b.group))


def check_clusters(formula: str, clusters: str | None) -> None:
    """Refuse a grouping factor that the model does not have, before a table is read for it.

    Raises
    ------
    Refusal
        FIT-059
    """
    known = dict.fromkeys(":".join(b.group) for b in parse_formula(formula).blocks)
    if clusters is not None and clusters not in known:
        UNKNOWN_GROUP.refuse(group=clusters, known=", ".join(known))


def check_declared(formula: str, declared: Iterable[str]) -> None:
    """Refuse categories of a column that the model does not have: a slip would leave another with its sorted order.

    Raises
    ------
    Refusal
        FIT-179
    """
    used = [n for e in parse_formula(formula).effects for n in names_in(e)]
    for name in declared:
        if name not in used:
            NOT_IN_MODEL.refuse(formula, name=name)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Group sums as the engine keeps them.

    Attributes
    ----------
    design : Design
        Of the keys of the answer.
    layout : Layout
        The design's, with what was asked for besides.
    sums : Sums
    n, n_dropped : int
        Complete rows, and the others.
    log_weights : float
    """

    design: Design
    layout: Layout
    sums: Sums
    n: int
    n_dropped: int
    log_weights: float


def read_answer(frame: pd.DataFrame, categories: Declared | None = None, clusters: str | None = None) -> Answer:
    """Return what an answer says.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per combination of keys, and one for all incomplete rows: ``formula``; ``complete`` (1 or 0); the keys,
        named ``group_x``, ``category_x`` and ``value_x`` after their columns; ``n``; ``constant_i``, what was taken from z_i;
        ``sum_i_j``, the sums of w z_i z_j; with weights, ``log_weights`` and ``least_weight``.
    categories : mapping of str to sequence, optional
        The categories of columns in order, the reference first, also those that no row holds.
    clusters : str, optional
        Grouping factor within whose groups every cross-product is kept.

    Raises
    ------
    Refusal
        FIT-171 if a column is missing or a number cannot be; FIT-023 if no row is complete; FIT-021 if a value is infinite.
    """
    question = _question_of(frame)
    check_declared(question.formula.text, categories or {})
    whole = _whole_numbers(frame, "complete") == 1
    counts = _whole_numbers(frame, "n")
    if not whole.any():
        NO_ROWS.refuse(found=Phrase("{n} rows", n=int(counts.sum())))
    rows = frame[whole]
    n = counts[whole]
    if (n < 1).any():
        NO_ANSWER.refuse("n", why=Phrase("a group has no rows"))
    design = read_design(
        question.formula.text,
        _key_frame(question, rows, categories or {}),
        weights=WEIGHTS if question.weights else None,
        declared=True,
    )
    z = _cross_products(question, rows, n)
    layout = design.layout.with_clusters(clusters)
    sums = _engine_sums(question, design, layout, z, _constants(question, rows))
    log_weights = _weights_of(rows) if question.weights else 0.0
    return Answer(design, layout, sums, int(n.sum()), int(counts[~whole].sum()), log_weights)


def _column_of(tree: Tree) -> str:
    """Return the column of a factor that sums can stand for: a column, or ``C(column)`` and its kin."""
    if isinstance(tree, Name):
        return tree.name
    if isinstance(tree, Call) and tree.function in CODED and tree.arguments:
        return _column_of(tree.arguments[0])
    if isinstance(tree, Call) and plain_function(tree.function) in LEARNED:
        return NOT_BY_SUMS.refuse(
            part=spell(tree), why=Phrase("it learns from all rows before it can be computed for any, which takes two passes")
        )
    if is_logical(tree):
        return NOT_BY_SUMS.refuse(part=spell(tree), why=Phrase("a comparison is not among what the data base is asked for"))
    return _refuse_arithmetic(spell(tree))


def _plain_column(expression: str) -> str:
    tree = parse(expression)
    return tree.name if isinstance(tree, Name) else _refuse_arithmetic(expression)


def _refuse_arithmetic(part: str) -> str:
    return NOT_BY_SUMS.refuse(part=part, why=Phrase("arithmetic on columns is not among what the data base is asked for"))


def _question_of(frame: pd.DataFrame) -> GroupQuestion:
    """Return the question that an answer answers, and see that all of it is there."""
    if not isinstance(frame, pd.DataFrame):
        NO_ANSWER.refuse(why=Phrase("it is no table"), found=type(frame).__name__)
    missing = [c for c in ("formula", "complete", "n") if c not in frame.columns]
    if missing:
        NO_ANSWER.refuse(why=Phrase("it has no column {name}", name=missing[0]))
    if not len(frame):
        NO_ROWS.refuse(found=Phrase("{n} rows", n=0))
    formulas = frame["formula"].astype(str).unique()
    if len(formulas) != 1:
        NO_ANSWER.refuse("formula", why=Phrase("it is of {n} different formulas", n=len(formulas)))
    known = [str(c).removeprefix(CATEGORY) for c in frame.columns if str(c).startswith(CATEGORY)]
    question = ask(str(formulas[0]), known, WEIGHTS if "log_weights" in frame.columns else None)
    wanted = [name for name, _ in question.keys] + [f"sum_{i}_{j}" for i, j in question.products]
    wanted += [f"constant_{i}" for i in range(1, len(question.parts) + 2)] + ["least_weight"] * bool(question.weights)
    missing = [c for c in wanted if c not in frame.columns]
    if missing:
        NO_ANSWER.refuse(why=Phrase("it has no column {name}", name=missing[0]))
    return question


def _whole_numbers(frame: pd.DataFrame, name: str) -> Array:
    values = _numbers(frame, name)
    if not (np.isfinite(values) & (values >= 0) & (values == np.rint(values))).all():
        NO_ANSWER.refuse(name, why=Phrase("it does not hold whole numbers"))
    return values


def _numbers(frame: pd.DataFrame, name: str) -> Array:
    return np.asarray(pd.to_numeric(frame[name], errors="coerce").to_numpy(float, na_value=np.nan))


def _key_frame(question: GroupQuestion, rows: pd.DataFrame, declared: Declared) -> pd.DataFrame:
    """Return the keys under the names of their columns, the numeric columns as ones: enough to lay the model out."""
    columns: dict[str, object] = {name: np.ones(len(rows)) for name in question.numbers}
    for name, column in question.keys:
        key = _plain_key(rows[name])
        if key.isna().any():
            NO_ANSWER.refuse(name, why=Phrase("a complete row has no value of it"))
        if name.startswith(CATEGORY):
            key = _declared(column, key, declared.get(column))
        columns[column] = key.reset_index(drop=True)
    return pd.DataFrame(columns)


def _plain_key(key: pd.Series) -> pd.Series:
    """Return a key without the kind that only the row of incomplete rows asked for, 7.0 as 7."""
    if isinstance(key.dtype, pd.CategoricalDtype):
        return key
    if pd.api.types.is_float_dtype(key.dtype) and not key.isna().any() and bool((key == key.round()).all()):
        if bool((key.abs() >= 2.0**53).any()):
            NO_ANSWER.refuse(str(key.name), why=Phrase("its numbers are too large to be told apart; read them as text"))
        return key.astype(np.int64)
    if pd.api.types.is_object_dtype(key.dtype):
        key = key.infer_objects()
    plain = {"b": np.dtype(bool), "i": np.dtype(np.int64), "u": np.dtype(np.uint64)}.get(getattr(key.dtype, "kind", "O"))
    return key if plain is None or key.isna().any() else key.astype(plain)


def _declared(column: str, key: pd.Series, declared: Sequence[object] | None) -> pd.Series:
    """Return categories in their declared order; numbers as categories."""
    if declared is not None:
        labels = key.astype(object)
        spelled = {str(v): v for v in labels.unique()}  # a number is found by its text, too
        order = [spelled.get(str(v), v) for v in declared]
        new = [v for v in spelled.values() if v not in order]
        if new:
            UNDECLARED.refuse(name=column, found=str(new[0]), expected=", ".join(str(v) for v in declared))
        return pd.Series(pd.Categorical(labels, categories=order), index=key.index)
    if pd.api.types.is_bool_dtype(key.dtype) or isinstance(key.dtype, pd.CategoricalDtype):
        return key
    return pd.Series(pd.Categorical(key.astype(object)), index=key.index)


def _cross_products(question: GroupQuestion, rows: pd.DataFrame, n: Array) -> dict[tuple[int, int], Array]:
    """Return the sums of w z_i z_j, i <= j, per row of the answer (r,)."""
    names = ("", *(":".join(p) for p in question.parts), question.formula.response)
    z = {} if question.weights else {(0, 0): n}
    for i, j in question.products:
        z[i, j] = _numbers(rows, f"sum_{i}_{j}")
        if not np.isfinite(z[i, j]).all():
            NOT_FINITE.refuse(names[j])
    return z


def _constants(question: GroupQuestion, rows: pd.DataFrame) -> Array:
    """Return what was taken from z (k,)."""
    out = np.zeros(len(question.parts) + 2)
    for i in range(1, len(out)):
        values = _numbers(rows, f"constant_{i}")
        if not np.isfinite(values).all() or (values != values[0]).any():
            NO_ANSWER.refuse(f"constant_{i}", why=Phrase("it is not one number; answers of several shards are read one by one"))
        out[i] = values[0]
    return out


def _weights_of(rows: pd.DataFrame) -> float:
    """Return the sum of the logarithms of the weights, which must all be positive."""
    least, logs = _numbers(rows, "least_weight"), _numbers(rows, "log_weights")
    if not (least > 0).all():
        BAD_WEIGHTS.refuse()
    if not np.isfinite(logs).all():
        NOT_FINITE.refuse("log_weights")
    return float(logs.sum())


def _engine_sums(
    question: GroupQuestion, design: Design, layout: Layout, z: dict[tuple[int, int], Array], constants: Array
) -> Sums:
    """Return total, group sums and cells of u from the sums of z."""
    where = {part: i for i, part in enumerate(((), *question.parts))}
    last = len(where)
    own = [_known_part(column, design, set(question.numbers)) for column in design.columns]
    a = [*(known for known, _ in own), 1.0]
    p = [*(where[numeric] for _, numeric in own), last]
    weight, every = z[0, 0], float(z[0, 0].sum())
    shift = np.array(
        [0.0 if part == 0 else constants[part] * float(np.sum(weight * known)) / every for known, part in zip(a, p, strict=True)]
    )
    plain = [isinstance(known, float) for known in a]
    shift = np.where(plain, constants[p], shift)
    b = [0.0 if p[k] == 0 or plain[k] else a[k] * constants[p[k]] - shift[k] for k in range(len(a))]

    def product(k: int, j: int) -> Array:
        out = a[k] * a[j] * z[min(p[k], p[j]), max(p[k], p[j])]
        if not np.isscalar(b[j]) or b[j]:
            out = out + a[k] * b[j] * z[0, p[k]]
        if not np.isscalar(b[k]) or b[k]:
            out = out + b[k] * a[j] * z[0, p[j]] + b[k] * b[j] * weight
        return np.asarray(out)

    return _summed(layout, [g.codes for g in design.groups], [len(g.levels) for g in design.groups], product, shift)


def _known_part(column: Column, design: Design, numbers: set[str]) -> tuple[Array | float, tuple[str, ...]]:
    """Return what the keys say of a column (r,), and which numeric columns it is a product of besides."""
    known: Array | float = 1.0
    numeric = []
    for name, level in column.parts:
        variable = design.data.columns[name]
        if isinstance(variable, Categories):
            known = known * ((variable.codes == level) * 1.0)
        elif name in numbers:
            numeric.append(name)
        else:  # contrasts of categories, such as C(f, Sum)
            known = known * variable.numbers
    return known, tuple(sorted(numeric))


def _summed(layout: Layout, codes: list[Codes], sizes: list[int], product: Callable[[int, int], Array], shift: Array) -> Sums:
    """Add the products of columns over the rows of the answer: in all, within groups, within cells of two factors."""
    factors = layout.factors
    empty, pairs = empty_sums(layout, shift, codes, sizes)
    total, sums, cells, c = empty.total, empty.sums, empty.cells, len(shift)
    for k in range(c):
        for j in range(k, c):
            values = product(k, j)
            total[k, j] = total[j, k] = values.sum()
            for x, y in dict.fromkeys(((k, j), (j, k))):
                for factor, code, out in zip(factors, codes, sums, strict=True):
                    if x in factor.needed:
                        out[:, factor.needed.index(x), y] = np.bincount(code, weights=values, minlength=len(out))
                for pair, cell in pairs.items():
                    first, second = factors[pair[0]].needed, factors[pair[1]].needed
                    if x in first and y in second:
                        blocks = cells[pair][1]
                        blocks[:, first.index(x), second.index(y)] = np.bincount(cell, weights=values, minlength=len(blocks))
    return empty
