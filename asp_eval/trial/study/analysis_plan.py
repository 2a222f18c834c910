"""How ``study.yaml`` says that the outcomes are analysed."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from asp_eval.core.documents import Document
from asp_eval.core.phrases import Phrase
from asp_eval.trial.study.keys import Key, Name


class AnalysisSetRule(Document):
    """A declared row filter: ``column == value`` comparisons joined by ``and``; null keeps every row."""

    filter: str | None = None


class ConfirmatoryFamily(Document):
    """Outcomes whose p-values are adjusted together; with `after`, only once all of another family are rejected."""

    outcomes: tuple[Name, ...] = Field(min_length=1)
    adjust: Literal["holm", "benjamini-hochberg", "westfall-young", "none"] = "holm"
    after: Key | None = None
    simultaneous: bool = False  # intervals that hold together as well


class Subgroup(Document):
    """An arm's effect in each level of a column; without `outcomes`, on every outcome."""

    by: Name
    outcomes: tuple[Name, ...] = ()


class Complier(Document):
    """What counts as having taken the offer: the rule `received`, or the dose that it sums."""

    taken: Literal["received", "dose"] = "received"


def _complier(value: object) -> object:
    """Return yes as the rule that is declared, and no as nothing."""
    return {"taken": "received"} if value is True else None if value is False else value


class MissingOutcome(Document):
    """How far missing outcomes could bend the conclusion: see ``docs/imputation.md``.

    `predictors` are complete columns of children or institutions that tell who is missing. With `items`, the items of the score
    at the outcome's wave are imputed, and scored. `reference` asks for reference-based imputation, `delta` for the points on the
    curve, in units of the score; without it they are chosen around the tipping point.
    """

    sensitivity: tuple[Literal["imputation", "tipping-point"], ...] = Field(default=("imputation",), min_length=1)
    imputations: int = Field(default=50, ge=5, le=1_000)
    predictors: tuple[Name, ...] = ()
    items: bool = False
    reference: tuple[Literal["jump", "copy"], ...] = ()
    delta: tuple[Annotated[float, Field(allow_inf_nan=False)], ...] = ()

    @model_validator(mode="after")
    def _curve_is_asked_for(self) -> Self:
        if self.delta and "tipping-point" not in self.sensitivity:
            raise ValueError(Phrase("'delta' with 'sensitivity: [tipping-point]'"))
        return self


class AnalysisPlan(Document):
    """How the outcomes are analysed; baseline and strata are added to the covariates."""

    set: Key = "itt"
    covariates: tuple[Name, ...] = ()
    method: Literal["kenward-roger", "satterthwaite", "between-within", "permutation"] = "kenward-roger"
    draws: int = Field(default=10_000, ge=100, le=1_000_000)  # of a permutation test
    level: float = Field(default=0.95, gt=0.5, lt=1)
    families: dict[Key, ConfirmatoryFamily] = Field(default_factory=dict)
    missing_baseline: Literal["indicator", "complete-cases"] = "indicator"
    missing_outcome: MissingOutcome | None = None
    pairs: Literal["fixed", "random"] | None = None  # how matched pairs enter the model; fixed, where the lot has pairs
    triangulate: bool = False  # other estimators beside the planned one
    waves_model: Literal["constrained-longitudinal"] | None = None  # all waves of a score in one model
    complier: Annotated[Complier | None, BeforeValidator(_complier, json_schema_input_type=bool | Complier | None)] = None
    subgroups: tuple[Subgroup, ...] = ()
    varying: tuple[Name, ...] = ()  # columns between whose levels the effect is shown
    levels: tuple[Name, ...] = ()  # columns of children between child and institution, such as a room
