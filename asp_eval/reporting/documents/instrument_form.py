"""An instrument as a questionnaire on paper: one self-contained HTML page that prints on A4."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from asp_eval.core.resources import shipped_folder
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.exports.field_form import FieldForm
from asp_eval.trial.instruments.exports.fields import FIELDS, anchors, runs, say, served
from asp_eval.trial.instruments.parts import Item

WORDS: Mapping[str, Mapping[str, str]] = {
    "da": {
        "office": "Udfyldes af evaluator eller institution",
        "answers": "Sådan skal svarene forstås",
        "skip": "Hvis svaret på nr. {number} er »{label}«, så spring nr. {numbers} over.",
        "to": "til",
        "thanks": "Tak for hjælpen. Se gerne efter, at der er sat ét kryds i hver linje, du kan svare på.",
        "version": "{id}, version {version}",
        "mark": "Sæt kryds sådan:",
    },
    "en": {
        "office": "Filled in by the evaluator or the institution",
        "answers": "What the answers mean",
        "skip": "If the answer to no. {number} is ‘{label}’, skip no. {numbers}.",
        "to": "to",
        "thanks": "Thank you. Please check that there is one mark in each line you can answer.",
        "version": "{id}, version {version}",
        "mark": "Mark like this:",
    },
}


@dataclass(frozen=True, slots=True)
class Line:
    """One question on paper: its number, its text, and the statement on the right where there are two."""

    number: int
    text: str
    opposite: str


@dataclass(frozen=True, slots=True)
class Block:
    """A table of questions: the answers as column heads with their codes, what they mean, and when to skip the table."""

    heads: tuple[tuple[str, str], ...]
    anchors: tuple[str, ...]
    skip: str
    lines: tuple[Line, ...]
    has_poles: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One questionnaire of the page: its title where there are several, whom it is for, and what stands below it."""

    title: str
    whom: str
    instruction: str
    blocks: tuple[Block, ...]
    licence: str
    version: str


def print_form(form: FieldForm | Instrument, language: str) -> str:
    """Return the page of a form, in one language.

    Parameters
    ----------
    form : FieldForm or Instrument
        With its wording: see `wording.worded`. Of the forms of a family, each says for which ages it is. Of a form that is
        handed out for certain children, or people, the page has a copy for each, with the id filled in.
    language : str

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> print_form(instrument("governance-npm-npg"), "da").splitlines()[1]
    '<html lang="da">'
    """
    form = FieldForm.of(form) if isinstance(form, Instrument) else form
    words = WORDS.get(language, WORDS["en"])
    environment = Environment(
        loader=FileSystemLoader(shipped_folder("reports")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts = [_part(form, instrument, language) for instrument in form.questionnaires]
    return environment.get_template("instrument_form.html.j2").render(
        language=language,
        words=words,
        title=say(form.title, language),
        copies=[_fields(form, language, unit) for unit in form.units or ("",)],
        parts=parts,
        versions="; ".join(part.version for part in parts),
    )


def _fields(form: FieldForm, language: str, unit: str) -> list[tuple[str, str]]:
    """Return the labels of the fields above the questions, and what stands in each."""
    filled = {**form.filled, **({form.unit_field.name: unit} if unit else {})}
    return [(say(field.label, language), filled.get(field.name, "")) for field in FIELDS[form.questionnaires[0].unit]]


def _part(form: FieldForm, instrument: Instrument, language: str) -> Part:
    words = WORDS.get(language, WORDS["en"])
    return Part(
        title=say(instrument.title, language) if form.is_joint else "",
        whom=served(instrument, language) if instrument.id in form.by_age else "",
        instruction=say(instrument.instruction, language) if instrument.instruction else "",
        blocks=tuple(_blocks(instrument, language)),
        licence=say(instrument.licence.statement, language),
        version=words["version"].format(id=instrument.id, version=instrument.version),
    )


def _blocks(instrument: Instrument, language: str) -> list[Block]:
    """Group the questions into tables; what the answers mean is told once, and the way past a table where it begins."""
    blocks: list[Block] = []
    explained: set[str] = set()
    skipped: Item | None = None
    for run in runs(instrument):
        told = () if run.name in explained else tuple(anchors(run.responses, language))
        explained.add(run.name)
        first = run.items[0]
        starts = first.unless is not None and (skipped is None or skipped.unless != first.unless)
        skipped = first
        blocks.append(
            Block(
                heads=tuple((str(each.code), say(each.label, language)) for each in run.responses),
                anchors=told,
                skip=_skip(instrument, first, language) if starts else "",
                lines=tuple(_line(item, language) for item in run.items),
                has_poles=run.has_poles,
            )
        )
    return blocks


def _line(item: Item, language: str) -> Line:
    if item.poles is not None:
        return Line(item.number, say(item.poles.low, language), say(item.poles.high, language))
    return Line(item.number, say(item.text, language) if item.text else item.key, "")


def _skip(instrument: Instrument, first: Item, language: str) -> str:
    """Say which questions are skipped after which answer."""
    words, unless = WORDS.get(language, WORDS["en"]), first.unless
    if unless is None:
        return ""
    gate = instrument.item(unless.item)
    label = next(say(each.label, language) for each in instrument.response_sets[gate.responses] if each.code == unless.code)
    numbers = [item.number for item in instrument.items if item.unless == unless]
    whole = numbers == list(range(numbers[0], numbers[-1] + 1)) and len(numbers) > 1
    shown = f"{numbers[0]} {words['to']} {numbers[-1]}" if whole else ", ".join(map(str, numbers))
    return words["skip"].format(number=gate.number, label=label, numbers=shown)
