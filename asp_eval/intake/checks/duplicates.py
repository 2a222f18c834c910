"""Rows of a file that stand twice: the same row again is left out, two rows that contradict each other are both refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.phrases import Phrase, all_of, some_of
from asp_eval.core.spelling import folded
from asp_eval.intake.checks.findings import Finding
from asp_eval.intake.files.raw import SPACES, Mask
from asp_eval.intake.mapping.applying import MappedTable
from asp_eval.trial.tables.schema import TableSchema

SAME_KEY = Fault(
    "SCR-046",
    "the same {key} stands more than once: {values} in {others} and here",
    "Keep one of the rows; {advice}.",
)
SAME_ROW = Fault(
    "SCR-121", "the row is the same as row {first} in every cell", "It is left out, and counted as a duplicate.", "warning"
)
ALIKE_IDS = Fault(
    "SCR-066",
    "two ids of the file differ only in leading zeros, capitals, spaces or in how a letter is written: this one and {other!r}",
    "If they are one child, person or place, give both rows one id; if they are two, nothing needs to be done.",
    "warning",
)
MOST_NAMED = 5


def same_rows(raw: MappedTable, schema: TableSchema) -> Finding:
    """Find the rows that say again, in every cell, what a row above them says.

    Rows without a whole key are not compared: two children whose ids are missing may well have the same answers.
    """
    again: Mask = np.zeros(len(raw), dtype=np.bool_)
    groups = _groups(raw, schema)
    twice = np.flatnonzero(_in_company(groups))
    first = np.arange(len(raw))
    if len(twice):
        codes = np.column_stack([pd.factorize(column.texts)[0][column.codes[twice]] for column in raw.columns.values()])
        _, back = np.unique(codes, axis=0, return_inverse=True)
        place = back.ravel()
        earliest = np.full(int(place.max()) + 1, len(raw))
        np.minimum.at(earliest, place, twice)
        first[twice] = earliest[place]
        again[twice] = earliest[place] != twice

    def problem(row: int) -> Problem:
        return SAME_ROW.at(raw.place(row), first=int(raw.rows[first[row]]))

    return Finding.of(SAME_ROW, None, again, problem)


def same_keys(raw: MappedTable, schema: TableSchema, left_out: Mask) -> Finding:
    """Find the rows whose key another row has too, `left_out` aside; each names the others."""
    groups = _groups(raw, schema)
    groups[left_out] = -1
    names = [name for name in schema.key if name in raw.columns]
    clashing = _in_company(groups)
    order = np.argsort(groups, kind="stable")
    sorted_groups = groups[order]

    def problem(row: int) -> Problem:
        first, end = np.searchsorted(sorted_groups, [groups[row], groups[row] + 1])
        named = order[first : min(end, first + MOST_NAMED + 1)]
        others = [int(raw.rows[other]) for other in named if other != row][:MOST_NAMED]
        same = _rows(others, int(end - first) - 1)
        values = ", ".join(raw.columns[name].cell(row).strip(SPACES) for name in names)
        place = raw.place(row, names[0])
        return SAME_KEY.at(place, key=all_of(schema.key), values=values, others=same, advice=_on_same_key(schema))

    return Finding.of(SAME_KEY, names[0] if names else None, clashing, problem)


def keys_of(frame: pd.DataFrame, schema: TableSchema) -> pd.Series[str]:
    """Return the key of each row within its wave, as one text."""
    names = [name for name in schema.key if name != "wave"]
    return frame[names].astype("string").agg("\x1f".join, axis=1) if len(names) > 1 else frame[names[0]].astype("string")


def _groups(raw: MappedTable, schema: TableSchema) -> npt.NDArray[np.int64]:
    """Number the keys of the rows, shape (n,); -1 where a part of the key is empty, or has no column."""
    groups = np.zeros(len(raw), dtype=np.int64)
    for name in schema.key:
        if name not in raw.columns:
            return np.full(len(raw), -1)
        column = raw.columns[name]
        plain, texts = pd.factorize(np.array([text.strip(SPACES) for text in column.texts], dtype=object))
        empty = np.flatnonzero(texts == "")
        codes = plain[column.codes]
        groups = np.where((groups < 0) | np.isin(codes, empty), -1, groups * (len(texts) + 1) + codes)
    return groups


def alike_ids(raw: MappedTable, schema: TableSchema) -> Iterator[Finding]:
    """Find the ids that differ in their spelling alone from another id of their column: they may be one, or two.

    Institutions are compared in their list alone; elsewhere they are compared with it.
    """
    for field in schema.base:
        ours = field.name.endswith("_id") and (field.name != "institution_id" or schema.name == "institutions")
        if ours and field.name in raw.columns:
            yield from _alike_in(raw, field.name)


def _alike_in(raw: MappedTable, unit: str) -> Iterator[Finding]:
    column = raw.columns[unit]
    texts = [str(text).strip(SPACES) for text in column.texts]
    met = {texts[code] for code in np.unique(column.codes)} - {""}
    if len({plain_id(text) for text in met}) == len(met):  # as in nearly every file, which may be a long one
        return
    spelled: dict[str, list[str]] = {}
    for text in met:
        spelled.setdefault(plain_id(text), []).append(text)
    groups = [sorted(alike) for alike in spelled.values() if len(alike) > 1]
    others = {text: alike[text == alike[0]] for alike in groups for text in alike}

    def problem(row: int) -> Problem:
        text = str(column.cell(row)).strip(SPACES)
        return ALIKE_IDS.at(raw.place(row, unit), found=text, other=others[text])

    yield Finding.of(ALIKE_IDS, unit, column.where(np.array([text in others for text in texts], dtype=np.bool_)), problem)


def plain_id(text: str) -> str:
    """Return an id without what spelling alone adds: leading zeros, capitals, spaces, ways of writing one letter.

    Examples
    --------
    >>> plain_id("007"), plain_id(" K 12"), plain_id("A\u030a") == plain_id("\u00e5")
    ('7', 'k12', True)
    """
    return "".join(folded(text).split()).lstrip("0")


def _in_company(groups: npt.NDArray[np.int64]) -> Mask:
    """Return which rows have a key that another row has too."""
    _, place, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray((counts[place.ravel()] > 1) & (groups >= 0), dtype=np.bool_)


def _rows(named: Sequence[int], n: int) -> str:
    """Say the rows with the same key, `n` in all, by the numbers of the first of them."""
    if n == 1:
        return Phrase("row {n}", n=str(named[0]))
    return Phrase("rows {numbers}", numbers=some_of(map(str, named), MOST_NAMED, n))


def _on_same_key(schema: TableSchema) -> str:
    """Say where two rows with one key come from, for the unit of the table."""
    if schema.key == ("institution_id",):
        return Phrase("if the file has a row per child, say in the mapping 'one_row_per: institution_id'")
    who = {"child_id": Phrase("another child's"), "respondent_id": Phrase("another respondent's")}
    return Phrase("look whether one is {whose}, with a mistyped id", whose=who.get(schema.key[0], Phrase("somebody else's")))
