"""Slots for copyrighted wording: a licence holder fills them in a file of the study, together with the permission.

The file is ``wording/<instrument>.yaml`` in the study folder. Its words go into forms made for that study and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationInfo, model_validator

from asp_eval.core.documents import Document, Misfit, Misfits, read_document
from asp_eval.core.errors import Fault
from asp_eval.trial.instruments import checks
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Id, Item, Key, Language, Response, Text, Words

FOLDER = "wording"

WITHHELD = Fault(
    "INS-030",
    "the wording of {instrument} belongs to its owner and is not part of this package; {statement}",
    "To obtain it: (1) get the form and the permission from the owner; (2) write the empty slots with "
    "'asp-eval instruments export {instrument} --to wording --study DIR'; (3) fill them in, with the licence statement, in "
    "{file}; (4) export again with --study DIR.",
)
OTHER_INSTRUMENT = Fault("INS-031", "the wording is for another instrument or version", "Name the file of this instrument.")
NO_SLOT = Fault("INS-032", "the instrument has no such {kind}", "Correct the name; 'asp-eval instruments show' lists them.")
EMPTY_SLOT = Fault("INS-033", "the wording of the {kind} is missing", "Write it as it stands on the licensed form.")
OWN_WORDING = Fault(
    "INS-034",
    "the instrument has a wording of its own, and no file can replace it",
    "Remove the file, or leave it out.",
)


class Permission(Document):
    """Who may use the wording, since when, and the words that must stand on every form."""

    granted_to: Words
    date: date
    statement: Text


class Wording(Document):
    """The wording of one version of an instrument, as its licence holder supplies it.

    Attributes
    ----------
    instrument, version : str, int
    languages : tuple of str
        The languages it is in; every wording below has these.
    licence : Permission
    title, instruction : dict, optional
        As on the licensed form.
    responses : dict of str to dict of int to Text
        The label of every code of every response set.
    items : dict of str to Text
        The wording of every item, by key.
    """

    instrument: Id
    version: int
    languages: tuple[Language, ...] = Field(min_length=1)
    licence: Permission
    title: Text | None = None
    instruction: Text | None = None
    responses: dict[Key, dict[int, Text]]
    items: dict[Key, Text]

    @model_validator(mode="after")
    def _fills_every_slot(self, info: ValidationInfo) -> Self:
        instrument: Instrument | None = (info.context or {}).get("instrument")
        found = [*checks.languages(self, self.languages), *checks.holdable(self)]
        if instrument is not None:
            if (self.instrument, self.version) != (instrument.id, instrument.version):
                expected = f"{instrument.id} version {instrument.version}"
                found.append(Misfit(("instrument",), OTHER_INSTRUMENT, f"{self.instrument} version {self.version}", expected))
            else:
                found += _slot_faults(("items",), "item", list(self.items), list(instrument.item_keys))
                found += _slot_faults(("responses",), "response set", list(self.responses), list(instrument.response_sets))
                for name in set(self.responses) & set(instrument.response_sets):
                    codes = [each.code for each in instrument.response_sets[name]]
                    found += _slot_faults(("responses", name), "code", list(self.responses[name]), codes)
        if found:
            raise Misfits(found)
        return self


def worded(instrument: Instrument, path: Path | None = None) -> Instrument:
    """Return the instrument with the wording a form needs.

    Parameters
    ----------
    instrument : Instrument
    path : Path, optional
        The file with the licence holder's wording. An instrument that has its own needs none.

    Returns
    -------
    Instrument
        For use in memory: the wording, its languages, and a licence that states owner and permission.

    Raises
    ------
    Refusal
        INS-030 if the wording is not part of the package and there is no file; INS-034 if there is a file for an
        instrument that has its own.
    DataProblems
        Every mistake in the file, on its line.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> worded(instrument("gap-competences-child")).items[0].text["en"]
    'The child dares to try something new.'
    """
    there = path is not None and path.is_file()
    if instrument.licence.item_text == "included":
        if there and path is not None:
            OWN_WORDING.refuse(path.name, found=instrument.id)
        return instrument
    if path is None or not there:
        statement = (instrument.licence.statement.get("en") or next(iter(instrument.licence.statement.values()))).rstrip(".")
        place = f"{FOLDER}/{instrument.id}.yaml" if path is None else str(path)
        WITHHELD.refuse(instrument=instrument.id, statement=statement, file=place)
    return _filled(instrument, read_document(path, Wording, context={"instrument": instrument}))


def wording_template(instrument: Instrument, languages: Sequence[str] = ("da",)) -> str:
    """Return the empty slots of an instrument as a commented file, for the licence holder to fill in."""
    blank = "{" + ", ".join(f'{language}: ""' for language in languages) + "}"
    owner = instrument.licence.statement.get("en") or next(iter(instrument.licence.statement.values()))
    lines = [
        f"# Wording of {instrument.id}, to be filled in by whoever holds a licence. It stays in this study's folder.",
        f"# {owner}",
        f"instrument: {instrument.id}",
        f"version: {instrument.version}",
        f"languages: [{', '.join(languages)}]",
        "licence:",
        '  granted_to: ""    # who may use the form, as the permission says',
        '  date: ""          # of the permission: 2026-01-31',
        f"  statement: {blank}    # printed on every form: whose copyright it is, and by whose permission it is used",
        f"# instruction: {blank}    # what stands above the questions; leave out if nothing does",
        "responses:           # the answers as printed, by code",
    ]
    for name, responses in instrument.response_sets.items():
        lines.append(f"  {name}:")
        lines += [f"    {each.code}: {blank}" for each in responses]
    lines.append("items:               # the questions as printed; the number is the one on the form")
    lines += [f"  {item.key}: {blank}    # {item.number}" for item in instrument.items]
    return "\n".join(lines) + "\n"


def _filled(instrument: Instrument, wording: Wording) -> Instrument:
    """Put the wording into the slots of a copy; the file's own checks have matched them."""
    responses = {
        name: tuple(Response(code=each.code, label=wording.responses[name][each.code], points=each.points) for each in declared)
        for name, declared in instrument.response_sets.items()
    }
    items: tuple[Item, ...] = tuple(item.model_copy(update={"text": wording.items[item.key]}) for item in instrument.items)
    licence = instrument.licence.model_copy(update={"item_text": "included", "statement": wording.licence.statement})
    return instrument.model_copy(
        update={
            "languages": wording.languages,
            "title": wording.title or instrument.title,
            "instruction": wording.instruction,
            "response_sets": responses,
            "items": items,
            "licence": licence,
        }
    )


def _slot_faults(above: tuple[str | int, ...], kind: str, given: Sequence[str | int], slots: Sequence[str | int]) -> list[Misfit]:
    """Compare the names that are filled in with those that are to be."""
    found = [Misfit((*above, str(name)), NO_SLOT, name, None, {"kind": kind}) for name in given if name not in slots]
    return found + [Misfit(above, EMPTY_SLOT, name, None, {"kind": kind}) for name in slots if name not in given]
