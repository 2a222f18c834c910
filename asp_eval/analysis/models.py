"""Which model an outcome's scale asks for, and what each kind of model gives an outcome.

This is the only place that looks at the scale. A new scale is one more `Model` and one more entry in `MODELS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import pandas as pd

from asp_eval.analysis.category_models import CategoryModel, GeneralisedMixedModel, OrdinalMixedModel
from asp_eval.analysis.formulas import arm_term
from asp_eval.analysis.plan import BY_THE_MODEL, covariate_method
from asp_eval.analysis.results import NO_FAMILY, ArmEffect, ArmNumbers, Estimated, OutcomeResult, Recomputation
from asp_eval.analysis.sensitivity import recompute
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.estimate import Estimate, available
from asp_eval.stats.fitted import Fitted
from asp_eval.stats.meta.effect_size import total_effect_size
from asp_eval.stats.mixed.fit import MixedFit, lmm
from asp_eval.stats.smallsample.method import Method
from asp_eval.trial.study.outcome import Outcome

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

    def method(self, planned: Method) -> tuple[Method, Phrase]:
        """Return the method of inference for this model, and a note if it is not the one planned."""
        ...

    def other_terms(self, method: Method) -> Method:
        """Return the method for what is no effect of the arms."""
        ...

    def compare(
        self, planned: F, unadjusted: F, data: AnalysisSet, arms: Sequence[str], method: Method, level: float
    ) -> ArmNumbers:
        """Return what the model says of the arms.

        Parameters
        ----------
        planned, unadjusted : Fitted
            The planned model, and the one with arm and strata only.
        data : AnalysisSet
        arms : sequence of str
            The first is what the others are compared with.
        method : Method
        level : float
            Of the intervals.
        """
        ...

    def effect_size(self, effect: Estimate, unadjusted: F, data: AnalysisSet, arms: tuple[str, str], level: float) -> Estimated:
        """Return a difference in standard deviations, or why there are none.

        Parameters
        ----------
        effect : Estimate
        unadjusted : Fitted
            The model with arm and strata only.
        data : AnalysisSet
        arms : tuple of two str
            The first, and the one that the difference is of.
        level : float
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

    def method(self, planned: Method) -> tuple[Method, Phrase]:
        """Return the planned one."""
        return planned, NO_NOTE if covariate_method(planned) is planned else BY_THE_MODEL

    def other_terms(self, method: Method) -> Method:
        """Return Kenward-Roger where the lot is permuted, else the planned one."""
        return covariate_method(method)

    def compare(
        self, planned: MixedFit, unadjusted: MixedFit, data: AnalysisSet, arms: Sequence[str], method: Method, level: float
    ) -> ArmNumbers:
        """Return differences on the score's own scale, and in total standard deviations."""
        effects = []
        for arm in arms[1:]:
            weights = {arm_term(arm): 1.0}
            by_model = planned.contrast(weights, method=covariate_method(method), level=level)
            size = self.effect_size(by_model, unadjusted, data, (arms[0], arm), level)
            effects.append(ArmEffect(arm, available(planned.contrast(weights, method=method, level=level)), size, NO_FAMILY))
        return ArmNumbers(tuple(effects))

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
            effect.term,
            size.estimate,
            size.std_error,
            effect.df,
            None,
            None,
            size.conf_low,
            size.conf_high,
            "Hedges",
            NO_TEST_OF_ITS_OWN,
        )

    def recompute(self, data: AnalysisSet, planned: MixedFit, terms: Sequence[str]) -> tuple[Recomputation, ...]:
        """Return them by statsmodels, and those of the marginal model by linearmodels."""
        return recompute(data, planned, terms)


MODELS: Mapping[str, Model[Any]] = {
    "continuous": LinearMixedModel(),
    "binary": GeneralisedMixedModel("binomial"),
    "ordinal": OrdinalMixedModel(),
    "count": GeneralisedMixedModel("poisson"),
}


def category_model(outcome: Outcome) -> CategoryModel:
    """Return the model of an outcome that is no measure."""
    found = MODELS[outcome.scale]
    if not isinstance(found, CategoryModel):
        raise TypeError(outcome.scale)
    return found


def planned_model(outcome: Outcome) -> Model[Any]:
    """Return the kind of model that an outcome's scale asks for."""
    return MODELS[outcome.scale]


def is_yes_or_no(outcome: Outcome | OutcomeResult) -> bool:
    """Return whether an outcome, or the result of one, is of two categories."""
    return outcome.scale == "binary"


def has_categories(outcome: Outcome | OutcomeResult) -> bool:
    """Return whether an outcome, or the result of one, is of categories: two, or ordered bands."""
    return outcome.scale in ("binary", "ordinal")
