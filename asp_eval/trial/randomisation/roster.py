"""Reading the list of institutions that a lot is drawn over, with every fault of the list at once."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

import pandas as pd

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import Phrase, listed, some_of
from asp_eval.core.spelling import folded, numeral, several_spellings, without_zeros

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
SEVERAL_SPELLINGS = Fault(
    "RND-027",
    "{column} holds one name in several spellings, which the lot would take for different ones",
    "Copy the name from one row into the others, for two that look alike may differ in characters that are not seen; import"
    " again.",
)
MOST_NAMED = 8


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
    cautions : tuple of Phrase
        What should be looked at before the lot is drawn.
    """

    institution_ids: tuple[str, ...]
    strata: tuple[str, ...]
    stratified_by: tuple[str, ...] = ()
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cautions: tuple[Phrase, ...] = ()

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
    numeric: Collection[str] = (),
    differing: bool = True,
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
    numeric : collection of str
        Those of the columns that must be numbers.
    differing : bool
        Whether those numbers must differ from one institution to the next.
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
    further |= {column: [_plain(text) for text in further[column]] for column in numeric}
    named = of_strata | {column: texts for column, texts in further.items() if column not in numeric}
    problems = [*_id_problems(ids), *_empty(NO_STRATUM, ids, of_strata), *_empty(NO_VALUE, ids, further), *_spellings(named)]
    problems += _number_problems(ids, {column: further[column] for column in numeric}, differing=differing)
    names = _stratum_names(of_strata, len(ids))
    if not problems:
        problems = [
            SMALL_STRATUM.at(SOURCE, found=size, expected=f"at least {smallest_stratum} institutions", stratum=repr(stratum))
            for stratum, size in sorted(Counter(names).items())
            if size < smallest_stratum
        ]
    if problems:
        raise DataProblems(problems)
    cells = {column: tuple(texts) for column, texts in further.items()}
    return Roster(tuple(ids), tuple(names), tuple(strata), cells, tuple(_cautions({"institution_id": ids} | named)))


def refuse_spellings(institutions: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a list in which an institution, or a name in one of the columns, stands in several spellings.

    Raises
    ------
    DataProblems
        RND-008 and RND-027, with the rows.
    """
    named = {column: _texts(institutions[column]) for column in columns if column in institutions.columns}
    problems = [*_id_problems([text for text in _texts(institutions["institution_id"]) if text]), *_spellings(named)]
    if problems:
        raise DataProblems(problems)


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
    number = numeral(text)
    if number is None:
        return text
    return format(number.normalize(), "f") if number else "0"


def _id_problems(ids: Sequence[str]) -> list[Problem]:
    """One problem for each row without an id and for each institution that stands more than once."""
    rows: dict[str, list[int]] = defaultdict(list)
    for index, institution in enumerate(ids):
        rows[folded(institution)].append(index)
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


def _spellings(values: dict[str, list[str]]) -> Iterator[Problem]:
    """One problem for each name that stands in several spellings in a column, with the rows of each."""
    for column, cells in values.items():
        for spellings in several_spellings(cells):
            later = list(spellings.values())[1][0]
            found = listed((_in_rows(text, at) for text, at in spellings.items()), "; ")
            yield SEVERAL_SPELLINGS.at(Place(SOURCE, row=later + 2, column=column), found=found, column=column)


def _in_rows(text: str, positions: Sequence[int]) -> Phrase:
    return Phrase("{text!r} in row {rows}", text=text, rows=some_of((str(p + 2) for p in positions), MOST_NAMED))


def _cautions(values: dict[str, list[str]]) -> Iterator[Phrase]:
    """Name the ids and categories that differ in zeros alone, as a spreadsheet makes two of one."""
    for column, cells in values.items():
        for alike in several_spellings(cells, without_zeros):
            yield Phrase(
                "In {column}, {names} differ in zeros alone. If they are one, write them alike before the lot is drawn.",
                column=column,
                names=listed(repr(text) for text in alike),
            )


def _number_problems(ids: Sequence[str], values: dict[str, list[str]], *, differing: bool) -> Iterator[Problem]:
    for column, cells in values.items():
        strange = [index for index, cell in enumerate(cells) if cell and numeral(cell) is None]
        for index in strange:
            place = Place(SOURCE, row=index + 2, column=column)
            yield NOT_A_NUMBER.at(place, found=cells[index], institution=ids[index], column=column)
        if differing and not strange and "" not in cells and len(set(cells)) == 1:
            yield SAME_VALUE.at(Place(SOURCE, column=column), found=cells[0], column=column)


def _stratum_names(values: dict[str, list[str]], n: int) -> list[str]:
    if not values:
        return [WHOLE_LIST] * n
    if len(values) == 1:
        return next(iter(values.values()))
    return ["; ".join(f"{c}={v}" for c, v in zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
