"""Rules beyond the schema: what a file says against the study's institutions, its draw, its dates and its other files."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Problem
from asp_eval.core.phrases import Phrase, all_of
from asp_eval.core.spelling import several_spellings
from asp_eval.intake.checks.context import CheckContext
from asp_eval.intake.checks.duplicates import alike_ids, keys_of, plain_id
from asp_eval.intake.checks.findings import Finding
from asp_eval.intake.checks.goal_rules import goal_rules
from asp_eval.intake.checks.interview_rules import excerpt_rules, interview_rules
from asp_eval.intake.checks.other_parts import against_other_parts
from asp_eval.intake.files.raw import SPACES, Mask
from asp_eval.intake.mapping.applying import MappedTable
from asp_eval.trial.study.ages import age_years
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.schema import EXCERPTS, TableSchema

NO_INSTITUTIONS = Fault(
    "SCR-052",
    "the study has no institutions yet",
    "Import the list of institutions first: asp-eval import FILE --table institutions.",
)
UNKNOWN_INSTITUTION = Fault("SCR-050", "the institution is not in the list of institutions", "{advice}")
NOT_ALLOCATED = Fault(
    "SCR-051",
    "the institution is not in the allocation: it was never drawn to an arm",
    "Correct the institution, or leave its rows out with 'keep_rows' in the mapping.",
)
CHILD_DIFFERS = Fault(
    "SCR-053", "the child has another {column} at {wave}", "Correct the file that is wrong; or the two are different children."
)
BORN_LATER = Fault("SCR-064", "the child was born after the day of the rating", "Correct the date or the month of birth.")
OUTSIDE_WAVE = Fault("SCR-054", "the date is outside the wave", "Check the date, and that the row belongs here.", "warning")
OUTSIDE_AGES = Fault(
    "SCR-055",
    "the child is {age} years old, outside the eligible ages",
    "It is kept, and counted as not eligible in the flow.",
    "warning",
)
MOVED = Fault(
    "SCR-056",
    "the child is in another institution than at {wave}",
    "Nothing needs to be done: it counts in the arm of its first institution.",
    "warning",
)
OTHER_RATER = Fault(
    "SCR-057",
    "the child has another rater than at {wave}",
    "It is kept; mention it when you report, for a new rater may see the same child differently.",
    "warning",
)
JOINED = Fault(
    "SCR-058",
    "the child was not there before: it joined after the draw",
    "It is kept; 'estimand' in study.yaml says how it counts.",
    "warning",
)
NO_ANSWERS = Fault(
    "SCR-059", "the row has no answers", "It counts as not screened at this wave; nothing needs to be done.", "warning"
)
TWO_FORMS = Fault(
    "SCR-060",
    "two forms of one questionnaire are answered: {forms}",
    "Keep the answers of the form that was used, and empty the cells of the other.",
)

MISTYPED_ID = Fault(
    "SCR-065",
    "the child is not known, but another is whose id differs only in leading zeros, capitals or spaces",
    "Write the id as at the other waves; a spreadsheet drops the zeros of 007 unless the column is text.",
)
STORED = Fault(
    "SCR-120",
    "another row with this {unit} is stored already",
    "If this row is the right one, correct the whole file and import it with --replace; if not, leave the row where it is.",
)
CHANGED_CELL = Fault(
    "SCR-129",
    "the cell was {before!r} in quarantine: a spreadsheet made something else of it",
    "Write the cell as it was, after making the column text in the spreadsheet; or use an editor. If the change is meant, make "
    "it in the export itself and import that.",
)

SPELLED_OTHERWISE = Fault(
    "SCR-236",
    "the lot is drawn by this column, and another row writes the same name as {other!r}",
    "Copy the name from one row into the others, for two that look alike may differ in characters that are not seen; the lot "
    "is not drawn until they are one.",
    "warning",
)

CALLED = {"sex": Phrase("sex"), "birth_month": Phrase("month of birth")}


def unmet(raw: MappedTable, schema: TableSchema, context: CheckContext | None) -> Iterator[Problem]:
    """Yield what must be there before any row of a file can be judged."""
    if context is not None and schema.name != "institutions" and not context.institutions:
        yield NO_INSTITUTIONS.at(raw.source)


def broken_rules(
    raw: MappedTable, frame: pd.DataFrame, schema: TableSchema, study: Study | None, context: CheckContext | None
) -> Iterator[Finding]:
    """Yield the rows that break each rule.

    Parameters
    ----------
    raw : MappedTable
        For the places.
    frame : DataFrame
        Values of the columns that could be read, one row per row of `raw`; missing where a cell was at fault.
    schema : TableSchema
    study, context
        What is not given is not checked.
    """
    yield from _forms(raw, frame, schema)
    yield from alike_ids(raw, schema)
    if context is not None and schema.name != "institutions" and context.institutions:
        yield from _institutions(raw, frame, schema, context)
    if study is not None and schema.name == "interviews":
        yield from interview_rules(raw, frame, study, context.drawn if context is not None else {})
    if study is not None and schema.name == EXCERPTS:
        yield from excerpt_rules(raw, frame, study)
    if study is not None and schema.name == "goals":
        yield from goal_rules(raw, frame, study, context.arms if context is not None else {})
    if study is not None and schema.name == "institutions":
        yield from _spellings(frame, raw, study)
    if study is not None and schema.wave is not None and "date" in frame:
        yield _dates(raw, frame, schema.wave, study)
    if study is not None and schema.name == "screening" and schema.wave is not None:
        yield from _ages(raw, frame, schema.wave, study)
    if context is not None and "child_id" in frame and len(context.reports):
        yield from _against_reports(raw, frame, context)
    if context is not None and schema.part:
        yield from against_other_parts(raw, frame, schema, context.other_parts)
        if ids := [rows["child_id"] for rows in context.other_parts.rows if "child_id" in rows]:
            yield _mistyped_ids(raw, frame, pd.concat([context.reports["child_id"], *ids]).drop_duplicates())
    if context is not None and context.stored_keys:
        yield _already_stored(raw, frame, schema, context)
    if context is not None:
        yield from _changed_cells(raw, context)


def _forms(raw: MappedTable, frame: pd.DataFrame, schema: TableSchema) -> Iterator[Finding]:
    """Rows without any answer, and rows with two forms of one family."""
    filled = {
        form: frame[items].notna().any(axis=1).to_numpy(dtype=bool)
        for form in schema.forms
        if (items := [name for name in schema.items(form) if name in frame])
    }
    answers = list(filled.values())
    answers += [frame[name].notna().to_numpy(dtype=bool) for name in schema.scores if name in frame]
    if answers:
        blank = _without_text(raw, ~np.logical_or.reduce(answers), schema)
        yield Finding.of(NO_ANSWERS, None, blank, lambda row: NO_ANSWERS.at(raw.place(row)))
    for group in schema.alternatives:
        answered = {form: filled[form] for form in group if form in filled}
        if len(answered) > 1:
            yield _two_forms(raw, answered)


def _without_text(raw: MappedTable, blank: Mask, schema: TableSchema) -> Mask:
    """Return which of the rows without an answer that could be read have nothing written there either."""
    names = (*(name for form in schema.forms for name in schema.items(form)), *schema.scores)
    for column in (raw.columns[name] for name in names if name in raw.columns):
        written = np.array([bool(text.strip(SPACES)) for text in column.texts], dtype=bool)
        blank = blank & ~written[column.codes] if blank.any() else blank
    return blank


def _two_forms(raw: MappedTable, answered: dict[str, Mask]) -> Finding:
    def problem(row: int) -> Problem:
        return TWO_FORMS.at(raw.place(row), forms=all_of(form for form, mask in answered.items() if mask[row]))

    return Finding.of(TWO_FORMS, None, np.sum(list(answered.values()), axis=0) > 1, problem)


def _institutions(raw: MappedTable, frame: pd.DataFrame, schema: TableSchema, context: CheckContext) -> Iterator[Finding]:
    """Institutions that are not listed, or were never drawn."""
    given = frame["institution_id"]
    unlisted = given.notna() & ~given.isin(context.institutions)
    spelled = {plain_id(name): name for name in sorted(context.institutions)}

    def unknown(row: int) -> Problem:
        found = str(given.iloc[row])
        meant = spelled.get(plain_id(found))
        near = [meant] if meant else difflib.get_close_matches(found, context.institutions, n=1)
        likely = Phrase("Did you mean {name!r}? ", name=near[0]) if near else ""
        advice = Phrase("{likely}Correct the cell, or add the institution to the list and import the list again.", likely=likely)
        return UNKNOWN_INSTITUTION.at(raw.place(row, "institution_id"), found=found, advice=advice)

    yield Finding.of(UNKNOWN_INSTITUTION, "institution_id", unlisted, unknown)
    if schema.name != "allocation" and context.allocated:
        undrawn = given.notna() & ~unlisted & ~given.isin(context.allocated)
        place = "institution_id"
        yield Finding.of(
            NOT_ALLOCATED, place, undrawn, lambda row: NOT_ALLOCATED.at(raw.place(row, place), found=str(given.iloc[row]))
        )


def _spellings(frame: pd.DataFrame, raw: MappedTable, study: Study) -> Iterator[Finding]:
    """Find names in the columns that the lot is drawn by that differ in their spelling alone from one in a row above."""
    lot = study.randomisation
    for name in dict.fromkeys((*study.strata, *lot.covariates, *([lot.pair] if lot.pair else []))):
        if name not in frame or pd.api.types.is_numeric_dtype(frame[name]):
            continue
        texts = ["" if pd.isna(text) else str(text).strip(SPACES) for text in frame[name]]
        first: dict[int, str] = {}
        for spelled in several_spellings(texts):
            one, *others = spelled
            first |= {row: one for other in others for row in spelled[other]}
        places = np.isin(np.arange(len(texts)), list(first))
        yield Finding.of(SPELLED_OTHERWISE, name, places, partial(_spelled_otherwise, raw, name, texts, first))


def _spelled_otherwise(raw: MappedTable, name: str, texts: Sequence[str], first: Mapping[int, str], row: int) -> Problem:
    return SPELLED_OTHERWISE.at(raw.place(row, name), found=texts[row], other=first[row])


def _dates(raw: MappedTable, frame: pd.DataFrame, wave_id: str, study: Study) -> Finding:
    wave = study.wave(wave_id)
    day = frame["date"]
    outside = pd.Series(False, index=frame.index)
    if wave.start:
        outside |= day < pd.Timestamp(wave.start)
    if wave.end:
        outside |= day > pd.Timestamp(wave.end)
    span = Phrase("{low} to {high}", low=wave.start or "...", high=wave.end or "...")
    return Finding.of(
        OUTSIDE_WAVE,
        "date",
        outside,
        lambda row: OUTSIDE_WAVE.at(raw.place(row, "date"), found=f"{day.iloc[row]:%Y-%m-%d}", expected=span),
    )


def _ages(raw: MappedTable, frame: pd.DataFrame, wave_id: str, study: Study) -> Iterator[Finding]:
    """Children born after they were rated, and children outside the eligible ages at the wave that decides."""
    start = study.wave(wave_id).start
    if "birth_month" not in frame or "date" not in frame:
        return
    born, months = frame["birth_month"], {day: f"{day:%Y-%m}" for day in frame["date"].dropna().unique()}
    month = frame["date"].map(months).astype("string")
    later = (born > month).fillna(False).to_numpy(dtype=bool)

    def born_later(row: int) -> Problem:
        return BORN_LATER.at(
            raw.place(row, "birth_month"), found=str(born.iloc[row]), expected=Phrase("at most {n}", n=month.iloc[row])
        )

    yield Finding.of(BORN_LATER, "birth_month", later, born_later)
    if study.eligibility is None or study.eligibility.at != wave_id:
        return
    day = frame["date"].fillna(pd.Timestamp(start)) if start else frame["date"]
    age = age_years(born, day)
    ages = study.eligibility.age_years
    outside = ((age < ages.start) | (age >= ages.below)).to_numpy(dtype=bool) & ~later
    allowed = Phrase("an age from {low:g}, below {high:g} years", low=ages.start, high=ages.below)

    def ineligible(row: int) -> Problem:
        whole = math.floor(100 * float(age.iloc[row])) / 100  # not rounded: a child just too young must not read as old enough
        return OUTSIDE_AGES.at(raw.place(row, "birth_month"), found=str(born.iloc[row]), expected=allowed, age=whole)

    yield Finding.of(OUTSIDE_AGES, "birth_month", outside, ineligible)


def _against_reports(raw: MappedTable, frame: pd.DataFrame, context: CheckContext) -> Iterator[Finding]:
    """Compare with what files of other waves said of the same children."""
    reports = context.reports
    yield _mistyped_ids(raw, frame, reports["child_id"].drop_duplicates())
    for column in ("sex", "birth_month"):
        if column in frame:
            yield _differences(raw, frame, column, reports.dropna(subset=[column]), CHILD_DIFFERS)
    before = reports[reports["wave"].isin(context.waves_before)]
    if len(before):
        for column, fault in (("institution_id", MOVED), ("rater_id", OTHER_RATER)):
            if column in frame:
                yield _differences(raw, frame, column, before.dropna(subset=[column]), fault)
        ids = frame["child_id"]
        new = ids.notna() & ~ids.isin(before["child_id"])
        yield Finding.of(JOINED, "child_id", new, lambda row: JOINED.at(raw.place(row, "child_id"), found=str(ids.iloc[row])))


def _mistyped_ids(raw: MappedTable, frame: pd.DataFrame, stored: pd.Series[str]) -> Finding:
    """Find the children whose id is not known but for its spelling: a spreadsheet makes 7 of 007."""
    ids = frame["child_id"]
    spelled = {plain_id(text): text for text in stored}
    new = (ids.notna() & ~ids.isin(stored)).to_numpy()
    meant = ids.where(new).map(lambda text: spelled.get(plain_id(text)), na_action="ignore")

    def problem(row: int) -> Problem:
        return MISTYPED_ID.at(raw.place(row, "child_id"), found=str(ids.iloc[row]), expected=repr(str(meant.iloc[row])))

    return Finding.of(MISTYPED_ID, "child_id", new & meant.notna().to_numpy(), problem)


def _differences(raw: MappedTable, frame: pd.DataFrame, column: str, reports: pd.DataFrame, fault: Fault) -> Finding:
    """Find the rows whose value differs from the last one reported."""
    last = reports.drop_duplicates("child_id", keep="last").set_index("child_id")
    now, said = frame[column], frame["child_id"].map(last[column])
    differs = (now.notna() & said.notna() & (now != said).fillna(False)).to_numpy(dtype=bool)
    waves = frame["child_id"].map(last["wave"])

    def problem(row: int) -> Problem:
        place, wave = raw.place(row, column), str(waves.iloc[row]) or Phrase("the register")
        return fault.at(
            place, found=str(now.iloc[row]), expected=str(said.iloc[row]), wave=wave, column=CALLED.get(column, column)
        )

    return Finding.of(fault, column, differs, problem)


def _already_stored(raw: MappedTable, frame: pd.DataFrame, schema: TableSchema, context: CheckContext) -> Finding:
    """Find the rows of a correction whose unit was stored meanwhile, from another row."""
    unit = schema.key[0]
    units = frame[unit]

    def problem(row: int) -> Problem:
        return STORED.at(raw.place(row, unit), found=str(units.iloc[row]), unit=unit)

    return Finding.of(STORED, unit, keys_of(frame, schema).isin(context.stored_keys).to_numpy(dtype=bool), problem)


def _changed_cells(raw: MappedTable, context: CheckContext) -> Iterator[Finding]:
    """Find the cells of a correction that a spreadsheet changed unasked."""
    changed = context.changed_cells
    for name in dict.fromkeys(name for _, name in changed if name in raw.columns):
        yield _changed_cells_in(raw, name, {row: before for (row, column), before in changed.items() if column == name})


def _changed_cells_in(raw: MappedTable, name: str, before: Mapping[int, str]) -> Finding:
    def problem(position: int) -> Problem:
        found = raw.columns[name].cell(position)
        return CHANGED_CELL.at(raw.place(position, name), found=found, before=before[int(raw.rows[position])])

    return Finding.of(CHANGED_CELL, name, np.isin(raw.rows, list(before)), problem)
