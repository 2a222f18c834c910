"""One form for the field: a questionnaire, or all that a wave asks of the same person, with what is filled in beforehand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from asp_eval.core.errors import Fault
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.exports.fields import FIELDS, Field
from asp_eval.trial.instruments.parts import Text

OTHER_UNITS = Fault(
    "INS-045",
    "these questionnaires describe different persons, and cannot be one form",
    "Export the tables one by one.",
)
NO_COMMON_LANGUAGE = Fault(
    "INS-046",
    "the questionnaires of the form have no language in common",
    "Add the wording that is missing.",
)
NOT_A_FIELD = Fault("INS-047", "the form has no such field to fill in beforehand", "Name one of: {fields}.")

BIRTH_MONTH = Field(
    "birth_month", {"da": "Barnets fødselsmåned, som 2020-07", "en": "The child's month of birth, such as 2020-07"}
)


@dataclass(frozen=True, slots=True)
class FieldForm:
    """One form for the field.

    Attributes
    ----------
    name : str
        What it is called in files: the id of its questionnaire, or the study and wave.
    version : str
    title : dict
    questionnaires : tuple of Instrument
        In the order of the form, with their wording. All describe the same unit.
    by_age : frozenset of str
        Ids of those that are asked only of children of their ages.
    filled : mapping of str to str
        What stands in a field beforehand: ``{"institution_id": "i07"}``.
    units : tuple of str
        Ids of the children, or of those who answer, that the form is handed out for; without any, the id is asked for.
    """

    name: str
    version: str
    title: Text
    questionnaires: tuple[Instrument, ...]
    by_age: frozenset[str] = frozenset()
    filled: Mapping[str, str] = field(default_factory=dict)
    units: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        units = {each.id: each.unit for each in self.questionnaires}
        if len(set(units.values())) > 1:
            OTHER_UNITS.refuse(self.name, found=", ".join(f"{name}: {unit}" for name, unit in units.items()))
        if not self.languages:
            NO_COMMON_LANGUAGE.refuse(self.name)
        names = [each.name for each in self.fields]
        for name in self.filled:
            if name not in names:
                NOT_A_FIELD.refuse(self.name, found=name, fields=", ".join(names))

    @classmethod
    def of(cls, instrument: Instrument) -> FieldForm:
        """Return the form of one questionnaire."""
        return cls(instrument.id, str(instrument.version), instrument.title, (instrument,))

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that all questionnaires have, in the order of the first."""
        first, *others = self.questionnaires
        return tuple(each for each in first.languages if all(each in other.languages for other in others))

    @property
    def fields(self) -> tuple[Field, ...]:
        """What is asked before the questions: whom and when the answers are about."""
        return (*FIELDS[self.questionnaires[0].unit], *((BIRTH_MONTH,) if self.by_age else ()))

    @property
    def unit_field(self) -> Field:
        """The field for whom the answers are about."""
        return self.fields[0]

    @property
    def is_joint(self) -> bool:
        """Whether it holds more than one questionnaire."""
        return len(self.questionnaires) > 1

    def numbered(self) -> Iterator[tuple[int, Instrument]]:
        """Yield the questionnaires with their numbers, from 1."""
        return enumerate(self.questionnaires, start=1)


def age_forms(families: Sequence[Sequence[Instrument]]) -> frozenset[str]:
    """Return the ids of the forms of which a child's age picks one: those of a family with several."""
    return frozenset(form.id for forms in families if len(forms) > 1 for form in forms if form.ages is not None)
