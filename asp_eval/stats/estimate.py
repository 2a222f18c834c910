"""The one shape of a result: an estimated quantity with its uncertainty, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
from scipy import special

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One row of a result table.

    A number that cannot be had is None, and `note` then says why.

    Attributes
    ----------
    term : str
        What was estimated: a coefficient's name or a description of the contrast.
    estimate, std_error, df, statistic, p_value, conf_low, conf_high : float or None
        `statistic` is t on `df` degrees of freedom; `df` is infinite for a normal approximation. The p-value is
        two-sided.
    method : str
        What really produced the standard error and the degrees of freedom.
    note : Phrase
        Empty, or what a reader must know; never empty where a number is None.
    """

    term: str
    estimate: float | None
    std_error: float | None
    df: float | None
    statistic: float | None
    p_value: float | None
    conf_low: float | None
    conf_high: float | None
    method: str
    note: Phrase = NO_NOTE

    def __str__(self) -> str:
        """Return the row on one line, five digits a number.

        Examples
        --------
        >>> print(Estimate("x", 1 / 3, 0.1, 9.0, 10 / 3, 0.0088, 0.107, 0.559, "KenwardRoger"))
        x: estimate 0.33333, std_error 0.1, df 9, statistic 3.3333, p_value 0.0088, conf_low 0.107, conf_high 0.559 (KenwardRoger)
        """
        numbers = {f.name: getattr(self, f.name) for f in fields(self)[1:8]}
        shown = ", ".join(f"{name} {value:.5g}" for name, value in numbers.items() if value is not None)
        ending = f"; {self.note}" if self.note else ""
        return f"{self.term}: {shown} ({self.method}){ending}" if shown else f"{self.term}: {self.note}"

    @classmethod
    def unavailable(cls, term: str, reason: Phrase, *, method: str = "", estimate: float | None = None) -> Estimate:
        """Return a row whose uncertainty (and, unless given, whose estimate) cannot be had."""
        return cls(term, estimate, None, None, None, None, None, None, method, reason)


def available(estimate: Estimate) -> Estimate | Unavailable:
    """Return an estimate, or where it has not even a value the reason why.

    Examples
    --------
    >>> available(Estimate.unavailable("x", "the outcome does not vary"))
    Unavailable(reason='the outcome does not vary')
    """
    return Unavailable(estimate.note) if estimate.estimate is None else estimate


@dataclass(frozen=True, slots=True)
class JointTest:
    """A test that several contrasts are zero together.

    Attributes
    ----------
    term : str
        What was tested.
    statistic : float or None
        F.
    df_numerator, df_denominator : float or None
    p_value : float or None
    method : str
        What really produced the test.
    note : Phrase
        Empty, or what a reader must know; never empty where a number is None.
    """

    term: str
    statistic: float | None
    df_numerator: float | None
    df_denominator: float | None
    p_value: float | None
    method: str
    note: Phrase = NO_NOTE


ESTIMATE_COLUMNS = tuple(f.name for f in fields(Estimate))
JOINT_COLUMNS = tuple(f.name for f in fields(JointTest))


def t_tail(t: Array, df: Array) -> Array:
    """Return P(T > t) for t >= 0 on `df` degrees of freedom; infinite `df` is the normal distribution."""
    finite = np.isfinite(df)
    return np.where(finite, special.stdtr(np.where(finite, df, 1.0), -t), special.ndtr(-t))


def t_quantile(probability: float, df: Array) -> Array:
    """Return the quantile of t on `df` degrees of freedom; infinite `df` is the normal distribution."""
    finite = np.isfinite(df)
    return np.where(finite, special.stdtrit(np.where(finite, df, 1.0), probability), special.ndtri(probability))


def f_tail(f: float, df_numerator: float, df_denominator: float) -> float:
    """Return P(F > f); an infinite `df_denominator` is the chi-square distribution over `df_numerator`."""
    if np.isinf(df_denominator):
        return float(special.chdtrc(df_numerator, f * df_numerator))
    return float(special.fdtrc(df_numerator, df_denominator, f))
