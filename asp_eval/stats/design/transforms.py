"""Functions of a column that learn from its rows: polynomials, splines, centring and scaling.

What was learned (a mean, knots, the constants of a recursion) is kept, so that new rows are given the same columns, and so
that two sets of rows can be seen to have been given different ones. `poly`, `scale`, `center`, `standardize`, `bs`, `cs`,
`cr` and `cc` are formulaic's; `ns` is R's natural cubic spline (Hastie in Chambers & Hastie 1992, ch. 7; ``splines::ns``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.arithmetic import CANNOT_BUILD
from asp_eval.stats.design.syntax import SYNTAX, Call, Constant, Sequence, Sum, Tree, spell
from asp_eval.stats.estimate import Array

LEARNED = ("poly", "scale", "center", "standardize", "bs", "ns", "cs", "cr", "cc")
MOST_COLUMNS = 100
"""Of one polynomial or spline."""

State = tuple[Any, ...]
"""What was learned, as nested tuples that can be compared."""


def transform(call: Call, function: str, x: Array, learned: State | None) -> tuple[tuple[str, ...], Array, State]:
    """Return the labels and values (n, k) of the columns of a call such as ``poly(x, 2)``, and what was learned.

    Parameters
    ----------
    call : Call
    function : str
        Its plain name.
    x : ndarray (n,)
        Values of its first argument.
    learned : State or None
        What earlier rows taught; None to learn from these.
    """
    arguments = [constant(a) for a in call.arguments[1:]]
    named = {k: constant(v) for k, v in call.named}
    if any(isinstance(v, int) and abs(v) > MOST_COLUMNS for v in (*arguments, *named.values())):
        SYNTAX.refuse(spell(call), why=Phrase("a polynomial or spline has at most {most} columns", most=MOST_COLUMNS))
    state: dict[str, Any] = {} if learned is None else thawed(learned)
    try:
        found = _natural(x, state, *arguments, **named) if function == "ns" else _library(function, x, state, arguments, named)
    except Exception as error:  # each function has kinds of its own
        CANNOT_BUILD.refuse(spell(call), why=(str(error).splitlines() or [type(error).__name__])[0])
    if function == "poly" and learned is None and len(np.unique(x)) <= found.shape[1]:
        CANNOT_BUILD.refuse(spell(call), why=Phrase("the degree must be less than the number of distinct values"))
    labels = tuple(str(k + 1) for k in range(found.shape[1])) if function not in ("scale", "center", "standardize") else ()
    return labels, found, frozen(state)


def constant(tree: Tree) -> Any:
    """Return the value of an argument that is no column: a number, a text, a truth value, or a list of them."""
    match tree:
        case Constant(value):
            return value
        case Sum((("-", Constant(int() | float() as value)),)):
            return -value
        case Sequence(items):
            return [constant(i) for i in items]
    return SYNTAX.refuse(spell(tree), why=Phrase("an argument that says how a column is coded is a number, a text or a list"))


def frozen(state: Any) -> Any:
    """Return what was learned as nested tuples."""
    if isinstance(state, Mapping):
        return ("map", *((k, frozen(v)) for k, v in state.items()))
    if isinstance(state, (list, tuple, np.ndarray)):
        return ("list", *(frozen(v) for v in state))
    return state.item() if isinstance(state, np.generic) else state


def thawed(state: Any) -> Any:
    """Return what `frozen` was given, its lists as arrays."""
    if isinstance(state, tuple):
        return {k: thawed(v) for k, v in state[1:]} if state[0] == "map" else np.array([thawed(v) for v in state[1:]])
    return state


def _library(function: str, x: Array, state: dict[str, Any], arguments: list[Any], named: dict[str, Any]) -> Array:
    """Return formulaic's columns (n, k)."""
    from formulaic.transforms import TRANSFORMS

    found = TRANSFORMS[function](x, *arguments, _state=state, **named)
    values = getattr(found, "__wrapped__", found)
    if isinstance(values, Mapping):
        return np.column_stack([np.asarray(v, float) for k, v in values.items() if not str(k).startswith("__")])
    values = np.asarray(values, float)
    return values[:, None] if values.ndim == 1 else values


def _natural(
    x: Array, state: dict[str, Any], df: int | None = None, knots: list[float] | None = None, *, intercept: bool = False
) -> Array:
    """Return the natural cubic spline basis (n, df), linear beyond the boundary, as R's ``splines::ns``."""
    from scipy.interpolate import BSpline

    if "knots" not in state:
        inner = max(0, (df or 1) - 1 - intercept)
        state["boundary"] = [float(x.min()), float(x.max())]
        state["knots"] = list(knots) if knots is not None else np.quantile(x, np.linspace(0, 1, inner + 2)[1:-1]).tolist()
    low, high = state["boundary"]
    if not low < high:
        raise ValueError("the column does not vary")
    t = np.array([low] * 4 + sorted(state["knots"]) + [high] * 4)
    basis = BSpline(t, np.eye(len(t) - 4), 3)
    inside = np.clip(x, low, high)
    values = basis(inside) + (x - inside)[:, None] * basis(inside, 1)
    ends = basis(np.array([low, high]), 2)
    if not intercept:
        values, ends = values[:, 1:], ends[:, 1:]
    Q = np.linalg.qr(ends.T, mode="complete")[0]
    return np.asarray(values @ Q[:, 2:], float)
