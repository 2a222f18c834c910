"""From a file under our names to a `Table`, or to everything that is wrong with it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute

import numpy as np
import pandas as pd

from asp_eval.core.errors import DataProblems, Fault, Problem
from asp_eval.core.phrases import NO_NOTE, Phrase, all_of, any_of
from asp_eval.intake.checks.context import CheckContext
from asp_eval.intake.checks.damaged_ids import damaged_ids
from asp_eval.intake.checks.declared_answers import OTHER_CODES, OTHER_MEANING, TURNED_ROUND
from asp_eval.intake.checks.duplicates import same_keys, same_rows
from asp_eval.intake.checks.findings import Finding, at_rows, by_row, listed
from asp_eval.intake.checks.refusals import FOREIGN_CODES, SHIFTED_CODES, foreign_codes, too_many_rows
from asp_eval.intake.checks.rules import broken_rules, unmet
from asp_eval.intake.checks.suspicions import straight_liners
from asp_eval.intake.files.raw import SPACES, Mask, TextColumn
from asp_eval.intake.mapping.applying import MappedTable
from asp_eval.intake.mapping.items import mapping_key
from asp_eval.intake.mapping.mapping import NO_MAPPING
from asp_eval.intake.mapping.mapping import Mapping as MappingFile
from asp_eval.intake.table import VALIDATED, Table
from asp_eval.intake.values import (
    KINDS,
    NOT_A_CODE,
    Converted,
    Marks,
    convert,
    date_order,
    decimal_mark,
    expected,
    means_missing,
    typed,
    ungrouped,
)
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.far_values import far_in_table
from asp_eval.trial.tables.fields import Field
from asp_eval.trial.tables.schema import TableSchema

UNKNOWN_COLUMN = Fault(
    "SCR-040",
    "the column is unknown",
    "{advice}Say in the mapping, a file FILE.mapping.yaml beside FILE, what it is ('rename: {{{theirs}: OURS}}') "
    "or that it is left out ('ignore: [{ours}]'); or declare it in study.yaml ('columns'). "
    "'asp-eval import FILE --propose' drafts a mapping.",
)
MISSING_COLUMN = Fault(
    "SCR-041",
    "the column is missing",
    "{advice}Export it, or rename another column to it in the mapping ('rename: {{COLUMN: {ours}}}'); if it was not collected, "
    "say so there: 'constants: {{{ours}: null}}'.",
)
NO_VALUE = Fault("SCR-045", "the cell is empty, and must not be", "Fill it in{called}, or take the row out.")
NO_VALUES = Fault(
    "SCR-212",
    "{n} cells hold a code that study.yaml declares missing ({codes}), and are empty in the study",
    "Nothing, if they are non-answers. Else take the code out of 'missing' in study.yaml.",
    "warning",
)
UNSURE_DECIMAL = Fault(
    "SCR-048",
    "numbers such as {numbers} can be read in two ways: the decimal mark could be a comma or a point",
    "Say which in the mapping: 'format: {{decimal: \",\"}}'.",
)
UNSURE_DATES = Fault(
    "SCR-049",
    "dates in the file can be read in two ways: day or month could come first",
    "Say which in the mapping: 'format: {{dates: day-first}}'.",
)
NO_FORM = Fault(
    "SCR-062",
    "the file has no items of an instrument that study.yaml declares for it",
    "Rename its columns to INSTRUMENT.ITEM in the mapping; 'asp-eval instruments show INSTRUMENT' lists the items. "
    "If its answers are in another file, import each file with --part and a name of its own. "
    "If it was not used, take it out of 'collect' in study.yaml.",
)
NOT_THERE = Fault(
    "SCR-061", "a column that study.yaml declares is not in the file", "Check its name; it is stored empty.", severity="warning"
)


TOO_MANY = Fault(
    "SCR-067",
    "{n} rows are at fault, more than the {most} that can wait for their correction: nothing of the file is stored",
    "Cure what is listed, in the export or the mapping, and import it again; or leave rows out with 'keep_rows' in the mapping.",
)

MOST_WAITING = 20_000  # rows; nobody corrects more by hand
ALL_OR_NOTHING = ("institutions", "allocation")  # short lists that everything hangs on: no row of them waits in quarantine


CODED_OTHERWISE = frozenset({OTHER_CODES, OTHER_MEANING, TURNED_ROUND, FOREIGN_CODES, SHIFTED_CODES})


class NothingAccepted(DataProblems):
    """Everything that is wrong with a file of which no row can be stored.

    Attributes
    ----------
    problems : tuple of Problem
    institutions : mapping of int to str
        The institution of each row that tells it, by the row's number.
    units : mapping of int to str
        The child, or other unit, of each row that tells it.
    """

    def __init__(self, problems: Iterable[Problem], institutions: Mapping[int, str], units: Mapping[int, str]) -> None:
        super().__init__(problems)
        self.institutions = institutions
        self.units = units


@dataclass(frozen=True, slots=True, eq=False)
class Sifted:
    """A file of which each row was either accepted or refused.

    Attributes
    ----------
    table : Table
        The rows accepted.
    refused : MappedTable
        The rows with an error, whole, under our names. Empty if there are none.
    institutions : mapping of int to str
        The institution of each row that was refused, left out or warned of and tells it, by the row's number.
    units : mapping of int to str
        The child, or other unit, of each of these rows that tells it.
    problems : tuple of Problem
        The errors of the rows refused and the warnings of those accepted, by row; at most 1,000 of a kind in a column.
    reasons : callable
        Returns the errors of each row of `refused`, ten at most and how many more.
    """

    table: Table
    refused: MappedTable
    institutions: Mapping[int, str] = attribute(repr=False)
    units: Mapping[int, str] = attribute(repr=False)
    problems: tuple[Problem, ...]
    reasons: Callable[[], tuple[tuple[Problem, ...], ...]] = attribute(repr=False)

    def whole(self) -> Table:
        """Return the table of a file without a faulty row.

        Raises
        ------
        DataProblems
            Every fault of the file, errors and warnings, if a row was refused.
        """
        if len(self.refused):
            raise DataProblems(self.problems)
        return self.table


def sift(
    raw: MappedTable,
    schema: TableSchema,
    *,
    study: Study | None = None,
    context: CheckContext | None = None,
    mapping: MappingFile = NO_MAPPING,
    may_all_wait: bool = False,
) -> Sifted:
    """Separate the rows of a file that can be stored from those at fault.

    A row with any error is refused whole. Of rows that are the same in every cell one is accepted, and the others are counted
    as duplicates; of rows that have one key and differ in anything else, all are refused. What is wrong with a column, or with
    the file, refuses the whole file, and so does an error in the short lists `ALL_OR_NOTHING`.

    Parameters
    ----------
    raw : MappedTable
        Under our names (`applying.apply_mapping`).
    schema : TableSchema
    study : Study, optional
        Adds the waves' dates and the eligible ages.
    context : CheckContext, optional
        Adds institutions, allocation and what earlier files said of the children; without it none of these is checked.
    mapping : Mapping, optional
        The one that the file was read with: it says from which share of rows at fault on the whole file is refused.
    may_all_wait : bool
        Accept a file of which every row waits.

    Raises
    ------
    NothingAccepted
        Every fault of the file, if no row of it can be accepted.
    """
    raw = _at_wave(raw, schema)
    marks, unsure = _marks(raw, schema, mapping.format.thousands)
    general = [*raw.notes, *_column_problems(raw, schema), *unsure, *unmet(raw, schema, context)]
    again = same_rows(raw, schema) if schema.name not in ALL_OR_NOTHING else None
    left_out = at_rows([again] if again else [], len(raw))
    findings = [again] if again else []
    frame = pd.DataFrame(index=range(len(raw)))
    if not unsure:
        frame, found = _values(raw, schema, marks)
        findings += [*found, same_keys(raw, schema, left_out)]
        if all(name in frame for name in schema.key):
            findings += broken_rules(raw, frame, schema, study, context)
        findings += damaged_ids(raw, schema, mapping, context)
        general += _declared_missing(raw, schema, marks)
    errors = [finding.among(~left_out) for finding in findings if finding.is_error]
    if context is None or not context.is_correction:
        general += foreign_codes(raw, schema)
        general += too_many_rows(raw, errors, mapping)
    refused = at_rows(errors, len(raw))
    accepted = ~refused & ~left_out
    if (n := int(refused.sum())) > MOST_WAITING:
        general.append(TOO_MANY.at(raw.source, n=n, most=MOST_WAITING))
    if _is_hopeless(general, refused, accepted | may_all_wait, schema):
        notes = [finding for finding in findings if not finding.is_error]
        shown = _without_what_columns_show(errors, general)
        problems = [*general, *listed(notes, raw), *listed(shown, raw)]
        named = np.isin(raw.rows, [_row(problem) for problem in problems])
        names = (_cells_by_row(raw, named, "institution_id"), _cells_by_row(raw, named, schema.key[0]))
        raise NothingAccepted(sorted(problems, key=_row), *names)
    warnings = [finding if finding is again else finding.among(accepted) for finding in findings if not finding.is_error]
    if not accepted.all():  # and else no copy: the values are the largest thing there is
        frame = frame[accepted].reset_index(drop=True)
    problems = [*general, *listed(warnings, raw), *straight_liners(raw.source, frame, schema)]
    if schema.wave is not None:
        problems += far_in_table(raw.source, frame, schema)
    table = Table(
        schema=schema,
        source=raw.source,
        sha256=raw.sha256,
        checked=frame,
        rows=raw.rows[accepted],
        answered=_answered(frame, schema),
        rows_read=raw.rows_read,
        filtered=raw.filtered,
        collapsed=raw.collapsed,
        duplicates=int(left_out.sum()),
        quarantined=int(refused.sum()),
        dialect=replace(raw.dialect, decimal=marks.decimal, dates=marks.dates),
        warnings=tuple(sorted(problems, key=_row)),
        seal=VALIDATED,
    )
    named = refused | left_out | np.isin(raw.rows, [_row(problem) for problem in problems])
    return Sifted(
        table=table,
        refused=raw.keep(refused),
        institutions=_cells_by_row(raw, named, "institution_id"),
        units=_cells_by_row(raw, named, schema.key[0]),
        problems=tuple(sorted([*problems, *listed(errors, raw)], key=_row)),
        reasons=lambda: by_row(errors, raw, refused),
    )


def _row(problem: Problem) -> int:
    return problem.place.row or 0


def _is_hopeless(general: list[Problem], refused: Mask, accepted: Mask, schema: TableSchema) -> bool:
    """Whether nothing of a file can be stored."""
    if any(problem.is_error for problem in general):
        return True
    return bool(refused.any()) and (schema.name in ALL_OR_NOTHING or not accepted.any())


def _without_what_columns_show(errors: list[Finding], general: list[Problem]) -> list[Finding]:
    """Leave out what single cells are at fault for, where it is said of their columns."""
    if CODED_OTHERWISE.isdisjoint(problem.fault for problem in general):
        return errors
    return [finding for finding in errors if finding.fault is not NOT_A_CODE]


def _values(raw: MappedTable, schema: TableSchema, marks: Marks) -> tuple[pd.DataFrame, list[Finding]]:
    """Return the values of all columns, and the faults of their cells."""
    values: dict[str, pd.Series] = {}
    findings: list[Finding] = []
    for field in schema.fields:
        if field.name in raw.columns:
            values[field.name], found = _checked(raw, field, marks)
            findings += found
        elif field.form is None:
            values[field.name] = typed([None] * len(raw), field)
    return pd.DataFrame(values, copy=False), findings


def _at_wave(raw: MappedTable, schema: TableSchema) -> MappedTable:
    """Add the wave that the file is for, if it has no column for it."""
    if schema.wave is None or "wave" in raw.columns:
        return raw
    return raw.with_columns({**raw.columns, "wave": TextColumn.constant(schema.wave, len(raw))})


def _column_problems(raw: MappedTable, schema: TableSchema) -> Iterator[Problem]:
    """Columns that are unknown, missing, or declared and not there."""
    there, names = set(raw.columns), set(schema.names)
    for name in raw.columns:
        if name not in names:
            said = {"theirs": mapping_key(raw.exported.get(name, name)), "ours": mapping_key(name)}
            yield UNKNOWN_COLUMN.at(raw.place(column=name), advice=_near(name, names - there), **said)
    for field in schema.base:
        if field.name not in there:
            if field.required:
                yield _missing_column(raw, field.name, there - names)
            elif field.name in schema.declared and not schema.part:  # another part may have it
                yield NOT_THERE.at(raw.place(column=field.name))
    present = [[form for form in group if there.intersection(schema.items(form))] for group in schema.alternatives]
    for group, forms in zip(schema.alternatives, present, strict=True):
        if not forms and not (schema.part and (any(present) or there.intersection(schema.declared))):
            yield NO_FORM.at(raw.source, expected=any_of(group))
        for form in forms:
            for name in schema.items(form):
                if name not in there:
                    yield _missing_column(raw, name, there - names)


def _missing_column(raw: MappedTable, name: str, pool: set[str]) -> Problem:
    return MISSING_COLUMN.at(raw.place(column=name), advice=_near(name, pool), ours=mapping_key(name))


def _called(raw: MappedTable, name: str) -> str:
    """Say what the file calls a column, where that is something else."""
    theirs = raw.exported.get(name, name)
    return NO_NOTE if theirs == name else Phrase(" in the file's column {name!r}", name=theirs)


def _near(name: str, pool: set[str]) -> str:
    near = difflib.get_close_matches(name, sorted(pool), n=1)
    return Phrase("Did you mean {name!r}? ", name=near[0]) if near else ""


def _marks(raw: MappedTable, schema: TableSchema, thousands: str | None) -> tuple[Marks, list[Problem]]:
    """Find how the file writes numbers and dates, in the columns that hold them."""
    there = [field for field in schema.fields if field.name in raw.columns]
    problems = []
    numbers = [text for field in there if field.numeric for text in raw.columns[field.name].texts]
    decimal = raw.dialect.decimal or _other_than(thousands)
    if decimal is None:
        spaced = Marks(thousands=thousands)
        decimal = decimal_mark((ungrouped(text.strip(SPACES), spaced) for text in numbers), raw.dialect.delimiter)
    if decimal is None or decimal == thousands:
        shown = all_of(sorted({text for text in numbers if "," in text or "." in text})[:4])
        problems.append(UNSURE_DECIMAL.at(raw.source, expected=any_of(["'.'", "','"]), numbers=shown))
    dates = raw.dialect.dates or date_order(t for field in there if field.kind == "date" for t in raw.columns[field.name].texts)
    if dates is None:
        names = ", ".join(field.name for field in there if field.kind == "date")
        problems.append(UNSURE_DATES.at(raw.place(column=names), expected=Phrase("day-first or month-first")))
    return Marks(decimal or ".", dates or "iso", thousands), problems


def _other_than(thousands: str | None) -> str | None:
    """Return the decimal mark that is left where a comma or a point stands between thousands."""
    return {".": ",", ",": "."}.get(thousands or "")


def _checked(raw: MappedTable, field: Field, marks: Marks) -> tuple[pd.Series, list[Finding]]:
    """Return the values of a column and the faults of its cells."""
    name, column, called = field.name, raw.columns[field.name], _called(raw, field.name)
    converted = convert(column, field, marks)
    found = [_faulty_cells(raw, field, converted, fault) for fault in dict.fromkeys(converted.faults) if fault is not None]
    if field.required:
        empty = converted.series.isna().to_numpy() & ~converted.faulty
        found.append(Finding.of(NO_VALUE, name, empty, lambda row: NO_VALUE.at(raw.place(row, name), called=called)))
    return converted.series, found


def _declared_missing(raw: MappedTable, schema: TableSchema, marks: Marks) -> Iterator[Problem]:
    """One warning for each column with codes that study.yaml declares missing: how many cells are empty for it."""
    for field in schema.fields:
        if field.missing and field.name in raw.columns:
            column = raw.columns[field.name]
            codes = [text.strip(SPACES) for text in column.texts]
            there = column.where(np.array([bool(c) and means_missing(c, field, marks) for c in codes], dtype=np.bool_))
            if n := int(np.count_nonzero(there)):
                yield NO_VALUES.at(raw.place(column=field.name), n=n, codes=", ".join(field.missing))


def _faulty_cells(raw: MappedTable, field: Field, converted: Converted, fault: Fault) -> Finding:
    """Find the cells of a column that have one fault."""
    name, column = field.name, raw.columns[field.name]
    there = column.where(np.array([one is fault for one in converted.faults], dtype=np.bool_))

    said = {"kind": KINDS[field.kind], "column": mapping_key(name), "called": _called(raw, name)}

    def problem(row: int) -> Problem:
        text = column.cell(row)
        label = mapping_key(text.strip(SPACES))
        return fault.at(raw.place(row, name), found=text, expected=expected(field), label=label, **said)

    return Finding.of(fault, name, there, problem)


def _cells_by_row(raw: MappedTable, rows: Mask, column: str) -> dict[int, str]:
    """Return the cells of a column in some rows, by the row's number; empty cells are left out."""
    if column not in raw.columns:
        return {}
    cells = raw.columns[column].keep(rows).cells()
    return {int(row): str(cell).strip(SPACES) for row, cell in zip(raw.rows[rows], cells, strict=True) if cell.strip(SPACES)}


def _answered(frame: pd.DataFrame, schema: TableSchema) -> np.ndarray:
    items = [field.name for field in schema.fields if (field.form or field.name in schema.scores) and field.name in frame]
    if not items:
        return np.ones(len(frame), dtype=bool)
    return np.asarray(frame[items].notna().any(axis=1).to_numpy(dtype=bool))
