"""Which model an outcome's scale asks for, and what each kind of model gives an outcome.

`planned_model` is the only place that looks at the scale. A new scale is one more `Model` and one more entry in `MODELS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import pandas as pd

from asp_eval.analysis.results import Estimated, Recomputation
from asp_eval.analysis.sensitivity import recompute
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.fitted import Fitted
from asp_eval.stats.meta.effect_size import total_effect_size
from asp_eval.stats.mixed.fit import MixedFit, lmm
from asp_eval.trial.study.design import Outcome

F = TypeVar("F", bound=Fitted)

NO_TEST_OF_ITS_OWN = Phrase("the test is that of the difference on the score's own scale")


class Model(Protocol[F]):
    """A kind of model for an outcome."""

    def fit(self, formula: str, frame: pd.DataFrame) -> F:
        """Fit a formula to the children analysed.

        Raises
        ------
        Refusal
            If the model cannot be fitted.
        """
        ...

    def effect_size(self, effect: Estimate, unadjusted: F, data: AnalysisSet, arms: tuple[str, str], level: float) -> Estimated:
        """Return an effect of the planned model on a scale that can be compared between outcomes.

        Parameters
        ----------
        effect : Estimate
            By the model's own method of inference.
        unadjusted : Fitted
            The model with arm and strata only.
        data : AnalysisSet
        arms : tuple of str
            The first arm and the one compared with it.
        level : float
            Of the interval.
        """
        ...

    def recompute(self, data: AnalysisSet, planned: F, terms: Sequence[str]) -> tuple[Recomputation, ...]:
        """Return some coefficients again, by libraries that share no code with the model."""
        ...


@dataclass(frozen=True, slots=True)
class LinearMixedModel:
    """The linear mixed model, for continuous outcomes."""

    def fit(self, formula: str, frame: pd.DataFrame) -> MixedFit:
        """Fit by REML."""
        return lmm(formula, frame)

    def effect_size(
        self, effect: Estimate, unadjusted: MixedFit, data: AnalysisSet, arms: tuple[str, str], level: float
    ) -> Estimated:
        """Return the difference in total standard deviations of the model with arm and strata only (Hedges 2007)."""
        if effect.estimate is None or effect.std_error is None or effect.df is None:
            return Unavailable(effect.note)
        variances = unadjusted.variance_components().set_index("group")["variance"]
        sizes = [data.frame.loc[data.frame["arm"] == arm, "institution"].value_counts().to_numpy() for arm in arms]
        try:
            size = total_effect_size(
                effect.estimate,
                effect.std_error,
                effect.df,
                between_variance=float(variances["institution"]),
                within_variance=float(variances["residual"]),
                sizes_treated=sizes[1],
                sizes_control=sizes[0],
                level=level,
            )
        except AspError as refused:
            return Unavailable(refused.reason)
        return Estimate(
            effect.term, size.estimate, size.std_error, effect.df, None, None, size.conf_low, size.conf_high, "Hedges",
            NO_TEST_OF_ITS_OWN,
        )  # fmt: skip

    def recompute(self, data: AnalysisSet, planned: MixedFit, terms: Sequence[str]) -> tuple[Recomputation, ...]:
        """Return them by statsmodels, and those of the marginal model by linearmodels."""
        return recompute(data, planned, terms)


MODELS: Mapping[str, Model[Any]] = {"continuous": LinearMixedModel()}


def planned_model(outcome: Outcome) -> Model[Any]:
    """Return the kind of model that an outcome's scale asks for."""
    return MODELS[outcome.scale]
