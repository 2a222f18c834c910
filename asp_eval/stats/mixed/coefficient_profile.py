"""Profile likelihood intervals of fixed effects.

With beta_k held at b the model is that of the outcome y - b x_k without the column x_k; its cross-products are linear in
those of the whole model, so that no row is read again. The interval holds the b at which the deviance, minimised over all
else, exceeds its minimum by less than the chi-square quantile on one degree of freedom. It is of the likelihood, not of the
restricted one, which cannot compare fixed parts; lme4's ``confint`` is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import optimize, special

from asp_eval.stats.engine.moments import Moments

STEPS = 60
"""Of the search outwards, each 1.6 times the last."""


def held(moments: Moments, column: int, value: float) -> Moments:
    """Return the moments of y - value * x without x among the fixed effects.

    Parameters
    ----------
    moments : Moments
    column : int
        Position of x in u.
    value : float
    """
    T = np.eye(len(moments.layout.columns))
    T[column, -1] = -value
    shift = moments.shift.copy()
    shift[-1] -= value * shift[column]
    layout = replace(moments.layout, fixed=tuple(k for k in moments.layout.fixed if k != column))
    sums = tuple(np.asarray(s @ T, float) for s in moments.sums)
    return replace(moments, layout=layout, shift=shift, total=T.T @ moments.total @ T, sums=sums)


def profile_interval(
    deviance: Callable[[float], float], estimate: float, std_error: float, minimum: float, level: float
) -> tuple[float, float] | None:
    """Return where the profiled deviance crosses the chi-square quantile on both sides; None if it does not.

    Parameters
    ----------
    deviance : callable
        Of the value at which the coefficient is held.
    estimate, std_error, minimum : float
        By maximum likelihood.
    level : float
    """
    limit = minimum + float(special.chdtri(1.0, 1.0 - level))
    ends = []
    for direction in (-1.0, 1.0):
        inner, step = estimate, 1.5 * std_error
        for _ in range(STEPS):
            outer = inner + direction * step
            if deviance(outer) > limit:
                break
            inner, step = outer, 1.6 * step
        else:
            return None
        root = optimize.brentq(
            lambda b: deviance(b) - limit, min(inner, outer), max(inner, outer), xtol=1e-8 * std_error, rtol=1e-12
        )
        ends.append(float(root))
    return ends[0], ends[1]
