"""What a method of inference is: it wraps a fit and answers for contrasts of its coefficients.

A method is a frozen value (``KenwardRoger()``, ``CR2()``), so it can be stored, compared and printed. Given a fit
with coefficients beta (p,) and contrasts L (k, p) it yields

* the covariance matrix of beta that it uses;
* for each row of L by itself: the standard error of L beta and the degrees of freedom of t;
* for all rows of L together: F with its numerator and denominator degrees of freedom.

Where it has no right answer it returns `Unavailable` with the reason; it never lets another method stand in silently.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.estimate import Array, f_tail


class Fit(Protocol):
    """What every method may rely on; a method may ask for more and be `Unavailable` on a fit that lacks it.

    Attributes
    ----------
    names : tuple of str
        The p coefficients that were estimated.
    estimate : ndarray (p,)
    dropped : tuple of str
        Coefficients left out because their column is a linear combination of earlier ones.
    """

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def estimate(self) -> Array: ...  # noqa: D102

    @property
    def dropped(self) -> tuple[str, ...]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, eq=False)
class ContrastErrors:
    """The uncertainty of k contrasts, each by itself.

    Attributes
    ----------
    std_error : ndarray (k,)
    df : ndarray (k,)
        Degrees of freedom of t; infinite for a normal approximation, NaN where `reasons` says why there are none.
    method : str
        What really produced the numbers.
    note : Phrase
        What a reader must know of all k, or empty.
    reasons : tuple of Phrase, length k, or empty
        Where a row's degrees of freedom cannot be had, the reason; else the empty phrase.
    estimate : ndarray (k,) or None
        The contrasts' values, where they are not those of the fit itself (a method that had to refit).
    notes : tuple of Phrase, length k, or empty
        What a reader must know of each row, in place of `note`.
    methods : tuple of str, length k, or empty
        What really produced each row, in place of `method`.
    """

    std_error: Array
    df: Array
    method: str
    note: Phrase = NO_NOTE
    reasons: tuple[Phrase, ...] = ()
    estimate: Array | None = None
    notes: tuple[Phrase, ...] = ()
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FTest:
    """F for q contrasts together.

    Attributes
    ----------
    statistic, df_numerator, df_denominator : float
        `df_denominator` is infinite for a chi-square approximation.
    method : str
        What really produced the numbers.
    note : Phrase
        What a reader must know, or empty.
    """

    statistic: float
    df_numerator: float
    df_denominator: float
    method: str
    note: Phrase = NO_NOTE

    @property
    def p_value(self) -> float:
        """Probability of a larger F."""
        return f_tail(self.statistic, self.df_numerator, self.df_denominator)


class Method(ABC):
    """A method of inference for the coefficients of a fit; subclasses are frozen dataclasses holding their options."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The name results carry."""
        return type(self).__name__

    @abstractmethod
    def covariance(self, fit: Fit) -> Array | Unavailable:
        """Return the covariance matrix (p, p) of the coefficients."""

    @abstractmethod
    def errors(self, fit: Fit, contrasts: Array) -> ContrastErrors | Unavailable:
        """Return standard errors and degrees of freedom of each row of `contrasts` (k, p)."""

    @abstractmethod
    def f_test(self, fit: Fit, contrasts: Array) -> FTest | Unavailable:
        """Return the test that all rows of `contrasts` (q, p, of full row rank) are zero together."""
