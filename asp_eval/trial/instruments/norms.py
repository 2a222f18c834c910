"""Norm sets as plug-ins: a file that says for which instruments, country, ages, sex and informant its thresholds were made.

The shipped ones are in ``instruments/norms/``; a study may hold its own in a folder ``norms``. A set becomes one of the
instrument's band sets and is used only when it is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationInfo, model_validator

from asp_eval.core.documents import Misfit, Misfits, read_document
from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.trial.instruments import checks
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import BandSet, Id

FOLDER = "norms"
NO_INSTRUMENT = Fault("INS-025", "the norm set names an instrument that is not there", "Correct the id.")
OTHER_INFORMANT = Fault(
    "INS-026",
    "the norm set was made on another informant's answers than the instrument {instrument} asks for",
    "Name an instrument of this informant: a parent's norms say nothing of a teacher's answers.",
)
SAME_SET = Fault("INS-027", "the instrument {instrument} has a band set of this id already", "Give the set an id of its own.")


class NormSet(BandSet):
    """One norm set, as its file declares it.

    Attributes
    ----------
    version : int
        A file that has been used is never edited: a change is a new id.
    instruments : tuple of str
        Ids of the forms it may be used with.
    """

    version: int = Field(ge=1)
    instruments: tuple[Id, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _suits_its_instruments(self, info: ValidationInfo) -> Self:
        known: Sequence[Instrument] = (info.context or {}).get("instruments", ())
        found = [*checks.languages(self, tuple(self.title)), *checks.holdable(self)]
        for i, name in enumerate(self.instruments):
            forms = [each for each in known if each.id == name]
            if not forms:
                found.append(Misfit(("instruments", i), NO_INSTRUMENT, name))
            for form in forms:
                if form.informant != self.informant:
                    details = {"instrument": form.id}
                    found.append(Misfit(("informant",), OTHER_INFORMANT, self.informant, form.informant, details))
                found += checks.band_set((), self, form.scales, form.composites)
        if found:
            raise Misfits({(each.keys, each.fault.code, str(each.found)): each for each in found}.values())
        return self


def with_norms(instruments: Sequence[Instrument], folder: Path) -> tuple[Instrument, ...]:
    """Return the instruments with the norm sets that stand in `folder`; a folder that is not there holds none.

    Parameters
    ----------
    instruments : sequence of Instrument
    folder : Path
        ``norms`` of a study, or of the shipped instruments.

    Raises
    ------
    DataProblems
        Every mistake in every file, on its line: an unknown instrument (INS-025), another informant (INS-026), an id that
        is taken (INS-027), and all that is wrong with the bands themselves.
    """
    problems: list[Problem] = []
    added: dict[str, list[BandSet]] = {each.id: [] for each in instruments}
    for path in sorted(folder.glob("*.yaml")):
        try:
            norm = read_document(path, NormSet, context={"instruments": instruments})
        except DataProblems as error:
            problems.extend(error.problems)
            continue
        for name in norm.instruments:
            taken = [*added[name], *(known for each in instruments if each.id == name for known in each.bands.sets)]
            if norm.id in {each.id for each in taken}:
                problems.append(SAME_SET.at(Place(path.name, column="id"), found=norm.id, instrument=name))
            added[name].append(norm)
    if problems:
        raise DataProblems(problems)
    return tuple(_extended(each, added[each.id]) for each in instruments)


def _extended(instrument: Instrument, sets: Sequence[BandSet]) -> Instrument:
    bands = instrument.bands.model_copy(update={"sets": (*instrument.bands.sets, *sets)})
    return instrument.model_copy(update={"bands": bands}) if sets else instrument
