"""Columns of a data frame as numbers or as codes of categories, whatever their dtype; rows with missing values left out.

Rules: numbers are numeric; text and categoricals are categories; a boolean has the categories False and True, of which
False is the reference, and is 0 and 1 where numbers are wanted. The reference of a factor is its first declared category,
else the first in sorted order; categories that no row holds are left out, as in R. A row with a missing value in any
column the model names is dropped, and counted.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.extensions import ExtensionArray
from scipy.linalg import blas

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array

Codes = npt.NDArray[np.intp]
Values = npt.NDArray[Any] | ExtensionArray
"""What a column holds."""

NO_GAPS = np.zeros(0, dtype=bool)
FIRST_ROWS = 512
"""Rows that mostly hold every category: then the others need not be counted."""

UNKNOWN_COLUMN = Fault("FIT-020", "the data have no column named {name!r}", "Columns with similar names: {near}.")
NOT_FINITE = Fault("FIT-021", "the column holds an infinite value", "Correct the value, or leave it missing.")
NOT_A_VARIABLE = Fault("FIT-022", "a column of this kind cannot enter a model", "Turn it into numbers or categories first.")
NO_ROWS = Fault("FIT-023", "no row is complete in every column of the model", "Look at the columns' missing values.")
NOT_NUMERIC = Fault("FIT-024", "this column must hold numbers", "Turn it into numbers, or use another column.")
DUPLICATE_COLUMN = Fault("FIT-025", "the data have more than one column named {name!r}", "Give every column its own name.")


@dataclass(frozen=True, slots=True, eq=False)
class Numeric:
    """A numeric column.

    Attributes
    ----------
    numbers : ndarray (n,)
        NaN where missing, until rows are dropped.
    complete : bool
        Whether it is known that every row has a value.
    """

    numbers: Array
    complete: bool = False

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Rows without a value."""
        return np.isnan(self.numbers)

    def take(self, keep: npt.NDArray[np.bool_]) -> Numeric:
        """Return the rows to keep."""
        return Numeric(self.numbers[keep])


@dataclass(frozen=True, slots=True, eq=False)
class Categories:
    """A column of categories.

    Attributes
    ----------
    codes : ndarray of int (n,)
        Position in `levels`; -1 where missing, until rows are dropped.
    levels : pandas.Index
        The categories in order, first = reference.
    absent : tuple
        Declared categories that no row holds.
    every_used : bool
        Whether it is known that every category has a row.
    boolean : bool
        Whether the categories are those of a truth value, False and True.
    complete : bool
        Whether it is known that every row has a value.
    """

    codes: Codes
    levels: pd.Index
    absent: tuple[object, ...] = ()
    every_used: bool = False
    boolean: bool = False
    complete: bool = False

    @property
    def missing(self) -> npt.NDArray[np.bool_]:
        """Rows without a value."""
        return self.codes < 0

    def take(self, keep: npt.NDArray[np.bool_]) -> Categories:
        """Return the rows to keep."""
        return Categories(self.codes[keep], self.levels, self.absent, boolean=self.boolean)

    def observed(self) -> Categories:
        """Return the same rows with the categories that no row holds left out."""
        if self.every_used:
            return self
        first = np.bincount(self.codes[:FIRST_ROWS], minlength=len(self.levels))
        if first.all():
            return self
        used = np.bincount(self.codes, minlength=len(self.levels)) > 0
        if used.all():
            return self
        position = np.cumsum(used) - 1
        absent = self.absent + tuple(self.levels[~used])
        return Categories(position[self.codes].astype(np.intp), self.levels[used], absent, boolean=self.boolean)


Variable = Numeric | Categories


@dataclass(frozen=True, slots=True, eq=False)
class Variables:
    """The columns a model needs, on the rows where all of them are known.

    Attributes
    ----------
    columns : dict of str to Numeric or Categories
    keep : ndarray of bool (rows of the frame,) or None
        Rows kept; None if all were.
    n : int
        Rows kept.
    n_dropped : int
    """

    columns: dict[str, Variable]
    keep: npt.NDArray[np.bool_] | None
    n: int
    n_dropped: int

    def numeric(self, name: str) -> Array:
        """Return a numeric column (n,)."""
        return numbers_of(name, self.columns[name])


def numbers_of(name: str, variable: Variable) -> Array:
    """Return a column's numbers (n,); a truth value's are 0 and 1.

    Raises
    ------
    Refusal
        FIT-024 if it holds categories.
    """
    if isinstance(variable, Numeric):
        return variable.numbers
    if variable.boolean:
        return np.asarray(variable.levels, float)[variable.codes]
    return NOT_NUMERIC.refuse(name, found=Phrase("categories like {label}", label=repr(variable.levels[0])))


def read_variables(frame: pd.DataFrame, names: Iterable[str], groups: Iterable[str] = (), *, declared: bool = False) -> Variables:
    """Read the named columns, and the `groups` as categories whatever their dtype.

    With `declared`, categories of the named columns that no row holds are kept: other chunks may hold them.

    Raises
    ------
    Refusal
        If a column is unknown, holds infinite values, or is of a kind that is neither number nor category.
    """
    columns: dict[str, Variable] = {}
    for name in dict.fromkeys(names):
        columns[name] = read_variable(frame, name)
    for name in dict.fromkeys(groups):
        columns[group_key(name)] = _categories(_column(frame, name))
    return complete_rows(columns, len(frame), declared=declared)


def group_key(name: str) -> str:
    """Return the key under which a column is kept as a grouping factor: it may enter the model as a number too."""
    return f"|{name}"


def complete_rows(columns: dict[str, Variable], n: int, *, declared: bool = False) -> Variables:
    """Drop the rows where any column is missing, then the categories that are left without rows."""
    gaps = [column.missing for column in columns.values() if not column.complete]
    missing = np.logical_or.reduce(gaps) if gaps else NO_GAPS
    dropped = int(np.count_nonzero(missing))
    if dropped == n:
        NO_ROWS.refuse(found=f"{n} rows")
    if dropped:
        columns = {k: v.take(~missing) for k, v in columns.items()}
    columns = {k: v if isinstance(v, Numeric) or (declared and k[0] != "|") else v.observed() for k, v in columns.items()}
    return Variables(columns, ~missing if dropped else None, n - dropped, dropped)


def read_variable(frame: pd.DataFrame, name: str) -> Variable:
    """Read one column as numbers or as categories, by its dtype."""
    values = _column(frame, name)
    dtype = values.dtype
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiu":
        return _numbers(name, values)
    if isinstance(values, pd.Categorical):
        return _categories(values)
    if pd.api.types.is_bool_dtype(dtype):
        return _booleans(values)
    is_object = pd.api.types.is_object_dtype(dtype)
    if pd.api.types.is_string_dtype(dtype):
        return _text_or_numbers(name, values) if is_object else _categories(values)
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype):
        return _numbers(name, values)
    if is_object:
        return _text_or_numbers(name, values)
    return NOT_A_VARIABLE.refuse(name, found=dtype)


def read_categories(series: pd.Series) -> Categories:
    """Read a column as categories: declared order if it has one, else sorted."""
    return _categories(_values(series))


def _categories(values: Values) -> Categories:
    """Return a column's values as categories: declared order if it has one, else sorted."""
    if isinstance(values, pd.Categorical):
        codes = np.asarray(values.codes, np.intp)
        return Categories(codes, values.categories, complete=bool(len(codes)) and int(values.codes.min()) >= 0)
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu" and len(values):
        found = _dense_integers(values)
        if found is not None:
            return found
    texts = _arrow_texts(values)
    if texts is not None:
        return texts
    codes, levels = pd.factorize(cast(Any, values), use_na_sentinel=True)
    index = pd.Index(levels)
    try:
        order = index.argsort()
    except TypeError:  # mixed kinds in one column: any fixed order will do
        order = np.argsort([str(v) for v in index])
    if bool((order == np.arange(len(order))).all()):
        return Categories(codes.astype(np.intp, copy=False), index, every_used=True)
    position = np.empty(len(order) + 1, dtype=np.intp)
    position[order] = np.arange(len(order))
    position[-1] = -1  # the sentinel -1 of a missing value points here
    return Categories(position[codes], index[order], every_used=True)


def _arrow_texts(values: Values) -> Categories | None:
    """Return texts that pyarrow holds as categories, run by run; None if it holds none, they are scattered, or one is missing.

    Where rows stand by group there are far fewer runs than rows to be looked up.
    """
    if not isinstance(values.dtype, pd.StringDtype) or values.dtype.storage != "pyarrow" or not len(values):
        return None
    import pyarrow as pa
    import pyarrow.compute as pc

    held = pa.array(values)
    held = held.combine_chunks() if isinstance(held, pa.ChunkedArray) else held
    first = held.slice(0, FIRST_ROWS)
    if 2 * len(pc.run_end_encode(first).run_ends) > len(first):  # scattered: there are as many runs as rows
        return None
    runs = pc.run_end_encode(held)
    texts = runs.values  # noqa: PD011 - pyarrow's, not pandas'
    if texts.null_count:
        return None
    found = texts.dictionary_encode()
    order = pc.array_sort_indices(found.dictionary)
    position = np.empty(len(order), np.intp)
    position[order.to_numpy()] = np.arange(len(order))
    rows = np.diff(runs.run_ends.to_numpy(), prepend=0)
    codes = np.repeat(position[found.indices.to_numpy()], rows)
    levels = pd.Index(pd.array(found.dictionary.take(order), dtype=values.dtype))
    return Categories(codes, levels, every_used=True, complete=True)


def _dense_integers(values: npt.NDArray[np.integer]) -> Categories | None:
    """Return integers as categories without a table of them, if they stand in order or have a range not much larger than n."""
    if bool((values[1:] >= values[:-1]).all()):
        return _ordered_integers(values)
    low, high = int(values.min()), int(values.max())
    if high - low > 4 * len(values) + 1000 or high > np.iinfo(np.int64).max:
        return None
    codes = values.astype(np.int64, copy=False) - low  # a narrow kind could not hold its own range
    used = np.bincount(codes, minlength=high - low + 1) > 0
    levels = pd.Index(np.flatnonzero(used) + low, copy=False)
    if not used.all():
        codes = (np.cumsum(used) - 1)[codes]
    return Categories(codes, levels, every_used=True, complete=True)


def _ordered_integers(values: npt.NDArray[np.integer]) -> Categories | None:
    """Return integers in ascending order as categories: each begins where the number changes."""
    low, high = int(values[0]), int(values[-1])
    if high > np.iinfo(np.int64).max:
        return None
    begins = values[1:] != values[:-1]
    count = int(np.count_nonzero(begins)) + 1
    if count == high - low + 1:  # none is left out
        codes = values.astype(np.int64, copy=False)
        return Categories(codes - low if low else codes, pd.RangeIndex(low, high + 1), every_used=True, complete=True)
    codes = np.zeros(len(values), np.intp)
    np.cumsum(begins, out=codes[1:])
    levels = pd.Index(values[np.flatnonzero(np.concatenate([[True], begins]))].astype(np.int64), copy=False)
    return Categories(codes, levels, every_used=True, complete=True)


def _column(frame: pd.DataFrame, name: str) -> Values:
    """Return what a column holds, or refuse naming its neighbours."""
    try:
        at = frame.columns.get_loc(name)
    except KeyError:
        refuse_unknown(name, frame.columns)
    if not isinstance(at, int):
        DUPLICATE_COLUMN.refuse(name=name)
    read = getattr(frame, "_get_column_array", None)  # not part of what pandas promises; a series takes 25 times as long
    return cast(Values, read(at)) if read is not None else _values(frame[name])


def _values(series: pd.Series) -> Values:
    """Return what a series holds."""
    return series.to_numpy() if isinstance(series.dtype, np.dtype) else series.array


def refuse_unknown(name: str, columns: Iterable[object]) -> NoReturn:
    """Refuse a column that is not among those there are, naming its neighbours: FIT-020."""
    known = [str(c) for c in columns]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4) or known[:8]
    UNKNOWN_COLUMN.refuse(name=name, near=", ".join(near))


def _numbers(name: str, values: Values) -> Numeric:
    """Return a numeric column as float64; a float64 column is not copied."""
    if isinstance(values, np.ndarray):
        numbers = values.astype(np.float64, copy=False).view()
        numbers.flags.writeable = False  # it is the frame's
    else:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    squares = blas.ddot(numbers, numbers) if len(numbers) else math.nan  # NumPy would warn of squares that are too large
    if math.isfinite(squares):  # so is every number
        return Numeric(numbers, complete=True)
    if np.isinf(numbers).any():
        NOT_FINITE.refuse(name)
    return Numeric(numbers)


def _booleans(values: Values) -> Categories:
    """Return truth values as categories, False first."""
    series = pd.Series(values)
    codes = np.where(series.isna(), -1, series.fillna(value=False).astype(bool)).astype(np.intp)
    return Categories(codes, pd.Index([False, True]), boolean=True)


def _text_or_numbers(name: str, values: Values) -> Variable:
    """Return a column of Python objects as what its values are."""
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind == "boolean":
        return _booleans(values)
    if kind in ("integer", "floating", "mixed-integer-float", "decimal"):
        series = pd.Series(values)
        return _numbers(name, _values(series.astype("Float64") if kind != "decimal" else series.astype(float)))
    if kind in ("string", "empty", "mixed-integer", "mixed"):
        return _categories(values)
    return NOT_A_VARIABLE.refuse(name, found=kind)
