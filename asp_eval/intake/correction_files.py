"""Rows in quarantine as a CSV that people correct, and that file on its way back.

The file has the export's own columns, so that the export's mapping reads it again, after three of ours::

    quarantine_of            the import that the row came with: its number in the ledger, and what its file's SHA-256 begins with
    quarantine_row           the row's number in that file
    quarantine_reasons       what is wrong with it; read by people alone

A cell that a spreadsheet would run as a formula is written with an apostrophe before it, and so is a cell that has such an
apostrophe already; on the way back one apostrophe is taken off. Numbers such as ``-0,3`` are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
import pandas as pd

from asp_eval.core.csv_text import guard_formula, unguard_formula
from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.core.phrases import all_of
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.raw import SPACES, RawTable, Rows, TextColumn, TextTable

OF, ROW, REASONS = "quarantine_of", "quarantine_row", "quarantine_reasons"
OWN = (OF, ROW, REASONS)

NO_NUMBER = Fault(
    "SCR-126",
    "the cell does not say which row in quarantine this is",
    "Leave the columns quarantine_of and quarantine_row as they were written; begin again from the file in output/quarantine.",
)
TWO_IMPORTS = Fault(
    "SCR-127",
    "the file mixes rows in quarantine from more than one import",
    "Make a file of each, and import one after the other.",
)
ROW_TWICE = Fault(
    "SCR-128",
    "the same row in quarantine stands twice: in row {first} and here",
    "Keep one of the two; a new row has no place here.",
)

MappedState = TypeVar("MappedState", bound=TextTable)
TableState = TypeVar("TableState", bound=TextTable)  # as read, or protected

DIGITS = 12  # of the file's SHA-256
_OF = re.compile(r"(\d+) sha256:([0-9a-f]{12})")
_HEADER = re.compile(rf'{ROW}"?([,;\t|])')


@dataclass(frozen=True, slots=True, eq=False)
class Correction(Generic[TableState]):
    """A corrected file from quarantine.

    Attributes
    ----------
    sha256 : str
        First digits of the SHA-256 of the file that the rows came with.
    raw : RawTable or ProtectedTable
        The export's own columns; its ``rows`` are numbered as in the file they came with.
    places : ndarray of int, shape (n,)
        Number of each row in the corrected file, for people to find it.
    """

    sha256: str
    raw: TableState
    places: Rows

    def restored(self, before: Mapping[tuple[int, str], str]) -> TableState:
        """Return the export's own columns with some cells, by position and column, as they were before."""
        columns = dict(self.raw.columns)
        for name in {name for _, name in before}:
            cells = [str(cell) for cell in columns[name].cells()]
            for position, cell in ((position, cell) for (position, of), cell in before.items() if of == name):
                cells[position] = cell
            columns[name] = TextColumn.of(cells)
        return replace(self.raw, columns=columns)

    def numbered_as_written(self, mapped: MappedState) -> MappedState:
        """Return rows after a mapping under their numbers in the corrected file."""
        return replace(mapped, rows=renumbered(mapped.rows, self.raw.rows, self.places))


def renumbered(rows: Rows, before: Rows, after: Rows) -> Rows:
    """Return row numbers translated from one numbering to another."""
    order = np.argsort(before)
    return after[order][np.searchsorted(before[order], rows)]


def correction_format(beginning: bytes) -> FileFormat | None:
    """Return how a file from quarantine was written, by its first bytes in any encoding; None if it is no such file.

    Its export's mapping does not tell, for people save it as they like; but what stands after our own columns separates them.

    Examples
    --------
    >>> correction_format(b"quarantine_of;quarantine_row;x, y").delimiter
    ';'
    >>> correction_format(b"child_id;x") is None
    True
    """
    found = _HEADER.search(beginning.replace(b"\0", b"").decode("latin-1"))
    return FileFormat.model_validate({"delimiter": found[1]}) if found else None


def is_correction(raw: TextTable) -> bool:
    """Whether a file as read is one from quarantine."""
    return OF in raw.columns and ROW in raw.columns


def correction_of(raw: TableState) -> Correction[TableState]:
    """Return the correction that a file holds.

    Raises
    ------
    DataProblems
        SCR-126 to SCR-128.
    """
    numbers, digits = _numbers(raw)
    problems = _twice(raw, numbers)
    if len(set(digits)) > 1:
        problems.append(TWO_IMPORTS.at(raw.place(column=OF), found=all_of(sorted(set(digits)))))
    if problems:
        raise DataProblems(problems)
    columns = {
        unguard_formula(name): column.translate(unguard_formula) for name, column in raw.columns.items() if name not in OWN
    }
    return Correction(digits[0], replace(raw, columns=columns, rows=numbers), raw.rows)


def with_declarations(raw: TableState, export: RawTable) -> TableState:
    """Return a corrected file with what the export it corrects declares of its columns."""
    columns = raw.columns
    return replace(
        raw,
        labels={name: labels for name, labels in export.labels.items() if name in columns},
        titles={name: title for name, title in export.titles.items() if name in columns},
        user_missing={name: texts for name, texts in export.user_missing.items() if name in columns},
        identifiers=export.identifiers.intersection(columns),
    )


def _numbers(raw: TextTable) -> tuple[Rows, list[str]]:
    """Return the row number of each row, and the digits of the file it came with."""
    problems: list[Problem] = []
    numbers, digits = np.zeros(len(raw), dtype=np.int64), []
    for position, (of, row) in enumerate(zip(raw.columns[OF].cells(), raw.columns[ROW].cells(), strict=True)):
        found, plain = _OF.fullmatch(of.strip(SPACES)), row.strip(SPACES)
        if found is None:
            problems.append(NO_NUMBER.at(raw.place(position, OF), found=of))
        elif not re.fullmatch(r"[1-9]\d{0,11}", plain, re.ASCII):
            problems.append(NO_NUMBER.at(raw.place(position, ROW), found=row))
        else:
            numbers[position] = int(plain)
            digits.append(found[2])
    if problems:
        raise DataProblems(problems)
    return numbers, digits


def _twice(raw: TextTable, numbers: Rows) -> list[Problem]:
    again = np.flatnonzero(pd.Series(numbers).duplicated())
    return [
        ROW_TWICE.at(raw.place(int(row), ROW), found=int(numbers[row]), first=int(raw.rows[np.argmax(numbers == numbers[row])]))
        for row in again
    ]


def origin(import_id: int, sha256: str) -> str:
    """Return what stands in ``quarantine_of``.

    Examples
    --------
    >>> origin(3, "0123456789abcdef" * 4)
    '3 sha256:0123456789ab'
    """
    return f"{import_id} sha256:{sha256[:DIGITS]}"


def for_people(of: str, rows: Iterable[tuple[int, Mapping[str, str], Sequence[str]]]) -> pd.DataFrame:
    """Return rows in quarantine as the table that people correct.

    Parameters
    ----------
    of : str
        From `origin`.
    rows : iterable of (int, mapping, sequence of str)
        Number, cells by column, and reasons of each row.
    """
    records = [
        {OF: of, ROW: str(number), REASONS: " | ".join(reasons)}
        | {_guarded(name): _guarded(cell) for name, cell in cells.items()}
        for number, cells, reasons in rows
    ]
    return pd.DataFrame(records).fillna("")


def _guarded(cell: str) -> str:
    return str(guard_formula(cell))
