"""Between-within degrees of freedom: counted, not estimated (Schluchter & Elashoff 1990; SAS's DDFM=BETWITHIN).

Columns that are constant within the groups are judged against the groups, all others against the rows:

    between = m - rank of the columns constant within groups        (60 institutions, arm, municipality: 60 - 3 = 57)
    within  = n - m - rank of the others

With nested factors each level takes the groups of the level below for its rows. Defined for random intercepts of
nested factors; a contrast over several levels takes the fewest degrees of freedom. It may be asked for, or declared as
what to use where another method is unavailable; it is never put in silently.

A generalised or ordinal mixed model has degrees of freedom for what is constant within groups, and z for what varies among
rows: its rows bring no estimate of a residual variance. Such rows are named `Normal`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.method import ContrastErrors, Fit, FTest, Method
from asp_eval.stats.smallsample.normal import model_covariance
from asp_eval.stats.smallsample.variance import contrast_variances, wald_f

NONE_LEFT = Phrase("no degrees of freedom are left at its level")
Z = "Normal"
"""The method of a row without a finite number of degrees of freedom."""


class Leveled(Protocol):
    """A fit whose coefficients belong to levels of a nested design."""

    def between_within_df(self) -> Array | Unavailable:
        """Return the degrees of freedom of each coefficient (p,)."""


@dataclass(frozen=True, slots=True)
class BetweenWithin(Method):
    """t and F with counted degrees of freedom: groups for what is constant in them, rows for the rest.

    Examples
    --------
    >>> BetweenWithin().name
    'BetweenWithin'
    """

    def covariance(self, fit: Fit) -> Array | Unavailable:
        """Return (X'V^-1 X)^-1."""
        return model_covariance(fit, self.name)

    def errors(self, fit: Fit, contrasts: Array) -> ContrastErrors | Unavailable:
        """Return the model's standard errors with counted degrees of freedom."""
        V, counted = self.covariance(fit), _counted(fit)
        if isinstance(V, Unavailable):
            return V
        if isinstance(counted, Unavailable):
            return counted
        df = np.array([counted[row != 0].min() if (row != 0).any() else np.nan for row in contrasts])
        reasons = tuple(NO_NOTE if d > 0 else NONE_LEFT for d in df)
        methods = tuple(Z if np.isinf(d) else self.name for d in df)
        return ContrastErrors(np.sqrt(contrast_variances(contrasts, V)), df, self.name, reasons=reasons, methods=methods)

    def f_test(self, fit: Fit, contrasts: Array) -> FTest | Unavailable:
        """Return Wald's F on the fewest degrees of freedom of the coefficients in it."""
        V, counted = self.covariance(fit), _counted(fit)
        if isinstance(V, Unavailable):
            return V
        if isinstance(counted, Unavailable):
            return counted
        df = float(counted[(contrasts != 0).any(axis=0)].min())
        if df <= 0:
            return Unavailable(NONE_LEFT)
        return FTest(wald_f(contrasts @ fit.estimate, contrasts @ V @ contrasts.T), len(contrasts), df, self.name)


def _counted(fit: Fit) -> Array | Unavailable:
    """Return the degrees of freedom of each coefficient of a fit that has levels."""
    if hasattr(fit, "between_within_df"):
        return cast(Leveled, fit).between_within_df()
    return Unavailable(Phrase("between-within degrees of freedom are defined for mixed models only"))
