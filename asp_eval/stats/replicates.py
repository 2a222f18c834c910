"""Replicates of a fit's estimates, and the intervals read off them, whatever the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.contrasts import check_level
from asp_eval.stats.estimate import Array

DRAWS = Fault("INF-070", "a bootstrap needs replicates", "Ask for draws=1_000 or more; intervals want 10,000.")
INTERVAL = Fault("INF-071", "there is no interval of this kind", "Ask for interval='percentile' or interval='basic'.")

COLUMNS = [
    "group",
    "term1",
    "term2",
    "quantity",
    "estimate",
    "bias",
    "std_error",
    "conf_low",
    "conf_high",
    "method",
    "note",
]


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a column of the replicates is.

    Attributes
    ----------
    group : str
        Grouping factor; ``residual`` for sigma, empty for coefficients.
    term1, term2 : str
    kind : {"coefficient", "sd", "correlation", "icc"}
    """

    group: str
    term1: str
    term2: str
    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """Replicates of a fit's estimates.

    Attributes
    ----------
    quantities : tuple of Quantity, length q
    estimate : ndarray, shape (q,)
        Of the fit itself.
    replicates : ndarray, shape (draws, q)
        NaN where a replicate has no such number: a correlation beside a variance of zero.
    seed : int
    """

    quantities: tuple[Quantity, ...]
    estimate: Array
    replicates: Array
    seed: int

    @property
    def draws(self) -> int:
        """Number of replicates."""
        return len(self.replicates)

    def tidy(self, level: float = 0.95, interval: Literal["percentile", "basic"] = "percentile") -> pd.DataFrame:
        """Return one row per quantity.

        Returns
        -------
        DataFrame
            group, term1, term2, quantity, estimate, bias, std_error, conf_low, conf_high, method, note. Bias is the mean
            of the replicates less the estimate, the standard error their standard deviation.
        """
        check_level(level)
        if interval not in ("percentile", "basic"):
            INTERVAL.refuse(found=interval)
        rows = [self._row(k, level, interval) for k in range(len(self.quantities))]
        return pd.DataFrame(rows, columns=COLUMNS)

    def _row(self, k: int, level: float, interval: str) -> tuple[object, ...]:
        """Return the row of one quantity."""
        q, value = self.quantities[k], float(self.estimate[k])
        own = self.replicates[:, k]
        known = own[np.isfinite(own)]
        label, method = (q.group, q.term1, q.term2, q.kind), f"parametric bootstrap, {interval}"
        lost = len(own) - len(known)
        note = Phrase("{lost:,} of {all:,} replicates have no such number", lost=lost, all=len(own)) if lost else NO_NOTE
        if len(known) < 2 or not np.isfinite(value):
            return (*label, value, np.nan, np.nan, np.nan, np.nan, method, note or Phrase("the fit has no such number"))
        low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2], method="weibull").tolist()
        if interval == "basic":
            low, high = 2 * value - high, 2 * value - low
        return (*label, value, float(known.mean()) - value, float(known.std(ddof=1)), low, high, method, note)
