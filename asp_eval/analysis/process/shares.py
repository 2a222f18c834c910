"""A count of institutions with the interval of its share."""

from __future__ import annotations

from asp_eval.analysis.process.results import Count
from asp_eval.stats.meta.wilson import wilson_interval


def share(n: int, of: int, level: float) -> Count:
    """Return a count with Wilson's interval of its share; without one of nobody.

    Examples
    --------
    >>> one = share(5, 10, 0.95)
    >>> round(one.low, 3), round(one.high, 3)
    (0.237, 0.763)
    """
    return Count(n, of, None, None) if not of else Count(n, of, *wilson_interval(n, of, level))
