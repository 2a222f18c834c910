"""Fits with latent effects compared: type III tests of their terms, and likelihood ratios of nested fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Protocol

import pandas as pd

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.comparison import LikelihoodRatio, in_one_table, ratio_of
from asp_eval.stats.contrasts import joint_table
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.nesting import check_nested
from asp_eval.stats.design.type3 import Hypothesis, type_three
from asp_eval.stats.smallsample.method import Fit, Method

NO_SUCH_FIT = Fault("FIT-151", "this is no fitted model of the same kind", "Give a fit that the same function returned.")
OTHER_LIKELIHOOD = Fault(
    "FIT-152",
    "the two models have different likelihoods",
    "Fit both with the same family, link, thresholds and number of quadrature points.",
)
NO_INTERCEPT = Phrase("write the formula with an intercept; without one a term's columns have no meaning that the data determine")


class LatentComparable(Fit, Protocol):
    """A fit with latent effects that can be compared with another."""

    @property
    def design(self) -> Design: ...  # noqa: D102

    @property
    def kept(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def n_parameters(self) -> int: ...  # noqa: D102

    @property
    def n_obs(self) -> int: ...  # noqa: D102

    @property
    def deviance(self) -> float: ...  # noqa: D102

    @property
    def likelihood(self) -> Phrase:
        """What the log likelihood is of, and how it was integrated."""
        ...


def likelihood_ratio(first: LatentComparable, second: LatentComparable) -> LikelihoodRatio:
    """Return the likelihood ratio test of the smaller of two nested fits against the larger.

    Raises
    ------
    Refusal
        If they cannot be compared: another likelihood, outcome, rows, offset or weights, not nested, as many parameters,
        or a larger model that fits worse.
    """
    small, large = (first, second) if first.n_parameters < second.n_parameters else (second, first)
    if small.likelihood != large.likelihood:
        OTHER_LIKELIHOOD.refuse(found=f"{small.likelihood}; {large.likelihood}")
    check_nested(small.design, large.design)
    deviances, sizes = (small.deviance, large.deviance), (small.n_parameters, large.n_parameters)
    return ratio_of(deviances, sizes, (len(small.names), len(large.names)), "likelihood")


def comparison_table(fits: Sequence[LatentComparable]) -> pd.DataFrame:
    """Return fits from small to large, each tested against the one before it."""
    ordered = sorted(fits, key=lambda f: f.n_parameters)
    tests = [None, *(likelihood_ratio(a, b) for a, b in pairwise(ordered))]
    rows = [(f.design.formula.text, f.n_parameters, f.deviance, f.n_obs) for f in ordered]
    return in_one_table([(*row, test) for row, test in zip(rows, tests, strict=True)])


def type_three_table(fit: LatentComparable, method: Method) -> pd.DataFrame:
    """Return the type III test of each term but the intercept; that of an ordinal model is among its thresholds."""
    every = fit.design.layout.fixed_names
    constant = tuple(k for k, name in enumerate(every) if name == "Intercept")
    lost = [k for k in constant if k not in fit.kept]
    hypotheses = type_three(fit.design, (*lost, *fit.kept))
    if "Intercept" not in fit.names and not lost:
        hypotheses = [replace(h, contrasts=Unavailable(NO_INTERCEPT)) for h in hypotheses]
    return joint_table(fit, [_without(h, len(lost)) for h in hypotheses], method)


def _without(hypothesis: Hypothesis, first: int) -> Hypothesis:
    """Return a hypothesis whose first columns are of no coefficient."""
    if isinstance(hypothesis.contrasts, Unavailable):
        return hypothesis
    return replace(hypothesis, contrasts=hypothesis.contrasts[:, first:])
