"""Incomplete variables: their scales, and the way from values to the columns of the joint model and back."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.variables import Categories, Numeric, Variable, read_categories, read_variable
from asp_eval.stats.estimate import Array
from asp_eval.stats.imputation.joint_model import Bounds

SCALES = ("continuous", "binary", "ordinal", "categorical")
MOST_CATEGORIES = 10

SCALE = Fault("IMP-010", "there is no scale {scale!r} of a variable to impute", "Use one of: {known}.")
NOT_NUMBERS = Fault(
    "IMP-011", "a continuous variable holds numbers", "Turn it into numbers, or declare it binary, ordinal or categorical."
)
MANY_CATEGORIES = Fault(
    "IMP-012",
    "{name} has {n} categories, and no more than {most} can be imputed",
    "Join categories that mean much the same, or declare it continuous if its values are amounts.",
)
NOT_BINARY = Fault("IMP-013", "a binary variable has two values", "Declare it ordinal or categorical, or correct the values.")
CONSTANT = Fault(
    "IMP-014",
    "{name} has the same value wherever it was observed",
    "Leave it out: it says nothing of the others, and its missing values can be filled in by hand.",
)
NEVER_OBSERVED = Fault("IMP-015", "{name} was observed nowhere", "Leave it out: nothing is known from which it could be imputed.")


@dataclass(frozen=True, slots=True, eq=False)
class Incomplete:
    """A variable to impute.

    Attributes
    ----------
    name : str
    scale : {"continuous", "binary", "ordinal", "categorical"}
    of_groups : bool
        Whether every group has one value of it.
    missing : ndarray of bool (n,)
        Rows, or groups, without a value.
    numbers : ndarray (n,)
        The values, or positions in `labels`; NaN where missing.
    labels : tuple
        Categories in order; empty for a continuous variable.
    centre, spread : float
        Mean and standard deviation of what was observed of a continuous variable.
    """

    name: str
    scale: str
    of_groups: bool
    missing: npt.NDArray[np.bool_]
    numbers: Array
    labels: tuple[Hashable, ...]
    centre: float
    spread: float

    @property
    def n_columns(self) -> int:
        """Columns of the joint model that stand for it."""
        return len(self.labels) - 1 if self.scale == "categorical" else 1

    @property
    def is_free(self) -> bool:
        """Whether the variances of its columns are free."""
        return self.scale in ("continuous", "ordinal")

    def columns(self) -> Array:
        """Return its columns of the joint model (n, columns): standardised numbers; NaN for latent variables."""
        if self.scale == "continuous":
            return np.asarray((self.numbers - self.centre) / self.spread, float)[:, None]
        return np.full((len(self.numbers), self.n_columns), np.nan)

    def observed_columns(self) -> Array:
        """Return what was observed (n, columns): standardised numbers, or 1 where it is a category, for all but the first."""
        if self.scale == "continuous":
            return self.columns()
        inside = np.equal(self.numbers[:, None], np.arange(1, len(self.labels)))
        return np.where(self.missing[:, None], np.nan, inside.astype(float))

    def shown(self, number: float) -> object:
        """Return an observed value, as it stands in the data."""
        return self.labels[int(number)] if self.labels else float(number)

    def bounds(self, first: int) -> tuple[Bounds, ...]:
        """Return the bounds of its latent variables, whose columns start at `first`."""
        if self.scale == "continuous":
            return ()
        rows = np.flatnonzero(~self.missing)
        code = self.numbers[rows].astype(np.intp)
        if self.scale == "ordinal":
            cuts = np.concatenate(([-np.inf], self.cuts(), [np.inf]))
            return (Bounds(first, rows, cuts[code], cuts[code + 1]),)
        found = []
        for k in range(self.n_columns):
            asked = code >= k if self.scale == "categorical" else np.ones(len(rows), bool)
            here = (code == k) if self.scale == "categorical" else (code == 1)
            low = np.where(here, 0.0, -np.inf)[asked]
            high = np.where(here, np.inf, 0.0)[asked]
            found.append(Bounds(first + k, rows[asked], low, high))
        return tuple(found)

    def cuts(self) -> Array:
        """Return the normal quantiles of the shares up to each category but the last."""
        shares = np.bincount(self.numbers[~self.missing].astype(np.intp), minlength=len(self.labels)).cumsum()
        return np.asarray(special.ndtri(shares[:-1] / shares[-1]), float)

    def values_known(self) -> npt.NDArray[Any]:
        """Return the observed values (n,); anything where none was."""
        if self.scale == "continuous":
            return self.numbers
        return pd.Index(self.labels).to_numpy()[np.where(self.missing, 0.0, self.numbers).astype(np.intp)]

    def values(self, columns: Array) -> npt.NDArray[Any]:
        """Return values (n,) from columns of the joint model (n, columns)."""
        if self.scale == "continuous":
            return np.asarray(self.centre + self.spread * columns[:, 0])
        if self.scale == "ordinal":
            code = np.searchsorted(self.cuts(), columns[:, 0], side="right")
        elif self.scale == "binary":
            code = (columns[:, 0] > 0).astype(np.intp)
        else:
            positive = np.hstack((columns > 0, np.ones((len(columns), 1), bool)))
            code = positive.argmax(axis=1)
        return pd.Index(self.labels).to_numpy()[code]


def read_incomplete(frame: pd.DataFrame, name: str, scale: str, groups: Categories) -> Incomplete:
    """Return a variable to impute, as it stands in a frame.

    A variable whose values never differ within a group, where a group has several, is one of the groups.

    Raises
    ------
    Refusal
        If the scale is unknown, the values do not fit it, nothing was observed, or all values are the same.
    """
    if scale not in SCALES:
        SCALE.refuse(name, scale=scale, known=", ".join(SCALES))
    numbers, labels = _coded(name, scale, read_variable(frame, name), frame[name] if scale != "continuous" else None)
    if np.isnan(numbers).all():
        NEVER_OBSERVED.refuse(name=name)
    if np.nanmin(numbers) == np.nanmax(numbers):
        CONSTANT.refuse(name=name)
    of_groups = _is_of_groups(numbers, groups)
    if of_groups:
        numbers = np.asarray(pd.Series(numbers).groupby(groups.codes).first(), dtype=np.float64)
    continuous = scale == "continuous"
    centre, spread = (float(np.nanmean(numbers)), float(np.nanstd(numbers))) if continuous else (0.0, 1.0)
    return Incomplete(name, scale, of_groups, np.isnan(numbers), numbers, labels, centre, spread)


def _coded(name: str, scale: str, read: Variable, series: pd.Series | None) -> tuple[Array, tuple[Hashable, ...]]:
    """Return the numbers (n,) of a variable, or the positions of its categories, and the categories."""
    if scale == "continuous":
        if isinstance(read, Numeric):
            return read.numbers, ()
        return NOT_NUMBERS.refuse(name, found=Phrase("categories like {label}", label=repr(read.levels[0])))
    categories = read_categories(series) if isinstance(read, Numeric) and series is not None else read
    assert isinstance(categories, Categories)
    codes = categories.codes
    used = np.bincount(codes[codes >= 0], minlength=len(categories.levels))
    kept = np.flatnonzero(used).tolist()
    if len(kept) > MOST_CATEGORIES:
        MANY_CATEGORIES.refuse(name=name, n=len(kept), most=MOST_CATEGORIES)
    if scale == "binary" and len(kept) > 2:
        NOT_BINARY.refuse(name, found=", ".join(str(categories.levels[k]) for k in kept[:5]))
    if scale == "categorical":
        kept = sorted(kept, key=lambda k: -used[k])  # the most frequent first: later ones are asked of fewer rows
    position = np.full(len(categories.levels) + 1, np.nan)
    position[kept] = np.arange(len(kept))
    return position[codes], tuple(categories.levels[k] for k in kept)


def _is_of_groups(numbers: Array, groups: Categories) -> bool:
    """Whether no group has two different values, and some group has several."""
    values = pd.Series(numbers).groupby(groups.codes)
    low, high, known = values.min().to_numpy(), values.max().to_numpy(), values.count().to_numpy()
    return bool((low[known > 0] == high[known > 0]).all() and (known > 1).any())
