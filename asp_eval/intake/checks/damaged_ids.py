"""Ids that a program damaged: numbers written with an exponent, words for an empty cell, characters that nobody sees."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.phrases import some_of
from asp_eval.intake.checks.context import CheckContext
from asp_eval.intake.checks.findings import Finding
from asp_eval.intake.files.raw import SPACES, TextTable
from asp_eval.intake.mapping.applying import MappedTable
from asp_eval.intake.mapping.mapping import Mapping as MappingFile
from asp_eval.trial.tables.fields import Field
from asp_eval.trial.tables.schema import TableSchema

SHORTENED_ID = Fault(
    "SCR-200",
    "the id is a number with an exponent: a spreadsheet took it for a number, and its last digits may be lost",
    "Export again with the ids as text: make the column text before the file is opened in a spreadsheet, or open it there with "
    "'Data, From text'.",
)
WORD_FOR_MISSING = Fault(
    "SCR-201",
    "the id is what programs write for an empty cell",
    "If it is missing, say so in the mapping: 'missing: [\"{id}\"]'. If it is an id, say: 'not_missing: [\"{id}\"]'.",
)
UNSEEN_CHARACTERS = Fault(
    "SCR-202",
    "the id holds a character that is not seen: {names}",
    "Take it out of the cell, or it will be another id than the same one without it.",
)
DAMAGED_BEFORE = Fault(
    "SCR-203",
    "ids that are replaced by pseudonyms were damaged before, or are none: {names}",
    "Export again with the ids as text. What means that an id is missing is said in the mapping under 'missing'; what looks like "
    "it and is an id, under 'not_missing'.",
)

MOST_NAMED = 5
_EXPONENT = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE]\+\d+")
_MISSING = frozenset({"na", "n/a", "#n/a", "#na", "<na>", "nan", "null", "#null!", "none", "nil", "-", "--", "."})
_SPACES_WITHIN = frozenset("\u00a0\u2007\u202f")


def damaged_ids(raw: MappedTable, schema: TableSchema, mapping: MappingFile, context: CheckContext | None) -> Iterator[Finding]:
    """Find the ids that a program damaged: an error where every row must have the id, and else a warning.

    Parameters
    ----------
    raw : MappedTable
    schema : TableSchema
    mapping : Mapping
        What it says under 'not_missing' is an id.
    context : CheckContext, optional
        An institution that the study has is one, whatever it is called.
    """
    for field in schema.base:
        if field.name.endswith("_id") and field.name in raw.columns:
            ids = set(mapping.not_missing)
            if field.name == "institution_id" and context is not None and schema.name != "institutions":
                ids |= context.institutions
            yield from _findings(raw, field, ids)


def damaged_before(export: TextTable, pseudonymised: Collection[str], mapping: MappingFile) -> Iterator[Problem]:
    """Yield the columns of which ids were damaged before they became pseudonyms, which show nothing of it any more."""
    for name in pseudonymised:
        found = [text for text, _ in _faults(export.columns[name].texts, set(mapping.not_missing) | set(mapping.missing)).items()]
        if found:
            yield DAMAGED_BEFORE.at(export.place(column=name), names=some_of(map(repr, found), MOST_NAMED))


def _findings(raw: MappedTable, field: Field, ids: Collection[str]) -> Iterator[Finding]:
    column = raw.columns[field.name]
    faults = _faults(column.texts, ids)
    for fault in dict.fromkeys(faults.values()):
        there = column.where(np.array([faults.get(str(text)) is fault for text in column.texts], dtype=np.bool_))
        told = fault if field.required else replace(fault, severity="warning")

        def problem(row: int, told: Fault = told) -> Problem:
            text = str(column.cell(row)).strip(SPACES)
            return told.at(raw.place(row, field.name), found=text, id=text, names=_names(text))

        yield Finding.of(told, field.name, there, problem)


def _faults(texts: Iterable[object], ids: Collection[str]) -> Mapping[str, Fault]:
    found = {}
    for cell in map(str, texts):
        text = cell.strip(SPACES)
        if text in ids or (text.isalnum() and text.isascii() and text.casefold() not in _MISSING):
            continue
        if text.casefold() in _MISSING:
            found[cell] = WORD_FOR_MISSING
        elif _EXPONENT.fullmatch(text):
            found[cell] = SHORTENED_ID
        elif any(map(_unseen, text)):
            found[cell] = UNSEEN_CHARACTERS
    return found


def _unseen(letter: str) -> bool:
    return letter in _SPACES_WITHIN or unicodedata.category(letter) in {"Cf", "Cc", "Co", "Cn"}


def _names(text: str) -> str:
    names = dict.fromkeys(f"U+{ord(letter):04X} {unicodedata.name(letter, '')}".strip() for letter in text if _unseen(letter))
    return ", ".join(names)
