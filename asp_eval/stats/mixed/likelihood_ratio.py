"""The likelihood ratio of two nested models.

Models with different fixed parts are compared by ML, refitted if need be; with the same fixed part, by REML if both
were fitted so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
import pandas as pd
from scipy import special

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.mixed.nesting import check_nested, check_nested_moments, same_span

NOT_NESTED = Fault("FIT-058", "both models have {k} parameters, so neither can be tested against the other", "Compare their AIC.")
FITS_WORSE = Fault(
    "FIT-065",
    "the larger model fits worse, so that it does not hold the smaller one or its optimum was not found",
    "Look at the notes of both fits, and compare their AIC.",
)

ROUNDING = 1e-6
"""Of the deviance; a statistic below its negative is no rounding."""


class Comparable(Protocol):
    """A fit that can be compared with another on the same rows."""

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def design(self) -> Design | None: ...  # noqa: D102

    @property
    def moments(self) -> Moments: ...  # noqa: D102

    @property
    def n_parameters(self) -> int: ...  # noqa: D102

    @property
    def reml(self) -> bool: ...  # noqa: D102

    @property
    def deviance(self) -> float: ...  # noqa: D102

    def refit(self, *, reml: bool) -> Comparable: ...  # noqa: D102


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


BOUNDARY = Phrase("a variance is tested against zero, the edge of its range, so the p-value is too large (up to twice)")


REFITTED = Phrase("both models were refitted by maximum likelihood, because their fixed parts differ")


def likelihood_ratio(first: Comparable, second: Comparable) -> LikelihoodRatio:
    """Return the likelihood ratio test of the smaller of two nested models against the larger.

    Raises
    ------
    Refusal
        If the models cannot be compared: other rows, outcome, offset or weights, not nested, as many parameters, or a larger
        model that fits worse.
    """
    small, large = (first, second) if first.n_parameters < second.n_parameters else (second, first)
    if small.design is not None and large.design is not None:
        check_nested(small.design, large.design)
        same = small.names == large.names and same_span(small.design, large.design)
    else:
        check_nested_moments(small.moments, large.moments)
        same = small.names == large.names
    df = large.n_parameters - small.n_parameters
    if not df:
        NOT_NESTED.refuse(k=small.n_parameters)
    reml = small.reml and large.reml and same
    deviances = [fit.refit(reml=reml).deviance for fit in (small, large)]
    statistic = deviances[0] - deviances[1]
    if statistic < -ROUNDING * max(1.0, abs(deviances[0])):
        FITS_WORSE.refuse(found=statistic)
    variances = small.n_parameters - len(small.names) != large.n_parameters - len(large.names)
    refitted = (small.reml or large.reml) and not reml
    note = notes_in_one([BOUNDARY if variances else NO_NOTE, REFITTED if refitted else NO_NOTE])
    method = "restricted likelihood" if reml else "likelihood"
    statistic = max(statistic, 0.0)
    return LikelihoodRatio(statistic, df, float(special.chdtrc(df, statistic)), method, note)


def comparison_table(fits: Sequence[Comparable]) -> pd.DataFrame:
    """Return models from small to large, each tested against the one before it, as R's ``anova`` of several fits.

    Where two fixed parts differ all rows are by maximum likelihood.
    """
    ordered = sorted(fits, key=lambda f: f.n_parameters)
    tests = [likelihood_ratio(a, b) for a, b in pairwise(ordered)]
    reml = all(t.method == "restricted likelihood" for t in tests)
    rows = []
    for fit, test in zip(ordered, [None, *tests], strict=True):
        if test is not None and not reml and test.method == "restricted likelihood":
            test = likelihood_ratio(ordered[ordered.index(fit) - 1].refit(reml=False), fit.refit(reml=False))
        deviance, k, n = fit.refit(reml=reml).deviance, fit.n_parameters, fit.moments.n_obs
        numbers = (k, deviance + 2.0 * k, deviance + float(np.log(n)) * k, -0.5 * deviance, deviance)
        tested = (np.nan, np.nan, np.nan, "", NO_NOTE) if test is None else astuple(test)
        rows.append((fit.moments.layout.text, *numbers, *tested))
    columns = [
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
    ]
    return pd.DataFrame(rows, columns=columns)
