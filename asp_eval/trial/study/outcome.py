"""The outcomes that ``study.yaml`` declares, and what an effect on one is."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from asp_eval.core.documents import Document
from asp_eval.core.phrases import Phrase
from asp_eval.trial.study.keys import Key, Name, Texts

SUMMARIES: dict[str, tuple[str, ...]] = {
    "continuous": ("difference",),
    "binary": ("difference", "ratio", "odds-ratio"),
    "ordinal": ("difference", "odds-ratio"),
    "count": ("difference", "ratio"),
}
"""By what arms can be compared on each scale: a difference of means or shares; their ratio; an odds ratio."""


class Estimand(Document):
    """Whom the effect is about, and what becomes of children who move or join.

    ``average`` says whose effects the headline averages: every child's alike (``participant``), every institution's alike
    (``institution``), or each institution's by what the mixed model knows of it (``precision``).
    """

    population: Literal["baseline-cohort"] = "baseline-cohort"
    average: Literal["participant", "institution", "precision"] = "precision"
    movers: Literal["as-drawn"] = "as-drawn"
    joiners: Literal["excluded"] = "excluded"


class OutcomeEstimand(Document):
    """What the effect on one outcome is, in the study's own words: the attributes of ICH E9(R1) besides the population.

    What is left out is said by the design itself.
    """

    treatment: Texts | str = ""
    variable: Texts | str = ""
    intercurrent: Texts | str = ""
    summary: Texts | str = ""


class Outcome(Document):
    """One outcome: a score of an instrument (or family), or an imported score column.

    A ``binary`` outcome is a column of zeros and ones, a score of `cut` or more, or a band: `above` is that band or a worse
    one. An ``ordinal`` outcome is a column of whole numbers, a score cut at several places, or the bands of its instrument,
    best first. A ``count`` is how often something happened.

    ``summary`` says by what the arms are compared: the effect that is told first, and whose p-value counts. The others stand
    beside it.
    """

    id: Name
    score: str | None = None
    column: str | None = None
    label: Texts = Field(default_factory=dict)
    role: Literal["primary", "secondary", "exploratory"]
    scale: Literal["continuous", "binary", "ordinal", "count"] = "continuous"
    above: Key | None = None
    cut: float | tuple[float, ...] | None = None
    summary: Literal["difference", "ratio", "odds-ratio"] = "difference"
    better: Literal["lower", "higher"]
    at: Key
    baseline: Key | None = None
    estimand: OutcomeEstimand = OutcomeEstimand()

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.score is None) == (self.column is None):
            raise ValueError(Phrase("either 'score' (instrument.scale) or 'column' (table.column), and not both"))
        source = self.score or self.column or ""
        if "." not in source.strip("."):
            raise ValueError(Phrase("a source of two parts: 'sdq-teacher.conduct' or 'screening.my_column'"))
        if self.column is not None and not self.column.startswith("screening."):
            raise ValueError(Phrase("a column of screening: 'screening.my_column'"))
        return self

    @model_validator(mode="after")
    def _categories_are_declared(self) -> Self:
        cuts = self.cut if isinstance(self.cut, tuple) else ()
        if self.above is not None and (self.scale != "binary" or self.score is None or self.cut is not None):
            raise ValueError(Phrase("'above' with a binary outcome that is a score, and without 'cut'"))
        if self.cut is not None and (self.scale == "binary") == bool(cuts):
            raise ValueError(Phrase("'cut' as one number for a binary outcome, or as a list for an ordinal one"))
        if self.cut is not None and self.scale not in ("binary", "ordinal"):
            raise ValueError(Phrase("'cut' with a binary or an ordinal outcome"))
        if list(cuts) != sorted(set(cuts)):
            raise ValueError(Phrase("cuts that rise"))
        if self.scale == "binary" and self.score is not None and self.above is None and self.cut is None:
            raise ValueError(Phrase("'above: BAND' or 'cut: NUMBER' for a binary outcome that is a score"))
        if self.summary not in SUMMARIES[self.scale]:
            known = ", ".join(SUMMARIES[self.scale])
            raise ValueError(Phrase("one of {known} with 'scale: {scale}'", known=known, scale=self.scale))
        if self.in_bands and self.better == "higher":
            raise ValueError(Phrase("'better: lower', because bands run from the best to the worst"))
        return self

    @property
    def is_continuous(self) -> bool:
        """Whether its values are points on a scale, and not answers, bands or counts."""
        return self.scale == "continuous"

    @property
    def is_count(self) -> bool:
        """Whether the outcome is a count."""
        return self.scale == "count"

    @property
    def column_name(self) -> str:
        """The name of an imported score's column, without its table; empty for a scored instrument."""
        return (self.column or "").rpartition(".")[2]

    @property
    def is_ordinal(self) -> bool:
        """Whether it has categories in order."""
        return self.scale == "ordinal"

    @property
    def in_bands(self) -> bool:
        """Whether its categories are the bands of its instrument."""
        return self.above is not None or (self.scale == "ordinal" and self.score is not None and self.cut is None)
