"""Whether one mixed model is a special case of another, so that their likelihoods can be compared.

Both must describe the same outcome, with the same offset and weights, on the same rows; every column of X of the smaller model
must lie in the span of those of the larger; and every block of random effects of the smaller must belong to groups that the
larger has, with columns in the span of one block of it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.stats.design.columns import build_column
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.estimate import Array

DIFFERENT_ROWS = Fault(
    "FIT-057", "the two models were fitted to different rows", "Fit both to the rows that are complete for the larger one."
)
OTHER_OUTCOME = Fault(
    "FIT-038", "the two models describe different outcomes", "Likelihoods can be compared for one outcome, in one unit, only."
)
OTHER_OFFSET = Fault("FIT-039", "the two models have different offsets", "Give both the same offset.")
OTHER_WEIGHTS = Fault("FIT-054", "the two models have different weights", "Give both the same weights.")
OTHER_GROUPS = Fault(
    "FIT-063",
    "the random effects of the smaller model are no special case of the larger one's: {block}",
    "Keep the groups and effects of the smaller model in the larger one, or compare their AIC.",
)
OTHER_COLUMNS = Fault(
    "FIT-064",
    "the fixed part of the smaller model is no special case of the larger one's: {column}",
    "Keep the terms of the smaller model in the larger one, or compare their AIC.",
)

SAME = 1e-10
"""Relative to a column's length: what is smaller is rounding."""
WITHIN = 1e-7
"""Part of a column's length outside a span, below which it lies in it."""


def check_nested(small: Design, large: Design) -> None:
    """Refuse two models of which the first is no special case of the second, with the reason."""
    if small.data.n != large.data.n:
        DIFFERENT_ROWS.refuse(found=f"{small.data.n}, {large.data.n}")
    offsets = [np.zeros(d.data.n) if d.offset is None else d.offset for d in (small, large)]
    weights = [np.ones(d.data.n) if d.weights is None else d.weights for d in (small, large)]
    if not _same(small.response + offsets[0], large.response + offsets[1]):
        OTHER_OUTCOME.refuse(found=f"{small.formula.response}, {large.formula.response}")
    if not _same(*offsets):
        OTHER_OFFSET.refuse()
    if not _same(*weights):
        OTHER_WEIGHTS.refuse()
    outside = _first_outside(small.fixed_matrix(), large.fixed_matrix())
    if outside is not None:
        OTHER_COLUMNS.refuse(column=small.layout.fixed_names[outside])
    for factor, groups in zip(small.layout.factors, small.groups, strict=True):
        for block in factor.blocks:
            if not _block_within(small, groups.codes, block, large):
                OTHER_GROUPS.refuse(block=factor.name)


def same_span(small: Design, large: Design) -> bool:
    """Whether the columns of X of one model are those of the other, so that restricted likelihoods can be compared."""
    a, b = small.fixed_matrix(), large.fixed_matrix()
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=SAME, atol=0.0))


def _same(a: Array, b: Array) -> bool:
    """Whether two columns are equal but for rounding."""
    return bool(np.abs(a - b).max() <= SAME * max(float(np.abs(a).max()), 1e-300))


def _block_within(small: Design, codes: Codes, block: tuple[int, ...], large: Design) -> bool:
    """Whether random effects are a special case of one block of the larger model."""
    own = _matrix(small, block)
    for factor, groups in zip(large.layout.factors, large.groups, strict=True):
        if not _same_partition(codes, groups.codes):
            continue
        if any(_first_outside(own, _matrix(large, other)) is None for other in factor.blocks):
            return True
    return False


def _matrix(design: Design, columns: tuple[int, ...]) -> Array:
    """Return columns of u (n, k)."""
    out = np.empty((design.data.n, len(columns)))
    for k, j in enumerate(columns):
        out[:, k] = build_column(design.columns[j], design.data.columns, slice(None))
    return out


def _first_outside(A: Array, B: Array) -> int | None:
    """Return the first column of A that is not in the span of those of B, or None."""
    size = np.linalg.norm(B, axis=0)
    Q, R = np.linalg.qr(B / np.where(size > 0, size, 1.0))
    full = np.abs(np.diag(R)) > WITHIN
    if not full.all():
        U, s, _ = np.linalg.svd(B / np.where(size > 0, size, 1.0), full_matrices=False)
        Q = U[:, s > WITHIN * s[0]]
    length = np.linalg.norm(A, axis=0)
    rest = np.linalg.norm(A - Q @ (Q.T @ A), axis=0)
    outside = np.flatnonzero(rest > WITHIN * np.where(length > 0, length, 1.0))
    return int(outside[0]) if len(outside) else None


def _same_partition(a: Codes, b: Codes) -> bool:
    """Whether two groupings of the rows are the same but for the names of the groups."""
    first, second = pd.factorize(a)[0], pd.factorize(b)[0]  # numbered by first appearance
    return bool((first == second).all())
