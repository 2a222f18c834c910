"""The likelihood ratio of two nested models.

Models with different fixed parts are compared by ML, refitted if need be; with the same fixed part, by REML if both
were fitted so.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import pandas as pd

from asp_eval.core.phrases import Phrase
from asp_eval.stats.comparison import LikelihoodRatio, in_one_table, ratio_of
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.nesting import check_nested, same_span
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.mixed.nesting import check_nested_moments


class Comparable(Protocol):
    """A fit that can be compared with another on the same rows."""

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def design(self) -> Design | None: ...  # noqa: D102

    @property
    def moments(self) -> Moments: ...  # noqa: D102

    @property
    def n_parameters(self) -> int: ...  # noqa: D102

    @property
    def reml(self) -> bool: ...  # noqa: D102

    @property
    def deviance(self) -> float: ...  # noqa: D102

    def refit(self, *, reml: bool) -> Comparable: ...  # noqa: D102


REFITTED = Phrase("both models were refitted by maximum likelihood, because their fixed parts differ")


def likelihood_ratio(first: Comparable, second: Comparable) -> LikelihoodRatio:
    """Return the likelihood ratio test of the smaller of two nested models against the larger.

    Raises
    ------
    Refusal
        If the models cannot be compared: other rows, outcome, offset or weights, not nested, as many parameters, or a larger
        model that fits worse.
    """
    small, large = (first, second) if first.n_parameters < second.n_parameters else (second, first)
    if small.design is not None and large.design is not None:
        check_nested(small.design, large.design)
        same = small.names == large.names and same_span(small.design, large.design)
    else:
        check_nested_moments(small.moments, large.moments)
        same = small.names == large.names
    reml = small.reml and large.reml and same
    refitted = (small.reml or large.reml) and not reml
    return ratio_of(
        (small.refit(reml=reml).deviance, large.refit(reml=reml).deviance),
        (small.n_parameters, large.n_parameters),
        (len(small.names), len(large.names)),
        "restricted likelihood" if reml else "likelihood",
        [REFITTED] if refitted else [],
    )


def comparison_table(fits: Sequence[Comparable]) -> pd.DataFrame:
    """Return models from small to large, each tested against the one before it, as R's ``anova`` of several fits.

    Where two fixed parts differ all rows are by maximum likelihood.
    """
    ordered = sorted(fits, key=lambda f: f.n_parameters)
    tests = [likelihood_ratio(a, b) for a, b in pairwise(ordered)]
    reml = all(t.method == "restricted likelihood" for t in tests)
    rows = []
    for fit, test in zip(ordered, [None, *tests], strict=True):
        if test is not None and not reml and test.method == "restricted likelihood":
            test = likelihood_ratio(ordered[ordered.index(fit) - 1].refit(reml=False), fit.refit(reml=False))
        rows.append((fit.moments.layout.text, fit.n_parameters, fit.refit(reml=reml).deviance, fit.moments.n_obs, test))
    return in_one_table(rows)
