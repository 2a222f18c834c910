"""What refits under many allocations return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from asp_eval.stats.estimate import Array


@dataclass(frozen=True, slots=True, eq=False)
class Refits:
    """Refits under R allocations.

    Attributes
    ----------
    estimate, std_error : ndarray, shape (R,)
        In the data's units; NaN where the allocation leaves the effect inestimable.
    ratio : ndarray, shape (R,)
        The variance ratio tau^2 / sigma^2 of a model with one random intercept; NaN for other models.
    """

    estimate: Array
    std_error: Array
    ratio: Array

    @property
    def statistic(self) -> Array:
        """|b / se| (R,); infinite where the effect is inestimable, so that such a draw counts against the effect."""
        found = np.full(len(self.estimate), np.inf)
        np.divide(np.abs(self.estimate), self.std_error, out=found, where=self.std_error > 0)
        return found
