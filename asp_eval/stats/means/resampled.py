"""Whole clusters drawn with replacement and the model refitted to each draw: the cluster bootstrap.

Where the variable compared is constant within clusters, each of its categories keeps its number of clusters; in a table of
coefficients that holds of all their columns of two values together. A cluster that is drawn twice is two clusters. The interval
is that of percentiles; p is twice the smaller share of draws on one side of no difference, (1 + count) / (1 + draws), which is
the interval turned round (Davison & Hinkley 1997, Bootstrap Methods, 5.3).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.core.errors import AspError, Fault
from asp_eval.core.phrases import Phrase, notes_in_one
from asp_eval.core.randomness import stream
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.variables import Codes
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.latent_answers import LatentAnswers
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
LOST = Phrase("too few of the draws could be fitted")


@dataclass(frozen=True, slots=True)
class ResampledClusters(DirectMethod):
    """Intervals from clusters drawn with replacement, the model refitted to each: of coefficients, and of average effects.

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

    def rows(self, fit: Fit, contrasts: Array, terms: Sequence[str], level: float) -> list[Estimate]:
        """Return each contrast of coefficients with the standard deviation and the percentiles of the draws.

        Raises
        ------
        Refusal
            FIT-135 with fewer than 20 clusters, FIT-137 for a fit that cannot be refitted to drawn clusters.
        """
        refit = getattr(fit, "refit", None)
        if not isinstance(fit, LatentAnswers) or refit is None:
            return NOT_RESAMPLED.refuse(found=type(fit).__name__)
        clusters = clusters_of(fit.design)
        X = fit.design.fixed_matrix()[:, list(fit.kept)][:, (contrasts != 0).any(axis=0)]

        def values(frame: pd.DataFrame) -> Array:
            again = refit(frame)
            return contrasts @ again.estimate if again.names == fit.names else np.empty(0)

        stratum = arms_of(clusters.codes, X)
        draws = replicates(clusters, stratum, self, values, len(contrasts))
        used = draws[~np.isnan(draws).any(axis=1)]
        note = told_draws(len(used), len(stratum), self.draws)
        out = []
        for term, value, own in zip(terms, (contrasts @ fit.estimate).tolist(), used.T, strict=True):
            if len(own) < FEWEST:
                out.append(Estimate.unavailable(term, notes_in_one([LOST, note]), method=self.name, estimate=value))
                continue
            se, low, high, p = (float(v[0]) for v in spread_of(own[:, None], level))
            out.append(Estimate(term, value, se, None, None, p, low, high, self.name, note))
        return out


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


def clusters_of(design: Design) -> Clusters:
    """Return the rows used and their clusters.

    Raises
    ------
    Refusal
        FIT-137 if the random effects are not those of one column of the frame.
    """
    if len(design.groups) != 1 or design.layout.factors[0].name not in design.frame.columns:
        NOT_RESAMPLED.refuse(design.formula.text)
    frame = design.frame if design.data.keep is None else design.frame[design.data.keep]
    return Clusters(frame, design.layout.factors[0].name, design.groups[0].codes)


def arms_of(codes: Codes, columns: Array) -> Codes:
    """Return a stratum for each cluster: the values of all columns that are constant within clusters and have two."""
    one = np.zeros(int(codes.max()) + 1, np.intp)
    strata = [one, *(s for s in (strata_of(codes, c) for c in columns.T) if int(s.max()) == 1)]
    return np.unique(np.array(strata), axis=1, return_inverse=True)[1].ravel()


def told_draws(used: int, clusters: int, draws: int) -> Phrase:
    """Say what an interval is from."""
    note = Phrase("{n:,} draws of {m} clusters, the model refitted to each; interval by percentiles", n=used, m=clusters)
    if used == draws:
        return note
    return notes_in_one([note, Phrase("{n:,} draws could not be fitted and are left out", n=draws - used)])


def spread_of(draws: Array, level: float) -> tuple[Array, Array, Array, Array]:
    """Return standard errors (k,), ends of intervals, and p-values of no difference, of draws (B, k)."""
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail], axis=0)
    fewer = np.minimum((draws <= 0).sum(axis=0), (draws >= 0).sum(axis=0))
    return draws.std(axis=0, ddof=1), low, high, np.minimum(2.0 * (1.0 + fewer) / (1.0 + len(draws)), 1.0)


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
