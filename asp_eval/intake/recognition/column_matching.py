"""Which columns of an export are which of ours, judged by name, title and content: for certain, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from asp_eval.intake.files.raw import SPACES, TextColumn, TextTable
from asp_eval.intake.personal_numbers import is_personal_number, personal_number
from asp_eval.intake.recognition.synonyms import INDICATORS, SYNONYMS, fold
from asp_eval.intake.values import Marks, convert, month_of
from asp_eval.trial.tables.fields import Field

ENOUGH = 0.5  # of the different texts of a column must fit a field; those that do not are faults of the file
MOST_CODES = 12  # different texts a column of codes or labels may have
MOST_LOOKED_AT = 1_000  # different texts of a column that are looked at
ALIKE = 0.8  # share of the letters that two names must have in common, in the same order
SHORTEST = 5  # letters of a name that may be the beginning of another
PERSONS = ("child_id", "rater_id", "respondent_id", "staff_id", "coder_id")


@dataclass(frozen=True, slots=True)
class Guess:
    """What a column of the export seems to be, and why."""

    column: str
    ours: str
    why: str


@dataclass(frozen=True, slots=True)
class Guesses:
    """What was found: `sure` is right, `unsure` could be."""

    sure: tuple[Guess, ...]
    unsure: tuple[Guess, ...]


def guess_columns(raw: TextTable, fields: tuple[Field, ...], taken: frozenset[str]) -> Guesses:
    """Return which columns are which of some fields that are no items.

    A name that is ours is certain. Else a field is found if one column alone looks like it, that column looks like no other
    field, and its cells fit.

    Parameters
    ----------
    raw : TextTable
        As the file has it.
    fields : tuple of Field
    taken : frozenset of str
        Columns that are known to be something else.
    """
    free = [name for name in raw.columns if name not in taken]
    exact = {field.name for field in fields if field.name in free}
    found = {
        field.name: [Guess(name, field.name, why) for name in free if name not in exact and (why := _likeness(raw, name, field))]
        for field in fields
        if field.name not in exact
    }
    claims: dict[str, list[str]] = {}
    for guesses in found.values():
        for guess in guesses:
            claims.setdefault(guess.column, []).append(guess.ours)
    sure = [Guess(name, name, "the name is ours") for name in free if name in exact]
    unsure: list[Guess] = []
    for field in fields:
        guesses = found.get(field.name, [])
        for guess in guesses:
            doubt = _doubt(raw, guess, field, [g.column for g in guesses], claims[guess.column])
            (unsure if doubt else sure).append(Guess(guess.column, guess.ours, doubt or guess.why))
    unsure += _by_personal_number(raw, fields, [*sure, *unsure])
    used = {guess.column for guess in (*sure, *unsure)}
    absent = [field.name for field in fields if field.name not in {guess.ours for guess in (*sure, *unsure)}]
    unsure += [
        Guess(name, ours, "the names are alike: is it this?")
        for name in free
        if name not in used
        for ours in absent
        if _alike(fold(name), fold(ours))
    ]
    return Guesses(tuple(sure), tuple(unsure))


def _by_personal_number(raw: TextTable, fields: tuple[Field, ...], found: list[Guess]) -> list[Guess]:
    """Return the columns of personal numbers that could be the id of a person that every row must have, and that is not found."""
    known, used = {guess.ours for guess in found}, {guess.column for guess in found}
    numbers = [name for name in raw.columns if name not in used and _personal_numbers(raw.columns[name])]
    return [
        Guess(
            name,
            field.name,
            "its cells are personal numbers: "
            + (
                "is it this? Each becomes a pseudonym"
                if field.person
                else f"if it is this, ask for pseudonyms in study.yaml first ('privacy: pseudonymise: [{field.name}]')"
            ),
        )
        for field in fields
        if field.name in PERSONS and field.required and field.name not in known
        for name in numbers
    ]


def _personal_numbers(column: TextColumn) -> bool:
    texts = texts_of(column)[:MOST_LOOKED_AT]
    return sum(is_personal_number(text) is not None for text in texts) > ENOUGH * len(texts)


def texts_of(column: TextColumn) -> list[str]:
    """Return the different texts of the cells that are not empty, without the spaces around them."""
    cells = np.bincount(column.codes, minlength=len(column.texts))
    met = (str(text).strip(SPACES) for text, count in zip(column.texts, cells, strict=True) if count)
    return list(dict.fromkeys(text for text in met if text))


def indicates(name: str, field: Field) -> str | None:
    """Return the value that a column named after it marks with 1: "girl" for a column called ``pige``."""
    value = INDICATORS.get(fold(name))
    return value if value in field.allowed else None


def _likeness(raw: TextTable, name: str, field: Field) -> str | None:
    """Say by what a column looks like a field; None if by nothing."""
    folded = fold(name)
    if folded == fold(field.name):
        return "the same name, apart from capitals and signs"
    if folded in SYNONYMS.get(field.name, ()):
        return f"a usual name for {field.name}"
    if indicates(name, field):
        return f"a usual name for a column that marks those whose {field.name} is {indicates(name, field)}"
    title = fold(raw.titles.get(name, ""))
    if title and (title in {fold(field.name), fold(field.title)} or title in SYNONYMS.get(field.name, ())):
        return f"the file calls it '{raw.titles[name].strip()}'"
    return None


def _alike(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) >= SHORTEST and (long.startswith(short) or SequenceMatcher(None, one, other).ratio() > ALIKE)


def _doubt(raw: TextTable, guess: Guess, field: Field, rivals: list[str], claims: list[str]) -> str | None:
    """Say why a likeness is not enough; None if it is."""
    if len(rivals) > 1:
        return f"{' and '.join(rivals)} look like {field.name}: which of them is it?"
    if len(claims) > 1:
        return f"it could be {' or '.join(claims)}"
    return misfit(texts_of(raw.columns[guess.column])[:MOST_LOOKED_AT], field, raw.dialect.dates)


def misfit(texts: list[str], field: Field, dates: str | None = None) -> str | None:
    """Say why the texts of a column do not fit a field; None if they do, or could be recoded to."""
    if not texts:
        return "it is empty" if field.required else None
    if field.allowed:
        return None if len(texts) <= MOST_CODES else f"it has {len(texts)} different texts, and {field.name} has few values"
    if field.name in PERSONS:
        named = sum(len([word for word in text.split() if word.isalpha() and len(word) > 1]) > 1 for text in texts)
        numbers = sum(personal_number(text) is not None for text in texts)
        if named > ENOUGH * len(texts):
            return "its cells look like names of persons"
        if numbers and field.person is None:
            return "its cells look like personal numbers"
    if field.kind == "string":
        return None
    fitting = sum(_fits(text, field, dates) for text in texts)
    return None if fitting >= ENOUGH * len(texts) else f"its cells do not look like what {field.name} holds ({texts[0][:20]!r})"


def _fits(text: str, field: Field, dates: str | None) -> bool:
    orders = (dates,) if dates else ("day-first", "month-first")
    if field.kind in {"date", "yearmonth"} and any(month_of(text, order) for order in orders):
        return True
    return any(not convert(TextColumn.of([text]), field, Marks(decimal)).faulty[0] for decimal in ".,")
