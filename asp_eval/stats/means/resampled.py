"""Whole clusters drawn with replacement and the model refitted to each draw: the cluster bootstrap of average effects.

Where the variable compared is constant within clusters, each of its categories keeps its number of clusters. A cluster that is
drawn twice is two clusters. The interval is that of percentiles; p is twice the smaller share of draws on one side of no
difference, (1 + count) / (1 + draws), which is the interval turned round (Davison & Hinkley 1997, Bootstrap Methods, 5.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.core.errors import AspError, Fault
from asp_eval.core.phrases import Phrase
from asp_eval.core.randomness import stream
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.smallsample.direct import DirectMethod
from asp_eval.stats.smallsample.method import Fit

FEWEST = 20
"""Clusters from which resampling them is offered: with fewer, the draws vary less than trials do."""
FEW_CLUSTERS = Fault(
    "FIT-135", "clusters are resampled from {fewest} up", "Use method=BetweenWithin(), which counts the clusters."
)
FEW_DRAWS = Fault("FIT-136", "the number of draws is a whole number from 20 up", "Use 1,000 draws.")
NOT_RESAMPLED = Fault(
    "FIT-137",
    "clusters of this model cannot be resampled",
    "Fit glmm(formula, frame) or clmm(formula, frame) with random effects of one column of the frame.",
)
AVERAGES_ONLY = Phrase("clusters are resampled for average effects only")


@dataclass(frozen=True, slots=True)
class ResampledClusters(DirectMethod):
    """Intervals of average effects from clusters drawn with replacement, the model refitted to each draw.

    Attributes
    ----------
    draws : int
        1,000 take as long as 1,000 fits.
    seed : int
        The same seed gives the same draws.
    """

    draws: int = 1_000
    seed: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.draws, bool) or not isinstance(self.draws, int) or self.draws < 20:
            FEW_DRAWS.refuse(found=self.draws)

    def rows(self, fit: Fit, contrasts: Array, terms: Sequence[str], level: float) -> list[Estimate]:  # noqa: ARG002
        """Return the reason why a coefficient has no row."""
        return [Estimate.unavailable(term, AVERAGES_ONLY, method=self.name) for term in terms]


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Rows of a fit with their clusters.

    Attributes
    ----------
    frame : DataFrame
        The rows used.
    name : str
        Column of the clusters.
    codes : ndarray of int (n,)
    """

    frame: pd.DataFrame
    name: str
    codes: Codes

    def drawn(self, stratum: Codes, random: np.random.Generator) -> pd.DataFrame:
        """Return the rows of clusters drawn with replacement, as many in each stratum as there are.

        Parameters
        ----------
        stratum : ndarray of int (clusters,)
        """
        picked = np.concatenate(
            [random.choice(own, len(own)) for own in (np.flatnonzero(stratum == s) for s in np.unique(stratum))]
        )
        rows = [np.flatnonzero(self.codes == cluster) for cluster in picked]
        numbers = np.repeat(np.arange(len(picked)), [len(r) for r in rows])
        return self.frame.iloc[np.concatenate(rows)].reset_index(drop=True).assign(**{self.name: numbers})


def strata_of(codes: Codes, values: Array) -> Codes:
    """Return a stratum for each cluster: its value where values are constant within clusters, else one for all."""
    first = np.array([values[np.argmax(codes == cluster)] for cluster in range(int(codes.max()) + 1)])
    constant = bool((first[codes] == values).all())
    return np.unique(first, return_inverse=True)[1] if constant else np.zeros(len(first), np.intp)


def replicates(
    clusters: Clusters, stratum: Codes, method: ResampledClusters, values: Callable[[pd.DataFrame], Array], size: int
) -> Array:
    """Return values of a refit to every draw (draws, size); NaN where the model could not be fitted.

    Raises
    ------
    Refusal
        FIT-135 with fewer than 20 clusters.
    """
    if len(stratum) < FEWEST:
        FEW_CLUSTERS.refuse(found=len(stratum), fewest=FEWEST)
    out = np.full((method.draws, size), np.nan)
    for r in range(method.draws):
        try:
            found = values(clusters.drawn(stratum, stream(method.seed, "clusters", r)))
        except AspError:
            continue
        if len(found) == size:
            out[r] = found
    return out
