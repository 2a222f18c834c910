"""Whether one mixed model, known by its cross-products alone, is a special case of another; with rows see `design.nesting`."""

from __future__ import annotations

import numpy as np

from asp_eval.stats.design.nesting import DIFFERENT_ROWS, OTHER_COLUMNS, OTHER_GROUPS, OTHER_OUTCOME, OTHER_WEIGHTS
from asp_eval.stats.engine.moments import Moments


def check_nested_moments(small: Moments, large: Moments) -> None:
    """Refuse two models known by their cross-products only, as far as these and the names of the columns tell."""
    if small.n_obs != large.n_obs:
        DIFFERENT_ROWS.refuse(found=f"{small.n_obs}, {large.n_obs}")
    if abs(small.log_weights - large.log_weights) > 1e-8 * (1.0 + abs(small.log_weights)):
        OTHER_WEIGHTS.refuse()
    if not np.allclose(_of_outcome(small), _of_outcome(large), rtol=1e-8):
        OTHER_OUTCOME.refuse(found=f"{small.layout.columns[-1]}, {large.layout.columns[-1]}")
    more = [c for c in small.layout.fixed_names if c not in large.layout.fixed_names]
    if more:
        OTHER_COLUMNS.refuse(column=more[0])
    theirs = [(f.group, {large.layout.columns[e] for e in b}) for f in large.layout.factors for b in f.blocks]
    for factor in small.layout.factors:
        for block in factor.blocks:
            own = {small.layout.columns[e] for e in block}
            if not any(group == factor.group and own <= effects for group, effects in theirs):
                OTHER_GROUPS.refuse(block=factor.name)


def _of_outcome(moments: Moments) -> tuple[float, float]:
    """Return the weighted mean of the outcome less its offset, and its variation about it."""
    weight, by_one, square = moments.total[0, 0], moments.total[0, -1], moments.total[-1, -1]
    return float(by_one / weight + moments.shift[-1]), float(square - by_one**2 / weight)
