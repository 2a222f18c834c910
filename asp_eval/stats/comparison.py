"""Nested models compared by their likelihoods: the test, what must be said of it, and several models in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import pandas as pd
from scipy import special

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one

NOT_NESTED = Fault("FIT-058", "both models have {k} parameters, so neither can be tested against the other", "Compare their AIC.")
FITS_WORSE = Fault(
    "FIT-065",
    "the larger model fits worse, so that it does not hold the smaller one or its optimum was not found",
    "Look at the notes of both fits, and compare their AIC.",
)
BOUNDARY = Phrase("a variance is tested against zero, the edge of its range, so the p-value is too large (up to twice)")
ROUNDING = 1e-6
"""Of the deviance; a statistic below its negative is no rounding."""
COLUMNS = (
    "model",
    "n_parameters",
    "aic",
    "bic",
    "log_likelihood",
    "deviance",
    "statistic",
    "df",
    "p_value",
    "method",
    "note",
)


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
    note : Phrase
        Empty, or what a reader must know.
    """

    statistic: float
    df: int
    p_value: float
    method: str
    note: Phrase = NO_NOTE


def ratio_of(
    deviances: tuple[float, float],
    n_parameters: tuple[int, int],
    n_coefficients: tuple[int, int],
    method: str,
    notes: Sequence[Phrase] = (),
) -> LikelihoodRatio:
    """Return the test of a model against a larger one that is known to hold it.

    Parameters
    ----------
    deviances, n_parameters, n_coefficients : tuple of two numbers
        Of the smaller model and of the larger.
    method : str
    notes : sequence of Phrase

    Raises
    ------
    Refusal
        FIT-058 if they have as many parameters; FIT-065 if the larger fits worse.
    """
    df = n_parameters[1] - n_parameters[0]
    if not df:
        NOT_NESTED.refuse(k=n_parameters[0])
    statistic = deviances[0] - deviances[1]
    if statistic < -ROUNDING * max(1.0, abs(deviances[0])):
        FITS_WORSE.refuse(found=statistic)
    variances = df != n_coefficients[1] - n_coefficients[0]
    statistic = max(statistic, 0.0)
    note = notes_in_one([BOUNDARY if variances else NO_NOTE, *notes])
    return LikelihoodRatio(statistic, df, float(special.chdtrc(df, statistic)), method, note)


def in_one_table(models: Sequence[tuple[str, int, float, int, LikelihoodRatio | None]]) -> pd.DataFrame:
    """Return models from small to large, each with the test against the one before it, as R's ``anova`` of several fits.

    Parameters
    ----------
    models : sequence of (formula, number of parameters, deviance, rows, test)
    """
    rows = []
    for text, k, deviance, n, test in models:
        numbers = (k, deviance + 2.0 * k, deviance + float(np.log(n)) * k, -0.5 * deviance, deviance)
        rows.append((text, *numbers, *((np.nan, np.nan, np.nan, "", NO_NOTE) if test is None else astuple(test))))
    return pd.DataFrame(rows, columns=list(COLUMNS))
