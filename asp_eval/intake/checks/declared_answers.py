"""What a file itself says of its codes (value labels, a dictionary's choices), against what the mapping stores them as.

A label is known if the questionnaire calls an answer so, in any of its languages; for other columns with few values, if it is a
usual word for one of them. Where the questionnaire's own labels are not shipped, three things still show: codes that run from
another number, a negation at the upper end of the answers, and cells that hold the labels in the place of the codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from asp_eval.core.errors import Fault, Place, Problem
from asp_eval.core.phrases import NO_NOTE, Phrase, listed
from asp_eval.intake.mapping.applying import MappedTable
from asp_eval.intake.mapping.drift import ColumnMeaning, column_meanings
from asp_eval.intake.mapping.items import mapping_key
from asp_eval.intake.mapping.mapping import Mapping as MappingFile
from asp_eval.intake.recognition.column_matching import indicates
from asp_eval.intake.recognition.synonyms import NO, VALUES, YES, fold
from asp_eval.trial.instruments.library import Library
from asp_eval.trial.tables.fields import Field
from asp_eval.trial.tables.schema import TableSchema

_CONFIRM = "If the mapping is right all the same, say so in it: 'confirmed: [{part}]'."
OTHER_MEANING = Fault(
    "SCR-190",
    "the file and the mapping do not agree on what the answers mean: {answers}{where}",
    "Say in the mapping: 'recode: {{{part}: {{{recode}}}}}'. " + _CONFIRM,
)
OTHER_CODES = Fault(
    "SCR-191",
    "the file declares the codes {declared}, and the questionnaire has {codes}{where}",
    "If the answers stand in this order, say in the mapping: 'recode: {{{part}: {{{recode}}}}}'. " + _CONFIRM,
)
TURNED_ROUND = Fault(
    "SCR-192",
    "the labels in the file seem to stand the other way round than in the questionnaire: {declared}{where}",
    "If they do, say in the mapping: 'recode: {{{part}: {{{recode}}}}}'. " + _CONFIRM,
)

MOST_NAMED = 5
_NEGATIONS = frozenset({"ikke", "nej", "aldrig", "ej", "not", "no", "never", "none", "false", "inte", "nicht", "nein", "nie"})
_LEADING_CODE = re.compile(r"^\W*\d+\W+(?=\w)")
_TRAILING_CODE = re.compile(r"(?<=\w)\W*\(\d+\)\s*$")
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What a file says of one column against the mapping.

    Attributes
    ----------
    fault : Fault
    details : mapping of str to str
        What fills in the fault, the same for every column of which it is true.
    recode : mapping of str to str
        ``{text in the file: what it is by the file}``.
    """

    fault: Fault
    details: tuple[tuple[str, str], ...]
    recode: tuple[tuple[str, str], ...]


def contradicted_answers(mapped: MappedTable, schema: TableSchema, mapping: MappingFile) -> list[Problem]:
    """Return the columns whose codes the file itself gives another meaning than the mapping, as errors of the file.

    What is true of several items of an instrument is said once.

    Parameters
    ----------
    mapped : MappedTable
    schema : TableSchema
    mapping : Mapping
        What it says is confirmed is passed over.
    """
    found: dict[tuple[str, Contradiction], list[str]] = {}
    for name, meaning in column_meanings(mapped, schema).items():
        field = schema.field(name)
        if not field.values or mapping.confirms(name):
            continue
        for contradiction in _contradictions(mapped, field, meaning, schema.library):
            found.setdefault((field.form or name, contradiction), []).append(name)
    return [_problem(mapped, schema, part, contradiction, names) for (part, contradiction), names in found.items()]


def _problem(mapped: MappedTable, schema: TableSchema, part: str, told: Contradiction, names: Sequence[str]) -> Problem:
    whole = len(names) > 1 and set(names) >= {n for n in schema.items(part) if n in mapped.columns}
    shown = ", ".join(mapped.exported.get(name, name) for name in names[:MOST_NAMED]) + (
        ", ..." if len(names) > MOST_NAMED else ""
    )
    where = Phrase(", in {n} columns: {names}", n=len(names), names=shown) if len(names) > 1 else NO_NOTE
    return told.fault.at(
        Place(mapped.source, column=part if len(names) > 1 else names[0]),
        part=part if whole else names[0] if len(names) == 1 else part,
        where=where,
        recode=", ".join(f"{mapping_key(text)}: {mapping_key(value)}" for text, value in told.recode),
        **dict(told.details),
    )


def _contradictions(mapped: MappedTable, field: Field, meaning: ColumnMeaning, library: Library) -> Iterator[Contradiction]:
    known = dict(sorted(_known_values(mapped, field, meaning, library).items()))
    stored_as = {text: meaning.stored.get(text, "") for text in known}
    wrong = [text for text, value in known.items() if stored_as[text] and _code(stored_as[text]) != _code(value)]
    if wrong:
        said = [
            Phrase(
                "{text} is called {label}, which is {value}, and is stored as {stored}",
                text=text,
                label=repr(meaning.labels.get(text, text)),
                value=known[text],
                stored=stored_as[text],
            )
            for text in wrong[:MOST_NAMED]
        ]
        yield Contradiction(OTHER_MEANING, (("answers", listed(said, "; ")),), tuple(known.items()))
    elif field.form is not None and not known:
        yield from _by_order(field, meaning, _declared_order(mapped, field, meaning))


def _by_order(field: Field, meaning: ColumnMeaning, ordered: Sequence[str]) -> Iterator[Contradiction]:
    """Yield what the order of the codes shows, where the questionnaire's own labels are not known."""
    if not ordered:
        return
    codes = sorted(field.allowed, key=int)
    stored = {text: meaning.stored.get(text, text) for text in ordered}
    declared = ", ".join(f"{text} = {meaning.labels[text]}" for text in ordered)
    if not set(stored.values()) <= {*codes, ""}:
        turned = _negated(meaning.labels[ordered[-1]]) and not _negated(meaning.labels[ordered[0]])
        recode = tuple(zip(ordered, codes[::-1] if turned else codes, strict=True))
        yield Contradiction(OTHER_CODES, (("declared", declared), ("codes", ", ".join(codes))), recode)
    elif "" not in stored.values():
        by_code = sorted(ordered, key=lambda text: int(stored[text]))
        if not _negated(meaning.labels[by_code[0]]) and _negated(meaning.labels[by_code[-1]]):
            recode = tuple(zip(by_code, codes[::-1], strict=True))
            yield Contradiction(TURNED_ROUND, (("declared", declared),), recode)


def _known_values(mapped: MappedTable, field: Field, meaning: ColumnMeaning, library: Library) -> dict[str, str]:
    """Return the value of each text whose label says it for certain."""
    if field.form is not None:
        own = _labels_of(field.name, library)
        known = {text: own[plain] for text, label in meaning.labels.items() if (plain := _plain(label)) in own}
        return known if len(set(known.values())) == len({_plain(meaning.labels[text]) for text in known}) else {}
    words = {fold(value): value for value in field.allowed}
    words |= {fold(text): value for value, texts in field.labels for text in texts}
    words = {word: value for word, value in VALUES.items() if value in field.allowed} | words
    known = {text: words[plain] for text, label in meaning.labels.items() if (plain := _plain(label)) in words}
    marked = indicates(mapped.exported.get(field.name, field.name), field)
    if marked and not known and len(field.allowed) == 2:
        other = next(value for value in field.allowed if value != marked)
        texts = [text for text in meaning.stored if fold(text) in YES | NO]
        known = {text: marked if fold(text) in YES else other for text in texts}
    return known


@lru_cache(maxsize=1_024)
def _labels_of(column: str, library: Library) -> Mapping[str, str]:
    """Return the code that each label of an item's answers stands for; a label that is but a number is none."""
    form_id, _, key = column.partition(".")
    form = library.instrument(form_id)
    item = next(item for item in form.items if item.key == key)
    return {
        _plain(text): str(response.code)
        for response in form.response_sets[item.responses]
        for text in response.label.values()
        if not text.strip().isdigit()
    }


def _declared_order(mapped: MappedTable, field: Field, meaning: ColumnMeaning) -> list[str]:
    """Return the texts that the file declares as answers, in the order of their codes: as many as the form has, in one run.

    None of them if the file declares fewer or others: what does not look like a scale of this length shows nothing.
    """
    missing = mapped.user_missing.get(field.name, frozenset())
    numbers = {int(text): text for text in meaning.labels if text.lstrip("-").isdigit() and text not in missing}
    for first in sorted(numbers):
        run = [numbers.get(first + step) for step in range(len(field.allowed))]
        if all(text is not None and any(map(str.isalpha, meaning.labels[text])) for text in run):
            return [text for text in run if text is not None]
    return []


def _negated(label: str) -> bool:
    return any(word in _NEGATIONS for word in _WORD.findall(label.casefold()))


def _plain(label: str) -> str:
    return fold(_TRAILING_CODE.sub("", _LEADING_CODE.sub("", label)))


def _code(text: str) -> str:
    """Return a number as a code is written: 2.0 and 2,0 are 2."""
    head, mark, tail = text.replace(",", ".").partition(".")
    return head if mark and not tail.strip("0") else text
