"""Applying a mapping to a file as read."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.core.filters import parse_filter
from asp_eval.core.phrases import Phrase, all_of, listed
from asp_eval.intake.files.columns import shorten
from asp_eval.intake.files.protected import ProtectedTable
from asp_eval.intake.files.raw import SPACES, Mask, TextColumn, TextTable
from asp_eval.intake.mapping.items import named
from asp_eval.intake.mapping.mapping import NO_MAPPING, Mapping
from asp_eval.intake.mapping.recoding import planned, recoded, undecided
from asp_eval.intake.values import moments_in_order
from asp_eval.trial.instruments.library import Library, shipped

NO_SUCH_COLUMN = Fault("SCR-020", "the mapping's '{part}' names a column that is not in the file", "{advice}")
ALREADY_THERE = Fault(
    "SCR-021",
    "the mapping's '{part}' makes a column that the file has already",
    "Rename or ignore the file's own column, or take this one out of the mapping.",
)
NOTHING_LEFT = Fault("SCR-022", "the mapping's filter leaves no rows", "Correct 'keep_rows'.")
DISAGREE = Fault(
    "SCR-023",
    "the rows of {unit} do not agree, so that they cannot become one row: {values}",
    "Correct the file, leave the rows out with 'keep_rows', or take the column out of the import with 'ignore'.",
)
OTHER_INSTRUMENT = Fault(
    "SCR-186",
    "the mapping names the items of an instrument that the table has not",
    "Correct the id under 'rename_items'; or declare the instrument for the table in study.yaml.",
)
NO_ORDER = Fault(
    "SCR-211",
    "the mapping's 'by' names a column that tells no order: it holds texts that are neither numbers nor moments, or "
    "dates of which day or month could come first",
    "Name a column of numbers or of moments; say how dates are written with 'format: {{dates: day-first}}'.",
)
NAMED_TWICE = Fault(
    "SCR-187",
    "the mapping gives the column two names: {names}",
    "Correct 'rename' or the patterns of 'rename_items'.",
)


@dataclass(frozen=True, slots=True, eq=False)
class MappedTable(TextTable):
    """A file under our names and labels, made by `apply_mapping`. `checks.validation.sift` accepts it."""


def apply_mapping(
    raw: ProtectedTable, mapping: Mapping, names: Collection[str], library: Library | None = None, key: Sequence[str] = ()
) -> MappedTable:
    """Return the file under our names and labels.

    Parameters
    ----------
    raw : ProtectedTable
        Under the export's own names.
    mapping : Mapping
    names : collection of str
        Columns that the table may have; decides which are "others".
    library : Library, optional
        The questionnaires that the study knows; by default those that are shipped.
    key : sequence of str
        Columns that together name a row: of several with one key, the mapping may say which is kept.

    Raises
    ------
    DataProblems
        SCR-020 to SCR-023, SCR-180 to SCR-183, SCR-186, SCR-187.
    Refusal
        If the filter names a column that is not there, or 'rename_items' an instrument that does not exist.
    """
    if mapping == NO_MAPPING and not raw.user_missing:
        return MappedTable.of(raw)
    library = library or shipped()
    before = _one_of_each(_filtered(raw, mapping), mapping, key, library)
    before = _renamed(before, mapping, names, library)
    plan = planned(before, mapping, library)
    _must_have(before, "recode", plan)
    _must_have(before, "truncate", mapping.truncate)
    table = _completed(recoded(before, mapping, plan, library), mapping)
    if mapping.ignore == "others":
        table = table.with_columns({name: column for name, column in table.columns.items() if name in names})
    else:
        _must_have(table, "ignore", mapping.ignore)
        table = table.with_columns({n: c for n, c in table.columns.items() if n not in mapping.ignore})
    open_ = [problem for problem in undecided(before, mapping, plan) if problem.place.column in table.columns]
    if open_:
        raise DataProblems(open_)
    return MappedTable.of(_merged(table, mapping.one_row_per))


def _filtered(raw: TextTable, mapping: Mapping) -> TextTable:
    if mapping.keep_rows is None:
        return raw
    rule = parse_filter(mapping.keep_rows)
    _must_have(raw, "keep_rows", rule.columns)
    mask = rule.mask(raw.frame(rule.columns))
    if not mask.any():
        raise DataProblems([NOTHING_LEFT.at(raw.source, found=mapping.keep_rows)])
    return replace(raw.keep(mask), filtered=raw.filtered + int(np.count_nonzero(~mask)))


def _one_of_each(raw: TextTable, mapping: Mapping, key: Sequence[str], library: Library) -> TextTable:
    """Keep the first or the last row of each key, by the column that tells their order."""
    if mapping.by is None:
        return raw
    renames = mapping.renames(library)
    theirs = [name for name in raw.columns if renames.get(name, name) in key]
    _must_have(raw, "by", [mapping.by])
    if not theirs:
        return raw
    parts, blank = [], np.ones(len(raw), dtype=bool)
    for column in (raw.columns[name] for name in theirs):
        numbers, plain = pd.factorize(np.array([str(text).strip(SPACES) for text in column.texts], dtype=object))
        parts.append(numbers[column.codes])
        blank &= (plain == "")[parts[-1]]
    groups = np.unique(np.column_stack(parts), axis=0, return_inverse=True)[1].ravel()
    told = raw.columns[mapping.by]
    order = moments_in_order([str(text) for text in told.texts], raw.dialect.dates)
    if order is None:
        raise DataProblems([NO_ORDER.at(raw.place(column=mapping.by))])
    place = np.asarray(order)[told.codes] * (1 if mapping.keep == "last" else -1)
    best = pd.Series(place).groupby(groups).transform("max").to_numpy()
    kept = (place == best) | blank
    return replace(raw.keep(kept), collapsed=raw.collapsed + int(np.count_nonzero(~kept)))


def _renamed(raw: TextTable, mapping: Mapping, names: Collection[str], library: Library) -> TextTable:
    _must_have(raw, "rename", mapping.rename)
    items = _item_names(raw, mapping, names, library)
    _must_have(raw, "rename_items", items)
    new = mapping.rename | items
    made = [new.get(name, name) for name in raw.columns]
    _must_be_new(raw, "rename", [name for name in new.values() if made.count(name) > 1])
    return raw.renamed(new)


def _item_names(raw: TextTable, mapping: Mapping, names: Collection[str], library: Library) -> dict[str, str]:
    """Return what the patterns rename; an item that has a line of its own under 'rename' needs none."""
    problems, new, clashes = [], dict[str, str](), set[tuple[str, str]]()
    for name, pattern in mapping.rename_items.items():
        form = library.instrument(name)
        if not set(form.columns).intersection(names):
            problems.append(OTHER_INSTRUMENT.at(raw.place(column=name), found=name))
        for theirs, ours in named(form, pattern).items():
            if ours not in mapping.rename.values():
                before = new.get(theirs) or mapping.rename.get(theirs)
                clash = (name, before.partition(".")[0] if before else "")
                if before and clash not in clashes:  # the first column of two patterns says it of all
                    problems.append(NAMED_TWICE.at(raw.place(column=theirs), names=all_of([before, ours])))
                    clashes |= {clash} if theirs in new else set()
                new[theirs] = ours
    if problems:
        raise DataProblems(shorten(problems))
    return new


def _completed(raw: TextTable, mapping: Mapping) -> TextTable:
    _must_be_new(raw, "constants", [name for name in mapping.constants if name in raw.columns])
    columns = dict(raw.columns)
    for name, value in mapping.constants.items():
        columns[name] = TextColumn.constant(value or "", len(raw))
    if mapping.row_number_as:
        _must_be_new(raw, "row_number_as", [name for name in [mapping.row_number_as] if name in columns])
        columns[mapping.row_number_as] = TextColumn.of([str(row) for row in raw.rows])
    return raw.with_columns(columns)


def _merged(raw: TextTable, unit: str | None) -> TextTable:
    """Keep the first row of each unit, if the others say the same."""
    if unit is None:
        return raw
    _must_have(raw, "one_row_per", [unit])
    groups = pd.factorize(raw.columns[unit].cells())[0]
    first = np.full(int(groups.max()) + 1, -1)
    first[groups[::-1]] = np.arange(len(groups))[::-1]
    problems = [
        problem
        for name, column in raw.columns.items()
        if name != unit
        for problem in _disagreements(raw, unit, name, column, first, groups)
    ]
    if problems:
        raise DataProblems(shorten(problems))
    mask: Mask = np.zeros(len(groups), dtype=bool)
    mask[first] = True
    return replace(raw.keep(mask), collapsed=raw.collapsed + int(np.count_nonzero(~mask)))


def _disagreements(
    raw: TextTable, unit: str, name: str, column: TextColumn, first: np.ndarray, groups: np.ndarray
) -> Iterable[Problem]:
    """One problem for each unit and column that differ, naming the first row of each value."""
    cells = column.cells()
    differing = np.unique(groups[cells != cells[first][groups]])
    for group in differing:
        members = np.flatnonzero(groups == group)
        values = pd.Series(raw.rows[members]).groupby(cells[members], sort=False).agg(["first", "size"])
        shown = listed(
            (Phrase("{value!r} in {n} rows from row {row}", value=value, n=n, row=row) for value, row, n in values.itertuples()),
            "; ",
        )
        who = f"{unit} {raw.columns[unit].cell(members[0])!r}"
        yield DISAGREE.at(raw.place(int(members[0]), name), unit=who, values=shown)


def _must_have(raw: TextTable, part: str, wanted: Iterable[str]) -> None:
    problems = []
    for name in wanted:
        if name not in raw.columns:
            near = difflib.get_close_matches(name, raw.columns, n=1)
            advice = Phrase("Did you mean {name!r}?", name=near[0]) if near else Phrase("Correct its spelling, or take it out.")
            problems.append(NO_SUCH_COLUMN.at(raw.place(column=name), part=part, advice=advice))
    if problems:
        raise DataProblems(problems)


def _must_be_new(raw: TextTable, part: str, made: Iterable[str]) -> None:
    problems = [ALREADY_THERE.at(raw.place(column=name), part=part) for name in made]
    if problems:
        raise DataProblems(problems)
