"""Reading the list of institutions that a lot is drawn over, with every fault of the list at once."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

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


def institution_strata(
    institutions: pd.DataFrame, columns: Sequence[str], *, arms: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ids and the stratum of each institution, in the order of the list.

    A stratum of one column is named by its value, of several by ``column=value`` parts joined by ``"; "``.

    Raises
    ------
    DataProblems
        Every fault of the list.
    """
    if institutions.empty:
        raise DataProblems([EMPTY_LIST.at(SOURCE)])
    absent = [column for column in ("institution_id", *columns) if column not in institutions.columns]
    if absent:
        raise DataProblems(NO_COLUMN.at(Place(SOURCE, column=column)) for column in absent)
    ids = _texts(institutions["institution_id"])
    values = {column: _texts(institutions[column]) for column in columns}
    problems = [*_id_problems(ids), *_value_problems(ids, values)]
    strata = _stratum_names(values, len(ids))
    if not problems:
        problems = [
            SMALL_STRATUM.at(SOURCE, found=f"{size} institutions", expected=f"at least {arms}", stratum=repr(stratum))
            for stratum, size in sorted(Counter(strata).items())
            if size < arms
        ]
    if problems:
        raise DataProblems(problems)
    return tuple(ids), tuple(strata)


def _texts(column: pd.Series) -> list[str]:
    """Return the cells as stripped text; a missing cell is empty. Whole numbers lose a decimal point they gained."""
    return ["" if pd.isna(cell) else _text(cell) for cell in column]


def _text(cell: object) -> str:
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell) if whole else cell).strip()  # type: ignore[call-overload]


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


def _value_problems(ids: Sequence[str], values: dict[str, list[str]]) -> list[Problem]:
    return [
        NO_STRATUM.at(Place(SOURCE, row=index + 2, column=column), institution=ids[index], column=column)
        for column, cells in values.items()
        for index, cell in enumerate(cells)
        if not cell
    ]


def _stratum_names(values: dict[str, list[str]], n: int) -> list[str]:
    if not values:
        return [WHOLE_LIST] * n
    if len(values) == 1:
        return next(iter(values.values()))
    return ["; ".join(f"{c}={v}" for c, v in zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
