"""How ``study.yaml`` declares the lot. Which keys go with which scheme: ``docs/randomisation.md``."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from asp_eval.core.documents import Document
from asp_eval.core.phrases import Phrase
from asp_eval.trial.study.keys import Name

KEYS_OF_SCHEME: dict[str, tuple[str, ...]] = {
    "simple": (),
    "stratified": (),
    "blocked": ("blocks", "order"),
    "pairs": ("pair", "covariates"),
    "constrained": ("covariates", "candidates", "keep", "cut"),
    "minimisation": ("covariates", "order", "probability"),
}
NOT_DONE = {
    "stepped-wedge": Phrase("a parallel design: stepped-wedge trials, where arms start one after another, are not analysed here"),
    "crossover": Phrase(
        "a parallel design: crossover trials, where every institution passes through the arms, are not analysed here"
    ),
    "within-institutions": Phrase(
        "institutions as what was drawn: lots of children, rooms or staff inside institutions are not analysed here"
    ),
}


class CutCovariate(Document):
    """A number that minimisation balances in groups: those below the first cut point, from it to below the second, and so on."""

    weight: float = Field(default=1, gt=0, allow_inf_nan=False)
    cut: tuple[Annotated[float, Field(allow_inf_nan=False)], ...] = Field(min_length=1)

    @field_validator("cut")
    @classmethod
    def _rising(cls, cut: tuple[float, ...]) -> tuple[float, ...]:
        if any(low >= high for low, high in pairwise(cut)):
            raise ValueError(Phrase("cuts that rise"))
        return cut


class Randomisation(Document):
    """How the lot is, or was, drawn. Which keys go with which scheme: ``docs/randomisation.md``."""

    scheme: Literal["simple", "stratified", "blocked", "pairs", "constrained", "minimisation"] = "stratified"
    ratio: tuple[int, ...] = (1, 1)
    blocks: tuple[Annotated[int, Field(ge=1)], ...] = ()
    pair: Name | None = None
    covariates: dict[Name, Annotated[float, Field(gt=0, allow_inf_nan=False)] | CutCovariate] = Field(default_factory=dict)
    order: Name | None = None
    candidates: int = Field(default=20_000, ge=2, le=1_000_000)
    keep: float | None = Field(default=None, gt=0, le=1)
    cut: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    probability: float = Field(default=0.8, gt=0, lt=1)
    drawn_elsewhere: bool = False

    @property
    def weights(self) -> dict[str, float]:
        """The covariates with their weights."""
        return {name: one.weight if isinstance(one, CutCovariate) else one for name, one in self.covariates.items()}

    @property
    def cuts(self) -> dict[str, tuple[float, ...]]:
        """The cut points of the covariates that have any."""
        return {name: one.cut for name, one in self.covariates.items() if isinstance(one, CutCovariate)}

    @field_validator("scheme", mode="before")
    @classmethod
    def _analysed_here(cls, scheme: object) -> object:
        if isinstance(scheme, str) and scheme in NOT_DONE:
            raise ValueError(NOT_DONE[scheme])
        return scheme

    @field_validator("ratio")
    @classmethod
    def _positive(cls, ratio: tuple[int, ...]) -> tuple[int, ...]:
        if any(part < 1 for part in ratio):
            raise ValueError(Phrase("whole numbers of 1 or more, one for each arm"))
        return ratio

    @model_validator(mode="after")
    def _keys_of_the_scheme(self) -> Self:
        known = KEYS_OF_SCHEME[self.scheme]
        strange = sorted(self.model_fields_set - {"scheme", "ratio", "drawn_elsewhere", *known})
        if strange:
            raise ValueError(
                Phrase(
                    "only keys of 'scheme: {scheme}' ({known}), so not {strange}",
                    scheme=self.scheme,
                    known=", ".join(known) or Phrase("none"),
                    strange=", ".join(strange),
                )
            )
        if self.scheme != "minimisation" and self.cuts:
            raise ValueError(Phrase("a weight alone for each of 'covariates': cut points are for 'scheme: minimisation'"))
        if self.drawn_elsewhere:
            return self
        if self.scheme == "blocked" and not self.blocks:
            raise ValueError(Phrase("the sizes of the blocks: 'blocks: [4]' or 'blocks: [4, 6]'"))
        if self.scheme == "pairs" and (self.pair is None) == (not self.covariates):
            raise ValueError(Phrase("either 'pair' (the column that names the pair) or 'covariates' (to match on), and not both"))
        if self.scheme == "constrained" and not self.covariates:
            raise ValueError(Phrase("the columns to balance, each with its weight: 'covariates: {{children: 1, low_income: 2}}'"))
        if self.scheme == "constrained" and self.keep is not None and self.cut is not None:
            raise ValueError(Phrase("either 'keep' (the best fraction) or 'cut' (the largest score), and not both"))
        return self
