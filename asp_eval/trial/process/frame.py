"""A coding frame: what coders look for in an interview, the guides it was held by, and the rule for the type of institution."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from asp_eval.core.documents import Document, Misfits
from asp_eval.trial.instruments import checks as wording
from asp_eval.trial.instruments.parts import Claim, Id, Key, Language, Licence, Text
from asp_eval.trial.process import checks
from asp_eval.trial.process.parts import Code, Guide, LevelSet, Proposition, Theme, TypeRule


class Frame(Document):
    """One version of a coding frame, as its file in ``instruments/frames/`` declares it.

    Attributes
    ----------
    id, version : str, int
        Together unique. A file that has been used is never edited: a change is a new version.
    unit : {"institution", "case"}
        What one coded interview or document is about.
    level_sets : dict of str to LevelSet
    themes, codes : tuple
        In the order of the codebook.
    type : TypeRule, optional
        How the type of an institution is decided.
    propositions : dict of str to Proposition, optional
        Statements of the study behind the frame that answers can speak for or against.
    guides : tuple of Guide

    Raises
    ------
    pydantic.ValidationError
        Through `core.documents.read_document`: every mistake in the file, on its line, with codes FRM-001 to FRM-009.
    """

    id: Id
    version: int = Field(ge=1)
    languages: tuple[Language, ...] = Field(min_length=1)
    title: Text
    unit: Literal["institution", "case"] = "institution"
    status: Text
    provenance: tuple[Claim, ...] = Field(min_length=1)
    licence: Licence
    level_sets: dict[Key, LevelSet] = Field(min_length=1)
    themes: tuple[Theme, ...] = Field(min_length=1)
    codes: tuple[Code, ...] = Field(min_length=1)
    type: TypeRule | None = None
    propositions: dict[Key, Proposition] = Field(default_factory=dict)
    guides: tuple[Guide, ...] = ()

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        found = [
            *checks.unique_keys(self.themes, self.codes, self.level_sets, self.guides),
            *checks.references(self.themes, self.codes, self.level_sets, self.guides, self.type),
            *checks.circles(self.themes),
            *wording.languages(self, self.languages),
            *wording.holdable(self),
        ]
        if not found and self.type is not None:
            found = [*checks.decision_table(self.type, {code.key: self.levels(code.key) for code in self.codes})]
        if found:
            raise Misfits(found)
        return self

    def as_declared(self) -> dict[str, Any]:
        """Return what the file says, under its own keys."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the codes, in the order of the codebook."""
        return tuple(code.key for code in self.codes)

    def code(self, key: str) -> Code:
        """Return the code called `key`, which must be one of `keys`."""
        return next(code for code in self.codes if code.key == key)

    def levels(self, key: str) -> tuple[str, ...]:
        """Return what a code can say, in the order of its levels."""
        return tuple(level.key for level in self.level_sets[self.code(key).levels].levels)

    def is_ordinal(self, key: str) -> bool:
        """Whether the levels of a code have an order."""
        return self.level_sets[self.code(key).levels].scale == "ordinal"
