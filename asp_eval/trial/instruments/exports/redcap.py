"""An instrument as a REDCap data dictionary: a CSV of the eighteen columns REDCap reads.

REDCap allows small letters, digits and underscores in names, so ``gap-competences-child.play_1`` becomes
``gap_competences_child_play_1``; the stored name stands in the last column. Cells a spreadsheet would run are defused.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from io import StringIO

from asp_eval.core.csv_text import guard_formula
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.exports.fields import FIELDS, Field, Run, anchors, question, runs, say
from asp_eval.trial.instruments.parts import Item

COLUMNS = (
    "Variable / Field Name", "Form Name", "Section Header", "Field Type", "Field Label",
    "Choices, Calculations, OR Slider Labels", "Field Note", "Text Validation Type OR Show Slider Number",
    "Text Validation Min", "Text Validation Max", "Identifier?", "Branching Logic (Show field only if...)",
    "Required Field?", "Custom Alignment", "Question Number (surveys only)", "Matrix Group Name", "Matrix Ranking?",
    "Field Annotation",
)  # fmt: skip
NAME, FORM, HEADER, KIND, LABEL, CHOICES = COLUMNS[:6]
VALIDATION, IDENTIFIER, BRANCHING, REQUIRED, NUMBER, MATRIX, ANNOTATION = (COLUMNS[i] for i in (7, 10, 11, 12, 14, 15, 17))
RECORD = {"da": "Nummer i REDCap", "en": "Number in REDCap"}
Row = Mapping[str, str]


def redcap(instrument: Instrument, language: str) -> str:
    """Return the data dictionary of a form, in one language.

    Parameters
    ----------
    instrument : Instrument
        With its wording: see `wording.worded`.
    language : str

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> print(redcap(instrument("governance-npm-npg"), "en").splitlines()[2][:46])
    respondent_id,governance_npm_npg,,text,"Your c
    """
    content = StringIO()
    writer = csv.DictWriter(content, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for row in _rows(instrument, language):
        writer.writerow({name: guard_formula(cell) for name, cell in row.items()})
    return content.getvalue()


def variable(instrument: Instrument, key: str) -> str:
    """Return the name of an item in REDCap."""
    return f"{_form(instrument)}_{key}"


def _rows(instrument: Instrument, language: str) -> Iterator[Row]:
    base = {FORM: _form(instrument)}
    yield base | {NAME: "record_id", KIND: "text", LABEL: say(RECORD, language)}
    yield from (base | _field(field, language) for field in FIELDS[instrument.unit])
    for number, run in enumerate(runs(instrument), start=1):
        for position, item in enumerate(run.items):
            row = base | _question(instrument, run, item, language)
            if len(run.items) > 1:
                row[MATRIX] = f"{_form(instrument)}_m{number}"
            if position == 0:
                opening = [say(instrument.instruction, language)] if number == 1 and instrument.instruction else []
                row[HEADER] = "\n".join([*opening, *anchors(run.responses, language)])
            yield row
    yield base | {NAME: variable(instrument, "licence"), KIND: "descriptive", LABEL: say(instrument.licence.statement, language)}


def _field(field: Field, language: str) -> dict[str, str]:
    return {
        NAME: field.name,
        KIND: "text",
        LABEL: say(field.label, language),
        VALIDATION: "date_ymd" if field.is_date else "",
        IDENTIFIER: "y" if field.is_person else "",
        REQUIRED: "y" if field.name.endswith("_id") and field.name != "rater_id" else "",
    }


def _question(instrument: Instrument, run: Run, item: Item, language: str) -> dict[str, str]:
    labels = [(each.code, say(each.label, language).replace("|", "/")) for each in run.responses]  # | parts the choices
    logic = f"[{variable(instrument, item.unless.item)}] <> '{item.unless.code}'" if item.unless else ""
    return {
        NAME: variable(instrument, item.key),
        KIND: "radio",
        LABEL: question(item, language),
        CHOICES: " | ".join(f"{code}, {label}" for code, label in labels),
        BRANCHING: logic,
        NUMBER: str(item.number),
        ANNOTATION: f"{instrument.id}.{item.key}",
    }


def _form(instrument: Instrument) -> str:
    return instrument.id.replace("-", "_")
