"""Arrays with their first and second derivatives in the variance parameters.

A `Jet` is the value of an array-valued function of D = (D_1, ..., D_s) with its gradient and Hessian; entries that
are zero are left out. Products and inverses of jets follow the rules

    (AB)_rs   = A_rs B + A_r B_s + A_s B_r + A B_rs
    (M^-1)_r  = -N M_r N,                                     N = M^-1
    (M^-1)_rs = N M_r N M_s N + N M_s N M_r N - N M_rs N

so derivatives of a likelihood come out of the same elimination as its value, exact to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from asp_eval.stats.estimate import Array

K = TypeVar("K")
Operation = Callable[[Array, Array], Array]


@dataclass(slots=True, eq=False)
class Jet:
    """A value with derivatives.

    Attributes
    ----------
    value : ndarray
    first : dict of int to ndarray
        Derivative in parameter r, of the value's shape.
    second : dict of (int, int) to ndarray
        Derivative in parameters r <= s.
    """

    value: Array
    first: dict[int, Array] = field(default_factory=dict)
    second: dict[tuple[int, int], Array] = field(default_factory=dict)

    def map(self, linear: Callable[[Array], Array]) -> Jet:
        """Apply a linear function."""
        return Jet(
            linear(self.value), {r: linear(a) for r, a in self.first.items()}, {k: linear(a) for k, a in self.second.items()}
        )

    def subtract(self, other: Jet) -> Jet:
        """Return self - other."""
        return Jet(self.value - other.value, _minus(self.first, other.first), _minus(self.second, other.second))


def bilinear(operation: Operation, a: Jet, b: Jet, order: int = 2) -> Jet:
    """Return a product of jets: `operation` is any function linear in each of its two arguments."""
    out = Jet(operation(a.value, b.value))
    if order < 1:
        return out
    for r, x in a.first.items():
        _add(out.first, r, operation(x, b.value))
    for r, y in b.first.items():
        _add(out.first, r, operation(a.value, y))
    if order < 2:
        return out
    for rs, x in a.second.items():
        _add(out.second, rs, operation(x, b.value))
    for rs, y in b.second.items():
        _add(out.second, rs, operation(a.value, y))
    for r, x in a.first.items():
        for s, y in b.first.items():
            part = operation(x, y)
            _add(out.second, (min(r, s), max(r, s)), 2.0 * part if r == s else part)
    return out


def inverse(m: Jet, order: int = 2) -> tuple[Jet, Jet]:
    """Return M^-1 and log |M| (summed over the batch) of a batch of square matrices (..., k, k)."""
    N = _inverse(m.value)
    inv, log_det = Jet(N), Jet(np.asarray(np.linalg.slogdet(m.value)[1].sum()))
    if order < 1:
        return inv, log_det
    scaled = {r: N @ x for r, x in m.first.items()}
    for r, x in scaled.items():
        inv.first[r] = -(x @ N)
        log_det.first[r] = _trace(x)
    if order < 2:
        return inv, log_det
    for r, x in scaled.items():
        for s, y in scaled.items():
            if r <= s:
                crossed = x @ inv.first[s] if r == s else (x @ inv.first[s] + y @ inv.first[r])
                _add(inv.second, (r, s), -2.0 * crossed if r == s else -crossed)
                _add(log_det.second, (r, s), np.asarray(-(x * np.swapaxes(y, -1, -2)).sum()))
    for rs, x in m.second.items():
        half = N @ x
        _add(inv.second, rs, -(half @ N))
        _add(log_det.second, rs, _trace(half))
    return inv, log_det


def _inverse(m: Array) -> Array:
    """Return the inverse of a batch; single numbers and pairs in closed form, where LAPACK's calls would cost more."""
    k = m.shape[-1]
    if k == 1:
        return 1.0 / m
    if k == 2:
        out = np.empty_like(m)
        det = m[..., 0, 0] * m[..., 1, 1] - m[..., 0, 1] * m[..., 1, 0]
        out[..., 0, 0], out[..., 1, 1] = m[..., 1, 1] / det, m[..., 0, 0] / det
        out[..., 0, 1], out[..., 1, 0] = -m[..., 0, 1] / det, -m[..., 1, 0] / det
        return out
    return np.asarray(np.linalg.inv(m), float)


def _trace(a: Array) -> Array:
    """Return the sum of all diagonals of a batch."""
    return np.asarray(np.trace(a, axis1=-2, axis2=-1).sum())


def _add(target: dict[K, Array], key: K, value: Array) -> None:
    """Add to an entry that may not exist yet."""
    target[key] = target[key] + value if key in target else value


def _minus(a: dict[K, Array], b: dict[K, Array]) -> dict[K, Array]:
    """Subtract entry by entry."""
    return {k: a[k] - b[k] if k in a and k in b else (a[k] if k in a else -b[k]) for k in {**a, **b}}
