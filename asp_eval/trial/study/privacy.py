"""What ``study.yaml`` lets be shown and exported."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from asp_eval.core.documents import Document
from asp_eval.core.phrases import Phrase
from asp_eval.trial.disclosure.limits import USUAL, Limits
from asp_eval.trial.study.keys import Name

PersonColumn = Literal["child_id", "rater_id", "respondent_id", "staff_id", "coder_id"]
KeyId = Annotated[str, StringConstraints(pattern=r"^k[0-9a-f]{12}$")]  # of a pseudonym's key


class Disclosure(Document):
    """How much a printed number may tell one who answered about what another answered; `asp_eval.trial.disclosure.limits`.

    Attributes
    ----------
    answer_sets : int
        Fewest sets of the others' answers that must fit what is printed.
    share_of_grid : float
        Least share of the form's possible scores that must be left open for another's.
    count_bands : tuple of int
        Where the bands of counts begin, after the first.
    """

    answer_sets: int = Field(default=USUAL.answer_sets, ge=2, le=100)
    share_of_grid: float = Field(default=USUAL.share_of_grid, gt=0, le=1)
    count_bands: tuple[Annotated[int, Field(ge=3)], ...] = USUAL.count_bands

    @field_validator("count_bands")
    @classmethod
    def _rising(cls, bands: tuple[int, ...]) -> tuple[int, ...]:
        if any(later <= start for start, later in pairwise(bands)):
            raise ValueError(Phrase("first counts of bands that rise"))
        return bands


class Privacy(Document):
    """What may be shown and exported, and whose ids are replaced by pseudonyms when a file is imported."""

    minimum_cell: int = Field(default=USUAL.minimum_cell, ge=2)
    disclosure: Disclosure = Disclosure()
    show_institution_names: bool = False
    pseudonymise: tuple[PersonColumn, ...] = ()  # rater_id, respondent_id and staff_id are the same people's: one stands for all
    key: KeyId | None = None  # which key makes the pseudonyms; the key itself is in a file outside the study folder
    export: tuple[Name, ...] = ()  # text columns of one's own that `asp-eval export` writes, besides those the plan uses

    @property
    def limits(self) -> Limits:
        """How much may be told about a few people."""
        told = self.disclosure
        return Limits(self.minimum_cell, told.answer_sets, told.share_of_grid, told.count_bands)

    @model_validator(mode="after")
    def _keyed(self) -> Self:
        if self.pseudonymise and self.key is None:
            raise ValueError(
                Phrase("'key: ...' beside 'pseudonymise'; 'asp-eval init' in an empty folder makes one and writes the line")
            )
        return self
