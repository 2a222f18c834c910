"""Comparing fits: the likelihood ratio of two models, and the same model refitted by statsmodels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from asp_eval.core.errors import Fault

DIFFERENT_ROWS = Fault(
    "FIT-057", "the two models were fitted to different rows", "Fit both to the rows that are complete for the larger one."
)  # fmt: skip
NOT_NESTED = Fault("FIT-058", "both models have {k} parameters, so neither can be tested against the other", "Compare their AIC.")


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """The likelihood ratio test of a model against a larger one.

    Attributes
    ----------
    statistic : float
        Difference of the deviances.
    df : int
        Difference of the numbers of parameters.
    p_value : float
        By the chi-square distribution.
    method : str
        Which likelihood was compared.
    note : str
        Empty, or what a reader must know.
    """

    statistic: float
    df: int
    p_value: float
    method: str
    note: str = ""


BOUNDARY = "a variance is tested against zero, the edge of its range, so the p-value is too large (up to twice)"


def ratio_test(small: float, large: float, df: int, *, reml: bool, variances: bool) -> LikelihoodRatio:
    """Return the test from two deviances.

    Parameters
    ----------
    small, large : float
        Deviances of the smaller and the larger model.
    df : int
    reml : bool
        Whether they are REML criteria.
    variances : bool
        Whether the models differ in their variance parameters.
    """
    statistic = max(small - large, 0.0)
    p = float(special.chdtrc(df, statistic)) if np.isfinite(statistic) else 0.0
    return LikelihoodRatio(statistic, df, p, "restricted likelihood" if reml else "likelihood", BOUNDARY if variances else "")
