"""Reading the list of institutions that a lot is drawn over, with every fault of the list at once."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import pandas as pd

from asp_eval.core.errors import DataProblems, Fault, Place, Problem

WHOLE_LIST = "all"  # the one stratum of a scheme without strata
SOURCE = "institutions"

EMPTY_LIST = Fault("RND-005", "the list of institutions is empty", "Import the institutions before the lot is drawn.")
NO_COLUMN = Fault("RND-006", "the list of institutions lacks a column that the lot needs", "Add the column and import the list.")
NO_ID = Fault("RND-007", "an institution has no id", "Give every institution an id.")
SAME_INSTITUTION = Fault(
    "RND-008",
    "the same institution stands more than once in the list, and would have more than one lot",
    "Keep one row for each institution; ids that differ only in capitals or spaces count as the same.",
)
NO_STRATUM = Fault(
    "RND-009",
    "institution {institution} has no value for {column}, so that it belongs to no stratum",
    "Fill in the value before the lot is drawn.",
)
SMALL_STRATUM = Fault(
    "RND-010",
    "stratum {stratum} is smaller than the number of arms, so that not every arm can be drawn in it",
    "Merge it with another stratum, or drop a stratum column in study.yaml.",
)
NO_VALUE = Fault(
    "RND-013",
    "institution {institution} has no value for {column}, which the lot needs",
    "Fill in the value before the lot is drawn, or take the column out of 'randomisation' in study.yaml.",
)
NOT_A_NUMBER = Fault(
    "RND-014",
    "institution {institution} has something that is not a number in {column}, which the lot balances",
    "Correct the value; a column of words belongs under 'strata', or becomes a column of 0 and 1.",
)
SAME_VALUE = Fault(
    "RND-015",
    "{column} has the same value in every institution, so that there is nothing to balance",
    "Take it out of 'covariates' under 'randomisation' in study.yaml.",
)


@dataclass(frozen=True, slots=True)
class Roster:
    """The institutions a lot is drawn over, and what the lot knows of them.

    Attributes
    ----------
    institution_ids, strata : tuple of str, each of length n
        In the order of the list.
    stratified_by : tuple of str
        Columns that make the strata; empty where the whole list is one.
    columns : dict of str to tuple of str, each of length n
        Further columns that the lot uses, as text. Numbers are written without zeros at the end: ``12.5``.
    """

    institution_ids: tuple[str, ...]
    strata: tuple[str, ...]
    stratified_by: tuple[str, ...] = ()
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def lines(self) -> tuple[str, ...]:
        """What the lot was drawn over: ``institution_id<TAB>stratum``, then ``<TAB>column=value``; sorted by code point."""
        further = [[f"{name}={value}" for value in values] for name, values in self.columns.items()]
        return tuple(sorted("\t".join(parts) for parts in zip(self.institution_ids, self.strata, *further, strict=True)))

    @property
    def digest(self) -> str:
        """SHA-256 of the lines, each ended by a line feed, in UTF-8."""
        return hashlib.sha256("".join(f"{line}\n" for line in self.lines).encode()).hexdigest()

    def members(self) -> dict[str, list[int]]:
        """Return the positions in the list that each stratum holds, strata in alphabetical order."""
        return grouped(self.strata)

    def numbers(self, column: str) -> tuple[Fraction, ...]:
        """Return a column of numbers exactly as they are written."""
        return tuple(Fraction(value) for value in self.columns[column])


def grouped(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the positions at which each name stands, names in alphabetical order."""
    held: dict[str, list[int]] = {name: [] for name in sorted(set(names))}
    for position, name in enumerate(names):
        held[name].append(position)
    return held


def read_roster(
    institutions: pd.DataFrame,
    strata: Sequence[str],
    *,
    columns: Sequence[str] = (),
    numeric: bool = False,
    smallest_stratum: int = 1,
) -> Roster:
    """Read the list of institutions.

    A stratum of one column is named by its value, of several by ``column=value`` parts joined by ``"; "``.

    Parameters
    ----------
    institutions : DataFrame
        One row per institution.
    strata : sequence of str
        Columns that make the strata.
    columns : sequence of str
        Further columns the lot uses, each of which must have a value everywhere.
    numeric : bool
        Whether those columns must be numbers that differ.
    smallest_stratum : int
        The number of institutions that a stratum must hold.

    Raises
    ------
    DataProblems
        Every fault of the list.
    """
    if institutions.empty:
        raise DataProblems([EMPTY_LIST.at(SOURCE)])
    absent = [column for column in dict.fromkeys(("institution_id", *strata, *columns)) if column not in institutions.columns]
    if absent:
        raise DataProblems(NO_COLUMN.at(Place(SOURCE, column=column)) for column in absent)
    ids = _texts(institutions["institution_id"])
    of_strata = {column: _texts(institutions[column]) for column in strata}
    further = {column: _texts(institutions[column]) for column in columns}
    if numeric:
        further = {column: [_plain(text) for text in texts] for column, texts in further.items()}
    problems = [*_id_problems(ids), *_empty(NO_STRATUM, ids, of_strata), *_empty(NO_VALUE, ids, further)]
    if numeric:
        problems += _number_problems(ids, further)
    names = _stratum_names(of_strata, len(ids))
    if not problems:
        problems = [
            SMALL_STRATUM.at(SOURCE, found=size, expected=f"at least {smallest_stratum} institutions", stratum=repr(stratum))
            for stratum, size in sorted(Counter(names).items())
            if size < smallest_stratum
        ]
    if problems:
        raise DataProblems(problems)
    return Roster(tuple(ids), tuple(names), tuple(strata), {column: tuple(cells) for column, cells in further.items()})


def as_number(text: str) -> Decimal | None:
    """Return the number that a text writes, or None."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _texts(column: pd.Series) -> list[str]:
    """Return the cells as stripped text; a missing cell is empty. Whole numbers lose a decimal point they gained."""
    return ["" if pd.isna(cell) else _text(cell) for cell in column]


def _text(cell: object) -> str:
    if isinstance(cell, date):  # a Timestamp too
        return cell.strftime("%Y-%m-%d")
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell) if whole else cell).strip()  # type: ignore[call-overload]


def _plain(text: str) -> str:
    """Write a number in one way only, whatever it was read from: 12.50, 1.25e1 and 12.5 are the same."""
    number = as_number(text)
    if number is None:
        return text
    return format(number.normalize(), "f") if number else "0"


def _id_problems(ids: Sequence[str]) -> list[Problem]:
    """One problem for each row without an id and for each institution that stands more than once."""
    rows: dict[str, list[int]] = defaultdict(list)
    for index, institution in enumerate(ids):
        rows[unicodedata.normalize("NFKC", institution).casefold()].append(index)
    empty = [NO_ID.at(Place(SOURCE, row=index + 2, column="institution_id")) for index in rows.pop("", [])]
    twins = [
        SAME_INSTITUTION.at(
            Place(SOURCE, row=twin[1] + 2, column="institution_id"),
            found=f"{', '.join(repr(ids[i]) for i in twin)} in rows {', '.join(str(i + 2) for i in twin)}",
        )
        for twin in rows.values()
        if len(twin) > 1
    ]
    return empty + twins


def _empty(fault: Fault, ids: Sequence[str], values: dict[str, list[str]]) -> Iterator[Problem]:
    for column, cells in values.items():
        for index, cell in enumerate(cells):
            if not cell:
                yield fault.at(Place(SOURCE, row=index + 2, column=column), institution=ids[index], column=column)


def _number_problems(ids: Sequence[str], values: dict[str, list[str]]) -> Iterator[Problem]:
    for column, cells in values.items():
        strange = [index for index, cell in enumerate(cells) if cell and as_number(cell) is None]
        for index in strange:
            place = Place(SOURCE, row=index + 2, column=column)
            yield NOT_A_NUMBER.at(place, found=cells[index], institution=ids[index], column=column)
        if not strange and "" not in cells and len(set(cells)) == 1:
            yield SAME_VALUE.at(Place(SOURCE, column=column), found=cells[0], column=column)


def _stratum_names(values: dict[str, list[str]], n: int) -> list[str]:
    if not values:
        return [WHOLE_LIST] * n
    if len(values) == 1:
        return next(iter(values.values()))
    return ["; ".join(f"{c}={v}" for c, v in zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
