"""The parts an instrument file is made of: responses, items, scales, composites, bands, licence."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from asp_eval.core.documents import Document

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Words = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Text = dict[Language, Words]  # one wording per language

Provenance = Literal["confirmed", "memory", "convention"]
Better = Literal["higher", "lower", "neither"]  # neither: a position, not a merit
Method = Literal["mean-times-n", "mean", "sum", "pomp"]


class Ages(Document):
    """Ages in years, from `from_` up to but not including `below`."""

    from_: float = Field(alias="from", ge=0)
    below: float = Field(gt=0, le=120)


class Range(Document):
    """The lowest and the highest score a scale can take."""

    from_: float = Field(alias="from")
    to: float


class Claim(Document):
    """Where a part of the file comes from: confirmed in a source, from memory, or a convention of this package."""

    what: Words
    mark: Provenance
    source: Words


class Licence(Document):
    """Who may use the wording, and whether this file holds it."""

    item_text: Literal["included", "not-included"]
    statement: Text


class Response(Document):
    """One answer: its stored code, its label, what it means in practice, and what it counts if that is not its code."""

    code: int
    label: Text
    anchor: Text | None = None
    points: int | None = None

    @property
    def counts(self) -> int:
        """What the answer contributes to a scale, before any reversal."""
        return self.code if self.points is None else self.points


class Unless(Document):
    """The answer to an earlier item that makes an item superfluous: it is then not asked."""

    item: Key
    code: int


class Poles(Document):
    """Two statements between which the answer lies: the lowest code is wholly the one, the highest wholly the other."""

    low: Text
    high: Text


class Item(Document):
    """One question: a text, or two poles.

    Attributes
    ----------
    reverse : bool
        Turns what the answer counts round within the response set before it enters a scale.
    scored : bool
        False for a question that is asked and stored but enters no scale.
    unless : Unless, optional
        When the question is not asked.
    """

    number: int = Field(ge=1)
    key: Key
    responses: Key
    reverse: bool = False
    scored: bool = True
    unless: Unless | None = None
    text: Text | None = None
    poles: Poles | None = None


class Rule(Document):
    """How a scale follows from its answered items.

    Attributes
    ----------
    method : {"mean-times-n", "mean", "sum", "pomp"}
        ``mean-times-n`` is the mean of the answered items times the number of items; ``pomp`` the mean as percent of
        the maximum possible (Cohen, Cohen, Aiken & West 1999), 0 to 100.
    minimum_answered : int
        With fewer answers the score is missing.
    rounding : {"none", "half-up"}
        ``half-up`` takes 2.5 to 3, not to the even neighbour.
    """

    method: Method
    minimum_answered: int = Field(ge=1)
    rounding: Literal["none", "half-up"] = "none"


class Scale(Document):
    """A score made of items.

    `if_not_asked` is the score of those whose items were not asked, because an earlier answer made them superfluous.
    `open_question` is one to talk about where the score is discussed; it is not asked in the form.
    """

    key: Key
    title: Text
    open_question: Text | None = None
    items: tuple[Key, ...] = Field(min_length=1)
    rule: Rule
    better: Better
    range: Range
    if_not_asked: int | None = None


class Composite(Document):
    """A score made of scales: their sum or mean, missing if any of them is missing."""

    key: Key
    title: Text
    scales: tuple[Key, ...] = Field(min_length=2)
    method: Literal["sum", "mean"]
    better: Better
    range: Range


class Band(Document):
    """A named stretch of whole-number scores, both ends included."""

    band: Key
    from_: int = Field(alias="from")
    to: int
    provenance: Provenance | None = None


class Moments(Document):
    """Mean and standard deviation of a score in the group a set was made on."""

    mean: float
    sd: float = Field(gt=0)


class BandSet(Document):
    """Bands of one source, for the informant, ages, sex and country it was made for.

    Bands of a scale run from the best scores to the worst. A band without a provenance of its own has the set's.

    Attributes
    ----------
    sample : int, optional
        Size of the group the set was made on.
    names, scales : dict
        Names of the bands, and the bands of each scale; empty in a set that holds means only.
    means : dict
        Mean and standard deviation of each scale in that group, for comparison in words; no score is computed from them.
    """

    id: Id
    title: Text
    informant: Words
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    ages: Ages | None = None
    sex: Literal["boy", "girl"] | None = None
    sample: Annotated[int, Field(ge=1)] | None = None
    source: Words
    provenance: Provenance
    note: Text | None = None
    names: dict[Key, Text] = Field(default_factory=dict)
    scales: dict[Key, tuple[Band, ...]] = Field(default_factory=dict)
    means: dict[Key, Moments] = Field(default_factory=dict)


class Bands(Document):
    """The band sets of an instrument; the default one is used unless another is named.

    Without a default, `reason` says why, and no score gets a band unless a set is named.
    """

    default: Id | None = None
    reason: Text | None = None
    sets: tuple[BandSet, ...] = ()
