"""Cross-products of a mixed model: all that estimation and inference need of the rows, and they add.

With u = [1, X, Z's covariates, y], `Moments` holds u'Wu and, for each grouping factor, [1 z]'Wu within each group
(`asp_eval.stats.engine.accumulate`). Two `Moments` of the same model on different rows add, so the pass can be made in
chunks, in parallel, or by a data base that returns group sums. Everything after it costs what the groups cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.layout import CONSTANT, FactorLayout, Layout
from asp_eval.stats.design.model_frame import BAD_WEIGHTS, Design, read_design
from asp_eval.stats.design.tables import Given, as_frame
from asp_eval.stats.design.variables import read_categories
from asp_eval.stats.engine.accumulate import Sums, accumulate
from asp_eval.stats.engine.disclosure import UNCOUNTED, check_counts, whole_minimum
from asp_eval.stats.engine.group_sums import Declared, read_answer
from asp_eval.stats.engine.moments_file import NOT_A_FILE, read_arrays, write_arrays
from asp_eval.stats.estimate import Array

DIFFERENT_MODELS = Fault(
    "FIT-040",
    "these moments belong to different models or codings and cannot be added",
    "Use the same formula for every chunk, and declare the categories of every factor (pandas.Categorical).",
)
OTHER_TRANSFORM = Fault(
    "FIT-036",
    "{name} was computed from each chunk's own rows, so the same column means something else in each",
    "Form the later chunks with Moments.from_frame(formula, frame, like=first).",
)
NOT_MOMENTS = Fault("FIT-037", "these are no moments", "Make them with Moments.from_frame(formula, frame).")
BAD_ARRAYS = Fault("FIT-042", "the arrays do not fit together: {why}", "Give n rows of everything.")


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Cross-products of the effects of two factors.

    Attributes
    ----------
    where : ndarray of int (cells, 2)
        Group of the first and of the second factor, for each combination that occurs.
    blocks : ndarray (cells, v_i, v_j)
    """

    where: npt.NDArray[np.intp]
    blocks: Array


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Cross-products of one model on some rows.

    Attributes
    ----------
    layout : Layout
        The columns u (c of them) and how the groups use them.
    shift : ndarray (c,)
        What was subtracted from each column before multiplying.
    total : ndarray (c, c)
        u'Wu.
    levels : tuple of pandas.Index
        The m_i groups of each factor.
    sums : tuple of ndarray (m_i, v_i, c)
        Within groups, the columns `needed` of the factor times u.
    cells : dict of (int, int) to Cells
        For each pair of factors.
    n_obs, n_dropped : int
        Rows used, and rows left out because a value was missing.
    log_weights : float
        Sum of the logarithms of the weights.
    weighted : bool
    """

    layout: Layout
    shift: Array
    total: Array
    levels: tuple[pd.Index, ...]
    sums: tuple[Array, ...]
    cells: dict[tuple[int, int], Cells]
    n_obs: int
    n_dropped: int = 0
    log_weights: float = 0.0
    weighted: bool = False

    @classmethod
    def from_frame(
        cls,
        formula: str,
        frame: pd.DataFrame,
        weights: Given | None = None,
        *,
        like: Moments | None = None,
        clusters: str | None = None,
    ) -> Moments:
        """Form the cross-products of a formula on a data frame.

        Categories that are declared but not observed keep their columns, so that chunks can be added.

        Parameters
        ----------
        formula : str
        frame : pandas.DataFrame, or anything with ``to_pandas``
        weights : str or array (n,), optional
            Prior weights, as a column's name or values.
        like : Moments, optional
            Of an earlier chunk: transforms that learn from the rows, such as ``poly(x, 2)`` or ``scale(x)``, are those of its
            rows, so that the chunks can be added.
        clusters : str, optional
            The grouping factor within whose groups every cross-product is kept, so that cluster-robust methods need no rows: the
            one in whose groups all others are nested.

        Examples
        --------
        >>> frame = pd.DataFrame({"y": [1.0, 2, 4, 3], "x": [0.0, 1, 0, 1], "g": ["a", "a", "b", "b"]})
        >>> (Moments.from_frame("y ~ x + (1 | g)", frame[:2]) + Moments.from_frame("y ~ x + (1 | g)", frame[2:])).n_obs
        4
        """
        if like is not None and not isinstance(like, Moments):
            NOT_MOMENTS.refuse(found=type(like).__name__)
        learned = None if like is None else dict(like.layout.learned)
        return cls.from_design(read_design(formula, frame, weights=weights, declared=True, learned=learned), clusters)

    @classmethod
    def from_design(cls, design: Design, clusters: str | None = None) -> Moments:
        """Pass once over the rows of a design."""
        layout = design.layout.with_clusters(clusters)
        codes, levels = [g.codes for g in design.groups], [g.levels for g in design.groups]
        n = design.data.n
        sums = accumulate(layout, n, design.fill, codes, [len(v) for v in levels], design.weights)
        return cls.of_pass(layout, sums, levels, n, dropped=design.data.n_dropped, weights=design.weights)

    @classmethod
    def from_arrays(
        cls,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        groups: Mapping[str, npt.ArrayLike],
        *,
        names: Sequence[str] | None = None,
        random: Mapping[str, Sequence[Sequence[str]]] | None = None,
        weights: npt.ArrayLike | None = None,
        clusters: str | None = None,
    ) -> Moments:
        """Form the cross-products of arrays.

        Parameters
        ----------
        X : array (n, p)
            Fixed effects; a column of ones, if there is one, is called ``Intercept``.
        y : array (n,)
        groups : mapping of str to array (n,)
            The groups of each factor, of any dtype.
        names : sequence of str, optional
            Names of the columns of X; by default ``Intercept, x1, x2, ...``.
        random : mapping of str to blocks of column names, optional
            Which columns vary by each factor; by default the intercept. ``{"g": [["Intercept", "t"]]}`` is
            ``(1 + t | g)``, two blocks are ``||``.
        weights : array (n,), optional
        clusters : str, optional
            The grouping factor within whose groups every cross-product is kept, so that cluster-robust methods need no rows: the
            one in whose groups all others are nested.
        """
        x, response = _numbers("X", X), _numbers("y", y)
        if not isinstance(groups, Mapping) or not groups:
            BAD_ARRAYS.refuse(why=Phrase("groups maps names to arrays"))
        if x.ndim != 2 or response.shape != (len(x),):
            BAD_ARRAYS.refuse(why=Phrase("X is {x}, y is {y}", x=str(x.shape), y=str(response.shape)))
        columns = _default_names(x) if names is None else _listed(names)
        if len(columns) != x.shape[1] or not all(isinstance(c, str) for c in columns):
            BAD_ARRAYS.refuse(why=Phrase("names holds one text per column of X"))
        layout = _array_layout(columns, {g: (random or {}).get(g, [[CONSTANT]]) for g in groups}).with_clusters(clusters)
        if any(np.shape(g) != (len(x),) for g in groups.values()):
            BAD_ARRAYS.refuse(why=Phrase("the groups have another number of rows than X"))
        coded = [read_categories(pd.Series(np.asarray(g))) for g in groups.values()]
        if any(bool(c.missing.any()) for c in coded):
            BAD_ARRAYS.refuse(why=Phrase("a row has no group"))
        coded = [c.observed() for c in coded]
        own = [i for i, name in enumerate(columns) if name != CONSTANT]

        def fill(block: Array, rows: slice) -> None:
            block[0] = 1.0
            for j, i in enumerate(own, start=1):
                block[j] = x[rows, i]
            block[-1] = response[rows]

        w = None if weights is None else _numbers("weights", weights)
        if w is not None and w.shape != response.shape:
            BAD_ARRAYS.refuse(why=Phrase("the weights have another number of rows than X"))
        found = accumulate(layout, len(x), fill, [c.codes for c in coded], [len(c.levels) for c in coded], w)
        return cls.of_pass(layout, found, [c.levels for c in coded], len(x), weights=w)

    @classmethod
    def of_pass(
        cls, layout: Layout, sums: Sums, levels: Sequence[pd.Index], n: int, *, dropped: int = 0, weights: Array | None = None
    ) -> Moments:
        """Wrap what a pass has found."""
        if weights is not None and not bool((weights > 0).all()):
            BAD_WEIGHTS.refuse()
        log_weights = 0.0 if weights is None else float(np.log(weights).sum())
        cells = {k: Cells(*v) for k, v in sums.cells.items()}
        return cls(layout, sums.shift, sums.total, tuple(levels), sums.sums, cells, n, dropped, log_weights, weights is not None)

    @classmethod
    def from_sums(cls, frame: pd.DataFrame, categories: Declared | None = None, clusters: str | None = None) -> Moments:
        """Read the answer of a data base to the statement that ``asp-eval moments --sql`` prints.

        Parameters
        ----------
        frame : pandas.DataFrame, or anything with ``to_pandas`` or ``toPandas``
            The answer as it came, every row of it.
        categories : mapping of str to sequence, optional
            The categories of columns in order, the reference first. Shards that are to be added need them, since each may
            lack one; else they are what the answer holds, sorted.
        clusters : str, optional
            As for `from_frame`.

        Raises
        ------
        Refusal
            FIT-171 if it is no such answer; FIT-172 if a category was not declared.
        """
        convert = getattr(frame, "toPandas", None)
        found = read_answer(as_frame(convert() if callable(convert) else frame), categories, clusters)
        cells = {k: Cells(*v) for k, v in found.sums.cells.items()}
        levels, weighted = tuple(g.levels for g in found.design.groups), found.design.weights is not None
        total = (found.sums.shift, found.sums.total, levels, found.sums.sums, cells)
        return cls(found.layout, *total, found.n, found.n_dropped, found.log_weights, weighted)

    def __add__(self, other: Moments) -> Moments:
        """Return the moments of both sets of rows together."""
        if not isinstance(other, Moments):
            return NotImplemented
        if replace(self.layout, learned=()) == replace(other.layout, learned=()) and self.layout.learned != other.layout.learned:
            differing = [name for name, state in self.layout.learned if dict(other.layout.learned).get(name) != state]
            OTHER_TRANSFORM.refuse(name=", ".join(differing))
        if self.layout != other.layout or self.weighted != other.weighted:
            DIFFERENT_MODELS.refuse(found=", ".join(other.layout.columns), expected=", ".join(self.layout.columns))
        theirs = other.shifted(self.shift)
        merged = [_merge_levels(a, b) for a, b in zip(self.levels, theirs.levels, strict=True)]
        sums = tuple(_scatter(a, b, m) for a, b, m in zip(self.sums, theirs.sums, merged, strict=True))
        cells = {k: _merge_cells(v, theirs.cells[k], merged[k[0]], merged[k[1]]) for k, v in self.cells.items()}
        return Moments(
            self.layout,
            self.shift,
            self.total + theirs.total,
            tuple(m.levels for m in merged),
            sums,
            cells,
            self.n_obs + theirs.n_obs,
            self.n_dropped + theirs.n_dropped,
            self.log_weights + theirs.log_weights,
            self.weighted,
        )

    def save(self, path: str | Path, *, minimum: int = 5) -> None:
        """Write the sums to a file that holds no row, so that they can be sent and added to others.

        Parameters
        ----------
        path : str or Path
            Conventionally with the ending ``.npz``.
        minimum : int
            Fewest rows that any group, category, cell of two categories or rest of one may have; 1 for a file that stays
            in the house.

        Raises
        ------
        Refusal
            FIT-173 if a number is of fewer rows, and nothing is written; FIT-174 if the rows have weights.
        """
        at_least = whole_minimum(minimum)
        if at_least > 1:
            if self.weighted:
                UNCOUNTED.refuse()
            cells = {k: c.blocks[:, 0, 0] for k, c in self.cells.items()}
            counts = (self.n_obs, self.n_dropped)
            plain = self.shifted(np.zeros(len(self.shift)))
            check_counts(self.layout, plain.total, self.levels, plain.sums, cells, counts, at_least)
        arrays: dict[str, npt.NDArray[Any]] = {"shift": self.shift, "total": self.total}
        arrays |= {f"sums_{i}": s for i, s in enumerate(self.sums)}
        arrays |= {f"where_{i}_{j}": c.where for (i, j), c in self.cells.items()}
        arrays |= {f"blocks_{i}_{j}": c.blocks for (i, j), c in self.cells.items()}
        facts = {"n_obs": self.n_obs, "n_dropped": self.n_dropped, "log_weights": self.log_weights, "weighted": self.weighted}
        write_arrays(Path(path), arrays, self.layout, self.levels, facts)

    @classmethod
    def load(cls, path: str | Path) -> Moments:
        """Read sums that `save` wrote.

        Raises
        ------
        Refusal
            FIT-175 if the file is another, or damaged.
        """
        arrays, layout, levels, facts = read_arrays(Path(path))
        c, m = len(layout.columns), [len(v) for v in levels]
        shapes = {"shift": (c,), "total": (c, c)}
        shapes |= {f"sums_{i}": (m[i], len(f.needed), c) for i, f in enumerate(layout.factors)}
        pairs = [(i, j) for i in range(len(m)) for j in range(i + 1, len(m))]
        for i, j in pairs:
            n_cells = len(arrays.get(f"where_{i}_{j}", ()))
            shapes[f"where_{i}_{j}"] = (n_cells, 2)
            shapes[f"blocks_{i}_{j}"] = (n_cells, len(layout.factors[i].needed), len(layout.factors[j].needed))
        for name, shape in shapes.items():
            if name not in arrays or arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
                NOT_A_FILE.refuse(str(path), why=Phrase("the part {name} is not what it should be", name=name))
        cells = {(i, j): Cells(arrays[f"where_{i}_{j}"].astype(np.intp), arrays[f"blocks_{i}_{j}"]) for i, j in pairs}
        sums = tuple(arrays[f"sums_{i}"] for i in range(len(m)))
        held = (facts["n_obs"], facts["n_dropped"], facts["log_weights"], facts["weighted"])
        return cls(layout, arrays["shift"], arrays["total"], levels, sums, cells, *held)

    def shifted(self, shift: Array) -> Moments:
        """Return the same moments about another point: column k becomes u_k + (old shift - new shift)_k * 1."""
        move = self.shift - shift
        if not move.any():
            return self
        T = np.eye(len(shift))
        T[0] += move  # u_new = u_old T
        T[0, 0] = 1.0
        needed = [square_part(T, f.needed) for f in self.layout.factors]
        sums = tuple(_moved(own, s @ T) for own, s in zip(needed, self.sums, strict=True))
        cells = {(i, j): replace(c, blocks=needed[i].T @ c.blocks @ needed[j]) for (i, j), c in self.cells.items()}
        rows = (self.n_obs, self.n_dropped, self.log_weights, self.weighted)
        return Moments(self.layout, shift, T.T @ self.total @ T, self.levels, sums, cells, *rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Merged:
    """The groups of two sets of rows: all of them, and where each set's groups are among them."""

    levels: pd.Index
    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]


def _merge_levels(a: pd.Index, b: pd.Index) -> _Merged:
    """Return the union of two sets of groups: those of `a`, then the new ones of `b`."""
    if a.equals(b):
        return _Merged(a, np.arange(len(a)), np.arange(len(b)))
    levels = a.append(b[a.get_indexer(b) < 0])
    return _Merged(levels, np.arange(len(a)), levels.get_indexer(b).astype(np.intp))


def _scatter(a: Array, b: Array, merged: _Merged) -> Array:
    """Add group sums at the groups' new positions."""
    out = np.zeros((len(merged.levels), *a.shape[1:]))
    out[merged.first] += a
    out[merged.second] += b
    return out


def _merge_cells(a: Cells, b: Cells, rows: _Merged, columns: _Merged) -> Cells:
    """Add cell sums at the cells' new positions."""
    width = len(columns.levels)
    key_a = rows.first[a.where[:, 0]] * width + columns.first[a.where[:, 1]]
    key_b = rows.second[b.where[:, 0]] * width + columns.second[b.where[:, 1]]
    keys, position = np.unique(np.concatenate([key_a, key_b]), return_inverse=True)
    out = np.zeros((len(keys), *a.blocks.shape[1:]))
    out[position[: len(key_a)]] += a.blocks
    out[position[len(key_a) :]] += b.blocks
    return Cells(np.column_stack(np.divmod(keys, width)).astype(np.intp), out)


def square_part(matrix: Array, columns: Sequence[int]) -> Array:
    """Return the rows and columns of a square matrix that some columns of u have."""
    return matrix.take(columns, axis=0).take(columns, axis=1)


def _moved(own: Array, moved: Array) -> Array:
    """Return group sums, of which the columns u were moved, with the columns that a factor keeps moved too."""
    return moved if len(own) == 1 else own.T @ moved  # the constant alone stays


def _numbers(name: str, values: npt.ArrayLike) -> Array:
    """Return an argument as an array of finite numbers."""
    try:
        found = np.asarray(values, float)
    except (TypeError, ValueError) as error:
        return BAD_ARRAYS.refuse(name, why=str(error).splitlines()[0])
    if not np.isfinite(found).all():
        BAD_ARRAYS.refuse(name, why=Phrase("a value is missing or infinite"))
    return found


def _listed(values: object) -> list[Any]:
    """Return a list or tuple as a list; anything else is one value that is no name."""
    if isinstance(values, (list, tuple, pd.Index)):
        return list(values)
    return list(values) if isinstance(values, np.ndarray) and values.ndim == 1 else [None]


def _default_names(x: Array) -> list[str]:
    """Name the columns of X by position; a column of ones is the intercept."""
    ones = [len(x) > 0 and bool(x[0, j] == 1) and bool((x[:, j] == 1).all()) for j in range(x.shape[1])]
    return [CONSTANT if one else f"x{j}" for j, one in enumerate(ones)]


def _array_layout(names: list[str], random: Mapping[str, Sequence[Sequence[str]]]) -> Layout:
    """Return the layout of arrays."""
    columns = (CONSTANT, *(n for n in names if n != CONSTANT))
    if len(set(names)) < len(names):
        BAD_ARRAYS.refuse(why=Phrase("two columns of X have the same name"))
    flat = {g: [_listed(b) for b in _listed(blocks)] for g, blocks in random.items()}
    named = [c for blocks in flat.values() for b in blocks for c in b]
    if not all(blocks and all(blocks) for blocks in flat.values()) or not all(isinstance(c, str) for c in named):
        BAD_ARRAYS.refuse(
            why=Phrase("random maps groups to blocks of names, like {example}", example='{"g": [["Intercept", "t"]]}')
        )
    unknown = [c for c in named if c not in columns]
    if unknown:
        BAD_ARRAYS.refuse(why=Phrase("no column is named {name}", name=unknown[0]))
    where = {name: i for i, name in enumerate(columns)}
    factors = tuple(FactorLayout(g, (g,), tuple(tuple(where[c] for c in b) for b in blocks)) for g, blocks in flat.items())
    return Layout("arrays", (*columns, "y"), tuple(where[n] for n in names), factors, frozenset({0}))
