"""Analysis files: everything a study holds, but names and text in one's own words, as tables that describe themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from asp_eval.analysis.data import StudyData, load_data
from asp_eval.analysis.results import Results
from asp_eval.analysis.sets import AnalysisSet, assemble
from asp_eval.core.errors import AspError
from asp_eval.core.filters import parse_filter
from asp_eval.core.phrases import Phrase
from asp_eval.store import table
from asp_eval.store.sealed_files import NOT_AS_WRITTEN
from asp_eval.trial.outcomes import outcome_label
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.descriptor import file_schemas
from asp_eval.trial.tables.fields import Field, Kind
from asp_eval.trial.tables.schema import BY_WAVE, EXCERPTS, TableSchema, base_schema, shipped_document
from asp_eval.workflow.stored_results import current_results

FIRST_WAVE = Field("first_wave", "string", "First wave", "Wave at which the child was first reported.")
FLOW_NOT_COUNTED = Phrase("There are no counts of the flow yet, or they are older than the data: give 'asp-eval analyse' first.")
NOT_SCORED = Phrase("There are no scores yet, and no analysis sets of outcomes that are scores: give 'asp-eval score' first.")
FLOW_FIELDS = (
    Field("outcome", "string", "Outcome", "Identifier of the outcome; empty for the flow of all children."),
    Field("wave", "string", "Wave", "Identifier of the wave; empty for what is counted once."),
    Field("arm", "string", "Arm", "Arm, as drawn.", required=True),
    Field("count", "string", "What is counted", "Name of the box of the flow.", required=True),
    Field("n", "integer", "Number", "Number of institutions or children in it.", required=True, minimum="0"),
)
CODEBOOK_FIELDS = (
    Field("file", "string", "File", "File of this export.", required=True),
    Field("column", "string", "Column", "Column of the file.", required=True),
    Field("type", "string", "Type", "Type of its values.", required=True),
    Field("title", "string", "Title", "What it is called."),
    Field("description", "string", "Description", "What it holds."),
    Field("allowed", "string", "Allowed values", "The only values it can have, with semicolons between."),
    Field("minimum", "string", "Minimum", "The least value it can have."),
    Field("maximum", "string", "Maximum", "The largest value it can have."),
    Field("values", "integer", "Values", "Number of rows that have a value.", required=True, minimum="0"),
    Field("missing", "integer", "Missing", "Number of rows that have none.", required=True, minimum="0"),
)


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisFile:
    """One table of an export.

    Attributes
    ----------
    name : str
        Of the file, without its ending.
    title, description : str
    frame : DataFrame
    fields : tuple of Field
        One for each column of the frame, in its order.
    key : tuple of str
        Columns that together identify a row.
    foreign_keys : tuple of dict
        As in a Table Schema.
    """

    name: str
    title: str
    description: str
    frame: pd.DataFrame
    fields: tuple[Field, ...]
    key: tuple[str, ...] = ()
    foreign_keys: tuple[dict[str, object], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisFiles:
    """An export.

    Attributes
    ----------
    files : tuple of AnalysisFile
        The codebook last.
    left_out : tuple of str
        Columns that are stored and not exported, as ``table.column``.
    notes : tuple of Phrase
        What could not be exported yet, and what to do.
    sets : tuple of AnalysisSet
        The analysis sets among the files.
    results : Results, optional
        The study's, if there are current ones.
    """

    files: tuple[AnalysisFile, ...]
    left_out: tuple[str, ...]
    notes: tuple[Phrase, ...]
    sets: tuple[AnalysisSet, ...] = ()
    results: Results | None = None


def analysis_files(study: Study) -> AnalysisFiles:
    """Return everything a study holds as analysis files.

    Tables without rows are not among them, nor excerpts of interviews. Names of institutions and text in one's own words are
    left out; text columns that study.yaml declares are exported if the plan uses them or ``privacy: export`` names them.

    Parameters
    ----------
    study : Study
    """
    stored = [file for name, schema in file_schemas(study) if len((file := _stored(study, name, schema)).frame)]
    known = _public(study)
    left_out = [
        f"{file.name}.{field.name}"
        for file in stored
        for field in file.fields
        if file.name == EXCERPTS or not _goes_out(field, known)
    ]
    files = [_without(file, known) for file in stored if file.name != EXCERPTS]
    notes, sets, results = [], [], None
    scores = table(study, "scores")
    if len(scores):
        files.append(_scores(scores))
    elif any(outcome.score for outcome in study.outcomes):
        notes.append(NOT_SCORED)
    if len(table(study, "screening")) and len(table(study, "allocation")):
        data = load_data(study)
        sets = [assemble(data, outcome.id) for outcome in study.outcomes if len(scores) or outcome.column]
        files += [_set(data, found) for found in sets]
    try:
        results = current_results(study)
        files.append(_flow(results))
    except AspError as refused:
        if any(problem.code == NOT_AS_WRITTEN.code for problem in refused.problems):
            raise
        notes.append(FLOW_NOT_COUNTED)
    return AnalysisFiles((*files, _codebook(files)), tuple(left_out), tuple(notes), tuple(sets), results)


def _stored(study: Study, name: str, schema: TableSchema) -> AnalysisFile:
    """Return a stored table as it would be imported: answers of a wave with their items side by side."""
    frame = _answers(study, schema) if schema.name in BY_WAVE else table(study, schema.name)
    declared = {field.name: field for field in (*schema.fields, FIRST_WAVE)}
    there = tuple(declared[column] for column in frame.columns if column in declared)  # study.yaml may have lost one since
    frame = frame[[field.name for field in there]]
    document = shipped_document(schema.name)
    title = f"{document['title']} at {schema.wave}" if schema.wave else document["title"]
    description = document["description"] if not schema.wave else f"{document['title']} at the wave {schema.wave}."
    return AnalysisFile(name, title, description, frame, there, schema.key, tuple(document.get("foreignKeys", ())))


def _answers(study: Study, schema: TableSchema) -> pd.DataFrame:
    visits = table(study, schema.name)
    frame = visits[visits["wave"] == schema.wave].reset_index(drop=True)
    unit = schema.key[0]
    for form in schema.forms:
        answers = table(study, f"{schema.name}_{form}")
        mine = answers.loc[answers["wave"] == schema.wave, [unit, *(i for i in schema.items(form) if i in answers)]]
        frame = frame.merge(mine, on=unit, how="left", validate="one_to_one")
    return frame


def _public(study: Study) -> frozenset[str]:
    """Return the text columns of a study's own that may be exported: those of the plan, and those that study.yaml names."""
    used = [
        *study.strata,
        *study.analysis.covariates,
        *(one.by for one in study.analysis.subgroups),
        *study.analysis.varying,
        *study.privacy.export,
    ]
    rules = [name for rule in study.sets.values() for name in parse_filter(rule.filter).columns]
    return frozenset([*used, *rules])


def _goes_out(field: Field, known: frozenset[str]) -> bool:
    """Return whether a column is exported; a column of a study's own has no title."""
    own_text = field.kind == "string" and field.form is None and not field.title and not field.allowed
    return field.exported and (not own_text or field.name in known)


def _without(file: AnalysisFile, known: frozenset[str]) -> AnalysisFile:
    kept = tuple(field for field in file.fields if _goes_out(field, known))
    return replace(file, frame=file.frame[[field.name for field in kept]], fields=kept)


def _scores(scores: pd.DataFrame) -> AnalysisFile:
    schema, document = base_schema("scores"), shipped_document("scores")
    told = tuple(schema.field(column) for column in scores.columns)
    return AnalysisFile("scores", document["title"], document["description"], scores, told, schema.key)


def _set(data: StudyData, found: AnalysisSet) -> AnalysisFile:
    outcome = found.outcome
    title = outcome_label(outcome, data.study.library).get("en", outcome.id)
    told = {
        "child_id": Field("child_id", "string", "Child", "Pseudonym of the child.", required=True),
        "institution": Field("institution", "string", "Institution", "Institution as drawn.", required=True),
        "arm": Field("arm", "string", "Arm", "Arm as drawn.", required=True, allowed=data.study.arms),
        "baseline": Field("baseline", "number", "Baseline", f"The outcome at the wave {outcome.baseline}.", required=True),
        outcome.id: Field(outcome.id, "number", title, f"The outcome at the wave {found.wave}.", required=True),
    }
    columns = tuple(
        told.get(name) or Field(name, _kind(found.frame[name]), name, "Covariate of the plan.", required=True)
        for name in found.frame.columns
    )
    description = f"The children analysed for the outcome {outcome.id} at the wave {found.wave}, one row each."
    reference: dict[str, object] = {
        "fields": ["institution"],
        "reference": {"resource": "institutions", "fields": ["institution_id"]},
    }
    name = f"analysis_{outcome.id}"
    return AnalysisFile(name, f"Analysis set: {title}", description, found.frame, columns, ("child_id",), (reference,))


def _kind(column: pd.Series) -> Kind:
    return "number" if pd.api.types.is_numeric_dtype(column.dtype) else "string"


def _flow(results: Results) -> AnalysisFile:
    boxes: list[tuple[str | None, str | None, str, dict[str, object]]]
    boxes = [(None, None, arm.arm, asdict(arm)) for arm in results.flow.arms]
    boxes += [(None, wave.wave, arm.arm, asdict(wave)) for arm in results.flow.arms for wave in arm.waves]
    boxes += [(o.outcome, o.wave, arm.arm, asdict(arm)) for o in results.outcomes for arm in o.analysed]
    rows = [(outcome, wave, arm, *counted) for outcome, wave, arm, box in boxes for counted in _counts(box)]
    frame = pd.DataFrame(rows, columns=[field.name for field in FLOW_FIELDS])
    return AnalysisFile(
        "flow", "Flow", "How many institutions and children there are in every box of the flow.", frame, FLOW_FIELDS
    )


def _counts(box: dict[str, object]) -> Iterator[tuple[str, int]]:
    """Yield the counts of a box of the flow, those inside it as ``not_screened.unlisted``."""
    for name, held in box.items():
        if isinstance(held, int):
            yield name, held
        elif isinstance(held, dict):
            yield from ((f"{name}.{inner}", n) for inner, n in _counts(held))


def _codebook(files: Sequence[AnalysisFile]) -> AnalysisFile:
    rows = [
        (
            file.name,
            field.name,
            field.kind,
            field.title,
            field.description,
            "; ".join(field.allowed) or None,
            field.minimum,
            field.maximum,
            int(column.notna().sum()),
            int(column.isna().sum()),
        )
        for file in files
        for field, column in ((field, file.frame[field.name]) for field in file.fields)
    ]
    frame = pd.DataFrame(rows, columns=[field.name for field in CODEBOOK_FIELDS])
    told = "Every column of every file of this export."
    return AnalysisFile("codebook", "Codebook", told, frame, CODEBOOK_FIELDS, ("file", "column"))
