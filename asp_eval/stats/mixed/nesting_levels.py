"""At which level of a nested design each fixed effect varies: counted degrees of freedom."""

from __future__ import annotations

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.engine.elimination_order import Elimination
from asp_eval.stats.engine.standardisation import Standard
from asp_eval.stats.estimate import Array

CONSTANT_WITHIN = 1e-10
"""Share of a column's sum of squares within groups below which it is constant within them."""


def between_within_df(standard: Standard, elimination: Elimination) -> Array | Unavailable:
    """Return the degrees of freedom of each coefficient (p,), by the level at which its column varies.

    A column belongs to the outermost factor within whose groups it is constant; the constant belongs to the
    outermost. Level i has m_i groups; the rows are the last level.
    """
    if any(f.layout.effects != (0,) for f in standard.factors):
        return Unavailable(
            Phrase("between-within degrees of freedom are defined for random intercepts only, not for random slopes")
        )
    if not elimination.nested:
        return Unavailable(Phrase("between-within degrees of freedom are not defined for crossed factors"))
    p, n = standard.p, standard.moments.n_obs
    outside_in = elimination.ordering[::-1]
    level = np.full(p, len(outside_in))
    for at in range(len(outside_in) - 1, -1, -1):
        level[_constant_within(standard, outside_in[at])] = at
    groups = [len(standard.moments.levels[i]) for i in outside_in] + [n]
    df = np.empty(p)
    for at, m in enumerate(groups):
        outer = groups[at - 1] if at else 0
        df[level == at] = m - outer - int((level == at).sum())
    return df


def _constant_within(standard: Standard, i: int) -> Array:
    """Return which columns of X are constant within the groups of factor i: all of their squares are between groups."""
    within, root = standard.group_sums(i)
    sums = root[:, 0, : standard.p]
    between = (sums**2 / within[:, :1, 0]).sum(axis=0)
    total = np.diag(standard.root)[: standard.p]
    return np.asarray(total - between <= CONSTANT_WITHIN * total)
