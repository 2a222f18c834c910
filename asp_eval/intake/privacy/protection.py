"""What identifies a person directly never gets into a study: ids become pseudonyms, the rest is left out or refused.

This is done right after a file is read, before its rows are looked at in any other way and before a copy of it is kept. Its
faults come alone, for other messages repeat what they found, and these must not repeat a personal number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.filters import parse_filter
from asp_eval.core.phrases import Phrase
from asp_eval.intake.files.columns import MORE, MOST_SHOWN, shorten
from asp_eval.intake.files.protected import ProtectedTable
from asp_eval.intake.files.raw import SPACES, RawTable, TextColumn, positions
from asp_eval.intake.identifiers import has_email, is_personal, masked, named_identifier
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.intake.mapping.mapping_sheet import as_yaml
from asp_eval.intake.personal_numbers import holding_personal_numbers, is_personal_number, lacks_its_zero, personal_number
from asp_eval.intake.privacy.pseudonyms import PseudonymKey, key_of, pseudonym
from asp_eval.trial.tables.fields import Field
from asp_eval.trial.tables.schema import TableSchema

_LEAVE_OUT = "leave the column out in the mapping ('ignore: [{ours}]')"
_NOT_PERSONAL = "If it is nothing of the kind, say so in the mapping: 'not_personal: [{column}]'."
IDENTIFYING = Fault(
    "SCR-140",
    "the column is called as if it held {what} of a person",
    "Persons are not stored: " + _LEAVE_OUT + ". If it is the id of a person, name the id in study.yaml under "
    "'privacy: pseudonymise'. " + _NOT_PERSONAL,
)
FLAGGED = Fault(
    "SCR-141",
    "the export itself says that the column identifies a person",
    "Persons are not stored: " + _LEAVE_OUT + ". If it is the id of a person, name the id in study.yaml under "
    "'privacy: pseudonymise'. " + _NOT_PERSONAL,
)
PERSONAL_NUMBER = Fault(
    "SCR-142",
    "the cell holds what looks like a Danish personal number (CPR), which is not repeated here",
    "Take it out of the cell, or " + _LEAVE_OUT + ". If it is the id of a person, name the id in study.yaml under "
    "'privacy: pseudonymise'. " + _NOT_PERSONAL,
)
EMAIL = Fault(
    "SCR-143",
    "the cell holds what looks like an e-mail address, which is not repeated here",
    "Take it out of the cell, or " + _LEAVE_OUT + ". If it is the id of a person, name the id in study.yaml under "
    "'privacy: pseudonymise'. " + _NOT_PERSONAL,
)
NO_SUCH_COLUMN = Fault(
    "SCR-144",
    "the mapping's 'not_personal' names a column that is not in the file",
    "Write the name as the export has it.",
)
MAPPED = Fault(
    "SCR-145",
    "the mapping's '{part}' uses a column whose cells are replaced or left out because they identify persons",
    "Make the change in the export itself, or use another column.",
)
IN_A_NAME = Fault(
    "SCR-146",
    "{where} holds what looks like a Danish personal number (CPR) or an e-mail address, which is not repeated here",
    "Take it out. If the first row of the file holds data, give the file a first row that names the columns.",
)
NO_ZERO = Fault(
    "SCR-147",
    "the personal number has nine digits: a spreadsheet dropped the zero it begins with",
    "Make the column text in the spreadsheet, write the zero, and export again.",
)
OTHER_KEY = Fault(
    "SCR-148",
    "the cell holds a pseudonym made with another key ({found_key}) than this study's ({key})",
    "It is of another study, or the key in study.yaml was changed. Import the file as it was received.",
)


@dataclass(frozen=True, slots=True)
class _Use:
    """What becomes of a column: its name in the study, its field if it has one, and whether the mapping leaves it out."""

    column: str
    ours: str
    field: Field | None
    ignored: bool
    declared_harmless: bool

    @property
    def person(self) -> str | None:
        """Whose ids it holds, if they are to be replaced."""
        return None if self.ignored or self.field is None else self.field.person


def protect(raw: RawTable, mapping: Mapping, schema: TableSchema, key: PseudonymKey | None) -> ProtectedTable:
    """Replace the ids that a study wants pseudonyms for, empty identifying columns that are left out, refuse what is left.

    Parameters
    ----------
    raw : RawTable
        As read, under the export's own names.
    mapping : Mapping
        Says what the columns are, and which are left out.
    schema : TableSchema
        Says whose ids are replaced.
    key : PseudonymKey, optional
        Needed if the schema asks for pseudonyms.

    Raises
    ------
    DataProblems
        SCR-140 to SCR-148, without the numbers, names and addresses themselves.
    """
    if problems := [*persons_in_names(raw, mapping)]:  # before the others, whose places have these names
        raise DataProblems(problems)
    uses = _uses(raw, mapping, schema)
    columns = dict(raw.columns)
    changed: dict[str, list[str]] = {"pseudonymised": [], "emptied": []}
    gone = {use.column for use in uses if use.person}
    for use in uses:
        column = raw.columns[use.column]
        if use.person and key:
            problems += _unfit(raw, use, key)
            columns[use.column] = _replaced(column, use.person, key, _missing(raw, mapping, use.column))
            kind = "pseudonymised"
        elif use.ignored and _identifies(raw, use, schema):
            columns[use.column] = TextColumn.constant("", len(raw))
            kind = "emptied"
            gone.add(use.column)
        else:
            problems += [] if use.ignored or use.declared_harmless else _refused(raw, use, schema)
            continue
        if not np.array_equal(columns[use.column].cells(), column.cells()):
            changed[kind].append(use.column)
    problems += _mapped(raw, mapping, uses, gone)
    if problems:
        raise DataProblems(shorten(problems))
    labels = {name: labels for name, labels in raw.labels.items() if name not in changed["emptied"] + changed["pseudonymised"]}
    protected = replace(ProtectedTable.of(raw), columns=columns, labels=labels)
    return replace(protected, pseudonymised=tuple(changed["pseudonymised"]), emptied=tuple(changed["emptied"]))


def _uses(raw: RawTable, mapping: Mapping, schema: TableSchema) -> list[_Use]:
    fields = {field.name: field for field in schema.fields}
    renames, uses = mapping.renames(schema.library), []
    for column in raw.columns:
        ours = renames.get(column, column)
        ignored = ours not in fields if mapping.ignore == "others" else ours in mapping.ignore
        uses.append(_Use(column, ours, fields.get(ours), ignored, column in mapping.not_personal))
    return uses


def persons_in_names(raw: RawTable, mapping: Mapping) -> Iterator[Problem]:
    """Yield what identifies outside the cells: in the name of a file, a sheet or a column, a question, a label, the mapping."""
    if is_personal(raw.source):
        yield IN_A_NAME.at(where=Phrase("the name of the file"))
    if is_personal(raw.dialect.sheet or ""):
        yield IN_A_NAME.at(raw.source, where=Phrase("the name of the sheet"))
    if any(is_personal(name) for name, _ in raw.dialect.companions):
        yield IN_A_NAME.at(raw.source, where=Phrase("the name of a file beside it"))
    for position, name in enumerate(raw.columns, start=1):
        if is_personal(name):
            yield IN_A_NAME.at(Place(raw.source, row=1, column=str(position)), where=Phrase("the name of the column"))
    for name, labels in raw.labels.items():
        if any(is_personal(label) for label in labels.values()) and name not in mapping.not_personal:
            yield IN_A_NAME.at(raw.place(column=name), where=Phrase("a label of the column"))
    for name, title in raw.titles.items():
        if personal_number(title) and name not in mapping.not_personal:  # an address to write to may stand in a question
            yield IN_A_NAME.at(raw.place(column=name), where=Phrase("the question of the column"))
    if is_personal(mapping.on_one_line):
        yield IN_A_NAME.at(raw.source, where=Phrase("the mapping of the file"))
    for name in mapping.not_personal:
        if name not in raw.columns:
            yield NO_SUCH_COLUMN.at(raw.source, found=name)


def refuse_persons_in(path: Path | None) -> None:
    """Refuse a mapping file with a personal number in it, if only in a comment: it is kept beside the export, as it is.

    Raises
    ------
    DataProblems
        SCR-146.
    """
    if path is not None and path.is_file() and personal_number(as_yaml(path)):
        raise DataProblems([IN_A_NAME.at(masked(path.name), where=Phrase("the mapping of the file"))])


def _mapped(raw: RawTable, mapping: Mapping, uses: list[_Use], gone: set[str]) -> Iterator[Problem]:
    """Yield where the mapping would compare or recode what is replaced or emptied before the mapping is applied."""
    for name in parse_filter(mapping.keep_rows).columns if mapping.keep_rows else ():
        if name in gone:
            yield MAPPED.at(raw.place(column=name), part="keep_rows")
    for use in uses:
        if use.person and use.ours in mapping.recode:
            yield MAPPED.at(raw.place(column=use.ours), part="recode")


def _identifies(raw: RawTable, use: _Use, schema: TableSchema) -> bool:
    """Return whether a column that is left out identifies persons, so that the copy kept must not have it."""
    if use.declared_harmless:
        return False
    texts = raw.columns[use.column].texts
    return (
        use.column in raw.identifiers
        or bool(_named(raw, use, schema))
        or any(map(has_email, texts))
        or any(holding_personal_numbers(texts))
    )


def _named(raw: RawTable, use: _Use, schema: TableSchema) -> str | None:
    """Return what a column identifies a person by, going by its names and its title."""
    if use.field is not None and use.field.form:  # an item has the name its instrument gives it
        return None
    return identified_by(raw, use.column, use.ours, schema)


def identified_by(raw: RawTable, column: str, ours: str, schema: TableSchema) -> str | None:
    """Return what a column that is no item identifies a person by, going by its names and its title; None if by nothing.

    Parameters
    ----------
    raw : RawTable
    column, ours : str
        What the export calls it, and what the study does.
    schema : TableSchema
    """
    of_a_place = schema.name == "institutions" or ours in ("institution_id", "municipality")
    names = (column, ours, raw.titles.get(column, ""))
    return next((kind for text in names if (kind := named_identifier(text, of_a_place=of_a_place))), None)


def _refused(raw: RawTable, use: _Use, schema: TableSchema) -> Iterator[Problem]:
    """Yield why a column cannot be imported: by its name, by the export's own flag, or else by its cells."""
    said = {"column": use.column, "ours": use.ours}
    if what := _named(raw, use, schema):
        yield IDENTIFYING.at(raw.place(column=use.column), what=what, **said)
    elif use.column in raw.identifiers:
        yield FLAGGED.at(raw.place(column=use.column), **said)
    else:
        column = raw.columns[use.column]
        numbers, addresses = holding_personal_numbers(column.texts), [has_email(text) for text in column.texts]
        for fault, holds in ((PERSONAL_NUMBER, numbers), (EMAIL, addresses)):
            holding = np.array(holds, dtype=bool)
            if holding.any():
                yield from _in_rows(fault, raw, use, positions(column.where(holding)), **said)


def _in_rows(fault: Fault, raw: RawTable, use: _Use, rows: list[int], **said: object) -> Iterator[Problem]:
    """Yield a fault in some rows of a column: of the first 1,000, and how many more there are."""
    yield from (fault.at(raw.place(row, use.column), **said) for row in rows[:MOST_SHOWN])
    if len(rows) > MOST_SHOWN:
        yield MORE.at(raw.place(column=use.column), count=len(rows) - MOST_SHOWN, code=fault.code)


def _missing(raw: RawTable, mapping: Mapping, column: str) -> frozenset[str]:
    """Return the texts of a column that mean missing, and stay."""
    return frozenset({"", *mapping.missing, *raw.user_missing.get(column, ())})


def _replaced(column: TextColumn, person: str, key: PseudonymKey, missing: frozenset[str]) -> TextColumn:
    def replaced(text: str) -> str:
        plain = text.strip(SPACES)
        return text if plain in missing or key_of(plain) == key.id else pseudonym(text, person, key)

    return column.translate(replaced)


def _unfit(raw: RawTable, use: _Use, key: PseudonymKey) -> Iterator[Problem]:
    """Yield the ids of which no pseudonym can be made: of another key, or short of a zero among personal numbers."""
    column = raw.columns[use.column]
    plain = [text.strip(SPACES) for text in column.texts]
    numbers = any(is_personal_number(text) for text in plain)
    short = np.array([numbers and lacks_its_zero(text) for text in plain], dtype=bool)
    yield from _in_rows(NO_ZERO, raw, use, positions(column.where(short)))
    keys = [key_of(text) for text in plain]
    other = np.array([found not in (None, key.id) for found in keys], dtype=bool)
    for found in dict.fromkeys(each for each, is_other in zip(keys, other, strict=True) if is_other):
        rows = positions(column.where(np.array([each == found for each in keys], dtype=bool)))
        yield from _in_rows(OTHER_KEY, raw, use, rows, found_key=found, key=key.id)
