"""What the labels and codes of an export are in our values: as the file, or the questionnaire, says; the rest is left open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from asp_eval.intake.files.raw import RawTable
from asp_eval.intake.recognition.column_matching import indicates, texts_of
from asp_eval.intake.recognition.questionnaires import Found
from asp_eval.intake.recognition.synonyms import NO, VALUES, YES, fold
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.library import Library
from asp_eval.trial.instruments.parts import Response
from asp_eval.trial.tables.fields import Field

MANY = 50  # answers among which the lowest code of a scale that begins at 0 should be met


@dataclass(frozen=True, slots=True)
class Recode:
    """What the labels of a column, or of all items of an instrument, become; None where that is left open.

    Attributes
    ----------
    part : str
        Our column, or an instrument.
    labels : mapping of str to (str or None)
        ``{text in the file: our value}``; empty where the texts are our values already.
    why : str
    notes : mapping of str to str
        What the file says of a text.
    """

    part: str
    labels: Mapping[str, str | None]
    why: str
    notes: Mapping[str, str]

    @property
    def open(self) -> bool:
        """Whether something is left open."""
        return None in self.labels.values()


def recode_items(raw: RawTable, form: Instrument, columns: Mapping[str, str]) -> Iterator[Recode]:
    """Yield how the answers of a questionnaire are coded: once for all, or by item if the items have different answers.

    Parameters
    ----------
    raw : RawTable
        As the file has it.
    form : Instrument
    columns : mapping of str to str
        ``{export column: our column}``.
    """
    sets = {item.responses for item in form.items}
    if len(sets) == 1:
        yield _coded(raw, form.id, list(columns), form.response_sets[sets.pop()])
        return
    responses = dict(zip(form.columns, (item.responses for item in form.items), strict=True))
    for theirs, ours in columns.items():
        yield _coded(raw, ours, [theirs], form.response_sets[responses[ours]])


def recode_families(raw: RawTable, unsure: Sequence[Found], library: Library) -> Iterator[Recode]:
    """Yield how answers are coded that are one form's or another's of a family, where it is the same for either."""
    rivals: dict[frozenset[str], list[Found]] = {}
    for found in unsure:
        if not found.missing:
            rivals.setdefault(frozenset(found.columns), []).append(found)
    for group in rivals.values():
        forms = [library.instrument(found.form) for found in group]
        coded = [list(recode_items(raw, form, found.columns)) for form, found in zip(forms, group, strict=True)]
        alike = all(len(each) == 1 and each[0].labels == coded[0][0].labels for each in coded)
        if len({form.id for form in forms}) > 1 and len({form.family for form in forms}) == 1 and alike:
            yield replace(coded[0][0], part=forms[0].family)


def recode_values(raw: RawTable, column: str, field: Field) -> Recode:
    """Return how the values of a column with few values are written."""
    met = [text for text in texts_of(raw.columns[column]) if text not in raw.user_missing.get(column, ())]
    declared = raw.labels.get(column, {})
    if not field.allowed:
        return _labelled(met, declared, field)
    marked = indicates(column, field)
    if set(met) <= set(field.allowed):
        return Recode(field.name, {}, "the values are ours", {})
    if marked and {fold(text) for text in met} <= YES | NO and len(field.allowed) == 2:
        other = next(value for value in field.allowed if value != marked)
        labels: dict[str, str | None] = {text: marked if fold(text) in YES else other for text in met}
        return Recode(field.name, labels, f"the column is called '{column}', and marks those", {})
    labels = {text: _value(declared.get(text, text), field) for text in dict.fromkeys([*met, *declared])}
    unmet = [text for text, value in labels.items() if value is None and text not in met]
    labels = {text: value for text, value in labels.items() if text not in unmet and text != value}
    why = "the labels that the file declares" if declared else "usual words"
    return Recode(field.name, labels, why, {text: declared[text] for text in labels if text in declared})


def _labelled(met: Sequence[str], declared: Mapping[str, str], field: Field) -> Recode:
    """Return how the values of a column are written that study.yaml gives labels; a value without one stands for itself."""
    labels: dict[str, str | None] = {}
    for text in dict.fromkeys([*met, *declared]):
        value = _value(declared.get(text, text), field)
        if value is None and (not field.numeric or _plain(text).lstrip("-").replace(".", "", 1).isdigit()):
            value = text
        if value != text and (value is not None or text in met):
            labels[text] = value
    return Recode(field.name, labels, "the labels in study.yaml", {text: declared[text] for text in labels if text in declared})


def _value(label: str, field: Field) -> str | None:
    known = {fold(value): value for value in field.values}
    known |= {fold(text): value for value, texts in field.labels for text in texts}
    return known.get(fold(label)) or next((v for v in [VALUES.get(fold(label))] if v in field.allowed), None)


def _coded(raw: RawTable, part: str, columns: Sequence[str], responses: Sequence[Response]) -> Recode:
    """Return how answers are coded, from what is met, what the file declares and what the questionnaire calls its answers."""
    met = list(dict.fromkeys(t for c in columns for t in texts_of(raw.columns[c]) if t not in raw.user_missing.get(c, ())))
    missing = {text for column in columns for text in raw.user_missing.get(column, ())} - set(met)
    declared: dict[str, str] = {}
    clash = False
    for column in columns:
        for text, label in raw.labels.get(column, {}).items():
            if text not in missing and text not in raw.user_missing.get(column, ()):
                clash = clash or fold(declared.setdefault(text, label)) != fold(label)
    codes = {str(response.code) for response in responses}
    own = {fold(text): str(r.code) for r in responses for text in r.label.values() if fold(text) != str(r.code)}
    open_: dict[str, str | None] = dict.fromkeys([*met, *(text for text in declared if text not in met)])
    if clash or len({fold(label) for label in declared.values()}) < len(declared):
        return Recode(part, open_, "the file's labels differ between these columns, or stand for two codes", declared)
    code_of = {fold(label): text for text, label in declared.items()}
    by_label = {text: own.get(fold(declared.get(text, text))) for text in open_}
    if all(by_label.values()):
        changed = {text: code for text, code in by_label.items() if code != _plain(text)}
        return Recode(part, changed, "the labels are those of the questionnaire", declared)
    if any(by_label.get(text) not in (None, _plain(text)) for text in met):
        return Recode(part, open_, "some labels belong to other codes in the questionnaire", declared)
    plain = {_plain(text) for text in open_}
    if plain <= codes:
        if _begins_at_one(raw, columns, met, codes):
            return Recode(part, open_, "no cell holds 0: do the codes run from 1 in this file?", declared)
        return Recode(part, {}, "the codes are those of the questionnaire", declared)
    if met and all(fold(text) in code_of for text in met) and codes <= {_plain(text) for text in declared}:
        labels = {text: code if (code := _plain(code_of[fold(text)])) in codes else None for text in met}
        return Recode(part, labels, "the codes that the file declares for its labels", {})
    strange = [text for text in open_ if _plain(text) not in codes]
    if codes <= plain and not any(_is_next(text, codes) for text in strange):
        return Recode(part, dict.fromkeys(strange), 'not a code of the questionnaire; "" empties these cells', declared)
    return Recode(part, open_, "the order of the answers is not known here", declared)


def _plain(text: str) -> str:
    """Return a number as a code is written: 2.0 and 2,0 are 2."""
    head, mark, tail = text.replace(",", ".").partition(".")
    return head if mark and not tail.strip("0") else text


def _is_next(text: str, codes: set[str]) -> bool:
    """Whether a text is the code that would come before the first or after the last."""
    numbers = sorted(int(code) for code in codes)
    return _plain(text) in {str(numbers[0] - 1), str(numbers[-1] + 1)}


def _begins_at_one(raw: RawTable, columns: Sequence[str], met: Sequence[str], codes: set[str]) -> bool:
    """Whether the code 0 is never met among many answers: the file may count from 1."""
    if "0" not in codes or "0" in {_plain(text) for text in met}:
        return False
    answers = sum(int(np.count_nonzero(raw.columns[column].cells() != "")) for column in columns)
    return answers >= MANY
