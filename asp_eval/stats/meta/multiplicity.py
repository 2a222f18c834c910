"""Adjustment of p-values within a family of tests.

`holm` and `benjamini_hochberg` need the p-values alone. `step_down` and `single_step` go through the allocations that the lot
could have given, all tests of the family under each, and so know how the tests belong together (Westfall & Young 1993,
Resampling-Based Multiple Testing; Romano & Wolf 2005, JASA 100:94). With t_1 >= t_2 >= ... the
observed statistics and t_rj those of allocation r,

    p_k = max over i <= k of  #{r : max_{j >= i} t_rj >= t_i} / R        step-down
    p_k = #{r : max_j t_rj >= t_k} / R                                   single-step

Where the allocations are a sample, the observed one counts as one more. The p-values are exact if no unit is affected in any
outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from asp_eval.core.errors import Fault

Array = npt.NDArray[np.float64]

SHAPE = Fault(
    "INF-080",
    "the statistics of a family are a table of numbers: one row per allocation, one column per test",
    "Give an array of shape (allocations, tests), and which of its rows was observed.",
)
TIE = 1e-9
"""Statistics this close (relative, once above one) are equal."""


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return Holm's step-down adjusted p-values (Holm 1979, Scandinavian Journal of Statistics 6:65-70).

    A p-value that is not to be had (None) stays None and still counts as a test of the family: leaving it out would
    reward an analysis that failed.

    Examples
    --------
    >>> holm([0.01, 0.04, None])
    (0.03, 0.08, None)
    """
    return _adjusted(p_values, lambda p: np.maximum.accumulate(p * np.arange(len(p), 0, -1)))


def benjamini_hochberg(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return p-values adjusted for the false discovery rate (Benjamini & Hochberg 1995, JRSS B 57:289); None as in `holm`.

    Examples
    --------
    >>> [round(p, 3) for p in benjamini_hochberg([0.01, 0.03, 0.04])]
    [0.03, 0.04, 0.04]
    """
    return _adjusted(p_values, lambda p: np.minimum.accumulate((p / (np.arange(1, len(p) + 1) / len(p)))[::-1])[::-1])


def step_down(statistics: npt.ArrayLike, observed: int | npt.ArrayLike) -> Array:
    """Return Westfall and Young's step-down adjusted p-values of a family (tests,).

    Parameters
    ----------
    statistics : array, shape (allocations, tests)
        |t| of every test under every allocation; missing where an allocation gives none, and then never smaller.
    observed : int, or array (tests,)
        Which row was observed, if the rows are every possible allocation. Or the observed |t|, if they are a sample, to which
        it is added.

    Raises
    ------
    Refusal
        INF-080 if the shapes do not fit.

    Examples
    --------
    >>> step_down([[3.0, 1.0], [1.0, 2.0], [0.5, 0.2], [0.1, 0.3]], 0).tolist()
    [0.25, 0.5]
    """
    t, own = _table(statistics, observed)
    order = np.argsort(-own, kind="stable")
    largest = np.maximum.accumulate(t[:, order[::-1]], axis=1)[:, ::-1]  # over the tests that are left at each step
    p = _at_least(largest, own[order]).mean(axis=0)
    adjusted = np.empty(len(own))
    adjusted[order] = np.maximum.accumulate(p)
    return adjusted


def single_step(statistics: npt.ArrayLike, observed: int | npt.ArrayLike) -> Array:
    """Return single-step adjusted p-values of a family (tests,): each test against the largest of all; as `step_down`."""
    t, own = _table(statistics, observed)
    return np.asarray(_at_least(t.max(axis=1)[:, None], own).mean(axis=0), float)


def largest_quantile(statistics: npt.ArrayLike, observed: int | npt.ArrayLike, level: float) -> float:
    """Return the smallest |t| that rejects at 1 - level in a single step; infinite if no statistic does.

    It takes the place of Student's t in intervals that hold together.
    """
    t, _ = _table(statistics, observed)
    ordered = np.sort(t.max(axis=1))
    allowed = int(np.floor((1.0 - level) * len(ordered) * (1.0 + 1e-9)))  # so many may be as large
    return float(ordered[len(ordered) - allowed]) if allowed else float("inf")


def _table(statistics: npt.ArrayLike, observed: int | npt.ArrayLike) -> tuple[Array, Array]:
    """Return the statistics of every allocation, the observed one among them, and the observed ones."""
    t = np.asarray(statistics, float)
    if t.ndim != 2 or not t.size:
        SHAPE.refuse(found=f"shape {t.shape}")
    t = np.where(np.isnan(t), np.inf, t)
    if isinstance(observed, int | np.integer):
        if not -len(t) <= observed < len(t):
            SHAPE.refuse(found=f"row {observed} of {len(t)}")
        return t, t[observed]
    own = np.asarray(observed, float)
    if own.shape != (t.shape[1],):
        SHAPE.refuse(found=f"shape {own.shape}", expected=f"shape ({t.shape[1]},)")
    return np.vstack([own, t]), own


def _at_least(t: Array, own: Array) -> npt.NDArray[np.bool_]:
    """Return which statistics are at least as large as the observed ones, ties included."""
    return np.asarray(t >= own - TIE * np.maximum(1.0, np.abs(own)))


def _adjusted(p_values: Sequence[float | None], of_sorted: Callable[[Array], Array]) -> tuple[float | None, ...]:
    """Return adjusted p-values in the order of the family, from what is made of them in ascending order."""
    family = np.array([1.0 if p is None else p for p in p_values], dtype=float)
    order = np.argsort(family, kind="stable")
    adjusted = np.empty(len(family))
    adjusted[order] = np.minimum(of_sorted(family[order]), 1.0)
    return tuple(None if p is None else float(a) for p, a in zip(p_values, adjusted, strict=True))
