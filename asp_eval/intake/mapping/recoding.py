"""From the labels of an export to our values: missing texts emptied, labels recoded, dates truncated to the month."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.columns import composed
from asp_eval.intake.files.raw import SPACES, TextColumn, TextTable
from asp_eval.intake.mapping.mapping import Mapping as MappingFile
from asp_eval.intake.values import date_order, month_of
from asp_eval.trial.instruments.library import Library

LABEL_NOT_MET = Fault(
    "SCR-024",
    "the mapping recodes a label that is not in the file",
    "Check its spelling; a label such as 007 needs quotes in the mapping.",
    severity="warning",
)
SHIFTED = Fault(
    "SCR-180",
    "the mapping turns other labels into {text!r}, and the file has cells with {text!r} that it does not name",
    "Name it too: 'recode: {{{part}: {{{text!r}: CODE}}}}'; a CODE of \"\" empties the cells.",
)
DECLARED_MISSING = Fault(
    "SCR-181",
    "{count} cells hold what the file declares missing: {label}, and the mapping does not say what becomes of them",
    "Say 'user_missing: empty' in the mapping to empty all such cells, or give this one a value of its own under 'recode'.",
)
EMPTIED = Fault(
    "SCR-182",
    "{count} cells that the file declares missing ({label}) were emptied: {columns}",
    "Nothing, if they are non-answers. Else give the label a value under 'recode' in the mapping.",
    severity="warning",
)
UNSURE_DAY = Fault(
    "SCR-183",
    "the dates to be truncated can be read in two ways: day or month could come first",
    "Say which in the mapping: 'format: {{dates: day-first}}'.",
)

Labels = Mapping[str, str]


def recoded(raw: TextTable, mapping: MappingFile, plan: Mapping[str, Labels], library: Library) -> TextTable:
    """Return the table with its labels as our values.

    Parameters
    ----------
    raw : TextTable
        Under our names.
    mapping : Mapping
    plan : mapping
        From `planned`.
    library : Library
        The questionnaires that the study knows.

    Raises
    ------
    DataProblems
        SCR-180, SCR-183.
    """
    raw = _without_missing(raw, mapping, plan)
    columns, became = dict(raw.columns), {}
    problems = [problem for name, labels in plan.items() for problem in _shifted(raw, name, labels)]
    for name, labels in plan.items():
        became[name] = {text: labels.get(text, text) for text in [*labels, *_met(columns[name])]}
        columns[name] = _translated(columns[name], labels)
    for name in mapping.truncate:
        columns[name], found = _truncated(raw, name, columns[name])
        problems += found
    if problems:
        raise DataProblems(problems)
    return replace(raw, columns=columns, notes=(*raw.notes, *_not_met(raw, mapping, plan, library)), became=became)


def _without_missing(raw: TextTable, mapping: MappingFile, plan: Mapping[str, Labels]) -> TextTable:
    """Empty what the mapping calls missing, and what the file does, if the mapping says so and has no other use for it."""
    columns, notes = dict(raw.columns), raw.notes
    if mapping.user_missing:
        notes = (*notes, *_emptied(raw, plan))
        for name, texts in raw.user_missing.items():
            columns[name] = _translated(columns[name], {text: "" for text in texts if text not in plan.get(name, {})})
    if mapping.missing:
        empty = dict.fromkeys(mapping.missing, "")
        columns = {name: _translated(column, empty) for name, column in columns.items()}
    return replace(raw, columns=columns, notes=notes)


def planned(raw: TextTable, mapping: MappingFile, library: Library) -> dict[str, Labels]:
    """Return the labels of each column: its own, else those of its instrument, else those of its instrument's family.

    What is neither a column nor an instrument with columns in the file has an entry all the same, for the caller to refuse.
    """
    plan: dict[str, Labels] = {}
    for part, labels in mapping.recode.items():
        if part in raw.columns or not (items := items_of(part, raw.columns, library)):
            plan[part] = labels
            continue
        for name in items:
            owner = name.partition(".")[0]
            if name not in mapping.recode and (part == owner or owner not in mapping.recode):
                plan[name] = labels
    return plan


def items_of(part: str, columns: Collection[str], library: Library) -> list[str]:
    """Return the item columns that a table has of an instrument or a family."""
    forms = {form.id for form in library.forms_named(part)}
    return [name for name in columns if name.partition(".")[0] in forms and "." in name]


def undecided(raw: TextTable, mapping: MappingFile, plan: Mapping[str, Labels]) -> Iterator[Problem]:
    """Yield a problem for every text that the file declares missing in a column and the mapping says nothing of."""
    if mapping.user_missing:
        return
    for name, texts in raw.user_missing.items():
        known = {*plan.get(name, {}), *mapping.missing}
        for text, count in _counts(raw.columns[name], texts):
            if text not in known:
                yield DECLARED_MISSING.at(raw.place(column=name), found=text, count=count, label=_shown(raw, name, text))


def _emptied(raw: TextTable, plan: Mapping[str, Labels]) -> Iterator[Problem]:
    """One warning for each label, with how many cells of which columns."""
    met: dict[str, list[tuple[str, int]]] = {}
    for name, texts in raw.user_missing.items():
        for text, count in _counts(raw.columns[name], texts):
            if text not in plan.get(name, {}):
                met.setdefault(_shown(raw, name, text), []).append((name, count))
    for label, found in met.items():
        columns = ", ".join(f"{name} {count}" for name, count in found)
        yield EMPTIED.at(raw.source, count=sum(count for _, count in found), label=label, columns=columns)


def _shown(raw: TextTable, name: str, text: str) -> str:
    label = raw.labels.get(name, {}).get(text)
    return f"{text!r}, {label}" if label else repr(text)


def _counts(column: TextColumn, wanted: Collection[str]) -> list[tuple[str, int]]:
    """Return how many cells have each of the texts wanted, of those that are met."""
    cells = np.bincount(column.codes, minlength=len(column.texts))
    counts: dict[str, int] = {}
    for text, count in zip(column.texts, cells, strict=True):
        plain = str(text).strip(SPACES)
        if plain in wanted and count:
            counts[plain] = counts.get(plain, 0) + int(count)
    return list(counts.items())


def _not_met(raw: TextTable, mapping: MappingFile, plan: Mapping[str, Labels], library: Library) -> Iterator[Problem]:
    """One warning for each label that none of the columns has which it is meant for."""
    for part, labels in mapping.recode.items():
        columns = [part] if part in raw.columns else [n for n in items_of(part, raw.columns, library) if plan.get(n) is labels]
        met = {text for name in columns for text in _met(raw.columns[name])}
        yield from (LABEL_NOT_MET.at(raw.place(column=part), found=label) for label in labels if label not in met)


def _shifted(raw: TextTable, name: str, labels: Labels) -> Iterator[Problem]:
    """Where codes are recoded to codes (1 to 0, 2 to 1), a code that is not named would pass for one that is."""
    if not {label for label, value in labels.items() if label != value}.intersection(labels.values()):
        return
    for text in _met(raw.columns[name]):
        if text not in labels and text in labels.values():
            yield SHIFTED.at(raw.place(column=name), text=text, part=name)


def _met(column: TextColumn) -> list[str]:
    """Return the different texts of the cells that are not empty."""
    cells = np.bincount(column.codes, minlength=len(column.texts))
    met = (composed(str(text).strip(SPACES)) for text, count in zip(column.texts, cells, strict=True) if count)
    return list(dict.fromkeys(text for text in met if text))


def _translated(column: TextColumn, labels: Labels) -> TextColumn:
    return column.translate(lambda text: labels.get(composed(text.strip(SPACES)), text))


def _truncated(raw: TextTable, name: str, column: TextColumn) -> tuple[TextColumn, list[Problem]]:
    """Drop the day of the dates in a column; what is no date stays, to be refused later."""
    order = raw.dialect.dates or date_order(_met(column))
    if order is None:
        return column, [UNSURE_DAY.at(raw.place(column=name), expected=Phrase("day-first or month-first"))]
    return column.translate(lambda text: month_of(text.strip(SPACES), order) or text), []
