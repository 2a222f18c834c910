"""The likelihood ratio of two nested models.

Models with different fixed parts are compared by ML, refitted if need be; with the same fixed part, by REML if both
were fitted so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from scipy import special

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import NO_NOTE, Phrase

DIFFERENT_ROWS = Fault(
    "FIT-057", "the two models were fitted to different rows", "Fit both to the rows that are complete for the larger one."
)  # fmt: skip
NOT_NESTED = Fault("FIT-058", "both models have {k} parameters, so neither can be tested against the other", "Compare their AIC.")


class Comparable(Protocol):
    """A fit that can be compared with another on the same rows."""

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def n_obs(self) -> int: ...  # noqa: D102

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


def likelihood_ratio(first: Comparable, second: Comparable) -> LikelihoodRatio:
    """Return the likelihood ratio test of the smaller of two nested models against the larger.

    Raises
    ------
    Refusal
        If the models were fitted to different rows or have the same number of parameters.
    """
    if first.n_obs != second.n_obs:
        DIFFERENT_ROWS.refuse(found=f"{first.n_obs} and {second.n_obs} rows")
    small, large = (first, second) if first.n_parameters < second.n_parameters else (second, first)
    df = large.n_parameters - small.n_parameters
    if not df:
        NOT_NESTED.refuse(k=small.n_parameters)
    reml = small.reml and large.reml and small.names == large.names
    statistic = max(small.refit(reml=reml).deviance - large.refit(reml=reml).deviance, 0.0)
    variances = small.n_parameters - len(small.names) != large.n_parameters - len(large.names)
    method = "restricted likelihood" if reml else "likelihood"
    return LikelihoodRatio(statistic, df, float(special.chdtrc(df, statistic)), method, BOUNDARY if variances else NO_NOTE)
