"""The wild cluster bootstrap of least squares, with the null hypothesis imposed.

The model is fitted under the hypothesis l'beta = delta (residuals e), every cluster's residuals are multiplied by one
random number v_g, and the statistic t = (l'b - delta) / se (CR1) of the new outcomes X beta + v_g e_g is compared with
the observed one (Cameron, Gelbach & Miller 2008, Rev Econ Stat 90:414, WCR). The numbers are Webb's: +/- sqrt(1/2),
+/- 1, +/- sqrt(3/2), each with probability 1/6 (Webb 2023, Can J Econ 56:839), which with few clusters give more
distinct outcomes than signs do. p = (1 + #{|t_r| >= |t|}) / (1 + B).

Nothing needs the rows: with a = M l, M = (X'WX)^-1, G_g = X_g'W X_g and s_g = X_g'W e_g the new estimate less delta is
u_r = a' sum_g v_rg s_g, and the new scores of the clusters along a are v_rg a's_g - a'G_g M sum_h v_rh s_h. All of them
are linear in delta, so the interval by inversion costs what vectors cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase, notes_in_one
from asp_eval.core.randomness import stream
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.linear.ols import EXACT_FIT, OlsFit
from asp_eval.stats.resampling.inversion import Index, Inversion, at_least
from asp_eval.stats.smallsample.cluster_blocks import cluster_sums
from asp_eval.stats.smallsample.direct import DirectMethod
from asp_eval.stats.smallsample.method import Fit

DRAWS = Fault("INF-075", "a wild bootstrap needs draws", "Ask for draws=999 or more.")

WEBB = np.sqrt([0.5, 1.0, 1.5]) * np.array([[-1.0], [1.0]])
ONLY_OLS = Phrase("the wild cluster bootstrap is defined for least squares")
NO_CLUSTERS = Phrase("the wild cluster bootstrap needs the clusters, which the fit was not given")
ONE_CLUSTER = Phrase("one cluster alone determines this contrast")
FEWEST = 5


@dataclass(frozen=True, slots=True)
class WildBootstrap(DirectMethod):
    """p-values and intervals of least squares by the wild cluster bootstrap (Webb's numbers, null imposed).

    Attributes
    ----------
    draws : int
        Such that (draws + 1) times the level is whole: 999, 9_999.
    seed : int

    Examples
    --------
    >>> import pandas as pd
    >>> from asp_eval.stats.linear.ols import ols
    >>> g = np.repeat(np.arange(10), 3)
    >>> frame = pd.DataFrame({"g": g, "arm": g % 2, "y": np.sin(np.arange(30.0)) + g % 2})
    >>> row = ols("y ~ arm", frame, cluster="g").contrast({"arm": 1.0}, WildBootstrap(999, seed=1))
    >>> row.conf_low < row.estimate < row.conf_high
    True
    """

    draws: int = 9_999
    seed: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.draws, bool) or self.draws < 1:
            DRAWS.refuse(found=self.draws)

    def rows(self, fit: Fit, contrasts: Array, terms: Sequence[str], level: float) -> list[Estimate]:
        """Return one row per contrast."""
        values = (contrasts @ fit.estimate).tolist()
        why = _why_not(fit)
        if why or not isinstance(fit, OlsFit):
            return [Estimate.unavailable(t, why, method=self.name, estimate=v) for t, v in zip(terms, values, strict=True)]
        scores = ClusterScores.of(fit)
        numbers = WEBB.ravel()[stream(self.seed, "wild-bootstrap").integers(0, 6, (self.draws, len(scores.score)))]
        numbers = np.vstack([np.ones(len(scores.score)), numbers])
        return [self._row(scores, numbers, c, t, v, level) for c, t, v in zip(contrasts, terms, values, strict=True)]

    def _row(self, scores: ClusterScores, numbers: Array, contrast: Array, term: str, value: float, level: float) -> Estimate:
        """Return the row of one contrast."""
        test = WildTest.of(scores, numbers, contrast, value)
        se = test.std_error
        if not se > 0:
            return Estimate.unavailable(term, ONE_CLUSTER, method=self.name, estimate=value)
        t = test.statistics(0.0, np.arange(len(numbers)))
        p = (1 + int(at_least(t[1:], float(t[0])).sum())) / (1 + self.draws)
        source = Phrase("standard error CR1, p-value from {draws:,} draws; no degrees of freedom are used", draws=self.draws)
        alpha = 1.0 - level
        least = alpha * (1 + self.draws) * (1.0 - 1e-9) - 1
        low: float | Unavailable
        high: float | Unavailable
        if least <= 0:
            few = Phrase("no interval: {draws} draws cannot give a p-value below {alpha:.3g}", draws=self.draws, alpha=alpha)
            low = high = Unavailable(few)
        else:
            inversion = Inversion(test.statistics, self.draws, least, value, se)
            low, high = (inversion.endpoint(side) for side in (-1.0, 1.0))
        reasons = dict.fromkeys(end.reason for end in (low, high) if isinstance(end, Unavailable))
        ends = [None if isinstance(end, Unavailable) else end for end in (low, high)]
        return Estimate(term, value, se, None, value / se, p, ends[0], ends[1], self.name, notes_in_one([source, *reasons]))


@dataclass(frozen=True, slots=True, eq=False)
class ClusterScores:
    """Cross-products of clusters, in columns that are orthonormal over all rows.

    Attributes
    ----------
    gram : ndarray, shape (J, p, p)
        X_g'W X_g; they sum to the identity.
    score : ndarray, shape (J, p)
        X_g'W e_g of the unrestricted residuals; they sum to zero.
    back : ndarray, shape (p, p)
        Coefficients of the model = `back` times those of the orthonormal columns.
    """

    gram: Array
    score: Array
    back: Array

    @classmethod
    def of(cls, fit: OlsFit) -> ClusterScores:
        """Sum over the clusters of a fit."""
        codes = np.zeros(0, np.intp) if fit.cluster_codes is None else fit.cluster_codes
        order, w, J = np.argsort(codes, kind="stable"), fit.model.weights, int(codes.max()) + 1
        Q, e = fit.solution.columns[order], fit.residuals[order, None]
        weighted = Q if w is None else Q * w[order, None]
        return cls(
            cluster_sums(weighted, codes[order], J, Q), cluster_sums(weighted, codes[order], J, e)[..., 0], fit.solution.back
        )


@dataclass(frozen=True, slots=True, eq=False)
class WildTest:
    """One contrast under every draw; everything is (value at delta = estimate) + (estimate - delta) * slope.

    Attributes
    ----------
    value : float
        l'b.
    effect, effect_slope : ndarray, shape (B + 1,)
        l'b* - delta; draw 0 has v = 1 and is the observed sample.
    scores, scores_slope : ndarray, shape (B + 1, J)
        a'X_g'W e*_g.
    """

    value: float
    effect: Array
    effect_slope: Array
    scores: Array
    scores_slope: Array

    @classmethod
    def of(cls, clusters: ClusterScores, numbers: Array, contrast: Array, value: float) -> WildTest:
        """Prepare the draws of one contrast: v (B + 1, J)."""
        a = clusters.back.T @ contrast
        restricted = clusters.gram @ a / (a @ a)  # (J, p): how the restricted scores move with l'b - delta
        parts = []
        for s in (clusters.score, restricted):
            total = numbers @ s  # (B + 1, p): sum_h v_h s_h, in a basis in which M is the identity
            parts.append((total @ a, numbers * (s @ a) - total @ (clusters.gram @ a).T))
        return cls(value, parts[0][0], parts[1][0], parts[0][1], parts[1][1])

    @property
    def std_error(self) -> float:
        """CR1 of the observed sample."""
        J = self.scores.shape[1]
        s = self.scores[0]
        return float(np.sqrt(J / (J - 1) * (s @ s)))

    def statistics(self, delta: float, which: Index) -> Array:
        """Return |t| of some draws at a hypothesis (k,)."""
        gap, J = self.value - delta, self.scores.shape[1]
        effect = self.effect[which] + gap * self.effect_slope[which]
        scores = self.scores[which] + gap * self.scores_slope[which]
        se = np.sqrt(J / (J - 1) * np.einsum("rj,rj->r", scores, scores))
        found = np.full(len(se), np.inf)
        np.divide(np.abs(effect), se, out=found, where=se > 0)
        return found


def _why_not(fit: Fit) -> Phrase:
    """Return why a fit has no wild bootstrap, or nothing."""
    if not isinstance(fit, OlsFit):
        return ONLY_OLS
    if fit.clusters is None:
        return NO_CLUSTERS
    if fit.solution.exact:
        return EXACT_FIT
    J = len(fit.clusters.levels)
    few = Phrase(
        "with {n} clusters Webb's numbers give too few distinct outcomes; the wild bootstrap needs 5 clusters or more", n=J
    )
    return few if J < FEWEST else NO_NOTE
