"""What ``study.yaml`` says is collected: tables, waves, instruments, interviews, own columns, and what counts as received."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    WrapSerializer,
    field_validator,
    model_validator,
)

from asp_eval.core.documents import Document
from asp_eval.core.phrases import Phrase
from asp_eval.core.spelling import folded, twins
from asp_eval.trial.study.keys import Key, Name, Texts

ColumnType = Literal["string", "integer", "number", "date"]
TableName = Literal[
    "institutions", "children", "screening", "staff_survey", "staff", "interviews", "implementation", "goals", "excerpts"
]


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
