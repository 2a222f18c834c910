r"""Internal consistency of a scale.

Cronbach's alpha of k items, from their covariances :math:`c_{ij}`, with the interval of Feldt, Woodruff & Salih (1987, Applied
Psychological Measurement 11:93-103):

.. math:: \alpha = \frac{k}{k - 1} \left(1 - \frac{\sum_i c_{ii}}{\sum_{ij} c_{ij}}\right)
"""

from __future__ import annotations

import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate

FEWEST_ANSWERS = 20  # complete answers; below, an alpha says nothing

TOO_FEW = Unavailable(Phrase("too few complete answers"))
INTERVAL_ALONE = Phrase("the interval is that of the F distribution; there is no standard error")


def cronbach_alpha(items: pd.DataFrame, level: float = 0.95) -> Estimate | Unavailable:
    """Return Cronbach's alpha with its interval (pingouin, which rounds the interval to three decimals).

    Parameters
    ----------
    items : DataFrame, shape (n, k)
        Complete answers, the reversed items turned round.
    level : float
        Of the interval.

    Examples
    --------
    >>> rows = [[1, 2, 2], [2, 3, 3], [3, 3, 4], [4, 5, 5]] * 5
    >>> round(cronbach_alpha(pd.DataFrame(rows, columns=["a", "b", "c"])).estimate, 4)  # 1.5 (1 - 3.6875 / 10.6875)
    0.9825
    """
    from pingouin import cronbach_alpha as alpha_of

    if len(items) < FEWEST_ANSWERS or items.shape[1] < 2 or not items.sum(axis=1).var() > 0:
        return TOO_FEW
    alpha, (low, high) = alpha_of(data=items, ci=level)
    return Estimate("alpha", float(alpha), None, None, None, None, float(low), float(high), "Feldt", INTERVAL_ALONE)
