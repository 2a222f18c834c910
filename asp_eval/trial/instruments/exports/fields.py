"""What every form asks besides its questions, and the questions in runs that share their answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Item, Response, Text

LANGUAGE_NAMES: Mapping[str, str] = {"da": "Dansk", "en": "English"}
CHILD, RESPONDENT = "child_id", "respondent_id"
CPR_PATTERN = "[0-9]{6}[ -]?[0-9]{4}"  # a Danish personal number, ddmmyy-nnnn


@dataclass(frozen=True, slots=True)
class Field:
    """A column that says whom and when the answers are about: its name in the data, and its label."""

    name: str
    label: Text
    is_date: bool = False
    is_person: bool = False


FIELDS: Mapping[str, tuple[Field, ...]] = {
    "child": (
        Field(
            CHILD,
            {"da": "Barnets kode (ikke navn eller CPR-nummer)", "en": "The child's code (no name, no personal number)"},
            is_person=True,
        ),
        Field("institution_id", {"da": "Institutionens kode", "en": "The institution's code"}),
        Field("rater_id", {"da": "Kode på den, der svarer", "en": "Code of the one who answers"}, is_person=True),
        Field("date", {"da": "Dato", "en": "Date"}, is_date=True),
    ),
    "respondent": (
        Field(
            RESPONDENT,
            {"da": "Din kode (ikke navn eller CPR-nummer)", "en": "Your code (no name, no personal number)"},
            is_person=True,
        ),
        Field("institution_id", {"da": "Institutionens kode", "en": "The institution's code"}),
        Field("date", {"da": "Dato", "en": "Date"}, is_date=True),
    ),
}


@dataclass(frozen=True, slots=True)
class Run:
    """Questions in a row that share their answers and their condition."""

    name: str
    responses: tuple[Response, ...]
    items: tuple[Item, ...]

    @property
    def has_poles(self) -> bool:
        """Whether the answers lie between two statements."""
        return self.items[0].poles is not None


def runs(instrument: Instrument) -> Iterator[Run]:
    """Yield the questions in the order of the form, grouped as far as they look alike."""

    def alike(item: Item) -> tuple[str, bool, object]:
        return item.responses, item.poles is not None, item.unless

    for (name, _, _), items in groupby(instrument.items, key=alike):
        yield Run(name, instrument.response_sets[name], tuple(items))


def say(text: Text, language: str) -> str:
    """Return a wording in a language, or in its first where it lacks that one."""
    return text.get(language) or next(iter(text.values()))


def question(item: Item, language: str) -> str:
    """Return a question as one text; two poles stand on a line each."""
    if item.poles is not None:
        return f"A. {say(item.poles.low, language)}\nB. {say(item.poles.high, language)}"
    return say(item.text, language) if item.text else item.key


def served(instrument: Instrument, language: str) -> str:
    """Say which ages a questionnaire serves; it has some."""
    ages = instrument.ages
    words = "Børn fra {low:g} til under {high:g} år" if language == "da" else "Children from {low:g} to below {high:g} years"
    return words.format(low=ages.from_, high=ages.below) if ages else ""


def anchors(responses: Sequence[Response], language: str) -> list[str]:
    """Return what each answer means in practice, one line per answer that says so."""
    return [f"{say(each.label, language)}: {say(each.anchor, language)}" for each in responses if each.anchor]
