"""Wilson's interval of a share (Wilson 1927, Journal of the American Statistical Association 22:209-212)."""

from __future__ import annotations

import math

from scipy import special


def wilson_interval(n: int, of: int, level: float) -> tuple[float, float]:
    r"""Return the interval of the share `n` of `of`.

    The limits are the shares :math:`\pi` that lie z standard errors :math:`\sqrt{\pi (1 - \pi) / of}` from the one seen.

    Parameters
    ----------
    n, of : int
        `of` is one or more.
    level : float

    Examples
    --------
    >>> low, high = wilson_interval(5, 10, 0.95)
    >>> round(low, 3), round(high, 3)
    (0.237, 0.763)
    """
    z, share = float(special.ndtri((1 + level) / 2)), n / of
    middle, half = share + z * z / (2 * of), z * math.sqrt(share * (1 - share) / of + (z / (2 * of)) ** 2)
    scale = 1 + z * z / of
    return 0.0 if n == 0 else (middle - half) / scale, 1.0 if n == of else (middle + half) / scale
