"""An instrument: what is asked, of whom, how the answers become scores, and where each number comes from."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from asp_eval.core.documents import Document, Misfit, Misfits
from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import as_phrase
from asp_eval.trial.instruments import checks
from asp_eval.trial.instruments.parts import (
    Ages,
    Bands,
    BandSet,
    Claim,
    Composite,
    Id,
    Item,
    Key,
    Language,
    Licence,
    Response,
    Scale,
    Text,
)

NO_SCALE = Fault("INS-020", "the instrument has no such scale", "Name one of its own.")
NO_BAND_SET = Fault(
    "INS-021",
    "the instrument has no such band set",
    "Name one of its own. Bands made for other informants, ages or countries are never used in their place.",
)


NOT_FILLED_IN = Fault("INS-039", "the file is not filled in here yet", "Fill it in as the comment on the line says.")
FILL_IN = "FILL IN"  # stands in a draft for what only a person knows


class Instrument(Document):
    """One version of a questionnaire, as its file in ``instruments/`` declares it.

    Attributes
    ----------
    id, version : str, int
        Together unique. A file that has been used is never edited: a change is a new version.
    family : str
        Forms of one questionnaire that take turns by age: ``sdq-teacher`` has a form up to four years and one from four.
    ages : Ages, optional
        The ages this form serves within its family. Without it the instrument serves every age.
    informant : str
        Who answers: ``teacher``, ``parent``, ``staff``.
    unit : {"child", "respondent"}
        Whom the scores describe: the child that is rated, or the person who answers.
    response_sets : dict of str to tuple of Response
        The answers items may have, in rising order of code.
    items, scales, composites : tuple
        In the order of the questionnaire and of the results.
    bands : Bands
    status, provenance, licence
        What the instrument is, where its parts come from, who may use its wording.

    Raises
    ------
    pydantic.ValidationError
        Through `core.documents.read_document`: every mistake in the file, on its line, with codes INS-003 to INS-019.
    """

    id: Id
    version: int = Field(ge=1)
    family: Id
    ages: Ages | None = None
    languages: tuple[Language, ...] = Field(min_length=1)
    title: Text
    informant: Id
    unit: str = Field(pattern=r"^(child|respondent)$")
    status: Text
    provenance: tuple[Claim, ...] = Field(min_length=1)
    licence: Licence
    instruction: Text | None = None
    response_sets: dict[Key, tuple[Response, ...]] = Field(min_length=1)
    items: tuple[Item, ...] = Field(min_length=1)
    scales: tuple[Scale, ...] = Field(min_length=1)
    composites: tuple[Composite, ...] = ()
    bands: Bands

    @model_validator(mode="before")
    @classmethod
    def _is_filled_in(cls, values: Any) -> Any:
        if open_ := [*checks.texts_like(FILL_IN, values, ())]:
            raise Misfits(Misfit(keys, NOT_FILLED_IN) for keys in open_)
        return values

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        found = [
            *checks.unique_keys(self.items, self.scales, self.composites, self.response_sets),
            *checks.references(self.items, self.scales, self.composites, self.response_sets),
            *checks.age_range(self.ages),
            *checks.languages(self, self.languages),
            *checks.licensed_text(self.items, self.licence),
            *checks.questions(self.items),
            *checks.holdable(self),
            *checks.shared_names(self.items),
        ]
        if not found:  # arithmetic is checked only where every name points at something
            found = [
                *checks.conditions(self.items, self.scales, self.response_sets),
                *checks.arithmetic(self.items, self.scales, self.composites, self.response_sets),
                *checks.bands(self.bands, self.scales, self.composites),
            ]
        if found:
            raise Misfits(found)
        return self

    @property
    def item_keys(self) -> tuple[str, ...]:
        """Keys of the items, in the order of the questionnaire."""
        return tuple(item.key for item in self.items)

    @property
    def scale_keys(self) -> tuple[str, ...]:
        """Keys of scales and composites, in the order of the results."""
        return tuple(scale.key for scale in self.all_scales)

    @property
    def all_scales(self) -> tuple[Scale | Composite, ...]:
        """Scales and composites, in the order of the results."""
        return (*self.scales, *self.composites)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names under which the items are stored: ``sdq-teacher-4-17.tantrum``."""
        return tuple(f"{self.id}.{item.key}" for item in self.items)

    def codes(self, item: Item) -> tuple[int, ...]:
        """Return the codes an item may have, in rising order."""
        return tuple(response.code for response in self.response_sets[item.responses])

    def points(self, item: Item) -> dict[int, int]:
        """Return what each code of an item counts in its scales, reversed if the item is."""
        counts = {response.code: response.counts for response in self.response_sets[item.responses]}
        ends = min(counts.values()) + max(counts.values())
        return {code: ends - count if item.reverse else count for code, count in counts.items()}

    def item(self, key: str) -> Item:
        """Return the item called `key`, which must be one of `item_keys`."""
        return next(item for item in self.items if item.key == key)

    def scale(self, key: str) -> Scale | Composite:
        """Return the scale or composite called `key`, or refuse with INS-020."""
        found = next((scale for scale in self.all_scales if scale.key == key), None)
        if found is None:
            NO_SCALE.refuse(self.id, found=key, expected=", ".join(self.scale_keys))
        return found

    def band_set(self, name: str | None = None) -> BandSet | Unavailable:
        """Return the band set called `name`, or the default one.

        Returns
        -------
        BandSet or Unavailable
            Unavailable, with the file's reason in English, where no set is named and the instrument has no default;
            ``bands.reason`` has it in every language.

        Raises
        ------
        Refusal
            INS-021 if a set is named that the instrument does not have.
        """
        wanted = self.bands.default if name is None else name
        if wanted is None:
            reason = self.bands.reason or {}
            return Unavailable(as_phrase(reason.get("en") or next(iter(reason.values()), "")))
        found = next((each for each in self.bands.sets if each.id == wanted), None)
        if found is None:
            NO_BAND_SET.refuse(self.id, found=wanted, expected=", ".join(s.id for s in self.bands.sets) or "none")
        return found
