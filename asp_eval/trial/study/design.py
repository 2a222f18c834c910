"""What ``study.yaml`` declares, as frozen values. Field names are the file's keys; unknown keys are refused.

Names that must agree (an outcome at a declared wave, a family of declared outcomes) are judged by
`asp_eval.trial.study.references`, so a `Study` that exists is consistent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    StringConstraints,
    WithJsonSchema,
    WrapSerializer,
    field_validator,
    model_validator,
)

from asp_eval.core.documents import Document, Misfit, Misfits
from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.core.spelling import folded, twins
from asp_eval.trial.disclosure.limits import USUAL, Limits
from asp_eval.trial.instruments.library import Library, OwnFile, shipped
from asp_eval.trial.process.frame import Frame
from asp_eval.trial.process.library import OwnFrame, among, shipped_frames
from asp_eval.trial.study import references

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]  # may stand in a model formula


@cache
def known_language(code: str) -> str:
    """Return the code of a language that is one, in two or three letters (ISO 639); what is none is a `ValueError`."""
    from babel.localedata import exists

    if not (re.fullmatch("[a-z]{2,3}", code) and exists(code)):
        raise ValueError(Phrase("the code of a language, such as da or en"))
    return code


# Which of them reports can be written in is known where the catalogues are, and asked when a report is.
Language = Annotated[str, AfterValidator(known_language), WithJsonSchema({"type": "string", "pattern": "^[a-z]{2,3}$"})]
Texts = dict[Language, str]
ColumnType = Literal["string", "integer", "number", "date"]
PersonColumn = Literal["child_id", "rater_id", "respondent_id", "staff_id", "coder_id"]
KeyId = Annotated[str, StringConstraints(pattern=r"^k[0-9a-f]{12}$")]  # of a pseudonym's key
TableName = Literal[
    "institutions", "children", "screening", "staff_survey", "staff", "interviews", "implementation", "goals", "excerpts"
]
Arm = Key
Stratum = Name

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
SUMMARIES: dict[str, tuple[str, ...]] = {
    "continuous": ("difference",),
    "binary": ("difference", "ratio", "odds-ratio"),
    "ordinal": ("difference", "odds-ratio"),
    "count": ("difference", "ratio"),
}
"""By what arms can be compared on each scale: a difference of means or shares; their ratio; an odds ratio."""

NO_FOLDER = Fault("STU-001", "this study was not read from a study folder", "Read it with asp_eval.load_study(path).")


class StudyTitle(Document):
    """The study's identifier and titles, and whether its data are synthetic."""

    id: Key
    title: Texts = Field(min_length=1)
    synthetic: bool = False


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


class Wave(Document):
    """One round of data collection; `from` and `to` are the first and last day."""

    id: Key
    label: Texts
    start: date | None = Field(default=None, alias="from")
    end: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError(Phrase("a last day ('to') on or after the first ({day})", day=self.start.isoformat()))
        return self


class AgeRange(Document):
    """Ages in years, from `from` and below `below`."""

    start: float = Field(alias="from", ge=0)
    below: float = Field(gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.below <= self.start:
            raise ValueError(Phrase("'below' greater than 'from' ({low:g})", low=self.start))
        return self


class Eligibility(Document):
    """Which children belong to the trial: their age at a wave."""

    age_years: AgeRange
    at: Key


class Family(Document):
    """A family of instrument versions; each child's age picks the version."""

    family: str


class Collection(Document):
    """What one table collects: at which waves, with which instruments."""

    waves: tuple[Key, ...] = Field(min_length=1)
    instruments: tuple[str | Family, ...] = ()


def _listed(value: object) -> object:
    """Return the collections of a table as a list: what is written as one is a list of it."""
    return () if value is None else [value] if isinstance(value, (dict, Document)) else value


def _as_written(value: tuple[Document, ...], default: SerializerFunctionWrapHandler) -> object:
    """Return one collection as itself, as most people write it, so that a list of one declares the same study."""
    return dict(default(value)[0]) if len(value) == 1 else default(value)


# One collection, or a list of them, each with its own waves and instruments.
Collections = Annotated[
    tuple[Collection, ...],
    BeforeValidator(_listed, json_schema_input_type=Collection | tuple[Collection, ...] | None),
    WrapSerializer(_as_written),
]


class Interviews(Document):
    """Interviews with managers: their rounds, the frame they are coded with, and the share that two coders are to code."""

    rounds: tuple[Key, ...] = Field(default=("baseline", "one_year"), min_length=1)
    frame: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")] = "asp-process"
    double_coded: float = Field(default=1.0, ge=0, le=1)


# Interviews coded with one frame, or a list of them, one for each frame.
InterviewList = Annotated[
    tuple[Interviews, ...],
    BeforeValidator(_listed, json_schema_input_type=Interviews | tuple[Interviews, ...] | None),
    WrapSerializer(_as_written),
]


class Collect(Document):
    """The tables that hold answers, and the interviews."""

    screening: Collections = ()
    staff_survey: Collections = ()
    interviews: InterviewList = ()

    @field_validator("interviews")
    @classmethod
    def _one_of_each_frame(cls, interviews: tuple[Interviews, ...]) -> tuple[Interviews, ...]:
        again = twins(each.frame for each in interviews)
        if again:
            raise ValueError(Phrase("each frame once; {names} stands more than once", names=", ".join(sorted(set(again)))))
        return interviews


class OwnColumn(Document):
    """A column of the study's own exports: type, limits, codes that mean missing, and what its values are called.

    A file that calls a value otherwise than `labels` is refused; values without a label are allowed.
    """

    type: ColumnType
    min: float | None = Field(default=None, allow_inf_nan=False)
    max: float | None = Field(default=None, allow_inf_nan=False)
    missing: tuple[int | float | str, ...] = ()
    labels: dict[Annotated[str, BeforeValidator(str)], str | Texts] = Field(default_factory=dict)

    def called(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return what each value is called, in every language."""
        return tuple((value, (said,) if isinstance(said, str) else tuple(said.values())) for value, said in self.labels.items())

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.type in ("integer", "number")

    @model_validator(mode="after")
    def _limits_are_some(self) -> Self:
        if (self.min is not None or self.max is not None) and not self.is_number:
            raise ValueError(Phrase("'min' and 'max' with the type integer or number"))
        low, high = self.min, self.max
        if low is not None and high is not None:
            if high < low:
                raise ValueError(Phrase("'max' not below 'min' ({low:g})", low=low))
            inside = [code for code in self.missing if not isinstance(code, str) and low <= code <= high]
            if inside:
                said = Phrase("codes that mean missing outside 'min' and 'max', where {code:g} is a value", code=inside[0])
                raise ValueError(said)
        return self

    @model_validator(mode="after")
    def _labels_tell_values_apart(self) -> Self:
        if self.type == "date" and self.labels:
            raise ValueError(Phrase("'labels' with another type than date"))
        for value in self.labels if self.is_number else ():
            if _number(value) is None or (self.type == "integer" and not float(value).is_integer()):
                said = Phrase("labels of values of the type {kind}, which {value!r} is not", kind=self.type, value=value)
                raise ValueError(said)
        seen: dict[str, str] = {}
        for value, texts in self.called():
            for text in {folded(text) for text in texts}:
                if seen.setdefault(text, value) != value:
                    said = Phrase(
                        "a label of its own for each value; {one} and {other} have the same", one=seen[text], other=value
                    )
                    raise ValueError(said)
        return self


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _with_keys(value: object) -> object:
    """Return a column declared by its type alone as one with keys."""
    return {"type": value} if isinstance(value, str) else value


def _type_alone(value: OwnColumn, default: SerializerFunctionWrapHandler) -> object:
    """Return a column without limits or codes as its type, as most people write it: both declare the same study."""
    return value.type if value == OwnColumn(type=value.type) else default(value)


# A type, or a type with limits and codes that mean missing.
ColumnDeclaration = Annotated[
    OwnColumn, BeforeValidator(_with_keys, json_schema_input_type=ColumnType | OwnColumn), WrapSerializer(_type_alone)
]


class ReceivedRule(Document):
    """Which institutions count as having received the intervention: a sum over the rows of a table reaches a limit.

    ``by_element`` says how much of each element of the programme it takes, ``goals`` how many goals the institution set from its
    profile, whatever became of them; all limits that are declared must be reached.
    """

    table: Literal["implementation"] = "implementation"
    sum: Name = "hours"
    at_least: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    by_element: dict[Literal["knowledge", "reflection", "implementation"], Annotated[float, Field(gt=0, allow_inf_nan=False)]] = (
        Field(default_factory=dict)
    )
    goals: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.at_least is None and not self.by_element and self.goals is None:
            raise ValueError(Phrase("'at_least', 'goals', or a limit for each element under 'by_element'"))
        return self

    @property
    def limits(self) -> dict[str, float]:
        """What the sums must reach, by element; of all elements together under the empty name. Goals are not among them."""
        whole = {"": self.at_least} if self.at_least is not None else {}
        return whole | {str(element): least for element, least in self.by_element.items()}


class AnalysisSetRule(Document):
    """A declared row filter: ``column == value`` comparisons joined by ``and``; null keeps every row."""

    filter: str | None = None


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


class GapPlan(Document):
    """Which pair of instruments makes the GAP-profile, at which wave, and to whom it is given.

    Attributes
    ----------
    arms : tuple of str, optional
        The arms whose institutions are given theirs; all institutions where it is left out.
    release : dict of str to str
        Arms that are given theirs later: once the wave that stands beside the arm has ended.
    follow_up : str, optional
        The wave of a second round, asked with the same two forms; its profiles have those of `wave` beside them.
    discussed : str, optional
        Which events of the implementation log were meetings about the profile: comparisons as of an analysis set, such as
        ``topic == gap``.
    """

    staff: str
    child: str
    wave: Key
    follow_up: Key | None = None
    arms: Annotated[tuple[Key, ...], Field(min_length=1)] | None = None
    release: dict[Key, Key] = Field(default_factory=dict)
    discussed: str | None = None


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


class WaveCorrelation(Document):
    """How the outcome at its baseline and at the end correlate: between institutions, and between children of one."""

    institution: float = Field(ge=-1, le=1)
    child: float = Field(ge=-1, le=1)


class Lost(Document):
    """Shares that are expected to be lost between the draw and the end."""

    institutions: float = Field(default=0.0, ge=0, lt=1)
    children: float = Field(default=0.0, ge=0, lt=1)


class PowerPlan(Document):
    """Planning values for ``asp-eval power``; what the command line gives, or the imported tables tell, goes before."""

    institutions: int | None = Field(default=None, ge=4)
    children: float | None = Field(default=None, ge=1)
    cv: float = Field(default=0.0, ge=0)
    strata: int | None = Field(default=None, ge=1)
    icc: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = ()
    effect: tuple[Annotated[float, Field(gt=0)], ...] = ()
    power: float = Field(default=0.8, gt=0.5, lt=1)
    baseline: WaveCorrelation | None = None
    lost: Lost = Lost()


class Programme(Document):
    """What was to be delivered, and what became of it: the items of TIDieR (Hoffmann and others 2014, BMJ 348:g1687).

    Attributes
    ----------
    name, why : str or dict
        What it is called in short; its reasons and aims.
    materials, procedures : str or dict
        What was handed out, and what was done.
    who, how, where, when_and_how_much : str or dict
        Who delivered it, in what way, in what places, when and in what amount.
    tailoring, modifications : str or dict
        What was meant to be fitted to each institution, and what was changed on the way.
    planned_fidelity, actual_fidelity : str or dict
        How it was to be watched that it was delivered as meant, and how far it was.
    """

    name: Texts | str = ""
    why: Texts | str = ""
    materials: Texts | str = ""
    procedures: Texts | str = ""
    who: Texts | str = ""
    how: Texts | str = ""
    where: Texts | str = ""
    when_and_how_much: Texts | str = ""
    tailoring: Texts | str = ""
    modifications: Texts | str = ""
    planned_fidelity: Texts | str = ""
    actual_fidelity: Texts | str = ""


class ReportPlan(Document):
    """What the reports say of who stands behind the study, and whether they list its institutions."""

    authors: tuple[str, ...] = ()
    contact: str = ""
    registration: str = ""
    protocol: str = ""
    funding: str = ""
    conflicts: str = ""
    data_access: str = ""
    institution_appendix: bool = False  # a list of institutions, under running numbers and coarse

    @property
    def filled(self) -> tuple[str, ...]:
        """The keys that say something."""
        return tuple(name for name, value in self if value and isinstance(value, (str, tuple)))


class Study(Document):
    """Everything ``study.yaml`` declares. Read one with `load_study`."""

    version: Literal[1]
    study: StudyTitle
    languages: tuple[Language, ...] = Field(default=("en",), min_length=1)
    unit: Literal["institution"] = "institution"
    arms: tuple[Arm, ...] = Field(min_length=2)
    arm_labels: dict[Arm, Texts] = Field(default_factory=dict)
    strata: tuple[Stratum, ...] = ()
    randomisation: Randomisation = Randomisation()
    waves: tuple[Wave, ...] = Field(min_length=1)
    eligibility: Eligibility | None = None
    collect: Collect
    received: ReceivedRule | None = None
    columns: dict[TableName, dict[Name, ColumnDeclaration]] = Field(default_factory=dict)
    sets: dict[Key, AnalysisSetRule] = Field(default_factory=lambda: {"itt": AnalysisSetRule()})
    estimand: Estimand = Estimand()
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    analysis: AnalysisPlan = AnalysisPlan()
    gap: GapPlan | None = None
    privacy: Privacy = Privacy()
    power: PowerPlan = PowerPlan()
    programme: Programme = Programme()
    report: ReportPlan = ReportPlan()

    _folder: Path | None = PrivateAttr(default=None)
    _library: Library | None = PrivateAttr(default=None)
    _own_frames: tuple[OwnFrame, ...] = PrivateAttr(default=())
    _digest: str = PrivateAttr(default="")

    @property
    def folder(self) -> Path:
        """The study folder the study was read from."""
        if self._folder is None:
            NO_FOLDER.refuse()
        return self._folder

    @property
    def digest(self) -> str:
        """SHA-256 of the study.yaml that the study was read from, as it was then; empty if it was not read from one."""
        return self._digest

    def without_folder(self) -> Study:
        """Return the study as declared, knowing no folder, so that it can go where a path of this machine must not."""
        study = type(self).model_validate(self.as_declared())
        study._library, study._own_frames = self._library, self._own_frames
        return study

    def as_declared(self) -> dict[str, Any]:
        """Return what ``study.yaml`` says, under its own keys; a key that was left out stays out."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    @property
    def folder_if_saved(self) -> Path | None:
        """The study folder; None of a study that was not read from one."""
        return self._folder

    @property
    def library(self) -> Library:
        """The questionnaires that the study knows: those that are shipped, and its own."""
        return self._library or shipped()

    @property
    def interviews(self) -> tuple[Interviews, ...]:
        """The interviews; of a study that does not declare them, those of the process evaluation's own frame."""
        return self.collect.interviews or (Interviews(),)

    @property
    def interview_rounds(self) -> tuple[str, ...]:
        """The rounds of all interviews, in their order."""
        return tuple(dict.fromkeys(each for interviews in self.interviews for each in interviews.rounds))

    @property
    def interview_frames(self) -> tuple[Frame, ...]:
        """The coding frames of the interviews.

        Raises
        ------
        Refusal
            As `coding_frame`.
        """
        return tuple(self.coding_frame(each.frame) for each in self.interviews)

    @property
    def own_frames(self) -> tuple[OwnFile, ...]:
        """The files of the coding frames that are the study's own."""
        return tuple(each.file for each in self._own_frames)

    @property
    def own_files(self) -> tuple[OwnFile, ...]:
        """The files of everything that is the study's own: instruments, norms and coding frames."""
        return (*self.library.own_files, *self.own_frames)

    @property
    def known_frames(self) -> tuple[Frame, ...]:
        """The latest version of every coding frame that the study knows, by id."""
        known = self._every_frame
        return tuple(among(known, name) for name in sorted({each.id for each in known}))

    @property
    def _every_frame(self) -> tuple[Frame, ...]:
        return (*shipped_frames(), *(each.frame for each in self._own_frames))

    def coding_frame(self, name: str) -> Frame:
        """Return a coding frame that the study knows, or refuse with FRM-020."""
        return among(self._every_frame, name)

    @property
    def wave_ids(self) -> tuple[str, ...]:
        """Identifiers of the waves, in order."""
        return tuple(wave.id for wave in self.waves)

    def collected_waves(self, table: str) -> tuple[str, ...]:
        """Return the waves at which a table is collected, in the order of the waves; none of a table without waves."""
        collections = self._collections(table)
        return tuple(wave for wave in self.wave_ids if any(wave in each.waves for each in collections))

    def collected_instruments(self, table: str, wave: str | None = None) -> tuple[str | Family, ...]:
        """Return the instruments that a table collects at a wave, or at any; each once, as declared."""
        found = [part for each in self._collections(table) if wave is None or wave in each.waves for part in each.instruments]
        return tuple(part for position, part in enumerate(found) if part not in found[:position])

    def _collections(self, table: str) -> tuple[Collection, ...]:
        return {"screening": self.collect.screening, "staff_survey": self.collect.staff_survey}.get(table, ())

    def wave(self, wave_id: str) -> Wave:
        """Return the wave called `wave_id`."""
        return next(wave for wave in self.waves if wave.id == wave_id)

    def outcome(self, outcome_id: str) -> Outcome:
        """Return the outcome called `outcome_id`."""
        return next(outcome for outcome in self.outcomes if outcome.id == outcome_id)

    @field_validator("unit", mode="before")
    @classmethod
    def _institutions_were_drawn(cls, unit: object) -> object:
        if isinstance(unit, str) and unit != "institution":
            raise ValueError(NOT_DONE["within-institutions"])
        return unit

    @field_validator("arms", "strata", "languages", "waves", "outcomes")
    @classmethod
    def _no_twins(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        again = twins(getattr(value, "id", value) for value in values)
        if again:
            shown = ", ".join(sorted(set(again)))
            raise ValueError(Phrase("every name once, also in other capitals; {names} stands more than once", names=shown))
        return values

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        found = tuple(self.cross_references(self.model_dump(by_alias=True)))
        if found:
            raise Misfits(found)
        return self

    @classmethod
    def cross_references(cls, values: object) -> Iterable[Misfit]:
        """Return the names of the file that do not agree with each other."""
        return references.misfits(values)

    @field_validator("collect")
    @classmethod
    def _something(cls, value: Collect) -> Collect:
        if not value.screening and not value.staff_survey:
            raise ValueError(Phrase("at least one table: screening or staff_survey"))
        return value
