"""Permutation of a treatment that was drawn by lot for whole clusters.

If the treatment does nothing, every allocation that the lot could have given would have met the same outcomes. So the
model is refitted under each of those allocations (its columns built anew from the clusters' arms), and the statistic
|b / se| of the observed allocation is compared with the others:

    p = (1 + #{|t_r| >= |t_obs|}) / (1 + B)        B draws, the observed allocation being one more
    p = #{|t_r| >= |t_obs|} / B                    all B allocations, the observed one among them

The test is exact whatever the outcomes' distribution, for the hypothesis that no cluster is affected at all
(Gail et al. 1996, Stat Med 15:1069; Phipson & Smyth 2010, Stat Appl Genet Mol Biol 9:39). The interval holds the
constant effects that the same draws do not reject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.contrasts import contrast_row
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.glmm.result import GlmmFit
from asp_eval.stats.mixed.fit import MixedFit
from asp_eval.stats.ordinal.result import ClmmFit
from asp_eval.stats.resampling.allocations import Allocations, Draws
from asp_eval.stats.resampling.arm_columns import ArmColumns
from asp_eval.stats.resampling.arm_grams import ArmGrams, arm_grams
from asp_eval.stats.resampling.clustered_rows import ClusteredRows, cluster_means, clustered_rows
from asp_eval.stats.resampling.fixed_ratios import undecided
from asp_eval.stats.resampling.linear_refits import LinearRefits, linear_refits
from asp_eval.stats.resampling.loop_refits import loop_refits
from asp_eval.stats.resampling.permutation_test import PermutationDistribution, PermutationTest, RefitAt, gone_through
from asp_eval.stats.resampling.refits import Refits
from asp_eval.stats.resampling.reml_refits import RemlRefits, reml_refits
from asp_eval.stats.resampling.score_refits import score_refits
from asp_eval.stats.smallsample.direct import DirectMethod
from asp_eval.stats.smallsample.method import Fit
from asp_eval.stats.smallsample.normal import model_covariance

NO_ALLOCATIONS = Fault(
    "INF-066",
    "a permutation test needs the allocations that the lot could have given",
    "Give allocations=asp_eval.allocations(study, draws=10_000, seed=1), or an asp_eval.Allocations of your own.",
)
NOT_AMONG = Fault(
    "INF-067",
    "the allocation in the data is not among all those that were possible",
    "Check that arms, clusters and strata of the allocations are those of the trial.",
)
STATISTIC = Fault("INF-068", "there is no statistic of this kind", "Give statistic='model' or statistic='cluster-means'.")

ONE_ALLOCATION = Phrase("the clusters of these data could have been allocated in one way only")
SEVERAL_ARMS = Phrase("no interval: with more than two arms the effects of the others are not known")
NOT_CONSTANT = Phrase("no interval: this contrast is zero when the effect is the same for everyone")
BY_LOOP = Phrase("no interval: the model has more than a random intercept, and each endpoint would need thousands of fits")
BY_SCORE = Phrase("no interval: the score is that of no effect, and other effects would need a fit for each")
NOT_ASKED = Phrase("no interval was asked for")


@dataclass(frozen=True, slots=True)
class Permutation(DirectMethod):
    """p-values and intervals of the treatment's effects from the allocations that the lot could have given.

    Attributes
    ----------
    treatment : str
        Column of the treatment in the model.
    allocations : Allocations
        The draws, with the order of their clusters; see `asp_eval.allocations`.
    statistic : {"model", "cluster-means"}
        |b / se| of the fit's own kind: REML for a linear mixed model (whatever it was fitted by), CR1 for least squares, the
        score for a generalised or ordinal mixed model, which is fitted once without the treatment. Or of least squares on
        the means of the clusters.
    interval : bool
        Whether to invert the test for an interval, which takes about four times as long as the p-value.

    Raises
    ------
    Refusal
        INF-066 without allocations.

    Examples
    --------
    >>> import itertools, pandas as pd
    >>> from asp_eval.stats.linear.ols import ols
    >>> frame = pd.DataFrame({"y": [1.0, 2, 3, 2, 6, 7, 9, 8], "arm": list("aaaabbbb"), "g": list("kkllmmnn")})
    >>> every = np.array([[g in pair for g in range(4)] for pair in itertools.combinations(range(4), 2)])
    >>> method = Permutation("arm", Allocations(("k", "l", "m", "n"), every, enumerated=True))
    >>> round(ols("y ~ arm", frame, cluster="g").contrast({"arm[T.b]": 1.0}, method).p_value, 3)
    0.333
    """

    treatment: str = "arm"
    allocations: Allocations | None = None
    statistic: Literal["model", "cluster-means"] = "model"
    interval: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.allocations, Allocations):
            NO_ALLOCATIONS.refuse(found=None if self.allocations is None else type(self.allocations).__name__)
        if self.statistic not in ("model", "cluster-means"):
            STATISTIC.refuse(found=self.statistic)

    def rows(self, fit: Fit, contrasts: Array, terms: Sequence[str], level: float) -> list[Estimate]:
        """Return one row per contrast; what is no effect of the treatment is unavailable."""
        values = (contrasts @ fit.estimate).tolist()
        out = []
        for row, term, value in zip(contrasts, terms, values, strict=True):
            found = self._test(fit, row)
            if isinstance(found, Unavailable):
                out.append(Estimate.unavailable(term, found.reason, method=self.name, estimate=value))
            else:
                made = found.row(term, level, self.name, self._statistic_of(fit))
                out.append(
                    _with_own_estimate(made, fit, row)
                    if isinstance(fit, GlmmFit | ClmmFit) and self.statistic == "model"
                    else made
                )
        return out

    @property
    def went_through(self) -> Phrase:
        """From how many allocations a p-value is."""
        return gone_through(len(self._given.draws), enumerated=self._given.enumerated)

    def distribution(self, fit: Fit, weights: Mapping[str, float]) -> PermutationDistribution | Unavailable:
        """Return the statistic of a contrast under every draw.

        Parameters
        ----------
        fit : MixedFit or OlsFit
        weights : mapping of str to float
            The contrast: ``{"arm[T.intervention]": 1.0}``.
        """
        found = self._test(fit, contrast_row(fit, weights))
        return found if isinstance(found, Unavailable) else found.distribution()

    def _test(self, fit: Fit, contrast: Array) -> PermutationTest | Unavailable:
        """Return a contrast's refits under every draw."""
        rows = clustered_rows(fit)
        if isinstance(rows, Unavailable):
            return rows
        columns = rows.under_arms(self.treatment)
        draws = self._draws(rows, columns)
        if isinstance(draws, Unavailable):
            return draws
        if self.statistic == "model" and isinstance(fit, GlmmFit | ClmmFit):
            found = score_refits(fit, rows, columns, draws, contrast)
            if isinstance(found, Unavailable):
                return found
            return PermutationTest(found, self._given.enumerated, None, None, BY_SCORE if self.interval else NOT_ASKED)
        y, codes, weights = rows.design.response, rows.codes, rows.design.weights
        if self.statistic == "cluster-means":
            J, p = len(rows.levels), columns.X.shape[2]
            if p >= J:
                return Unavailable(Phrase("there are {J} cluster means for {p} coefficients", J=J, p=p))
            columns, y = cluster_means(rows, columns)
            codes, weights = np.arange(J), None
        grams = arm_grams(columns, y, codes, weights, contrast)
        if isinstance(grams, Unavailable):
            return grams
        if self.statistic == "model" and isinstance(fit, MixedFit) and not random_intercept(fit):
            refits = loop_refits(rows, columns, draws, contrast, self.treatment)
            return refits if isinstance(refits, Unavailable) else self._wrapped(refits, grams, draws, None)
        if self.statistic == "model" and isinstance(fit, MixedFit):
            refitted: RemlRefits | LinearRefits = reml_refits(grams, draws)
        else:
            refitted = linear_refits(grams, draws, robust=self.statistic == "model")
        return self._wrapped(refitted.less(0.0), grams, draws, lambda e, w: refitted.taken(w).less(e))

    def _wrapped(self, refits: Refits, grams: ArmGrams, draws: Draws, refit_at: RefitAt | None) -> PermutationTest:
        """Return the test, or the test without an interval and the reason."""
        enumerated = self._given.enumerated
        if not grams.shift:
            return PermutationTest(refits, enumerated, None, None, SEVERAL_ARMS if len(grams.gram) > 2 else NOT_CONSTANT)
        forced = undecided(grams, draws[1:]) | np.isnan(refits.estimate[1:])  # an inestimable effect is never smaller
        if not self.interval:
            return PermutationTest(refits, enumerated, forced, None, NOT_ASKED)
        return PermutationTest(refits, enumerated, forced, refit_at, NO_NOTE if refit_at else BY_LOOP)

    def _draws(self, rows: ClusteredRows, columns: ArmColumns) -> Draws | Unavailable:
        """Return the draws of the model's clusters as its arms (B + 1, J), the observed allocation first."""
        drawn = self._given.recoded(list(rows.levels), columns.arms)
        if bool((drawn == drawn[0]).all()):
            return Unavailable(ONE_ALLOCATION)
        if self._given.enumerated and not bool((drawn == columns.observed).all(axis=1).any()):
            NOT_AMONG.refuse(self.treatment)
        return np.concatenate([columns.observed[None].astype(np.int8), drawn])

    def _statistic_of(self, fit: Fit) -> Phrase:
        """Say whose estimate and standard error the row holds, where it is not the fit's own model."""
        if self.statistic == "cluster-means":
            return Phrase("least squares on the means of the clusters")
        if isinstance(fit, GlmmFit | ClmmFit):
            return Phrase("the statistic is the score of the model without the treatment")
        if isinstance(fit, MixedFit):
            return NO_NOTE if fit.reml else Phrase("estimate and standard error by REML")
        return Phrase("standard error CR1")

    @property
    def _given(self) -> Allocations:
        """The allocations, which construction has checked."""
        return self.allocations if self.allocations is not None else NO_ALLOCATIONS.refuse()


def _with_own_estimate(row: Estimate, fit: Fit, contrast: Array) -> Estimate:
    """Return the row with the maximum likelihood estimate and its standard error; the statistic stays the score's."""
    V = model_covariance(fit, "Permutation")
    if isinstance(V, Unavailable) or row.std_error is None:
        return row
    return replace(row, estimate=float(contrast @ fit.estimate), std_error=float(np.sqrt(contrast @ V @ contrast)))


def random_intercept(fit: MixedFit) -> bool:
    """Whether the model's only random effect is an intercept."""
    factors = fit.problem.standard.moments.layout.factors
    return len(factors) == 1 and factors[0].effects == (0,)
